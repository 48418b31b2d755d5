"""``backout metrics``, ``logs`` and ``probe``: what the same commands show in Slack, in a terminal."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime

from rich.table import Table

from bot.bootstrap import House, utc_now
from bot.domain.faults import CloudFault
from bot.domain.flags import Colour, Flag, flags
from bot.domain.ids import TargetName
from bot.domain.last_hour import LastHour
from bot.domain.playbook import Playbook
from bot.domain.readings import Reading
from bot.slack.commands import Answer, LookCommand, parse_logs, parse_probe, parse_target
from bot.slack.text import Words
from bot.slack.views.finding import finding_message
from bot.slack.views.numbers import lamp, metric_name, origin, quantity, side_name
from bot.slack.views.plain_text import as_plain_text, unmarked
from bot.slack.views.sparkline import columns, sparkline
from bot.slack.views.status import read_when, silent_lines
from bot.terminal import USAGE, console, put, without_database, words_of
from bot.usecases.find_out import FINDING, Asked, look
from bot.usecases.known_status import read_known
from bot.usecases.ports import NotDrawn, StoreDown
from bot.usecases.report_status import STATUS, read_status
from bot.usecases.send_picture import read_hour

_STYLES = {Colour.RED: "red", Colour.YELLOW: "yellow", Colour.GREEN: "green", Colour.GREY: "dim"}

Parse = Callable[..., LookCommand | Answer]


async def show_metrics(house: House, target: str, *, as_json: bool) -> int:
    """Print every metric of both sides, the worst first, with its last hour; 1 where Google is silent."""
    words, playbook = words_of(house), house.playbooks.current()
    name = parse_target("metrics", target, targets=playbook.targets, words=words)
    if isinstance(name, Answer):
        put(name.text)
        return USAGE
    try:
        known = await read_known(name, store=house.store, clock=utc_now)
        status = known.status if known else await read_status(name, use=house.reporting())
        hour = await _hour(house, name)
    except StoreDown as error:
        return without_database(house, name, str(error))
    if as_json:
        sys.stdout.write(STATUS.dump_json(status, indent=2).decode() + "\n")
        return 1 if status.problem else 0
    if status.problem is not None:
        put(words.say("Cloud Run could not be read: {why}", why=status.problem))
        return 1
    console.print(metrics_table(status.readings, hour, playbook, words, now=status.read_at))
    for line in [*silent_lines(status, words), read_when(status, words)]:
        put(line)
    return 0


async def _hour(house: House, name: TargetName) -> LastHour | None:
    """Return the last hour; None where Google is silent: the numbers come all the same."""
    try:
        return await read_hour(name, house.picturing())
    except (CloudFault, NotDrawn):
        return None


def metrics_table(
    readings: Sequence[Reading], hour: LastHour | None, playbook: Playbook, words: Words, *, now: datetime
) -> Table:
    """Return every flag as a row, the worst first; `now` (aware, UTC) is what ages count up to."""
    thresholds = playbook.thresholds
    headings = (words.say("Flag"), words.say("Metric"), words.say("Side"), words.say("Value"))
    table = _table(*headings, words.say("From"), words.say("The last hour"))
    for flag in flags(readings, thresholds, now=now, min_errors=playbook.watch.min_errors):
        reading = flag.reading
        table.add_row(
            unmarked(lamp(flag.colour, words)),
            metric_name(reading.metric, words),
            side_name(reading.side, words),
            quantity(reading.metric, reading.value, words),
            origin(flag, words, now=now),
            _spark(flag, hour, red_above=thresholds.limits(reading.metric).red_above),
            style=_STYLES[flag.colour],
        )
    return table


def _spark(flag: Flag, hour: LastHour | None, *, red_above: float) -> str:
    if hour is None:
        return ""
    values = columns(hour.points, flag.reading.metric, flag.reading.side, until=hour.until)
    known = [value for value in values if value is not None]
    return sparkline(values, top=max(red_above, *known)) if known else ""


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


async def show_logs(house: House, written: Sequence[str], *, as_json: bool) -> int:
    """Print what the log says: `written` is what may follow ``/canary logs``."""
    return await _look(house, written, parse_logs, as_json=as_json)


async def show_probe(house: House, written: Sequence[str], *, as_json: bool) -> int:
    """Ask both sides and print how they compare: `written` is what may follow ``/canary probe``."""
    return await _look(house, written, parse_probe, as_json=as_json)


async def _look(house: House, written: Sequence[str], parse: Parse, *, as_json: bool) -> int:
    words, playbook = words_of(house), house.playbooks.current()
    command = parse(" ".join(written), targets=playbook.targets, words=words)
    if isinstance(command, Answer):
        put(command.text)
        return USAGE
    target = playbook.targets[command.target]
    asked = Asked(action=command.look.action(), name=command.target, target=target)
    found = await look(asked, house.looking())
    if as_json:
        sys.stdout.write(FINDING.dump_json(found, indent=2).decode() + "\n")
    else:
        put(as_plain_text(finding_message(found, playbook, words)))
    return 1 if found.unread else 0
