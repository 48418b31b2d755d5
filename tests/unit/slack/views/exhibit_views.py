"""The files of evidence as messages and in their list, with a text wherever Google or a disk speaks."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.exhibit import Exhibit, ExhibitKind, Moment, exhibit_name, snapshot_id
from bot.domain.ids import IncidentNumber
from bot.domain.incident import IncidentState
from bot.domain.taking import Taking, takings
from bot.slack.text import Words
from bot.slack.views.board import board
from bot.slack.views.exhibits import evidence_message, evidence_modal
from bot.slack.views.rollback_message import Message
from tests.values import NOON, a_playbook, an_incident

CHANNEL = "C0OPERATIONS"
TWELVE = IncidentNumber(12)


def a_file(
    kind: ExhibitKind = ExhibitKind.ERROR_LOGS,
    moment: Moment = Moment.DECISION,
    *,
    minutes: int = 0,
    **more: Any,
) -> Exhibit:
    """Return a file of incident 12, taken `minutes` after noon."""
    at = NOON + timedelta(minutes=minutes)
    snapshot = snapshot_id(TWELVE, moment, f"f00d{minutes}")
    name = exhibit_name(kind, at, "txt")
    file = Exhibit(
        id=f"{snapshot}:{name}",
        incident=TWELVE,
        snapshot=snapshot,
        kind=kind,
        name=name,
        created_at=at,
        source="Cloud Logging: severity>=ERROR",
        size=4_321,
        sha256="0123456789abcdef" * 4,
    )
    return replace(file, **more)


def many_takings(text: str) -> tuple[Taking, ...]:
    """Return fifteen takings of every kind of file; some could not be read, some have been dropped."""
    files = []
    for minutes in range(5):
        for moment in Moment:
            for place, kind in enumerate(ExhibitKind):
                lost: dict[str, Any] = (
                    {"problem": text or "x", "size": 0, "sha256": ""} if place % 3 == 0 else {}
                )
                gone = NOON if place % 3 == 1 else None
                one = a_file(kind, moment, minutes=minutes, source=text, redacted=place, dropped_at=gone)
                files.append(replace(one, **lost))
    return takings(files)


def exhibit_messages(text: str, words: Words) -> Iterator[tuple[str, Message]]:
    """Yield every message that lists files."""
    for taking in many_takings(text)[:3]:
        absent = [file.name for file in taking.there]
        yield f"evidence {taking.moment}", evidence_message(taking, absent, words)
        yield f"uploaded {taking.moment}", evidence_message(taking, [], words)
    now, playbook = NOON + timedelta(hours=1), a_playbook()
    shown = board(an_incident(), [], words, now=now, playbook=playbook, evidence=many_takings(text))
    yield "board with evidence", shown


def exhibit_modals(text: str, words: Words) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the list of files in every state it has."""
    closed = an_incident(state=IncidentState.CLOSED, closed_at=NOON)
    for incident in (an_incident(), closed):
        for taken in ((), many_takings(text)):
            for asked in (False, True):
                view = evidence_modal(incident, taken, words, channel=CHANNEL, asked=asked)
                yield f"evidence {incident.state} {len(taken)} {asked}", view
