"""How deployments are watched, as it reads on paper, and what each mode of a rule means."""

from collections.abc import Iterator

from bot.domain.guide import Mode
from bot.domain.playbook import Playbook
from bot.slack.text import Words
from bot.slack.views.pages import Heading, Paragraph, Piece, listed


def mode_text(mode: Mode, stop_seconds: int, words: Words) -> str:
    """Return what the bot does in a mode."""
    if mode is Mode.TELL:
        return words.plain("tells")
    if mode is Mode.RECOMMEND:
        return words.plain("recommends")
    if not stop_seconds:
        return words.plain("rolls back by itself, at once, where armed")
    return words.plain("rolls back by itself, {seconds} s to stop it, where armed", seconds=stop_seconds)


def watch_text(playbook: Playbook, words: Words) -> Iterator[Piece]:
    """Yield how long a reading is, what makes it red, when the early warning comes, and its bounds."""
    yield Heading(2, words.plain("How deployments are watched"))
    yield listed([*_readings(playbook, words), *_bounds(playbook, words)])
    yield Heading(3, words.plain("The early warning"))
    yield Paragraph(_early_warning(playbook, words))


def _readings(playbook: Playbook, words: Words) -> Iterator[str]:
    plan = playbook.watch
    if plan.starts_by_itself:
        yield words.plain("It begins by itself when a canary gets traffic.")
    else:
        yield words.plain("It begins when somebody says so: /canary watch")
    channel = playbook.channels.watch or playbook.channels.incidents
    yield words.plain("Its message stands in: {channel}", channel=channel)
    yield words.plain(
        "A reading of the request log lasts {seconds} s; with fewer than {count} requests it lasts longer, "
        "up to {most} s, and is inconclusive then.",
        seconds=plan.reading_seconds,
        count=playbook.thresholds.min_requests,
        most=plan.longest_reading_seconds,
    )
    yield words.plain(
        "With fewer than {count} errors in a reading its error rate is never red.", count=plan.min_errors
    )
    if plan.probe:
        yield words.plain("The health addresses of both sides are asked, to see a service that is down.")
    else:
        yield words.plain(
            "No health address is asked: a service that is down is seen by its failed requests."
        )


def _bounds(playbook: Playbook, words: Words) -> Iterator[str]:
    yield words.plain(
        "At most this many automatic rollbacks of one target: {hour} in an hour, {day} in a day.",
        hour=playbook.watch.most_automatic_per_hour,
        day=playbook.watch.most_automatic_per_day,
    )


def _early_warning(playbook: Playbook, words: Words) -> str:
    early = playbook.watch.early_warning
    return words.plain(
        "A score that fills only with errors beyond {line:g} %, and only where stable does not see the same. "
        "Full, it does this: {mode}. At most one false alarm in {deployments:,.0f} healthy deployments of "
        "{hours:g} hours.",
        line=playbook.thresholds.error_rate_percent.red_above,
        mode=mode_text(early.mode, early.stop_seconds, words),
        deployments=1 / early.false_alarms_per_deployment,
        hours=early.deployment_hours,
    )
