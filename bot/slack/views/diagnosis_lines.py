"""What people answered, chose, did and looked up in a scenario, as lines of the timeline and as notices."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.finding import Finding
from bot.domain.guide import Does
from bot.slack.text import Markup, Words

Facts = Mapping[str, Any]


def in_language(texts: Mapping[str, str] | None, words: Words) -> str:
    """Return a text of the playbook, kept in both languages, in the reader's; raw, so escape it."""
    known = texts or {}
    return known.get(words.locale) or known.get("en", "?")


def letter(place: int) -> str:
    """Return the letter of an option: A for 0, Z for 25, then AA."""
    first, last = divmod(place, 26)
    return (letter(first - 1) if first else "") + chr(ord("A") + last)


def answered_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return who answered what, and what it means."""
    said = words.bold(in_language(facts["say"], words))
    ask, means = in_language(facts["ask"], words), in_language(facts["means"], words)
    if facts.get("revised"):
        return words.say(
            "{who} changed the answer to “{ask}”: now {said} → {means}",
            who=who, ask=ask, said=said, means=means,
        )  # fmt: skip
    return words.say("{who} answered “{ask}”: {said} → {means}", who=who, ask=ask, said=said, means=means)


def safety_not_asked_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Put the question that force did not wait for."""
    return words.say(
        ":warning: The rollback was forced, so it did not wait for this question. Please answer it now, on "
        "the scenario's card: {ask}",
        ask=words.bold(in_language(facts["ask"], words)),
    )


def option_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return which option somebody chose."""
    return words.say(
        "{who} chose {letter}: {title}",
        who=who,
        letter=letter(facts["place"]),
        title=words.bold(in_language(facts["titles"], words)),
    )


def step_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return which step somebody did, or says is not done after all."""
    title = words.bold(in_language(facts["titles"], words))
    if facts["done"]:
        return words.say("{who} did: {title}", who=who, title=title)
    return words.say("{who} says that this is not done after all: {title}", who=who, title=title)


def look_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return what somebody asked to see."""
    text = words.say(
        "{who} asked for: {title}", who=who, title=words.bold(in_language(facts["titles"], words))
    )
    return words.say("{text} (being read already)", text=text) if facts.get("joined") else text


def finding_line(finding: Finding, words: Words) -> Markup:
    """Return in one line what a look found; the whole of it has a message of its own."""
    title = words.bold(in_language(finding.titles, words))
    if finding.unread:
        return words.say("Read: {title}. Not everything could be read.", title=title)
    if finding.log is not None:
        count = len(finding.log.lines)
        return words.say("Read: {title}. {count} log lines found.", title=title, count=count)
    if finding.does in (Does.PROBE, Does.HEALTH):
        well, sent = sum(p.answered_well for p in finding.probes), sum(p.sent for p in finding.probes)
        return words.say(
            "Read: {title}. {well} of {sent} requests answered well.", title=title, well=well, sent=sent
        )
    return words.say("Read: {title}.", title=title)


def safety_first_notice(facts: Facts, words: Words) -> Markup:
    """Say that a question comes before the rollback."""
    return words.say(
        ":raised_hand: Nothing was rolled back yet: this comes first: {ask} Answer it on the card, or go at "
        "once with {command}, which waits for no question.",
        ask=words.bold(in_language(facts["ask"], words)),
        command=words.code("/rollback TARGET force"),
    )


def held_back_notice(facts: Facts, words: Words) -> Markup:
    """Say what the answer means, and how to roll back all the same."""
    return words.say(
        ":raised_hand: Nothing was rolled back. “{ask}” was answered with {said}: {means}\nIf you must, "
        "press *Roll back all the same* on the card.",
        ask=in_language(facts["ask"], words),
        said=words.bold(in_language(facts["say"], words)),
        means=in_language(facts["means"], words),
    )


def older_state_notice(words: Words) -> Markup:
    """Say that the card has moved on."""
    return words.say(
        ":information_source: That button was older than the incident: things have moved on, so nothing was "
        "changed. The card shows how it stands now."
    )


def answered_meanwhile_notice(facts: Facts, words: Words, *, now: datetime) -> Markup:
    """Say who was faster, and how to differ."""
    return words.say(
        ":information_source: {who} has answered that {ago} ago: {said}. Nothing was changed; if you know "
        "better, use *Revise* on the card.",
        who=words.person(facts["by"]),
        ago=_ago(facts, words, now),
        said=words.bold(in_language(facts.get("say"), words)),
    )


def step_stands_notice(facts: Facts, words: Words, *, now: datetime) -> Markup:
    """Say that a step is as wanted already."""
    title = words.bold(in_language(facts["titles"], words))
    if "by" not in facts:
        return words.say(":information_source: {title} was not done yet. Nothing was changed.", title=title)
    who, ago = words.person(facts["by"]), _ago(facts, words, now)
    if facts["done"]:
        return words.say(
            ":information_source: {who} did that {ago} ago: {title}. Nothing was changed.",
            who=who, ago=ago, title=title,
        )  # fmt: skip
    return words.say(
        ":information_source: {who} took that back {ago} ago: {title}. Nothing was changed.",
        who=who, ago=ago, title=title,
    )  # fmt: skip


def by_hand_notice(facts: Facts, words: Words) -> Markup:
    """Warn kindly of an option that no machine carries out."""
    text = words.say(
        ":warning: Noted: {letter}, {title}. The bot cannot do that for you, and users feel the failure "
        "for as long as it takes.",
        letter=letter(facts["place"]),
        title=words.bold(in_language(facts["titles"], words)),
    )
    if not facts.get("better"):
        return text
    return words.say(
        "{text} The guide recommends {better}; you can still change your mind.",
        text=text,
        better=words.bold(in_language(facts["better"], words)),
    )


def _ago(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.duration(max(now - datetime.fromisoformat(facts["at"]), timedelta()))
