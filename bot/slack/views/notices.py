"""Lines to one person: what happened to what they asked for."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.people import RefusedWhy
from bot.domain.rollback import NothingWhy, RollbackState
from bot.slack.text import Markup, Words
from bot.slack.views.faults import fault_text
from bot.slack.views.incident_words import outcome_name
from bot.slack.views.parts import SECTION_LIMIT, fit, section
from bot.slack.views.rollback_message import Message
from bot.slack.views.timeline import why_refused

Facts = Mapping[str, Any]


def notice_message(facts: Facts, words: Words, *, now: datetime) -> Message:
    """Render a notice from its facts, of which ``what`` names the words (see `bot.usecases.ports.Said`)."""
    text = _NOTICES[facts["what"]](facts, words, now)
    return Message(text=fit(text, SECTION_LIMIT), blocks=[section(text)])


def _refused(facts: Facts, words: Words, now: datetime) -> Markup:
    why = why_refused(RefusedWhy(facts["why"]), words)
    able = [words.person(p) for p in facts["people"]]
    if able:
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


def _closed(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(":white_check_mark: {label} is closed.", label=_label(facts))


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


def _broken(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: The bot broke off with an error of its own (reference {reference}). What state things are in "
        "is not known: look with {look}, and use the line by hand if you must: {line}",
        reference=words.code(facts["reference"]),
        look=words.code("/canary status"),
        line=words.code(facts.get("by_hand", "")),
    )


_NOTICES: Mapping[str, Callable[[Facts, Words, datetime], Markup]] = {
    "refused": _refused,
    "nothing_to_roll_back": _nothing,
    "already_decided": _decided,
    "already_running": _running,
    "card_expired": _expired,
    "incident_closed": _closed,
    "no_such_incident": _missing,
    "still_running": _busy,
    "record_saved": _saved,
    "fault": _fault,
    "broken": _broken,
}
