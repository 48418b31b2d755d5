"""What looking back found, for one reader in Slack: figures in words, a picture, a button for the file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.alarm import AlarmKind
from bot.domain.ids import incident_label
from bot.domain.looking_back import (
    REPORT,
    CanaryFigures,
    Figures,
    Report,
    RuleFigures,
    Spread,
    Stage,
    Wanted,
    Way,
    written,
)
from bot.domain.picture import PhaseBars, Stack, StatsPicture
from bot.domain.playbook import Playbook
from bot.domain.rollback import RollbackState
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.alarm_words import what_happens
from bot.slack.views.incident_words import outcome_name
from bot.slack.views.parts import SECTION_LIMIT, Block, actions, button, context, fit, header, plain, section
from bot.slack.views.rollback_message import Message

#: As many scenarios, rules and months (the newest) as the message shows; the file has all of them.
SCENARIOS_SHOWN, RULES_SHOWN, MONTHS_SHOWN = 8, 8, 12


def stats_message(facts: Mapping[str, Any], playbook: Playbook, words: Words) -> Message:
    """Render what `bot.usecases.report_stats` tells: the report, and the uploaded `file` or `why` not."""
    report = REPORT.validate_python(facts["report"])
    title = stats_title(report.wanted, playbook, words)
    if is_empty(report):
        nothing = words.say("{title}: there was no incident, and no canary was seen.", title=title)
        return Message(text=nothing, blocks=[section(nothing)])
    parts = [_counts(report.all, words), _stages(report.all, words), *_canaries(report, words)]
    parts += _by_scenario(report, playbook, words)
    parts += _by_month(report, words)
    parts += _rules(report.rules, words)
    blocks: list[Block] = [header(title), *(section(fit(part, SECTION_LIMIT)) for part in parts)]
    blocks += _picture(facts, title, words)
    file = button(words.plain("As a file (CSV)"), action=ActionId.STATS_FILE, value=written(report.wanted))
    text = fit("\n".join([str(words.safe(title)), *parts]), SECTION_LIMIT)
    return Message(text=text, blocks=[*blocks, actions(file)])


def stats_file_message(wanted: Wanted, playbook: Playbook, words: Words) -> Message:
    """Announce the file that is in the message's thread."""
    text = words.say(
        ":bar_chart: {title}: all figures as CSV, in this thread.", title=stats_title(wanted, playbook, words)
    )
    return Message(text=text, blocks=[section(text)])


def is_empty(report: Report) -> bool:
    """True where there is nothing to tell."""
    seen = report.canaries.seen if report.canaries is not None else 0
    return not (report.all.incidents or report.rules or seen)


def stats_title(wanted: Wanted, playbook: Playbook, words: Words) -> str:
    """Return what was looked back on, as plain text."""
    zone = ZoneInfo(wanted.zone)
    first = wanted.since.astimezone(zone)
    last = (wanted.until - timedelta(seconds=1)).astimezone(zone)
    title = words.plain("Looking back: {first} to {last}", first=f"{first:%Y-%m-%d}", last=f"{last:%Y-%m-%d}")
    narrowed = [wanted.target] if wanted.target else []
    if wanted.scenario:
        narrowed.append(scenario_name(wanted.scenario, playbook, words))
    return " · ".join([title, *narrowed])


# Names.


def stage_name(stage: Stage, words: Words) -> str:
    """Return what a stage is called, as plain text."""
    return {
        Stage.DETECT: words.plain("Time to detect"),
        Stage.DECIDE: words.plain("Time to decide"),
        Stage.ROLL_BACK: words.plain("Time to roll back"),
        Stage.VERIFY: words.plain("Time to verify"),
        Stage.RESOLVE: words.plain("Time to resolve"),
    }[stage]


def short_stage(stage: Stage, words: Words) -> str:
    """Return what a stage is called under a bar or over a column, as plain text."""
    return {
        Stage.DETECT: words.plain("detect"),
        Stage.DECIDE: words.plain("decide"),
        Stage.ROLL_BACK: words.plain("roll back"),
        Stage.VERIFY: words.plain("verify"),
        Stage.RESOLVE: words.plain("resolve"),
    }[stage]


def way_name(way: Way, words: Words) -> str:
    """Return how a rollback came about, as plain text."""
    return {
        Way.AUTOMATIC: words.plain("by the bot itself"),
        Way.ACCEPTED: words.plain("recommended by a rule, decided by people"),
        Way.BY_HAND: words.plain("by hand"),
        Way.FORCED: words.plain("by hand, with force"),
    }[way]


def scenario_name(key: str, playbook: Playbook, words: Words) -> str:
    """Return a scenario's name, the key where the playbook no longer has it."""
    scenario = playbook.scenario(key)
    if scenario is not None:
        return scenario.name.in_(words.locale)
    return key or words.plain("no scenario")


def rule_name(kind: AlarmKind, words: Words) -> str:
    """Return what a rule is about, as plain text."""
    return what_happens(kind, {}, words)


def percent(share: float | None) -> str:
    """Return a share (0 to 1) as percent; a dash where there is none."""
    return "-" if share is None else f"{100 * share:.1f} %"


def length(seconds: float | None, words: Words) -> str:
    """Return how long something took; a dash where it is not known."""
    return "-" if seconds is None else str(words.duration(timedelta(seconds=seconds)))


# Parts.


def _counts(figures: Figures, words: Words) -> Markup:
    lines = [
        words.say(
            "{incidents} incidents, {open:d} of them still open",
            incidents=words.bold(str(figures.incidents)),
            open=figures.open,
        ),
        words.say("{count} rollbacks were decided", count=words.bold(str(figures.rollbacks))),
    ]
    lines += [
        words.say("• {count} {way}", count=figures.ways.get(way, 0), way=way_name(way, words))
        for way in Way
        if figures.ways.get(way)
    ]
    outcomes = [
        words.say("{state} {count}", state=outcome_name(state, words), count=figures.outcomes[state])
        for state in RollbackState
        if figures.outcomes.get(state)
    ]
    if outcomes:
        lines.append(words.say("• verdicts: {outcomes}", outcomes=Markup(", ".join(outcomes))))
    return Markup("\n".join(lines))


def _stages(figures: Figures, words: Words) -> Markup:
    return Markup("\n".join(spread_line(stage, figures.spreads[stage], words) for stage in Stage))


def spread_line(stage: Stage, spread: Spread, words: Words) -> Markup:
    """Return median and worst of a stage with how many they are of, and how many are left out."""
    name = words.bold(stage_name(stage, words))
    if not spread.known:
        return words.say("{stage}: not known ({left_out:d} left out)", stage=name, left_out=spread.left_out)
    values = {
        "stage": name,
        "median": length(spread.median, words),
        "worst": length(spread.worst, words),
        "label": incident_label(spread.incident) if spread.incident is not None else "-",
        "known": spread.known,
    }
    if not spread.left_out:
        return words.say("{stage}: median {median}, worst {worst} ({label}), of {known:d}", **values)
    return words.say(
        "{stage}: median {median}, worst {worst} ({label}), of {known:d}; {left_out:d} not known or not yet",
        left_out=spread.left_out,
        **values,
    )


def _canaries(report: Report, words: Words) -> list[Markup]:
    return [] if report.canaries is None else [canary_line(report.canaries, words)]


def canary_line(canaries: CanaryFigures, words: Words) -> Markup:
    """Return the change failure rate with what it is of."""
    if not canaries.seen:
        return words.say("{name}: no canary was seen", name=words.bold(words.plain("Change failure rate")))
    line = words.say(
        "{name}: {rate}; {rolled_back:d} of {seen:d} different canaries that had traffic were rolled back",
        name=words.bold(words.plain("Change failure rate")),
        rate=percent(canaries.failure_rate),
        rolled_back=canaries.rolled_back,
        seen=canaries.seen,
    )
    if not canaries.unwatched:
        return line
    return words.say("{line}; {count} were never watched", line=line, count=canaries.unwatched)


def _by_scenario(report: Report, playbook: Playbook, words: Words) -> list[Markup]:
    if len(report.by_scenario) < 2:
        return []
    shown = report.by_scenario[:SCENARIOS_SHOWN]
    lines = [_in_short(scenario_name(key, playbook, words), figures, words) for key, figures in shown]
    return [_listed(words.plain("By scenario"), lines, len(report.by_scenario) - len(shown), words)]


def _by_month(report: Report, words: Words) -> list[Markup]:
    if len(report.by_month) < 2:
        return []
    shown = report.by_month[-MONTHS_SHOWN:]
    rates = dict(report.canaries_by_month)
    lines = []
    for month, figures in shown:
        line = _in_short(month, figures, words)
        canaries = rates.get(month)
        if report.canaries is not None and canaries is not None and canaries.seen:
            rate = percent(canaries.failure_rate)
            line = words.say("{line}; change failure rate {rate}", line=line, rate=rate)
        lines.append(line)
    return [_listed(words.plain("By month"), lines, len(report.by_month) - len(shown), words)]


def _in_short(name: str, figures: Figures, words: Words) -> Markup:
    """Return one scenario's or month's figures in a line: how many, and the medians that are known."""
    line = words.say("{name}: {count} incidents", name=name, count=figures.incidents)
    known = [
        words.say("{stage} {median}", stage=short_stage(stage, words), median=length(spread.median, words))
        for stage, spread in ((stage, figures.spreads[stage]) for stage in Stage)
        if spread.known
    ]
    if not known:
        return line
    return words.say("{line}; medians: {known}", line=line, known=Markup(", ".join(known)))


def _rules(rules: Sequence[RuleFigures], words: Words) -> list[Markup]:
    lines = [
        words.say(
            "{rule}: {alerts:d} alerts, {false:d} false alarms ({share}), {people:d} rolled back by people, "
            "{bot:d} by the bot",
            rule=rule_name(rule.kind, words),
            alerts=rule.alerts,
            false=rule.false_alarms,
            share=percent(rule.false_share),
            people=rule.rolled_back,
            bot=rule.automatic,
        )
        for rule in rules[:RULES_SHOWN]
    ]
    if not lines:
        return []
    return [_listed(words.plain("Alerts by rule"), lines, len(rules) - len(lines), words)]


def _listed(heading: str, lines: Iterable[Markup], more: int, words: Words) -> Markup:
    text = "\n".join([words.bold(heading), *(f"• {line}" for line in lines)])
    if not more:
        return Markup(text)
    return words.say("{lines}\n… and {count} more in the file", lines=Markup(text), count=more)


def _picture(facts: Mapping[str, Any], title: str, words: Words) -> list[Block]:
    if "file" in facts:
        alt = words.plain(
            "Median and worst time to detect, decide, roll back, verify and resolve; incidents per month and "
            "scenario; change failure rate per month"
        )
        return [
            {
                "type": "image",
                "slack_file": {"id": facts["file"]},
                "alt_text": alt,
                "title": plain(title, limit=2000),
            }
        ]
    if "why" not in facts:
        return []
    return [context(words.say("There is no picture just now: {why}", why=facts["why"]))]


def stats_picture(report: Report, playbook: Playbook, words: Words) -> StatsPicture:
    """Return the picture with all its texts, in the language of `words`; of many months the newest."""
    months = [month for month, _ in report.by_month][-MONTHS_SHOWN:]
    rates = dict(report.canaries_by_month)
    return StatsPicture(
        title=stats_title(report.wanted, playbook, words),
        phases_heading=words.plain("How long it took, minutes"),
        phases=tuple(_bars(stage, report.all.spreads[stage], words) for stage in Stage),
        median=words.plain("median"),
        worst=words.plain("worst"),
        incidents_heading=words.plain("Incidents per month"),
        months=tuple(months),
        stacks=tuple(
            Stack(
                name=scenario_name(key, playbook, words), counts=tuple(of.get(month, 0) for month in months)
            )
            for key, of in report.scenarios_by_month.items()
        ),
        rate_heading=words.plain("Change failure rate, %"),
        failure_rates=tuple(_rate(rates.get(month)) for month in months),
        nothing=words.plain("no data"),
    )


def _bars(stage: Stage, spread: Spread, words: Words) -> PhaseBars:
    minutes = [None if seconds is None else seconds / 60 for seconds in (spread.median, spread.worst)]
    return PhaseBars(name=short_stage(stage, words), median=minutes[0], worst=minutes[1])


def _rate(canaries: CanaryFigures | None) -> float | None:
    rate = canaries.failure_rate if canaries is not None else None
    return None if rate is None else 100 * rate
