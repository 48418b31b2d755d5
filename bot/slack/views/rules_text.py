"""Flags, decision rules, contacts and readiness as they read on paper."""

from collections.abc import Iterator

from bot.domain.guide import Check, Contact, ReadinessPoint, Text
from bot.domain.incident import FailureType, Severity
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric
from bot.slack.text import Words
from bot.slack.views.incident_words import failure_name, severity_name
from bot.slack.views.pages import Heading, Mark, Paragraph, Piece, Row, Rows, Table, listed
from bot.slack.views.playbook_words import noted
from bot.slack.views.watch_text import mode_text


def flags_text(playbook: Playbook, words: Words) -> Iterator[Piece]:
    """Yield the metrics to watch with their limits, and what proves a rollback."""
    thresholds, locale = playbook.thresholds, words.locale
    limits = [(metric, thresholds.limits(metric)) for metric in Metric]
    yield Heading(2, words.plain("Metrics to watch during a deployment"))
    often = thresholds.check_every_minutes
    yield Paragraph(words.plain("Check these every {minutes:g} minutes during a deployment:", minutes=often))
    yield Heading(3, words.plain("🔴 Red flags (act at once)"))
    red = [_flag(metric, limit.red_above, limit.red, words) for metric, limit in limits]
    if thresholds.service_down:
        down = words.plain("Service down")
        red.append(f"{down} → {thresholds.service_down.in_(locale)}")
    yield listed(red)
    yield Heading(3, words.plain("🟡 Yellow flags (be careful)"))
    yield listed(_flag(metric, limit.yellow_above, limit.yellow, words) for metric, limit in limits)
    yield Heading(3, words.plain("🟢 Green flags (normal)"))
    green = [f"{_name(metric, words)} < {_value(metric, limit.yellow_above)}" for metric, limit in limits]
    yield listed(green + ([thresholds.also_green.in_(locale)] if thresholds.also_green else []))
    yield Paragraph(_proof(playbook, words))


def _name(metric: Metric, words: Words) -> str:
    return {
        Metric.ERROR_RATE: words.plain("Error rate"),
        Metric.P95: words.plain("P95 response time"),
        Metric.MEMORY: words.plain("Memory"),
        Metric.CPU: words.plain("CPU"),
    }[metric]


def _flag(metric: Metric, above: float, asks: Text | None, words: Words) -> str:
    said = f"{_name(metric, words)} > {_value(metric, above)}"
    return f"{said} → {asks.in_(words.locale)}" if asks else said


def _value(metric: Metric, value: float) -> str:
    if metric is Metric.P95:
        return f"{value:g} ms"
    # As in the guide: 1.0 %, so that one percent is not read as a ratio.
    return f"{float(value)} %" if metric is Metric.ERROR_RATE else f"{value:g} %"


def _proof(playbook: Playbook, words: Words) -> str:
    proof = playbook.verification
    return words.plain(
        "A rollback is verified when stable's error rate is below {errors} and its P95 below {p95}; "
        "below {count} requests a reading is inconclusive.",
        errors=_value(Metric.ERROR_RATE, proof.error_rate_below_percent),
        p95=_value(Metric.P95, proof.p95_below_ms),
        count=playbook.thresholds.min_requests,
    )


def rules_text(playbook: Playbook, words: Words) -> Iterator[Piece]:
    """Yield when to decide what."""
    if not playbook.rules:
        return
    locale = words.locale
    yield Heading(2, words.plain("When to decide what"))
    head = [words.plain("Situation"), words.plain("Verdict"), words.plain("Action"), words.plain("Readings")]
    rows = [
        [
            rule.situation.in_(locale),
            rule.verdict.in_(locale),
            rule.action.in_(locale),
            str(rule.readings),
            mode_text(rule.mode, rule.stop_seconds, words),
        ]
        for rule in playbook.rules
    ]
    head += [words.plain("What Backout does")]
    yield Table(head, rows)


def contacts_text(playbook: Playbook, words: Words) -> Iterator[Piece]:
    """Yield whom to call, how, and who comes next."""
    if playbook.contacts:
        yield Heading(2, words.plain("Emergency contacts"))
        yield Paragraph(words.plain("When a deployment fails, call these people at once:"))
        head = [words.plain("Role"), words.plain("Name"), words.plain("How"), words.plain("Answers within")]
        yield Table(
            [*head, words.plain("Then")], [_contact(c, playbook, words) for c in playbook.contacts.values()]
        )
    channel = playbook.channels.incidents
    yield Paragraph(words.plain("Emergency Slack channel: {channel}", channel=channel))


def _contact(contact: Contact, playbook: Playbook, words: Words) -> list[str]:
    ways = [f"Slack {way}" for way in (contact.channel, contact.user, contact.group) if way]
    ways += [words.plain("telephone {number}", number=contact.phone)] if contact.phone else []
    ways += [contact.note.in_(words.locale)] if contact.note else []
    return [
        contact.role.in_(words.locale),
        contact.name or "[TBD]",
        ", ".join(ways),
        words.plain("{minutes:g} min", minutes=contact.within_minutes),
        playbook.contacts[contact.then].role.in_(words.locale) if contact.then else "",
    ]


def record_text(playbook: Playbook, words: Words) -> Iterator[Piece]:
    """Yield what the failure record holds; its text is a template (``failure_record.md``)."""
    kinds = " / ".join(failure_name(kind, words) for kind in FailureType)
    degrees = " / ".join(severity_name(degree, words) for degree in Severity)
    yield Heading(2, words.plain("[{heading}] Deployment failure record", heading=playbook.name))
    yield Rows(
        Mark.POINT,
        [
            Row(words.plain("Occurred")),
            Row(words.plain("Failure type: {failure}", failure=kinds)),
            Row(words.plain("Severity: {severity}", severity=degrees)),
            Row(words.plain("Detected: minutes after the deployment")),
            Row(words.plain("Rollback took: minutes and seconds")),
            Row(words.plain("Symptoms: error rate, P95 response time, memory")),
            Row(words.plain("Cause (analysed afterwards): the root cause")),
            Row(words.plain("Effect: users affected, data loss (yes/no), minutes of service down")),
            Row(words.plain("Actions: what was done")),
            Row(words.plain("Improvements: how to prevent it next time")),
        ],
    )


def readiness_text(playbook: Playbook, words: Words) -> Iterator[Piece]:
    """Yield what should be ready before a deployment, and who checks it."""
    if not playbook.readiness:
        return
    yield Heading(2, words.plain("Readiness checklist"))
    yield Paragraph(words.plain("Check it now:"))
    yield listed((_point(point, words) for point in playbook.readiness), Mark.BOX)
    if backups := playbook.backups:
        where = " ".join(backups.command) or backups.url or ""
        hours = backups.not_older_than_hours
        yield Paragraph(
            words.plain("Backups: {where}, not older than {hours:g} hours", where=where, hours=hours)
        )


def _point(point: ReadinessPoint, words: Words) -> str:
    days = point.good_for_days
    if point.check is None or point.check is Check.GUIDE_READ:
        who = words.plain("people confirm it, for {days:g} days", days=days)
    else:
        who = words.plain("checked by Backout")
    return noted(point.title.in_(words.locale), [who])
