"""The Cloud Run adapter against the sandbox's Google Cloud: the contract of `Cloud`, and every fault."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from socket import socket
from typing import Any

import pytest
from google.cloud import run_v2
from grpc import StatusCode as Code

from bot.adapters.cloud_run import CloudRun
from bot.domain.faults import OUTCOME_UNKNOWN, CloudFault, FaultKind
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.plan import has_settled, make_plan, next_write
from bot.domain.playbook import Target
from bot.domain.rollback import PinTraffic, Plan, SetVariable
from bot.domain.traffic import TargetState
from bot.sandbox.cloud import Behaviour, SandboxCloud
from bot.sandbox.names import (
    API_CANARY,
    API_SERVICE,
    API_STABLE,
    CHAT_CANARY_SERVICE,
    CHAT_ROUTER,
    CHAT_SERVICE,
    CHAT_VARIABLE,
    PROJECT,
)
from tests.integration.cloud_run_looks import until
from tests.integration.patience import PATIENCE_SECONDS
from tests.integration.sandbox_targets import API, CHAT
from tests.unit.adapters.targets import revisions_target, services_target

pytestmark = pytest.mark.usefixtures("patient_with_google")

PINNED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


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


def pin_stable(state: TargetState) -> PinTraffic:
    plan = make_plan(API, state)
    assert isinstance(plan, Plan)
    write = next_write(plan, state)
    assert isinstance(write, PinTraffic)
    return write


ZERO_SHARE = SetVariable(service=ServiceName(CHAT_ROUTER), variable=CHAT_VARIABLE, value="0")


async def fault_of(awaitable: Any) -> CloudFault:
    with pytest.raises(CloudFault) as caught:
        await awaitable
    return caught.value


async def until_settled(cloud: CloudRun, target: Target, plan: Plan) -> TargetState:
    return await until(cloud, target, lambda state: has_settled(plan, state))


async def test_a_split_is_read_with_its_revisions(cloud: CloudRun) -> None:
    before = datetime.now(UTC)

    state = (await cloud.look(API)).switch

    assert state.name == API_SERVICE
    assert state.wanted_percent(RevisionName(API_STABLE)) == 90
    assert state.observed_percent(RevisionName(API_CANARY)) == 10
    assert [(line.tag, bool(line.uri)) for line in state.observed] == [(None, False), ("canary", True)]
    assert state.settled
    assert state.problem is None
    assert {(r.name, r.ready) for r in state.revisions} == {(API_STABLE, True), (API_CANARY, True)}
    assert before <= state.read_at <= datetime.now(UTC)


async def test_a_split_has_no_other_services(cloud: CloudRun) -> None:
    state = await cloud.look(API)

    assert (state.stable, state.canary) == (None, None)


async def test_two_services_are_read_with_their_router(cloud: CloudRun) -> None:
    state = await cloud.look(CHAT)

    assert state.stable is not None
    assert state.canary is not None
    assert (state.switch.name, state.stable.name, state.canary.name) == (
        CHAT_ROUTER,
        CHAT_SERVICE,
        CHAT_CANARY_SERVICE,
    )
    assert state.switch.environment[CHAT_VARIABLE] == "10"
    assert [len(s.revisions) for s in (state.switch, state.stable, state.canary)] == [1, 0, 0]


async def test_latest_is_resolved_to_the_revision_that_is_ready(cloud: CloudRun) -> None:
    switch = (await cloud.look(CHAT)).switch

    assert [(line.revision, line.latest) for line in switch.wanted] == [(switch.latest_ready, True)]
    assert switch.latest_ready == switch.revisions[0].name
    assert switch.observed_percent(switch.revisions[0].name) == 100


async def test_a_deployment_in_motion_is_seen_as_such(cloud: CloudRun, sandbox: SandboxCloud) -> None:
    sandbox.behaviour.never_settle = True
    newest = await sandbox.deploy(API_SERVICE, percent=20)

    state = (await cloud.look(API)).switch

    assert state.reconciling
    assert not state.settled
    assert (state.latest_created, state.latest_ready) == (newest, API_CANARY)
    assert state.wanted_percent(RevisionName(newest)) == 20
    assert state.observed_percent(RevisionName(newest)) == 0


async def test_a_revision_that_cannot_start_is_not_ready_and_is_cloud_runs_problem(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    sandbox.behaviour.new_revisions_fail = True
    newest = RevisionName(await sandbox.deploy(API_SERVICE, percent=20))

    state = await until(cloud, API, lambda seen: not seen.switch.reconciling)

    listed = state.switch.revision(newest)
    assert listed is not None
    assert not listed.ready
    assert state.switch.problem is not None
    assert newest in state.switch.problem


async def test_every_page_of_revisions_is_read(cloud: CloudRun, sandbox: SandboxCloud) -> None:
    for _ in range(120):
        await sandbox.deploy(API_SERVICE, percent=0)

    state = (await cloud.look(API)).switch

    assert len(state.revisions) == 122
    assert sum(call.method == "ListRevisions" for call in sandbox.calls) == 2


async def test_a_canary_service_that_does_not_exist_is_none(cloud: CloudRun) -> None:
    target = services_target(
        service=CHAT_SERVICE, canary="ion-chat-gone", router=CHAT_ROUTER, project=PROJECT
    )

    state = await cloud.look(target)

    assert state.canary is None
    assert state.stable is not None


@pytest.mark.parametrize(
    "target",
    [
        revisions_target(service="ion-gone", project=PROJECT),
        revisions_target(service=API_SERVICE, project=PROJECT, region="europe-west1"),
        services_target(service="ion-gone", canary=CHAT_CANARY_SERVICE, router=CHAT_ROUTER, project=PROJECT),
        services_target(service=CHAT_SERVICE, canary=CHAT_CANARY_SERVICE, router="ion-gone", project=PROJECT),
    ],
)
async def test_any_other_service_that_does_not_exist_is_not_found(cloud: CloudRun, target: Target) -> None:
    fault = await fault_of(cloud.look(target))

    assert fault.kind is FaultKind.NOT_FOUND


async def test_a_rollback_of_a_split_settles_at_everything_on_stable(cloud: CloudRun) -> None:
    state = await cloud.look(API)
    plan = make_plan(API, state)
    assert isinstance(plan, Plan)

    await cloud.write(API, pin_stable(state), state=state)

    settled = await until_settled(cloud, API, plan)
    assert settled.switch.observed_percent(RevisionName(API_STABLE)) == 100
    assert [line.tag for line in settled.switch.observed if line.revision == API_CANARY] == ["canary"]


async def test_the_write_is_minimal(cloud: CloudRun, sandbox: SandboxCloud) -> None:
    state = await cloud.look(API)

    await cloud.write(API, pin_stable(state), state=state)

    (sent,) = sandbox.updates
    assert list(sent.update_mask.paths) == ["traffic"]
    assert sent.service == run_v2.Service(
        name=f"projects/{PROJECT}/locations/us-central1/services/{API_SERVICE}",
        etag=state.switch.etag,
        traffic=[
            run_v2.TrafficTarget(type_=PINNED, revision=API_STABLE, percent=100),
            run_v2.TrafficTarget(type_=PINNED, revision=API_CANARY, percent=0, tag="canary"),
        ],
    )
    assert (sent.validate_only, sent.allow_missing) == (False, False)


async def test_the_write_returns_before_anything_has_moved_and_never_asks_for_the_operation(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    sandbox.behaviour.never_settle = True
    sandbox.behaviour.forbid_operations = True
    state = await cloud.look(API)

    await cloud.write(API, pin_stable(state), state=state)

    after = (await cloud.look(API)).switch
    assert after.wanted_percent(RevisionName(API_STABLE)) == 100
    assert after.observed_percent(RevisionName(API_STABLE)) == 90
    assert not any("Operation" in call.method for call in sandbox.calls)


async def test_a_rollback_of_two_services_settles_with_the_variable_at_zero(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    state = await cloud.look(CHAT)
    plan = make_plan(CHAT, state)
    assert isinstance(plan, Plan)
    write = next_write(plan, state)
    assert write == ZERO_SHARE

    await cloud.write(CHAT, write, state=state)

    settled = (await until_settled(cloud, CHAT, plan)).switch
    assert settled.environment == {CHAT_VARIABLE: "0", "PHASE4_ENABLED": "true"}
    assert len(settled.revisions) == 2
    (sent,) = sandbox.updates
    assert list(sent.update_mask.paths) == ["template.containers", "template.revision"]
    assert sent.service.template.revision == ""
    assert sent.service.etag == state.switch.etag
    assert not sent.service.traffic


async def test_a_write_to_another_service_than_was_read_is_refused(cloud: CloudRun) -> None:
    state = await cloud.look(API)

    with pytest.raises(ValueError, match="what was read is ion-api"):
        await cloud.write(CHAT, ZERO_SHARE, state=state)


async def test_a_write_that_is_not_pinned_is_refused_before_it_is_sent(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    state = await cloud.look(API)
    write = PinTraffic(service=ServiceName(API_SERVICE), revision=RevisionName("LATEST"), tags=())

    with pytest.raises(ValueError, match="not a bare revision name"):
        await cloud.write(API, write, state=state)

    assert not any(call.method == "UpdateService" for call in sandbox.calls)


FAULTS = [
    (Code.ABORTED, FaultKind.CONFLICT),
    (Code.INVALID_ARGUMENT, FaultKind.INVALID),
    (Code.FAILED_PRECONDITION, FaultKind.INVALID),
    (Code.UNAUTHENTICATED, FaultKind.LOGIN),
    (Code.PERMISSION_DENIED, FaultKind.PERMISSION),
    (Code.NOT_FOUND, FaultKind.NOT_FOUND),
    (Code.RESOURCE_EXHAUSTED, FaultKind.QUOTA),
    (Code.UNAVAILABLE, FaultKind.UNREACHABLE),
    (Code.DEADLINE_EXCEEDED, FaultKind.UNREACHABLE),
    (Code.INTERNAL, FaultKind.OTHER),
    (Code.UNKNOWN, FaultKind.OTHER),
]


@pytest.mark.parametrize(("code", "kind"), FAULTS)
@pytest.mark.parametrize("method", ["GetService", "ListRevisions"])
async def test_a_read_names_every_fault(
    cloud: CloudRun, sandbox: SandboxCloud, method: str, code: Code, kind: FaultKind
) -> None:
    sandbox.fail(method, code, detail="Google's sentence", times=2)

    fault = await fault_of(cloud.look(API))

    assert (fault.kind, fault.detail) == (kind, "Google's sentence")
    assert API_SERVICE in fault.doing


@pytest.mark.parametrize(("code", "kind"), FAULTS)
@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_write_names_every_fault_and_is_sent_once_whether_it_landed_or_not(
    cloud: CloudRun, sandbox: SandboxCloud, code: Code, kind: FaultKind, after_effect: bool
) -> None:
    state = await cloud.look(API)
    sandbox.fail("UpdateService", code, detail="Google's sentence", after_effect=after_effect)

    fault = await fault_of(cloud.write(API, pin_stable(state), state=state))

    assert (fault.kind, fault.detail) == (kind, "Google's sentence")
    assert sum(call.method == "UpdateService" for call in sandbox.calls) == 1
    landed = (await cloud.look(API)).switch.wanted_percent(RevisionName(API_STABLE)) == 100
    assert landed is after_effect


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.INTERNAL, Code.ABORTED, Code.RESOURCE_EXHAUSTED])
async def test_a_write_of_unknown_outcome_is_of_a_kind_that_says_so(
    cloud: CloudRun, sandbox: SandboxCloud, code: Code
) -> None:
    state = await cloud.look(API)
    sandbox.fail("UpdateService", code, after_effect=True)

    fault = await fault_of(cloud.write(API, pin_stable(state), state=state))

    assert fault.kind in OUTCOME_UNKNOWN


async def test_a_read_is_repeated_once_when_google_was_briefly_unavailable(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    sandbox.fail("GetService", Code.UNAVAILABLE)
    sandbox.fail("ListRevisions", Code.UNAVAILABLE)

    state = await cloud.look(API)

    assert state.switch.name == API_SERVICE


async def test_the_missing_permission_is_named(cloud: CloudRun, sandbox: SandboxCloud) -> None:
    state = await cloud.look(API)
    sandbox.behaviour.granted_permissions = frozenset({"run.services.get"})

    fault = await fault_of(cloud.write(API, pin_stable(state), state=state))

    assert (fault.kind, fault.permission) == (FaultKind.PERMISSION, "run.services.update")


async def test_a_stale_etag_is_a_conflict_where_google_enforces_it(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    sandbox.behaviour.enforce_etag = True
    state = await cloud.look(API)
    await sandbox.deploy(API_SERVICE, percent=20)

    fault = await fault_of(cloud.write(API, pin_stable(state), state=state))

    assert fault.kind is FaultKind.CONFLICT


async def test_a_current_etag_is_accepted_where_google_enforces_it(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    sandbox.behaviour.enforce_etag = True
    state = await cloud.look(API)

    await cloud.write(API, pin_stable(state), state=state)

    assert len(sandbox.updates) == 1


async def test_a_variable_is_not_set_over_somebody_elses_change_even_where_etags_are_ignored(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    state = await cloud.look(CHAT)
    await sandbox.deploy(CHAT_ROUTER, percent=50)

    fault = await fault_of(cloud.write(CHAT, ZERO_SHARE, state=state))

    assert fault.kind is FaultKind.CONFLICT
    assert "generation" in fault.detail
    assert sandbox.updates == []


async def test_a_variable_is_not_set_when_its_router_cannot_be_read_again(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    state = await cloud.look(CHAT)
    sandbox.fail("GetService", Code.PERMISSION_DENIED)

    fault = await fault_of(cloud.write(CHAT, ZERO_SHARE, state=state))

    assert fault.kind is FaultKind.PERMISSION
    assert sandbox.updates == []


async def test_a_variable_survives_a_status_that_moved_meanwhile(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    sandbox.behaviour.enforce_etag = True
    state = await cloud.look(CHAT)
    older = replace(state.switch, etag='"of the same generation"')

    await cloud.write(CHAT, ZERO_SHARE, state=replace(state, switch=older))

    assert len(sandbox.updates) == 1


async def test_held_permissions_are_not_missing(cloud: CloudRun) -> None:
    assert await cloud.missing_permissions(API) == frozenset()
    assert await cloud.missing_permissions(CHAT) == frozenset()


async def test_missing_permissions_are_those_the_service_written_to_denies(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    sandbox.behaviour.granted_permissions = frozenset({"run.services.get"})

    assert await cloud.missing_permissions(CHAT) == {"run.services.update"}
    assert sandbox.calls[-1].request.resource.endswith(f"/services/{CHAT_ROUTER}")


async def test_permissions_that_cannot_be_tested_are_a_fault(cloud: CloudRun, sandbox: SandboxCloud) -> None:
    sandbox.fail("TestIamPermissions", Code.UNAVAILABLE, times=2)

    assert (await fault_of(cloud.missing_permissions(API))).kind is FaultKind.UNREACHABLE


async def test_a_dead_endpoint_is_unreachable_at_once(silent_port: socket) -> None:
    cloud = CloudRun(f"http://{address_of(silent_port)}", PROJECT)
    await fault_of(cloud.look(API))  # The first use imports Google's modules.
    kinds: set[FaultKind] = set()
    seconds: list[float] = []

    # A busy machine may hold up any of them, but no machine makes Google's own retry fast: it takes 8.8 s.
    while len(seconds) < 5 and not (seconds and min(seconds) < 4):
        started = time.monotonic()
        kinds.add((await fault_of(cloud.look(API))).kind)
        seconds.append(time.monotonic() - started)

    assert kinds == {FaultKind.UNREACHABLE}
    assert min(seconds) < 4
    await cloud.close()


async def test_a_google_that_does_not_answer_in_time_is_unreachable(
    cloud: CloudRun, sandbox: SandboxCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.cloud_run.READ_SECONDS", 0.2)
    sandbox.slow("GetService", PATIENCE_SECONDS)

    fault = await fault_of(cloud.look(API))

    assert fault.kind is FaultKind.UNREACHABLE


async def test_a_write_that_is_not_accepted_in_time_has_an_unknown_outcome(
    cloud: CloudRun, sandbox: SandboxCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.cloud_run.WRITE_SECONDS", 0.2)
    state = await cloud.look(API)
    sandbox.slow("UpdateService", PATIENCE_SECONDS)

    fault = await fault_of(cloud.write(API, pin_stable(state), state=state))

    assert fault.kind is FaultKind.UNREACHABLE
    assert fault.kind in OUTCOME_UNKNOWN


async def test_a_look_that_drags_on_is_given_up_as_a_whole(
    cloud: CloudRun, sandbox: SandboxCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.cloud_run.LOOK_SECONDS", 0.2)
    sandbox.slow("GetService", PATIENCE_SECONDS)

    fault = await fault_of(cloud.look(API))

    assert (fault.kind, fault.detail) == (FaultKind.UNREACHABLE, "Google did not answer in time")


async def test_a_google_that_comes_back_is_reached_again(sandbox: SandboxCloud, silent_port: socket) -> None:
    cloud = CloudRun(f"http://{address_of(silent_port)}", PROJECT)
    await fault_of(cloud.look(API))

    async with relaying(silent_port, to=sandbox.grpc_address), asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                state = await cloud.look(API)
                break
            except CloudFault:
                await asyncio.sleep(0.1)
        await cloud.close()

    assert state.switch.name == API_SERVICE


async def test_a_target_without_a_project_is_a_fault_that_names_the_setting(sandbox: SandboxCloud) -> None:
    cloud = CloudRun(f"http://{sandbox.grpc_address}", "")

    fault = await fault_of(cloud.look(API))

    assert fault.kind is FaultKind.INVALID
    assert "GOOGLE_CLOUD_PROJECT" in fault.detail
    await cloud.close()


async def test_missing_credentials_are_a_login_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "missing-credentials.json")
    cloud = CloudRun("localhost:1", PROJECT)

    fault = await fault_of(cloud.look(API))

    assert fault.kind is FaultKind.LOGIN
    await cloud.close()


def test_a_wrong_endpoint_is_refused_when_the_adapter_is_built() -> None:
    with pytest.raises(ValueError, match="CLOUD_RUN_ENDPOINT"):
        CloudRun("http://run.example.com:80", PROJECT)


async def test_a_closed_connection_is_opened_again_on_the_next_use(cloud: CloudRun) -> None:
    await cloud.look(API)
    await cloud.close()

    state = await cloud.look(API)

    assert state.switch.name == API_SERVICE


async def test_many_first_looks_at_once_share_one_connection(cloud: CloudRun) -> None:
    states = await asyncio.gather(*(cloud.look(API) for _ in range(20)))

    assert {state.switch.name for state in states} == {API_SERVICE}


def address_of(bound: socket) -> str:
    host, port = bound.getsockname()
    return f"{host}:{port}"


@asynccontextmanager
async def relaying(bound: socket, *, to: str) -> AsyncIterator[None]:
    """Pass bytes on between whoever connects and `to`; in the end cut every connection."""
    host, port = to.rsplit(":", 1)
    relays: list[asyncio.Task[None]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        finally:
            writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, back), pump(there, writer))

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relays.append(asyncio.create_task(relay(reader, writer)))

    server = await asyncio.start_server(accept, sock=bound)
    try:
        yield
    finally:
        server.close()
        for task in relays:
            task.cancel()
        await asyncio.gather(*relays, return_exceptions=True)
