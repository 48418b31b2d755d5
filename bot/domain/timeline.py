"""The timeline: facts in order, each chained to the one before, so that a changed past shows."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from bot.domain.ids import IncidentNumber

#: Actor of what the bot did by itself.
BACKOUT = "backout"
#: Chain for what belongs to no incident, refusals above all.
AUDIT = "audit"
#: What the first entry of a chain is chained to.
GENESIS = "0" * 64


def incident_chain(number: IncidentNumber) -> str:
    """Return the name of an incident's chain."""
    return f"incident:{number}"


class Event(StrEnum):
    """What an entry tells. The words people read are chosen by the views, in their language."""

    INCIDENT_OPENED = "incident_opened"
    INCIDENT_JOINED = "incident_joined"
    INCIDENT_CLOSED = "incident_closed"
    ROLLBACK_ASKED = "rollback_asked"
    ROLLBACK_DECIDED = "rollback_decided"
    ROLLBACK_CANCELLED = "rollback_cancelled"
    ROLLBACK_EXPIRED = "rollback_expired"
    ROLLBACK_REFUSED = "rollback_refused"
    RECORD_REFUSED = "record_refused"
    CLOSE_REFUSED = "close_refused"
    READING_BEFORE = "reading_before"
    WRITE_SENT = "write_sent"
    WRITE_UNKNOWN = "write_unknown"
    WRITE_NOT_NEEDED = "write_not_needed"
    OTHER_WRITER = "other_writer"
    APPLIED = "applied"
    SETTLED = "settled"
    EVIDENCE = "evidence"
    VERDICT = "verdict"
    FAULT = "fault"
    RECORD_POSTED = "record_posted"
    RECORD_COMPLETED = "record_completed"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a timeline, never changed once written.

    `actor` is a person's id, ``backout``, or ``google:<account>``. `facts` are plain JSON values.
    `key` is unique within the chain: writing the same key again changes nothing, which is how a
    step that runs twice leaves one line. `at` is aware, UTC.
    """

    chain: str
    sequence: int
    key: str
    at: datetime
    actor: str
    event: Event
    facts: Mapping[str, Any]
    previous: str
    hash: str


def link(
    *, chain: str, sequence: int, key: str, at: datetime, actor: str, event: str,
    facts: Mapping[str, Any], previous: str,
) -> str:  # fmt: skip
    """Return the SHA-256 (hex) of an entry's content and of the entry before it."""
    content = json.dumps(
        [chain, sequence, key, at.astimezone(UTC).isoformat(), actor, event, facts, previous],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(content.encode()).hexdigest()


def first_broken(entries: Iterable[Entry]) -> int | None:
    """Return the sequence of the first entry that does not fit its chain, None when all do.

    Sequences must run 1, 2, 3 …. A cut-off tail can only be seen by comparing with a head that was
    kept elsewhere.
    """
    previous = GENESIS
    for expected, entry in enumerate(entries, start=1):
        content = link(
            chain=entry.chain,
            sequence=entry.sequence,
            key=entry.key,
            at=entry.at,
            actor=entry.actor,
            event=entry.event,
            facts=entry.facts,
            previous=previous,
        )
        if (entry.sequence, entry.previous, entry.hash) != (expected, previous, content):
            return expected
        previous = entry.hash
    return None
