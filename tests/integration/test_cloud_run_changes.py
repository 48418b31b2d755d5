"""The writes of a change against the sandbox's Google Cloud, on both topologies."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.adapters.cloud_run import CloudRun
from bot.domain.change import (
    Change,
    ChangeKind,
    ChangePlan,
    ChangeState,
    Done,
    SetResources,
    SplitTraffic,
    Written,
)
from bot.domain.change_plan import make_change_plan, next_change_write
from bot.domain.faults import CloudFault, FaultKind
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.playbook import Target
from bot.domain.resources import Resources
from bot.domain.rollback import SetVariable
from bot.domain.traffic import TargetState
from bot.sandbox.cloud import Behaviour, SandboxCloud
from bot.sandbox.names import (
    API_CANARY,
    API_SERVICE,
    API_STABLE,
    CHAT_CANARY_SERVICE,
    CHAT_ROUTER,
    CHAT_SERVICE,
    PROJECT,
)
from tests.integration.cloud_run_looks import until
from tests.integration.patience import PATIENCE_SECONDS
from tests.unit.adapters.targets import revisions_target, services_target
from tests.values import a_change

pytestmark = pytest.mark.usefixtures("patient_with_google")

API = revisions_target(service=API_SERVICE, project="")
CHAT = services_target(service=CHAT_SERVICE, canary=CHAT_CANARY_SERVICE, router=CHAT_ROUTER, project="")
REDUCE, ADD = ChangeKind.REDUCE_TRAFFIC, ChangeKind.ADD_RESOURCES


@pytest.fixture(scope="module")
async def google() -> AsyncIterator[SandboxCloud]:
    cloud = SandboxCloud(requests_per_second=0, behaviour=Behaviour(settle_seconds=0.05, start_seconds=0.05))
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def sandbox(google: SandboxCloud) -> SandboxCloud:
    google.reset()
    return google


@pytest.fixture
async def cloud(sandbox: SandboxCloud) -> AsyncIterator[CloudRun]:
    adapter = CloudRun(f"http://{sandbox.grpc_address}", PROJECT)
    yield adapter
    await adapter.close()


async def carried_out(cloud: CloudRun, target: Target, change: Change) -> tuple[TargetState, list[type]]:
    """Plan and write `change` as its workflow would; return the end and the kinds of writes it took."""
    state = await cloud.look(target)
    plan = make_change_plan(target, state, change)
    assert isinstance(plan, ChangePlan), plan
    decided = replace(change, plan=plan, state=ChangeState.REQUESTED)
    kinds: list[type] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not isinstance(step := next_change_write(decided, state), Done):
            if isinstance(step, Written):
                await asyncio.sleep(0.02)
            else:
                assert isinstance(step, SplitTraffic | SetResources | SetVariable), step
                await cloud.write(target, step, state=state)
                kinds.append(type(step))
            state = await cloud.look(target)
    return state, kinds


async def test_a_smaller_share_is_written_by_name_and_seen(cloud: CloudRun) -> None:
    state, kinds = await carried_out(cloud, API, a_change(percent=4))

    assert kinds == [SplitTraffic]
    assert state.switch.observed_percent(RevisionName(API_STABLE)) == 96
    assert state.switch.observed_percent(RevisionName(API_CANARY)) == 4
    assert [(line.tag, line.revision) for line in state.switch.wanted if line.tag] == [("canary", API_CANARY)]
    assert not any(line.latest for line in state.switch.wanted)


async def test_a_smaller_share_is_told_to_the_router(cloud: CloudRun) -> None:
    state, kinds = await carried_out(cloud, CHAT, a_change(percent=4))

    assert kinds == [SetVariable]
    assert state.switch.environment["CANARY_TRAFFIC_PERCENTAGE"] == "4"


async def test_more_resources_between_revisions_take_the_canarys_share_along(cloud: CloudRun) -> None:
    wanted = Resources(memory_mib=1024, cpu_milli=2000, min_instances=1, max_instances=7)

    state, kinds = await carried_out(cloud, API, a_change(ADD, resources=wanted))

    assert kinds == [SetResources, SplitTraffic]
    assert state.switch.resources == wanted
    newest = state.switch.latest_created
    assert newest not in (None, API_CANARY)
    assert {str(line.revision): line.percent for line in state.switch.observed if line.percent} == {
        API_STABLE: 90,
        str(newest): 10,
    }


async def test_more_resources_of_a_canary_service_follow_its_latest(cloud: CloudRun) -> None:
    before = await cloud.look(CHAT)

    state, kinds = await carried_out(cloud, CHAT, a_change(ADD))

    assert kinds == [SetResources]
    assert state.canary is not None
    assert before.canary is not None
    assert state.canary.resources == replace(before.canary.resources, memory_mib=1024)
    assert state.canary.images == before.canary.images
    assert state.switch == replace(before.switch, read_at=state.switch.read_at)


async def test_the_traffic_does_not_move_before_the_new_revision_is_ready(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    sandbox.behaviour.new_revisions_fail = True
    state = await cloud.look(API)
    write = SetResources(service=ServiceName(API_SERVICE), resources=Resources(memory_mib=1024))

    await cloud.write(API, write, state=state)
    failed = await until(cloud, API, lambda s: s.switch.problem is not None and not s.switch.reconciling)

    assert not failed.switch.settled
    assert failed.switch.observed == state.switch.observed
    assert failed.switch.latest_ready == API_CANARY


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        (Resources(memory_mib=8192), "For 1 CPU, memory must be between 128Mi and 4096Mi"),
        (Resources(cpu_milli=4000), "For 4 CPU, memory must be between 2048Mi and 16384Mi"),
        (Resources(cpu_milli=3000), "Invalid value specified for cpu"),
        (Resources(max_instances=5000), "maxScale may not exceed 2000"),
        (Resources(min_instances=6), "min_instance_count must be less than or equal"),
    ],
)
async def test_what_google_refuses_comes_out_in_googles_words(
    cloud: CloudRun, sandbox: SandboxCloud, resources: Resources, said: str
) -> None:
    state = await cloud.look(API)

    with pytest.raises(CloudFault) as caught:
        await cloud.write(
            API, SetResources(service=ServiceName(API_SERVICE), resources=resources), state=state
        )

    assert caught.value.kind is FaultKind.INVALID
    assert said in caught.value.detail
    assert sandbox.updates == []


@pytest.mark.parametrize(
    "write",
    [
        SplitTraffic(
            service=ServiceName(API_SERVICE),
            shares=((RevisionName(API_STABLE), 95), (RevisionName(API_CANARY), 5)),
            tags=(),
        ),
        SetResources(service=ServiceName(API_SERVICE), resources=Resources(memory_mib=1024)),
    ],
)
async def test_nothing_is_written_over_what_somebody_changed_since_it_was_read(
    cloud: CloudRun, sandbox: SandboxCloud, write: SplitTraffic | SetResources
) -> None:
    state = await cloud.look(API)
    await sandbox.deploy(API_SERVICE, percent=20)

    with pytest.raises(CloudFault, match="generation") as caught:
        await cloud.write(API, write, state=state)

    assert caught.value.kind is FaultKind.CONFLICT
    assert sandbox.updates == []


async def test_a_service_that_was_not_read_is_not_written(cloud: CloudRun) -> None:
    write = SetResources(service=ServiceName(CHAT_CANARY_SERVICE), resources=Resources(memory_mib=1024))

    with pytest.raises(ValueError, match="refused to write"):
        await cloud.write(API, write, state=await cloud.look(API))
