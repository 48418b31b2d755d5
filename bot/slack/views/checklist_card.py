"""The rollback checklist of an incident: its phases with their minutes, every step, and what can be done."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.checklist import StepState
from bot.domain.guide import PhasePlan, Sees
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Incident, IncidentState
from bot.domain.page_links import address
from bot.domain.playbook import Playbook
from bot.domain.steps import (
    Step,
    by_machine,
    cards,
    due_at,
    open_steps,
    overdue_steps,
    seen_assigned,
    seen_mark,
    steps_of,
)
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.parts import Block, actions, button, context, header, option, overflow, section
from bot.slack.views.post_mortem_message import schedule_press
from bot.slack.views.rollback_message import Message
from bot.slack.views.step_words import due_words, mark_line, minutes_span, owner_line, state_mark


class StepChoice(StrEnum):
    """What a control of a step says; the ones that end in ``_because`` ask for a reason first."""

    DONE = "done"
    DONE_BECAUSE = "done_because"
    SKIP = "skip_because"
    NOT_OK = "bad_because"
    UNDO = "undo"
    UNDO_BECAUSE = "undo_because"
    TAKE = "take"
    ASSIGN = "assign"


@dataclass(frozen=True, kw_only=True)
class StepPress:
    """What a control carries: which step, and which mark or assignment was shown beside it."""

    choice: StepChoice
    incident: IncidentNumber
    step: str
    seen: str

    def value(self) -> str:
        """Return it as a control's value, 75 characters at most."""
        return f"{self.choice}:{self.incident}:{self.step}:{self.seen}"


def read_press(value: str) -> StepPress:
    """Return what `StepPress.value` wrote."""
    choice, number, step, seen = value.split(":")
    return StepPress(choice=StepChoice(choice), incident=IncidentNumber(int(number)), step=step, seen=seen)


def checklist_card(
    incident: Incident,
    playbook: Playbook,
    words: Words,
    *,
    now: datetime,
    place: int = 1,
    canary: str | None = None,
    project: str = "",
) -> Message:
    """Render one card of the checklist.

    Args:
        now: for the countdowns, aware, UTC.
        place: which card, counted from 1; a long checklist has several.
        canary: the canary's revision, where it is known, for the links.
        project: Google Cloud project of targets that name none, for the links.
    """
    dealt = cards(playbook.checklist)
    title = _title(incident, words, place=place, of=len(dealt))
    card = _Card(incident, playbook, words, now=now, canary=canary, project=project)
    blocks = [header(title), context(summary(incident, playbook, words, now=now))]
    if not 1 <= place <= len(dealt):
        return Message(text=title, blocks=blocks)
    for phase, plans in dealt[place - 1]:
        keys = {plan.key for plan in plans}
        blocks.append(card.phase(phase))
        for step in steps_of(incident, playbook):
            if step.key in keys:
                blocks += card.step(step)
    return Message(text=title, blocks=blocks)


def _title(incident: Incident, words: Words, *, place: int, of: int) -> str:
    label = incident_label(incident.number)
    if of <= 1:
        return words.plain("{label} · rollback checklist", label=label)
    return words.plain("{label} · rollback checklist, {place} of {of}", label=label, place=place, of=of)


def summary(incident: Incident, playbook: Playbook, words: Words, *, now: datetime) -> Markup:
    """Return how far the checklist has come, in a line."""
    everything = steps_of(incident, playbook)
    if not everything:
        return words.say("This incident's playbook has no checklist.")
    told = words.say(
        "{settled} of {all} steps settled", settled=sum(not s.open for s in everything), all=len(everything)
    )
    if incident.decided_at is None:
        return words.say("{told}. Not started: its minutes count from the decision to roll back.", told=told)
    late = len(overdue_steps(incident, playbook, now=now))
    if late:
        told = words.say("{told}, {late} overdue", told=told, late=late)
    return words.say(
        "{told}. Decided at {at}, {length} ago.",
        told=told,
        at=words.clock(incident.decided_at),
        length=words.duration(max(now - incident.decided_at, now - now)),
    )


class _Card:
    """Renders the parts of one card."""

    def __init__(
        self,
        incident: Incident,
        playbook: Playbook,
        words: Words,
        *,
        now: datetime,
        canary: str | None,
        project: str,
    ) -> None:
        self._incident = incident
        self._playbook = playbook
        self._words = words
        self._now = now
        self._canary = canary
        self._project = project

    def phase(self, phase: PhasePlan) -> Block:
        """Return a phase's name, its minutes and how it stands."""
        words = self._words
        number = self._playbook.checklist.index(phase) + 1
        line = words.say(
            "{phase} ({span})",
            phase=words.bold(f"{number} · {phase.name.in_(words.locale)}"),
            span=minutes_span(phase.from_minutes, phase.to_minutes, words),
        )
        standing = self._standing(phase)
        return section(words.say("{line} · {standing}", line=line, standing=standing) if standing else line)

    def _standing(self, phase: PhasePlan) -> Markup | None:
        keys = {plan.key for plan in phase.steps}
        if not any(step.key in keys for step in open_steps(self._incident, self._playbook)):
            return self._words.say("all settled")
        due = due_at(self._incident, phase)
        return due_words(due, self._words, now=self._now) if due else None

    def step(self, step: Step) -> list[Block]:
        """Return a step with its controls; those of an open one stand in a row of their own."""
        shown = section(self._text(step))
        if self._incident.state is not IncidentState.OPEN:
            return [shown]
        menu = overflow(
            action=ActionId.STEP_MORE,
            options=[option(_choice_name(c, self._words), self._value(step, c)) for c in _menu(step)],
        )
        if not step.open:
            return [shown | {"block_id": f"step:{step.key}", "accessory": menu}]
        controls = [self._done(step), *self._shortcut(step), menu]
        return [shown, actions(*controls) | {"block_id": f"step:{step.key}"}]

    def _shortcut(self, step: Step) -> list[Block]:
        """Return what does the step itself: its mark comes with it."""
        if step.plan.sees is not Sees.POST_MORTEM:
            return []
        return [schedule_press(self._incident.number, self._words)]

    def _done(self, step: Step) -> Block:
        choice = StepChoice.DONE_BECAUSE if by_machine(step.mark) else StepChoice.DONE
        text = _choice_name(choice, self._words)
        return button(text, action=ActionId.STEP_DONE, value=self._value(step, choice))

    def _value(self, step: Step, choice: StepChoice) -> str:
        of_assigned = choice in (StepChoice.TAKE, StepChoice.ASSIGN)
        seen = seen_assigned(step.assigned) if of_assigned else seen_mark(step.mark)
        return StepPress(choice=choice, incident=self._incident.number, step=step.key, seen=seen).value()

    def _text(self, step: Step) -> Markup:
        words = self._words
        told = words.say(
            "{mark} {title}", mark=state_mark(step.state), title=words.bold(step.plan.title.in_(words.locale))
        )
        lines = [told]
        if step.mark is not None:
            lines.append(mark_line(step.mark, words, now=self._now))
        if step.open:
            lines.append(owner_line(step, words))
        link = self._link(step)
        return Markup("\n".join([*lines, link] if link else lines))

    def _link(self, step: Step) -> Markup | None:
        link = self._playbook.links.get(step.plan.link) if step.plan.link else None
        target = self._playbook.target(self._incident.target)
        if link is None or target is None:
            return None
        url = address(link, target, canary=self._canary, project=self._project)
        return self._words.say(
            "Look at: {link}", link=self._words.link(link.title.in_(self._words.locale), url)
        )


def _menu(step: Step) -> list[StepChoice]:
    """What else can be done with a step, by its state; five at most fit into a menu."""
    machine = by_machine(step.mark)
    undo = StepChoice.UNDO_BECAUSE if machine else StepChoice.UNDO
    return {
        StepState.TODO: [StepChoice.SKIP, StepChoice.NOT_OK, StepChoice.TAKE, StepChoice.ASSIGN],
        StepState.NOT_OK: [StepChoice.SKIP, StepChoice.TAKE, StepChoice.ASSIGN, undo],
        StepState.DONE: [StepChoice.NOT_OK, StepChoice.SKIP, undo],
        StepState.SKIPPED: [StepChoice.DONE, StepChoice.NOT_OK, undo],
    }[step.state]


def _choice_name(choice: StepChoice, words: Words) -> str:
    return {
        StepChoice.DONE: words.plain("Done"),
        StepChoice.DONE_BECAUSE: words.plain("Done, because …"),
        StepChoice.SKIP: words.plain("Skip, because …"),
        StepChoice.NOT_OK: words.plain("Not OK, because …"),
        StepChoice.UNDO: words.plain("Undo"),
        StepChoice.UNDO_BECAUSE: words.plain("Undo, because …"),
        StepChoice.TAKE: words.plain("I take it"),
        StepChoice.ASSIGN: words.plain("Assign to …"),
    }[choice]


def checklist_lines(incident: Incident, playbook: Playbook, words: Words, *, now: datetime) -> str:
    """Return the checklist for one reader, a line a step."""
    lines = [summary(incident, playbook, words, now=now)]
    for step in steps_of(incident, playbook):
        line = words.say(
            "{mark} {title}", mark=state_mark(step.state), title=step.plan.title.in_(words.locale)
        )
        if step.open:
            line = words.say("{line} · {owner}", line=line, owner=owner_line(step, words))
            if step.due_at is not None:
                due = due_words(step.due_at, words, now=now)
                line = words.say("{line} · {due}", line=line, due=due)
        lines.append(line)
    return "\n".join(lines)
