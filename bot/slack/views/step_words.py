"""A step of the checklist in words: its state, what the bot saw of it, and its lines in the timeline."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.checklist import Mark, StepState
from bot.domain.flags import Colour
from bot.domain.guide import Sees
from bot.domain.readings import Metric
from bot.domain.rollback import RollbackState
from bot.domain.steps import BESIDE, OwnedBy, Step
from bot.domain.timeline import BACKOUT
from bot.slack.text import Markup, Words
from bot.slack.views.evidence import evidence_from, measured
from bot.slack.views.incident_words import outcome_name
from bot.slack.views.numbers import age, lamp, metric_name, quantity, source_name
from bot.slack.views.post_mortem_words import seen_scheduled

Facts = Mapping[str, Any]

#: A mark is always shown with its word as well.
_MARKS = {
    StepState.TODO: ":white_large_square:",
    StepState.DONE: ":white_check_mark:",
    StepState.SKIPPED: ":fast_forward:",
    StepState.NOT_OK: ":x:",
}


def state_mark(state: StepState) -> Markup:
    """Return a state as a mark."""
    return Markup(_MARKS[state])


def state_name(state: StepState, words: Words) -> Markup:
    """Return a state as a word."""
    return {
        StepState.TODO: words.say("open"),
        StepState.DONE: words.say("done"),
        StepState.SKIPPED: words.say("skipped"),
        StepState.NOT_OK: words.say("not OK"),
    }[state]


def marker(by: str, words: Words) -> Markup:
    """Return who marked a step."""
    return words.say("Backout") if by == BACKOUT else words.person(by)


def mark_line(mark: Mark, words: Words, *, now: datetime) -> Markup:
    """Return who said what of a step and when, with the reason, and what the bot saw."""
    told = words.say(
        "{state}: {who}, {at}",
        state=words.bold(state_name(mark.state, words)),
        who=marker(mark.by, words),
        at=words.clock(mark.at),
    )
    if mark.why:
        told = words.say("{told}, because: {why}", told=told, why=mark.why)
    if mark.by == BACKOUT and mark.evidence:
        told = words.say("{told} · {seen}", told=told, seen=seen_words(mark.evidence, words, now=now))
    beside = mark.evidence.get(BESIDE)
    if not beside:
        return told
    return words.say(
        "{told}\nBackout saw it {state} at {at}: {seen}",
        told=told,
        state=state_name(StepState(beside["state"]), words),
        at=words.clock(datetime.fromisoformat(beside["at"])),
        seen=seen_words(beside["facts"], words, now=now),
    )


def owner_line(step: Step, words: Words) -> Markup:
    """Return who is to do a step, and why they."""
    if step.owner is None:
        return words.say("Nobody has it yet")
    who = words.person(step.owner.person)
    return {
        OwnedBy.ASSIGNED: words.say("For {who}", who=who),
        OwnedBy.ROLE: words.say("For {who}, by role", who=who),
        OwnedBy.CONTACT: words.say("For {who}, by the contact list", who=who),
        OwnedBy.COMMANDER: words.say("For {who}, in command", who=who),
    }[step.owner.why]


def due_words(due_at: datetime, words: Words, *, now: datetime) -> Markup:
    """Return how long is left, or how long ago it should have been done."""
    left = due_at - now
    if left < timedelta():
        return words.say(":alarm_clock: overdue by {length}", length=words.duration(-left))
    return words.say("due in {length}", length=words.duration(left))


def minutes_span(first: float, last: float, words: Words) -> Markup:
    """Return a phase's minutes: "1–2 min"."""
    return words.say("{minutes:g}–{most:g} min", minutes=first, most=last)


# What the bot saw.


def seen_words(facts: Facts, words: Words, *, now: datetime | None) -> Markup:
    """Return what a machine's mark rests on; without `now` the data's time is given instead of its age."""
    sees = Sees(facts["sees"])
    if sees in (Sees.TRAFFIC_STABLE, Sees.ERROR_RATE, Sees.P95):
        return _proof(facts, words, now)
    return {
        Sees.ROLLBACK_DECIDED: _decided,
        Sees.TEAM_ALERTED: _alerted,
        Sees.ROLLBACK_EXECUTED: _executed,
        Sees.LOG_ERRORS_DROPPED: _errors,
        Sees.ALL_GREEN: _flags,
        Sees.RECORDED: _recorded,
        Sees.POST_MORTEM: _scheduled,
    }[sees](facts, words, now)


def _decided(facts: Facts, words: Words, now: datetime | None) -> Markup:
    return words.say(
        "decided by {who}, 100 % to {stable}",
        who=words.person(facts["by"]),
        stable=words.code(facts["stable"]),
    )


def _alerted(facts: Facts, words: Words, now: datetime | None) -> Markup:
    at = words.clock(datetime.fromisoformat(facts["at"]))
    return words.say("the incident's board stands in the channel since {at}", at=at)


def _executed(facts: Facts, words: Words, now: datetime | None) -> Markup:
    if "outcome" in facts:
        outcome = outcome_name(RollbackState(facts["outcome"]), words)
        return words.say("the rollback ended as: {outcome}", outcome=outcome)
    return words.say(
        "{service} has taken the change to {stable} (Cloud Run)",
        service=words.code(facts["service"]),
        stable=words.code(facts["stable"]),
    )


def _proof(facts: Facts, words: Words, now: datetime | None) -> Markup:
    evidence = evidence_from(facts)
    return words.say(
        "{measured} ({origin})", measured=measured(evidence, words), origin=_origin(facts, words, now)
    )


def _errors(facts: Facts, words: Words, now: datetime | None) -> Markup:
    before, after = facts["before"], facts["after"]
    return words.say(
        "{errors_now} errors in {requests_now} requests since, {errors} in {requests} before; at least 90 % "
        "fewer are a sharp drop ({origin})",
        errors_now=after["errors"],
        requests_now=after["requests"],
        errors=before["errors"],
        requests=before["requests"],
        origin=_origin(facts, words, now),
    )


def _flags(facts: Facts, words: Words, now: datetime | None) -> Markup:
    return Markup("; ".join(_one_flag(flag, words, now) for flag in facts["flags"]))


def _one_flag(flag: Facts, words: Words, now: datetime | None) -> Markup:
    metric = Metric(flag["metric"])
    value = quantity(metric, flag["value"], words)
    origin = [_origin(flag, words, now)]
    if metric in (Metric.ERROR_RATE, Metric.P95):
        origin.insert(0, words.say("{sample} requests", sample=flag["sample"]))
    shown = lamp(Colour(flag["colour"]), words)
    # Only Slack turns the lamp's name into a picture; its colour stands beside it as a word.
    colour = shown if words.style.slack_dates else Markup(shown.partition(" ")[2])
    return words.say(
        "{lamp} {metric} {value} ({origin})",
        lamp=colour,
        metric=metric_name(metric, words),
        value=value,
        origin=Markup(", ".join(origin)),
    )


def _recorded(facts: Facts, words: Words, now: datetime | None) -> Markup:
    return words.say(
        "the failure record stands in the channel since {at}, edition {edition}",
        at=words.clock(datetime.fromisoformat(facts["at"])),
        edition=facts["edition"],
    )


def _scheduled(facts: Facts, words: Words, now: datetime | None) -> Markup:
    return seen_scheduled(facts, words)


def _origin(facts: Facts, words: Words, now: datetime | None) -> Markup:
    until = datetime.fromisoformat(facts["until"])
    old = age(max(now - until, timedelta()), words) if now else words.clock(until)
    return Markup(f"{source_name(facts['source'], words)}, {old}")


# The timeline's lines.


def step_title(facts: Facts, words: Words) -> Markup:
    """Return the title of a step from an entry's or a notice's facts."""
    return words.bold(facts["titles"][words.locale])


def marked_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return that somebody marked a step."""
    told = {
        StepState.DONE: words.say("{who} marked as done: {title}", who=who, title=step_title(facts, words)),
        StepState.SKIPPED: words.say("{who} skipped: {title}", who=who, title=step_title(facts, words)),
        StepState.NOT_OK: words.say(
            "{who} marked as not OK: {title}", who=who, title=step_title(facts, words)
        ),
    }[StepState(facts["state"])]
    return _with_reason(told, facts, words)


def undone_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return that somebody took a mark back."""
    told = words.say(
        "{who} took back “{state}”: {title} is open again",
        who=who,
        state=state_name(StepState(facts["before"]), words),
        title=step_title(facts, words),
    )
    return _with_reason(told, facts, words)


def _with_reason(told: Markup, facts: Facts, words: Words) -> Markup:
    if facts.get("overrides"):
        told = words.say("{told} (Backout had it as “{state}”)", told=told, state=_before(facts, words))
    return words.say("{told}, because: {why}", told=told, why=facts["why"]) if facts["why"] else told


def _before(facts: Facts, words: Words) -> Markup:
    return state_name(StepState(facts["before"]), words)


def assigned_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return that a step was given to somebody."""
    return words.say(
        "{who} gave to {owner}: {title}",
        who=who,
        owner=words.person(facts["owner"]),
        title=step_title(facts, words),
    )


def seen_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return what the bot saw of a step."""
    seen = seen_words(facts["facts"], words, now=None)
    if facts["ok"]:
        told = words.say("Seen done: {title}: {seen}", title=step_title(facts, words), seen=seen)
    else:
        told = words.say("Seen not OK: {title}: {seen}", title=step_title(facts, words), seen=seen)
    if "stays" not in facts:
        return told
    return words.say(
        "{told}; {who} has marked it as “{state}”, and that stands",
        told=told,
        who=words.person(facts["whose"]),
        state=state_name(StepState(facts["stays"]), words),
    )


def reminded_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return a reminder; in the thread it rings the person it names."""
    due = words.clock(datetime.fromisoformat(facts["due_at"]))
    person, title = words.person(facts["person"]), step_title(facts, words)
    if facts["whom"] == "owner":
        return words.say(
            "Reminder: {person}, this should have been done by {due}: {title}",
            person=person,
            due=due,
            title=title,
        )
    if facts["owner"] is None or facts["owner"] == facts["person"]:
        return words.say(
            "To the commander: {person}, this is still open, due at {due}: {title}",
            person=person,
            due=due,
            title=title,
        )
    return words.say(
        "To the commander: {person}, this is still open, due at {due} and with {owner}: {title}",
        person=person,
        due=due,
        owner=words.person(facts["owner"]),
        title=title,
    )
