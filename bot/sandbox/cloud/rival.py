"""Somebody else's pipeline, which deploys in the very moment in which the bot changes something."""

import asyncio

from google.protobuf.field_mask_pb2 import FieldMask

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.pipeline import router_percent, router_template
from bot.sandbox.cloud.resources import BACKOUT, OTHER_PIPELINE
from bot.sandbox.cloud.world import World
from bot.sandbox.names import CHAT_ROUTER

#: What it gives its newcomer where revisions share the traffic, and the router's share where that was at 0.
ITS_PERCENT = 20


class Rival:
    """Once armed, it answers the bot's next change with a deployment of its own, and is disarmed by that.

    It comes while the bot's change is still settling, as when two people do not know of each other.
    """

    def __init__(self, world: World, *, behaviour: Behaviour) -> None:
        self.armed = False
        self._world = world
        self._behaviour = behaviour
        self._tasks: set[asyncio.Task[None]] = set()

    def saw_change(self, service: str, by: str) -> None:
        """Take note of an accepted change."""
        if not self.armed or by != BACKOUT:
            return
        self.armed = False
        task = asyncio.get_running_loop().create_task(self._deploy(service))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def clear(self) -> None:
        """Disarm it, and call off what it was about to do."""
        self.armed = False
        for task in self._tasks:
            task.cancel()

    async def _deploy(self, name: str) -> None:
        await asyncio.sleep(self._behaviour.settle_seconds / 2)
        if name != CHAT_ROUTER:
            shares = self._world.first[name].role == "revisions"
            await self._world.deploy(name, percent=ITS_PERCENT if shares else 100)
            return
        router = self._world.services[name]
        # What the router still keeps to: the other pipeline's files say what they said before.
        percent = router_percent(router) or ITS_PERCENT
        candidate, creates = router.propose(router_template(router, percent), FieldMask(paths=["template"]))
        await router.accept(candidate, creates, by=OTHER_PIPELINE)
