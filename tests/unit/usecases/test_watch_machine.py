"""Workers that take turns at one watch, die, sleep and wake up in any order: each bucket is judged once."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.domain.judge import Judged, JudgeState
from bot.domain.looked import Looked
from bot.domain.observation import BUCKET, Observation, Tally
from bot.domain.playbook import Playbook
from bot.domain.readings import Side, Source
from bot.domain.timeline import first_broken
from bot.domain.watch import WatchSource
from bot.usecases.ports import Workflow
from bot.usecases.watch_target import Turn
from tests.unit.usecases.watch_world import WatchWorld
from tests.values import NOON, seconds

WORKERS = st.sampled_from(["one", "two", "three"])


def writing_down(state: JudgeState, seen: Observation, playbook: Playbook) -> Judged:
    """Remember every bucket that was shown, in the place where the judge keeps the newest samples."""
    if seen.canary is None:
        return Judged(state=state)
    assert seen.source is Source.REQUEST_LOG
    shown = (*state.memory, (seen.since, float(seen.canary.requests)))
    return Judged(state=replace(state, revision=seen.revision, memory=shown))


def answering(side: Side, since: datetime) -> Tally:
    """Answer as many requests as nobody else's bucket: their number tells the bucket."""
    return Tally(requests=int((since - NOON) / BUCKET) + 1000)


class Workers(RuleBasedStateMachine):
    """One watch that goes on all the time, and workers that are not to be trusted."""

    def __init__(self) -> None:
        super().__init__()
        self.world = WatchWorld(judge=writing_down)
        self.world.stream.answering = answering
        self.run(self.world.scout())
        self.began = self.world.watch().read_until
        #: What each worker has at hand: its turn, and what it read and has not kept yet.
        self.turns: dict[str, Turn] = {}
        self.read: dict[str, Looked] = {}

    def run(self, doing: Coroutine[Any, Any, Any]) -> Any:
        """Run to the end."""
        return asyncio.run(doing)

    def turn_of(self, worker: str) -> Turn:
        """Return the worker's turn; one who has none takes it, or takes it over."""
        return self.turns.setdefault(worker, self.world.a_turn())

    @rule(worker=WORKERS)
    def a_worker_reads(self, worker: str) -> None:
        self.read[worker] = self.run(self.turn_of(worker).read())

    @rule(worker=WORKERS, dies=st.sampled_from([False, False, True]))
    def a_worker_keeps_what_it_read_and_perhaps_dies(self, worker: str, dies: bool) -> None:
        if worker not in self.read:
            self.a_worker_reads(worker)
        turn, looked = self.turns[worker], self.read.pop(worker)
        before = self.world.watch()
        went_on = self.run(turn.keep(looked))
        assert went_on or self.world.watch() == before
        if dies or not went_on or turn.over:
            del self.turns[worker]

    @rule(worker=WORKERS)
    def a_worker_dies_before_it_keeps_anything(self, worker: str) -> None:
        self.turns.pop(worker, None)
        self.read.pop(worker, None)

    @rule(passed=st.sampled_from([4, 10, 30, 61, 100]), scouted=st.booleans())
    def time_goes_by(self, passed: int, scouted: bool) -> None:
        self.world.clock.now += seconds(passed)
        if scouted:
            self.run(self.world.scout())

    @rule(lag=st.sampled_from([0.0, 2.0, 9.0]))
    def the_log_is_as_late_as_it_likes(self, lag: float) -> None:
        self.world.stream.lag_seconds = lag

    @invariant()
    def every_bucket_is_judged_once_and_none_is_left_out(self) -> None:
        watch = self.world.watch()
        shown = [at for at, _ in watch.judge.memory]
        assert watch.read_until is not None
        assert self.began is not None
        count = int((watch.read_until - self.began) / BUCKET)
        assert shown == [self.began + n * BUCKET for n in range(count)]
        assert [n for _, n in watch.judge.memory] == [answering(Side.CANARY, at).requests for at in shown]

    @invariant()
    def there_is_one_point_for_each_whole_minute(self) -> None:
        ends = [point.at for point in self.world.watch().points]
        assert all(later - before == timedelta(minutes=1) for before, later in pairwise(ends))

    @invariant()
    def the_turn_that_counts_has_a_workflow(self) -> None:
        watch = self.world.watch()
        started = {(a["number"], a["turn"]) for a in self.world.store.started(Workflow.WATCH)}
        assert (str(watch.number), str(watch.turn)) in started
        assert watch.number == 1

    @invariant()
    def its_timeline_is_unbroken_and_says_nothing_twice(self) -> None:
        lines = self.world.lines()
        assert first_broken(lines) is None
        assert len({line.key for line in lines}) == len(lines)
        assert WatchSource.REQUEST_LOG not in self.world.watch().carried.lost


TestWorkers = Workers.TestCase
TestWorkers.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
