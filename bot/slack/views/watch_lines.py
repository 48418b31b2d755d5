"""Sentences about watches, alarms and automatics in a timeline: facts, who did it, words."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.alarm import AlarmKind, Level
from bot.domain.automatics import NotByItself, OffWhy
from bot.domain.flags import Colour, Flag, GreyWhy
from bot.domain.readings import Metric, Reading, Side, Source
from bot.domain.timeline import Entry, Event
from bot.domain.watch import EndedWhy, WatchSource
from bot.slack.text import Markup, Words
from bot.slack.views.alarm_words import rule_sentence, what_happens, why_not_by_itself
from bot.slack.views.bad_input_words import bad_input_kind, bad_input_text
from bot.slack.views.incident_sentences import who
from bot.slack.views.numbers import reading_line, source_name
from bot.slack.views.watch_words import off_why, source_title, why_ended

Facts = Mapping[str, Any]

#: As much of a source's own words as a line shows.
PROBLEM_SHOWN = 300


def _begun(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    return words.say(
        "{who} began to watch {canary} ({percent} % of the traffic), compared with {stable}",
        who=who(entry, words),
        canary=words.code(facts["canary"]),
        percent=facts["percent"],
        stable=words.code(facts["stable"]),
    )


def _ended(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    text = words.say(
        "The watch of {canary} has ended after {length}, alerts: {count}",
        canary=words.code(facts["canary"]),
        length=words.duration(timedelta(minutes=facts["minutes"])),
        count=facts["alerts"],
    )
    if facts["why"] == EndedWhy.BY_A_PERSON:
        return words.say("{text}: {who} stopped it.", text=text, who=who(entry, words))
    return words.say("{text}: {why}", text=text, why=why_ended(EndedWhy(facts["why"]), words))


def _alarm(entry: Entry, words: Words) -> Markup:
    return alarm_sentences(entry.facts, words, at=entry.at)


def alarm_sentences(facts: Facts, words: Words, *, at: datetime) -> Markup:
    """Return an alarm's rule with its numbers, and what follows from it.

    Args:
        facts: the alarm's own, with its ``kind``, ``level`` and ``revision``.
        at: when it was raised (aware, UTC).
    """
    told = rule_sentence(AlarmKind(facts["kind"]), facts, words, canary=facts.get("revision") or "?", at=at)
    text = words.say("Backout saw: {what}", what=told)
    level = {
        Level.TELL: words.say("It is told, and nothing more."),
        Level.RECOMMEND: words.say("A rollback is recommended."),
        Level.NEARLY: words.say("It is nearly sure enough to act."),
        Level.ACT: words.say("It is sure enough to act."),
    }[Level(facts["level"])]
    if facts["kind"] == AlarmKind.ERROR_RATE_ONCE:
        level = words.say("It is watched more closely.")
    if facts["kind"] == AlarmKind.SHARED:
        level = words.say("It is not the canary's fault.")
    return words.say("{text} {level}", text=text, level=level)


def _announced(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    told: dict[str, Any] = {
        "canary": words.code(facts["canary"]),
        "at": words.clock(datetime.fromisoformat(facts["fires_at"])),
        "what": what_happens(AlarmKind(facts["kind"]), {}, words),
    }
    if facts.get("if_full"):
        return words.say(
            "Backout announced that it rolls back {canary} by itself at {at} if the score is full by then "
            "({what}); anybody can stop it",
            **told,
        )
    return words.say(
        "Backout announced that it rolls back {canary} by itself at {at} ({what}); anybody can stop it",
        **told,
    )


def _stopped(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    why = facts.get("why") or ""
    if why in set(NotByItself):
        text = words.say(
            "Backout did not roll back by itself, because {why}",
            why=why_not_by_itself(NotByItself(why), words, mode="recommend"),
        )
    else:
        text = words.say("{who} stopped the automatic rollback", who=who(entry, words))
    detail = facts.get("detail")
    return words.say("{text}: {detail}", text=text, detail=detail) if detail else text


def _fired(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    return words.say(
        "Nobody stopped it: Backout rolls back by itself, {canary} → {stable} ({what})",
        canary=words.code(facts["canary"]),
        stable=words.code(facts["stable"]),
        what=what_happens(AlarmKind(facts["kind"]), {}, words),
    )


def _answered(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    text = {
        "roll_back": words.say("{who} answered the alert: roll back now", who=who(entry, words)),
        "not_the_canary": words.say("{who} answered the alert: it is not the canary", who=who(entry, words)),
        "hold": words.say("{who} answered the alert: automatics wait", who=who(entry, words)),
        "stop": words.say("{who} answered the alert: stop", who=who(entry, words)),
    }[facts["reply"]]
    why = facts.get("why")
    return words.say("{text}: {why}", text=text, why=why) if why else text


def _held(entry: Entry, words: Words) -> Markup:
    return words.say(
        "{who} put the automatics of {target} on hold until {until}",
        who=who(entry, words),
        target=entry.facts["target"],
        until=words.clock(datetime.fromisoformat(entry.facts["until"])),
    )


def _armed(entry: Entry, words: Words) -> Markup:
    return words.say(
        "{who} armed the automatics of {target}: Backout may roll it back by itself, once",
        who=who(entry, words),
        target=entry.facts["target"],
    )


def _off(entry: Entry, words: Words) -> Markup:
    return words.say(
        "The automatics of {target} are off: {why}",
        target=entry.facts["target"],
        why=off_why(OffWhy(entry.facts["why"]), words, who=who(entry, words)),
    )


def _source(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    source = source_title(WatchSource(facts["source"]), words)
    if facts.get("well"):
        length = words.duration(timedelta(seconds=facts["seconds"]))
        return words.say("{source}: can be read again, after {length}", source=source, length=length)
    why = str(facts.get("problem") or "?")[:PROBLEM_SHOWN]
    return words.say("{source}: cannot be read: {why}", source=source, why=why)


def _changed(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    if facts["what"] == "percent":
        return words.say(
            "The canary's share of the traffic: {before} % → *{percent} %*",
            before=facts["before"],
            percent=facts["percent"],
        )
    if facts["what"] == "closely":
        return words.say(
            "Watched more closely until {until} ({what})",
            until=words.clock(datetime.fromisoformat(facts["until"])),
            what=what_happens(AlarmKind(facts["kind"]), {}, words),
        )
    if facts["what"] == "afterwards":
        return words.say(
            "{canary} is being rolled back: stable is watched for {minutes:g} min",
            canary=words.code(facts["canary"]),
            minutes=facts["minutes"],
        )
    if facts["what"] == "ignored":
        return _ignored(facts, words)
    return words.say(
        "The clock was put back by {length}: minutes may be missing",
        length=words.duration(timedelta(seconds=facts["seconds"])),
    )


def _ignored(facts: Facts, words: Words) -> Markup:
    text = words.say(
        "Bad input is left out and not judged: {what}, {count} × ({source})",
        what=bad_input_text(bad_input_kind(facts["kind"]), words),
        count=facts["count"],
        source=source_name(facts["source"], words),
    )
    example = str(facts.get("example") or "")[:PROBLEM_SHOWN]
    return words.say("{text}, such as: {example}", text=text, example=example) if example else text


def _check(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    found = [reading_line(_flag(told), words, now=entry.at) for told in facts["flags"]]
    lines = Markup("; ".join(found)) if found else words.say("no numbers")
    if facts["afterwards"]:
        return words.say("The guide's check after the rollback: {lines}", lines=lines)
    return words.say(
        "The guide's check, {canary} at {percent} %: {lines}",
        canary=words.code(facts["canary"]),
        percent=facts["percent"],
        lines=lines,
    )


def _flag(told: Facts) -> Flag:
    """Return a flag as it was written down; where its window began was not."""
    until = datetime.fromisoformat(told["until"])
    reading = Reading(
        metric=Metric(told["metric"]),
        side=Side(told["side"]),
        source=Source(told["source"]),
        value=told["value"],
        sample=told["sample"],
        errors=told["errors"],
        since=until,
        until=until,
        problem=told["problem"],
    )
    return Flag(
        reading=reading, colour=Colour(told["colour"]), why=GreyWhy(told["why"]) if told["why"] else None
    )


WATCH_SENTENCES: Mapping[Event, Callable[[Entry, Words], Markup]] = {
    Event.WATCH_BEGUN: _begun,
    Event.WATCH_CHANGED: _changed,
    Event.WATCH_CHECK: _check,
    Event.WATCH_SOURCE: _source,
    Event.WATCH_ENDED: _ended,
    Event.ALARM_RAISED: _alarm,
    Event.ALERT_ANSWERED: _answered,
    Event.AUTOMATIC_ANNOUNCED: _announced,
    Event.AUTOMATIC_STOPPED: _stopped,
    Event.AUTOMATIC_FIRED: _fired,
    Event.AUTOMATICS_HELD: _held,
    Event.AUTOMATICS_ARMED: _armed,
    Event.AUTOMATICS_OFF: _off,
}
