"""Sentences about pages: in the timeline, and to whoever has just pressed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.paging import PageState
from bot.slack.text import Markup, Words
from bot.slack.views.contact_words import contact_told

Facts = Mapping[str, Any]


# The timeline: facts, who did it, words.


def sent_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Somebody, or the bot, calls a contact."""
    due, name = words.clock(datetime.fromisoformat(facts["due_at"])), contact_told(facts, words)
    if facts.get("attempt", 1) > 1:
        return words.say("Next in line: {name} is called, answer by {due}", name=name, due=due)
    text = words.say("{who} calls {name}, answer by {due}", who=who, name=name, due=due)
    reason = facts.get("reason")
    return words.say("{text}: {reason}", text=text, reason=reason) if reason else text


def answered_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Somebody is on it in time."""
    name = contact_told(facts, words)
    after = words.duration(timedelta(seconds=facts["after_seconds"]))
    if facts.get("called"):
        return words.say(
            "{who} called {name}: they are on it, after {after}", who=who, name=name, after=after
        )
    text = words.say("{who} is on it ({name}), after {after}", who=who, name=name, after=after)
    meant = facts.get("instead_of")
    return words.say("{text}, in place of {meant}", text=text, meant=words.person(meant)) if meant else text


def late_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Somebody came after the time was up."""
    name = contact_told(facts, words)
    after = words.duration(timedelta(seconds=facts["after_seconds"]))
    text = words.say("{who} answered late ({name}), after {after}", who=who, name=name, after=after)
    other = facts.get("other")
    if other:
        return words.say("{text}; {other} was on it already", text=text, other=words.person(other))
    return words.say("{text}, and is on it", text=text)


def declined_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Somebody can't come."""
    text = words.say("{who} can't come ({name})", who=who, name=contact_told(facts, words))
    why = facts.get("why")
    return words.say("{text}: {reason}", text=text, reason=why) if why else text


def unanswered_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Nobody answered: in time, or the telephone."""
    name, within = contact_told(facts, words), facts.get("within_seconds")
    if within is None:
        return words.say("{who} called {name}: no answer", who=who, name=name)
    return words.say(
        "{name} did not answer within {within}", name=name, within=words.duration(timedelta(seconds=within))
    )


def called_off_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """A call needs no answer any more."""
    return words.say("The call to {name} is called off: no answer is needed", name=contact_told(facts, words))


def elsewhere_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """A contact's channel did not take the page."""
    return words.say(
        "The call to {name} could not be posted in {channel} ({detail}), so it is in the incident channel",
        name=contact_told(facts, words),
        channel=facts["channel"],
        detail=words.code(facts["detail"]),
    )


def slot_empty_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """A slot of the playbook is empty."""
    return words.say("{name}: nobody is entered in the playbook ([TBD])", name=contact_told(facts, words))


def nobody_left_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """The end of the line."""
    return words.say("Nobody answered, and nobody is left to call by itself")


# To the person who pressed: facts, words, now.


def paged_notice(facts: Facts, words: Words, now: datetime) -> Markup:
    """The call has gone out."""
    text = words.say(
        ":pager: {name} is called and should answer by {due}.",
        name=contact_told(facts, words),
        due=words.clock(datetime.fromisoformat(facts["due_at"])),
    )
    empty = [contact_told(one, words) for one in facts.get("empty", ())]
    if not empty:
        return text
    return words.say(
        "{text} Nobody is entered in the playbook for: {empty}.", text=text, empty=Markup(", ".join(empty))
    )


def paged_before_notice(facts: Facts, words: Words, now: datetime) -> Markup:
    """That contact is being called already."""
    return words.say(
        ":information_source: {name} is being called already and should answer by {due}. "
        "Nobody was called twice.",
        name=contact_told(facts, words),
        due=words.clock(datetime.fromisoformat(facts["due_at"])),
    )


def nobody_notice(facts: Facts, words: Words, now: datetime) -> Markup:
    """An empty slot with nobody behind it."""
    return words.say(
        ":grey_question: Nobody was called: {name} is not entered in the playbook, and nobody comes "
        "after. Choose somebody else with {command}.",
        name=contact_told(facts, words),
        command=words.code(f"/incident page {facts['incident']}"),
    )


def yours_notice(facts: Facts, words: Words, now: datetime) -> Markup:
    """They press twice."""
    return words.say(
        ":information_source: You are on it already ({name}). Thank you!", name=contact_told(facts, words)
    )


def taken_notice(facts: Facts, words: Words, now: datetime) -> Markup:
    """Somebody else was faster."""
    at = datetime.fromisoformat(facts["at"])
    text = words.say(
        "{who} is on it already, since {ago} ago ({name}).",
        who=words.person(facts["by"]),
        ago=words.duration(max(now - at, timedelta())),
        name=contact_told(facts, words),
    )
    if facts.get("late"):
        return words.say(
            ":information_source: {text} Thank you for coming: it is written down, and more hands help.",
            text=text,
        )
    return words.say(":information_source: {text} Thank you all the same; nothing was changed.", text=text)


def ended_notice(facts: Facts, words: Words, now: datetime) -> Markup:
    """The call has ended without them."""
    label, name = incident_label(IncidentNumber(facts["incident"])), contact_told(facts, words)
    following = facts.get("next")
    how = page_state_name(PageState(facts["state"]), words)
    if following:
        return words.say(
            ":information_source: This call ({label}, {name}) is over: {how}. {next} is being called now. "
            "Nothing was changed.",
            label=label,
            name=name,
            how=how,
            next=contact_told(following, words),
        )
    return words.say(
        ":information_source: This call ({label}, {name}) is over: {how}. Nothing was changed.",
        label=label,
        name=name,
        how=how,
    )


def page_state_name(state: PageState, words: Words) -> str:
    """Return how a page stands in a word or two, as plain text."""
    return {
        PageState.WAITING: words.plain("waiting for an answer"),
        PageState.ANSWERED: words.plain("answered"),
        PageState.DECLINED: words.plain("can't come"),
        PageState.UNANSWERED: words.plain("not answered"),
        PageState.CALLED_OFF: words.plain("called off"),
    }[state]
