"""The cloud of a drill: a canary that was deployed a moment ago and is well, and then no more."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bot.drill.refused import CannotPlay
from bot.drill.story import Story
from bot.sandbox.cloud import SandboxCloud
from bot.sandbox.names import API_SERVICE, CHAT_CANARY_SERVICE, CHAT_ROUTER
from bot.slack.text import N_

#: Of each target: the service whose newest revision is the canary, and the one that holds the split.
SERVICES = {"canary": (API_SERVICE, API_SERVICE), "chat": (CHAT_CANARY_SERVICE, CHAT_ROUTER)}
#: What a canary has at the beginning, percent: the pipeline's second stage.
CANARY_PERCENT = 10
#: A deployment takes the simulated Cloud Run seconds; a busy machine makes them many.
SETTLES_WITHIN_SECONDS = 60.0


def check_target(target: str) -> None:
    """Return where a drill can be on this target. Raises `CannotPlay`."""
    if target not in SERVICES:
        known = ", ".join(SERVICES)
        raise CannotPlay(
            N_("The simulated cloud has no target {target}, only {known}."), target=target, known=known
        )


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One target of the simulated cloud, as far as a drill moves it."""

    cloud: SandboxCloud
    target: str

    def __post_init__(self) -> None:
        check_target(self.target)

    async def prepare(self) -> None:
        """Make it as after a deployment: nothing fails, and the newest revision has a canary's share."""
        self.mend()
        if self._share() > 0:
            return
        # Whatever was rolled back stays so: the team tries again with the next version.
        split = SERVICES[self.target][1]
        await self.cloud.deploy_canary(split)
        await self._until(lambda: self._share() > 0)
        await self.cloud.move(split, CANARY_PERCENT)
        await self._until(lambda: self._share() == CANARY_PERCENT)

    def break_down(self, story: Story) -> None:
        """Switch the story's failure on, in the canary."""
        self.cloud.set_fault(SERVICES[self.target][0], story.fault, True)

    def mend(self) -> None:
        """Switch every failure and trouble off again, and bring back what was lost."""
        self.cloud.calm()

    def _share(self) -> int:
        """Return the canary's percent, as the pipeline sees it."""
        shown = {one["name"]: one for one in self.cloud.snapshot()["services"]}
        return int(shown[SERVICES[self.target][1]]["stage"]["percent"])

    @staticmethod
    async def _until(is_so: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(SETTLES_WITHIN_SECONDS):
                while not is_so():  # noqa: ASYNC110 - the cloud announces nothing
                    await asyncio.sleep(0.05)
        except TimeoutError as problem:
            raise CannotPlay(N_("The simulated cloud did not deploy the canary in time.")) from problem
