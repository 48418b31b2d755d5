"""The sandbox's Google Cloud: one gRPC server, real revisions behind it, and users who ask them things."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import grpc
from starlette.routing import Route

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
from bot.sandbox.cloud.recent import RecentTraffic
from bot.sandbox.cloud.rpc import Gate, Hook, RpcCall
from bot.sandbox.cloud.run_api import RunApi
from bot.sandbox.cloud.samples import Samples
from bot.sandbox.cloud.truth import Accounts, Truth
from bot.sandbox.cloud.world import World


class SandboxCloud:
    """Cloud Run, Cloud Monitoring and Cloud Logging of project ``ion-sandbox``, on loopback.

    `requests_per_second` is the load on each entrance: ``ion-api``, and the router of ``ion-chat``.
    Everything runs in the event loop that called `start`; `grpc_address` and `uris` are known then.
    """

    def __init__(
        self, *, requests_per_second: float = 20, behaviour: Behaviour | None = None, seed: int = 1
    ) -> None:
        self._behaviour = behaviour or Behaviour()
        self.grpc_address = ""
        self.uris: dict[str, str] = {}
        self._requests_per_second = requests_per_second
        self._first_behaviour = replace(self.behaviour)
        self._rng = random.Random(seed)
        self._gate = Gate()
        self._loads: dict[str, Load] = {}
        self._recent = RecentTraffic()
        self._samples = Samples(self.behaviour)
        self._logs = LogStore(self.behaviour)
        self._accounts = Accounts()
        self._meter = Meter(
            self._samples,
            containers=lambda: self._world.containers(),
            behaviour=self.behaviour,
            rng=self._rng,
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
        ledger = Ledger(self._recent, self._samples, self._logs, self._meter, self._accounts)
        self._world = World(host=host, behaviour=self.behaviour, ledger=ledger, rng=self._rng)
        await self._world.start()
        self.uris = {name: service.ingress.uri for name, service in self._world.services.items()}
        self._run = RunApi(self._world.services, operations=self._world.operations, behaviour=self.behaviour)
        self._remember_healthy_hour()
        await self._start_server(host)
        self._start_loads(host)
        self._metering = asyncio.get_running_loop().create_task(self._meter.run())

    async def stop(self) -> None:
        """Shut everything down."""
        self._metering.cancel()
        await asyncio.gather(self._metering, return_exceptions=True)
        for load in self._loads.values():
            await load.stop()
        await self._server.stop(grace=None)
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

    def load(self, service: str, requests_per_second: float) -> None:
        """Change the rate of users at `service`; 0 pauses them."""
        self._loads[service].start(requests_per_second)

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
        self.behaviour.copy_from(self._first_behaviour)
        self._gate.clear()
        self._gate.hook = None
        self._run.updates.clear()
        self._world.reset()
        self._recent.clear()
        self._samples.clear()
        self._logs.clear()
        self._accounts.clear()
        self._meter.clear()
        self._remember_healthy_hour()
        for name, load in self._loads.items():
            load.answers.clear()
            load.start(self._first_load(name))

    def snapshot(self) -> dict[str, Any]:
        """Return what the sandbox's page shows of the cloud, as JSON."""
        return snapshot(self._world, self._recent)

    def routes(self) -> list[Route]:
        """Return the routes of the page: the snapshot, and switching faults."""
        return cloud_routes(self)

    def can_fail(self, service: str) -> bool:
        """Return whether the page offers faults of `service`."""
        first = self._world.first.get(service)
        return first is not None and first.can_fail

    async def _start_server(self, host: str) -> None:
        self._server = grpc.aio.server()
        monitoring = MonitoringApi(self._samples, behaviour=self.behaviour)
        logging = LoggingApi(self._logs, behaviour=self.behaviour)
        for api in (self._run, monitoring, logging):
            self._server.add_generic_rpc_handlers(api.handlers(self._gate))
        port = self._server.add_insecure_port(f"{host}:0")
        await self._server.start()
        self.grpc_address = f"{host}:{port}"

    def _start_loads(self, host: str) -> None:
        self._users = HttpClient(host)
        for name in self._world.services:
            load = Load(port=self._world.port(name), client=self._users, rng=self._rng)
            self._loads[name] = load
            load.start(self._first_load(name))

    def _remember_healthy_hour(self) -> None:
        history = History(self._samples, behaviour=self.behaviour, rng=self._rng)
        for first in self._world.first.values():
            history.fill(first, requests_per_second=self._requests_per_second)

    def _first_load(self, service: str) -> float:
        return self._requests_per_second if self._world.first[service].users else 0.0
