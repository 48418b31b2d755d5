"""Checklists for tests: the guide's four phases with their keys, and incidents that have them."""

from datetime import timedelta
from typing import Any

from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.domain.timeline import Event
from bot.usecases.open_incident import open_incident
from bot.usecases.ports import Transaction
from tests.values import NOON, SENA, a_playbook, an_incident

CHANNEL = ChannelId("#critical-incidents")


def a_step(key: str, sees: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a step as a playbook writes it."""
    seen = {"sees": sees} if sees else {}
    return {"key": key, "title": {"en": f"Step {key}", "ko": f"{key} 단계"}} | seen | more


def a_phase(key: str, first: float, last: float, *steps: dict[str, Any]) -> dict[str, Any]:
    """Return a phase as a playbook writes it."""
    name = {"en": f"Phase {key}", "ko": f"{key} 국면"}
    return {"key": key, "name": name, "from_minutes": first, "to_minutes": last, "steps": list(steps)}


#: The guide's phases and minutes.
PHASES = [
    a_phase(
        "immediately",
        0,
        1,
        a_step("decide", "rollback_decided"),
        a_step("alert_team", "team_alerted"),
        a_step("run_rollback", "rollback_executed"),
    ),
    a_phase(
        "confirm",
        1,
        2,
        a_step("traffic", "traffic_stable", link="console"),
        a_step("error_rate", "error_rate"),
        a_step("response_time", "p95"),
    ),
    a_phase(
        "verify",
        2,
        5,
        a_step("users_report", owner="backend"),
        a_step("log_errors", "log_errors_dropped"),
        a_step("all_green", "all_green"),
    ),
    a_phase("record", 5, 10, a_step("record_rollback", "recorded"), a_step("schedule"), a_step("analysis")),
]


def a_playbook_with(*phases: dict[str, Any], **more: Any) -> Playbook:
    """Return a playbook with a checklist, the guide's where none is given."""
    written: dict[str, Any] = {
        "checklist": list(phases) or PHASES,
        "contacts": {
            "backend": {
                "role": {"en": "Backend", "ko": "백엔드"},
                "name": "Gitco",
                "channel": "#backend",
                "within_minutes": 2,
            }
        },
        "links": {
            "console": {
                "title": {"en": "Console", "ko": "콘솔"},
                "url": "https://console.example.com/{region}/{service}?canary={canary}&project={project}",
            }
        },
    }
    return a_playbook(**(written | more))


GUIDE = a_playbook_with()


def minutes(count: float) -> timedelta:
    """Return a length of time."""
    return timedelta(minutes=count)


def open_with(tx: Transaction, playbook: Playbook = GUIDE, **more: Any) -> Incident:
    """Open an incident whose rollback was decided at noon by Sena, who has taken command."""
    known: dict[str, Any] = {"number": IncidentNumber(0), "decided_at": NOON, "commander": SENA}
    return open_incident(tx, an_incident(**(known | more)), playbook=playbook, at=NOON)


def step_event_facts(event: Event, text: str) -> dict[str, Any]:
    """Return the facts of a line about a step, `text` wherever it is free; empty for every other line."""
    about = {"step": "response_time", "titles": {"en": text, "ko": text}}
    seen = {
        "sees": "p95", "proof": "p95", "verdict": "proven", "source": "request_log", "value": 80.0,
        "limit": 200.0, "sample": 200, "until": NOON.isoformat(), "note": None,
    }  # fmt: skip
    known: dict[Event, dict[str, Any]] = {
        Event.STEP_MARKED: {"state": "skipped", "why": text, "before": "done", "overrides": True},
        Event.STEP_UNDONE: {"state": "todo", "why": text, "before": "done", "overrides": True},
        Event.STEP_ASSIGNED: {"owner": SENA},
        Event.STEP_SEEN: {"ok": True, "facts": seen, "stays": "skipped", "whose": SENA},
        Event.STEP_REMINDED: {
            "person": SENA, "whom": "commander", "owner": SENA, "due_at": NOON.isoformat(),
        },
    }  # fmt: skip
    return about | known[event] if event in known else {}
