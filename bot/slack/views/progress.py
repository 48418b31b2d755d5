"""One step of something under way: reached, waited for, or never reached."""

from datetime import datetime, timedelta

from bot.slack.text import Markup, Words


def progress_line(
    name: Markup, at: datetime | None, words: Words, *, began: datetime, now: datetime, over: bool
) -> Markup:
    """Render the step `name`, reached `at` or not yet; `over` says that nothing will follow any more."""
    if at is not None:
        return words.say(
            ":white_check_mark: {name}, after {took} ({at})",
            name=name,
            took=_seconds(at - began, words),
            at=words.clock(at),
        )
    if over:
        return words.say(":x: not {name}", name=name)
    waited = _seconds(now - began, words)
    return words.say(":hourglass_flowing_sand: {name} … {waited}", name=name, waited=waited)


def _seconds(length: timedelta, words: Words) -> Markup:
    return words.say("{seconds:.1f} s", seconds=max(length.total_seconds(), 0.0))
