"""``backout incident list`` and ``backout stats``: looking for incidents and back on them, in a terminal."""

import getpass
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.adapters.printed_pages import print_pages
from bot.bootstrap import House, utc_now
from bot.domain.ids import incident_label
from bot.domain.incident_search import BadSearch, Listed, Listing, parse_search, parse_span
from bot.domain.looking_back import REPORT, Report
from bot.domain.people import COMMAND_LINE
from bot.slack.text import Words
from bot.slack.views.drill_marks import marked
from bot.slack.views.incident_list import (
    bad_search_text,
    nothing_found,
    scenario_in,
    state_text,
    verdict_text,
)
from bot.slack.views.incident_words import severity_name
from bot.slack.views.pages import Paragraph, Table
from bot.slack.views.plain_text import unmarked
from bot.slack.views.stats import stats_picture
from bot.slack.views.stats_file import stats_csv
from bot.slack.views.stats_text import stats_text
from bot.terminal import USAGE, console, put, words_of
from bot.usecases.list_incidents import known_by, list_incidents
from bot.usecases.ports import NotDrawn, StoreDown
from bot.usecases.report_stats import read_report

FAILED = 1
#: How many incidents one page shows: a terminal has more room than a telephone.
ON_ONE_PAGE = 30


async def show_list(house: House, written: Sequence[str], *, page: int, as_json: bool) -> int:
    """Print the incidents that are looked for, the newest first: `written` is what may follow ``list``."""
    words, playbook = words_of(house), house.playbooks.current()
    # The shell has taken the quotation marks away.
    text = " ".join(f'"{word}"' if " " in word else word for word in written)
    known = known_by(playbook, now=utc_now(), me=_me())
    try:
        search = parse_search(text, known)
        listing = await house.store.look(
            lambda tx: list_incidents(tx, search, playbook, page=page, size=ON_ONE_PAGE)
        )
    except BadSearch as bad:
        put(bad_search_text(bad, known, words, command="backout incident list", help="/incident help"))
        return USAGE
    except StoreDown as error:
        return _without_database(words, error)
    if as_json:
        _write(json.dumps([_as_json(one) for one in listing.listed], ensure_ascii=False, indent=2) + "\n")
    elif not listing.total:
        put(nothing_found(words, typed=text))
    else:
        print_pages([_table(listing, words), Paragraph(_standing(listing, words))], console)
    return 0


def _table(listing: Listing, words: Words) -> Table:
    now = utc_now()
    head = (
        words.plain("Incident"),
        words.plain("Target"),
        words.plain("Scenario"),
        words.plain("Severity"),
        words.plain("Opened"),
        words.plain("State"),
        words.plain("Rollback"),
    )
    rows = [
        (
            _labelled(one, words),
            str(one.incident.target),
            scenario_in(one.scenario, words),
            severity_name(one.incident.severity, words),
            unmarked(words.moment(one.incident.opened_at)),
            unmarked(state_text(one, words, now=now)),
            unmarked(verdict_text(one.verdict, words)),
        )
        for one in listing.listed
    ]
    return Table(head, rows)


def _labelled(one: Listed, words: Words) -> str:
    label = incident_label(one.incident.number)
    return marked(label, words) if one.incident.drill else label


def _standing(listing: Listing, words: Words) -> str:
    return words.plain(
        "{count} incidents, page {page} of {pages}",
        count=listing.total,
        page=listing.page,
        pages=listing.pages,
    )


def _as_json(one: Listed) -> dict[str, Any]:
    incident = one.incident
    return {
        "incident": incident_label(incident.number),
        "target": incident.target,
        "scenario": incident.scenario,
        "severity": incident.severity.value,
        "state": incident.state.value,
        "opened_at": incident.opened_at.isoformat(),
        "closed_at": incident.closed_at.isoformat() if incident.closed_at else None,
        "joined_to": incident_label(incident.merged_into) if incident.merged_into else None,
        "rollback": one.verdict.value if one.verdict else None,
        "seen": incident.seen,
        "drill": incident.drill or None,
    }


@dataclass(frozen=True, kw_only=True)
class AskedForStats:
    """What ``backout stats`` was asked for; the words are those that may follow ``/incident stats``."""

    words: Sequence[str] = ()
    month: str = ""
    since: str = ""
    until: str = ""
    scenario: str = ""
    target: str = ""
    as_csv: bool = False
    as_json: bool = False
    out: Path | None = None

    @property
    def text(self) -> str:
        """All of it as somebody would type it in Slack."""
        named = {"since": self.since, "until": self.until, "scenario": self.scenario, "target": self.target}
        return " ".join(
            [*self.words, self.month, *(f"{key}:{value}" for key, value in named.items() if value)]
        )


async def show_stats(house: House, asked: AskedForStats) -> int:
    """Print what looking back finds, as tables, CSV or JSON; or write it, or a picture of it, to a file."""
    words, playbook = words_of(house), house.playbooks.current()
    known = known_by(playbook, now=utc_now())
    try:
        wanted = parse_span(asked.text, known)
        report = await house.store.look(lambda tx: read_report(tx, wanted))
    except BadSearch as bad:
        put(bad_search_text(bad, known, words, command="backout stats", help="backout stats --help"))
        return USAGE
    except StoreDown as error:
        return _without_database(words, error)
    if asked.out is not None:
        return await _write_file(house, report, asked, words)
    if asked.as_csv or asked.as_json:
        _write(stats_csv(report) if asked.as_csv else _json(report))
    else:
        print_pages(stats_text(report, playbook, words), console)
    return 0


async def _write_file(house: House, report: Report, asked: AskedForStats, words: Words) -> int:
    """Write a picture, JSON or CSV: by the file's ending, unless an option says which."""
    assert asked.out is not None
    ending = asked.out.suffix.lower()
    try:
        if ending == ".png" and not (asked.as_csv or asked.as_json):
            picture = stats_picture(report, house.playbooks.current(), words)
            content = await house.charts.draw(picture)
        else:
            as_json = asked.as_json or (ending == ".json" and not asked.as_csv)
            content = (_json(report) if as_json else stats_csv(report)).encode()
        asked.out.write_bytes(content)
    except (NotDrawn, OSError) as error:
        put(words.say("{file} could not be written: {why}", file=str(asked.out), why=str(error)))
        return FAILED
    put(words.say("Written: {file}", file=str(asked.out)))
    return 0


def _json(report: Report) -> str:
    return REPORT.dump_json(report, indent=2).decode() + "\n"


def _write(text: str) -> None:
    """Write for another program: byte for byte, with the line ends that it has."""
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def _without_database(words: Words, error: StoreDown) -> int:
    put(words.say("The database cannot be reached ({why}).", why=str(error)))
    return FAILED


def _me() -> str:
    return f"{COMMAND_LINE}{getpass.getuser()}"
