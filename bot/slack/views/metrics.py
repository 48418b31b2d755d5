"""``/canary metrics``, answered from what the watch already knows."""

from bot.domain.flags import Flag, flags
from bot.domain.last_hour import LastHour
from bot.domain.playbook import Playbook
from bot.domain.status import Status
from bot.slack.text import Markup, Words
from bot.slack.views.numbers import reading_line
from bot.slack.views.paragraphs import paragraphs
from bot.slack.views.parts import SECTION_LIMIT, context, fit, header, section
from bot.slack.views.rollback_message import Message
from bot.slack.views.sparkline import columns, sparkline
from bot.slack.views.status import read_when, silent_lines


def metrics_message(status: Status, hour: LastHour, playbook: Playbook, words: Words) -> Message:
    """Render every flag of both sides, the worst first, each with its last hour in a row of blocks."""
    title = words.plain("Metrics of {target}", target=status.target)
    coloured = flags(
        status.readings, playbook.thresholds, now=status.read_at, min_errors=playbook.watch.min_errors
    )
    lines = [_line(flag, status, hour, playbook, words) for flag in coloured]
    lines += silent_lines(status, words)
    text = fit("\n".join([title, *lines]), SECTION_LIMIT)
    foot = words.say("{when} A picture of the last hour follows.", when=read_when(status, words))
    return Message(
        text=text, blocks=[header(title), *(section(part) for part in paragraphs(lines)), context(foot)]
    )


def _line(flag: Flag, status: Status, hour: LastHour, playbook: Playbook, words: Words) -> Markup:
    metric, side = flag.reading.metric, flag.reading.side
    line = reading_line(flag, words, now=status.read_at)
    values = columns(hour.points, metric, side, until=hour.until)
    known = [value for value in values if value is not None]
    if not known:
        return line
    # The red line is always on the scale: what is low looks low.
    top = max(playbook.thresholds.limits(metric).red_above, *known)
    return Markup(f"{line}\n{words.code(sparkline(values, top=top))}")
