"""The team's deployment pipeline: new canaries, and the stages by which their share grows."""

import random
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from bot.sandbox.cloud.initial_world import CANARY_TAG
from bot.sandbox.cloud.rejection import Rejection
from bot.sandbox.cloud.resources import (
    DEPLOYER,
    TO_LATEST,
    ServiceMessage,
    environment_of,
    service_path,
    to_revision,
)
from bot.sandbox.cloud.service import Service
from bot.sandbox.cloud.world import World
from bot.sandbox.names import CHAT_CANARY_SERVICE, CHAT_ROUTER, CHAT_SERVICE, CHAT_VARIABLE

#: Percent of the users that a canary gets, one after the other.
STAGES = (5, 10, 25, 50, 100)


class Refused(Exception):
    """The pipeline cannot do what was asked of it; the sentence says why."""


class Pipeline:
    """Changes traffic the way people's pipelines do: through Cloud Run's own rules, under a name of its own.

    It drives the services that hold a split: one whose revisions share the traffic, and the router whose
    variable names the canary's share.
    """

    def __init__(self, world: World, *, rng: random.Random) -> None:
        self._world = world
        self._rng = rng

    def drives(self, service: str) -> bool:
        """Return whether the canary's share is set at this service."""
        first = self._world.first.get(service)
        return first is not None and first.role in ("revisions", "router")

    def share(self, service: str) -> int:
        """Return the canary's percent as it is now, observed and not only wanted."""
        found = self._world.services[service]
        if service == CHAT_ROUTER:
            return router_percent(found)
        return sum(line.percent for line in found.lines() if line.revision == found.newest())

    def wanted_share(self, service: str) -> int:
        """Return the canary's percent as it was last asked for."""
        found = self._world.services[service]
        if service == CHAT_ROUTER:
            return variable_percent(found.message.template)
        return _wanted(found).get(found.newest(), 0)

    def sides(self, service: str) -> tuple[str, str]:
        """Return what the users are split between, stable first: revisions, or services behind a router."""
        if service == CHAT_ROUTER:
            return CHAT_SERVICE, CHAT_CANARY_SERVICE
        found = self._world.services[service]
        return stable_beside(found, found.newest()), found.newest()

    async def move(self, service: str, percent: int) -> None:
        """Give the canary `percent` of the traffic; returns once that is accepted.

        Raises:
            Refused: this service has no split, it has no such stage, or Cloud Run refuses the change.
        """
        found = self._driven(service)
        if percent not in STAGES:
            raise Refused(f"percent is one of {', '.join(map(str, STAGES))}")
        if service == CHAT_ROUTER:
            await self._update(found, router_template(found, percent), "template")
        else:
            await self._update(found, _split(found, found.newest(), percent), "traffic")

    async def deploy(self, service: str) -> str:
        """Deploy the next version as a new canary at the first stage, and return its revision's name.

        Raises:
            Refused: this service has no split, or Cloud Run refuses the change.
        """
        found = self._driven(service)
        if service == CHAT_ROUTER:
            name = await self._update(
                canary := self._world.services[CHAT_CANARY_SERVICE], self._next_version(canary), "template"
            )
            await self.move(service, STAGES[0])
            return name
        sent = self._next_version(found)
        # Traffic can name a revision only if its name is chosen here.
        sent.template.revision = found.new_name()
        sent.traffic.extend(_split(found, sent.template.revision, STAGES[0]).traffic)
        return await self._update(found, sent, "template", "traffic")

    def _driven(self, service: str) -> Service:
        if not self.drives(service):
            raise Refused(f"{service} has no split between a stable version and a canary")
        return self._world.services[service]

    def _next_version(self, service: Service) -> Any:
        """Return an update to the image after the newest one: other code, so what ailed that is gone."""
        sent = ServiceMessage(name=service_path(service.name))
        sent.template.CopyFrom(service.message.template)
        sent.template.revision = ""
        sent.template.labels["commit"] = f"{self._rng.getrandbits(28):07x}"
        repository, _, number = sent.template.containers[0].image.rpartition(":")
        version = int(number) + 1 if number.isdecimal() else 1
        sent.template.containers[0].image = f"{repository}:{version}"
        return sent

    @staticmethod
    async def _update(service: Service, sent: Any, *mask: str) -> str:
        """Send an update as `DEPLOYER`; returns the name of the newest revision then."""
        if service.deleted:
            raise Refused(f"{service.name} was deleted")
        try:
            candidate, creates = service.propose(sent, FieldMask(paths=mask))
            await service.accept(candidate, creates, by=DEPLOYER)
        except Rejection as rejection:
            raise Refused(rejection.detail) from rejection
        return service.newest()


def router_template(router: Service, percent: int) -> Any:
    """Return an update that tells the router the canary's share, as a new revision of it."""
    sent = ServiceMessage(name=service_path(router.name))
    sent.template.CopyFrom(router.message.template)
    sent.template.revision = ""
    for variable in sent.template.containers[0].env:
        if variable.name == CHAT_VARIABLE:
            variable.value = str(percent)
    return sent


def router_percent(router: Service) -> int:
    """Return the canary's share that the router keeps to now."""
    return variable_percent(router.revisions[router.message.latest_ready_revision.rpartition("/")[2]])


def variable_percent(template: Any) -> int:
    """Return the share that a router's template or revision names, 0 where it names none."""
    raw = environment_of(template).get(CHAT_VARIABLE, "0")
    return min(int(raw), 100) if raw.isdecimal() else 0


def stable_beside(service: Service, canary: str) -> str:
    """Return which revision has the users that `canary` has not.

    That is the largest share of the others, the older of two alike; where the canary has them all, the newest
    of the others.
    """
    wanted = _wanted(service)
    others = [name for name in service.revisions if name != canary]
    if any(wanted.get(name, 0) for name in others):
        return max(others, key=lambda name: wanted.get(name, 0))
    return others[-1]


def _wanted(service: Service) -> dict[str, int]:
    """Return the wanted percent of each revision, LATEST resolved to the newest."""
    shares: dict[str, int] = {}
    for line in service.message.traffic:
        name = service.newest() if line.type_ == TO_LATEST else line.revision
        shares[name] = shares.get(name, 0) + line.percent
    return shares


def _split(service: Service, canary: str, percent: int) -> Any:
    """Return an update of the traffic: `percent` for the canary, under its tag, the rest for stable."""
    sent = ServiceMessage(name=service_path(service.name))
    if percent < 100:
        sent.traffic.append(to_revision(stable_beside(service, canary), 100 - percent))
    sent.traffic.append(to_revision(canary, percent, CANARY_TAG))
    return sent
