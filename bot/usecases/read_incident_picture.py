"""What a picture in an incident's thread shows: what the watch has seen, completed by Cloud Monitoring."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from bot.domain.alert import Alert
from bot.domain.ids import ChannelId, IncidentNumber, RollbackId
from bot.domain.incident import Incident
from bot.domain.incident_picture import (
    PictureMoment,
    Scene,
    end_of_detection,
    end_of_verdict,
    is_about_memory,
    names_of,
    of_memory,
    scene_of,
)
from bot.domain.last_hour import HOUR, LastHour, completed, is_whole
from bot.domain.playbook import Playbook
from bot.domain.rollback import Rollback
from bot.domain.watch import Watch
from bot.usecases.editions import playbook_of
from bot.usecases.journal import board_key
from bot.usecases.ports import Clock, Metrics, Playbooks, Showing, Store, Transaction

#: A picture waits no longer for Cloud Monitoring: what the watch has seen is the most of it.
MONITORING_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class ReadingPictures:
    """What reading a picture's minutes may touch."""

    store: Store
    playbooks: Playbooks
    metrics: Metrics
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class IncidentShown:
    """What is drawn of an incident, and by which playbook; `problem`: why minutes may be missing."""

    incident: Incident
    playbook: Playbook
    scene: Scene
    problem: str | None = None


def picture_subject(number: IncidentNumber, moment: PictureMoment, about: str) -> str:
    """Return a picture's subject, ``12:detection:canary-3-1``: `about` is an alert's or a rollback's id."""
    return f"{number}:{moment}:{about}"


def show_detection(tx: Transaction, alert: Alert, number: IncidentNumber, *, channel: ChannelId) -> None:
    """Send the picture of a detection into the incident's thread, and once its memory if it is about that."""
    _show(tx, number, PictureMoment.DETECTION, alert.id, channel)
    if is_about_memory(alert):
        show_memory(tx, alert, number, channel=channel)


def show_memory(tx: Transaction, alert: Alert, number: IncidentNumber, *, channel: ChannelId) -> None:
    """Send the picture of memory into the incident's thread."""
    _show(tx, number, PictureMoment.MEMORY, alert.id, channel)


def show_verdict(tx: Transaction, rollback: Rollback, number: IncidentNumber, *, channel: ChannelId) -> None:
    """Send the picture of a rollback's verdict into the incident's thread."""
    _show(tx, number, PictureMoment.VERDICT, rollback.id, channel)


def _show(
    tx: Transaction, number: IncidentNumber, moment: PictureMoment, about: str, channel: ChannelId
) -> None:
    subject = picture_subject(number, moment, about)
    tx.show(Showing.INCIDENT_PICTURE, subject, channel=channel, under=board_key(number))


@dataclass(frozen=True, kw_only=True)
class _Stored:
    incident: Incident
    playbook: Playbook
    rollbacks: tuple[Rollback, ...]
    alerts: tuple[Alert, ...]
    watch: Watch | None
    until: datetime


async def read_incident_picture(subject: str, use: ReadingPictures) -> IncidentShown:
    """Return what the picture of `subject` shows; see `picture_subject`. Raises `NotKept`.

    A Cloud Monitoring that cannot be read is a `problem`, and the watch's minutes are there all the same.
    """
    number, moment, about = subject.split(":", 2)
    known = await use.store.look(
        lambda tx: _stored(tx, IncidentNumber(int(number)), PictureMoment(moment), about, use)
    )
    hour, problem = await _hour(known, use)
    scene = scene_of(
        known.incident,
        known.rollbacks,
        known.alerts,
        hour.points,
        until=known.until,
        canary=hour.canary,
        stable=hour.stable,
    )
    if PictureMoment(moment) is PictureMoment.MEMORY:
        scene = of_memory(scene, red=known.playbook.thresholds.memory_percent.red_above)
    return IncidentShown(incident=known.incident, playbook=known.playbook, scene=scene, problem=problem)


def _stored(
    tx: Transaction, number: IncidentNumber, moment: PictureMoment, about: str, use: ReadingPictures
) -> _Stored:
    incident, now = tx.incident(number), use.clock()
    if moment is PictureMoment.VERDICT:
        until = end_of_verdict(tx.rollback(RollbackId(about)), now=now)
    else:
        until = end_of_detection(tx.kept(Alert, about), now=now)
    return _Stored(
        incident=incident,
        playbook=playbook_of(tx, incident, use.playbooks.current()),
        rollbacks=tx.rollbacks_of(number),
        alerts=tx.find(Alert, incident=number),
        watch=next(iter(tx.find(Watch, id=incident.target)), None),
        until=until,
    )


async def _hour(known: _Stored, use: ReadingPictures) -> tuple[LastHour, str | None]:
    hour = _hour_of(known)
    target = use.playbooks.current().targets.get(known.incident.target)
    if target is None or is_whole(hour):
        return hour, None
    try:
        async with asyncio.timeout(MONITORING_SECONDS):
            read = await use.metrics.minutes(target, since=known.until - HOUR, until=known.until)
    except TimeoutError:
        return hour, f"Cloud Monitoring did not answer within {MONITORING_SECONDS:g} s"
    return completed(hour, read), read.problem


def _hour_of(known: _Stored) -> LastHour:
    """Return the watch's minutes of the canary that this is about; none where it watches another one."""
    names = names_of(known.rollbacks, known.alerts)
    watch = known.watch
    if watch is not None and (names is None or watch.canary == names[0]):
        names, points = (watch.canary, watch.stable), watch.points
    else:
        points = ()
    canary, stable = names or ("", "")
    within = tuple(point for point in points if known.until - HOUR <= point.at <= known.until)
    return LastHour(
        target=known.incident.target, canary=canary, stable=stable, until=known.until, points=within
    )
