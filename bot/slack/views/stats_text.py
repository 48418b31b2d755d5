"""What looking back found, as pages with tables, for a terminal."""

from collections.abc import Iterable

from bot.domain.ids import incident_label
from bot.domain.looking_back import CanaryFigures, Figures, Report, Spread, Stage, Way
from bot.domain.playbook import Playbook
from bot.domain.rollback import RollbackState
from bot.slack.text import Words
from bot.slack.views.incident_words import outcome_name
from bot.slack.views.pages import Heading, Paragraph, Piece, Table
from bot.slack.views.plain_text import unmarked
from bot.slack.views.stats import (
    canary_line,
    is_empty,
    length,
    percent,
    rule_name,
    scenario_name,
    short_stage,
    stage_name,
    stats_title,
    way_name,
)


def stats_text(report: Report, playbook: Playbook, words: Words) -> list[Piece]:
    """Return the whole report; `words` write plain text."""
    pieces: list[Piece] = [Heading(1, stats_title(report.wanted, playbook, words))]
    if is_empty(report):
        return [*pieces, Paragraph(words.plain("There was no incident, and no canary was seen."))]
    pieces += [_counts(report.all, words), _stages(report.all, words)]
    if report.canaries is not None:
        pieces.append(Paragraph(unmarked(canary_line(report.canaries, words))))
    if report.by_scenario:
        names = ((scenario_name(key, playbook, words), figures) for key, figures in report.by_scenario)
        pieces += [Heading(2, words.plain("By scenario")), _medians(words.plain("Scenario"), names, words)]
    if report.by_month:
        pieces += [Heading(2, words.plain("By month")), _months(report, words)]
    if report.rules:
        pieces += [Heading(2, words.plain("Alerts by rule")), _rules(report, words)]
    left_out = words.plain(
        "median / worst; what is not known or not over yet is left out. Months are those of {zone}.",
        zone=report.wanted.zone,
    )
    return [*pieces, Paragraph(left_out)]


def _counts(figures: Figures, words: Words) -> Table:
    rows = [
        (words.plain("Incidents"), str(figures.incidents)),
        (words.plain("Still open"), str(figures.open)),
        (words.plain("Rollbacks decided"), str(figures.rollbacks)),
        *((f"  {way_name(way, words)}", str(figures.ways.get(way, 0))) for way in Way),
        *(
            (
                words.plain("  verdict: {state}", state=outcome_name(state, words)),
                str(figures.outcomes[state]),
            )
            for state in RollbackState
            if figures.outcomes.get(state)
        ),
    ]
    return Table((words.plain("What"), words.plain("How many")), rows)


def _stages(figures: Figures, words: Words) -> Table:
    head = (
        words.plain("Stage"),
        words.plain("Median"),
        words.plain("Worst"),
        words.plain("Incident"),
        words.plain("Known"),
        words.plain("Left out"),
    )
    return Table(head, [_stage_row(stage, figures.spreads[stage], words) for stage in Stage])


def _stage_row(stage: Stage, spread: Spread, words: Words) -> tuple[str, ...]:
    return (
        stage_name(stage, words),
        length(spread.median, words),
        length(spread.worst, words),
        incident_label(spread.incident) if spread.incident is not None else "-",
        str(spread.known),
        str(spread.left_out),
    )


def _medians(name: str, rows: Iterable[tuple[str, Figures]], words: Words) -> Table:
    head = (name, words.plain("Incidents"), *(short_stage(stage, words) for stage in Stage))
    return Table(head, [(key, *_cells(figures, words)) for key, figures in rows])


def _cells(figures: Figures, words: Words) -> list[str]:
    return [str(figures.incidents), *(_both(figures.spreads[stage], words) for stage in Stage)]


def _both(spread: Spread, words: Words) -> str:
    if not spread.known:
        return "-"
    return f"{length(spread.median, words)} / {length(spread.worst, words)}"


def _months(report: Report, words: Words) -> Table:
    table = _medians(words.plain("Month"), report.by_month, words)
    if report.canaries is None:
        return table
    rates = dict(report.canaries_by_month)
    head = (*table.head, words.plain("Change failure rate"))
    rows = [(*row, _rate(rates.get(row[0]))) for row in table.rows]
    return Table(head, rows)


def _rate(canaries: CanaryFigures | None) -> str:
    if canaries is None or not canaries.seen:
        return "-"
    return f"{percent(canaries.failure_rate)} ({canaries.rolled_back}/{canaries.seen})"


def _rules(report: Report, words: Words) -> Table:
    head = (
        words.plain("Rule"),
        words.plain("Alerts"),
        words.plain("False alarms"),
        words.plain("Share"),
        words.plain("Rolled back by people"),
        words.plain("By the bot"),
    )
    rows = [
        (
            rule_name(rule.kind, words),
            str(rule.alerts),
            str(rule.false_alarms),
            percent(rule.false_share),
            str(rule.rolled_back),
            str(rule.automatic),
        )
        for rule in report.rules
    ]
    return Table(head, rows)
