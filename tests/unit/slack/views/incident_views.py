"""What incidents show in every state: events, notices, modals, with texts put where people's go."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.incident import IncidentState
from bot.domain.playbook import Playbook
from bot.domain.record import make_record
from bot.domain.still_open import still_open
from bot.domain.timeline import Entry, Event, as_it_happened
from bot.slack.text import Words
from bot.slack.views.assess_modals import scenario_modal, severity_modal
from bot.slack.views.closing import closed_message, closing_modal
from bot.slack.views.declare_modal import Draft, declare_modal
from bot.slack.views.incident_notices import INCIDENT_NOTICES
from bot.slack.views.note_modals import correct_modal, note_modal
from bot.slack.views.roles_modals import hand_over_modal, roles_modal
from bot.slack.views.rollback_message import Message
from bot.slack.views.timeline_modal import timeline_modal
from tests.values import NOON, SENA, a_playbook, an_incident, seconds

CHANNEL = "C0OPERATIONS"
LINK = "https://backout.slack.com/archives/C0CRITICAL/p1767355200000100"


def incident_event_facts(event: Event, text: str) -> dict[str, Any]:
    """Return the facts of an event about the incident itself, {} for any other."""
    texts = {"en": text, "ko": text}
    declared = {
        "declared": True, "seen": text, "severity": "high", "severity_chosen": True, "scenario": "x",
        "scenario_name": texts, "target": "canary",
    }  # fmt: skip
    known: dict[Event, dict[str, Any]] = {
        Event.INCIDENT_OPENED: declared,
        Event.BEGAN: {"happened_at": (NOON - seconds(3600)).isoformat()},
        Event.DECLARED_AGAIN: declared,
        Event.SLOTS_EMPTY: {"roles": [texts, texts]},
        Event.INCIDENT_CLOSED: {"open": {"steps": 2, "follow_ups": 1, "pages": 0}},
        Event.INCIDENT_REOPENED: {"why": text},
        Event.JOINED_TO: {"into": 13, "target": "chat", "board": LINK},
        Event.OTHER_JOINED: {"joined": 11, "target": "chat", "seen": text},
        Event.COMMAND_TAKEN: {"before": SENA},
        Event.COMMAND_HANDED_OVER: {"to": SENA, "before": None},
        Event.ROLE_TAKEN: {"role": "devops", "role_name": texts, "before": SENA},
        Event.ROLE_GIVEN_UP: {"role": "devops", "role_name": texts},
        Event.SEVERITY_CHANGED: {"before": "low", "severity": "high", "why": text},
        Event.SCENARIO_CHOSEN: {
            "scenario": "x", "scenario_number": 3, "scenario_name": texts, "severity": "high", "why": text,
            "before": None,
        },
        Event.NOTED: {"text": text, "happened_at": (NOON - seconds(90_000)).isoformat()},
        Event.MESSAGE_ADDED: {
            "text": text, "author": text, "link": LINK, "files": [[text or "x", LINK]], "channel": CHANNEL,
            "ts": "1767355200.000100", "happened_at": NOON.isoformat(),
        },
        Event.CORRECTED: {"corrects": 1, "text": text},
    }  # fmt: skip
    return known.get(event, {})


def incident_notices(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the facts of every notice about an incident."""
    texts = {"en": text, "ko": text}
    common = {
        "incident": 12, "target": text or "x", "by": SENA, "person": SENA, "why": "guest", "role_name": texts,
        "into": 13, "other": 14, "steps": [texts, texts], "channel": CHANNEL, "ts": "1767355200.000100",
    }  # fmt: skip
    several = [{"incident": number, "target": text or "x"} for number in range(1, 40)]
    for what in INCIDENT_NOTICES:
        for board in ("", LINK):
            yield f"{what} {bool(board)}", common | {"what": what, "open": several, "board": board}
    yield "cannot_join, a drill", common | {"what": "cannot_join", "drill": True}
    yield "which_incident, none", common | {"what": "which_incident", "open": []}
    yield "command_elsewhere, nobody", common | {"what": "command_elsewhere", "by": None}


def follow_ups(text: str) -> tuple[FollowUp, ...]:
    """Return sixty open follow-ups."""
    one = FollowUp(
        id="12:x", incident=IncidentNumber(12), target=an_incident().target, key="x",
        titles={"en": text or "x", "ko": text or "x"}, state=FollowUpState.OPEN, created_at=NOON, due_at=NOON,
    )  # fmt: skip
    return tuple(replace(one, id=f"12:{n}", owner=PersonId(SENA) if n % 2 else None) for n in range(60))


def incident_modals(
    text: str, told: list[Entry], playbook: Playbook, words: Words
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every modal about an incident."""
    incident = an_incident(commander=SENA, roles=dict.fromkeys(playbook.contacts, SENA), seen=text)
    for target in playbook.targets:
        draft = Draft(channel=CHANNEL, target=target, quoted=text * 10, began_at=NOON)
        yield f"declare {target}", declare_modal(draft, playbook, words)
    for scenario in playbook.scenarios:
        draft = Draft(channel=CHANNEL, target=next(iter(playbook.targets)), scenario=scenario.key)
        yield f"declare {scenario.key}", declare_modal(draft, playbook, words)
    yield "severity", severity_modal(incident, words, channel=CHANNEL)
    yield "scenario", scenario_modal(incident, playbook, words, channel=CHANNEL)
    yield "hand over", hand_over_modal(incident, words, channel=CHANNEL)
    yield "hand over, nobody", hand_over_modal(replace(incident, commander=None), words, channel=CHANNEL)
    yield "roles", roles_modal(incident, playbook, words, person=PersonId(SENA), channel=CHANNEL)
    yield "note", note_modal(incident, words, channel=CHANNEL)
    yield "correct", correct_modal(incident, told[0], words, channel=CHANNEL)
    for page in (None, 1, 2, 99):
        lines = as_it_happened(told * 5)
        yield f"timeline {page}", timeline_modal(incident, lines, words, channel=CHANNEL, page=page)
    yield "timeline, empty", timeline_modal(incident, (), words, channel=CHANNEL)
    for running in (True, False):
        decided = replace(incident, decided_at=NOON, scenario=_clocked(playbook), scenario_at=NOON)
        left = still_open(
            decided, playbook, running=running, rolled_back=False, pages=(), follow_ups=follow_ups(text)
        )
        yield f"close {running}", closing_modal(decided, left, playbook, words, channel=CHANNEL)
    nothing = still_open(incident, a_playbook(), running=False, rolled_back=True, pages=(), follow_ups=())
    yield "close", closing_modal(incident, nothing, playbook, words, channel=CHANNEL)


def _clocked(playbook: Playbook) -> str | None:
    return next((scenario.key for scenario in playbook.scenarios if scenario.clock), None)


def closed_messages(text: str, told: list[Entry], words: Words) -> Iterator[tuple[str, Message]]:
    """Yield what the channel is told when an incident is over."""
    closed = an_incident(state=IncidentState.CLOSED, closed_at=NOON + seconds(4000), seen=text)
    record = make_record(closed, [], told, playbook=a_playbook(), names={})
    for link in ("", LINK):
        yield f"closed {bool(link)}", closed_message(record, words, follow_ups=3, link=link)
