"""Everything that is shown of a post-mortem, with texts to be put wherever people's go."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.incident import Severity
from bot.domain.post_mortem import MeetingState, PostMortem, Reminder, proposals
from bot.domain.timeline import Event
from bot.slack.text import Words
from bot.slack.views.post_mortem_message import invitation, reminder_message
from bot.slack.views.post_mortem_modal import LONGEST_PLACE, call_off_modal, meeting_modal
from bot.slack.views.rollback_message import Message
from bot.usecases.show_post_mortem import meeting_facts
from tests.values import NOON, SENA, an_incident, seconds

CHANNEL, ZONE, TWELVE = "C0OPERATIONS", "Asia/Seoul", IncidentNumber(12)


def a_meeting(text: str = "Room 5", **more: Any) -> PostMortem:
    """Return a meeting of INC-12, tomorrow for an hour."""
    fields: dict[str, Any] = {
        "id": "12", "incident": TWELVE, "state": MeetingState.SCHEDULED, "created_at": NOON,
        "starts_at": NOON + seconds(86_400), "minutes": 60, "zone": ZONE, "place": text[:LONGEST_PLACE],
        "owner": SENA,
    }  # fmt: skip
    return PostMortem(**(fields | more))


def meetings(text: str) -> Iterator[tuple[str, PostMortem]]:
    """Yield a meeting in every state, ended by a person and by the bot."""
    for state in MeetingState:
        for by in (None, SENA, PersonId(f"cli:{text}")):
            yield f"{state} {by is None}", a_meeting(text, state=state, by=by, why=text[:1000])
    yield "no place", a_meeting("")


def post_mortem_messages(text: str, words: Words) -> Iterator[tuple[str, Message]]:
    """Yield every message about a meeting."""
    incident = an_incident(commander=SENA)
    for title, meeting in meetings(text):
        facts = meeting_facts(meeting)
        for body in ("", text * 20):
            yield f"invitation {title}", invitation(meeting, facts, body, words)
        for reminder in Reminder:
            yield f"{reminder} {title}", reminder_message(reminder, incident, meeting, facts, words)
    yield "none set", reminder_message(Reminder.NONE_SET, incident, None, {}, words)


def post_mortem_modals(text: str, words: Words) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every modal of a meeting."""
    offered = proposals(since=NOON, now=NOON, zone=ZONE)
    for owner in (SENA, PersonId("cli:sena")):
        for before in (None, a_meeting(text), replace(a_meeting(text), minutes=25)):
            facts = meeting_facts(before) if before else None
            yield (
                f"meeting {owner} {before is not None}",
                meeting_modal(TWELVE, before, facts, offered, words, zone=ZONE, owner=owner, channel=CHANNEL),
            )
    yield "call off", call_off_modal(TWELVE, "0", words, channel=CHANNEL)


def post_mortem_event_facts(event: Event, text: str) -> dict[str, Any]:
    """Return what is written down with an event about a meeting; {} for others."""
    meeting = a_meeting(text)
    facts = meeting_facts(meeting) | {"place": meeting.place}
    known: dict[Event, dict[str, Any]] = {
        Event.POST_MORTEM_SET: facts | {"before": NOON.isoformat()},
        Event.POST_MORTEM_HELD: facts | {"why": ""},
        Event.POST_MORTEM_CALLED_OFF: facts | {"why": text},
    }
    return known.get(event, {})


def post_mortem_notices(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the facts of every notice about a meeting."""
    for title, meeting in meetings(text):
        facts = meeting_facts(meeting) | {"incident": 12, "by": meeting.by or SENA, "place": meeting.place}
        yield f"set {title}", {"what": "meeting_set"} | facts
        yield f"stands {title}", {"what": "meeting_stands"} | facts | {"by": meeting.by}
        for reminder in Reminder:
            grave = {"severity": Severity.HIGH.value}
            yield (
                f"due {reminder} {title}",
                {"what": "meeting_due", "reminder": reminder.value} | facts | grave,
            )
    yield "stands, none", {"what": "meeting_stands", "incident": 12, "state": None}
