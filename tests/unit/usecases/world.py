"""Everything a use-case may touch, made of fakes, with one target that is split 90/10."""

from bot.domain.faults import CloudFault, FaultKind
from bot.domain.rollback import Rollback
from bot.domain.traffic import TargetState
from bot.usecases.authorize import Acting
from bot.usecases.carry_out_change import Changing
from bot.usecases.carry_out_rollback import CarryingOut, carry_out_rollback
from bot.usecases.decide_rollback import request_rollback
from bot.usecases.gather_evidence import Gathering
from bot.usecases.ports import Transaction
from bot.usecases.prepare_change import PreparingChange
from bot.usecases.prepare_rollback import Preparing, prepare_rollback
from bot.usecases.report_status import Reporting
from tests.fakes import (
    FakeCloud,
    FakeMetrics,
    FakePeople,
    FakePlaybooks,
    FakeProber,
    FakeRequestLog,
    FakeSteps,
    FakeStore,
    HeldClock,
)
from tests.values import GITCO, LUBIT, SENA, SICK, a_person, a_plan, a_rollback, a_state

GONE = CloudFault(doing="read service ion-api", kind=FaultKind.UNREACHABLE, detail="no route")
DENIED = CloudFault(
    doing="update service ion-api",
    kind=FaultKind.PERMISSION,
    detail="Permission 'run.services.update' denied",
    permission="run.services.update",
)


class World:
    """The fakes, and the bundles that the use-cases ask for."""

    def __init__(self, state: TargetState | None = None) -> None:
        self.clock = HeldClock()
        self.store = FakeStore()
        self.cloud = FakeCloud(state or a_state(), self.clock)
        self.metrics = FakeMetrics(*SICK)
        self.requests = FakeRequestLog()
        self.prober = FakeProber()
        self.people = FakePeople(a_person(SENA), a_person(GITCO), a_person(LUBIT))
        self.playbooks = FakePlaybooks()

    @property
    def acting(self) -> Acting:
        """What people's acts may touch."""
        return Acting(store=self.store, people=self.people, playbooks=self.playbooks, clock=self.clock)

    @property
    def preparing(self) -> Preparing:
        """What preparing may touch."""
        return Preparing(
            store=self.store,
            people=self.people,
            playbooks=self.playbooks,
            cloud=self.cloud,
            metrics=self.metrics,
            requests=self.requests,
            clock=self.clock,
        )

    @property
    def carrying(self) -> CarryingOut:
        """What carrying out may touch; a pause moves the clock and takes no time."""
        return CarryingOut(
            store=self.store,
            playbooks=self.playbooks,
            cloud=self.cloud,
            requests=self.requests,
            prober=self.prober,
            clock=self.clock,
            pause=self.clock.pause,
        )

    @property
    def gathering(self) -> Gathering:
        """What gathering evidence may touch."""
        return Gathering(cloud=self.cloud, requests=self.requests, prober=self.prober, clock=self.clock)

    @property
    def reporting(self) -> Reporting:
        """What reporting may touch."""
        return Reporting(
            store=self.store,
            playbooks=self.playbooks,
            cloud=self.cloud,
            metrics=self.metrics,
            requests=self.requests,
            clock=self.clock,
        )

    @property
    def preparing_change(self) -> PreparingChange:
        """What preparing a change may touch."""
        return PreparingChange(
            store=self.store,
            people=self.people,
            playbooks=self.playbooks,
            cloud=self.cloud,
            clock=self.clock,
        )

    @property
    def changing(self) -> Changing:
        """What carrying out a change may touch."""
        return Changing(
            store=self.store,
            playbooks=self.playbooks,
            cloud=self.cloud,
            clock=self.clock,
            pause=self.clock.pause,
        )

    async def keep(self, *rollbacks: Rollback) -> None:
        """Store rollbacks."""

        def add(tx: Transaction) -> None:
            for rollback in rollbacks:
                tx.add_rollback(rollback)

        await self.store.change(add)

    async def decided(self, rollback: Rollback | None = None) -> Rollback:
        """Store a rollback that Sena has just decided for, with its incident, and return it."""
        asked = rollback or a_rollback(plan=a_plan(), before=SICK)
        await self.keep(asked)
        playbook, now = self.playbooks.current(), self.clock()
        await self.store.change(lambda tx: request_rollback(tx, asked, by=SENA, playbook=playbook, at=now))
        return self.store.rollback(asked.id)

    async def prepare(self, id: str = "f00d", *, stable: str | None = None) -> None:
        """Run the prepare workflow."""
        rollback = self.store.rollback(id)
        await prepare_rollback(rollback.id, steps=FakeSteps(), use=self.preparing, stable=stable)

    async def carry_out(self, id: str = "f00d", *, steps: FakeSteps | None = None) -> Rollback:
        """Run the rollback workflow and return how it ended."""
        rollback = self.store.rollback(id)
        await carry_out_rollback(rollback.id, steps=steps or FakeSteps(), use=self.carrying)
        return self.store.rollback(id)
