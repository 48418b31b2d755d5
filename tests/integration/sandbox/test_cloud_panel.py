"""What the page's cloud panel offers: the deployment's stages, failures, troubles, and back to normal."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.iam.v1 import iam_policy_pb2
from starlette.applications import Starlette

from bot.adapters import cloud_run
from bot.adapters.cloud_run import CloudRun
from bot.sandbox.cloud import STAGES, Fault, Refused, Trouble, troubles
from bot.sandbox.cloud.resources import DEPLOYER, OTHER_PIPELINE
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
from tests.integration.sandbox.google_clients import (
    PATIENCE_SECONDS,
    Google,
    eventually,
    line,
    path,
    running_cloud,
)
from tests.integration.sandbox_targets import API

Json = dict[str, Any]


class FakeChat:
    """A Slack that remembers what it was told."""

    def __init__(self) -> None:
        self.reports: list[str] = []
        self.suffers: Trouble | None = None

    async def report_lost_conversations(self, *, locale: str) -> None:
        self.reports.append(locale)

    def suffer(self, trouble: Trouble | None) -> None:
        self.suffers = trouble


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Google]:
    async with running_cloud() as google:
        yield google


@pytest.fixture
def google(running: Google) -> Google:
    """The module's cloud as it first was, with no Slack beside it."""
    running.cloud.reset()
    running.cloud.chat = None
    return running


@pytest.fixture
async def panel(google: Google) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=Starlette(routes=google.cloud.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox/sandbox/cloud") as client:
        yield client


def shown(google: Google, service: str) -> Json:
    """Return what the panel shows of a service."""
    return next(one for one in google.cloud.snapshot()["services"] if one["name"] == service)


def shares(google: Google, service: str = API_SERVICE) -> dict[str, int]:
    """Return the observed traffic."""
    return {part["name"]: part["percent"] for part in shown(google, service)["traffic"]}


def variable(service: run_v2.Service) -> str:
    """Return the canary's share that a router's template names."""
    return next(v.value for v in service.template.containers[0].env if v.name == CHAT_VARIABLE)


# Stages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", [API_SERVICE, CHAT_ROUTER])
async def test_a_stage_is_asked_for_by_the_pipeline_and_settles_like_any_change(
    google: Google, panel: httpx.AsyncClient, service: str
) -> None:
    answer = await panel.post("/stage", json={"service": service, "percent": 25})
    at_once = next(one for one in answer.json()["services"] if one["name"] == service)
    await google.settled(service)

    stage = at_once["stage"]
    assert (at_once["reconciling"], stage["percent"], stage["wanted"]) == (True, 10, 25)
    settled = shown(google, service)
    assert (settled["reconciling"], settled["stage"]["percent"], settled["stage"]["wanted"]) == (
        False,
        25,
        25,
    )
    assert settled["changed_by"] == DEPLOYER
    assert google.cloud.updates == []


async def test_every_stage_of_the_guide_is_on_offer_and_the_rest_stays_with_stable(google: Google) -> None:
    seen = []
    for percent in STAGES:
        await google.cloud.move(API_SERVICE, percent)
        await google.settled(API_SERVICE)
        seen.append(shares(google))

    assert STAGES == (5, 10, 25, 50, 100)
    assert seen == [
        {API_STABLE: 95, API_CANARY: 5},
        {API_STABLE: 90, API_CANARY: 10},
        {API_STABLE: 75, API_CANARY: 25},
        {API_STABLE: 50, API_CANARY: 50},
        {API_CANARY: 100},
    ]
    assert shown(google, CHAT_SERVICE)["stage"] is None


async def test_a_finished_deployment_can_go_back_a_stage(google: Google) -> None:
    await google.cloud.move(API_SERVICE, 100)
    await google.settled(API_SERVICE)

    await google.cloud.move(API_SERVICE, 50)
    service = await google.settled(API_SERVICE)

    assert shares(google) == {API_STABLE: 50, API_CANARY: 50}
    assert [status.tag for status in service.traffic_statuses] == ["", "canary"]


async def test_the_routers_stage_is_its_variable_on_a_new_revision(google: Google) -> None:
    before = await google.read(CHAT_ROUTER)
    await google.cloud.move(CHAT_ROUTER, 50)
    after = await google.settled(CHAT_ROUTER)

    assert (variable(before), variable(after)) == ("10", "50")
    assert before.latest_ready_revision != after.latest_ready_revision
    stage = shown(google, CHAT_ROUTER)["stage"]
    assert (stage["stable"], stage["canary"]) == (CHAT_SERVICE, CHAT_CANARY_SERVICE)


async def test_a_new_canary_is_well_and_takes_the_last_ones_place(
    google: Google, panel: httpx.AsyncClient
) -> None:
    google.cloud.set_fault(API_SERVICE, Fault.ERRORS, on=True)

    await panel.post("/deploy", json={"service": API_SERVICE})
    service = await google.settled(API_SERVICE)

    newcomer = service.latest_ready_revision.rpartition("/")[2]
    assert newcomer not in (API_STABLE, API_CANARY)
    assert shares(google) == {API_STABLE: 95, newcomer: 5}
    assert not any(shown(google, API_SERVICE)["faults"].values())
    image = next(one["image"] for one in shown(google, API_SERVICE)["revisions"] if one["name"] == newcomer)
    assert image == "ion-api:43"


async def test_behind_the_router_a_new_canary_is_a_revision_of_its_service(google: Google) -> None:
    google.cloud.set_fault(CHAT_CANARY_SERVICE, Fault.DOWN, on=True)

    newcomer = await google.cloud.deploy_canary(CHAT_ROUTER)
    canary, router = await google.settled(CHAT_CANARY_SERVICE), await google.settled(CHAT_ROUTER)

    assert canary.latest_ready_revision.endswith(newcomer)
    assert canary.template.containers[0].image == "ion-chat:19"
    assert variable(router) == "5"
    assert not any(shown(google, CHAT_CANARY_SERVICE)["faults"].values())


async def test_a_canary_that_has_everybody_is_the_next_ones_stable(google: Google) -> None:
    await google.cloud.move(API_SERVICE, 100)
    newcomer = await google.cloud.deploy_canary(API_SERVICE)
    await google.settled(API_SERVICE)

    assert shares(google) == {API_CANARY: 95, newcomer: 5}


async def test_after_a_rollback_the_pipeline_may_go_on(google: Google) -> None:
    await google.route(API_SERVICE, line(API_STABLE, 100), line(API_CANARY, 0, "canary"))
    await google.settled(API_SERVICE)
    rolled_back = shown(google, API_SERVICE)["stage"]["percent"]

    await google.cloud.move(API_SERVICE, 5)
    await google.settled(API_SERVICE)

    assert rolled_back == 0
    assert shares(google) == {API_STABLE: 95, API_CANARY: 5}


async def test_a_deleted_service_takes_no_deployment(google: Google) -> None:
    google.cloud.delete(API_SERVICE)

    with pytest.raises(Refused, match="ion-api was deleted"):
        await google.cloud.move(API_SERVICE, 25)


# Answers -------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, bytes, int, str]] = [
    ("fault", b'{"service": "ion-chat", "fault": "slow", "on": true}', 400, "ion-chat cannot fail"),
    ("fault", b'{"service": "ion-chat-canary", "fault": "flood", "on": true}', 400, "fault is one of errors"),
    ("fault", b'{"service": "ion-chat-canary", "fault": ["slow"], "on": true}', 400, "fault is one of"),
    ("fault", b'{"service": "ion-chat-canary", "fault": "slow", "on": "yes"}', 400, "on is true or false"),
    ("fault", b"[]", 400, "a JSON object expected"),
    ("fault", b"nonsense", 400, "Expecting value"),
    ("fault", b"\xff", 400, "decode"),
    ("stage", b'{"service": "ion-api", "percent": 20}', 409, "percent is one of 5, 10, 25, 50, 100"),
    ("stage", b'{"service": "ion-api", "percent": "10"}', 400, "percent is a whole number"),
    ("stage", b'{"service": "ion-api", "percent": true}', 400, "percent is a whole number"),
    ("stage", b'{"percent": 10}', 400, "service is a text"),
    ("stage", b'{"service": "ion-chat", "percent": 10}', 409, "ion-chat has no split"),
    ("deploy", b'{"service": "nowhere"}', 409, "nowhere has no split"),
    ("trouble", b'{"trouble": "rain", "on": true}', 400, "trouble is one of google_slow"),
    ("trouble", b'{"trouble": "slack_failing", "on": true}', 409, "needs a Slack"),
    ("report", b'{"locale": "en"}', 409, "no Slack"),
    ("restore", b'{"service": "ion-chat-router"}', 400, "no conversations"),
]


@pytest.mark.parametrize(("act", "body", "status", "why"), REFUSED)
async def test_what_cannot_be_done_is_refused_and_says_why(
    panel: httpx.AsyncClient, act: str, body: bytes, status: int, why: str
) -> None:
    answer = await panel.post(f"/{act}", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == status
    assert answer.json()["ok"] is False
    assert why in answer.json()["error"]


async def test_another_sites_form_is_refused(panel: httpx.AsyncClient) -> None:
    answer = await panel.post("/normal", data={"service": API_SERVICE})

    assert answer.status_code == 415


async def test_a_switch_answers_with_what_the_panel_shows_then(panel: httpx.AsyncClient) -> None:
    answer = await panel.post("/fault", json={"service": CHAT_CANARY_SERVICE, "fault": "lost", "on": True})
    shown = (await panel.get("http://sandbox/sandbox/cloud")).json()

    said = answer.json()
    assert (answer.status_code, said.pop("ok")) == (200, True)
    assert said.keys() == shown.keys()
    assert said["services"][2]["faults"] == {fault: fault == "lost" for fault in Fault}


async def test_every_revision_says_what_it_is_since_when_and_by_whom(google: Google) -> None:
    stable, canary = shown(google, API_SERVICE)["revisions"]

    assert (stable["image"], canary["image"]) == ("ion-api:41", "ion-api:42")
    assert (stable["deployed_by"], canary["deployed_by"]) == (DEPLOYER, "gitco@ion.example")
    assert stable["deployed_at"] < canary["deployed_at"]
    assert {len(values) for values in canary["strip"].values()} == {60}
    assert set(canary["strip"]) <= set(canary)


async def test_old_revisions_that_serve_nobody_are_left_out(google: Google) -> None:
    newest = [await google.cloud.deploy_canary(API_SERVICE) for _ in range(3)]
    await google.settled(API_SERVICE)

    assert [one["name"] for one in shown(google, API_SERVICE)["revisions"]] == [API_STABLE, *newest[-2:]]


# Troubles ------------------------------------------------------------------------------------------


def with_etag(service: run_v2.Service) -> run_v2.Service:
    """Return the change to all for stable, made from this reading."""
    return run_v2.Service(name=service.name, traffic=[line(API_STABLE, 100)], etag=service.etag)


@pytest.mark.parametrize(
    ("trouble", "refusal"),
    [
        (Trouble.GOOGLE_UNAVAILABLE, exceptions.ServiceUnavailable),
        (Trouble.GOOGLE_FORBIDDEN, exceptions.PermissionDenied),
    ],
)
async def test_updates_are_refused_until_the_switch_is_off_again(
    google: Google, panel: httpx.AsyncClient, trouble: Trouble, refusal: type[Exception]
) -> None:
    await panel.post("/trouble", json={"trouble": trouble, "on": True})
    for _ in range(2):
        with pytest.raises(refusal):
            await google.route(API_SERVICE, line(API_STABLE, 100))
    await panel.post("/trouble", json={"trouble": trouble, "on": False})

    await google.route(API_SERVICE, line(API_STABLE, 100))

    assert len(google.cloud.updates) == 1
    assert [call.outcome for call in google.cloud.calls][-1] == "OK"


async def test_the_permission_that_is_missing_is_not_among_those_held(google: Google) -> None:
    google.cloud.trouble(Trouble.GOOGLE_FORBIDDEN, on=True)

    held = await google.services.test_iam_permissions(
        request=iam_policy_pb2.TestIamPermissionsRequest(
            resource=path(API_SERVICE), permissions=["run.services.get", "run.services.update"]
        ),
        timeout=PATIENCE_SECONDS,
    )

    assert list(held.permissions) == ["run.services.get"]


async def test_slow_calls_are_slow_and_quick_again(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubles, "SLOW_SECONDS", 60.0)
    google.cloud.trouble(Trouble.GOOGLE_SLOW, on=True)
    with pytest.raises(exceptions.DeadlineExceeded):
        await google.services.get_service(name=path(API_SERVICE), retry=None, timeout=0.1)
    with pytest.raises(exceptions.DeadlineExceeded):
        await google.metrics.get_metric_descriptor(name="x", retry=None, timeout=0.1)

    google.cloud.trouble(Trouble.GOOGLE_SLOW, on=False)

    assert (await google.read(API_SERVICE)).name == path(API_SERVICE)


async def test_the_bot_still_reads_while_google_is_slow(
    google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, one_call, whole = troubles.SLOW_SECONDS, cloud_run.READ_SECONDS, cloud_run.LOOK_SECONDS
    # A busy machine may take longer than the deadlines leave: they are compared, not tried.
    monkeypatch.setattr(troubles, "SLOW_SECONDS", 0.1)
    monkeypatch.setattr(cloud_run, "READ_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(cloud_run, "LOOK_SECONDS", PATIENCE_SECONDS)
    bot = CloudRun(f"http://{google.cloud.grpc_address}", PROJECT)
    google.cloud.trouble(Trouble.GOOGLE_SLOW, on=True)

    try:
        state = await bot.look(API)
    finally:
        google.cloud.trouble(Trouble.GOOGLE_SLOW, on=False)
        await bot.close()

    assert state.switch.name == API_SERVICE
    assert slow + 0.5 <= one_call
    assert len(google.cloud.calls) * slow < whole - 0.5


async def test_a_strict_etag_refuses_a_change_from_an_older_reading(google: Google) -> None:
    old = await google.read(API_SERVICE)
    google.cloud.trouble(Trouble.STRICT_ETAG, on=True)
    await google.cloud.move(API_SERVICE, 25)

    with pytest.raises(exceptions.Aborted):
        await google.update(with_etag(old), "traffic")
    google.cloud.trouble(Trouble.STRICT_ETAG, on=False)

    await google.update(with_etag(old), "traffic")


def test_late_metrics_are_as_late_as_googles_may_be(google: Google) -> None:
    usual = google.cloud.behaviour.visible_after_seconds

    google.cloud.trouble(Trouble.LATE_METRICS, on=True)
    late = google.cloud.behaviour.visible_after_seconds
    google.cloud.trouble(Trouble.LATE_METRICS, on=False)

    assert late == 240
    assert google.cloud.behaviour.visible_after_seconds == usual


async def test_a_broken_stable_is_broken_where_it_was_when_switched_on(google: Google) -> None:
    google.cloud.trouble(Trouble.BROKEN_STABLE, on=True)
    ill = {(c.service, c.revision) for c in google.cloud._world.containers() if Fault.ERRORS in c.faults}
    await google.cloud.deploy_canary(API_SERVICE)

    google.cloud.trouble(Trouble.BROKEN_STABLE, on=False)

    assert ill == {(API_SERVICE, API_STABLE), (CHAT_SERVICE, "ion-chat-00017-pol")}
    assert not any(container.faults for container in google.cloud._world.containers())


async def test_another_pipeline_deploys_once_while_the_bots_change_settles(google: Google) -> None:
    google.cloud.trouble(Trouble.COMPETING, on=True)
    await google.cloud.move(API_SERVICE, 25)
    await google.settled(API_SERVICE)
    still = google.cloud.snapshot()["troubles"]["competing"]

    await google.route(API_SERVICE, line(API_STABLE, 100))
    await eventually(lambda: shown(google, API_SERVICE)["changed_by"] == OTHER_PIPELINE)
    service = await google.settled(API_SERVICE)

    newcomer = service.latest_ready_revision.rpartition("/")[2]
    assert still is True
    assert shares(google) == {API_STABLE: 80, newcomer: 20}
    assert google.cloud.snapshot()["troubles"]["competing"] is False


async def test_behind_the_router_the_other_pipeline_puts_the_old_share_back(google: Google) -> None:
    google.cloud.trouble(Trouble.COMPETING, on=True)
    router = await google.read(CHAT_ROUTER)
    router.template.containers[0].env[0].value = "0"
    router.template.revision = ""

    await google.update(router, "template.containers", "template.revision")
    await eventually(lambda: shown(google, CHAT_ROUTER)["changed_by"] == OTHER_PIPELINE)

    assert variable(await google.settled(CHAT_ROUTER)) == "10"


async def test_slacks_troubles_are_there_with_a_slack_and_one_at_a_time(
    google: Google, panel: httpx.AsyncClient
) -> None:
    without = google.cloud.snapshot()["troubles"]
    google.cloud.chat = chat = FakeChat()
    for trouble in (Trouble.SLACK_LIMITED, Trouble.SLACK_SILENT):
        await panel.post("/trouble", json={"trouble": trouble, "on": True})

    on = {name for name, is_on in google.cloud.snapshot()["troubles"].items() if is_on}
    suffered = chat.suffers
    await panel.post("/trouble", json={"trouble": Trouble.SLACK_SILENT, "on": False})

    assert not any(name.startswith("slack") for name in without)
    assert (on, suffered) == ({"slack_silent"}, Trouble.SLACK_SILENT)
    assert chat.suffers is None


async def test_a_user_reports_in_the_language_of_whoever_pressed(
    google: Google, panel: httpx.AsyncClient
) -> None:
    google.cloud.chat = chat = FakeChat()

    answer = await panel.post("/report", json={"locale": "ko-KR"})

    assert answer.json()["can_report"] is True
    assert chat.reports == ["ko-KR"]


@pytest.mark.parametrize("back", ["normal", "reset"])
async def test_everything_goes_back_to_normal(google: Google, panel: httpx.AsyncClient, back: str) -> None:
    google.cloud.chat = chat = FakeChat()
    usual = google.cloud.behaviour.granted_permissions
    for trouble in Trouble:
        google.cloud.trouble(trouble, on=True)
    for fault in Fault:
        google.cloud.set_fault(API_SERVICE, fault, on=True)
    google.cloud._world.conversations(API_SERVICE).write("anna")
    google.cloud._world.conversations(API_SERVICE).lose("anna")
    lost = shown(google, API_SERVICE)["lost_conversations"]

    if back == "normal":
        await panel.post("/normal", json={})
    else:
        google.cloud.reset()

    assert lost == 1
    assert not any(google.cloud.snapshot()["troubles"].values())
    assert not any(container.faults for container in google.cloud._world.containers())
    assert shown(google, API_SERVICE)["lost_conversations"] == 0
    assert chat.suffers is None
    assert google.cloud.behaviour.granted_permissions == usual
    await google.route(API_SERVICE, line(API_STABLE, 100))
