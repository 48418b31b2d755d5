"""Lines to one person whose press on a step changed nothing, and what stands there instead."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.checklist import StepState
from bot.slack.text import Markup, Words
from bot.slack.views.step_words import marker, state_name, step_title

Facts = Mapping[str, Any]


def faster_notice(facts: Facts, words: Words, *, now: datetime) -> Markup:
    """Say who was faster with the same mark."""
    if facts["by"] is None:
        return words.say(
            ":information_source: {title} is open, so there is nothing to take back. Nothing was changed.",
            title=step_title(facts, words),
        )
    told = words.say(
        ":information_source: {who} was faster, {ago} ago: {title} is “{state}” already. Nothing was done "
        "twice.",
        who=marker(facts["by"], words),
        ago=_ago(facts, words, now),
        title=step_title(facts, words),
        state=_state(facts, words),
    )
    return _with_what_was_written(told, facts, words)


def changed_notice(facts: Facts, words: Words, *, now: datetime) -> Markup:
    """Say what a step has become meanwhile."""
    if facts["by"] is None:
        told = words.say(
            ":information_source: {title} has changed meanwhile: it is open. Nothing was changed.",
            title=step_title(facts, words),
        )
        return _with_what_was_written(told, facts, words)
    told = words.say(
        ":information_source: {title} has changed meanwhile: {who} marked it “{state}” {ago} ago. Nothing "
        "was changed; if you see it otherwise, press again.",
        title=step_title(facts, words),
        who=marker(facts["by"], words),
        state=_state(facts, words),
        ago=_ago(facts, words, now),
    )
    if facts["why"]:
        told = words.say("{told}\nTheir reason: {why}", told=told, why=facts["why"])
    return _with_what_was_written(told, facts, words)


def why_needed_notice(facts: Facts, words: Words) -> Markup:
    """Say that a reason is missing."""
    return words.say(
        ":x: {title} stays “{state}”: this needs a reason. Press again and write why.",
        title=step_title(facts, words),
        state=_state(facts, words),
    )


def taken_notice(facts: Facts, words: Words, *, now: datetime) -> Markup:
    """Say who has a step already."""
    return words.say(
        ":information_source: {title} is with {owner} already, by {who}, since {ago}. Nothing was changed.",
        title=step_title(facts, words),
        owner=words.person(facts["owner"]),
        who=words.person(facts["by"]),
        ago=_ago(facts, words, now),
    )


def no_such_step_notice(facts: Facts, words: Words) -> Markup:
    """Say that the playbook has no such step."""
    return words.say(
        ":x: This incident's checklist has no step {step}. Nothing was changed.",
        step=words.code(facts["step"]),
    )


def _with_what_was_written(told: Markup, facts: Facts, words: Words) -> Markup:
    """Give people back what they wrote: nothing of it is lost."""
    wrote = facts.get("wrote")
    return words.say("{told}\nYou wrote: {wrote}", told=told, wrote=wrote) if wrote else told


def _state(facts: Facts, words: Words) -> Markup:
    return state_name(StepState(facts["state"]), words)


def _ago(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.duration(max(now - datetime.fromisoformat(facts["at"]), timedelta()))
