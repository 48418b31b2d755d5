"""People, the countdown and the watch at one alert at once, on SQLite and on PostgreSQL alike."""

import asyncio
from dataclasses import replace

import pytest
import pytest_asyncio
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.store import SqlStore
from bot.adapters.database.tables import RollbackRow
from bot.domain.alarm import Alarm, AlarmKind, Level
from bot.domain.alert import Alert, AlertState
from bot.domain.automatics import Automatics
from bot.domain.ids import ChannelId, PersonId, TargetName
from bot.domain.people import AUTOMATICS
from bot.domain.rollback import Rollback
from bot.domain.timeline import AUDIT, Event, first_broken
from bot.domain.watch import Watch
from bot.usecases.answer_alert import AlertAnswer, Reply, answer_alert
from bot.usecases.arm_automatics import Arming, ArmingUse, ArmRequest, arm_automatics
from bot.usecases.authorize import Acting
from bot.usecases.decide_rollback import request_rollback
from bot.usecases.fire_alert import fire_alert
from bot.usecases.ports import Said, Transaction, Workflow
from bot.usecases.raise_alert import raise_alarms
from tests.alerts import a_watch, an_alarm, an_alarming_playbook, automatics
from tests.fakes import FakeMetrics, FakePeople, FakePlaybooks, FakeSteps, HeldClock
from tests.integration.notices import notices_in
from tests.values import (
    CANARY,
    CANARY_TARGET,
    CHAT_TARGET,
    GITCO,
    HOME,
    LUBIT,
    NOON,
    SENA,
    a_person,
    a_plan,
    a_rollback,
    seconds,
)

FIRST = "canary-3-1"
PEOPLE = (SENA, GITCO, LUBIT)


class Site:
    """One database, the people, and a clock; replicas are just more of the same calls at once."""

    def __init__(self, database: Database) -> None:
        self.store = SqlStore(database, self._start)
        self.clock = HeldClock(NOON)
        self.playbooks = FakePlaybooks(an_alarming_playbook())
        self.people = FakePeople(*(a_person(p) for p in PEOPLE))
        self.started: list[Workflow] = []

    def _start(
        self, _: Session, workflow: Workflow, id: str, arguments: dict[str, str], lane: str | None
    ) -> None:
        self.started.append(workflow)

    @property
    def acting(self) -> Acting:
        """What people's acts may touch."""
        return Acting(store=self.store, people=self.people, playbooks=self.playbooks, clock=self.clock)

    async def open(self) -> None:
        """Watch a canary of an armed target."""

        def keep(tx: Transaction) -> None:
            tx.keep(a_watch())
            tx.keep(automatics())

        await self.store.change(keep)

    async def alarm(self, *alarms: Alarm) -> None:
        """Raise alarms as a tick of the watch does."""
        now, playbook = self.clock(), self.playbooks.current()

        def tick(tx: Transaction) -> None:
            watch = tx.kept(Watch, CANARY_TARGET)
            said = dict(watch.judge.said) | {a.kind.value: a.level.value for a in alarms}
            watch = replace(watch, judge=replace(watch.judge, said=said))
            tx.keep(raise_alarms(tx, watch, alarms, playbook=playbook, at=now))

        await self.store.change(tick)

    async def counting(self) -> None:
        """Let the bot be about to roll back, its ten seconds being over."""
        await self.alarm(an_alarm(AlarmKind.EARLY_WARNING, Level.ACT))
        self.clock.now += seconds(10)

    async def fire(self) -> None:
        """Wake up for the countdown, as any replica may."""
        await fire_alert(
            {"alert": FIRST, "target": CANARY_TARGET},
            steps=FakeSteps(),
            store=self.store,
            playbooks=self.playbooks,
            clock=self.clock,
        )

    async def answer(self, reply: Reply, by: PersonId = SENA) -> None:
        """Carry out what somebody pressed."""
        channel = ChannelId("C0INCIDENTS")
        press = AlertAnswer(alert=FIRST, reply=reply, person=by, acting_team=HOME, channel=channel)
        written = TypeAdapter(AlertAnswer).dump_json(press).decode()
        arguments = {"answer": written, "key": f"{reply}:{by}"}
        await answer_alert(arguments, steps=FakeSteps(), use=self.acting)

    async def arm(self, arming: Arming, by: PersonId, target: TargetName = CANARY_TARGET) -> None:
        """Arm the target, or switch it off."""
        request = ArmRequest(
            key=f"{arming}:{by}",
            target=target,
            arming=arming,
            person=by,
            acting_team=HOME,
            channel=ChannelId("C0OPERATIONS"),
        )
        written = TypeAdapter(ArmRequest).dump_json(request).decode()
        use = ArmingUse(acting=self.acting, metrics=FakeMetrics())
        await arm_automatics({"request": written}, steps=FakeSteps(), use=use)

    async def roll_back_by_card(self) -> None:
        """Let Sena decide for a rollback on its card."""
        asked = a_rollback(plan=a_plan())
        playbook, now = self.playbooks.current(), self.clock()

        def decide(tx: Transaction) -> None:
            tx.add_rollback(asked)
            request_rollback(tx, asked, by=SENA, playbook=playbook, at=now)

        await self.store.change(decide)

    # What tests ask.

    async def alert(self) -> Alert:
        """Return the one alert."""
        (alert,) = await self.store.look(lambda tx: tx.find(Alert))
        return alert

    async def automatics(self) -> Automatics:
        """Return the target's automatics."""
        return await self.store.look(lambda tx: tx.kept(Automatics, CANARY_TARGET))

    async def rollbacks(self) -> list[Rollback]:
        """Return every rollback that was asked for."""

        def read(tx: Transaction) -> list[Rollback]:
            ids = [row.id for row in tx._session.query(RollbackRow)]  # type: ignore[attr-defined]
            return [tx.rollback(id) for id in ids]

        return await self.store.look(read)

    async def events(self) -> list[Event]:
        """Return the watch's timeline, which must be intact."""
        told = await self.store.look(lambda tx: tx.timeline("watch:canary:3"))
        assert first_broken(told) is None
        return [entry.event for entry in told]


@pytest_asyncio.fixture(loop_scope="session")
async def site(database: Database) -> Site:
    """A site with a watched canary of an armed target."""
    made = Site(database)
    await made.open()
    return made


async def test_an_alert_comes_back_whole(site: Site) -> None:
    await site.counting()

    alert = await site.alert()

    assert (alert.state, alert.fires_at, alert.canary) == (AlertState.COUNTDOWN, site.clock(), CANARY)
    assert alert.facts["level"] == "act"
    assert (await site.automatics()).armed


@pytest.mark.parametrize("again", range(4))
async def test_stop_and_the_countdown_at_once_either_stop_or_fire(site: Site, again: int) -> None:
    await site.counting()

    await asyncio.gather(site.fire(), site.answer(Reply.STOP, GITCO), site.fire())

    alert, rolled, events = await site.alert(), await site.rollbacks(), await site.events()
    if alert.state is AlertState.STOPPED:
        assert rolled == []
        assert Event.AUTOMATIC_FIRED not in events
        assert (await site.automatics()).off_why == "stopped"
    else:
        (rollback,) = rolled
        assert (alert.state, alert.rollback) == (AlertState.ROLLED_BACK, rollback.id)
        assert Event.AUTOMATIC_STOPPED not in events
        assert (Said.ALERT_DECIDED, GITCO) in await notices_in(site.store)
        assert (await site.automatics()).off_why == "fired"
    assert not (await site.automatics()).armed


async def test_eight_replicas_that_wake_up_at_once_ask_for_one_rollback(site: Site) -> None:
    await site.counting()

    await asyncio.gather(*(site.fire() for _ in range(8)))

    (rollback,) = await site.rollbacks()
    assert rollback.asked_by == AUTOMATICS
    assert (await site.events()).count(Event.AUTOMATIC_FIRED) == 1
    assert len((await site.automatics()).fired_at) == 1


@pytest.mark.parametrize("again", range(2))
async def test_of_two_answers_at_once_one_counts_and_the_other_is_told(site: Site, again: int) -> None:
    await site.counting()

    await asyncio.gather(
        site.answer(Reply.ROLL_BACK, SENA),
        site.answer(Reply.NOT_THE_CANARY, GITCO),
        site.answer(Reply.ROLL_BACK, LUBIT),
    )

    alert, rolled = await site.alert(), await site.rollbacks()
    told = [person for what, person in await notices_in(site.store) if what == Said.ALERT_DECIDED]
    assert sorted(told) == sorted(set(PEOPLE) - {alert.by})
    expected = 0 if alert.state is AlertState.NOT_THE_CANARY else 1
    assert [rollback.asked_by for rollback in rolled] == [alert.by] * expected


async def test_a_rollback_by_card_and_the_countdown_at_once_are_one_rollback(site: Site) -> None:
    await site.counting()

    await asyncio.gather(site.fire(), site.roll_back_by_card())
    await site.fire()

    alert = await site.alert()
    running = await site.store.look(lambda tx: tx.running_rollback(CANARY_TARGET))
    assert running is not None
    assert alert.state is AlertState.ROLLED_BACK
    assert CANARY in (await site.automatics()).rolled_from


async def test_alarms_and_answers_at_once_lose_neither(site: Site) -> None:
    await site.alarm(an_alarm())

    await asyncio.gather(
        site.alarm(an_alarm(AlarmKind.RESPONSE_TIME, Level.RECOMMEND)),
        site.answer(Reply.HOLD, GITCO),
        site.alarm(an_alarm(AlarmKind.SERVICE_DOWN, Level.RECOMMEND)),
    )

    alert, known = await site.alert(), await site.automatics()
    assert {facts["kind"] for facts in alert.also} == {"response_time", "service_down"}
    assert known.held_by == GITCO
    assert (await site.events()).count(Event.ALARM_RAISED) == 3


async def test_switching_off_and_the_countdown_at_once_leave_it_off(site: Site) -> None:
    await site.counting()

    await asyncio.gather(site.fire(), site.arm(Arming.DISARM, GITCO), site.fire())

    rolled, alert = await site.rollbacks(), await site.alert()
    assert len(rolled) == (1 if alert.state is AlertState.ROLLED_BACK else 0)
    assert not (await site.automatics()).armed


async def test_arming_for_the_first_time_by_two_at_once_is_one_arming(site: Site) -> None:
    await asyncio.gather(site.arm(Arming.ARM, SENA, CHAT_TARGET), site.arm(Arming.ARM, LUBIT, CHAT_TARGET))

    told = await site.store.look(lambda tx: tx.timeline(AUDIT))
    assert [entry.event for entry in told] == [Event.AUTOMATICS_ARMED]
    assert (await site.store.look(lambda tx: tx.kept(Automatics, CHAT_TARGET))).by == told[0].actor
