"""Pictures in an incident's thread: read from what is stored, drawn elsewhere, or else said in words."""

from dataclasses import dataclass, replace

import structlog

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
from bot.usecases.ports import Charts, NoLetters, NotDrawn
from bot.usecases.read_incident_picture import IncidentShown, ReadingPictures, read_incident_picture

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class DrawnPicture:
    """A PNG to upload: its name is its subject's, so it is found again; `alt` says what it shows."""

    name: str
    title: str
    content: bytes
    comment: str
    alt: str


class IncidentPictures:
    """Draws in the channel's language `locale` and in the playbook's time zone."""

    def __init__(self, reading: ReadingPictures, charts: Charts, *, locale: str) -> None:
        self._reading = reading
        self._charts = charts
        self._locale = locale

    async def render(self, subject: str) -> DrawnPicture | Message:
        """Return the picture of `subject`, or a message with figures where it cannot be drawn.

        `subject` is that of `bot.usecases.read_incident_picture.picture_subject`. Raises `NotKept`.
        """
        shown = await read_incident_picture(subject, self._reading)
        words = Words(locale=self._locale, zone=shown.playbook.time_zone)
        if not shown.scene.points:
            return no_incident_picture(shown.scene, shown.problem or "", words)
        try:
            content = await self._drawn(shown, words)
        except NotDrawn as error:
            log.warning("incident_picture_not_drawn", subject=subject, why=str(error))
            return no_incident_picture(shown.scene, str(error)[:500], words)
        return _file(subject, content, shown, words)

    async def _drawn(self, shown: IncidentShown, words: Words) -> bytes:
        try:
            return await self._charts.draw(_picture(shown, words))
        except NoLetters:
            return await self._charts.draw(_picture(shown, replace(words, locale="en")))


def _picture(shown: IncidentShown, words: Words) -> Picture:
    return incident_picture(
        shown.scene,
        label=incident_label(shown.incident.number),
        target=shown.incident.target,
        thresholds=shown.playbook.thresholds,
        words=words,
    )


def _file(subject: str, content: bytes, shown: IncidentShown, words: Words) -> DrawnPicture:
    _, moment, about = subject.split(":", 2)
    number = shown.incident.number
    title, comment = incident_picture_words(PictureMoment(moment), number, words)
    return DrawnPicture(
        name=f"{incident_label(number)}-{moment}-{about}.png",
        title=title,
        content=content,
        comment=comment,
        alt=picture_alt(words),
    )
