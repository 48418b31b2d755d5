"""Several people, the bot and its timers at one checklist, on SQLite and on PostgreSQL alike."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.store import SqlStore
from bot.adapters.database.tables import MessageRow, TimerRow
from bot.domain.acts import Act, Verb
from bot.domain.checklist import StepState
from bot.domain.guide import Sees
from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.incident import Incident, IncidentState
from bot.domain.observed import observed
from bot.domain.rollback import RollbackState
from bot.domain.steps import seen_assigned, seen_mark
from bot.domain.timeline import BACKOUT, Entry, Event, first_broken, incident_chain
from bot.usecases.act import carry_out_act
from bot.usecases.authorize import Acting
from bot.usecases.deeds import DEEDS
from bot.usecases.journal import write_lines
from bot.usecases.ports import Said, Showing, Store, Transaction, Workflow
from bot.usecases.remind_checklist import remind_checklist
from bot.usecases.tick_checklist import begin_checklist, tick_checklist
from tests.checklists import CHANNEL, GUIDE, a_phase, a_playbook_with, a_step, minutes, open_with
from tests.fakes import FakePeople, FakePlaybooks, FakeSteps, HeldClock
from tests.values import GITCO, HOME, LUBIT, NOON, SENA, a_decided_rollback, a_person, a_playbook

PEOPLE = (SENA, GITCO, LUBIT)


class Shop:
    """One store, the people, and a clock."""

    def __init__(self, database: Database) -> None:
        self.woken: list[tuple[Workflow, str]] = []
        self.store: Store = SqlStore(database, self._start)
        self.clock = HeldClock(NOON + minutes(0.5))
        self.playbooks = FakePlaybooks(GUIDE)
        self.people = FakePeople(*(a_person(p) for p in PEOPLE))
        self.number = IncidentNumber(1)
        self._acts = 0

    def _start(self, _: Session, workflow: Workflow, id: str, arguments: Any, lane: str | None) -> None:
        self.woken.append((workflow, id))

    async def open(self, playbook: Any = GUIDE, **more: Any) -> Incident:
        """Open the incident."""
        return await self.store.change(lambda tx: open_with(tx, playbook, **more))

    async def act(self, verb: Verb, person: PersonId, **words: str) -> None:
        """Let somebody press, and the workflow carry it out."""
        self._acts += 1
        act = Act(
            verb=verb, incident=self.number, person=person, acting_team=HOME,
            channel=ChannelId("C0OPERATIONS"), key=f"press:{self._acts}", words=words,
        )  # fmt: skip
        written = TypeAdapter(Act).dump_json(act).decode()
        use = Acting(store=self.store, people=self.people, playbooks=self.playbooks, clock=self.clock)
        await carry_out_act({"act": written}, steps=FakeSteps(), use=use, deeds=DEEDS)

    async def mark(self, person: PersonId, step: str, state: str = "done", **words: str) -> None:
        """Let somebody mark a step."""
        await self.act(Verb.MARK_STEP, person, step=step, state=state, **words)

    async def tick(self, *seen: Sees, ok: bool = True) -> None:
        """Let the bot see something."""
        found = [observed(one, ok=ok, until=self.clock().isoformat()) for one in seen]

        def tick(tx: Transaction) -> None:
            lines = tick_checklist(tx, self.number, found, channel=CHANNEL, at=self.clock())
            write_lines(tx, self.number, lines, at=self.clock(), channel=CHANNEL)

        await self.store.change(tick)

    async def remind(self, phase: str, whom: str = "owner") -> None:
        """Let a reminder's timer go off."""
        await remind_checklist(
            {"incident": str(self.number), "phase": phase, "whom": whom},
            steps=FakeSteps(), store=self.store, playbooks=self.playbooks, clock=self.clock,
        )  # fmt: skip

    async def incident(self) -> Incident:
        """Return the incident as stored."""
        return await self.store.look(lambda tx: tx.incident(self.number))

    async def lines(self, *events: Event) -> list[Entry]:
        """Return the timeline's lines of these kinds; the chain must be whole."""
        entries = await self.store.look(lambda tx: tx.timeline(incident_chain(self.number)))
        assert first_broken(entries) is None
        return [entry for entry in entries if entry.event in events]

    async def notices(self) -> list[Mapping[str, Any]]:
        """Return what was said to single people."""
        notices = select(MessageRow).where(MessageRow.what == Showing.NOTICE.value).order_by(MessageRow.key)
        return await self.store.look(
            lambda tx: [row.facts | {"to": row.person} for row in tx._session.scalars(notices)]  # type: ignore[attr-defined]
        )

    async def timers(self) -> dict[str, datetime]:
        """Return every timer that is set."""
        rows = select(TimerRow.id, TimerRow.due_at)
        return await self.store.look(lambda tx: dict(tx._session.execute(rows).all()))  # type: ignore[attr-defined]


@pytest.fixture
def shop(database: Database) -> Shop:
    """Everything a checklist needs."""
    return Shop(database)


# Two at once.


async def test_of_three_who_press_done_at_once_one_marks_and_the_others_hear_who(shop: Shop) -> None:
    await shop.open()

    await asyncio.gather(*(shop.mark(person, "schedule", seen="0") for person in PEOPLE))

    mark = (await shop.incident()).marks["schedule"]
    [line] = await shop.lines(Event.STEP_MARKED)
    told = await shop.notices()
    assert (line.actor, line.facts["state"]) == (mark.by, "done")
    assert [n["what"] for n in told] == [Said.STEP_FASTER] * 2
    assert {n["by"] for n in told} == {mark.by}
    assert {n["to"] for n in told} == set(PEOPLE) - {mark.by}


async def test_people_and_the_bot_at_all_steps_at_once_lose_nothing(shop: Shop) -> None:
    await shop.open()
    by_people = ["users_report", "schedule", "analysis"]
    by_the_bot = [step.sees for step in GUIDE.steps() if step.sees is not None]

    await asyncio.gather(
        *(shop.mark(PEOPLE[n], step, seen="0") for n, step in enumerate(by_people)),
        *(shop.tick(sees) for sees in by_the_bot),
        *(
            shop.act(Verb.ASSIGN_STEP, SENA, step=step.key, owner=GITCO, seen="0")
            for step in GUIDE.steps()[:3]
        ),
    )

    incident = await shop.incident()
    assert {key: mark.state for key, mark in incident.marks.items()} == {
        step.key: StepState.DONE for step in GUIDE.steps()
    }
    assert [incident.marks[step].by for step in by_people] == list(PEOPLE)
    assert len(await shop.lines(Event.STEP_MARKED)) == 3
    assert len(await shop.lines(Event.STEP_SEEN)) == len(by_the_bot)


async def test_of_two_who_take_a_step_at_once_the_second_hears_who_has_it(shop: Shop) -> None:
    await shop.open()

    await asyncio.gather(
        *(shop.act(Verb.ASSIGN_STEP, p, step="analysis", owner=p, seen="0") for p in (GITCO, LUBIT))
    )

    owner = (await shop.incident()).assigned["analysis"].owner
    [line] = await shop.lines(Event.STEP_ASSIGNED)
    [told] = await shop.notices()
    assert line.facts["owner"] == owner
    assert (told["what"], told["owner"]) == (Said.STEP_TAKEN, owner)
    assert told["to"] != owner


async def test_the_bot_and_a_person_at_once_leave_the_persons_word(shop: Shop) -> None:
    await shop.open()

    await asyncio.gather(
        shop.mark(GITCO, "response_time", "not_ok", why="users say it is slow"), shop.tick(Sees.P95)
    )

    mark = (await shop.incident()).marks["response_time"]
    assert (mark.by, mark.state, mark.why) == (GITCO, StepState.NOT_OK, "users say it is slow")
    assert mark.evidence["machine"]["state"] == "done"


async def test_the_same_act_carried_out_twice_leaves_one_line(shop: Shop) -> None:
    await shop.open()

    await shop.mark(GITCO, "schedule")
    shop._acts -= 1
    await shop.mark(GITCO, "schedule")

    assert len(await shop.lines(Event.STEP_MARKED)) == 1
    assert await shop.notices() == []


# From an older state.


async def test_a_press_from_an_older_card_changes_nothing_and_gives_the_words_back(shop: Shop) -> None:
    await shop.open()
    await shop.mark(SENA, "schedule", "not_ok", why="no room is free")

    await shop.mark(GITCO, "schedule", "skipped", why="not needed", seen="0")

    [told] = await shop.notices()
    assert told["what"] == Said.STEP_CHANGED
    assert (told["by"], told["state"], told["why"]) == (SENA, "not_ok", "no room is free")
    assert told["wrote"] == "not needed"
    assert (await shop.incident()).marks["schedule"].by == SENA
    assert len(await shop.lines(Event.STEP_MARKED)) == 1


async def test_with_the_present_state_in_view_the_same_press_counts(shop: Shop) -> None:
    await shop.open()
    await shop.mark(SENA, "schedule", "not_ok", why="no room is free")
    seen = seen_mark((await shop.incident()).marks["schedule"])

    await shop.mark(GITCO, "schedule", "skipped", why="not needed", seen=seen)

    assert (await shop.incident()).marks["schedule"].state is StepState.SKIPPED
    assert [line.facts["state"] for line in await shop.lines(Event.STEP_MARKED)] == ["not_ok", "skipped"]


async def test_a_step_that_was_given_away_meanwhile_stays_there(shop: Shop) -> None:
    await shop.open()
    await shop.act(Verb.ASSIGN_STEP, SENA, step="analysis", owner=LUBIT, seen="0")

    await shop.act(Verb.ASSIGN_STEP, GITCO, step="analysis", owner=GITCO, seen="0")
    seen = seen_assigned((await shop.incident()).assigned["analysis"])
    before = (await shop.incident()).assigned["analysis"].owner
    await shop.act(Verb.ASSIGN_STEP, GITCO, step="analysis", owner=GITCO, seen=seen)

    assert before == LUBIT
    assert (await shop.incident()).assigned["analysis"].owner == GITCO
    assert [n["what"] for n in await shop.notices()] == [Said.STEP_TAKEN]


async def test_what_is_settled_is_given_to_nobody(shop: Shop) -> None:
    await shop.open()
    await shop.mark(SENA, "analysis")

    await shop.act(Verb.ASSIGN_STEP, GITCO, step="analysis", owner=GITCO)

    assert (await shop.incident()).assigned == {}
    assert [n["what"] for n in await shop.notices()] == [Said.STEP_CHANGED]


@pytest.mark.parametrize("verb", [Verb.MARK_STEP, Verb.UNDO_STEP, Verb.ASSIGN_STEP])
async def test_a_step_nobody_knows_is_said_to_be_unknown(shop: Shop, verb: Verb) -> None:
    await shop.open()

    await shop.act(verb, GITCO, step="gone", state="done", owner=GITCO)

    assert [(n["what"], n["step"]) for n in await shop.notices()] == [(Said.NO_SUCH_STEP, "gone")]


async def test_a_closed_incident_keeps_its_marks(shop: Shop) -> None:
    await shop.open(state=IncidentState.CLOSED)

    await shop.mark(GITCO, "schedule")
    await shop.remind("immediately")

    assert (await shop.incident()).marks == {}
    assert [n["what"] for n in await shop.notices()] == [Said.ALREADY_CLOSED]
    assert await shop.lines(Event.STEP_REMINDED) == []


# Overriding and undoing.


async def test_the_bots_mark_goes_only_with_a_reason(shop: Shop) -> None:
    await shop.open()
    await shop.tick(Sees.P95)

    await shop.act(Verb.UNDO_STEP, GITCO, step="response_time")
    await shop.act(Verb.UNDO_STEP, GITCO, step="response_time", why="Grafana is red")
    await shop.tick(Sees.P95, ok=False)

    mark = (await shop.incident()).marks["response_time"]
    assert [n["what"] for n in await shop.notices()] == [Said.STEP_WHY_NEEDED]
    assert (mark.state, mark.by, mark.why) == (StepState.TODO, GITCO, "Grafana is red")
    assert mark.evidence["machine"]["state"] == "not_ok"
    told = await shop.lines(Event.STEP_SEEN, Event.STEP_UNDONE)
    assert [line.event for line in told] == [Event.STEP_SEEN, Event.STEP_UNDONE, Event.STEP_SEEN]
    assert told[1].facts["overrides"] is True
    assert told[2].facts["stays"] == "todo"


async def test_undoing_is_a_new_entry_and_the_timeline_keeps_both(shop: Shop) -> None:
    await shop.open()
    await shop.mark(SENA, "schedule")

    await shop.act(Verb.UNDO_STEP, GITCO, step="schedule")
    await shop.act(Verb.UNDO_STEP, LUBIT, step="schedule")

    assert (await shop.incident()).marks["schedule"].state is StepState.TODO
    told = await shop.lines(Event.STEP_MARKED, Event.STEP_UNDONE)
    assert [(line.event, line.actor) for line in told] == [
        (Event.STEP_MARKED, SENA),
        (Event.STEP_UNDONE, GITCO),
    ]
    assert [(n["what"], n["by"]) for n in await shop.notices()] == [(Said.STEP_FASTER, GITCO)]


async def test_long_and_foreign_reasons_survive(shop: Shop) -> None:
    await shop.open()
    why = "<!channel> \u1112\u1161\u11ab\u1100\u1173\u11af \U0001f469\u200d\U0001f680 " + "x" * 40_000

    await shop.mark(GITCO, "schedule", "skipped", why=why)

    [line] = await shop.lines(Event.STEP_MARKED)
    assert line.facts["why"] == why
    assert (await shop.incident()).marks["schedule"].why == why


# The bot.


async def test_the_bot_ticks_fails_and_ticks_again_with_a_line_for_each(shop: Shop) -> None:
    await shop.open()

    for ok in (True, True, False, False, True):
        await shop.tick(Sees.ERROR_RATE, ok=ok)
        shop.clock.now += timedelta(seconds=1)

    mark = (await shop.incident()).marks["error_rate"]
    assert (mark.state, mark.by) == (StepState.DONE, BACKOUT)
    assert [line.facts["ok"] for line in await shop.lines(Event.STEP_SEEN)] == [True, False, True]


async def test_an_incident_without_a_checklist_has_no_card_no_timers_and_no_ticks(shop: Shop) -> None:
    incident = await shop.open(a_playbook())
    rollback = a_decided_rollback(incident=incident.number)

    lines = await shop.store.change(lambda tx: begin_checklist(tx, rollback, channel=CHANNEL, at=NOON))
    await shop.tick(*Sees)

    assert lines == []
    assert (await shop.incident()).marks == {}
    assert [id for id in await shop.timers() if not id.startswith("tick:")] == []
    shown = await shop.store.look(
        lambda tx: tx._session.scalars(select(MessageRow.what)).all()  # type: ignore[attr-defined]
    )
    assert Showing.CHECKLIST.value not in shown


async def test_a_long_checklist_is_shown_on_several_cards_and_all_are_brought_up_to_date(shop: Shop) -> None:
    long = a_playbook_with(a_phase("long", 0, 1, *[a_step(f"s{n}") for n in range(60)]))
    await shop.open(long)

    await shop.mark(GITCO, "s59")

    cards = select(MessageRow).where(MessageRow.what == Showing.CHECKLIST.value).order_by(MessageRow.key)
    rows = await shop.store.look(
        lambda tx: [(row.key, row.wanted) for row in tx._session.scalars(cards)]  # type: ignore[attr-defined]
    )
    assert rows == [("checklist:1", 2), ("checklist:1:2", 2), ("checklist:1:3", 2)]


async def test_a_message_is_posted_once_it_has_its_place(shop: Shop) -> None:
    await shop.open()
    before = await shop.store.look(lambda tx: tx.standing("board:1"))

    def arrive(tx: Transaction) -> None:
        row = tx._session.get(MessageRow, "board:1")  # type: ignore[attr-defined]
        row.sent_channel, row.ts = "C0CRITICAL", "1772452801.000100"

    await shop.store.change(arrive)

    assert before is None
    assert await shop.store.look(lambda tx: tx.standing("board:1")) == (
        "C0CRITICAL",
        "1772452801.000100",
    )
    assert await shop.store.look(lambda tx: tx.standing("board:7")) is None


# Reminders.


async def test_a_decision_sets_a_timer_for_each_phase_and_one_for_the_commander(shop: Shop) -> None:
    incident = await shop.open()
    rollback = a_decided_rollback(incident=incident.number)

    await shop.store.change(lambda tx: begin_checklist(tx, rollback, channel=CHANNEL, at=NOON))

    due = {id.removeprefix("remind_checklist:1:"): at - NOON for id, at in (await shop.timers()).items()}
    assert {id: at for id, at in due.items() if ":" not in id or id.endswith(("owner", "commander"))} == {
        "immediately:owner": minutes(1),
        "immediately:commander": minutes(2),
        "confirm:owner": minutes(2),
        "confirm:commander": minutes(3),
        "verify:owner": minutes(5),
        "verify:commander": minutes(8),
        "record:owner": minutes(10),
        "record:commander": minutes(15),
    }


async def test_timers_outlive_the_process_and_go_off_once(shop: Shop, database: Database) -> None:
    incident = await shop.open()
    rollback = a_decided_rollback(incident=incident.number)
    await shop.store.change(lambda tx: begin_checklist(tx, rollback, channel=CHANNEL, at=NOON))
    replicas = [Shop(database) for _ in range(4)]

    await asyncio.gather(*(r.store.change(lambda tx: tx.wake_due(NOON + minutes(1))) for r in replicas))

    woken = [id for r in replicas for workflow, id in r.woken if workflow is Workflow.REMIND_CHECKLIST]
    assert [id.partition("@")[0] for id in woken] == ["remind_checklist:1:immediately:owner"]


async def test_open_steps_remind_their_owners_once_however_many_replicas_wake_up(shop: Shop) -> None:
    await shop.open(roles={"backend": GITCO})
    await shop.mark(SENA, "all_green", "skipped", why="no Grafana here")

    await asyncio.gather(*(shop.remind("verify") for _ in range(5)))

    told = {line.facts["step"]: line.facts["person"] for line in await shop.lines(Event.STEP_REMINDED)}
    assert told == {"users_report": GITCO, "log_errors": SENA}
    assert len(await shop.lines(Event.STEP_REMINDED)) == 2


async def test_what_is_still_open_later_reminds_the_commander(shop: Shop) -> None:
    await shop.open(roles={"backend": GITCO}, commander=LUBIT)
    await shop.remind("verify")
    await shop.mark(GITCO, "users_report")

    await shop.remind("verify", "commander")
    await shop.remind("verify", "commander")

    told = [
        (n.facts["step"], n.facts["whom"], n.facts["person"]) for n in await shop.lines(Event.STEP_REMINDED)
    ]
    assert sorted(told) == [
        ("all_green", "commander", LUBIT),
        ("all_green", "owner", LUBIT),
        ("log_errors", "commander", LUBIT),
        ("log_errors", "owner", LUBIT),
        ("users_report", "owner", GITCO),
    ]


async def test_where_nobody_is_in_command_whoever_began_is_reminded(shop: Shop) -> None:
    await shop.open(commander=None, opened_by=LUBIT)

    await shop.remind("record")

    assert {line.facts["person"] for line in await shop.lines(Event.STEP_REMINDED)} == {LUBIT}


async def test_a_phase_that_is_settled_reminds_nobody(shop: Shop) -> None:
    await shop.open()
    for step in ("decide", "alert_team", "run_rollback"):
        await shop.mark(GITCO, step)

    await shop.remind("immediately")
    await shop.remind("immediately", "commander")

    assert await shop.lines(Event.STEP_REMINDED) == []


async def test_a_second_rollback_sets_no_second_round_of_reminders(shop: Shop) -> None:
    incident = await shop.open()
    rollback = a_decided_rollback(incident=incident.number)
    again = replace(rollback, state=RollbackState.REQUESTED)

    await shop.store.change(lambda tx: begin_checklist(tx, rollback, channel=CHANNEL, at=NOON))
    await shop.store.change(lambda tx: tx.wake_due(NOON + minutes(60)))
    await shop.store.change(lambda tx: begin_checklist(tx, again, channel=CHANNEL, at=NOON + minutes(60)))

    assert [id for id in await shop.timers() if id.startswith("remind")] == []
