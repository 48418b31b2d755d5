"""A dry run of the very write that a rollback would send: checked by Google, and nothing changes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.adapters.cloud_run import CloudRun
from bot.domain.faults import CloudFault, FaultKind
from bot.domain.playbook import Target
from bot.domain.rollback import PinTraffic
from bot.sandbox.cloud import Behaviour, SandboxCloud
from bot.sandbox.names import (
    API_SERVICE,
    API_STABLE,
    CHAT_CANARY_SERVICE,
    CHAT_ROUTER,
    CHAT_SERVICE,
    PROJECT,
)
from bot.usecases.check_readiness import rollback_write
from bot.usecases.look_at_target import look_at_target
from tests.unit.adapters.targets import revisions_target, services_target

pytestmark = pytest.mark.usefixtures("patient_with_google")

API = revisions_target(service=API_SERVICE, project="")
CHAT = services_target(service=CHAT_SERVICE, canary=CHAT_CANARY_SERVICE, router=CHAT_ROUTER, project="")


@pytest_asyncio.fixture(loop_scope="session")
async def google() -> AsyncIterator[SandboxCloud]:
    """A Google Cloud without load."""
    cloud = SandboxCloud(requests_per_second=0, behaviour=Behaviour(settle_seconds=0.05, start_seconds=0.05))
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def cloud(google: SandboxCloud) -> AsyncIterator[CloudRun]:
    """The adapter under test."""
    adapter = CloudRun(f"http://{google.grpc_address}", PROJECT)
    yield adapter
    await adapter.close()


@pytest.mark.parametrize("target", [API, CHAT])
async def test_google_checks_it_and_nothing_is_written(
    google: SandboxCloud, cloud: CloudRun, target: Target
) -> None:
    before = await look_at_target(target, cloud=cloud)

    await cloud.dry_run(target, rollback_write(target, before), state=before.state)

    after = await look_at_target(target, cloud=cloud)
    assert google.updates == []
    assert after.state.switch.generation == before.state.switch.generation
    assert after.state.switch.wanted == before.state.switch.wanted


async def test_where_nothing_is_split_the_same_write_to_what_serves_is_tried(
    google: SandboxCloud, cloud: CloudRun
) -> None:
    sight = await look_at_target(API, cloud=cloud)
    write = rollback_write(API, sight)
    assert isinstance(write, PinTraffic)
    assert write.revision == API_STABLE
    await cloud.write(API, write, state=sight.state)

    again = await look_at_target(API, cloud=cloud)
    await cloud.dry_run(API, rollback_write(API, again), state=again.state)

    assert len(google.updates) == 1


async def test_without_the_permission_it_is_refused(google: SandboxCloud, cloud: CloudRun) -> None:
    sight = await look_at_target(API, cloud=cloud)
    google.behaviour.granted_permissions = frozenset({"run.services.get"})

    with pytest.raises(CloudFault) as caught:
        await cloud.dry_run(API, rollback_write(API, sight), state=sight.state)

    assert caught.value.kind is FaultKind.PERMISSION
