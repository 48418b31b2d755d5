"""The sandbox's Google Cloud: one gRPC server, real revisions behind it, and users who ask them things."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import grpc
from starlette.routing import Route

from bot.sandbox.cloud.audit import DELETE, REPLACE, ChangeAsked
from bot.sandbox.cloud.behaviour import Behaviour, Fault
from bot.sandbox.cloud.history import History
from bot.sandbox.cloud.http_client import HttpClient
from bot.sandbox.cloud.ledger import Ledger, LineWritten
from bot.sandbox.cloud.load import Load
from bot.sandbox.cloud.log_store import LogStore
from bot.sandbox.cloud.logging_api import LoggingApi
from bot.sandbox.cloud.meter import Meter
from bot.sandbox.cloud.monitoring_api import MonitoringApi
from bot.sandbox.cloud.page import cloud_routes, snapshot
from bot.sandbox.cloud.pipeline import Pipeline
from bot.sandbox.cloud.quotas import Quotas
from bot.sandbox.cloud.recent import RecentTraffic
from bot.sandbox.cloud.resources import BACKOUT, OTHER_PIPELINE, service_path
from bot.sandbox.cloud.rest import RestGateway
from bot.sandbox.cloud.rival import Rival
from bot.sandbox.cloud.rpc import Gate, Hook, RpcCall
from bot.sandbox.cloud.run_api import RunApi
from bot.sandbox.cloud.samples import Samples
from bot.sandbox.cloud.strips import Strips
from bot.sandbox.cloud.troubles import Chat, Trouble, Troubles
from bot.sandbox.cloud.truth import Accounts, Truth
from bot.sandbox.cloud.world import World


class SandboxCloud:
    """Cloud Run, Cloud Monitoring and Cloud Logging of project ``ion-sandbox``, on loopback.

    `requests_per_second` is the load on each entrance: ``ion-api``, and the router of ``ion-chat``.
    Everything runs in the event loop that called `start`; `grpc_address` (``host:port``), `rest_address`
    (``http://host:port``, the same APIs over HTTP and JSON) and `uris` are known then.
    """

    def __init__(
        self, *, requests_per_second: float = 20, behaviour: Behaviour | None = None, seed: int = 1
    ) -> None:
        self._behaviour = behaviour or Behaviour()
        self.grpc_address = ""
        self.rest_address = ""
        self.uris: dict[str, str] = {}
        #: The Slack beside it, where there is one: its troubles are switched on the cloud's panel too.
        self.chat: Chat | None = None
        self._requests_per_second = requests_per_second
        self._first_behaviour = replace(self.behaviour)
        self._rng = random.Random(seed)
        self._gate = Gate(Quotas(self.behaviour))
        self._loads: dict[str, Load] = {}
        self._recent = RecentTraffic()
        self._samples = Samples(self.behaviour)
        self._strips = Strips()
        self._logs = LogStore(self.behaviour)
        self._accounts = Accounts()
        self._meter = Meter(
            self._samples,
            containers=lambda: self._world.containers(),
            behaviour=self.behaviour,
            rng=self._rng,
            strips=self._strips,
        )

    @property
    def behaviour(self) -> Behaviour:
        """The switches. Change its fields; every part of the cloud looks at this one object."""
        return self._behaviour

    @property
    def calls(self) -> list[RpcCall]:
        """Every RPC since the start or the last reset, oldest first."""
        return self._gate.calls

    @property
    def updates(self) -> list[Any]:
        """Every accepted UpdateServiceRequest that was not `validate_only`, oldest first."""
        return self._run.updates

    @property
    def hook(self) -> Hook | None:
        """Awaited as (method, "before"|"after") around the effect of each unary RPC."""
        return self._gate.hook

    @hook.setter
    def hook(self, hook: Hook | None) -> None:
        self._gate.hook = hook

    async def start(self, host: str = "127.0.0.1") -> None:
        """Bring everything up on free ports of `host`, with the load running."""
        ledger = Ledger(self._recent, self._samples, self._strips, self._logs, self._meter, self._accounts)
        self._world = World(host=host, behaviour=self.behaviour, ledger=ledger, rng=self._rng)
        await self._world.start()
        self._pipeline = Pipeline(self._world, rng=self._rng)
        self._rival = Rival(self._world, behaviour=self.behaviour)
        self._world.on_change = self._saw_change
        self._troubles = Troubles(
            self._world,
            gate=self._gate,
            behaviour=self.behaviour,
            usual=self._first_behaviour,
            rival=self._rival,
            chat=lambda: self.chat,
        )
        self.uris = {name: service.ingress.uri for name, service in self._world.services.items()}
        self._run = RunApi(
            self._world.services,
            operations=self._world.operations,
            behaviour=self.behaviour,
            audit=self._logs.saw_change,
        )
        self._remember_healthy_hour()
        await self._start_server(host)
        self._start_loads(host)
        self._metering = asyncio.get_running_loop().create_task(self._meter.run())

    async def stop(self) -> None:
        """Shut everything down."""
        self._rival.clear()
        self._metering.cancel()
        await asyncio.gather(self._metering, return_exceptions=True)
        for load in self._loads.values():
            await load.stop()
        await self._server.stop(grace=None)
        self._rest.close()
        await self._world.stop()
        self._users.close()

    def set_fault(self, service: str, fault: Fault, on: bool, *, revision: str | None = None) -> None:
        """Switch a fault of `revision`, by default of the newest revision: the canary.

        Raises:
            KeyError: there is no such service or revision.
        """
        self._world.container(service, revision).set_fault(Fault(fault), on)

    def write_line(
        self, service: str, message: str, *, severity: str = "ERROR", structured: bool = False
    ) -> None:
        """Let the newest revision of `service`, the canary, write a line of its own into its log.

        Raises:
            KeyError: there is no such service.
        """
        container = self._world.container(service, None)
        container.ledger.line(
            LineWritten(
                service=service,
                revision=container.revision,
                severity=severity,
                message=message,
                at=datetime.now(UTC),
                trace="",
                path="/api/chat",
                latency_ms=1.0 if structured else None,
            )
        )

    def fail(
        self,
        method: str,
        code: grpc.StatusCode,
        *,
        detail: str = "",
        times: int = 1,
        after_effect: bool = False,
    ) -> None:
        """Answer the next `times` calls of `method` with `code`; with `after_effect` they land as well.

        With 0 `times` nothing of it that was asked for before fails any more.
        """
        self._gate.fail(method, code, detail=detail or code.name, times=times, after_effect=after_effect)

    def slow(self, method: str, seconds: float) -> None:
        """Let every call of `method` wait before it takes effect; 0 ends that."""
        self._gate.slow(method, seconds)

    async def deploy(self, service: str, *, percent: int) -> str:
        """Let another pipeline deploy a new revision with `percent` of the traffic; return its name.

        Returns once it is accepted: the traffic settles as after any other update.
        """
        return await self._world.deploy(service, percent=percent)

    def delete(self, service: str) -> None:
        """Let somebody delete a service, with its addresses; `reset` brings it back.

        Raises:
            KeyError: there is no such service.
        """
        self._world.services[service].delete(by=OTHER_PIPELINE)
        self._logs.saw_change(
            ChangeAsked(method=DELETE, resource=service_path(service), principal=OTHER_PIPELINE)
        )

    async def move(self, service: str, percent: int) -> None:
        """Let the team's pipeline give the canary `percent`, one of its stages; see `deploy` on settling.

        Args:
            service: ``ion-api``, or the router of ``ion-chat``.
            percent: 5, 10, 25, 50 or 100.

        Raises:
            Refused: this service has no split, it has no such stage, or Cloud Run refuses the change.
        """
        await self._pipeline.move(service, percent)

    async def deploy_canary(self, service: str) -> str:
        """Let the team's pipeline deploy a canary without faults at the first stage; return its revision.

        Raises:
            Refused: this service has no split, or Cloud Run refuses the change.
        """
        return await self._pipeline.deploy(service)

    def trouble(self, trouble: Trouble, on: bool) -> None:
        """Let a trouble begin, until it is ended or a reset.

        Raises:
            LookupError: it befalls Slack, and there is none beside the cloud.
        """
        if not self._troubles.can(trouble):
            raise LookupError(f"{trouble} needs a Slack beside the cloud")
        self._troubles.switch(trouble, on)

    async def let_a_user_report(self, *, locale: str) -> None:
        """Let a user say in the Slack beside the cloud that their conversations are gone.

        Raises:
            LookupError: there is none.
        """
        if self.chat is None:
            raise LookupError("there is no Slack beside the cloud")
        await self.chat.report_lost_conversations(locale=locale)

    def lost_conversations(self, service: str) -> int:
        """Return how many users of `service` miss what they had written."""
        return self._world.conversations(service).lost

    def restore_conversations(self, service: str) -> None:
        """Bring back from the backup what users of `service` lost."""
        self._world.conversations(service).restore()

    def calm(self) -> None:
        """End every fault and trouble, and restore what was lost. Traffic and revisions stay as they are."""
        self._troubles.clear()
        for container in self._world.containers():
            for fault in Fault:
                container.set_fault(fault, False)
        for name in self._world.services:
            self.restore_conversations(name)

    def load(self, service: str, requests_per_second: float) -> None:
        """Change the rate of users at `service`; 0 pauses them."""
        self._loads[service].start(requests_per_second)

    @property
    def is_quiet(self) -> bool:
        """Whether no users ask anywhere, and everything that was asked is answered and written down."""
        return all(load.is_over for load in self._loads.values())

    def answers(self, service: str) -> dict[tuple[str, int], int]:
        """Return what the users of `service` were answered, by (revision, status); 0 is no answer."""
        return dict(self._loads[service].answers)

    def truth(
        self,
        service: str,
        revision: str | None = None,
        *,
        since: datetime,
        until: datetime | None = None,
        path: str | None = None,
    ) -> Truth:
        """Return what `revision` (by default the newest one) itself counted in ``since`` <= t < ``until``.

        Times are aware, UTC, of a request's arrival. Probes of the bot are left out. `path` keeps to one,
        such as ``/api/chat``.
        """
        found = self._world.container(service, revision).revision
        return self._accounts.truth(service, found, since=since, until=until, path=path)

    def reset(self) -> None:
        """Go back to the start: split, revisions, load, behaviour, no faults.

        What happened is forgotten: calls, log and metrics, which show a healthy hour again.
        """
        self._rival.clear()
        self._troubles.clear()
        self.behaviour.copy_from(self._first_behaviour)
        self._gate.clear()
        self._gate.hook = None
        self._run.updates.clear()
        self._world.reset()
        self._recent.clear()
        self._samples.clear()
        self._strips.clear()
        self._logs.clear()
        self._accounts.clear()
        self._meter.clear()
        self._remember_healthy_hour()
        for name, load in self._loads.items():
            load.answers.clear()
            load.start(self._first_load(name))

    def snapshot(self) -> dict[str, Any]:
        """Return what the sandbox's page shows of the cloud, as JSON."""
        return snapshot(
            self._world,
            recent=self._recent,
            strips=self._strips,
            pipeline=self._pipeline,
            troubles=self._troubles,
            can_report=self.chat is not None,
        )

    def routes(self) -> list[Route]:
        """Return the routes of the page: the snapshot, and what its panel switches."""
        return cloud_routes(self)

    def can_fail(self, service: str) -> bool:
        """Return whether the page offers faults of `service`."""
        first = self._world.first.get(service)
        return first is not None and first.can_fail

    def _saw_change(self, service: str, by: str) -> None:
        """Tell the rival, and the audit log of what came by no API: of the rest `RunApi` tells it."""
        self._rival.saw_change(service, by)
        if by != BACKOUT:
            self._logs.saw_change(ChangeAsked(method=REPLACE, resource=service_path(service), principal=by))

    async def _start_server(self, host: str) -> None:
        self._server = grpc.aio.server()
        monitoring = MonitoringApi(self._samples, behaviour=self.behaviour)
        logging = LoggingApi(self._logs, behaviour=self.behaviour)
        for api in (self._run, monitoring, logging):
            self._server.add_generic_rpc_handlers(api.handlers(self._gate))
        port = self._server.add_insecure_port(f"{host}:0")
        await self._server.start()
        self.grpc_address = f"{host}:{port}"
        self._rest = RestGateway(self._gate)
        await self._rest.start(host)
        self.rest_address = self._rest.address

    def _start_loads(self, host: str) -> None:
        self._users = HttpClient(host)
        for name in self._world.services:
            load = Load(port=self._world.port(name), client=self._users, rng=self._rng)
            self._loads[name] = load
            load.start(self._first_load(name))

    def _remember_healthy_hour(self) -> None:
        history = History(self._samples, strips=self._strips, behaviour=self.behaviour, rng=self._rng)
        for first in self._world.first.values():
            history.fill(first, requests_per_second=self._requests_per_second)

    def _first_load(self, service: str) -> float:
        return self._requests_per_second if self._world.first[service].users else 0.0
