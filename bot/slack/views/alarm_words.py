"""An alarm's rule in one sentence with its numbers, and what it is called."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from bot.domain.alarm import AlarmKind
from bot.domain.automatics import NotByItself
from bot.domain.playbook import Playbook, Thresholds
from bot.domain.readings import Metric, Source
from bot.slack.text import Markup, Words
from bot.slack.views.numbers import age, metric_name, quantity, source_name
from bot.slack.views.watch_words import limit_text

Facts = Mapping[str, Any]

#: The guide's own lines.
GUIDE = Thresholds()
#: As much of a probe's own words as a sentence takes.
PROBLEM_SHOWN = 200
#: The metric that an alarm is about, where its facts name none.
_METRICS = {
    AlarmKind.ERROR_RATE_ONCE: Metric.ERROR_RATE,
    AlarmKind.ERROR_RATE_IN_A_ROW: Metric.ERROR_RATE,
    AlarmKind.EARLY_WARNING: Metric.ERROR_RATE,
    AlarmKind.SHARED: Metric.ERROR_RATE,
    AlarmKind.RESPONSE_TIME: Metric.P95,
    AlarmKind.CPU: Metric.CPU,
    AlarmKind.MEMORY_EXPLOSION: Metric.MEMORY,
}


def number(facts: Facts, key: str) -> float | None:
    """Return a fact that is a number, None where it is missing or none."""
    value = facts.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)


def metric_of(kind: AlarmKind, facts: Facts) -> Metric:
    """Return which metric an alarm is about."""
    named = facts.get("metric")
    return Metric(named) if named in set(Metric) else _METRICS.get(kind, Metric.ERROR_RATE)


def verdict_word(kind: AlarmKind, playbook: Playbook, words: Words) -> str:
    """Return the verdict of the rule behind an alarm, in the playbook's words where it has the rule."""
    rule = playbook.rule(kind)
    if rule is not None:
        return rule.verdict.in_(words.locale)
    return {
        AlarmKind.ERROR_RATE_ONCE: words.plain("Caution"),
        AlarmKind.CPU: words.plain("Caution"),
        AlarmKind.EARLY_WARNING: words.plain("Early warning"),
        AlarmKind.RESPONSE_TIME: words.plain("Danger"),
        AlarmKind.ERROR_RATE_IN_A_ROW: words.plain("Danger"),
        AlarmKind.SHARED: words.plain("Not the canary's fault"),
    }.get(kind) or words.plain("Crisis")


def what_happens(kind: AlarmKind, facts: Facts, words: Words) -> str:
    """Return what an alarm is about in a few words, as plain text."""
    slow = metric_of(kind, facts) is Metric.P95
    return {
        AlarmKind.ERROR_RATE_ONCE: words.plain("the error rate is red"),
        AlarmKind.ERROR_RATE_IN_A_ROW: words.plain("the error rate stays red"),
        AlarmKind.DATA_LOSS: words.plain("data is lost"),
        AlarmKind.MEMORY_EXPLOSION: words.plain("memory runs full"),
        AlarmKind.SERVICE_DOWN: words.plain("the canary does not answer"),
        AlarmKind.EARLY_WARNING: words.plain("more slow requests than allowed")
        if slow
        else words.plain("more errors than allowed"),
        AlarmKind.RESPONSE_TIME: words.plain("the response time is red"),
        AlarmKind.CPU: words.plain("CPU stays red"),
        AlarmKind.SHARED: words.plain("stable is just as bad"),
    }[kind]


def rule_sentence(
    kind: AlarmKind,
    facts: Facts,
    words: Words,
    *,
    canary: str,
    at: datetime,
    thresholds: Thresholds = GUIDE,
) -> Markup:
    """Return the rule that has become true in one sentence with its numbers, and stable's beside them.

    Args:
        facts: see `bot.domain.alarm.Alarm`.
        at: when the alarm was raised (aware, UTC); the data's age is counted up to it.
        thresholds: for facts that do not say which line was crossed.
    """
    metric = metric_of(kind, facts)
    if kind is AlarmKind.SHARED:
        return _shared(metric, facts, thresholds, words, canary=canary, at=at)
    if kind is AlarmKind.SERVICE_DOWN:
        return _down(facts, words, canary=canary, at=at)
    if kind is AlarmKind.MEMORY_EXPLOSION:
        return _memory(facts, thresholds, words, canary=canary, at=at)
    if kind is AlarmKind.DATA_LOSS:
        return words.say("People report that data is lost.")
    if number(facts, "excess") is not None:
        return _score(metric, facts, thresholds, words, canary=canary, at=at)
    return _above(metric, facts, thresholds, words, canary=canary, at=at)


def _above(
    metric: Metric, facts: Facts, thresholds: Thresholds, words: Words, *, canary: str, at: datetime
) -> Markup:
    """A metric above its line, once or several times in a row."""
    limit = number(facts, "limit")
    values: dict[str, Any] = {
        "metric": metric_name(metric, words),
        "canary": words.code(canary),
        "value": words.bold(quantity(metric, number(facts, "value"), words)),
        "origin": origin(facts, words, at=at),
        "limit": limit_text(metric, thresholds.limits(metric).red_above if limit is None else limit, words),
    }
    in_a_row = int(number(facts, "in_a_row") or 1)
    if in_a_row > 1:
        text = words.say(
            "{metric} of the canary {canary} is {value} ({origin}), above {limit} in {readings:d} readings "
            "in a row",
            readings=in_a_row,
            **values,
        )
    else:
        text = words.say("{metric} of the canary {canary} is {value} ({origin}), above {limit}", **values)
    return _beside_stable(text, metric, facts, words)


def _beside_stable(text: Markup, metric: Metric, facts: Facts, words: Words) -> Markup:
    value, requests = number(facts, "stable_value"), number(facts, "stable_requests")
    if value is None:
        return words.say("{text}.", text=text)
    stable = quantity(metric, value, words)
    if requests is None:
        return words.say("{text}; stable: {stable}.", text=text, stable=stable)
    return words.say(
        "{text}; stable: {stable} of {requests:,.0f} requests.", text=text, stable=stable, requests=requests
    )


def _score(
    metric: Metric, facts: Facts, thresholds: Thresholds, words: Words, *, canary: str, at: datetime
) -> Markup:
    """The score's one sentence. Source: reference/detection.md, "The score in one sentence"."""
    told = _more_than_allowed(metric, facts, thresholds, words, canary=canary)
    text = words.say(
        "{text}, and {stable} ({origin})",
        text=told,
        stable=words.say("stable has no traffic to compare with")
        if facts.get("no_baseline")
        else words.say("stable is not seeing the same"),
        origin=origin(facts, words, at=at, slow=metric is Metric.P95),
    )
    if metric is Metric.P95:
        return words.say("{text}.", text=text)
    return _beside_stable(text, metric, facts, words)


def _more_than_allowed(
    metric: Metric, facts: Facts, thresholds: Thresholds, words: Words, *, canary: str
) -> Markup:
    limit = number(facts, "limit")
    red = thresholds.limits(metric).red_above if limit is None else limit
    values: dict[str, Any] = {
        "canary": words.code(canary),
        "excess": number(facts, "excess") or 0.0,
        "limit": limit_text(metric, red, words),
        "seconds": number(facts, "seconds") or 0.0,
    }
    if metric is not Metric.P95:
        return words.say(
            "The canary {canary} has produced {excess:.0f} more errors than an error rate of {limit} allows, "
            "built up over {seconds:.0f} s",
            **values,
        )
    line = number(facts, "line_percent")
    if line is None:
        return words.say(
            "The canary {canary} has answered {excess:.0f} more requests slower than {limit} than a healthy "
            "one may, built up over {seconds:.0f} s",
            **values,
        )
    return words.say(
        "The canary {canary} has answered {excess:.0f} more requests slower than {limit} than the {line:g} % "
        "that are allowed, built up over {seconds:.0f} s",
        line=line,
        **values,
    )


def _shared(
    metric: Metric, facts: Facts, thresholds: Thresholds, words: Words, *, canary: str, at: datetime
) -> Markup:
    told = (
        _more_than_allowed(metric, facts, thresholds, words, canary=canary)
        if number(facts, "excess") is not None
        else words.say(
            "{metric} of the canary {canary} is {value}",
            metric=metric_name(metric, words),
            canary=words.code(canary),
            value=words.bold(quantity(metric, number(facts, "value"), words)),
        )
    )
    slow = metric is Metric.P95 and number(facts, "excess") is not None
    text = words.say(
        "{text} ({origin}), but stable is just as bad",
        text=told,
        origin=origin(facts, words, at=at, slow=slow),
    )
    bad = number(facts, "stable_is_bad")
    if bad is not None and number(facts, "stable_value") is None:
        return words.say("{text}: {bad:.2f} % of its requests.", text=text, bad=100 * bad)
    return words.say("{text}.", text=text) if slow else _beside_stable(text, metric, facts, words)


def _memory(facts: Facts, thresholds: Thresholds, words: Words, *, canary: str, at: datetime) -> Markup:
    value = number(facts, "memory")
    value, red = number(facts, "value") if value is None else value, number(facts, "limit")
    text = words.say(
        "Memory of the canary {canary} is at {value} ({origin}), red above {limit}",
        canary=words.code(canary),
        value=words.bold(quantity(Metric.MEMORY, value, words)),
        origin=origin(facts, words, at=at),
        limit=limit_text(
            Metric.MEMORY, red if red is not None else thresholds.memory_percent.red_above, words
        ),
    )
    rising, full = number(facts, "percent_per_minute"), number(facts, "full_in_seconds")
    if rising is not None and rising > 0:
        text = words.say("{text}, and rises by {rising:.1f} points a minute", text=text, rising=rising)
    if full is not None:
        # Slower than a day is no warning; and no length of time is longer than people plan.
        length = words.duration(timedelta(seconds=min(max(full, 0.0), 86_400.0)))
        text = words.say("{text}: full in {length}", text=text, length=words.bold(length))
    return _beside_stable(text, Metric.MEMORY, facts, words)


def _down(facts: Facts, words: Words, *, canary: str, at: datetime) -> Markup:
    failures, missing = number(facts, "failures"), number(facts, "missing")
    values: dict[str, Any] = {
        "canary": words.code(canary),
        "seconds": number(facts, "seconds") or 0.0,
        "origin": origin(facts, words, at=at),
    }
    if missing is not None:
        text = words.say(
            "The canary {canary} is silent: {missing:.0f} requests that stable's traffic implies did not "
            "come, over {seconds:.0f} s ({origin})",
            missing=missing,
            **values,
        )
    elif failures is None:
        text = words.say("The canary {canary} does not answer ({origin})", **values)
    elif facts.get("source") == "probe":
        text = words.say(
            "The canary {canary} does not answer: {failures:.0f} probes in a row have failed, over "
            "{seconds:.0f} s ({origin})",
            failures=failures,
            **values,
        )
    else:
        text = words.say(
            "The canary {canary} answers nothing well: {failures:.0f} requests in a row have failed, over "
            "{seconds:.0f} s ({origin})",
            failures=failures,
            **values,
        )
    return _and_stable(text, facts, words)


def _and_stable(text: Markup, facts: Facts, words: Words) -> Markup:
    if facts.get("stable_well") is True:
        text = words.say("{text}, while stable answers", text=text)
    elif facts.get("stable_well") is False:
        text = words.say("{text}; stable does not answer either", text=text)
    if facts.get("answers_requests"):
        text = words.say("{text}; but the canary answers users' requests all the same", text=text)
    problem = facts.get("problem")
    if isinstance(problem, str) and problem:
        text = words.say("{text}: {problem}", text=text, problem=problem[:PROBLEM_SHOWN])
    return _beside_stable(text, Metric.ERROR_RATE, facts, words)


def origin(facts: Facts, words: Words, *, at: datetime, slow: bool = False) -> Markup:
    """Return over how many requests a number is, from where, and how old its data was at `at`.

    `slow`: what is counted are slow requests, not errors.
    """
    requests, errors = number(facts, "requests"), number(facts, "errors")
    parts = []
    if requests is not None and errors is not None:
        counted: dict[str, Any] = {"errors": errors, "requests": requests}
        parts.append(
            words.say("{errors:,.0f} slow ones of {requests:,.0f} requests", **counted)
            if slow
            else words.say("{errors:,.0f} of {requests:,.0f} requests", **counted)
        )
    elif requests is not None:
        parts.append(words.say("{requests:,.0f} requests", requests=requests))
    source = facts.get("source")
    if source in set(Source):
        parts.append(source_name(str(source), words))
    until = facts.get("until")
    if isinstance(until, str):
        parts.append(age(max(at - datetime.fromisoformat(until), timedelta()), words))
    return Markup(", ".join(parts)) if parts else words.say("source not named")


def beside_lines(facts: Facts, words: Words) -> list[Markup]:
    """Return the guide's streak beside the score, as far as an alarm's facts hold them."""
    streak, wanted = number(facts, "in_a_row"), number(facts, "readings")
    score, trigger = number(facts, "score_percent"), number(facts, "trigger_percent")
    parts = []
    if streak is not None and wanted is not None:
        parts.append(
            words.say(
                "the guide's rule: {bad:.0f} of {wanted:.0f} red readings in a row",
                bad=min(streak, wanted),
                wanted=wanted,
            )
        )
    if score is not None and trigger is not None:
        parts.append(
            words.say(
                "the score: {warning:.0f} % full for a warning, {trigger:.0f} % for acting",
                warning=score,
                trigger=trigger,
            )
        )
    return [words.say("At that time {parts}.", parts=Markup("; ".join(parts)))] if parts else []


def why_not_by_itself(why: NotByItself, words: Words, *, mode: str) -> Markup:
    """Return why the bot does not roll back by itself, as the end of a sentence after "because"."""
    return {
        NotByItself.RULE_MODE: words.say("the playbook's mode for it is {mode}", mode=words.code(mode)),
        NotByItself.NOT_ARMED: words.say("nobody has armed it"),
        NotByItself.ON_HOLD: words.say("somebody has put the automatics on hold"),
        NotByItself.NOT_CONFIRMED: words.say("this is sure enough to recommend it, not to act"),
        NotByItself.NO_BASELINE: words.say("stable has no traffic to compare with"),
        NotByItself.TOO_MANY_THIS_HOUR: words.say("it has rolled back by itself within the last hour"),
        NotByItself.TOO_MANY_TODAY: words.say("it has rolled back by itself often enough today"),
        NotByItself.ROLLED_TO: words.say("it once rolled back to this very revision"),
        NotByItself.PERSON_PUT_IT_BACK: words.say(
            "this revision was rolled back before and a person has given it traffic again"
        ),
        NotByItself.PERSON_SAID_NO: words.say("a person has said that it is not this canary"),
        NotByItself.ALREADY_RUNNING: words.say("a rollback is running already"),
        NotByItself.SAFETY_FIRST: words.say("a person has to answer a question before a rollback"),
        NotByItself.COULD_NOT: words.say("it tried, and could not prepare the rollback"),
    }[why]
