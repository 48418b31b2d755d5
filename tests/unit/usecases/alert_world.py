"""The use-cases' world with a watched canary: alarms come, people answer, the clock moves on."""

from dataclasses import replace
from typing import Any

from bot.domain.alarm import Alarm, AlarmKind, Level
from bot.domain.alert import Alert
from bot.domain.automatics import Automatics
from bot.domain.detection import Excess
from bot.domain.ids import ChannelId, PersonId, TargetName
from bot.domain.incident import Incident
from bot.domain.paging import Page
from bot.domain.playbook import Playbook
from bot.domain.rollback import Rollback
from bot.domain.timeline import Event
from bot.domain.watch import Watch
from bot.usecases.answer_alert import AlertAnswer, Reply, accept_alert_answer, answer_alert
from bot.usecases.arm_automatics import Arming, ArmingUse, ArmRequest, accept_arming, arm_automatics
from bot.usecases.find_answers import Finding, find_answers
from bot.usecases.fire_alert import fire_alert
from bot.usecases.ports import Transaction, Workflow
from bot.usecases.raise_alert import raise_alarms
from tests.alerts import a_watch, an_alarm, an_alarming_playbook, automatics
from tests.fakes import FakePlaybooks, FakeSteps, FakeStream
from tests.unit.usecases.world import World
from tests.values import CANARY_TARGET, HOME, SENA, seconds

FIRST = "canary-3-1"


class AlertWorld(World):
    """What an alarm leads to; whatever is due runs twice, as replicas might run it."""

    def __init__(self, playbook: Playbook | None = None) -> None:
        super().__init__()
        self.playbooks = FakePlaybooks(playbook or an_alarming_playbook())
        self.stream = FakeStream()
        self._keys = 0

    @property
    def finding(self) -> Finding:
        """What finding answers may touch."""
        return Finding(
            store=self.store,
            playbooks=self.playbooks,
            metrics=self.metrics,
            stream=self.stream,
            clock=self.clock,
        )

    @property
    def arming(self) -> ArmingUse:
        """What arming may touch."""
        return ArmingUse(acting=self.acting, metrics=self.metrics)

    async def keep_values(self, *values: Any) -> None:
        """Store values as they are."""

        def keep(tx: Transaction) -> None:
            for value in values:
                tx.keep(value)

        await self.store.change(keep)

    async def watch(self, **more: Any) -> Watch:
        """Watch the canary."""
        watched = a_watch(**more)
        await self.keep_values(watched)
        return watched

    async def armed(self, **more: Any) -> None:
        """Let the bot act by itself on the target."""
        await self.keep_values(automatics(**more))

    async def alarm(
        self, kind: AlarmKind = AlarmKind.ERROR_RATE_IN_A_ROW, level: Level = Level.RECOMMEND, **facts: Any
    ) -> None:
        """Raise one alarm as a tick of the watch does it, the judge's memory and all."""
        await self.alarms(an_alarm(kind, level, **({"at": self.clock()} | facts)))

    async def alarms(self, *alarms: Alarm) -> None:
        """Raise alarms in the watch's transaction."""
        now, playbook = self.clock(), self.playbooks.current()

        def tick(tx: Transaction) -> None:
            watch = tx.kept(Watch, CANARY_TARGET)
            said = dict(watch.judge.said) | {a.kind.value: a.level.value for a in alarms}
            watch = replace(watch, judge=replace(watch.judge, said=said))
            tx.keep(raise_alarms(tx, watch, alarms, playbook=playbook, at=now))

        await self.store.change(tick)

    async def score(self, percent: float) -> None:
        """Let the judge find the trigger score for errors so full."""
        watch = self.watched()
        judged = replace(watch.judge, errors_trigger=Excess(level=percent), height=100.0)
        await self.keep_values(replace(watch, judge=judged))

    async def nearly(
        self, percent: float = 90.0, kind: AlarmKind = AlarmKind.EARLY_WARNING, before: Level | None = None
    ) -> None:
        """Let the judge find the score nearly full, and raise that."""
        await self.score(percent)
        alarm = an_alarm(kind, Level.NEARLY, at=self.clock(), trigger_percent=percent)
        await self.alarms(replace(alarm, before=before))

    async def recover(self) -> None:
        """Let the judge find that nothing is true any more."""
        watch = self.watched()
        await self.keep_values(replace(watch, judge=replace(watch.judge, said={})))

    async def answer(
        self, reply: Reply, by: PersonId = SENA, *, alert: str = FIRST, why: str = "", key: str = ""
    ) -> None:
        """Press a button of an alert."""
        self._keys += 1
        press = AlertAnswer(
            alert=alert,
            reply=reply,
            person=by,
            acting_team=HOME,
            channel=ChannelId("C0INCIDENTS"),
            why=why,
        )
        key = key or f"press{self._keys}"
        await accept_alert_answer(key, press, store=self.store, clock=self.clock)
        _, arguments = self.store.kept.workflows[f"{Workflow.ANSWER_ALERT}:{alert}:{key}"]
        for _ in range(2):
            await answer_alert(arguments, steps=FakeSteps(), use=self.acting)

    async def arm(self, arming: Arming = Arming.ARM, by: PersonId = SENA, *, target: str = "canary") -> None:
        """Ask to arm, arm, or switch off."""
        self._keys += 1
        request = ArmRequest(
            key=f"arm{self._keys}",
            target=TargetName(target),
            arming=arming,
            person=by,
            acting_team=HOME,
            channel=ChannelId("C0OPERATIONS"),
        )
        await accept_arming(request, store=self.store, clock=self.clock)
        _, arguments = self.store.kept.workflows[f"{Workflow.ARM}:{target}:{request.key}"]
        for _ in range(2):
            await arm_automatics(arguments, steps=FakeSteps(), use=self.arming)

    async def later(self, passed: float) -> None:
        """Let `passed` seconds go by and run what of ours is due, each twice."""
        self.clock.now += seconds(passed)
        known = set(self.store.kept.workflows)
        await self.store.change(lambda tx: tx.wake_due(self.clock()))
        for id, (workflow, arguments) in dict(self.store.kept.workflows).items():
            if id not in known:
                await self.woken(workflow, dict(arguments))
                await self.woken(workflow, dict(arguments))

    async def woken(self, workflow: Workflow, arguments: dict[str, str]) -> None:
        """Run one woken workflow of ours."""
        if workflow is Workflow.FIRE:
            await fire_alert(
                arguments,
                steps=FakeSteps(),
                store=self.store,
                playbooks=self.playbooks,
                clock=self.clock,
            )
        if workflow is Workflow.FIND_ANSWERS:
            await find_answers(arguments, steps=FakeSteps(), use=self.finding)

    async def find_answers(self) -> None:
        """Run what the hand-over has started."""
        for arguments in self.store.started(Workflow.FIND_ANSWERS):
            await self.woken(Workflow.FIND_ANSWERS, dict(arguments))

    # What tests ask.

    def alert(self, id: str = FIRST) -> Alert:
        """Return an alert as stored."""
        found: Alert = self.store.kept.shelf[Alert, id]
        return found

    def alerts(self) -> list[Alert]:
        """Return every alert, oldest first."""
        return [value for (kind, _), value in self.store.kept.shelf.items() if kind is Alert]

    def watched(self) -> Watch:
        """Return the watch as stored."""
        found: Watch = self.store.kept.shelf[Watch, "canary"]
        return found

    def automatics(self) -> Automatics:
        """Return the target's automatics as stored."""
        found: Automatics = self.store.kept.shelf[Automatics, "canary"]
        return found

    def incident(self) -> Incident:
        """Return the newest incident."""
        return self.store.kept.incidents[max(self.store.kept.incidents)]

    def asked(self) -> list[Rollback]:
        """Return every rollback that was asked for."""
        return list(self.store.kept.rollbacks.values())

    def pages(self) -> list[Page]:
        """Return every page."""
        return [value for (kind, _), value in self.store.kept.shelf.items() if kind is Page]

    def told(self) -> list[str]:
        """Return what was said to people, in order."""
        return [str(notice["what"]) for notice in self.store.notices()]

    def events(self, chain: str = "watch:canary:3") -> list[Event]:
        """Return a timeline."""
        return self.store.events(chain)

    def facts(self, event: Event, chain: str = "watch:canary:3") -> dict[str, Any]:
        """Return the facts of the last line of a kind."""
        return dict([e for e in self.store.kept.chains[chain] if e.event is event][-1].facts)


async def a_world(playbook: Playbook | None = None, *, armed: bool = True, **more: Any) -> AlertWorld:
    """Return a world with a watched canary whose target is armed."""
    world = AlertWorld(playbook)
    await world.watch(**more)
    if armed:
        await world.armed()
    return world
