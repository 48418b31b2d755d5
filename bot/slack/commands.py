"""What a person typed after a slash command, as a command of ours or as words that help."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from bot.domain.ids import IncidentNumber, TargetName
from bot.slack.text import Words, clean

#: Longest reason; longer ones are refused rather than cut, so that nothing is lost unseen.
LONGEST_REASON = 500
DEFAULT_TARGET = TargetName("canary")


@dataclass(frozen=True, kw_only=True)
class RollbackCommand:
    """``/rollback TARGET [force] [reason …]``."""

    target: TargetName
    forced: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class StatusCommand:
    """``/canary status [TARGET]``."""

    target: TargetName


@dataclass(frozen=True, kw_only=True)
class IncidentCommand:
    """``/incident list`` (no number) and ``/incident show|record|close [N]``."""

    verb: str
    number: IncidentNumber | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Words to say at once, visible to the person who typed."""

    text: str


Parsed = RollbackCommand | StatusCommand | IncidentCommand | Answer

CANARY_VERBS = ("status", "help")
INCIDENT_VERBS = ("list", "show", "record", "close", "help")


_REFERENCE = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def typed(text: str) -> str:
    """Return what a person typed: Slack sends ``&``, ``<`` and ``>`` escaped, and mentions as references."""

    def as_words(found: re.Match[str]) -> str:
        sign, id, label = found[1], found[2], found[3]
        return f"{sign}{label or id}" if sign else label or id

    plain = _REFERENCE.sub(as_words, text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _first_word(text: str) -> tuple[str, str]:
    """Split at the first white space of any kind: keyboards and copying put in wide and hard spaces."""
    first, rest = (*text.split(maxsplit=1), "", "")[:2]
    return first, rest.strip()


def parse_rollback(text: str, *, targets: Iterable[str], words: Words) -> RollbackCommand | Answer:
    """Read what follows ``/rollback``."""
    known, text = list(targets), typed(text)
    first, rest = _first_word(text)
    if first.lower() in ("", "help"):
        return Answer(text=rollback_help(known, words))
    if first.lower() not in known:
        return Answer(text=_unknown_target(first, text, known, words))
    head, tail = _first_word(rest)
    forced = head.lower() == "force"
    reason = tail if forced else rest
    if len(reason) > LONGEST_REASON:
        return Answer(text=_too_long(text, reason, words))
    return RollbackCommand(
        target=TargetName(first.lower()), forced=forced, reason=clean(reason, limit=LONGEST_REASON)
    )


def _unknown_target(first: str, text: str, known: list[str], words: Words) -> str:
    near = get_close_matches(first.lower(), known, n=1, cutoff=0.4)
    known_ones = ", ".join(known)
    if near:
        fixed = f"/rollback {near[0]}{text.strip()[len(first) :]}"
        return words.say(
            ":x: There is no target {first}. Did you mean {fixed}? Targets: {known}. Nothing was changed.",
            first=words.code(clean(first, limit=60)),
            fixed=words.code(clean(fixed, limit=600)),
            known=known_ones,
        )
    return words.say(
        ":x: There is no target {first}. Targets: {known}. Nothing was changed.",
        first=words.code(clean(first, limit=60)),
        known=known_ones,
    )


def _too_long(text: str, reason: str, words: Words) -> str:
    return words.say(
        ":x: The reason has {length} characters, {limit} are possible. Nothing was changed. Shorten it and "
        "send it again; this is what you wrote:\n{text}",
        length=len(reason),
        limit=LONGEST_REASON,
        text=clean(f"/rollback {text}", limit=2500),
    )


def rollback_help(targets: Iterable[str], words: Words) -> str:
    """Explain ``/rollback``."""
    return words.say(
        "*/rollback TARGET [force] [reason …]* takes a canary out of traffic and proves it.\n"
        "• {plain} shows what will happen and asks.\n"
        "• {forced} goes at once, without asking. Roles, guards and the timeline stay.\n"
        "Targets: {targets}.",
        plain=words.code("/rollback canary errors after the deployment"),
        forced=words.code("/rollback canary force errors after the deployment"),
        targets=", ".join(targets),
    )


def parse_canary(text: str, *, targets: Iterable[str], words: Words) -> StatusCommand | Answer:
    """Read what follows ``/canary``."""
    known, text = list(targets), typed(text)
    verb, rest = _first_word(text)
    verb = verb.lower()
    if verb in ("", "help"):
        return Answer(text=canary_help(known, words))
    if verb != "status":
        return Answer(text=unknown_word("/canary", verb, CANARY_VERBS, words))
    target = rest.lower() or DEFAULT_TARGET
    if target not in known:
        near = get_close_matches(target, known, n=1, cutoff=0.4)
        fixed = f"/canary status {near[0] if near else known[0]}"
        return Answer(
            text=words.say(
                ":x: There is no target {first}. Try {fixed}.",
                first=words.code(clean(target, limit=60)),
                fixed=words.code(fixed),
            )
        )
    return StatusCommand(target=TargetName(target))


def canary_help(targets: Iterable[str], words: Words) -> str:
    """Explain ``/canary``."""
    return words.say(
        "*/canary status [TARGET]* shows who serves, the flags of canary and stable, and what is going on.\n"
        "Targets: {targets}.",
        targets=", ".join(targets),
    )


def parse_incident(text: str, *, words: Words) -> IncidentCommand | Answer:
    """Read what follows ``/incident``."""
    verb, rest = _first_word(typed(text))
    verb = verb.lower()
    if verb in ("", "help"):
        return Answer(text=incident_help(words))
    if verb not in INCIDENT_VERBS:
        return Answer(text=unknown_word("/incident", verb, INCIDENT_VERBS, words))
    if verb == "list":
        return IncidentCommand(verb=verb, number=None)
    number = re.fullmatch(r"(?:inc-?)?(\d{1,9})", rest.lower())
    if number is None:
        example = words.code(f"/incident {verb} 12")
        return Answer(text=words.say(":x: Which one? Write its number, such as {example}.", example=example))
    return IncidentCommand(verb=verb, number=IncidentNumber(int(number[1])))


def incident_help(words: Words) -> str:
    """Explain ``/incident``."""
    return words.say(
        "*/incident list* shows the newest incidents.\n"
        "*/incident show N* shows one with its timeline.\n"
        "*/incident record N* asks for what only people know and renders the failure record anew.\n"
        "*/incident close N* closes it."
    )


def unknown_word(command: str, word: str, known: Iterable[str], words: Words) -> str:
    """Answer a word nobody knows with the nearest one that is known."""
    verbs = [verb for verb in known if verb != "help"]
    near = get_close_matches(word, verbs, n=1, cutoff=0.3) or verbs[:1]
    return words.say(
        ":x: I don't know {word}. Did you mean {nearest}? {help} explains all.",
        word=words.code(clean(f"{command} {word}", limit=80)),
        nearest=words.code(f"{command} {near[0]}"),
        help=words.code(f"{command} help"),
    )
