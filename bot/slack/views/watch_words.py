"""Words that the watch, its alerts and the timeline share."""

from datetime import datetime

from bot.domain.automatics import Automatics, OffWhy
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric
from bot.domain.watch import EndedWhy, Watch, WatchSource
from bot.slack.text import Markup, Words


def limit_text(metric: Metric, limit: float, words: Words) -> Markup:
    """Return a threshold as the playbook writes it, with its unit: "1 %", "0.5 %", "500 ms"."""
    if metric is Metric.P95:
        return words.say("{value:g} ms", value=limit)
    return words.say("{value:g} %", value=limit)


def source_title(source: WatchSource, words: Words) -> Markup:
    """Return what a source is called at the beginning of a sentence."""
    return {
        WatchSource.REQUEST_LOG: words.say("Request log"),
        WatchSource.MONITORING: words.say("Cloud Monitoring"),
        WatchSource.PROBE: words.say("Probe"),
        WatchSource.CLOUD_RUN: words.say("Cloud Run"),
    }[source]


def why_ended(why: EndedWhy | None, words: Words) -> Markup:
    """Return why a watch ended, as a sentence."""
    known = {
        EndedWhy.CANARY_HAS_ALL: words.say("The canary has all of the traffic now."),
        EndedWhy.CANARY_HAS_NONE: words.say("The canary has no traffic any more."),
        EndedWhy.NEW_CANARY: words.say("Another canary has taken its place, with a watch of its own."),
        EndedWhy.BY_A_PERSON: words.say("Somebody stopped it."),
        EndedWhy.TARGET_GONE: words.say("The target is not in the playbook any more."),
    }
    return known[why] if why else words.say("Why is not known.")


def ended_sentence(watch: Watch, words: Words) -> Markup:
    """Return why and by whom a watch was ended, and how to watch again."""
    if watch.ended_why is EndedWhy.BY_A_PERSON and watch.ended_by is not None:
        return words.say("{who} stopped it.", who=words.person(watch.ended_by))
    return why_ended(watch.ended_why, words)


def automatics_line(
    automatics: Automatics | None, target: str, playbook: Playbook, words: Words, *, now: datetime
) -> Markup:
    """Return whether the bot may roll `target` back by itself, by whose word, and until when not."""
    if automatics is None or not automatics.armed:
        return _off(automatics, target, words)
    who = words.person(automatics.by or "")
    if automatics.held_until is not None and automatics.on_hold(now=now):
        return words.say(
            "Automatic rollback: *on hold* until {until} by {holder} (armed by {who}).",
            until=words.clock(automatics.held_until),
            holder=words.person(automatics.held_by or ""),
            who=who,
        )
    text = words.say("Automatic rollback: *armed* by {who}", who=who)
    if automatics.at is not None:
        text = words.say("{text}, {at}", text=text, at=words.moment(automatics.at))
    if playbook.acts_by_itself():
        return words.say("{text}.", text=text)
    return words.say(
        "{text}; but no rule of the playbook has {mode}, so it will only recommend.",
        text=text,
        mode=words.code("mode: auto"),
    )


def _off(automatics: Automatics | None, target: str, words: Words) -> Markup:
    command = words.code(f"/canary auto {target}")
    if automatics is None or automatics.at is None or automatics.off_why not in set(OffWhy):
        return words.say("Automatic rollback: *off*. Arm it with {command}.", command=command)
    return words.say(
        "Automatic rollback: *off* since {at}: {why}. Arm it with {command}.",
        at=words.moment(automatics.at),
        why=off_why(OffWhy(automatics.off_why), words, who=words.person(automatics.by or "")),
        command=command,
    )


def off_why(why: OffWhy, words: Words, *, who: Markup) -> Markup:
    """Return why automatics are off, as the end of a sentence; `who` is whose doing it was."""
    return {
        OffWhy.FIRED: words.say("it has rolled back once"),
        OffWhy.STOPPED: words.say("{who} stopped an automatic rollback", who=who),
        OffWhy.PERSON: words.say("{who} switched it off", who=who),
    }[why]
