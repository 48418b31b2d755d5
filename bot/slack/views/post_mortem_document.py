"""What the post-mortem document is filled in with: what is known, and hints where people have to think."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.ids import incident_label
from bot.domain.playbook import Playbook
from bot.domain.post_mortem import PostMortem
from bot.domain.record import Record
from bot.domain.review import Found
from bot.domain.rollback import Rollback, RollbackState
from bot.domain.steps import by_machine, due_at
from bot.domain.timeline import BACKOUT, Event
from bot.slack.text import Markup, Words
from bot.slack.views.drill_marks import marked_if
from bot.slack.views.incident_words import failure_name, outcome_name
from bot.slack.views.post_mortem_words import place_name, zone_time
from bot.slack.views.record_values import record_values


@dataclass(frozen=True, kw_only=True)
class PostMortemFacts:
    """What the document is about. `found` is what people found in the review; `follow_ups` oldest first."""

    meeting: PostMortem
    record: Record
    playbook: Playbook
    found: Sequence[Found] = ()
    follow_ups: Sequence[FollowUp] = ()


def document_values(facts: PostMortemFacts, words: Words) -> dict[str, Any]:
    """Return every variable of the template, safe in `words`' medium."""
    record, meeting = facts.record, facts.meeting
    known = record_values(record, words)
    return {
        "label": marked_if(record.incident.drill, known["label"], words),
        "target": known["target"],
        "what": words.safe(_what(facts, words)),
        "severity": known["severity"],
        "failure_type": known["failure_type"],
        "when": words.safe(zone_time(meeting.starts_at, meeting.minutes, meeting.zone, words)),
        "where": place_name(meeting.place, words),
        "owner": words.person(meeting.owner),
        "zone": words.safe(words.zone),
        "happened": _happened(facts, words),
        "symptoms": [symptom["line"] for symptom in known["symptoms"]],
        "users": known["users"],
        "data_loss": known["data_loss"],
        "down": known["down"],
        "timeline": known["timeline"],
        "cause": words.safe(record.incident.people.cause) if record.incident.people.cause else "",
        "found": [
            words.say("{point}: {note}", point=one.point.in_(words.locale), note=one.note)
            for one in facts.found
        ],
        "well": list(_went_well(record, words)),
        "badly": list(_went_badly(facts, words)),
        "lucky": list(_lucky(record, words)),
        "improvements": (
            words.safe(record.incident.people.improvements) if record.incident.people.improvements else ""
        ),
        "tasks": [_task(one, facts.playbook, words) for one in facts.follow_ups],
        "head": Markup(record.head),
    }


def _what(facts: PostMortemFacts, words: Words) -> str:
    scenario = facts.playbook.scenario(facts.record.incident.scenario)
    if scenario is not None:
        return scenario.name.in_(words.locale)
    return failure_name(facts.record.incident.failure_type, words)


def _happened(facts: PostMortemFacts, words: Words) -> list[Markup]:
    """Return in a few sentences what happened, as far as the rows tell."""
    incident, told = facts.record.incident, list[Markup]()
    if incident.deployed_at is not None:
        told.append(
            words.say(
                "{at}: a new revision of {target} was deployed.",
                at=words.moment(incident.deployed_at),
                target=words.code(incident.target),
            )
        )
    told.append(_opened(facts.record, words))
    scenario = facts.playbook.scenario(incident.scenario)
    if scenario is not None:
        told.append(
            words.say(
                "Taken for scenario {number} of the guide: {name}.",
                number=scenario.number,
                name=scenario.name.in_(words.locale),
            )
        )
    told += [_rolled_back(rollback, words) for rollback in facts.record.rollbacks if rollback.requested_at]
    if incident.closed_at is not None:
        told.append(
            words.say(
                "{at}: the incident was closed, after {took}.",
                at=words.moment(incident.closed_at),
                took=words.duration(incident.closed_at - incident.opened_at),
            )
        )
    return told


def _opened(record: Record, words: Words) -> Markup:
    incident, at = record.incident, words.moment(record.incident.opened_at)
    seen = incident.seen.strip()
    if incident.opened_by == BACKOUT:
        text = words.say("{at}: the watch saw trouble and opened the incident", at=at)
    else:
        text = words.say("{at}: a person opened the incident", at=at)
    return words.say("{text}: {seen}", text=text, seen=seen) if seen else words.say("{text}.", text=text)


def _rolled_back(rollback: Rollback, words: Words) -> Markup:
    at = words.moment(rollback.requested_at or rollback.asked_at)
    return words.say(
        "{at}: a rollback was decided; it ended as: {outcome}.",
        at=at,
        outcome=outcome_name(rollback.state, words),
    )


def _went_well(record: Record, words: Words) -> Iterable[Markup]:
    if record.detected_after is not None:
        yield words.say(
            "It was seen {after} after the deployment. Was that early?",
            after=words.duration(record.detected_after),
        )
    if record.outcome is RollbackState.VERIFIED and record.rollback_took is not None:
        yield words.say(
            "The rollback was verified {took} after the decision.", took=words.duration(record.rollback_took)
        )
    answered = sum(entry.event is Event.PAGE_ANSWERED for entry in record.timeline)
    if answered:
        yield words.say("Calls that were answered in time: {count}.", count=answered)


def _went_badly(facts: PostMortemFacts, words: Words) -> Iterable[Markup]:
    record = facts.record
    if record.outcome is not None and record.outcome is not RollbackState.VERIFIED:
        yield words.say("The rollback ended as: {outcome}.", outcome=outcome_name(record.outcome, words))
    for title in _late_steps(facts, words):
        yield words.say("A step was done late, or not at all: {step}.", step=title)
    counts = Counter(entry.event for entry in record.timeline)
    told = {
        Event.PAGE_UNANSWERED: words.say(
            "Calls that nobody answered in time: {count}.", count=counts[Event.PAGE_UNANSWERED]
        ),
        Event.PAGE_NOBODY_LEFT: words.say(
            "Times that nobody was left to be called: {count}.", count=counts[Event.PAGE_NOBODY_LEFT]
        ),
        Event.PAGE_SLOT_EMPTY: words.say(
            "Parts for which the playbook names nobody: {count}.", count=counts[Event.PAGE_SLOT_EMPTY]
        ),
        Event.UPDATE_DUE: words.say(
            "Updates that people had to be reminded of: {count}.", count=counts[Event.UPDATE_DUE]
        ),
        Event.OTHER_WRITER: words.say(
            "Times that somebody else changed the traffic meanwhile: {count}.",
            count=counts[Event.OTHER_WRITER],
        ),
        Event.FAULT: words.say(
            "Times that something could not be read or done: {count}.", count=counts[Event.FAULT]
        ),
    }
    yield from (line for event, line in told.items() if counts[event])


def _late_steps(facts: PostMortemFacts, words: Words) -> Iterable[str]:
    """Yield the checklist's steps that were settled after they were due, and those that never were."""
    incident = facts.record.incident
    for step in facts.record.steps:
        due, mark = due_at(incident, step.phase), step.mark
        if due is None:
            continue
        late = step.open if mark is None or step.open else mark.at > due and not by_machine(mark)
        if late:
            yield step.plan.title.in_(words.locale)


def _lucky(record: Record, words: Words) -> Iterable[Markup]:
    plan = record.rollback.plan if record.rollback else None
    if plan is not None and 0 < plan.canary_percent < 100:
        yield words.say(
            "Only {percent} % of the traffic went to the canary. What if it had been all?",
            percent=plan.canary_percent,
        )


def _task(follow_up: FollowUp, playbook: Playbook, words: Words) -> dict[str, Markup]:
    """Return one action with its owner, due day (in `words.zone`) and state."""
    contact = playbook.contacts.get(follow_up.owner_role or "")
    if follow_up.owner is not None:
        owner = words.person(follow_up.owner)
    elif contact is not None:
        owner = words.safe(contact.role.in_(words.locale))
    else:
        owner = words.say("nobody yet")
    states = {
        FollowUpState.OPEN: words.say("open"),
        FollowUpState.DONE: words.say("done"),
        FollowUpState.DROPPED: words.say("not needed any more"),
    }
    return {
        "title": words.safe(follow_up.title_in(words.locale)),
        "owner": owner,
        "due": Markup(words.moment(follow_up.due_at)[:10]),
        "state": states[follow_up.state],
    }


def document_name(meeting: PostMortem, edition: str) -> str:
    """Return the document's file name; the edition makes it unique."""
    return f"{incident_label(meeting.incident)}-post-mortem-{edition}.md"
