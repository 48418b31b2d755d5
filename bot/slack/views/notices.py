"""Lines to one person: what happened to what they asked for."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.domain.change import ChangeKind, ChangeState
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.people import RefusedWhy
from bot.domain.rollback import NothingWhy, RollbackState
from bot.slack.text import Markup, Words
from bot.slack.views import follow_up_lines, page_lines
from bot.slack.views.change_words import change_state_name, kind_name, steps_from
from bot.slack.views.diagnosis_lines import (
    answered_meanwhile_notice,
    by_hand_notice,
    held_back_notice,
    older_state_notice,
    safety_first_notice,
    step_stands_notice,
)
from bot.slack.views.faults import fault_text
from bot.slack.views.incident_notices import INCIDENT_NOTICES, which_controls
from bot.slack.views.incident_words import outcome_name
from bot.slack.views.parts import SECTION_LIMIT, fit, section
from bot.slack.views.post_mortem_words import POST_MORTEM_NOTICES
from bot.slack.views.rollback_message import Message
from bot.slack.views.step_notices import (
    changed_notice,
    faster_notice,
    no_such_step_notice,
    taken_notice,
    why_needed_notice,
)
from bot.slack.views.telling_words import TELLING_NOTICES
from bot.slack.views.timeline import why_refused
from bot.slack.views.watch_notices import WATCH_NOTICES

Facts = Mapping[str, Any]


def notice_message(facts: Facts, words: Words, *, now: datetime) -> Message:
    """Render a notice from its facts, of which ``what`` names the words (see `bot.usecases.ports.Said`)."""
    text = _NOTICES[facts["what"]](facts, words, now)
    controls = which_controls(facts, words) if facts["what"] == "which_incident" else []
    return Message(text=fit(text, SECTION_LIMIT), blocks=[section(text), *controls])


def _refused(facts: Facts, words: Words, now: datetime) -> Markup:
    why = why_refused(RefusedWhy(facts["why"]), words)
    able = [words.person(p) for p in facts["people"]]
    if facts["why"] != RefusedWhy.NO_ROLE and not able:
        who = words.say("Every member of this workspace can.")
    elif able:
        who = words.say("These can: {who}.", who=Markup(", ".join(able)))
    else:
        who = words.say("Nobody can yet: no role in the playbook allows it. Add people under `roles`.")
    return words.say(
        ":no_entry: Nothing was done: your account {why}. {who} The refusal is kept in the audit log.",
        why=why,
        who=who,
    )


def _nothing(facts: Facts, words: Words, now: datetime) -> Markup:
    if facts["why"] == NothingWhy.ALREADY_AT_ZERO:
        return words.say(
            ":white_check_mark: Nothing to roll back: the canary's share is 0 %, {serving} has everything. "
            "Nothing was changed.",
            serving=words.code(facts["serving"]),
        )
    return words.say(
        ":white_check_mark: Nothing to roll back: {serving} has 100 % of the traffic and there is no "
        "canary. Nothing was changed.",
        serving=words.code(facts["serving"]),
    )


def _ago(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.duration(max(now - datetime.fromisoformat(facts["at"]), now - now))


def _decided(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":information_source: {who} was faster: decided {ago} ago ({state}). Nothing was done twice.",
        who=words.person(facts["by"]),
        ago=_ago(facts, words, now),
        state=outcome_name(RollbackState(facts["state"]), words),
    )


def _running(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":information_source: {who} is already rolling back {target}, since {ago} ago ({state}). Nothing was "
        "done twice.",
        who=words.person(facts["by"]),
        target=words.bold(facts["target"]),
        ago=_ago(facts, words, now),
        state=outcome_name(RollbackState(facts["state"]), words),
    )


def _expired(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":hourglass: That question is over 15 minutes old. Nothing was changed; ask again with {command}.",
        command=words.code(f"/rollback {facts['target']}"),
    )


def _change_decided(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":information_source: That question is settled: {state}, by {who}, {ago} ago. Nothing was done "
        "twice.",
        state=change_state_name(ChangeState(facts["state"]), words),
        who=words.person(facts["by"]),
        ago=_ago(facts, words, now),
    )


def _change_running(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":information_source: {who} is changing {target} already: {what} ({steps}), since {ago} ago. Nothing "
        "else was begun.",
        who=words.person(facts["by"]),
        target=words.bold(facts["target"]),
        what=kind_name(ChangeKind(facts["kind_of_change"]), words),
        steps=steps_from(facts, words),
        ago=_ago(facts, words, now),
    )


def _change_expired(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":hourglass: That question is over 15 minutes old. Nothing was changed; ask again from the incident."
    )


def _closed(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(":white_check_mark: {label} is closed.", label=_label(facts))


def _already_closed(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":information_source: {label} is closed, so nothing was changed. Within a day it can be reopened "
        "from its board.",
        label=_label(facts),
    )


def _missing(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: There is no {label}. See them with {command}.",
        label=_label(facts),
        command=words.code("/incident list"),
    )


def _busy(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: {label} stays open: its rollback is still running. Close it when that has ended.",
        label=_label(facts),
    )


def _saved(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":white_check_mark: The record of {label} is updated, in the channel and as a file.",
        label=_label(facts),
    )


def _label(facts: Facts) -> str:
    return incident_label(IncidentNumber(facts["incident"]))


def _fault(facts: Facts, words: Words, now: datetime) -> Markup:
    return fault_text(facts, words)


def _point_confirmed(facts: Facts, words: Words, now: datetime) -> Markup:
    until = words.moment(datetime.fromisoformat(facts["until"]))
    if facts["reading"]:
        return words.say(
            ":white_check_mark: Noted: you have read the guide. It counts until {until}.", until=until
        )
    return words.say(
        ":white_check_mark: Noted: you confirmed {point}. It counts until {until}.",
        point=words.bold(facts["titles"].get(words.locale) or facts["point"]),
        until=until,
    )


def _broken(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: The bot broke off with an error of its own (reference {reference}). What state things are in "
        "is not known: look with {look}, and use the line by hand if you must: {line}",
        reference=words.code(facts["reference"]),
        look=words.code("/canary status"),
        line=words.code(facts.get("by_hand", "")),
    )


_NOTICES: Mapping[str, Callable[[Facts, Words, datetime], Markup]] = {
    **INCIDENT_NOTICES,
    "refused": _refused,
    "nothing_to_roll_back": _nothing,
    "already_decided": _decided,
    "already_running": _running,
    "card_expired": _expired,
    "change_decided": _change_decided,
    "change_running": _change_running,
    "change_expired": _change_expired,
    "incident_closed": _closed,
    "already_closed": _already_closed,
    "no_such_incident": _missing,
    "still_running": _busy,
    "safety_first": lambda facts, words, now: safety_first_notice(facts, words),
    "held_back": lambda facts, words, now: held_back_notice(facts, words),
    "older_state": lambda facts, words, now: older_state_notice(words),
    "answered_meanwhile": lambda facts, words, now: answered_meanwhile_notice(facts, words, now=now),
    "step_stands": lambda facts, words, now: step_stands_notice(facts, words, now=now),
    "by_hand": lambda facts, words, now: by_hand_notice(facts, words),
    "paged": page_lines.paged_notice,
    "paged_before": page_lines.paged_before_notice,
    "page_nobody": page_lines.nobody_notice,
    "page_yours": page_lines.yours_notice,
    "page_taken": page_lines.taken_notice,
    "page_ended": page_lines.ended_notice,
    "follow_up_saved": follow_up_lines.saved_notice,
    "follow_up_stands": follow_up_lines.stands_notice,
    "follow_up_given": follow_up_lines.given_notice,
    "follow_up_due": follow_up_lines.due_notice,
    "record_saved": _saved,
    "step_faster": lambda facts, words, now: faster_notice(facts, words, now=now),
    "step_changed": lambda facts, words, now: changed_notice(facts, words, now=now),
    "step_why_needed": lambda facts, words, now: why_needed_notice(facts, words),
    "step_taken": lambda facts, words, now: taken_notice(facts, words, now=now),
    "no_such_step": lambda facts, words, now: no_such_step_notice(facts, words),
    **TELLING_NOTICES,
    **WATCH_NOTICES,
    **POST_MORTEM_NOTICES,
    "point_confirmed": _point_confirmed,
    "fault": _fault,
    "broken": _broken,
}
