"""Pictures in an incident's thread: read from what is stored, drawn elsewhere, or else said in words."""

import structlog

from bot.adapters.charts import drawn
from bot.adapters.message_files import File
from bot.domain.ids import incident_label
from bot.domain.incident_picture import PictureMoment
from bot.domain.picture import Picture
from bot.slack.text import Words
from bot.slack.views.picture import (
    incident_picture,
    incident_picture_words,
    no_incident_picture,
    picture_alt,
)
from bot.slack.views.rollback_message import Message
from bot.usecases.ports import Charts, NotDrawn
from bot.usecases.read_incident_picture import IncidentShown, ReadingPictures, read_incident_picture

log = structlog.get_logger()


class IncidentPictures:
    """Draws in the channel's language `locale` and in the playbook's time zone."""

    def __init__(self, reading: ReadingPictures, charts: Charts, *, locale: str) -> None:
        self._reading = reading
        self._charts = charts
        self._locale = locale

    async def render(self, subject: str) -> File | Message:
        """Return the picture of `subject`, or a message with figures where it cannot be drawn.

        `subject` is that of `bot.usecases.read_incident_picture.picture_subject`. Raises `NotKept`.
        """
        shown = await read_incident_picture(subject, self._reading)
        words = Words(locale=self._locale, zone=shown.playbook.time_zone)
        if not shown.scene.points:
            return no_incident_picture(shown.scene, shown.problem or "", words)
        try:
            content = await drawn(self._charts, lambda w: _picture(shown, w), words)
        except NotDrawn as error:
            log.warning("incident_picture_not_drawn", subject=subject, why=str(error))
            return no_incident_picture(shown.scene, str(error)[:500], words)
        return _file(subject, content, shown, words)


def _picture(shown: IncidentShown, words: Words) -> Picture:
    return incident_picture(
        shown.scene,
        label=incident_label(shown.incident.number),
        target=shown.incident.target,
        thresholds=shown.playbook.thresholds,
        words=words,
    )


def _file(subject: str, content: bytes, shown: IncidentShown, words: Words) -> File:
    """Return it under its subject's name, by which it is found again."""
    _, moment, about = subject.split(":", 2)
    number = shown.incident.number
    title, comment = incident_picture_words(PictureMoment(moment), number, words)
    return File(
        name=f"{incident_label(number)}-{moment}-{about}.png",
        title=title,
        content=content,
        comment=comment,
        alt=picture_alt(words),
    )
