"""Lines to one person about an incident: declared, commanded, noted, closed, reopened."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.people import RefusedWhy
from bot.slack.ids import NOTE_REACTION, ActionId
from bot.slack.text import N_, Markup, Words
from bot.slack.views.parts import Block, actions, option, select
from bot.slack.views.redacted import text_with_count
from bot.slack.views.timeline import why_refused

Facts = Mapping[str, Any]
Notice = Callable[[Facts, Words, datetime], Markup]


def _label(facts: Facts, words: Words, key: str = "incident") -> Markup:
    """Return the incident's name, leading to its board where that stands already."""
    return words.bold(words.link(incident_label(IncidentNumber(facts[key])), facts.get("board") or ""))


def _says(text: str) -> Notice:
    return lambda facts, words, now: words.say(text, label=_label(facts, words))


def _by(text: str) -> Notice:
    return lambda facts, words, now: words.say(
        text, label=_label(facts, words), who=words.person(facts["by"])
    )


def _joined_open(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":information_source: {label} is open for {target} already, opened by {who}. What you wrote is in "
        "its timeline.",
        label=_label(facts, words),
        target=words.bold(facts["target"]),
        who=words.person(facts["by"]),
    )


def _not_one_of_us(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: That cannot be {who}: this account {why}. Choose a member of this workspace. Nothing was "
        "changed.",
        who=words.person(facts["person"]),
        why=why_refused(RefusedWhy(facts["why"]), words),
    )


def _elsewhere(facts: Facts, words: Words, now: datetime) -> Markup:
    if facts["by"] is None:
        return words.say(
            ":information_source: Nobody has command of {label} any more. Nothing was changed; press again "
            "to take it.",
            label=_label(facts, words),
        )
    return words.say(
        ":information_source: {who} was faster and has command of {label}. Nothing was changed.",
        who=words.person(facts["by"]),
        label=_label(facts, words),
    )


def _role_taken(facts: Facts, words: Words, now: datetime) -> Markup:
    name = facts["role_name"]
    return words.say(
        ":information_source: {who} took over your part in {label}: {role}.",
        who=words.person(facts["by"]),
        label=_label(facts, words),
        role=words.bold(name.get(words.locale) or name["en"]),
    )


def _which(facts: Facts, words: Words, now: datetime) -> Markup:
    if not facts["open"]:
        return words.say(
            ":information_source: No incident is open, so the message was added to none. Declare one with "
            "{command}, or from the message's menu.",
            command=words.code("/incident new"),
        )
    return words.say(":grey_question: To which incident does the message belong?")


def which_controls(facts: Facts, words: Words) -> list[Block]:
    """Return the choice between the open incidents."""
    options = [
        option(f"{incident_label(IncidentNumber(one['incident']))} · {one['target']}", str(one["incident"]))
        for one in facts["open"]
    ]
    if not options:
        return []
    chosen = select(action=ActionId.WHICH_INCIDENT, placeholder=words.plain("Choose"), options=options)
    return [actions(chosen) | {"block_id": f"which:{facts['channel']}:{facts['ts']}"}]


def _unreadable(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: I cannot read that message ({why}), so it was not added. Invite me to its channel and react "
        "with {emoji} again, or use the message's menu: *Add to the timeline*.",
        why=words.code(facts["why"]),
        emoji=words.code(f":{NOTE_REACTION}:"),
    )


def _cannot_join(facts: Facts, words: Words, now: datetime) -> Markup:
    if facts.get("drill"):
        return words.say(
            ":x: {label} cannot be joined to {into}: one of them is a drill, and the other is not. Nothing "
            "was changed.",
            label=_label(facts, words),
            into=incident_label(IncidentNumber(facts["into"])),
        )
    return words.say(
        ":x: {label} cannot be joined to {into}: that one is not open. Nothing was changed; {command} shows "
        "which ones are.",
        label=_label(facts, words),
        into=incident_label(IncidentNumber(facts["into"])),
        command=words.code("/incident list"),
    )


def _needed(facts: Facts, words: Words, now: datetime) -> Markup:
    steps = [words.say("• {step}", step=step.get(words.locale) or step["en"]) for step in facts["steps"]]
    return words.say(
        ":x: {label} stays open until this is done:\n{steps}",
        label=_label(facts, words),
        steps=Markup("\n".join(steps)),
    )


def _too_late(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: {label} was closed more than a day ago and stays closed. Declare a new one with {command}, and "
        "name {label} in it.",
        label=_label(facts, words),
        command=words.code(f"/incident new {facts['target']}"),
    )


def _other_open(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: {label} stays closed: {other} is open for {target}. Go on there, or close it first.",
        label=incident_label(IncidentNumber(facts["incident"])),
        other=words.bold(incident_label(IncidentNumber(facts["other"]))),
        target=words.bold(facts["target"]),
    )


def _was_joined(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: {label} was joined to {into} and stays closed. Go on there.",
        label=incident_label(IncidentNumber(facts["incident"])),
        into=words.bold(incident_label(IncidentNumber(facts["into"]))),
    )


def _noted(facts: Facts, words: Words, now: datetime) -> Markup:
    text = words.say(":pushpin: The message is in the timeline of {label}.", label=_label(facts, words))
    # A notice of an older version says nothing of it.
    return text_with_count(text, facts.get("redacted", 0), words)


INCIDENT_NOTICES: Mapping[str, Notice] = {
    "declared": _says(N_(":white_check_mark: {label} is open. Its board is in the incident channel.")),
    "joined_open": _joined_open,
    "not_one_of_us": _not_one_of_us,
    "command_is_yours": _says(N_(":white_check_mark: You have command of {label}.")),
    "command_elsewhere": _elsewhere,
    "command_taken": _by(N_(":information_source: {who} took over command of {label} from you.")),
    "command_given": _by(N_(":rotating_light: {who} handed command of {label} over to you.")),
    "role_as_it_is": _says(N_(":information_source: Your parts in {label} are as they were.")),
    "role_taken": _role_taken,
    "as_it_is": _says(N_(":information_source: {label} has that already. Nothing was changed.")),
    "no_such_scenario": _says(
        N_(":x: The playbook of {label} has no such scenario. Nothing was changed; choose again.")
    ),
    "noted": _noted,
    "noted_before": _says(N_(":information_source: The timeline of {label} has that message already.")),
    "no_such_line": _says(N_(":x: The timeline of {label} has no such line. Nothing was changed.")),
    "which_incident": _which,
    "message_unreadable": _unreadable,
    "exported": _says(N_(":white_check_mark: The timeline of {label} is in its thread, as JSON and as CSV.")),
    "evidence_asked": _says(
        N_(":white_check_mark: Evidence for {label} is being taken. It comes into its thread.")
    ),
    "cannot_join": _cannot_join,
    "needed_to_close": _needed,
    "is_open": _says(N_(":information_source: {label} is open. Nothing was changed.")),
    "too_late_to_reopen": _too_late,
    "other_is_open": _other_open,
    "was_joined": _was_joined,
    "reopened": _says(N_(":white_check_mark: {label} is open again.")),
}
