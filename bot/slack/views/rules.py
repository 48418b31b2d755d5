"""The guide's decision rules that apply now, in its own words, with the numbers that made them apply."""

from collections.abc import Iterable
from datetime import datetime

from bot.domain.decision import Applied
from bot.slack.text import Markup, Words
from bot.slack.views.numbers import reading_line


def rule_lines(applied: Iterable[Applied], words: Words, *, now: datetime) -> list[Markup]:
    """Return a line for each rule: situation, verdict, action, numbers; `now` is when those were read."""
    return [_line(one, words, now=now) for one in applied]


def _line(applied: Applied, words: Words, *, now: datetime) -> Markup:
    rule = applied.rule
    line = words.say(
        ":scales: The guide: {situation} → {verdict}: {action}",
        situation=rule.situation.in_(words.locale),
        verdict=words.bold(rule.verdict.in_(words.locale)),
        action=words.bold(rule.action.in_(words.locale)),
    )
    numbers = Markup("; ".join(reading_line(flag, words, now=now) for flag in applied.flags))
    return words.say("{line} · {numbers}", line=line, numbers=numbers) if numbers else line
