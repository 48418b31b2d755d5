"""All services together, from their first state through deployments back to it."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.container import Container
from bot.sandbox.cloud.conversations import Conversations
from bot.sandbox.cloud.http_client import HttpClient
from bot.sandbox.cloud.ingress import Ingress
from bot.sandbox.cloud.initial_world import FirstService, first_message, first_services
from bot.sandbox.cloud.latency import APPLICATION, ROUTER
from bot.sandbox.cloud.ledger import Ledger
from bot.sandbox.cloud.limits import limits_of
from bot.sandbox.cloud.operations import Operations
from bot.sandbox.cloud.resources import (
    OTHER_PIPELINE,
    TO_LATEST,
    ServiceMessage,
    environment_of,
    settle_revision,
    stamp,
    to_latest,
    to_revision,
)
from bot.sandbox.cloud.router_app import RouterApp
from bot.sandbox.cloud.service import OnChange, Service
from bot.sandbox.names import CHAT_ROUTER


class World:
    """The services by name, each with its containers and ingress running on `host`."""

    def __init__(self, *, host: str, behaviour: Behaviour, ledger: Ledger, rng: random.Random) -> None:
        self.services: dict[str, Service] = {}
        self.first = {first.name: first for first in first_services()}
        self.operations = Operations()
        #: Hears of every accepted change, of whoever made it.
        self.on_change: OnChange = _nobody
        self._conversations: dict[str, Conversations] = {}
        self._host = host
        self._behaviour = behaviour
        self._ledger = ledger
        self._rng = rng
        self._client = HttpClient(host)
        self._ports: dict[str, int] = {}

    async def start(self) -> None:
        """Bring every service up as it first was."""
        for first in self.first.values():
            await self._start_service(first)

    async def stop(self) -> None:
        """Shut every server."""
        for service in self.services.values():
            service.stop_reconciling()
            service.ingress.close()
            for container in service.containers.values():
                container.close()
        self._client.close()

    def reset(self) -> None:
        """Put traffic, revisions and faults back to the start. Addresses stay the same."""
        self.operations.clear()
        for conversations in self._conversations.values():
            conversations.clear()
        now = datetime.now(UTC)
        for name, service in self.services.items():
            first = self.first[name]
            keep = frozenset(one.name for one in first.revisions)
            service.reset(self._first_message(first, service.ingress, now), keep=keep)
            self._date_revisions(service, now)
            service.settle_now()

    def port(self, service: str) -> int:
        """Return where the ingress of `service` listens."""
        return self._ports[service]

    def containers(self) -> Iterable[Container]:
        """Return every running container."""
        for service in self.services.values():
            yield from service.containers.values()

    def conversations(self, service: str) -> Conversations:
        """Return what users wrote; a service and its canary share a database."""
        return self._conversations.setdefault(service.removesuffix("-canary"), Conversations())

    def container(self, service: str, revision: str | None) -> Container:
        """Return the container of `revision`, of the newest revision when None.

        Raises:
            KeyError: there is no such service or revision.
        """
        found = self.services[service]
        return found.containers[revision or found.newest()]

    async def deploy(self, name: str, *, percent: int) -> str:
        """Deploy a new revision of a service from another pipeline and give it `percent` of the traffic."""
        service = self.services[name]
        candidate = ServiceMessage()
        candidate.CopyFrom(service.message)
        creates = service.new_name()
        candidate.template.containers[0].image = f"{name}:{creates.rsplit('-', 2)[1].lstrip('0')}"
        lines = _with_newcomer(service, creates, percent)
        del candidate.traffic[:]
        candidate.traffic.extend(lines)
        await service.accept(candidate, creates, by=OTHER_PIPELINE)
        return creates

    async def _start_service(self, first: FirstService) -> None:
        containers: dict[str, Container] = {}
        ingress = Ingress(
            first.name, containers=containers, client=self._client, ledger=self._ledger, rng=self._rng
        )
        await ingress.start(self._host)
        now = datetime.now(UTC)
        service = Service(
            self._first_message(first, ingress, now),
            behaviour=self._behaviour,
            operations=self.operations,
            ingress=ingress,
            containers=containers,
            make_container=self._container,
            host=self._host,
            rng=self._rng,
            on_change=lambda name, by: self.on_change(name, by),
        )
        self.services[first.name] = service
        self._ports[first.name] = ingress.port
        for one in first.revisions:
            await service.add_revision(one.name, one.template(), at=now - one.age, by=one.by)
        self._date_revisions(service, now)
        await service.settle()

    def _date_revisions(self, service: Service, now: datetime) -> None:
        for one in self.first[service.name].revisions:
            revision = service.revisions[one.name]
            revision.create_time.CopyFrom(stamp(now - one.age))
            settle_revision(revision, at=now - one.age)

    @staticmethod
    def _first_message(first: FirstService, ingress: Ingress, now: datetime) -> Any:
        return first_message(first, uri=ingress.uri, now=now)

    def _container(self, service: str, revision: str, template: Any) -> Container:
        app = None
        if service == CHAT_ROUTER:
            app = RouterApp(environment_of(template), client=self._client, port_of=self.port, rng=self._rng)
        return Container(
            service=service,
            revision=revision,
            behaviour=self._behaviour,
            ledger=self._ledger,
            rng=self._rng,
            limits=limits_of(template),
            latency=ROUTER if service == CHAT_ROUTER else APPLICATION,
            app=app,
            conversations=self.conversations(service),
        )


def _nobody(service: str, by: str) -> None:
    """Hear of a change and do nothing."""


def _with_newcomer(service: Service, newcomer: str, percent: int) -> list[Any]:
    """Return the wanted traffic with `percent` given to `newcomer` and the rest scaled down."""
    if not 0 <= percent <= 100:
        raise ValueError(f"percent is 0 to 100, not {percent}")
    if percent == 100:
        return [to_latest(100)]
    ready = service.message.latest_ready_revision.rpartition("/")[2]
    old = [(ready if t.type_ == TO_LATEST else t.revision, t.percent, t.tag) for t in service.message.traffic]
    lines, given = [], 0
    for revision, share, tag in old[1:]:
        scaled = share * (100 - percent) // 100
        given += scaled
        lines.append(to_revision(revision, scaled, tag))
    first_revision, _, first_tag = old[0]
    rest = 100 - percent - given
    return [to_revision(first_revision, rest, first_tag), *lines, to_revision(newcomer, percent)]
