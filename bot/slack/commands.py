"""What a person typed after a slash command, as a command of ours or as words that help."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from bot.domain.canary_looks import (
    LONGEST_PAUSE_MS,
    MOST_REQUESTS,
    USUAL_PAUSE_MS,
    USUAL_REQUESTS,
    CanaryLook,
    LogKind,
)
from bot.domain.guide import Does
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
class IncidentCommand:
    """``/incident VERB [N|INC-N] [rest]``; `rest` is as typed, without references.

    `bare` is True where the number stood there without ``INC-``: in a note it may be part of the text.
    """

    verb: str
    number: IncidentNumber | None
    rest: str = ""
    bare: bool = False


@dataclass(frozen=True, kw_only=True)
class LookCommand:
    """``/canary logs [KIND] [TARGET]`` or ``/canary probe [N] [DELAY] [TARGET]``."""

    look: CanaryLook
    target: TargetName


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Words to say at once, visible to the person who typed."""

    text: str


Parsed = RollbackCommand | IncidentCommand | LookCommand | TargetName | Answer

#: Every word after ``/incident``, in the order of its help. `WITHOUT_INCIDENT` are about none in particular.
INCIDENT_VERBS = (
    "new", "list", "stats", "show", "note", "severity", "scenario", "checklist", "page", "update",
    "followups", "evidence", "record", "postmortem", "export", "join", "close", "reopen", "help",
)  # fmt: skip
WITHOUT_INCIDENT = frozenset({"new", "list", "stats"})
#: Nothing can follow the number: what does is a number written wrong.
NOTHING_FOLLOWS = frozenset({"checklist", "evidence", "record", "postmortem", "export", "close", "reopen"})
#: Other spellings of a word.
_SPELLINGS = {"post-mortem": "postmortem"}

_REFERENCE = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def typed(text: str) -> str:
    """Return what a person typed: Slack sends ``&``, ``<`` and ``>`` escaped, and mentions as references."""

    def as_words(found: re.Match[str]) -> str:
        sign, id, label = found[1], found[2], found[3]
        return f"{sign}{label or id}" if sign else label or id

    plain = _REFERENCE.sub(as_words, text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def first_word(text: str) -> tuple[str, str]:
    """Split at the first white space of any kind: keyboards and copying put in wide and hard spaces."""
    first, rest = (*text.split(maxsplit=1), "", "")[:2]
    return first, rest.strip()


def parse_rollback(text: str, *, targets: Iterable[str], words: Words) -> RollbackCommand | Answer:
    """Read what follows ``/rollback``."""
    known, text = list(targets), typed(text)
    first, rest = first_word(text)
    if first.lower() in ("", "help"):
        return Answer(text=rollback_help(known, words))
    if first.lower() not in known:
        return Answer(text=_unknown_target(first, text, known, words))
    head, tail = first_word(rest)
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


def parse_target(verb: str, rest: str, *, targets: Iterable[str], words: Words) -> TargetName | Answer:
    """Read the target that may follow ``/canary VERB``."""
    known, target = list(targets), rest.lower() or DEFAULT_TARGET
    if target in known:
        return TargetName(target)
    near = get_close_matches(target, known, n=1, cutoff=0.4)
    fixed = f"/canary {verb} {near[0] if near else known[0]}"
    return Answer(
        text=words.say(
            ":x: There is no target {first}. Try {fixed}.",
            first=words.code(clean(target, limit=60)),
            fixed=words.code(fixed),
        )
    )


def parse_logs(rest: str, *, targets: Iterable[str], words: Words) -> LookCommand | Answer:
    """Read what follows ``/canary logs``: errors, unless another kind is named."""
    known, (first, more) = list(targets), first_word(rest)
    if first.lower() in set(LogKind):
        kind = LogKind(first.lower())
        target = parse_target(f"logs {kind}", more, targets=known, words=words)
    elif rest.lower() in ("", *known):
        kind, target = LogKind.ERRORS, parse_target("logs", rest, targets=known, words=words)
    else:
        return _no_such_log(rest, known, words)
    if isinstance(target, Answer):
        return target
    return LookCommand(look=CanaryLook(does=Does.LOGS, log=kind), target=target)


def _no_such_log(rest: str, known: list[str], words: Words) -> Answer:
    near = get_close_matches(first_word(rest)[0].lower(), [*LogKind, *known], n=1, cutoff=0.4)
    return Answer(
        text=words.say(
            ":x: I don't know {rest}. Try {fixed}: one of {kinds}, and then a target ({known}) if it is not "
            "{usual}.",
            rest=words.code(clean(rest, limit=60)),
            fixed=words.code(f"/canary logs {near[0] if near else LogKind.ERRORS}"),
            kinds=", ".join(LogKind),
            known=", ".join(known),
            usual=DEFAULT_TARGET,
        )
    )


#: Longer ones are no numbers that anybody means.
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


def parse_probe(rest: str, *, targets: Iterable[str], words: Words) -> LookCommand | Answer:
    """Read what follows ``/canary probe``: how many requests to each side, the pause between two, whom."""
    known, typed_words = list(targets), rest.split()
    numbers: list[int] = []
    while typed_words and len(numbers) < 2 and _WHOLE_NUMBER.fullmatch(typed_words[0]):
        numbers.append(int(typed_words.pop(0)))
    requests, pause_ms = [*numbers, *(USUAL_REQUESTS, USUAL_PAUSE_MS)[len(numbers) :]]
    target = " ".join(typed_words).lower() or DEFAULT_TARGET
    possible = 1 <= requests <= MOST_REQUESTS and pause_ms <= LONGEST_PAUSE_MS
    if target not in known or not possible:
        return _how_to_probe(rest, known, words)
    look = CanaryLook(does=Does.PROBE, requests=requests, pause_ms=pause_ms)
    return LookCommand(look=look, target=TargetName(target))


def _how_to_probe(rest: str, known: list[str], words: Words) -> Answer:
    return Answer(
        text=words.say(
            ":x: I don't understand {rest}. Write how many requests each side gets (1 to {most}), then the "
            "pause between two of them in milliseconds (0 to {longest}), then a target ({known}): {example}. "
            "All of them can be left out. Nothing was sent.",
            rest=words.code(clean(f"/canary probe {rest}".strip(), limit=90)),
            most=MOST_REQUESTS,
            longest=LONGEST_PAUSE_MS,
            known=", ".join(known),
            example=words.code(f"/canary probe {USUAL_REQUESTS} {USUAL_PAUSE_MS} {known[0]}"),
        )
    )


def canary_help(targets: Iterable[str], words: Words) -> str:
    """Explain ``/canary``."""
    return words.say(
        "*/canary status [TARGET]* shows who serves, the flags of canary and stable, and what is going on.\n"
        "*/canary metrics [TARGET]* shows every metric of both sides, with a picture of the last hour.\n"
        "*/canary logs [errors, slow or canary] [TARGET]* shows what the log says.\n"
        "*/canary probe [N] [DELAY] [TARGET]* asks both sides N times each, DELAY ms apart, and compares "
        "them.\n"
        "*/canary watch [TARGET]* watches a canary; */canary unwatch [TARGET]* ends that.\n"
        "*/canary auto [TARGET]* shows whether the bot may roll back by itself, what it would have done, and "
        "lets you arm it; */canary disarm [TARGET]* switches it off.\n"
        "*/canary ready [TARGET]* checks whether the team is ready to roll back.\n"
        "Targets: {targets}.",
        targets=", ".join(targets),
    )


_NUMBER = re.compile(r"(inc-?)?([0-9]{1,9})", re.IGNORECASE)


def parse_incident(text: str, *, words: Words) -> IncidentCommand | Answer:
    """Read what follows ``/incident``."""
    verb, rest = first_word(typed(text))
    verb = _SPELLINGS.get(verb.lower(), verb.lower())
    if verb in ("", "help"):
        return Answer(text=incident_help(words))
    if verb not in INCIDENT_VERBS:
        return Answer(text=unknown_word("/incident", verb, INCIDENT_VERBS, words))
    first, more = first_word(rest)
    number = _NUMBER.fullmatch(first)
    if verb in NOTHING_FOLLOWS and (more if number else rest):
        return Answer(text=which_one(verb, words))
    if verb in WITHOUT_INCIDENT or number is None:
        return IncidentCommand(verb=verb, number=None, rest=rest)
    return IncidentCommand(
        verb=verb, number=IncidentNumber(int(number[2])), rest=more, bare=number[1] is None
    )


def which_one(verb: str, words: Words) -> str:
    """Ask for an incident's number."""
    example = words.code(f"/incident {verb} 12")
    return words.say(":x: Which one? Write its number, such as {example}.", example=example)


def read_number(text: str) -> IncidentNumber | None:
    """Return the number that ``12``, ``inc12`` or ``INC-12`` means; None when it is no number."""
    number = _NUMBER.fullmatch(text.strip())
    return IncidentNumber(int(number[2])) if number else None


def incident_help(words: Words) -> str:
    """Explain ``/incident``."""
    return words.say(
        "*/incident new [TARGET]* declares an incident.\n"
        "*/incident list [open or closed] [TARGET] [SCENARIO] [SEVERITY] [since:2026-10-01] "
        "[until:2026-10-31] [by:@person] [drill or no-drill] [WORDS]* looks for incidents, the newest "
        "first.\n"
        "*/incident stats [last 90 days or month] [SCENARIO]* tells how fast they were seen and put right, "
        "and how many changes failed.\n"
        "*/incident show [N]* shows one with its timeline, page by page; corrections begin there.\n"
        "*/incident note [N] [14:05 or -10m] TEXT* adds a line to the timeline, back-dated if you say when.\n"
        "*/incident severity [N] critical, high, medium or low, and WHY* changes how bad it is.\n"
        "*/incident scenario [N] SCENARIO WHY* says which of the guide's scenarios it is.\n"
        "*/incident checklist [N]* shows the rollback checklist.\n"
        "*/incident page [N] [WHO]* calls somebody.\n"
        "*/incident update [N]* tells the team or the users how it stands.\n"
        "*/incident followups [N]* shows what is to be done afterwards.\n"
        "*/incident evidence [N]* lists what was kept, and takes evidence now.\n"
        "*/incident record [N]* asks for what only people know and renders the failure record anew.\n"
        "*/incident postmortem [N]* schedules the post-mortem, or moves it.\n"
        "*/incident export [N]* uploads the timeline as JSON and CSV.\n"
        "*/incident join A B* joins incident A to incident B.\n"
        "*/incident close [N]* closes it, after showing what is still open.\n"
        "*/incident reopen N* opens it again, within a day.\n"
        "N is a number such as 12 or INC-12; leave it out while only one incident is open."
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
