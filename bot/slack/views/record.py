"""The failure record as blocks, and as the values its Markdown templates are filled with."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.domain.ids import incident_label
from bot.domain.readings import Metric
from bot.domain.record import Record, Symptom
from bot.domain.timeline import Event, as_it_happened
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.evidence import evidence_line
from bot.slack.views.incident_words import failure_name, outcome_name, severity_name
from bot.slack.views.numbers import metric_name, quantity
from bot.slack.views.parts import (
    DIVIDER,
    Block,
    actions,
    button,
    context,
    fields,
    header,
    section,
)
from bot.slack.views.rollback_message import Message
from bot.slack.views.timeline import told_line

#: Slack shows at most 50 blocks; the file holds the whole timeline.
TIMELINE_LINES_SHOWN = 12
#: How much of a person's text stands in such a line; the file holds all of it, characters.
LONGEST_TEXT_SHOWN = 150


def record_message(record: Record, words: Words) -> Message:
    """Render the record for the channel."""
    values = record_values(record, words)
    title = words.plain("[{heading}] Deployment failure record", heading=record.heading)
    number = str(record.incident.number)
    blocks: list[Block] = [
        header(title),
        fields(
            [
                words.say("*Incident*\n{label}", label=values["label"]),
                words.say("*Occurred*\n{at}", at=values["occurred"]),
                words.say("*Failure type*\n{failure}", failure=values["failure_type"]),
                words.say("*Severity*\n{severity}", severity=values["severity"]),
                words.say("*Detected*\n{after}", after=values["detected"]),
                words.say(
                    "*Rollback took*\n{took} ({outcome})", took=values["took"], outcome=values["outcome"]
                ),
            ]
        ),
        section(words.say("*Symptoms*\n{lines}", lines=_lines(values["symptoms"], words))),
        section(words.say("*Proof of the rollback*\n{lines}", lines=_lines(values["evidence"], words))),
        section(words.say("*Cause*\n{cause}", cause=values["cause"])),
        section(
            words.say(
                "*Effect*\nUsers affected: {users} · Data loss: {loss} · Service down: {down}",
                users=values["users"],
                loss=values["data_loss"],
                down=values["down"],
            )
        ),
        section(words.say("*Actions*\n{actions}", actions=_lines(values["actions"], words))),
        section(words.say("*Improvements*\n{text}", text=values["improvements"])),
        DIVIDER,
        section(words.say("*Timeline*\n{lines}", lines=_lines(_shown(record, words), words))),
        context(words.say("Timeline head {hash}", hash=words.code(record.head[:16]))),
    ]
    blocks.append(_complete(record, number, words))
    return Message(text=words.say("{title} {label}", title=title, label=values["label"]), blocks=blocks)


def _complete(record: Record, number: str, words: Words) -> Block:
    style = None if record.complete else "primary"
    return actions(
        button(words.plain("Complete the record"), action=ActionId.COMPLETE_RECORD, value=number, style=style)
    )


def _lines(lines: list[Markup], words: Words) -> Markup:
    text = "\n".join(f"• {line}" for line in lines) or words.say("none")
    return Markup(text)


def _shown(record: Record, words: Words) -> list[Markup]:
    """Return the acts of the timeline; the readings stand above, and all of it in the file."""
    read = (Event.READING_BEFORE, Event.EVIDENCE)
    acts = [told for told in as_it_happened(record.timeline) if told.entry.event not in read]
    lines = [told_line(told, words, longest=LONGEST_TEXT_SHOWN) for told in acts]
    half = TIMELINE_LINES_SHOWN // 2
    if len(lines) > TIMELINE_LINES_SHOWN:
        left = len(lines) - 2 * half
        lines = [*lines[:half], words.say("… {count} more in the file …", count=left), *lines[-half:]]
    return lines


def record_values(record: Record, words: Words) -> dict[str, Any]:
    """Return everything a template may say, already in words and safe in `words`' medium."""
    incident, people = record.incident, record.incident.people
    todo = words.say("_not filled in yet_")
    return {
        "heading": words.safe(record.heading),
        "label": words.safe(incident_label(incident.number)),
        "target": words.code(incident.target),
        "occurred": words.moment(record.occurred_at),
        "failure_type": words.safe(failure_name(incident.failure_type, words)),
        "severity": words.safe(severity_name(incident.severity, words)),
        "detected": _detected(record, words),
        "took": _or(record.rollback_took, words.duration, words),
        "outcome": _outcome(record, words),
        "symptoms": [_symptom(s, words) for s in record.symptoms if s.canary is not None],
        "evidence": [evidence_line(e, words, now=None) for e in record.evidence],
        "cause": words.safe(people.cause) if people.cause else todo,
        "users": todo if people.users_affected is None else words.say("{users}", users=people.users_affected),
        "data_loss": _yes_no(people.data_loss, words) if people.data_loss is not None else todo,
        "down": _or_todo(people.down_minutes, words, todo),
        "actions": _actions(record, words),
        "improvements": words.safe(people.improvements) if people.improvements else todo,
        "timeline": [told_line(told, words) for told in as_it_happened(record.timeline)],
        "head": Markup(record.head),
        "playbook": words.safe(incident.playbook_version),
        "completed_by": words.person(people.by) if people.by else todo,
    }


def _outcome(record: Record, words: Words) -> Markup:
    return (
        words.say("not known") if record.outcome is None else words.safe(outcome_name(record.outcome, words))
    )


def _detected(record: Record, words: Words) -> Markup:
    if record.detected_after is None:
        return words.say("not known")
    return words.say("{after} after the deployment", after=words.duration(record.detected_after))


def _or(length: timedelta | None, tell: Callable[[timedelta], Markup], words: Words) -> Markup:
    return words.say("not known") if length is None else tell(length)


def _or_todo(minutes: int | None, words: Words, todo: Markup) -> Markup:
    return todo if minutes is None else words.say("{minutes} min", minutes=minutes)


def _yes_no(value: bool, words: Words) -> Markup:
    return words.say("yes") if value else words.say("no")


def _symptom(symptom: Symptom, words: Words) -> Markup:
    metric: Metric = symptom.metric
    text = words.say(
        "{metric}: canary {canary}, stable {stable}",
        metric=metric_name(metric, words),
        canary=words.bold(quantity(metric, symptom.canary, words)),
        stable=quantity(metric, symptom.stable_before, words),
    )
    if symptom.stable_after is None:
        return text
    after = quantity(metric, symptom.stable_after, words)
    return words.say("{text}; after the rollback stable {after}", text=text, after=after)


def _actions(record: Record, words: Words) -> list[Markup]:
    rollback = record.rollback
    done = []
    if rollback is not None and rollback.plan is not None and rollback.requested_at is not None:
        done.append(
            words.say(
                "{who} rolled back at {at}: {canary} out of traffic, 100 % to {stable}: {outcome}",
                who=words.person(rollback.decided_by or rollback.asked_by),
                at=words.clock(rollback.requested_at),
                canary=words.code(rollback.plan.canary),
                stable=words.code(rollback.plan.stable),
                outcome=outcome_name(rollback.state, words),
            )
        )
    if record.incident.people.actions:
        done.append(words.safe(record.incident.people.actions))
    return done
