"""The record's picture: canary and stable around the deployment, with what happened as marks."""

from dataclasses import replace

from bot.domain.ids import incident_label
from bot.domain.incident_picture import scene_of
from bot.domain.picture import Picture
from bot.domain.record import Record
from bot.slack.text import Words
from bot.slack.views.picture import incident_picture


def record_picture(record: Record, words: Words) -> Picture:
    """Return the picture with its texts in the language and zone of `words`.

    It ends with the newest minute, of which the record has at least one, or with the newest rollback where
    that ended later: of the same record it is always the same.
    """
    ends = [rollback.ended_at for rollback in record.rollbacks if rollback.ended_at is not None]
    until = max([record.points[-1].at, *ends])
    incident = replace(record.incident, deployed_at=record.deployed_at)
    scene = scene_of(incident, record.rollbacks, record.alerts, record.points, until=until)
    return incident_picture(
        scene,
        label=incident_label(record.incident.number),
        target=record.incident.target,
        thresholds=record.thresholds,
        words=words,
    )
