"""Pictures of a target and of an incident: their texts, and the messages that show them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident_picture import MemoryAhead, PictureMoment, Scene
from bot.domain.last_hour import Happened, LastHour
from bot.domain.observation import Point
from bot.domain.picture import Mark, MarkKind, Picture, TrendLine
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric, Side
from bot.slack.text import Markup, Words
from bot.slack.views.numbers import metric_name, quantity, side_name
from bot.slack.views.parts import Block, plain, section
from bot.slack.views.rollback_message import Message


def picture_of(hour: LastHour, thresholds: Thresholds, words: Words) -> Picture:
    """Return the picture with all its texts, in the language and the zone of `words`."""
    return Picture(
        title=words.plain("{target}: the last hour", target=hour.target),
        canary=_named(Side.CANARY, hour.canary, words),
        stable=_named(Side.STABLE, hour.stable, words),
        metrics=_headings(words),
        points=hour.points,
        thresholds=thresholds,
        until=hour.until,
        marks=tuple(_happened(what, at, words) for at, what in hour.happened),
        zone=words.zone,
        nothing=words.plain("no data"),
    )


def incident_picture(
    scene: Scene, *, label: str, target: str, thresholds: Thresholds, words: Words
) -> Picture:
    """Return the picture of an incident; `label` is such as ``INC-12``, the rest as in `picture_of`."""
    title = f"{label} · {target}"
    if scene.only is Metric.MEMORY:
        title = words.plain("{label} · {target}: memory", label=label, target=target)
    return Picture(
        title=title,
        canary=_named(Side.CANARY, scene.canary, words),
        stable=_named(Side.STABLE, scene.stable, words),
        metrics=_headings(words),
        points=scene.points,
        thresholds=thresholds,
        since=scene.since,
        until=scene.until,
        marks=tuple(Mark(at=at, text=mark_name(kind, words), kind=kind) for at, kind in scene.marks),
        zone=words.zone,
        nothing=words.plain("no data"),
        shaded=scene.shaded,
        only=scene.only,
        trend=_trend(scene.ahead, words) if scene.ahead else None,
    )


def picture_alt(words: Words) -> str:
    """Return what a picture of both sides shows, for those who cannot see it."""
    return words.plain(
        "Error rate, P95 response time, memory and CPU of canary and stable, with the lines of yellow and "
        "red, and marks for deployment, detection, decision and verdict"
    )


def mark_name(kind: MarkKind, words: Words) -> str:
    """Return what stands at a mark."""
    return {
        MarkKind.DEPLOYED: words.plain("deployed"),
        MarkKind.DETECTED: words.plain("detected"),
        MarkKind.DECIDED: words.plain("rollback decided"),
        MarkKind.VERIFIED: words.plain("verified"),
        MarkKind.NOT_VERIFIED: words.plain("ended, not verified"),
        MarkKind.OTHER: words.plain("rolled back"),
    }[kind]


def _headings(words: Words) -> tuple[str, str, str, str]:
    error_rate, p95, memory, cpu = (
        words.plain("{metric}, {unit}", metric=metric_name(metric, words), unit=metric.unit)
        for metric in Metric
    )
    return error_rate, p95, memory, cpu


def _named(side: Side, name: str, words: Words) -> str:
    return f"{side_name(side, words)}: {name}" if name else str(side_name(side, words))


def _happened(what: Happened, at: datetime, words: Words) -> Mark:
    kind = {Happened.DEPLOYED: MarkKind.DEPLOYED, Happened.ROLLED_BACK: MarkKind.OTHER}[what]
    return Mark(at=at, text=mark_name(kind, words), kind=kind)


def _trend(ahead: MemoryAhead, words: Words) -> TrendLine:
    text = words.plain("where the canary's is heading")
    if ahead.full_at is not None:
        text = words.plain(
            "heading for full at {at}", at=f"{ahead.full_at.astimezone(ZoneInfo(words.zone)):%H:%M}"
        )
    return TrendLine(at=ahead.at, value=ahead.value, until=ahead.until, last_value=ahead.last, text=text)


# In a thread: an uploaded file, or words where there is none.


def incident_picture_words(moment: PictureMoment, number: IncidentNumber, words: Words) -> tuple[str, str]:
    """Return title and comment of a picture's file."""
    label = incident_label(number)
    return {
        PictureMoment.DETECTION: (
            words.plain("{label} at its detection", label=label),
            words.say(":chart_with_upwards_trend: How it looked when it was detected."),
        ),
        PictureMoment.MEMORY: (
            words.plain("{label}: memory at its detection", label=label),
            words.say(":chart_with_upwards_trend: Memory of canary and stable when it was detected."),
        ),
        PictureMoment.VERDICT: (
            words.plain("{label} at the verdict", label=label),
            words.say(":chart_with_upwards_trend: Around the deployment, up to the verdict."),
        ),
    }[moment]


def no_incident_picture(scene: Scene, why: str, words: Words) -> Message:
    """Say why there is no picture (empty: there are no numbers), and the newest figures in words."""
    lines = [words.say(":information_source: There is no picture here: no minute holds any number.")]
    if why:
        lines = [words.say(":information_source: There is no picture here: {why}", why=why)]
    if scene.points:
        newest = scene.points[-1]
        lines.append(words.say("The minute until {at}:", at=words.clock(newest.at)))
        lines += [_figures(newest, side, words) for side in Side]
    text = Markup("\n".join(lines))
    return Message(text=text, blocks=[section(text)])


def _figures(point: Point, side: Side, words: Words) -> Markup:
    values = point.side(side)
    return words.say(
        "• {side}: error rate {error_rate}, P95 {p95}, memory {memory}, CPU {cpu}",
        side=side_name(side, words),
        error_rate=quantity(Metric.ERROR_RATE, values.error_rate, words),
        p95=quantity(Metric.P95, values.p95, words),
        memory=quantity(Metric.MEMORY, values.memory, words),
        cpu=quantity(Metric.CPU, values.cpu, words),
    )


# To one person who asked for a target's metrics.


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
