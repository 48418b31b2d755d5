"""What a timeline tells of a drill: the first line of its incidents, and its end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.slack.text import Markup, Words

Facts = Mapping[str, Any]


def begun_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Say that this is a drill, of what, and since when."""
    names = facts.get("scenario_name") or {}
    return words.say(
        "DRILL: a failure made on purpose, to practise: {scenario}, since {at}",
        scenario=words.bold(names.get(words.locale) or names.get("en") or str(facts["scenario"])),
        at=words.clock(datetime.fromisoformat(facts["began_at"])),
    )


def ended_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Say that the drill is over."""
    return words.say("The drill is over: the incident is closed, and what it left to do is dropped")
