"""Any people, any order: the checklist against a simple model of what should stand there."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.domain.acts import Act, Verb
from bot.domain.checklist import Mark, StepState
from bot.domain.guide import Sees
from bot.domain.ids import ChannelId, PersonId
from bot.domain.observed import observed
from bot.domain.steps import BESIDE, seen_assigned, seen_mark, step_of
from bot.domain.timeline import BACKOUT, Event, first_broken, incident_chain
from bot.usecases.act import Doing
from bot.usecases.deeds import DEEDS
from bot.usecases.journal import write_lines
from bot.usecases.ports import Said
from bot.usecases.tick_checklist import tick_checklist
from tests.checklists import CHANNEL, GUIDE, open_with
from tests.fakes import FakeTransaction, Tables
from tests.values import GITCO, HOME, LUBIT, NOON, SENA, seconds

KEYS = [step.key for step in GUIDE.steps()]
people = st.sampled_from([SENA, GITCO, LUBIT])
steps = st.sampled_from(["response_time", "schedule", "error_rate"])
reasons = st.sampled_from(["", "", "I looked"])
#: Whether somebody looks at the newest card, at the very first one, or at none.
views = st.sampled_from(["newest", "oldest", "none"])
_STEP_EVENTS = (Event.STEP_MARKED, Event.STEP_UNDONE, Event.STEP_ASSIGNED, Event.STEP_SEEN)


@dataclass
class Model:
    """What one step should be: its state, by whom, and what the bot last said of it."""

    state: str = "todo"
    by: str = ""
    why: str = ""
    beside: str | None = None
    owner: str | None = None
    changes: int = 0
    owners: int = 0

    @property
    def stands(self) -> bool:
        """True for a person's word."""
        return self.by not in ("", BACKOUT) and (self.state != "todo" or bool(self.why))


@dataclass
class Expected:
    """What the whole checklist should be, and how often it changed."""

    steps: dict[str, Model] = field(default_factory=dict)
    lines: int = 0


class Checklist(RuleBasedStateMachine):
    """Acts of several people and readings of the bot, one after the other, as the row lock makes them."""

    @initialize()
    def open(self) -> None:
        self.tables = Tables()
        self.tx = FakeTransaction(self.tables)
        self.number = open_with(self.tx).number
        self.now, self.acts = NOON, 0
        self.expected = Expected(steps={key: Model() for key in KEYS})

    def incident(self) -> Any:
        return self.tx.incident(self.number)

    def act(self, verb: Verb, person: PersonId, words: dict[str, str]) -> Any:
        self.acts += 1
        self.now += seconds(1)
        act = Act(
            verb=verb, incident=self.number, person=person, acting_team=HOME, channel=ChannelId("C0"),
            key=f"press:{self.acts}", words=words,
        )  # fmt: skip
        doing = Doing(tx=self.tx, act=act, incident=self.incident(), playbook=GUIDE, at=self.now)
        return DEEDS[verb].do(doing)

    @rule(person=people, key=steps, wanted=st.sampled_from(list(StepState)), why=reasons, view=views)
    def mark(self, person: PersonId, key: str, wanted: StepState, why: str, view: str) -> None:
        model, before = self.expected.steps[key], self.incident()
        step = step_of(before, GUIDE, key)
        assert step is not None
        words = {"step": key, "state": wanted.value, "why": why}
        if view != "none":
            words["seen"] = seen_mark(step.mark) if view == "newest" else "0"
        stale = view == "oldest" and model.changes > 0
        verb = Verb.UNDO_STEP if wanted is StepState.TODO else Verb.MARK_STEP

        reply = self.act(verb, person, words)

        overrides = model.by == BACKOUT
        if model.state == wanted:
            assert reply.what is Said.STEP_FASTER
        elif stale:
            assert reply.what is Said.STEP_CHANGED
        elif not why and (overrides or wanted in (StepState.SKIPPED, StepState.NOT_OK)):
            assert reply.what is Said.STEP_WHY_NEEDED
        else:
            assert reply is None
            beside = model.state if overrides else model.beside
            self.expected.steps[key] = Model(
                state=wanted, by=person, why=why, beside=beside, owner=model.owner,
                changes=model.changes + 1, owners=model.owners,
            )  # fmt: skip
            self.expected.lines += 1
        if reply is not None:
            assert self.incident() == before

    @rule(person=people, owner=people, key=steps, view=views)
    def assign(self, person: PersonId, owner: PersonId, key: str, view: str) -> None:
        model, before = self.expected.steps[key], self.incident()
        words = {"step": key, "owner": owner}
        if view != "none":
            words["seen"] = seen_assigned(before.assigned.get(key)) if view == "newest" else "0"

        reply = self.act(Verb.ASSIGN_STEP, person, words)

        if model.state in ("done", "skipped"):
            assert reply.what is Said.STEP_CHANGED
        elif model.owner is not None and (model.owner == owner or view == "oldest"):
            assert reply.what is Said.STEP_TAKEN
        else:
            assert reply is None
            model.owner, model.owners = owner, model.owners + 1
            self.expected.lines += 1
        if reply is not None:
            assert self.incident() == before

    @rule(key=steps, ok=st.booleans())
    def see(self, key: str, ok: bool) -> None:
        self.now += seconds(1)
        sees = next(step.sees for step in GUIDE.steps() if step.key == key)
        found = [observed(sees or Sees.RECORDED, ok=ok)]

        lines = tick_checklist(self.tx, self.number, found, channel=CHANNEL, at=self.now)
        write_lines(self.tx, self.number, lines, at=self.now, channel=CHANNEL)

        for step in GUIDE.steps():
            if step.sees is found[0].sees:
                self._saw(step.key, "done" if ok else "not_ok")

    def _saw(self, key: str, said: str) -> None:
        model = self.expected.steps[key]
        if model.stands:
            changed = model.beside != said
            model.beside = said
        else:
            changed = (model.by, model.state) != (BACKOUT, said)
            if changed:
                model.state, model.by, model.why, model.beside = said, BACKOUT, "", None
                model.changes += 1
        self.expected.lines += changed

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        incident = self.incident()
        for key, model in self.expected.steps.items():
            mark = incident.marks.get(key)
            assert (mark.state if mark else "todo") == model.state
            assert (mark.by if mark else "") == model.by
            assert (mark.why if mark else "") == model.why
            assert _beside(mark) == model.beside
            assigned = incident.assigned.get(key)
            assert (assigned.owner if assigned else None) == model.owner

    @invariant()
    def the_timeline_has_a_line_for_every_change_and_is_whole(self) -> None:
        entries = self.tx.timeline(incident_chain(self.number))
        assert sum(entry.event in _STEP_EVENTS for entry in entries) == self.expected.lines
        assert first_broken(entries) is None


def _beside(mark: Mark | None) -> str | None:
    return mark.evidence[BESIDE]["state"] if mark and BESIDE in mark.evidence else None


TestChecklist = Checklist.TestCase
TestChecklist.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
