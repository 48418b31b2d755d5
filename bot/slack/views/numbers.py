"""Numbers as people read them: value with unit, over how many, from where, how old."""

from datetime import datetime, timedelta

from bot.domain.flags import Colour, Flag, GreyWhy
from bot.domain.readings import Metric, Reading, Side
from bot.slack.text import Markup, Words

#: A colour is always shown with its word as well: one reader in twelve cannot tell red from green.
_LAMPS = {
    Colour.RED: ":red_circle:",
    Colour.YELLOW: ":large_yellow_circle:",
    Colour.GREEN: ":large_green_circle:",
    Colour.GREY: ":white_circle:",
}


def lamp(colour: Colour, words: Words) -> Markup:
    """Return a flag as lamp and word."""
    word = {
        Colour.RED: words.say("red"),
        Colour.YELLOW: words.say("yellow"),
        Colour.GREEN: words.say("green"),
        Colour.GREY: words.say("grey"),
    }[colour]
    return Markup(f"{_LAMPS[colour]} {word}")


def metric_name(metric: Metric, words: Words) -> Markup:
    """Return what a metric is called."""
    return {
        Metric.ERROR_RATE: words.say("Error rate"),
        Metric.P95: words.say("P95 response time"),
        Metric.MEMORY: words.say("Memory"),
        Metric.CPU: words.say("CPU"),
    }[metric]


def side_name(side: Side, words: Words) -> Markup:
    """Return what a side is called."""
    return words.say("canary") if side is Side.CANARY else words.say("stable")


def source_name(source: str, words: Words) -> Markup:
    """Return what a source is called."""
    return {
        "monitoring": words.say("Cloud Monitoring"),
        "request_log": words.say("request log"),
        "probe": words.say("probe"),
        "cloud_run": words.say("Cloud Run"),
    }[source]


def quantity(metric: Metric, value: float | None, words: Words) -> Markup:
    """Return a value with its unit; "no data" for None."""
    if value is None:
        return words.say("no data")
    if metric is Metric.P95:
        return words.say("{value:.0f} ms", value=value)
    if metric is Metric.ERROR_RATE:
        return words.say("{value:.2f} %", value=value)
    return words.say("{value:.0f} %", value=value)


def reading_line(flag: Flag, words: Words, *, now: datetime) -> Markup:
    """Return one flag as a line: lamp, metric, side, value, sample, source, age."""
    reading = flag.reading
    return words.say(
        "{lamp} · {metric}, {side}: {value} ({origin})",
        lamp=lamp(flag.colour, words),
        metric=metric_name(reading.metric, words),
        side=side_name(reading.side, words),
        value=words.bold(quantity(reading.metric, reading.value, words)),
        origin=origin(flag, words, now=now),
    )


def origin(flag: Flag, words: Words, *, now: datetime) -> Markup:
    """Return what a number rests on: why it proves nothing, over how many, from where, how old."""
    reading = flag.reading
    parts = [_why_grey(flag, words), _sample(reading, words), source_name(reading.source, words)]
    if reading.value is not None:
        parts.append(age(reading.age(now=now), words))
    return Markup(", ".join(part for part in parts if part))


def _why_grey(flag: Flag, words: Words) -> Markup:
    return {
        None: Markup(""),
        GreyWhy.NO_DATA: words.say("the source holds no data"),
        GreyWhy.SOURCE_FAILED: words.say("could not be read: {why}", why=(flag.reading.problem or "?")[:200]),
        GreyWhy.TOO_FEW_REQUESTS: words.say("too few requests to tell"),
        GreyWhy.STALE: words.say("stale"),
    }[flag.why]


def _sample(reading: Reading, words: Words) -> Markup:
    if reading.value is None or reading.metric in (Metric.MEMORY, Metric.CPU):
        return Markup("")
    if reading.errors is not None:
        return words.say("{errors} of {sample} requests", errors=reading.errors, sample=reading.sample)
    return words.say("{sample} requests", sample=reading.sample)


def age(length: timedelta, words: Words) -> Markup:
    """Return how old data is."""
    return words.say("{length} old", length=words.duration(length))
