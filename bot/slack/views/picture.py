"""The picture of the last hour: its texts, and the message that shows it."""

from collections.abc import Mapping
from typing import Any

from bot.domain.last_hour import Happened, LastHour
from bot.domain.picture import Mark, Picture
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric, Side
from bot.slack.text import Markup, Words
from bot.slack.views.numbers import metric_name, side_name
from bot.slack.views.parts import Block, plain, section
from bot.slack.views.rollback_message import Message


def picture_of(hour: LastHour, thresholds: Thresholds, words: Words) -> Picture:
    """Return the picture with all its texts, in the language and the zone of `words`."""
    error_rate, p95, memory, cpu = (
        words.plain("{metric}, {unit}", metric=metric_name(metric, words), unit=metric.unit)
        for metric in Metric
    )
    return Picture(
        title=words.plain("{target}: the last hour", target=hour.target),
        canary=_named(Side.CANARY, hour.canary, words),
        stable=_named(Side.STABLE, hour.stable, words),
        metrics=(error_rate, p95, memory, cpu),
        points=hour.points,
        thresholds=thresholds,
        until=hour.until,
        marks=tuple(Mark(at=at, text=_happened(what, words)) for at, what in hour.happened),
        zone=words.zone,
    )


def _named(side: Side, name: str, words: Words) -> str:
    return f"{side_name(side, words)}: {name}" if name else str(side_name(side, words))


def _happened(what: Happened, words: Words) -> str:
    return {
        Happened.DEPLOYED: words.plain("deployed"),
        Happened.ROLLED_BACK: words.plain("rolled back"),
    }[what]


def picture_message(facts: Mapping[str, Any], words: Words) -> Message:
    """Render what `bot.usecases.send_picture` tells: the uploaded `file`, or `why` there is none."""
    target = words.bold(facts["target"])
    if "file" not in facts:
        text = _none(facts, target, words)
        return Message(text=text, blocks=[section(text)])
    text = words.say(
        "{target}: error rate, P95 response time, memory and CPU of canary and stable over the last hour.",
        target=target,
    )
    return Message(text=text, blocks=[_image(facts["file"], facts["target"], words)])


def _none(facts: Mapping[str, Any], target: Markup, words: Words) -> Markup:
    if "why" in facts:
        return words.say(
            ":information_source: There is no picture of {target} just now: {why}",
            target=target,
            why=facts["why"],
        )
    return words.say(
        ":information_source: There is no picture of {target}: the last hour holds no numbers.", target=target
    )


def _image(file: str, target: str, words: Words) -> Block:
    alt = words.plain(
        "Error rate, P95 response time, memory and CPU of canary and stable over the last hour, with the "
        "lines of yellow and red"
    )
    title = words.plain("{target}: the last hour", target=target)
    return {
        "type": "image",
        "slack_file": {"id": file},
        "alt_text": alt,
        "title": plain(title, limit=2000),
    }
