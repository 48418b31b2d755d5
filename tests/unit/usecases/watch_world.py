"""A deployment to watch, made of fakes: both sides' answers, probes and minutes are what a test says."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.alert import Alert
from bot.domain.ids import ChannelId, PersonId, TargetName
from bot.domain.judge import judge
from bot.domain.observation import Minute, Tally
from bot.domain.playbook import Playbook
from bot.domain.readings import ProbeResult, Side
from bot.domain.tick import Judge
from bot.domain.timeline import Entry, Event
from bot.domain.traffic import TargetState
from bot.domain.watch import SourceState, Watch, WatchSource, watch_chain
from bot.usecases.ask_for_watch import AskingForWatch, Wanted, answer_watch_wish, ask_for_watch
from bot.usecases.authorize import Acting
from bot.usecases.ports import Prober, Workflow
from bot.usecases.read_sources import Sources
from bot.usecases.scout import Scouting, scout
from bot.usecases.watch_target import Turn, WatchingTarget, watch_target
from tests.fakes import (
    FakeCloud,
    FakeMetrics,
    FakePeople,
    FakePlaybooks,
    FakeSteps,
    FakeStore,
    FakeStream,
    HeldClock,
)
from tests.values import (
    CANARY,
    CANARY_TARGET,
    GITCO,
    HOME,
    NOON,
    SENA,
    STABLE,
    a_person,
    a_playbook,
    a_state,
    share,
)

#: Both revisions have a tag, and so an address of their own.
TAGGED = (
    share(STABLE, 90),
    share(CANARY, 10),
    replace(share(STABLE, 0, tag="stable"), uri="https://stable.example.com"),
    replace(share(CANARY, 0, tag="canary"), uri="https://canary.example.com"),
)
#: The playbook of these tests has the guide's rules.
RULES: list[dict[str, Any]] = [
    {"when": when, "situation": {"en": "s", "ko": "s"}, "verdict": {"en": "v", "ko": "v"},
     "action": {"en": "a", "ko": "a"}, "readings": readings, **more}
    for when, readings, more in (
        ("error_rate_once", 1, {"mode": "tell"}),
        ("error_rate_in_a_row", 3, {}),
        ("memory_explosion", 1, {}),
        ("service_down", 1, {}),
    )
]  # fmt: skip


def split(percent: int, *, canary: str = CANARY) -> TargetState:
    """Return the target with so much on its canary, both revisions tagged."""
    tags = tuple(line for line in TAGGED if line.tag)
    lines = (share(STABLE, 100 - percent), share(canary, percent))
    return a_state(*(line for line in lines if line.percent), *tags)


def failing(errors: int, *, requests: int = 50) -> Callable[[Side, datetime], Tally]:
    """Return a canary with so many errors in each bucket beside a stable side without any."""

    def answering(side: Side, since: datetime) -> Tally:
        if side is Side.STABLE:
            return Tally(requests=450, latencies=((150, 450),))
        return Tally(requests=requests, errors=errors, latencies=((150, requests),))

    return answering


def a_minute(name: str = CANARY, *, ended: datetime = NOON, **more: Any) -> Minute:
    """Return a minute of Cloud Monitoring: 60 requests without errors, 40 % memory."""
    minute = Minute(
        name=name,
        since=ended - timedelta(minutes=1),
        until=ended,
        requests=60,
        errors=0,
        p95_ms=120.0,
        memory=40.0,
        memory_median=38.0,
        cpu=30.0,
        instances=1,
    )
    return replace(minute, **more)


class SideProber(Prober):
    """Health addresses of which some are down, or ask to be left alone. `asked` are side and time."""

    def __init__(self, clock: HeldClock) -> None:
        self.down: set[str] = set()
        self.throttled: set[str] = set()
        self.asked: list[tuple[Side, str, datetime]] = []
        self._clock = clock

    async def probe(
        self, url: str, side: Side, *, requests: int, pause_ms: int, timeout_seconds: float = 30.0
    ) -> ProbeResult:
        """See `Prober.probe`."""
        assert timeout_seconds == 2.0
        self.asked.append((side, url, self._clock()))
        down, throttled = url in self.down, url in self.throttled
        return ProbeResult(
            side=side,
            url=url,
            sent=requests,
            failures=requests if down else 0,
            throttled=requests if throttled else 0,
            latencies_ms=() if down else (20.0,) * requests,
            since=self._clock(),
            until=self._clock(),
            problem="answered 503" if down else None,
        )


class WatchWorld:
    """The fakes, and what tests do with them."""

    def __init__(self, playbook: Playbook | None = None, *, judge: Judge = judge) -> None:
        self.clock = HeldClock()
        self.store = FakeStore()
        self.cloud = FakeCloud(split(10), self.clock)
        self.stream = FakeStream()
        self.metrics = FakeMetrics()
        self.prober = SideProber(self.clock)
        self.people = FakePeople(a_person(SENA), a_person(GITCO))
        self.playbooks = FakePlaybooks(playbook or a_playbook(rules=RULES, targets=one_target()))
        self.judge = judge

    @property
    def watching(self) -> WatchingTarget:
        """What watching may touch; a pause moves the clock and takes no time."""
        return WatchingTarget(
            store=self.store,
            playbooks=self.playbooks,
            cloud=self.cloud,
            stream=self.stream,
            metrics=self.metrics,
            prober=self.prober,
            clock=self.clock,
            pause=self.clock.pause,
            judge=self.judge,
        )

    async def scout(self) -> None:
        """Scout once."""
        use = Scouting(store=self.store, playbooks=self.playbooks, cloud=self.cloud, clock=self.clock)
        await scout({}, steps=FakeSteps(), use=use)

    async def turn(self, steps: FakeSteps | None = None) -> None:
        """Take the watch's next turn, as its workflow does."""
        arguments = self.store.started(Workflow.WATCH)[-1]
        await watch_target(arguments, steps=steps or FakeSteps(), use=self.watching)

    async def turns(self, count: int) -> Watch:
        """Take so many turns of about a minute, and return the watch."""
        for _ in range(count):
            await self.turn()
        return self.watch()

    def a_turn(self) -> Turn:
        """Return a turn of the watch as it is kept now, to be taken tick by tick."""
        target = self.playbooks.current().targets[CANARY_TARGET]
        watch = self.watch()
        return Turn(watch, Sources(watch, target, self.watching.reading), self.watching)

    async def ask(
        self, wanted: Wanted, by: PersonId = SENA, *, key: str = "k1", target: TargetName = CANARY_TARGET
    ) -> None:
        """Ask for a watch or its end, and let the workflow answer."""
        await ask_for_watch(
            key,
            target,
            by,
            ChannelId("C0OPS"),
            wanted=wanted,
            acting_team=HOME,
            store=self.store,
            clock=self.clock,
        )
        acting = Acting(store=self.store, people=self.people, playbooks=self.playbooks, clock=self.clock)
        use = AskingForWatch(acting=acting, cloud=self.cloud)
        for arguments in self.store.started(Workflow.ASK_WATCH):
            if arguments["key"] == key:
                await answer_watch_wish(arguments, steps=FakeSteps(), use=use)

    def watch(self) -> Watch:
        """Return the watch as it is kept."""
        kept = self.store.kept.shelf[Watch, CANARY_TARGET]
        assert isinstance(kept, Watch)
        return kept

    def alerts(self) -> list[Alert]:
        """Return every alert, oldest first."""
        return [value for value in self.store.kept.shelf.values() if isinstance(value, Alert)]

    def lines(self, event: Event | None = None, *, number: int = 1) -> list[Entry]:
        """Return the lines of a watch's timeline."""
        told = self.store.kept.chains.get(watch_chain(f"{CANARY_TARGET}:{number}"), ())
        return [entry for entry in told if event in (None, entry.event)]

    def source(self, source: WatchSource) -> SourceState:
        """Return how a source is."""
        return self.watch().sources[source]


def one_target() -> dict[str, Any]:
    """Return the targets section with one target of topology revisions."""
    return {CANARY_TARGET: {"topology": "revisions", "region": "us-central1", "service": "ion-api"}}
