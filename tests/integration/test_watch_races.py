"""Workers at one watch at once, on SQLite and on PostgreSQL alike: each bucket is stored once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.store import SqlStore
from bot.domain.alert import Alert, AlertState
from bot.domain.judge import Judged, JudgeState, judge
from bot.domain.observation import BUCKET, Observation
from bot.domain.playbook import Playbook
from bot.domain.timeline import Event, first_broken
from bot.domain.watch import EndedWhy, Watch, watch_chain
from bot.usecases.ask_for_watch import AskingForWatch, Wanted, answer_watch_wish
from bot.usecases.authorize import Acting
from bot.usecases.ports import Workflow
from bot.usecases.read_sources import Sources
from bot.usecases.scout import Scouting, scout
from bot.usecases.watch_target import Turn, WatchingTarget, watch_target
from tests.fakes import FakeSteps
from tests.unit.usecases.watch_world import WatchWorld, failing
from tests.values import CANARY_TARGET, HOME, NOON, SENA, seconds


def writing_down(state: JudgeState, seen: Observation, playbook: Playbook) -> Judged:
    """Remember every bucket that was shown."""
    if seen.canary is None:
        return Judged(state=state)
    shown = (*state.memory, (seen.since, float(seen.canary.requests)))
    return Judged(state=replace(state, revision=seen.revision, memory=shown))


class Shop:
    """One database and one canary; replicas are just more of the same calls at once."""

    def __init__(self, database: Database) -> None:
        self.world = WatchWorld(judge=writing_down)
        self.store = SqlStore(database, self._start)
        self.started: dict[str, tuple[Workflow, dict[str, str]]] = {}

    def _start(
        self, _: Session, workflow: Workflow, id: str, arguments: dict[str, str], lane: str | None
    ) -> None:
        self.started.setdefault(id, (workflow, arguments))

    @property
    def use(self) -> WatchingTarget:
        """What watching may touch."""
        return replace(self.world.watching, store=self.store)

    async def scout(self) -> None:
        """Scout as any replica may."""
        world = self.world
        use = Scouting(store=self.store, playbooks=world.playbooks, cloud=world.cloud, clock=world.clock)
        await scout({}, steps=FakeSteps(), use=use)

    async def ask(self, wanted: Wanted) -> None:
        """Let a person ask."""
        world = self.world
        acting = Acting(store=self.store, people=world.people, playbooks=world.playbooks, clock=world.clock)
        words = {"target": CANARY_TARGET, "person": SENA, "channel": "C0OPS", "wanted": wanted.value}
        await answer_watch_wish(
            words | {"key": f"key:{wanted}", "team": HOME},
            steps=FakeSteps(),
            use=AskingForWatch(acting=acting, cloud=world.cloud),
        )

    def turns(self) -> list[dict[str, str]]:
        """Return the arguments of every turn that was started, in order."""
        return [arguments for kind, arguments in self.started.values() if kind is Workflow.WATCH]

    async def take_turn(self) -> None:
        """Take the newest turn, as its workflow does."""
        await watch_target(self.turns()[-1], steps=FakeSteps(), use=self.use)

    async def a_turn(self) -> Turn:
        """Return the watch's turn, to be taken tick by tick."""
        target = self.world.playbooks.current().targets[CANARY_TARGET]
        watch = await self.watch()
        return Turn(watch, Sources(watch, target, self.use.reading), self.use)

    async def watch(self) -> Watch:
        """Return the watch as it is kept."""
        return await self.store.look(lambda tx: tx.kept(Watch, CANARY_TARGET))

    async def lines(self, event: Event, *, number: int = 1) -> int:
        """Count the lines of a kind; the whole timeline must be intact."""
        chain = watch_chain(f"{CANARY_TARGET}:{number}")
        told = await self.store.look(lambda tx: tx.timeline(chain))
        assert first_broken(told) is None
        return sum(entry.event is event for entry in told)


@pytest.fixture
def shop(database: Database) -> Shop:
    """A shop without a watch yet."""
    return Shop(database)


async def test_eight_replicas_that_scout_at_once_begin_one_watch(shop: Shop) -> None:
    await asyncio.gather(*(shop.scout() for _ in range(8)))

    assert (await shop.watch()).number == 1
    assert len(shop.turns()) == await shop.lines(Event.WATCH_BEGUN) == 1


@pytest.mark.parametrize("again", range(3))
async def test_of_workers_that_keep_the_same_tick_at_once_one_does(shop: Shop, again: int) -> None:
    await shop.scout()
    for _ in range(4):
        turns = [await shop.a_turn() for _ in range(5)]
        shop.world.clock.now += seconds(20)
        looked = [await turn.read() for turn in turns]

        kept = await asyncio.gather(*(turn.keep(found) for turn, found in zip(turns, looked, strict=True)))

        assert sum(kept) == 1
    watch = await shop.watch()
    shown = [at for at, _ in watch.judge.memory]
    assert watch.read_until is not None
    assert shown == [NOON - seconds(60) + n * BUCKET for n in range(len(shown))]
    assert watch.read_until == shown[-1] + BUCKET


async def test_whole_turns_that_race_hand_the_watch_on_once(shop: Shop) -> None:
    await shop.scout()
    world = shop.world

    async def slowly(seconds_: float) -> None:
        await asyncio.sleep(0)
        world.clock.now += seconds(seconds_)

    use = replace(shop.use, pause=slowly)
    first = shop.turns()[0]

    await asyncio.gather(*(watch_target(first, steps=FakeSteps(), use=use) for _ in range(4)))

    watch = await shop.watch()
    shown = [at for at, _ in watch.judge.memory]
    assert shown == sorted(set(shown))
    assert shown == [NOON - seconds(60) + n * BUCKET for n in range(len(shown))]
    assert len(shop.turns()) == watch.turn + 1 == 2


async def test_a_stuck_watch_gets_one_turn_however_many_find_it(shop: Shop) -> None:
    await shop.scout()
    shop.world.clock.now += seconds(120)

    await asyncio.gather(*(shop.scout() for _ in range(6)))

    assert (await shop.watch()).turn == 1
    assert len(shop.turns()) == 2


@pytest.mark.parametrize("again", range(3))
async def test_a_person_who_ends_the_watch_while_it_is_kept_is_heard(shop: Shop, again: int) -> None:
    await shop.scout()
    turn = await shop.a_turn()
    shop.world.clock.now += seconds(20)
    looked = await turn.read()

    await asyncio.gather(turn.keep(looked), shop.ask(Wanted.UNWATCH))

    watch = await shop.watch()
    assert (watch.ended_why, watch.ended_by) == (EndedWhy.BY_A_PERSON, SENA)
    assert await shop.lines(Event.WATCH_ENDED) == 1
    assert not await turn.keep(looked)


async def test_what_is_kept_comes_back_as_it_was_and_the_watch_goes_on_from_it(shop: Shop) -> None:
    shop.world.judge = judge
    await shop.scout()
    shop.world.stream.answering = failing(5)
    for _ in range(3):
        await shop.take_turn()

    (alert,) = await shop.store.look(lambda tx: tx.find(Alert, target=CANARY_TARGET))
    watch = await shop.watch()
    assert alert.state is AlertState.OPEN
    assert (watch.turn, watch.alerts, len(watch.carried.recent)) == (3, 1, 6)
    assert watch.points[-1].canary.error_rate == 10.0
    assert watch.closely(now=shop.world.clock())
    assert watch.read_until is not None
    assert shop.world.clock() - watch.read_until < timedelta(seconds=30)
