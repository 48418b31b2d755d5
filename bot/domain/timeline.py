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
    INCIDENT_REOPENED = "incident_reopened"
    BEGAN = "began"
    DECLARED_AGAIN = "declared_again"
    SLOTS_EMPTY = "slots_empty"
    JOINED_TO = "joined_to"
    OTHER_JOINED = "other_joined"
    COMMAND_TAKEN = "command_taken"
    COMMAND_HANDED_OVER = "command_handed_over"
    ROLE_TAKEN = "role_taken"
    ROLE_GIVEN_UP = "role_given_up"
    SEVERITY_CHANGED = "severity_changed"
    SCENARIO_CHOSEN = "scenario_chosen"
    NOTED = "noted"
    MESSAGE_ADDED = "message_added"
    CORRECTED = "corrected"
    ROLLBACK_ASKED = "rollback_asked"
    ROLLBACK_DECIDED = "rollback_decided"
    ROLLBACK_CANCELLED = "rollback_cancelled"
    ROLLBACK_EXPIRED = "rollback_expired"
    ROLLBACK_REFUSED = "rollback_refused"
    CHANGE_ASKED = "change_asked"
    CHANGE_DECIDED = "change_decided"
    CHANGE_CANCELLED = "change_cancelled"
    CHANGE_EXPIRED = "change_expired"
    CHANGE_REFUSED = "change_refused"
    CHANGE_WRITE = "change_write"
    CHANGE_DONE = "change_done"
    CHANGE_NOT_NEEDED = "change_not_needed"
    CHANGE_OVERTAKEN = "change_overtaken"
    CHANGE_FAILED = "change_failed"
    QUESTION_ANSWERED = "question_answered"
    SAFETY_ANSWERED = "safety_answered"
    SAFETY_NOT_ASKED = "safety_not_asked"
    OPTION_CHOSEN = "option_chosen"
    SCENARIO_STEP = "scenario_step"
    LOOK_ASKED = "look_asked"
    FINDING = "finding"
    STEP_MARKED = "step_marked"
    STEP_UNDONE = "step_undone"
    STEP_ASSIGNED = "step_assigned"
    STEP_SEEN = "step_seen"
    STEP_REMINDED = "step_reminded"
    RECORD_REFUSED = "record_refused"
    CLOSE_REFUSED = "close_refused"
    ACT_REFUSED = "act_refused"
    ANNOUNCEMENT_WRITTEN = "announcement_written"
    ANNOUNCEMENT_EDITED = "announcement_edited"
    ANNOUNCEMENT_POSTED = "announcement_posted"
    ANNOUNCEMENT_DROPPED = "announcement_dropped"
    ANNOUNCEMENT_REFUSED = "announcement_refused"
    UPDATE_DUE = "update_due"
    POINT_CONFIRMED = "point_confirmed"
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
    RECORD_FILED = "record_filed"
    RECORD_COMPLETED = "record_completed"
    PAGE_SENT = "page_sent"
    PAGE_ANSWERED = "page_answered"
    PAGE_ANSWERED_LATE = "page_answered_late"
    PAGE_DECLINED = "page_declined"
    PAGE_UNANSWERED = "page_unanswered"
    PAGE_CALLED_OFF = "page_called_off"
    PAGE_ELSEWHERE = "page_elsewhere"
    PAGE_SLOT_EMPTY = "page_slot_empty"
    PAGE_NOBODY_LEFT = "page_nobody_left"
    FOLLOW_UPS_PLANNED = "follow_ups_planned"
    FOLLOW_UPS_LEFT_OUT = "follow_ups_left_out"
    FOLLOW_UP_TAKEN = "follow_up_taken"
    FOLLOW_UP_GIVEN = "follow_up_given"
    FOLLOW_UP_MOVED = "follow_up_moved"
    FOLLOW_UP_DONE = "follow_up_done"
    FOLLOW_UP_DROPPED = "follow_up_dropped"
    FOLLOW_UP_REOPENED = "follow_up_reopened"
    WATCH_BEGUN = "watch_begun"
    WATCH_CHANGED = "watch_changed"
    WATCH_CHECK = "watch_check"
    WATCH_SOURCE = "watch_source"
    WATCH_ENDED = "watch_ended"
    ALARM_RAISED = "alarm_raised"
    ALERT_ANSWERED = "alert_answered"
    AUTOMATIC_ANNOUNCED = "automatic_announced"
    AUTOMATIC_STOPPED = "automatic_stopped"
    AUTOMATIC_FIRED = "automatic_fired"
    AUTOMATICS_HELD = "automatics_held"
    AUTOMATICS_ARMED = "automatics_armed"
    AUTOMATICS_OFF = "automatics_off"
    EVIDENCE_TAKEN = "evidence_taken"
    EVIDENCE_DROPPED = "evidence_dropped"
    REVIEWED = "reviewed"
    POST_MORTEM_SET = "post_mortem_set"
    POST_MORTEM_HELD = "post_mortem_held"
    POST_MORTEM_CALLED_OFF = "post_mortem_called_off"
    DRILL_BEGUN = "drill_begun"
    DRILL_ENDED = "drill_ended"


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


@dataclass(frozen=True, kw_only=True)
class Told:
    """An entry with what was said later to put it right, oldest first."""

    entry: Entry
    corrections: tuple[Entry, ...] = ()


def happened_at(entry: Entry) -> datetime:
    """Return when it happened (aware, UTC), which for a back-dated note is before it was noted."""
    told = entry.facts.get("happened_at")
    return datetime.fromisoformat(told) if told else entry.at


def as_it_happened(entries: Iterable[Entry]) -> tuple[Told, ...]:
    """Return the entries sorted by when they happened, each with its corrections beside it."""
    corrections: dict[int, list[Entry]] = {}
    told = []
    for entry in entries:
        if entry.event is Event.CORRECTED:
            corrections.setdefault(entry.facts["corrects"], []).append(entry)
        else:
            told.append(entry)
    told.sort(key=lambda entry: (happened_at(entry), entry.sequence))
    return tuple(Told(entry=e, corrections=tuple(corrections.get(e.sequence, ()))) for e in told)


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
