"""The incident's board: one message edited in place, its thread the log."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.ids import incident_label
from bot.domain.incident import Incident, IncidentState, Severity
from bot.domain.rollback import Rollback
from bot.slack.ids import ActionId
from bot.slack.text import Words
from bot.slack.views.incident_words import failure_name, outcome_name, severity_name
from bot.slack.views.parts import Block, actions, button, confirm, context, fields, header, section
from bot.slack.views.rollback_message import Message, headline

_SEVERITY_MARKS = {
    Severity.CRITICAL: ":rotating_light:",
    Severity.HIGH: ":red_circle:",
    Severity.MEDIUM: ":large_yellow_circle:",
    Severity.LOW: ":white_circle:",
}


def board(incident: Incident, rollbacks: Sequence[Rollback], words: Words, *, now: datetime) -> Message:
    """Render an incident; `rollbacks` oldest first."""
    label = incident_label(incident.number)
    newest = rollbacks[-1] if rollbacks else None
    standing = headline(newest, words) if newest else words.plain("Open")
    if incident.state is IncidentState.CLOSED:
        standing = words.plain("Closed")
    title = words.plain(
        "{label} · {target} · {standing}", label=label, target=incident.target, standing=standing
    )
    blocks = [header(title), fields(_facts(incident, words)), *_rollback_lines(rollbacks, words)]
    blocks.append(
        context(
            words.say("The log is in this thread. Playbook {version}.", version=incident.playbook_version)
        )
    )
    if incident.state is IncidentState.OPEN:
        blocks.append(_buttons(incident, words))
    return Message(text=title, blocks=blocks)


def _facts(incident: Incident, words: Words) -> list[str]:
    facts: list[str] = [
        words.say(
            "*Severity*\n{mark} {severity}",
            mark=_SEVERITY_MARKS[incident.severity],
            severity=severity_name(incident.severity, words),
        ),
        words.say("*Failure type*\n{failure}", failure=failure_name(incident.failure_type, words)),
        words.say(
            "*Opened*\n{at} by {who}",
            at=words.moment(incident.opened_at),
            who=words.person(incident.opened_by),
        ),
    ]
    if incident.deployed_at is not None:
        facts.append(words.say("*Deployed*\n{at}", at=words.moment(incident.deployed_at)))
    if incident.closed_at is not None:
        facts.append(words.say("*Closed*\n{at}", at=words.moment(incident.closed_at)))
    return facts


def _rollback_lines(rollbacks: Sequence[Rollback], words: Words) -> list[Block]:
    lines = [
        words.say(
            "Rollback by {who} at {at}: {outcome}",
            who=words.person(rollback.decided_by or rollback.asked_by),
            at=words.clock(rollback.requested_at or rollback.asked_at),
            outcome=words.bold(outcome_name(rollback.state, words)),
        )
        for rollback in rollbacks
    ]
    return [section("\n".join(lines[-10:]))] if lines else []


def _buttons(incident: Incident, words: Words) -> Block:
    number = str(incident.number)
    sure = confirm(
        title=words.plain("Close {label}?", label=incident_label(incident.number)),
        text=words.say("The next rollback of {target} then opens a new incident.", target=incident.target),
        yes=words.plain("Close it"),
        no=words.plain("Keep it open"),
    )
    return actions(
        button(words.plain("Complete the record"), action=ActionId.COMPLETE_RECORD, value=number),
        button(words.plain("Close the incident"), action=ActionId.CLOSE_INCIDENT, value=number, confirm=sure),
    )
