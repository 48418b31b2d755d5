"""What a template for people is filled in with: plain words, as somebody would type them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.announcement import NoticeFacts
from bot.domain.guide import Span
from bot.domain.ids import PersonId, incident_label
from bot.domain.rollback import Rollback, RollbackState
from bot.slack.text import PLAIN, Words, clean
from bot.slack.views.incident_words import failure_name, outcome_name, severity_name
from bot.slack.views.post_mortem_words import zone_time

#: How much of what people saw goes into a template; all of it stays in the timeline.
LONGEST_SEEN = 500


def notice_values(facts: NoticeFacts, words: Words) -> dict[str, object]:
    """Return every variable a template may use, in the language of `words`; empty where nothing is known.

    The text is edited by people before it is posted, so nothing is escaped here; it is when it is posted.
    """
    words = replace(words, style=PLAIN, zone=facts.time_zone)
    incident, scenario, rollback = facts.incident, facts.scenario, facts.rollback
    what = scenario.name.in_(words.locale) if scenario else failure_name(incident.failure_type, words)
    due = facts.next_due_at
    return (
        {
            "label": incident_label(incident.number),
            "target": incident.target,
            "what": what,
            "severity": severity_name(incident.severity, words),
            "opened": _moment(incident.opened_at, facts),
            "lasted": words.duration((incident.closed_at or facts.at) - incident.opened_at),
            "seen": _typed(incident.seen, limit=LONGEST_SEEN),
            "commander": _name(incident.commander, facts.names),
            "recovery": _recovery(scenario.recovery, facts, words) if scenario else "",
            "recovery_note": _note(scenario.recovery, words) if scenario else "",
            "next_update": _moment(due, facts) if due else "",
            "now": _moment(facts.at, facts),
            "playbook": facts.playbook_name,
        }
        | _rollback_values(rollback, facts, words)
        | _meeting_values(facts, words)
    )


def _meeting_values(facts: NoticeFacts, words: Words) -> dict[str, object]:
    meeting = facts.meeting
    if meeting is None:
        return {"when": "", "where": ""}
    return {
        "when": zone_time(meeting.starts_at, meeting.minutes, meeting.zone, words),
        "where": _typed(meeting.place, limit=LONGEST_SEEN),
    }


def _rollback_values(rollback: Rollback | None, facts: NoticeFacts, words: Words) -> dict[str, object]:
    if rollback is None:
        return {"verified": False, "outcome": "", "decided": "", "took": ""}
    ended = rollback.ended_at if rollback.state is RollbackState.VERIFIED else None
    return {
        "verified": rollback.state is RollbackState.VERIFIED,
        "outcome": outcome_name(rollback.state, words),
        "decided": _moment(rollback.requested_at, facts) if rollback.requested_at else "",
        "took": words.duration(ended - rollback.requested_at) if ended and rollback.requested_at else "",
    }


def _moment(at: datetime, facts: NoticeFacts) -> str:
    local = at.astimezone(ZoneInfo(facts.time_zone))
    return f"{local:%Y-%m-%d %H:%M} ({_zone(local)})"


def _zone(local: datetime) -> str:
    offset = f"{local:%z}"
    return "UTC" if local.utcoffset() == timedelta() else f"UTC{offset[:3]}:{offset[3:]}"


def _name(person: PersonId | None, names: Mapping[PersonId, str]) -> str:
    return _typed(names.get(person, ""), limit=80) if person else ""


def _typed(text: str, *, limit: int) -> str:
    """Return somebody's text on one line; brackets in it must not look like something to fill in."""
    flat = " ".join(clean(text, limit=limit).split())
    return flat.replace("[[", "[ [").replace("]]", "] ]")


def _note(span: Span, words: Words) -> str:
    return span.note.in_(words.locale) if span.note else ""


def _recovery(span: Span, facts: NoticeFacts, words: Words) -> str:
    """Return the expected recovery, counted from now: "in 2–4 hours (16:47–18:47, UTC+09:00)"."""
    first, last = (
        (facts.at + timedelta(minutes=minutes)).astimezone(ZoneInfo(facts.time_zone))
        for minutes in (span.from_minutes, span.to_minutes)
    )
    form = "%H:%M" if first.date() == last.date() else "%Y-%m-%d %H:%M"
    window = f"{first:{form}}–{last:{form}}, {_zone(last)}"
    if span.from_minutes % 60 == 0 and span.to_minutes % 60 == 0:
        return words.plain(
            "in {least:g}–{most:g} hours ({window})",
            least=span.from_minutes / 60,
            most=span.to_minutes / 60,
            window=window,
        )
    return words.plain(
        "in {least:g}–{most:g} minutes ({window})",
        least=span.from_minutes,
        most=span.to_minutes,
        window=window,
    )
