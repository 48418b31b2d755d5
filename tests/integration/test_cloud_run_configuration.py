"""How canary and stable are configured, read from the sandbox's Cloud Run, on both topologies."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from grpc import StatusCode as Code

from bot.adapters.cloud_run import CloudRun
from bot.adapters.cloud_run_configuration import HIDDEN
from bot.domain.configuration import Configuration, Difference, differences
from bot.domain.faults import CloudFault, FaultKind
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.playbook import Target
from bot.domain.traffic import SideAddress, Sides
from bot.sandbox.cloud import Behaviour, SandboxCloud
from bot.sandbox.names import API_CANARY, API_SERVICE, API_STABLE, CHAT_CANARY_SERVICE, CHAT_SERVICE, PROJECT
from tests.integration.sandbox_targets import API, API_SIDES, CHAT, CHAT_SIDES

pytestmark = pytest.mark.usefixtures("patient_with_google")

#: What the sandbox has planted in plain variables.
PLANTED = ("planted-not-a-secret", "another-planted-non-secret")
BOTH = [(API, API_SIDES), (CHAT, CHAT_SIDES)]


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


async def both(cloud: CloudRun, target: Target, sides: Sides) -> tuple[Configuration, Configuration]:
    assert sides.canary is not None
    return await cloud.configuration(target, sides.stable), await cloud.configuration(target, sides.canary)


@pytest.mark.parametrize(("target", "sides"), BOTH, ids=["revisions", "services"])
async def test_what_canary_and_stable_have_set_differently_is_all_that_differs(
    cloud: CloudRun, target: Target, sides: Sides
) -> None:
    stable, canary = await both(cloud, target, sides)

    found = {(one.about, one.name): (one.stable, one.canary) for one in differences(stable, canary)}

    image, commit = found.pop(("settings", "image")), found.pop(("settings", "label.commit"))
    assert found == {
        ("environment", "LLM_API_KEY"): ("secret:ion-llm-key:4", "secret:ion-llm-key:5"),
        ("environment", "MULTI_TURN"): (None, "on"),
        ("environment", "RECOMMENDER"): ("v1", "v2"),
        ("environment", "SESSION_TTL"): ("1800", "300"),
        ("settings", "concurrency"): ("80", "160"),
    }
    assert image in {("ion-api:41", "ion-api:42"), ("ion-chat:17", "ion-chat:18")}
    assert None not in commit


async def test_a_side_says_which_revision_it_is_since_when_and_by_whom(cloud: CloudRun) -> None:
    began = datetime.now(UTC)

    stable, canary = await both(cloud, API, API_SIDES)

    assert (stable.service, stable.revision) == (API_SERVICE, API_STABLE)
    assert (canary.service, canary.revision) == (API_SERVICE, API_CANARY)
    assert stable.creator == f"deployer@{PROJECT}.iam.gserviceaccount.com"
    assert canary.creator == "gitco@ion.example"
    assert stable.created_at is not None
    assert canary.created_at is not None
    assert began - stable.created_at > timedelta(days=29)
    assert timedelta(minutes=9) < began - canary.created_at < timedelta(hours=1)
    assert canary.created_at.tzinfo is UTC
    assert began <= canary.read_at <= datetime.now(UTC)


async def test_a_side_that_is_a_whole_service_shows_its_latest_ready_revision(cloud: CloudRun) -> None:
    stable, canary = await both(cloud, CHAT, CHAT_SIDES)

    assert (stable.service, stable.revision) == (CHAT_SERVICE, "ion-chat-00017-pol")
    assert (canary.service, canary.revision) == (CHAT_CANARY_SERVICE, "ion-chat-canary-00003-tam")


async def test_a_new_revision_that_is_not_ready_is_not_the_latest_ready_one(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    sandbox.behaviour.new_revisions_fail = True
    await sandbox.deploy(CHAT_CANARY_SERVICE, percent=100)

    canary = await cloud.configuration(CHAT, SideAddress(service=ServiceName(CHAT_CANARY_SERVICE)))

    assert canary.revision == "ion-chat-canary-00003-tam"


@pytest.mark.parametrize(("target", "sides"), BOTH, ids=["revisions", "services"])
async def test_no_planted_secret_gets_out_and_every_one_is_counted(
    cloud: CloudRun, target: Target, sides: Sides
) -> None:
    for side in await both(cloud, target, sides):
        kept = json.dumps(dict(side.document)) + str(side)

        assert [secret for secret in PLANTED if secret in kept] == []
        assert side.environment["REDIS_PASSWORD"] == HIDDEN
        assert side.redacted == len(PLANTED)


async def test_the_document_is_what_google_said_as_json(cloud: CloudRun) -> None:
    canary = await cloud.configuration(API, API_SIDES.canary or API_SIDES.stable)

    revision, service = canary.document["revision"], canary.document["service"]
    assert revision["name"].endswith(f"/revisions/{API_CANARY}")
    assert revision["containers"][0]["resources"]["limits"] == {"cpu": "1", "memory": "512Mi"}
    assert revision["maxInstanceRequestConcurrency"] == 160
    assert service["lastModifier"] == "gitco@ion.example"
    assert [line["percent"] for line in service["traffic"]] == [90, 10]


async def test_settings_are_the_revisions_and_the_services(cloud: CloudRun) -> None:
    canary = await cloud.configuration(API, API_SIDES.canary or API_SIDES.stable)

    assert {
        "memory": "512Mi",
        "timeout": "300s",
        "max_instances": "5",
        "ports": "http1:8080",
        "execution_environment": "gen2",
        "vpc_egress": "private-ranges-only",
        "ingress": "all",
        "service_account": f"runtime@{PROJECT}.iam.gserviceaccount.com",
    }.items() <= canary.settings.items()


FAULTS = [
    (Code.PERMISSION_DENIED, FaultKind.PERMISSION),
    (Code.NOT_FOUND, FaultKind.NOT_FOUND),
    (Code.RESOURCE_EXHAUSTED, FaultKind.QUOTA),
    (Code.UNAVAILABLE, FaultKind.UNREACHABLE),
    (Code.INTERNAL, FaultKind.OTHER),
]


@pytest.mark.parametrize(("code", "kind"), FAULTS)
@pytest.mark.parametrize("method", ["GetService", "GetRevision"])
async def test_every_fault_is_named(
    cloud: CloudRun, sandbox: SandboxCloud, method: str, code: Code, kind: FaultKind
) -> None:
    sandbox.fail(method, code, detail="Google's sentence", times=2)

    with pytest.raises(CloudFault) as caught:
        await cloud.configuration(API, API_SIDES.stable)

    assert (caught.value.kind, caught.value.detail) == (kind, "Google's sentence")
    assert API_SERVICE in caught.value.doing


async def test_a_google_that_hiccups_once_is_asked_again(cloud: CloudRun, sandbox: SandboxCloud) -> None:
    sandbox.fail("GetRevision", Code.UNAVAILABLE)

    assert (await cloud.configuration(API, API_SIDES.stable)).revision == API_STABLE


async def test_without_the_permission_the_missing_one_is_named(
    cloud: CloudRun, sandbox: SandboxCloud
) -> None:
    sandbox.behaviour.granted_permissions -= {"run.revisions.get"}

    with pytest.raises(CloudFault) as caught:
        await cloud.configuration(API, API_SIDES.stable)

    assert caught.value.permission == "run.revisions.get"


async def test_a_revision_that_is_gone_is_not_found(cloud: CloudRun) -> None:
    gone = SideAddress(service=ServiceName(API_SERVICE), revision=RevisionName("ion-api-00001-old"))

    with pytest.raises(CloudFault) as caught:
        await cloud.configuration(API, gone)

    assert caught.value.kind is FaultKind.NOT_FOUND


def test_a_difference_is_what_one_side_has_set_and_the_other_has_not() -> None:
    def side(**environment: str) -> Configuration:
        return Configuration(
            service=ServiceName(API_SERVICE),
            revision=None,
            read_at=datetime.now(UTC),
            environment=environment,
        )

    assert differences(side(A="1", B="2"), side(B="2", C="3")) == (
        Difference(about="environment", name="A", stable="1", canary=None),
        Difference(about="environment", name="C", stable=None, canary="3"),
    )
