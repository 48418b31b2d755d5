"""What a timeline tells of the evidence: taken, dropped by retention, and reviewed by people."""

from collections.abc import Mapping
from typing import Any

from bot.domain.checklist import StepState
from bot.domain.exhibit import ExhibitKind, Moment
from bot.slack.text import Markup, Words

Facts = Mapping[str, Any]

#: Of a source's problem; the file says all of it, characters.
LONGEST_PROBLEM = 200


def taken_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return that evidence was taken: when, how much, how many secrets were replaced, what failed."""
    told = words.say(
        "{moment}: {count} files, {size}",
        moment=_moment(Moment(facts["moment"]), who, words),
        count=facts["count"],
        size=size_words(facts["bytes"], words),
    )
    if facts.get("redacted"):
        told = words.say(
            "{told}; {count} secrets and personal data were replaced", told=told, count=facts["redacted"]
        )
    for kind, why in facts["problems"]:
        told = words.say(
            "{told}; could not read: {what}, because: {why}",
            told=told,
            what=exhibit_kind_name(ExhibitKind(kind), words),
            why=str(why)[:LONGEST_PROBLEM],
        )
    return told


def exhibit_kind_name(kind: ExhibitKind, words: Words) -> Markup:
    """Return what a file of evidence holds."""
    return {
        ExhibitKind.ERROR_LOGS: words.say("error logs"),
        ExhibitKind.SLOW_REQUESTS: words.say("slow requests"),
        ExhibitKind.METRICS_SNAPSHOT: words.say("metrics"),
        ExhibitKind.CANARY_CONFIG: words.say("configuration"),
        ExhibitKind.TRAFFIC: words.say("traffic and revisions"),
        ExhibitKind.PROBE: words.say("answers to the probe"),
        ExhibitKind.RECORD: words.say("failure record"),
    }[kind]


def _moment(moment: Moment, who: Markup, words: Words) -> Markup:
    return {
        Moment.DECISION: words.say("Evidence taken at the decision"),
        Moment.VERIFICATION: words.say("Evidence taken at the verdict"),
        Moment.ASKED: words.say("Evidence taken, asked for by {who}", who=who),
    }[moment]


def dropped_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return that retention took the content of one file away."""
    return words.say(
        "The content of {file} ({size}) was dropped, its time being over; its hash stays",
        file=words.code(facts["exhibit"]),
        size=size_words(facts["size"], words),
    )


def reviewed_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return what somebody says of a point of the review."""
    point = words.bold(facts["titles"].get(words.locale) or facts["titles"]["en"])
    return {
        StepState.TODO: words.say("{who} opened again, in the review: {point}", who=who, point=point),
        StepState.DONE: words.say("{who} reviewed {point}: nothing found", who=who, point=point),
        StepState.NOT_OK: words.say(
            "{who} reviewed {point} and found: {note}", who=who, point=point, note=facts["why"]
        ),
    }[StepState(facts["state"])]


def size_words(size: int, words: Words) -> Markup:
    """Return a size in bytes as people read it, 1 kB being 1,000 bytes."""
    if size < 1_000:
        return words.say("{size} bytes", size=size)
    if size < 1_000_000:
        return words.say("{size} kB", size=f"{size / 1_000:.1f}")
    return words.say("{size} MB", size=f"{size / 1_000_000:.1f}")
