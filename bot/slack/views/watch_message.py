"""One deployment being watched: flags, the last hour, the streak beside the score, what comes next."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from bot.domain.automatics import Automatics
from bot.domain.flags import flags
from bot.domain.ids import TargetName
from bot.domain.judge_state import full_percent
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric, Side, Source
from bot.domain.readings_in_a_row import readings_wanted
from bot.domain.timeline import Entry, Event
from bot.domain.watch import AFTERWARDS_FOR, SourceState, Watch, WatchSource, WatchState
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.numbers import age, metric_name, quantity, reading_line, side_name, source_name
from bot.slack.views.paragraphs import CONTEXT_LIMIT, paragraphs
from bot.slack.views.parts import SECTION_LIMIT, Block, actions, button, context, fit, header, section
from bot.slack.views.rollback_message import Message
from bot.slack.views.sparkline import columns, sparkline
from bot.slack.views.timeline import entry_line
from bot.slack.views.watch_words import (
    automatics_line,
    ended_sentence,
    limit_text,
    source_title,
)

#: Two sides with four metrics each; a message of more lines is no message.
MOST_FLAGS = 16
#: As much of a source's own words as a line shows.
PROBLEM_SHOWN = 300


def watch_message(
    watch: Watch,
    playbook: Playbook,
    words: Words,
    *,
    now: datetime,
    automatics: Automatics | None = None,
) -> Message:
    """Render a watch as it stands. `now` (aware, UTC) is what ages count up to; `automatics` the target's."""
    as_of = watch.ended_at or now
    title = _title(watch, words)
    lines = [
        _what(watch, words, now=now),
        *_flag_lines(watch, playbook, words, now=as_of),
        *_hour(watch, playbook, words, until=as_of),
    ]
    if watch.state is WatchState.WATCHING:
        lines += judged_lines(watch, playbook, words, now=now)
    if watch.going_on:
        lines += [
            *source_problems(watch, words),
            automatics_line(automatics, watch.id, playbook, words, now=now),
        ]
    blocks: list[Block] = [header(title), *(section(text) for text in paragraphs(lines))]
    blocks.append(context(*paragraphs([_foot(watch, playbook, words, now=now)], limit=CONTEXT_LIMIT)))
    text = fit(words.say("{title}. {what}", title=title, what=lines[0]), SECTION_LIMIT)
    return Message(text=text, blocks=blocks + _buttons(watch, words))


def _title(watch: Watch, words: Words) -> str:
    if watch.state is WatchState.ENDED:
        return words.plain("{target}: the watch has ended", target=watch.id)
    if watch.state is WatchState.AFTERWARDS:
        return words.plain("{target}: rolled back, watching stable", target=watch.id)
    return words.plain("Watching {target}: canary at {percent} %", target=watch.id, percent=watch.percent)


def _what(watch: Watch, words: Words, *, now: datetime) -> Markup:
    if watch.state is WatchState.ENDED:
        return _ended(watch, words)
    if watch.state is WatchState.AFTERWARDS:
        return _afterwards(watch, words)
    text = words.say(
        "{canary} has {percent} % of the traffic, {stable} the rest.",
        canary=words.code(watch.canary),
        percent=watch.percent,
        stable=words.code(watch.stable),
    )
    if watch.identity != watch.canary:
        text = words.say("{text} It runs {revision}.", text=text, revision=words.code(watch.identity))
    if watch.deployed_at is not None:
        since = words.duration(max(now - watch.deployed_at, timedelta()))
        text = words.say("{text} Deployed {since} ago.", text=text, since=since)
    if watch.closely_until is not None and watch.closely(now=now):
        until = words.clock(watch.closely_until)
        text = words.say("{text} Watched more closely until {until}.", text=text, until=until)
    return text


def _afterwards(watch: Watch, words: Words) -> Markup:
    at = watch.rolled_back_at or watch.created_at
    return words.say(
        "{canary} was rolled back at {at}. {stable} is watched until {until}, for the checklist.",
        canary=words.code(watch.canary),
        at=words.clock(at),
        stable=words.code(watch.stable),
        until=words.clock(at + AFTERWARDS_FOR),
    )


def _ended(watch: Watch, words: Words) -> Markup:
    text = words.say(
        "The watch of {canary} has ended, {at}. {why}",
        canary=words.code(watch.canary),
        at=words.moment(watch.ended_at or watch.created_at),
        why=ended_sentence(watch, words),
    )
    if watch.rolled_back_at is None:
        return text
    return words.say("{text} It was rolled back at {at}.", text=text, at=words.clock(watch.rolled_back_at))


def _flag_lines(watch: Watch, playbook: Playbook, words: Words, *, now: datetime) -> list[Markup]:
    thresholds, least = playbook.thresholds, playbook.watch.min_errors
    coloured = flags(watch.readings, thresholds, now=now, min_errors=least)
    if not coloured:
        return [words.say("No numbers yet.")]
    lines = [reading_line(flag, words, now=now) for flag in coloured[:MOST_FLAGS]]
    left = len(coloured) - len(lines)
    lines += [words.say("… {rest} more", rest=left)] if left else []
    official = flags(watch.official, thresholds, now=now, min_errors=least)[:MOST_FLAGS]
    if not official:
        return lines
    said = Markup("; ".join(reading_line(flag, words, now=now) for flag in official))
    return [*lines, words.say("Officially: {readings}", readings=said)]


def _hour(watch: Watch, playbook: Playbook, words: Words, *, until: datetime) -> list[Markup]:
    """Draw the last hour of each metric, both sides on one scale, with the guide's red line."""
    found: list[Markup] = []
    for metric in Metric:
        sides = {side: columns(watch.points, metric, side, until=until) for side in Side}
        known = [value for values in sides.values() for value in values if value is not None]
        if not known:
            continue
        red = playbook.thresholds.limits(metric).red_above
        found.append(
            words.say(
                "*{metric}*, the last hour (red above {limit})",
                metric=metric_name(metric, words),
                limit=limit_text(metric, red, words),
            )
        )
        found += [_spark(values, metric, side, words, top=max(red, *known)) for side, values in sides.items()]
    return found


def _spark(values: Sequence[float | None], metric: Metric, side: Side, words: Words, *, top: float) -> Markup:
    known = [value for value in values if value is not None]
    line = words.code(sparkline(values, top=top))
    if not known:
        return words.say("{line} {side}: no data", line=line, side=side_name(side, words))
    return words.say(
        "{line} {side}: last {last_one}, highest {highest}",
        line=line,
        side=side_name(side, words),
        last_one=quantity(metric, known[-1], words),
        highest=quantity(metric, max(known), words),
    )


def judged_lines(watch: Watch, playbook: Playbook, words: Words, *, now: datetime) -> list[Markup]:
    """Show the guide's streak beside the score, each with its source and its age."""
    state, wanted = watch.judge, readings_wanted(playbook)
    lines = [
        words.say(
            ":scales: *The guide's rule*: {bad:d} of {wanted:d} red readings in a row ({origin})",
            bad=min(state.error_streak.bad, wanted),
            wanted=wanted,
            origin=_origin(watch, state.error_streak.until or state.until, words, now=now),
        ),
        words.say(
            ":scales: *The score*: {warning:.0f} % full for a warning, {trigger:.0f} % for acting; it fills "
            "with errors beyond {limit} ({origin})",
            warning=full_percent(state.errors_warning, state.height),
            trigger=full_percent(state.errors_trigger, state.height),
            limit=limit_text(Metric.ERROR_RATE, playbook.thresholds.error_rate_percent.red_above, words),
            origin=_origin(watch, state.until, words, now=now),
        ),
    ]
    if state.slow_warning.level > 0 or state.slow_trigger.level > 0:
        lines.append(
            words.say(
                ":scales: *The score of slowness*: {warning:.0f} % full for a warning, {trigger:.0f} % for "
                "acting; it fills with requests slower than {limit} ({origin})",
                warning=full_percent(state.slow_warning, state.slow_height),
                trigger=full_percent(state.slow_trigger, state.slow_height),
                limit=limit_text(Metric.P95, playbook.thresholds.p95_ms.red_above, words),
                origin=_origin(watch, state.until, words, now=now),
            )
        )
    return lines


def _origin(watch: Watch, until: datetime | None, words: Words, *, now: datetime) -> Markup:
    if until is None:
        return words.say("nothing read yet")
    return words.say(
        "{source}, {age}",
        source=source_name(_judged_from(watch), words),
        age=age(max(now - until, timedelta()), words),
    )


def _judged_from(watch: Watch) -> Source:
    """Return where the newest counts are from: the request log, unless that could not be read."""
    rates = (r for r in watch.readings if r.metric is Metric.ERROR_RATE and r.side is Side.CANARY)
    newest = max(rates, key=lambda reading: reading.until, default=None)
    if newest is not None:
        return newest.source
    log = watch.sources.get(WatchSource.REQUEST_LOG)
    return Source.MONITORING if log is not None and log.problem else Source.REQUEST_LOG


def source_problems(watch: Watch, words: Words) -> list[Markup]:
    """Name every source that cannot be read, or leaves something out."""
    lines = []
    for source, state in watch.sources.items():
        if state.problem is not None:
            lines.append(_problem(source, state, words))
        if state.suppressed:
            lines.append(
                words.say(
                    ":warning: {source}: Google left {count} entries out, so counts are too low.",
                    source=source_title(source, words),
                    count=state.suppressed,
                )
            )
    return lines


def _problem(source: WatchSource, state: SourceState, words: Words) -> Markup:
    why = (state.problem or "?")[:PROBLEM_SHOWN]
    if state.well_at is None:
        text = words.say(
            ":warning: {source}: could not be read yet: {why}.", source=source_title(source, words), why=why
        )
    else:
        text = words.say(
            ":warning: {source}: could not be read since {since}: {why}.",
            source=source_title(source, words),
            since=words.clock(state.well_at),
            why=why,
        )
    if source is not WatchSource.REQUEST_LOG:
        return text
    return words.say("{text} Cloud Monitoring takes its place, which is minutes late.", text=text)


def _foot(watch: Watch, playbook: Playbook, words: Words, *, now: datetime) -> Markup:
    text = words.say(
        "Watch {number}, begun by {who}, {at}.",
        number=watch.number,
        who=words.person(watch.started_by),
        at=words.moment(watch.created_at),
    )
    if watch.alerts:
        text = words.say("{text} Alerts: {count}.", text=text, count=watch.alerts)
    if watch.state is WatchState.ENDED:
        again = words.code(f"/canary watch {watch.id}")
        return words.say("{text} Watch again with {command}.", text=text, command=again)
    text = words.say("{text} As of {at}.", text=text, at=words.clock(now))
    if watch.state is WatchState.AFTERWARDS:
        return text
    return words.say(
        "{text} {next_check}", text=text, next_check=_next_check(watch, playbook, words, now=now)
    )


def _next_check(watch: Watch, playbook: Playbook, words: Words, *, now: datetime) -> Markup:
    every = playbook.thresholds.check_every_minutes
    due = (watch.checked_at or watch.created_at) + timedelta(minutes=every)
    if due <= now:
        return words.say("The guide's check, every {every:g} min, is due now.", every=every)
    return words.say(
        "The guide's check, every {every:g} min, is due in {minutes} min, at {at}.",
        every=every,
        minutes=ceil((due - now).total_seconds() / 60),
        at=words.clock(due),
    )


def _buttons(watch: Watch, words: Words) -> list[Block]:
    if not watch.going_on:
        return []
    status = button(words.plain("Status"), action=ActionId.CANARY_STATUS, value=watch.id)
    stop = button(words.plain("Stop watching"), action=ActionId.WATCH_STOP, value=watch.subject)
    if watch.state is WatchState.AFTERWARDS:
        return [actions(status, stop)]
    roll_back = button(
        words.plain("Roll back…"), action=ActionId.WATCH_ROLL_BACK, value=watch.id, style="danger"
    )
    return [actions(roll_back, status, stop)]


def replaced_watch_message(target: TargetName, entries: Sequence[Entry], words: Words) -> Message:
    """Render a watch that another one has replaced, by its timeline: `entries` in order."""
    title = words.plain("{target}: the watch has ended", target=target)
    told = [entry for entry in entries if entry.event in (Event.WATCH_BEGUN, Event.WATCH_ENDED)]
    lines = [entry_line(entry, words) for entry in told]
    blocks = [header(title), *(section(text) for text in paragraphs(lines))]
    return Message(text=fit("\n".join([words.safe(title), *lines]), SECTION_LIMIT), blocks=blocks)
