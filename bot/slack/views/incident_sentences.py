"""What a timeline tells of the incident itself: declared, assessed, commanded, noted, closed."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Severity
from bot.domain.readings import Metric
from bot.domain.timeline import BACKOUT, Entry, Event
from bot.slack.text import N_, Markup, Words
from bot.slack.views.incident_words import severity_name
from bot.slack.views.numbers import metric_name, quantity

Sentence = Callable[[Entry, Words], Markup]


def who(entry: Entry, words: Words) -> Markup:
    """Return who did it."""
    return words.say("Backout") if entry.actor == BACKOUT else words.person(entry.actor)


def _says(text: str) -> Sentence:
    return lambda entry, words: words.say(text, who=who(entry, words))


def _in(words: Words, text: Mapping[str, str]) -> str:
    """Return a text of the playbook, kept in both languages."""
    return text.get(words.locale) or text["en"]


def _because(text: Markup, entry: Entry, words: Words) -> Markup:
    why = entry.facts.get("why")
    return words.say("{text}: {why}", text=text, why=why) if why else text


def _severity(facts: Mapping[str, Any], key: str, words: Words) -> str:
    return severity_name(Severity(facts[key]), words)


def _opened(entry: Entry, words: Words) -> Markup:
    if entry.facts.get("watched"):
        return opened_by_watch(entry, words)
    if not entry.facts.get("declared"):
        return words.say("Incident opened by {who}", who=who(entry, words))
    return _with_what_was_told(words.say("Incident declared by {who}", who=who(entry, words)), entry, words)


def opened_by_watch(entry: Entry, words: Words) -> Markup:
    """Tell what the watch saw when it opened the incident: how long after the deployment, before → now."""
    facts = entry.facts
    text = words.say("Incident opened by {who}", who=who(entry, words))
    if facts.get("minutes") is not None:
        text = words.say(
            "{text} {minutes:.0f} min after the deployment", text=text, minutes=max(facts["minutes"], 0)
        )
    if facts.get("severity"):
        severity = _severity(facts, "severity", words)
        text = words.say("{text}, severity {severity}", text=text, severity=severity)
    name = facts.get("scenario_name")
    if name:
        text = words.say("{text}, scenario {scenario}", text=text, scenario=words.bold(_in(words, name)))
    changes = symptom_words(facts.get("before") or {}, facts.get("now") or {}, words)
    return words.say("{text}. Backout saw: {seen}", text=text, seen=changes) if changes else text


def symptom_words(before: Mapping[str, float], now: Mapping[str, float], words: Words) -> Markup:
    """Return how the canary was and how it is, metric by metric; empty where no number is known."""
    told = []
    for metric in Metric:
        if metric not in now:
            continue
        value = words.bold(quantity(metric, now[metric], words))
        name = metric_name(metric, words)
        told.append(
            words.say(
                "{metric} {before} → {value}",
                metric=name,
                before=quantity(metric, before[metric], words),
                value=value,
            )
            if metric in before
            else words.say("{metric} {value}", metric=name, value=value)
        )
    return Markup(", ".join(told))


def _joined(entry: Entry, words: Words) -> Markup:
    if entry.facts.get("watched"):
        return words.say(
            "{who} sees trouble with this target as well, and adds it here", who=who(entry, words)
        )
    return words.say("{who} joined this incident with another rollback", who=who(entry, words))


def _declared_again(entry: Entry, words: Words) -> Markup:
    text = words.say("{who} declared it as well", who=who(entry, words))
    return _with_what_was_told(text, entry, words)


def _with_what_was_told(text: Markup, entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    text = words.say("{text}, severity {severity}", text=text, severity=_severity(facts, "severity", words))
    name = facts.get("scenario_name")
    if name:
        text = words.say("{text}, scenario {scenario}", text=text, scenario=words.bold(_in(words, name)))
    return words.say("{text}: {seen}", text=text, seen=facts["seen"]) if facts.get("seen") else text


def _slots_empty(entry: Entry, words: Words) -> Markup:
    roles = Markup(", ".join(words.safe(_in(words, role)) for role in entry.facts["roles"]))
    return words.say(
        "Nobody is written down in the playbook for: {roles}. They cannot be called; fill in `contacts`.",
        roles=roles,
    )


def _handed_over(entry: Entry, words: Words) -> Markup:
    to = words.person(entry.facts["to"])
    return words.say("{who} handed command over to {to}", who=who(entry, words), to=to)


def _taken(entry: Entry, words: Words) -> Markup:
    before = entry.facts.get("before")
    if before is None:
        return words.say("{who} took command", who=who(entry, words))
    return words.say(
        "{who} took command over from {before}", who=who(entry, words), before=words.person(before)
    )


def _role_taken(entry: Entry, words: Words) -> Markup:
    role = words.bold(_in(words, entry.facts["role_name"]))
    text = words.say("{who} took the part of {role}", who=who(entry, words), role=role)
    before = entry.facts.get("before")
    return words.say("{text}, from {before}", text=text, before=words.person(before)) if before else text


def _role_given_up(entry: Entry, words: Words) -> Markup:
    role = words.bold(_in(words, entry.facts["role_name"]))
    return words.say("{who} gave up the part of {role}", who=who(entry, words), role=role)


def _severity_changed(entry: Entry, words: Words) -> Markup:
    text = words.say(
        "{who} changed the severity from {before} to {after}",
        who=who(entry, words),
        before=_severity(entry.facts, "before", words),
        after=words.bold(_severity(entry.facts, "severity", words)),
    )
    return _because(text, entry, words)


def _scenario_chosen(entry: Entry, words: Words) -> Markup:
    text = words.say(
        "{who} chose scenario {number}: {scenario}",
        who=who(entry, words),
        number=entry.facts["scenario_number"],
        scenario=words.bold(_in(words, entry.facts["scenario_name"])),
    )
    if entry.facts.get("severity"):
        severity = _severity(entry.facts, "severity", words)
        text = words.say("{text}, severity {severity}", text=text, severity=severity)
    return _because(text, entry, words)


def _noted(entry: Entry, words: Words) -> Markup:
    return words.say("{who}: {text}", who=who(entry, words), text=entry.facts["text"])


def _message_added(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    message = words.plain("message")
    text = words.say(
        "{author} wrote: {text} ({link}, added by {who})",
        author=words.person(facts["author"]),
        text=facts["text"],
        link=words.link(message, facts["link"]),
        who=who(entry, words),
    )
    if not facts["files"]:
        return text
    files = Markup(", ".join(words.link(name, url) for name, url in facts["files"]))
    return words.say("{text} · files: {files}", text=text, files=files)


def _corrected(entry: Entry, words: Words) -> Markup:
    return words.say(
        "Line {line} corrected by {who}: {text}",
        line=entry.facts["corrects"],
        who=who(entry, words),
        text=entry.facts["text"],
    )


def _joined_to(entry: Entry, words: Words) -> Markup:
    into = incident_label(IncidentNumber(entry.facts["into"]))
    label = words.link(into, entry.facts.get("board", ""))
    return words.say(
        "{who} joined this incident to {label} ({target})",
        who=who(entry, words),
        label=label,
        target=entry.facts["target"],
    )


def _other_joined(entry: Entry, words: Words) -> Markup:
    joined = incident_label(IncidentNumber(entry.facts["joined"]))
    text = words.say(
        "{who} joined {label} ({target}) to this incident; its timeline stays there",
        who=who(entry, words),
        label=words.link(joined, entry.facts.get("board", "")),
        target=entry.facts["target"],
    )
    seen = entry.facts.get("seen")
    return words.say("{text}: {seen}", text=text, seen=seen) if seen else text


def _closed(entry: Entry, words: Words) -> Markup:
    text = words.say("Incident closed by {who}", who=who(entry, words))
    left = entry.facts.get("open") or {}
    if not any(left.values()):
        return text
    return words.say(
        "{text}; left open: {steps} steps, {follow_ups} follow-ups; pages called off: {pages}",
        text=text,
        **left,
    )


def _reopened(entry: Entry, words: Words) -> Markup:
    return _because(words.say("Incident reopened by {who}", who=who(entry, words)), entry, words)


INCIDENT_SENTENCES: Mapping[Event, Sentence] = {
    Event.INCIDENT_OPENED: _opened,
    Event.INCIDENT_JOINED: _joined,
    Event.BEGAN: _says(N_("It began, as {who} says")),
    Event.DECLARED_AGAIN: _declared_again,
    Event.SLOTS_EMPTY: _slots_empty,
    Event.INCIDENT_CLOSED: _closed,
    Event.INCIDENT_REOPENED: _reopened,
    Event.JOINED_TO: _joined_to,
    Event.OTHER_JOINED: _other_joined,
    Event.COMMAND_TAKEN: _taken,
    Event.COMMAND_HANDED_OVER: _handed_over,
    Event.ROLE_TAKEN: _role_taken,
    Event.ROLE_GIVEN_UP: _role_given_up,
    Event.SEVERITY_CHANGED: _severity_changed,
    Event.SCENARIO_CHOSEN: _scenario_chosen,
    Event.NOTED: _noted,
    Event.MESSAGE_ADDED: _message_added,
    Event.CORRECTED: _corrected,
}
