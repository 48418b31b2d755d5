"""The incident's board: one message edited in place, its thread the log."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.change import Change
from bot.domain.ids import incident_label
from bot.domain.incident import Incident, IncidentState, Severity
from bot.domain.paging import Page
from bot.domain.playbook import Playbook
from bot.domain.post_mortem import PostMortem
from bot.domain.rollback import Rollback
from bot.domain.steps import next_step, phase_now
from bot.domain.taking import Taking
from bot.domain.timeline import BACKOUT
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.change_words import change_state_name, kind_name
from bot.slack.views.exhibits import board_evidence
from bot.slack.views.incident_words import failure_name, outcome_name, severity_name
from bot.slack.views.parts import (
    Block,
    actions,
    button,
    confirm,
    context,
    fields,
    fit,
    header,
    option,
    section,
)
from bot.slack.views.post_mortem_words import standing_of
from bot.slack.views.rollback_message import Message, headline

_SEVERITY_MARKS = {
    Severity.CRITICAL: ":rotating_light:",
    Severity.HIGH: ":red_circle:",
    Severity.MEDIUM: ":large_yellow_circle:",
    Severity.LOW: ":white_circle:",
}
#: How many rollbacks, changes and pages are listed; the thread holds all of them.
LINES_SHOWN = 10
#: As much of what the watch saw as the board shows.
SEEN_SHOWN = 1500


def board(
    incident: Incident,
    rollbacks: Sequence[Rollback],
    words: Words,
    *,
    now: datetime,
    playbook: Playbook,
    pages: Sequence[Page] = (),
    changes: Sequence[Change] = (),
    links: Mapping[str, str] | None = None,
    meeting: PostMortem | None = None,
    evidence: Sequence[Taking] = (),
) -> Message:
    """Render an incident.

    Args:
        rollbacks: the incident's, oldest first.
        now: aware, UTC; the minutes on the board count up to it.
        playbook: the edition the incident goes by.
        pages: those that wait for an answer.
        changes: the incident's, oldest first.
        links: ``diagnosis`` and ``checklist``, each with its card's address as far as it is known.
        meeting: the incident's post-mortem, once somebody has set it.
        evidence: what was taken, oldest first.
    """
    title = _title(incident, rollbacks, words)
    blocks: list[Block] = [header(title), fields(_facts(incident, playbook, words, now=now, meeting=meeting))]
    if incident.state is IncidentState.OPEN:
        blocks += _seen(incident, words)
        blocks += _what_next(incident, playbook, words, now=now)
        blocks += _waiting(pages, playbook, words)
    blocks += _rollback_lines(rollbacks, words)
    blocks += _change_lines(changes, words)
    blocks += board_evidence(evidence, words)
    blocks.append(context(_foot(incident, links or {}, words)))
    blocks += _controls(incident, words)
    return Message(text=title, blocks=blocks)


def _title(incident: Incident, rollbacks: Sequence[Rollback], words: Words) -> str:
    standing = headline(rollbacks[-1], words) if rollbacks else words.plain("Open")
    if incident.merged_into is not None:
        standing = words.plain("Joined to {label}", label=incident_label(incident.merged_into))
    elif incident.state is IncidentState.CLOSED:
        standing = words.plain("Closed")
    label = incident_label(incident.number)
    return words.plain(
        "{label} · {target} · {standing}", label=label, target=incident.target, standing=standing
    )


def _facts(
    incident: Incident, playbook: Playbook, words: Words, *, now: datetime, meeting: PostMortem | None
) -> list[str]:
    until = incident.closed_at or now
    facts: list[str] = [
        words.say("*Command*\n{who}", who=_commander(incident, words)),
        words.say(
            "*Severity*\n{mark} {severity}",
            mark=_SEVERITY_MARKS[incident.severity],
            severity=severity_name(incident.severity, words),
        ),
        words.say("*Scenario*\n{scenario}", scenario=_scenario(incident, playbook, words)),
        words.say("*Failure type*\n{failure}", failure=failure_name(incident.failure_type, words)),
        words.say("*Phase*\n{phase}", phase=_phase(incident, playbook, words, now=until)),
        words.say(
            "*Incident*\n{for_so_long}, opened {at} by {who}",
            for_so_long=_minutes(until - incident.opened_at, words),
            at=words.moment(incident.opened_at),
            who=words.person(incident.opened_by),
        ),
    ]
    if incident.deployed_at is not None:
        ago = _minutes(until - incident.deployed_at, words)
        facts.append(
            words.say("*Deployed*\n{ago} ago, {at}", ago=ago, at=words.moment(incident.deployed_at))
            if incident.state is IncidentState.OPEN
            else words.say("*Deployed*\n{at}", at=words.moment(incident.deployed_at))
        )
    if incident.closed_at is not None:
        facts.append(words.say("*Closed*\n{at}", at=words.moment(incident.closed_at)))
    if meeting is not None:
        facts.append(words.say("*Post-mortem*\n{when}", when=standing_of(meeting, words)))
    return facts


def _seen(incident: Incident, words: Words) -> list[Block]:
    """Say what the watch saw when it opened the incident: before → now, how long after the deployment."""
    if incident.opened_by != BACKOUT or not incident.seen.strip():
        return []
    seen = fit(words.safe(incident.seen), SEEN_SHOWN)
    if incident.deployed_at is None:
        return [section(words.say(":eyes: *Backout saw*: {seen}", seen=Markup(seen)))]
    after = _minutes(incident.opened_at - incident.deployed_at, words)
    return [
        section(
            words.say(
                ":eyes: *Backout saw*, {after} after the deployment: {seen}", after=after, seen=Markup(seen)
            )
        )
    ]


def _commander(incident: Incident, words: Words) -> Markup:
    if incident.commander is not None:
        return words.person(incident.commander)
    if incident.state is IncidentState.CLOSED:
        return words.say("nobody")
    return words.bold(words.plain("nobody: take it"))


def _scenario(incident: Incident, playbook: Playbook, words: Words) -> Markup:
    scenario = playbook.scenario(incident.scenario)
    if scenario is None:
        return words.say("not known yet")
    return words.say("{number}. {name}", number=scenario.number, name=scenario.name.in_(words.locale))


def _phase(incident: Incident, playbook: Playbook, words: Words, *, now: datetime) -> Markup:
    if incident.decided_at is None:
        return words.say("no rollback decided")
    phase = phase_now(incident, playbook, now=now)
    if phase is None:
        return words.say("afterwards")
    return words.safe(phase.name.in_(words.locale))


def _minutes(length: timedelta, words: Words) -> Markup:
    """Return whole minutes, hours beyond an hour and a half: the board is rendered once a minute."""
    minutes = max(int(length.total_seconds() // 60), 0)
    if minutes < 90:
        return words.say("{minutes} min", minutes=minutes)
    return words.duration(timedelta(minutes=minutes))


def _what_next(incident: Incident, playbook: Playbook, words: Words, *, now: datetime) -> list[Block]:
    lines = []
    step = next_step(incident, playbook) if incident.decided_at else None
    if step is not None and step.due_at is not None:
        lines.append(
            words.say(
                ":alarm_clock: *Next*: {step} · {due} · {owner}",
                step=step.plan.title.in_(words.locale),
                due=_due(step.due_at, words, now=now),
                owner=words.person(step.owner.person) if step.owner else words.say("*nobody has it*"),
            )
        )
    roles = [
        words.say("{role} {who}", role=playbook.contacts[key].role.in_(words.locale), who=words.person(who))
        for key, who in incident.roles.items()
        if key in playbook.contacts
    ]
    if roles:
        lines.append(words.say(":busts_in_silhouette: *Parts*: {roles}", roles=Markup(" · ".join(roles))))
    return [section("\n".join(lines))] if lines else []


def _due(due_at: datetime, words: Words, *, now: datetime) -> Markup:
    if now > due_at:
        return words.say("*overdue* for {so_long}", so_long=_minutes(now - due_at, words))
    return words.say("due in {so_long}", so_long=_minutes(due_at - now, words))


def _waiting(pages: Sequence[Page], playbook: Playbook, words: Words) -> list[Block]:
    lines = [
        words.say(
            ":pager: {role} was called at {at} and has not answered; the next one is called at {due}",
            role=words.bold(_contact(page, playbook, words)),
            at=words.clock(page.created_at),
            due=words.clock(page.due_at),
        )
        for page in pages[-LINES_SHOWN:]
    ]
    return [section("\n".join(lines))] if lines else []


def _contact(page: Page, playbook: Playbook, words: Words) -> str:
    contact = playbook.contacts.get(page.contact)
    return contact.role.in_(words.locale) if contact else page.contact


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
    return [section("\n".join(lines[-LINES_SHOWN:]))] if lines else []


def _change_lines(changes: Sequence[Change], words: Words) -> list[Block]:
    lines = [
        words.say(
            "Change by {who} at {at}: {what}, {outcome}",
            who=words.person(change.decided_by or change.asked_by),
            at=words.clock(change.requested_at or change.asked_at),
            what=kind_name(change.kind, words),
            outcome=words.bold(change_state_name(change.state, words)),
        )
        for change in changes
        if change.requested_at is not None
    ]
    return [section("\n".join(lines[-LINES_SHOWN:]))] if lines else []


def _foot(incident: Incident, links: Mapping[str, str], words: Words) -> Markup:
    text = words.say("The log is in this thread. Playbook {version}.", version=incident.playbook_version)
    named = {"diagnosis": words.plain("Diagnosis"), "checklist": words.plain("Checklist")}
    shown = [words.link(named[card], links[card]) for card in named if links.get(card)]
    return words.say("{text} {links}", text=text, links=Markup(" · ".join(shown))) if shown else text


def _controls(incident: Incident, words: Words) -> list[Block]:
    number = str(incident.number)
    record = button(words.plain("Complete the record"), action=ActionId.COMPLETE_RECORD, value=number)
    if incident.state is IncidentState.CLOSED:
        reopen = button(words.plain("Reopen"), action=ActionId.REOPEN_INCIDENT, value=number)
        return [actions(record) if incident.merged_into is not None else actions(record, reopen)]
    close = button(words.plain("Close the incident…"), action=ActionId.CLOSE_INCIDENT, value=number)
    return [
        actions(
            _take_command(incident, words),
            button(words.plain("Call somebody…"), action=ActionId.PAGE, value=number),
            button(words.plain("Tell people…"), action=ActionId.TELL, value=number),
            button(words.plain("Note…"), action=ActionId.WRITE_NOTE, value=number),
            _more(number, words),
        ),
        actions(record, close),
    ]


def _take_command(incident: Incident, words: Words) -> Block:
    value = f"{incident.number}:{incident.commander or ''}"
    if incident.commander is None:
        return button(words.plain("Take command"), action=ActionId.TAKE_COMMAND, value=value, style="primary")
    sure = confirm(
        title=words.plain("Take over command?"),
        text=words.say(
            "{who} has command of {label} and will be told.",
            who=words.person(incident.commander),
            label=incident_label(incident.number),
        ),
        yes=words.plain("Take it over"),
        no=words.plain("Leave it"),
    )
    return button(words.plain("Take over command"), action=ActionId.TAKE_COMMAND, value=value, confirm=sure)


def _more(number: str, words: Words) -> Block:
    chosen = {
        "severity": words.plain("Change the severity…"),
        "scenario": words.plain("Choose the scenario…"),
        "hand_over": words.plain("Hand over command…"),
        "roles": words.plain("Take a part…"),
        "show": words.plain("Show the timeline…"),
    }
    options = [option(text, f"{what}:{number}") for what, text in chosen.items()]
    return {"type": "overflow", "action_id": ActionId.BOARD_MORE, "options": options}
