"""Google's own asynchronous clients on a sandbox cloud, over a plaintext loopback channel."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.cloud import monitoring_v3, run_v2
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient
from google.protobuf.field_mask_pb2 import FieldMask

from bot.sandbox.cloud import Behaviour, SandboxCloud
from bot.sandbox.names import PROJECT, REGION

#: For whatever is sure to come. Generous: a test that passes never waits so long.
PATIENCE_SECONDS = 60.0
TO_REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
TO_LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST


def path(service: str) -> str:
    """Return the full name of a sandbox service."""
    return f"projects/{PROJECT}/locations/{REGION}/services/{service}"


def line(revision: str, percent: int, tag: str = "") -> run_v2.TrafficTarget:
    """Return a traffic line that names a revision."""
    return run_v2.TrafficTarget(type_=TO_REVISION, revision=revision, percent=percent, tag=tag)


#: What users were answered, by (revision, status).
Answers = Counter[tuple[str, int]]


@dataclass(kw_only=True)
class Google:
    """A running sandbox cloud and the clients on it."""

    cloud: SandboxCloud
    services: run_v2.ServicesAsyncClient
    revisions: run_v2.RevisionsAsyncClient
    metrics: monitoring_v3.MetricServiceAsyncClient
    logging: LoggingServiceV2AsyncClient

    async def read(self, service: str) -> run_v2.Service:
        return await self.services.get_service(name=path(service), retry=None, timeout=PATIENCE_SECONDS)

    async def update(self, service: run_v2.Service, *mask: str, validate_only: bool = False) -> Any:
        request = run_v2.UpdateServiceRequest(
            service=service, update_mask=FieldMask(paths=mask), validate_only=validate_only
        )
        return await self.services.update_service(request=request, timeout=PATIENCE_SECONDS)

    async def route(self, service: str, *lines: run_v2.TrafficTarget) -> Any:
        return await self.update(run_v2.Service(name=path(service), traffic=lines), "traffic")

    async def settled(self, service: str) -> run_v2.Service:
        """Return the service once it has settled."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = await self.read(service)
                if not found.reconciling:
                    return found
                await asyncio.sleep(0.02)

    async def asked(
        self,
        service: str,
        *,
        times: int = 60,
        per_second: float = 100,
        until: Callable[[Answers], bool] = bool,
    ) -> Answers:
        """Let users ask a service until so many were answered and `until` holds of the answers.

        Returns them once nobody waits for one any more. By their number and not by the clock: a machine that
        stands still for a while must not thin them out.
        """
        before = Counter(self.cloud.answers(service))

        def since() -> Answers:
            return Counter(self.cloud.answers(service)) - before

        self.cloud.load(service, per_second)
        await eventually(lambda: since().total() >= times and until(since()))
        await self.quiet()
        return since()

    async def quiet(self) -> None:
        """Send all users away, and return once the last of them has an answer."""
        for service in self.cloud.uris:
            self.cloud.load(service, 0)
        await eventually(lambda: self.cloud.is_quiet)

    async def measured(self) -> None:
        """Return once everything up to now is in samples that are over, and so to be read."""
        over = time.time() + self.cloud.behaviour.sample_seconds
        while (left := over - time.time()) >= 0:  # noqa: ASYNC110 - the wall clock signals nobody
            await asyncio.sleep(left + 0.001)


@asynccontextmanager
async def running_cloud(*, requests_per_second: float = 0, **switches: Any) -> AsyncIterator[Google]:
    """Run a cloud whose every delay is short, and the clients on it."""
    quick: dict[str, Any] = {
        "settle_seconds": 0.1,
        "start_seconds": 0.05,
        "sample_seconds": 0.2,
        "visible_after_seconds": 0.0,
        "log_lag_seconds": 0.0,
    }
    cloud = SandboxCloud(requests_per_second=requests_per_second, behaviour=Behaviour(**(quick | switches)))
    await cloud.start()
    channel = grpc.aio.insecure_channel(cloud.grpc_address)
    try:
        yield Google(
            cloud=cloud,
            services=_client(run_v2.ServicesAsyncClient, channel),
            revisions=_client(run_v2.RevisionsAsyncClient, channel),
            metrics=_client(monitoring_v3.MetricServiceAsyncClient, channel),
            logging=_client(LoggingServiceV2AsyncClient, channel),
        )
    finally:
        await channel.close()
        await cloud.stop()


async def eventually(true: Callable[[], bool]) -> None:
    """Return as soon as `true()`; fail after `PATIENCE_SECONDS`."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():  # noqa: ASYNC110 - what is awaited is not ours to signal
            await asyncio.sleep(0.02)


def _client(client: Any, channel: grpc.aio.Channel) -> Any:
    return client(transport=client.get_transport_class("grpc_asyncio")(channel=channel))
