"""What looking back found as CSV: one figure a row, so that any spreadsheet can sort and chart it.

Names of columns and values are the same in every language; for people there are the message and the terminal.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.ids import incident_label
from bot.domain.looking_back import CanaryFigures, Figures, Report, Spread, Stage, Told, Wanted, Way
from bot.slack.views.timeline_file import harmless

#: `group` and `key` say of what a figure is: all of it, a scenario, a month, a rule, or one incident. `value`
#: is a number in `unit`; for a duration it is the median, `worst` the longest, and `of` says of how many.
COLUMNS = ("group", "key", "figure", "value", "unit", "worst", "worst_incident", "of", "left_out")


def stats_csv(report: Report) -> str:
    """Return the whole report, with what each incident took."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(report):
        writer.writerow([harmless(row.get(name)) for name in COLUMNS])
    return written.getvalue()


def stats_file_name(wanted: Wanted) -> str:
    """Return what the file is called."""
    zone = ZoneInfo(wanted.zone)
    first, last = (f"{at.astimezone(zone):%Y%m%d}" for at in (wanted.since, wanted.until))
    narrowed = [part for part in (wanted.target, wanted.scenario) if part]
    return "-".join(["incident-statistics", first, last, *narrowed]) + ".csv"


def _rows(report: Report) -> Iterator[dict[str, Any]]:
    yield from _figures("all", "", report.all)
    if report.canaries is not None:
        yield from _canaries("all", "", report.canaries)
    for key, figures in report.by_scenario:
        yield from _figures("scenario", key, figures)
    for month, figures in report.by_month:
        yield from _figures("month", month, figures)
    for month, canaries in report.canaries_by_month if report.canaries is not None else ():
        yield from _canaries("month", month, canaries)
    for rule in report.rules:
        about = {"group": "rule", "key": rule.kind.value}
        yield about | {"figure": "alerts", "value": rule.alerts, "unit": "count"}
        yield about | {
            "figure": "false_alarms",
            "value": rule.false_alarms,
            "unit": "count",
            "of": rule.alerts,
        }
        yield about | {"figure": "false_share", "value": _plain(rule.false_share), "unit": "share"}
        yield about | {"figure": "rolled_back_by_people", "value": rule.rolled_back, "unit": "count"}
        yield about | {"figure": "rolled_back_by_the_bot", "value": rule.automatic, "unit": "count"}
    for told in report.incidents:
        yield from _incident(told)


def _figures(group: str, key: str, figures: Figures) -> Iterator[dict[str, Any]]:
    about = {"group": group, "key": key}
    yield about | {"figure": "incidents", "value": figures.incidents, "unit": "count"}
    yield about | {"figure": "open", "value": figures.open, "unit": "count"}
    yield about | {"figure": "rollbacks", "value": figures.rollbacks, "unit": "count"}
    for way in Way:
        figure = f"rollbacks_{way}"
        yield about | {"figure": figure, "value": figures.ways.get(way, 0), "unit": "count"}
    for state, count in sorted(figures.outcomes.items()):
        yield about | {"figure": f"verdict_{state}", "value": count, "unit": "count"}
    for stage in Stage:
        yield about | _spread(stage, figures.spreads[stage])


def _spread(stage: Stage, spread: Spread) -> dict[str, Any]:
    return {
        "figure": f"time_to_{stage}",
        "value": _plain(spread.median),
        "unit": "seconds",
        "worst": _plain(spread.worst),
        "worst_incident": incident_label(spread.incident) if spread.incident is not None else "",
        "of": spread.known,
        "left_out": spread.left_out,
    }


def _canaries(group: str, key: str, canaries: CanaryFigures) -> Iterator[dict[str, Any]]:
    about = {"group": group, "key": key}
    yield about | {"figure": "canaries", "value": canaries.seen, "unit": "count"}
    yield about | {"figure": "canaries_rolled_back", "value": canaries.rolled_back, "unit": "count"}
    yield about | {
        "figure": "change_failure_rate",
        "value": _plain(canaries.failure_rate),
        "unit": "share",
        "of": canaries.seen,
    }


def _incident(told: Told) -> Iterator[dict[str, Any]]:
    about = {"group": "incident", "key": incident_label(told.number)}
    for figure in ("target", "scenario", "severity", "month"):
        yield about | {"figure": figure, "value": getattr(told, figure), "unit": "name"}
    for figure in ("opened_at", "closed_at"):
        at = getattr(told, figure)
        yield about | {"figure": figure, "value": at.isoformat() if at else "", "unit": "time"}
    for stage, seconds in told.seconds.items():
        yield about | {"figure": f"time_to_{stage}", "value": _plain(seconds), "unit": "seconds"}


def _plain(value: float | None) -> str:
    """Return a number as any spreadsheet reads it; nothing where it is not known."""
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")
