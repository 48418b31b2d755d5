"""The director: makes the canary fail, tells the story on a clock, and ends the drill with its scoreboard.

It opens the database of the bot that the team works with, and does nothing to it but begin and end drills.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from bot.bootstrap import utc_now
from bot.domain.drill import Drill, Milestone, Scoreboard
from bot.domain.guide import Scenario
from bot.domain.ids import TargetName
from bot.domain.incident import IncidentState
from bot.domain.playbook import Playbook
from bot.drill.refused import CannotPlay
from bot.drill.stage import Stage
from bot.drill.story import Line, Story, stories
from bot.slack.text import N_
from bot.usecases.begin_drill import RealIncidentOpen, begin_drill
from bot.usecases.drill_incidents import incidents_of
from bot.usecases.end_drill import end_drill, reached_so_far, read_scoreboard
from bot.usecases.ports import Clock, Playbooks, Store, StoreDown, Transaction

log = structlog.get_logger()

#: How long the canary is well before it fails, seconds of the story.
WELL_SECONDS = 10.0
#: How often the rows are looked at for what was reached, seconds.
LOOK_EVERY_SECONDS = 0.5
#: The scoreboard is posted by the bot, which may have much else to say first.
POSTED_WITHIN_SECONDS = 60.0


class Scenery(Protocol):
    """The cloud of a drill; see `bot.drill.setting.Setting`."""

    @property
    def target(self) -> str:
        """The playbook's target that fails."""

    async def prepare(self) -> None:
        """Make it as after a deployment."""

    def break_down(self, story: Story) -> None:
        """Switch the story's failure on."""

    def mend(self) -> None:
        """Switch every failure off."""


class Past(Protocol):
    """The team's drills from before; see `bot.drill.past.PastDrills`."""

    async def all(self) -> tuple[Drill, ...]:
        """Return every drill, oldest first."""

    async def add(self, drill: Drill) -> None:
        """Keep a drill that has ended."""


@dataclass(kw_only=True)
class Director:
    """Plays one drill at a time on one bot.

    `store` is the bot's own database, `past` are the team's drills from before. `speed` makes the story, and
    nothing else, go faster.
    """

    setting: Scenery
    stage: Stage
    store: Store
    playbooks: Playbooks
    past: Past
    locale: str
    speed: float = 1.0
    clock: Clock = utc_now
    patience_seconds: float = POSTED_WITHIN_SECONDS
    drill: Drill | None = None
    reached: Mapping[Milestone, datetime] = field(default_factory=dict)
    _telling: asyncio.Task[None] | None = None

    @property
    def playbook(self) -> Playbook:
        """The bot's playbook."""
        return self.playbooks.current()

    async def begin(self, scenario: str) -> Drill:
        """Prepare the cloud, let the canary be well for a moment, make it fail, and go on telling.

        Raises:
            CannotPlay: there is no story of this scenario, or the cloud cannot show it.
            RealIncidentOpen: see `begin_drill`.
        """
        story = self._story(scenario)
        self._stop_telling()
        await self.store.look(self._refuse_during_a_fire)
        await self._rollback_over()
        await self._remember_past()
        await self.setting.prepare()
        for line in story.before:
            await self.stage.speak(line, locale=self.locale)
        await asyncio.sleep(WELL_SECONDS / self.speed)
        # The drill first: whatever the bot sees of the failure has to find it.
        drill = await self.store.change(lambda tx: self._begun(tx, scenario))
        self.setting.break_down(story)
        self.drill, self.reached = drill, {}
        self._telling = asyncio.create_task(self._tell(story))
        return drill

    async def over(self, stopped: asyncio.Event) -> None:
        """Return when its incidents are closed, its time is up, or somebody has `stopped` it."""
        while self.drill is not None and self.clock() < self.drill.until and not stopped.is_set():
            if await self.store.look(self._all_closed):
                return
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def end(self) -> Scoreboard:
        """End the drill, mend the cloud, keep how it went, and return the scoreboard.

        Returns once the bot has posted the scoreboard, or could not for a minute.
        """
        if self.drill is None:
            raise LookupError("no drill is under way")
        id, playbook = self.drill.id, self.playbook
        self._stop_telling()
        self.setting.mend()
        ended = await self.store.change(lambda tx: end_drill(tx, id, playbook=playbook, at=self.clock()))
        self.drill, self.reached = None, ended.reached
        await self._in_time(lambda tx: tx.standing(f"scoreboard:{id}") is not None)
        board = await self.store.look(lambda tx: read_scoreboard(tx, id, playbook))
        await self.past.add(ended)
        return board

    async def close(self) -> None:
        """Stop telling; a drill that is still under way is broken off without a scoreboard being awaited."""
        self._stop_telling()

    def scenario(self, key: str) -> Scenario:
        """Return a scenario of the playbook. Raises `CannotPlay` where there is none of that name."""
        found = self.playbook.scenario(key)
        if found is None:
            raise CannotPlay(N_("The playbook has no scenario {key}."), key=key)
        return found

    def _story(self, scenario: str) -> Story:
        self.scenario(scenario)
        story = stories().get(scenario)
        if story is None:
            raise CannotPlay(
                N_("There is no story of {key}, only of {known}."), key=scenario, known=", ".join(stories())
            )
        return story

    async def _remember_past(self) -> None:
        """Let the bot compare with the team's drills from before."""
        past = await self.past.all()

        def remember(tx: Transaction) -> None:
            known = {drill.id for drill in tx.find(Drill)}
            for drill in past:
                if drill.id not in known:
                    tx.keep(drill)

        await self.store.change(remember)

    async def _rollback_over(self) -> None:
        """Wait for the last drill's rollback: it would take the new canary away."""
        target = TargetName(self.setting.target)
        if not await self._in_time(lambda tx: tx.running_rollback(target) is None):
            raise CannotPlay(N_("A rollback of {target} is still under way."), target=target)

    def _refuse_during_a_fire(self, tx: Transaction) -> None:
        """Raise `RealIncidentOpen` before anything is moved; what a broken-off drill left open may stay."""
        found = tx.open_incident(TargetName(self.setting.target))
        if found is not None and not found.drill:
            raise RealIncidentOpen(found.number)

    def _begun(self, tx: Transaction, scenario: str) -> Drill:
        return begin_drill(tx, scenario=scenario, target=TargetName(self.setting.target), at=self.clock())

    # Telling ------------------------------------------------------------------------------------

    async def _tell(self, story: Story) -> None:
        """Say each line when its time has come, until all are said or left out."""
        waiting = list(story.lines)
        while self.drill is not None:
            try:
                self.reached = await self.store.look(self._so_far)
            except StoreDown as problem:
                # The next turn looks again; meanwhile the story waits.
                log.warning("drill_not_read", why=str(problem))
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                continue
            due = [line for line in waiting if self._is_due(line)]
            waiting = [line for line in waiting if line not in due]
            for line in due:
                if line.until not in self.reached:
                    await self.stage.speak(line, locale=self.locale)
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    def _is_due(self, line: Line) -> bool:
        assert self.drill is not None
        since = self.reached.get(line.after) if line.after else self.drill.created_at
        return since is not None and (self.clock() - since).total_seconds() * self.speed >= line.at

    def _so_far(self, tx: Transaction) -> Mapping[Milestone, datetime]:
        assert self.drill is not None
        return reached_so_far(tx, self.drill, self.playbook)

    def _stop_telling(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None

    # Ending -------------------------------------------------------------------------------------

    def _all_closed(self, tx: Transaction) -> bool:
        assert self.drill is not None
        incidents = incidents_of(tx, self.drill)
        return bool(incidents) and all(one.state is IncidentState.CLOSED for one in incidents)

    async def _in_time(self, is_so: Callable[[Transaction], bool]) -> bool:
        """Wait until something is so in the rows; False where that takes too long."""
        deadline = asyncio.get_running_loop().time() + self.patience_seconds
        while not await self.store.look(is_so):
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        return True
