"""The failure record in words: what its templates are filled with, and its blocks and its PDF are made of.

Every value is in the reader's language and safe in the medium of `Words`; a figure that nobody knows is said
to be unknown and is never 0.
"""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert, AlertState
from bot.domain.automatics import NotByItself
from bot.domain.exhibit import Exhibit
from bot.domain.ids import incident_label
from bot.domain.people import AUTOMATICS
from bot.domain.readings import Metric
from bot.domain.record import Record, Times
from bot.domain.record_figures import Figure, Symptom
from bot.domain.review import Found
from bot.domain.rollback import Evidence, Rollback
from bot.domain.steps import Step
from bot.domain.timeline import BACKOUT, Event, Told, as_it_happened
from bot.slack.text import HTML, PLAIN, Markup, Words
from bot.slack.views.alarm_words import rule_sentence, why_not_by_itself
from bot.slack.views.drill_marks import marked
from bot.slack.views.evidence import evidence_line
from bot.slack.views.evidence_lines import size_words
from bot.slack.views.incident_words import failure_name, outcome_name, severity_name
from bot.slack.views.numbers import metric_name, quantity, side_name, source_name
from bot.slack.views.step_words import marker, seen_words, state_name
from bot.slack.views.timeline import told_line

#: What was done, beside the rollbacks: these have a line of their own each.
ACTS = frozenset(
    {
        Event.AUTOMATIC_FIRED,
        Event.AUTOMATIC_STOPPED,
        Event.CHANGE_DONE,
        Event.CHANGE_FAILED,
        Event.OPTION_CHOSEN,
        Event.SCENARIO_STEP,
        Event.ANNOUNCEMENT_POSTED,
    }
)
#: Only Slack turns the name of a lamp into a picture; its colour stands beside it as a word.
_LAMPS = re.compile(r":(?:red_circle|large_yellow_circle|large_green_circle|white_circle): ?")


def record_values(record: Record, words: Words) -> dict[str, Any]:
    """Return everything a template may say, already in words and safe in `words`' medium."""
    incident, people = record.incident, record.incident.people
    nobody_knows = todo(words)
    return {
        "heading": words.safe(record_heading(record, words)),
        "label": words.safe(incident_label(incident.number)),
        "target": words.code(incident.target),
        "occurred": words.moment(record.occurred_at),
        "failure_type": words.safe(failure_name(incident.failure_type, words)),
        "severity": words.safe(severity_name(incident.severity, words)),
        "detected": detected(record, words),
        "took": or_unknown(record.rollback_took, words.duration, words),
        "outcome": outcome(record, words),
        "times": times_lines(record.times, words),
        "symptoms": [symptom_values(symptom, words) for symptom in record.symptoms],
        "cause": words.safe(people.cause) if people.cause else nobody_knows,
        "found": [_found(one, words) for one in record.found],
        "users": users(record, words),
        "data_loss": nobody_knows if people.data_loss is None else _yes_no(people.data_loss, words),
        "down": down(record, words),
        "actions": action_lines(record, words),
        "decisions": decision_lines(record, words),
        "evidence": [_proof(e, words) for e in record.evidence],
        "checklist": checklist_values(record, words),
        "improvements": words.safe(people.improvements) if people.improvements else nobody_knows,
        "exhibits": [exhibit_values(exhibit, words) for exhibit in record.exhibits],
        "timeline": [_line(told, words) for told in as_it_happened(record.timeline)],
        "lines": len(record.timeline),
        "head": Markup(record.head),
        "playbook": words.safe(incident.playbook_version),
        "completed_by": words.person(people.by) if people.by else nobody_knows,
    }


def record_heading(record: Record, words: Words) -> str:
    """Return what stands before "Deployment failure record": of a drill that it is one, first of all."""
    return marked(record.heading, words) if record.incident.drill else record.heading


def todo(words: Words) -> Markup:
    """Return what stands where people have not said yet what only they know."""
    if words.style is HTML:
        return Markup(f"<em>{words.say('not filled in yet')}</em>")
    return words.say("not filled in yet") if words.style is PLAIN else words.say("_not filled in yet_")


def or_unknown(length: timedelta | None, tell: Callable[[timedelta], Markup], words: Words) -> Markup:
    """Return a length of time in words, "not known" for None."""
    return words.say("not known") if length is None else tell(length)


def _yes_no(value: bool, words: Words) -> Markup:
    return words.say("yes") if value else words.say("no")


def outcome(record: Record, words: Words) -> Markup:
    """Return how the newest rollback stands."""
    if record.outcome is None:
        return words.say("not known")
    return words.safe(outcome_name(record.outcome, words))


def detected(record: Record, words: Words) -> Markup:
    """Return how long after the deployment it was seen first."""
    if record.detected_after is None:
        return words.say("not known")
    return words.say("{after} after the deployment", after=words.duration(record.detected_after))


def times_lines(times: Times, words: Words) -> list[dict[str, Markup]]:
    """Return each part's `name` and `took`."""
    named = (
        (words.say("Detect"), times.detect),
        (words.say("Decide"), times.decide),
        (words.say("Roll back"), times.roll_back),
        (words.say("Verify"), times.verify),
        (words.say("Resolve"), times.resolve),
    )
    return [{"name": name, "took": or_unknown(length, words.duration, words)} for name, length in named]


# Symptoms.


def symptom_values(symptom: Symptom, words: Words) -> dict[str, Markup]:
    """Return a symptom as one `line`, and in its pieces; ``…_from`` says what a number is made of."""
    named = {
        "before": symptom.before,
        "peak": symptom.peak,
        "after": symptom.after,
    }
    values = {name: _figure(symptom.metric, figure, words) for name, figure in named.items()}
    origins = {f"{name}_from": _origin(figure, words) for name, figure in named.items()}
    metric = metric_name(symptom.metric, words)
    line = words.say(
        "{metric}: {before} → {peak} → {after}",
        **values | {"peak": words.bold(values["peak"])},
        metric=metric,
    )
    if symptom.metric is Metric.ERROR_RATE and symptom.rise is not None:
        line = words.say("{line} ({rise:+.2f} percentage points)", line=line, rise=symptom.rise)
    return {"metric": metric, "line": line, **values, **origins}


def _figure(metric: Metric, figure: Figure | None, words: Words) -> Markup:
    return words.say("not known") if figure is None else quantity(metric, figure.value, words)


def _origin(figure: Figure | None, words: Words) -> Markup:
    if figure is None:
        return Markup("")
    parts = [side_name(figure.side, words), words.clock(figure.at)]
    if figure.sample is not None:
        parts.append(words.say("{sample} requests", sample=figure.sample))
    parts.append(source_name(figure.source, words) if figure.source else words.say("over one minute"))
    return Markup(", ".join(parts))


# Cause and effect.


def _found(found: Found, words: Words) -> Markup:
    return words.say(
        "{point}: {note} ({who}, {at})",
        point=found.point.in_(words.locale),
        note=found.note,
        who=marker(found.by, words),
        at=words.clock(found.at),
    )


def users(record: Record, words: Words) -> Markup:
    """Return how many users were affected: as people say, else estimated, and said to be so."""
    told, clients = record.incident.people.users_affected, record.clients
    if told is not None:
        return words.say("{users}", users=told)
    if clients is None:
        return todo(words)
    if clients.truncated:
        return words.say(
            "at least {count} (estimate: distinct client addresses with at least one error, not people; not "
            "every request was read)",
            count=clients.failed,
        )
    return words.say(
        "about {count} (estimate: distinct client addresses with at least one error; not people)",
        count=clients.failed,
    )


def down(record: Record, words: Words) -> Markup:
    """Return how long the service was down: as people say, else estimated, with how that is counted."""
    told, known = record.incident.people.down_minutes, record.downtime
    if told is not None:
        return words.say("{minutes} min", minutes=told)
    if known.everybody is None:
        return todo(words)
    text = words.say(
        "{minutes} min (estimate: whole minutes in which nobody was answered well)", minutes=known.everybody
    )
    if not known.canary:
        return text
    return words.say("{text}; the canary alone: {minutes} min", text=text, minutes=known.canary)


def _proof(evidence: Evidence, words: Words) -> Markup:
    # Outside Slack it begins with a dash, as a line of a list; the lists here are the templates' own.
    return Markup(evidence_line(evidence, words, now=None).removeprefix("- "))


# What was done, and why.


def action_lines(record: Record, words: Words) -> list[Markup]:
    """Return what was done in the order it was done; what people add stands last."""
    done = [(r.requested_at, _rolled_back(r, words)) for r in record.rollbacks if r.requested_at and r.plan]
    acts = [told for told in as_it_happened(record.timeline) if _is_act(told)]
    done += [(told.entry.at, _line(told, words)) for told in acts]
    lines = [line for _, line in sorted(done, key=lambda one: one[0] or record.occurred_at)]
    if record.incident.people.actions:
        lines.append(words.safe(record.incident.people.actions))
    return lines


def _is_act(told: Told) -> bool:
    entry = told.entry
    taken_back = entry.event is Event.SCENARIO_STEP and not entry.facts.get("done", True)
    return entry.event in ACTS and not taken_back


def _rolled_back(rollback: Rollback, words: Words) -> Markup:
    assert rollback.plan is not None
    assert rollback.requested_at is not None
    return words.say(
        "{who} rolled back at {at}: {canary} out of traffic, 100 % to {stable}: {outcome}",
        who=_who(rollback.decided_by or rollback.asked_by, words),
        at=words.clock(rollback.requested_at),
        canary=words.code(rollback.plan.canary),
        stable=words.code(rollback.plan.stable),
        outcome=outcome_name(rollback.state, words),
    )


def _who(person: str, words: Words) -> Markup:
    return words.say("Backout") if person in (AUTOMATICS, BACKOUT) else words.person(person)


def _line(told: Told, words: Words) -> Markup:
    line = told_line(told, words)
    if words.style.slack_dates:
        return line
    if told.entry.event is Event.WATCH_CHANGED:
        line = Markup(line.replace("*", ""))  # Slack's emphasis, written in the sentence itself.
    return Markup(_LAMPS.sub("", line))


def decision_lines(record: Record, words: Words) -> list[Markup]:
    """Return each decision with the rule it followed: the first guess, alerts, rollbacks."""
    decided = [(alert.created_at, alert_line(alert, words)) for alert in record.alerts]
    decided += [(r.asked_at, _asked_line(r, words)) for r in record.rollbacks]
    lines = [line for _, line in sorted(decided, key=lambda one: one[0])]
    return [*_severity_line(record, words), *lines]


def _severity_line(record: Record, words: Words) -> list[Markup]:
    first, now = record.first_severity, record.incident.severity
    if first is None:
        return []
    told = words.say("Severity at first: {severity}", severity=severity_name(first, words))
    if first is now:
        return [told]
    return [words.say("{told}; now {severity}", told=told, severity=severity_name(now, words))]


def alert_line(alert: Alert, words: Words) -> Markup:
    """Return an alert as one line: the rule with its numbers, the mode, and what was answered by whom."""
    facts = alert.gravest
    kind = AlarmKind(facts.get("kind", alert.kind))
    text = words.say(
        "{at} · {rule} Mode: {mode}.",
        at=words.clock(alert.created_at),
        rule=rule_sentence(kind, facts, words, canary=alert.canary, at=alert.created_at),
        mode=words.code(alert.mode),
    )
    why = alert.not_by_itself
    if why in set(NotByItself) and why != NotByItself.RULE_MODE:
        because = why_not_by_itself(NotByItself(why), words, mode=alert.mode)
        text = words.say("{text} Backout did not act by itself, because {why}.", text=text, why=because)
    return words.say("{text} {answer}", text=text, answer=_answer(alert, words))


def _answer(alert: Alert, words: Words) -> Markup:
    if alert.at is None or alert.state is AlertState.OVER:
        return words.say("Nobody answered it.")
    who, at = _who(alert.by or BACKOUT, words), words.clock(alert.at)
    text = {
        AlertState.ROLLED_BACK: words.say("{who} rolled back at {at}", who=who, at=at),
        AlertState.STOPPED: words.say("{who} stopped the bot at {at}", who=who, at=at),
        AlertState.NOT_THE_CANARY: words.say("{who} said at {at}: not the canary", who=who, at=at),
    }.get(alert.state)
    if text is None:
        return words.say("Nobody answered it.")
    return (
        words.say("{text}: {why}.", text=text, why=alert.why)
        if alert.why
        else words.say("{text}.", text=text)
    )


def _asked_line(rollback: Rollback, words: Words) -> Markup:
    told: dict[str, Any] = {"who": _who(rollback.asked_by, words), "at": words.clock(rollback.asked_at)}
    if rollback.forced:
        text = words.say("{at} · {who} asked for a rollback, forced", **told)
    else:
        text = words.say("{at} · {who} asked for a rollback", **told)
    if rollback.reason:
        text = words.say("{text}: {reason}", text=text, reason=rollback.reason)
    if rollback.requested_at is None:
        return words.say("{text}. It was not decided for.", text=text)
    return words.say(
        "{text}. Decided by {who} at {at}.",
        text=text,
        who=_who(rollback.decided_by or rollback.asked_by, words),
        at=words.clock(rollback.requested_at),
    )


# Checklist and files.


def checklist_values(record: Record, words: Words) -> list[dict[str, Any]]:
    """Return each phase's `phase` with its `steps`: `title`, `state` and `told`, by whom and why."""
    phases: dict[str, dict[str, Any]] = {}
    for step in record.steps:
        name = words.safe(step.phase.name.in_(words.locale))
        phase = phases.setdefault(step.phase.key, {"phase": name, "steps": []})
        phase["steps"].append(_step(step, words))
    return list(phases.values())


def _step(step: Step, words: Words) -> dict[str, Any]:
    title, state = words.safe(step.plan.title.in_(words.locale)), state_name(step.state, words)
    return {
        "title": title,
        "state": state,
        "told": _marked(step, words),
        "open": step.open,
    }


def _marked(step: Step, words: Words) -> Markup:
    mark = step.mark
    if mark is None:
        return Markup("")
    told = words.say("{who}, {at}", who=marker(mark.by, words), at=words.clock(mark.at))
    if mark.why:
        told = words.say("{told}, because: {why}", told=told, why=mark.why)
    if mark.by == BACKOUT and mark.evidence.get("sees"):
        told = words.say("{told} · {seen}", told=told, seen=seen_words(mark.evidence, words, now=None))
    return told if words.style.slack_dates else Markup(_LAMPS.sub("", told))


def exhibit_values(exhibit: Exhibit, words: Words) -> dict[str, Any]:
    """Return a file of evidence: `name`, `what` (size, secrets replaced, or why it is missing), `sha256`."""
    return {
        "name": words.code(exhibit.name),
        "what": _content_words(exhibit, words),
        "sha256": Markup(exhibit.sha256),
        "source": words.safe(exhibit.source),
        "at": words.clock(exhibit.created_at),
    }


def _content_words(exhibit: Exhibit, words: Words) -> Markup:
    if exhibit.problem is not None:
        return words.say("could not be read, because {why}", why=exhibit.problem)
    text = size_words(exhibit.size, words)
    if exhibit.redacted:
        text = words.say(
            "{text}, {count} secrets or personal data replaced", text=text, count=exhibit.redacted
        )
    if exhibit.dropped_at is not None:
        text = words.say("{text}, deleted at {at}", text=text, at=words.moment(exhibit.dropped_at))
    return text


def open_steps(record: Record) -> Iterable[Step]:
    """Return the steps that nobody has done or skipped."""
    return (step for step in record.steps if step.open)
