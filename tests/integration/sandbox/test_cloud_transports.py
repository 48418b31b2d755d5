"""One table of calls, asked by Google's own clients over every transport: the same answers and errors."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import httpx
import pytest
from google.cloud import monitoring_v3, run_v2
from google.cloud.run_v2.services.revisions.transports.rest_base import _BaseRevisionsRestTransport
from google.cloud.run_v2.services.services.transports.rest_base import _BaseServicesRestTransport
from google.protobuf.field_mask_pb2 import FieldMask

from bot.sandbox.cloud import Behaviour, SandboxCloud
from bot.sandbox.cloud.behaviour import ALL_PERMISSIONS
from bot.sandbox.cloud.http_rules import RULES
from bot.sandbox.names import API_CANARY, API_SERVICE, API_STABLE, PROJECT
from tests.integration.sandbox.google_clients import line, path
from tests.integration.sandbox.google_transports import Answer, Transports, transports

OVER = ("grpc", "grpc_asyncio", "rest")
NAME = path(API_SERVICE)
LOCATION = NAME.partition("/services/")[0]
Aligner = monitoring_v3.Aggregation.Aligner
Reducer = monitoring_v3.Aggregation.Reducer


@dataclass(frozen=True, kw_only=True)
class World:
    """A cloud that nothing happens in, and every client on it."""

    cloud: SandboxCloud
    clients: Transports


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    cloud = SandboxCloud(
        requests_per_second=20,
        behaviour=Behaviour(
            settle_seconds=0.02, start_seconds=0.02, visible_after_seconds=0, log_lag_seconds=0
        ),
    )
    await cloud.start()
    async with transports(cloud) as clients:
        yield World(cloud=cloud, clients=clients)
    await cloud.stop()


def still(cloud: SandboxCloud) -> None:
    """Go back to the start, with nobody asking anything."""
    cloud.reset()
    for service in cloud.uris:
        cloud.load(service, 0)


def an_update(*lines: run_v2.TrafficTarget, mask: str = "traffic", etag: str = "", **more: Any) -> Any:
    service = run_v2.Service(name=NAME, traffic=lines, etag=etag)
    return run_v2.UpdateServiceRequest(service=service, update_mask=FieldMask(paths=[mask]), **more)


def series(**changes: Any) -> Callable[[], dict[str, Any]]:
    """Return what makes a request, when it is time, for minutes that are over: nothing can come after."""
    return lambda: _series(**changes)


def _series(**changes: Any) -> dict[str, Any]:
    end = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)
    metric = changes.pop("metric", "run.googleapis.com/request_count")
    aggregation = {
        "alignment_period": timedelta(seconds=changes.pop("period_seconds", 60)),
        "per_series_aligner": changes.pop("aligner", Aligner.ALIGN_DELTA),
        "cross_series_reducer": changes.pop("reducer", Reducer.REDUCE_SUM),
        "group_by_fields": ["resource.labels.revision_name", "resource.labels.service_name"],
    }
    return {
        "name": f"projects/{PROJECT}",
        "filter": f'resource.type="cloud_run_revision" AND metric.type="{metric}"',
        "interval": {"start_time": end - timedelta(minutes=5), "end_time": end},
        "aggregation": aggregation,
    } | changes


def lines_of(text: str, **changes: Any) -> dict[str, Any]:
    since = "2026-01-01T00:00:00Z"
    return {
        "resource_names": [f"projects/{PROJECT}"],
        "filter": f'{text} AND timestamp>="{since}"',
        "order_by": "timestamp desc",
        "page_size": 2,
    } | changes


@dataclass(frozen=True, kw_only=True)
class Call:
    """One line of the table: what is asked, of which cloud, and the start of Google's words if it says no.

    `request` may be a function that returns it.
    """

    client: str
    method: str
    request: Any
    switches: dict[str, Any] = field(default_factory=dict)
    failing: grpc.StatusCode | None = None
    error: tuple[int, str] | None = None
    reason: str = ""


def run(method: str, request: Any, **more: Any) -> Call:
    return Call(client="services", method=method, request=request, **more)


CALLS = {
    "read a service": run("get_service", {"name": NAME}),
    "a service that is not there": run(
        "get_service", {"name": path("nowhere")}, error=(404, "Resource 'now")
    ),
    "another project": run(
        "get_service",
        {"name": NAME.replace(PROJECT, "other")},
        error=(403, "Permission 'run.services.get' denied"),
        reason="IAM_PERMISSION_DENIED",
    ),
    "list services in pages": run("list_services", {"parent": LOCATION, "page_size": 3}),
    "list revisions": Call(client="revisions", method="list_revisions", request={"parent": NAME}),
    "read a revision": Call(
        client="revisions", method="get_revision", request={"name": f"{NAME}/revisions/{API_CANARY}"}
    ),
    "roll back": run("update_service", an_update(line(API_STABLE, 100), line(API_CANARY, 0, "canary"))),
    "a dry run": run("update_service", an_update(line(API_STABLE, 100), validate_only=True)),
    "shares that do not add up": run(
        "update_service",
        an_update(line(API_STABLE, 90)),
        error=(400, "spec.traffic: Traffic targets sum to 90"),
    ),
    "a revision by its full path": run(
        "update_service",
        an_update(line(f"{NAME}/revisions/{API_STABLE}", 100)),
        error=(400, "spec.traffic: Expected a revision prefixed with 'ion-api-'"),
    ),
    "a revision that is not there": run(
        "update_service",
        an_update(line("ion-api-00001-old", 100)),
        error=(500, "Revision 'ion-api-00001-old' does not exist or is deleted"),
    ),
    "nothing means the latest": run("update_service", an_update()),
    "an unknown mask": run("update_service", an_update(mask="trafic"), error=(400, "")),
    "a stale etag, ignored": run("update_service", an_update(line(API_STABLE, 100), etag='"stale"')),
    "a stale etag, enforced": run(
        "update_service",
        an_update(line(API_STABLE, 100), etag='"stale"'),
        switches={"enforce_etag": True},
        error=(409, "Conflict for resource 'ion-api': version '\"stale\"' was specified but current"),
    ),
    "operations that may not be read": run(
        "update_service",
        an_update(line(API_STABLE, 100)),
        switches={"settle_seconds": 0.5, "refused_permissions": frozenset({"run.operations.get"})},
        error=(403, "Permission 'run.operations.get' denied"),
        reason="IAM_PERMISSION_DENIED",
    ),
    "an account that it may not act as": run(
        "update_service",
        an_update(line(API_STABLE, 100)),
        switches={"refused_permissions": frozenset({"iam.serviceaccounts.actAs"})},
        error=(403, "Permission 'iam.serviceaccounts.actAs' denied on service account 'runtime@"),
        reason="IAM_PERMISSION_DENIED",
    ),
    "what it may do": run(
        "test_iam_permissions",
        {"resource": NAME, "permissions": ["run.services.get", "run.services.delete"]},
    ),
    "what it may do to nothing": run(
        "test_iam_permissions", {"resource": path("nowhere"), "permissions": ["run.services.get"]}
    ),
    "may it do everything": run(
        "test_iam_permissions",
        {"resource": NAME, "permissions": ["run.*"]},
        error=(400, "permissions: Permissions with wildcards"),
    ),
    "delete without the permission": run(
        "delete_service", {"name": NAME}, error=(403, "Permission"), reason="IAM_PERMISSION_DENIED"
    ),
    "delete": run(
        "delete_service",
        {"name": NAME},
        switches={"granted_permissions": ALL_PERMISSIONS | {"run.services.delete"}},
    ),
    "delete what has changed": run(
        "delete_service",
        {"name": NAME, "etag": '"stale"'},
        switches={
            "granted_permissions": ALL_PERMISSIONS | {"run.services.delete"},
            "enforce_etag": True,
        },
        error=(409, "Conflict for resource"),
    ),
    "Google is away": run(
        "get_service", {"name": NAME}, failing=grpc.StatusCode.UNAVAILABLE, error=(503, "UNAVAILABLE")
    ),
    "log entries": Call(client="logging", method="list_log_entries", request=lines_of("severity>=ERROR")),
    "changes": Call(client="logging", method="list_log_entries", request=lines_of("logName:activity")),
    "an empty first page": Call(
        client="logging",
        method="list_log_entries",
        request=lines_of("severity>=ERROR"),
        switches={"empty_log_page": True},
    ),
    "a large page": Call(
        client="logging",
        method="list_log_entries",
        request=lines_of("severity>=ERROR", page_size=1001),
        error=(400, "page_size: Must be between 0 and 1000, not 1001."),
    ),
    "a bad filter": Call(
        client="logging",
        method="list_log_entries",
        request=lines_of("severity=LOUD"),
        error=(400, "Unparseable filter"),
    ),
    "a log that may not be read": Call(
        client="logging",
        method="list_log_entries",
        request=lines_of("severity>=ERROR"),
        switches={"refused_permissions": frozenset({"logging.logEntries.list"})},
        error=(403, "Permission 'logging.logEntries.list' denied"),
        reason="IAM_PERMISSION_DENIED",
    ),
    "counts": Call(client="metrics", method="list_time_series", request=series()),
    "counts in pages": Call(client="metrics", method="list_time_series", request=series(page_size=7)),
    "a percentile": Call(
        client="metrics",
        method="list_time_series",
        request=series(metric="run.googleapis.com/request_latencies", reducer=Reducer.REDUCE_PERCENTILE_95),
    ),
    "a distribution": Call(
        client="metrics",
        method="list_time_series",
        request=series(metric="run.googleapis.com/container/memory/utilizations"),
    ),
    "less than a minute": Call(
        client="metrics",
        method="list_time_series",
        request=series(period_seconds=59),
        error=(400, "Field aggregation.alignmentPeriod"),
    ),
    "the mean of a distribution": Call(
        client="metrics",
        method="list_time_series",
        request=series(metric="run.googleapis.com/request_latencies", aligner=Aligner.ALIGN_MEAN),
        error=(400, "Field aggregation.perSeriesAligner"),
    ),
    "metrics that may not be read": Call(
        client="metrics",
        method="list_time_series",
        request=series(),
        switches={"refused_permissions": frozenset({"monitoring.timeSeries.list"})},
        error=(403, "Permission 'monitoring.timeSeries.list' denied"),
        reason="IAM_PERMISSION_DENIED",
    ),
    "a descriptor": Call(
        client="metrics",
        method="get_metric_descriptor",
        request={"name": f"projects/{PROJECT}/metricDescriptors/run.googleapis.com/request_count"},
    ),
}


async def asked(world: World, call: Call, request: Any, *, over: str) -> Answer:
    """Return what the client of that transport gets; what it changes is undone where it can matter."""
    cloud = world.cloud
    for name, value in call.switches.items():
        setattr(cloud.behaviour, name, value)
    if call.failing is not None:
        cloud.fail("GetService", call.failing)
    answer = await world.clients.ask(call.client, call.method, request, over=over)
    if call.method in ("update_service", "delete_service"):
        still(cloud)
    return answer


@pytest.mark.parametrize("name", CALLS)
async def test_every_transport_gives_the_same_answer(world: World, name: str) -> None:
    call = CALLS[name]
    still(world.cloud)
    for message in ("one", "two", "three"):
        world.cloud.write_line(API_SERVICE, message)
    if name == "changes":
        await world.cloud.deploy(API_SERVICE, percent=0)

    request = call.request() if callable(call.request) else call.request

    answers = {over: await asked(world, call, request, over=over) for over in OVER}

    assert answers["grpc_asyncio"] == answers["grpc"]
    assert answers["rest"] == answers["grpc"]
    error = answers["grpc"].error
    assert (error and error[0]) == (call.error and call.error[0])
    if error and call.error:
        assert error[1].startswith(call.error[1])
        assert error[2] == call.reason
    elif name != "what it may do to nothing":
        assert answers["grpc"].messages[0]


async def test_more_than_the_quota_is_exhausted_however_it_is_asked(world: World) -> None:
    still(world.cloud)
    world.cloud.behaviour.run_reads_per_minute = 3
    reading = CALLS["read a service"]

    first = [await asked(world, reading, reading.request, over=over) for over in OVER]
    more = [await asked(world, reading, reading.request, over=over) for over in OVER]

    assert [answer.error for answer in first] == [None] * 3
    assert {answer.error for answer in more} == {more[0].error}
    assert more[0].error is not None
    assert more[0].error[0] == 429
    assert "run.googleapis.com/read_regional" in more[0].error[1]
    assert more[0].error[2] == "RATE_LIMIT_EXCEEDED"


async def test_a_call_over_http_passes_the_same_gate(world: World) -> None:
    still(world.cloud)
    world.cloud.slow("GetService", 0.05)

    reading = CALLS["read a service"]
    await asked(world, reading, reading.request, over="rest")

    assert [(call.method, call.outcome) for call in world.cloud.calls] == [("GetService", "OK")]
    assert world.cloud.calls[0].request.name == NAME


HTTP_REFUSALS: dict[str, tuple[str, str, Any, int, str]] = {
    "no such path": ("GET", "/v2/nothing", None, 404, "NOT_FOUND"),
    "no such method": ("POST", f"/v2/{NAME}:explode", {}, 404, "NOT_FOUND"),
    "no such parameter": ("GET", f"/v2/{NAME}?colour=red", None, 400, "INVALID_ARGUMENT"),
    "no such field": ("PATCH", f"/v2/{NAME}?updateMask=traffic", {"trafic": []}, 400, "INVALID_ARGUMENT"),
    "a list": ("PATCH", f"/v2/{NAME}?updateMask=traffic", [], 400, "INVALID_ARGUMENT"),
    "a whole and its part": (
        "GET",
        f"/v3/projects/{PROJECT}/timeSeries?interval=now&interval.endTime=now",
        None,
        400,
        "INVALID_ARGUMENT",
    ),
    "no time": (
        "GET",
        f"/v3/projects/{PROJECT}/timeSeries?interval.endTime=now",
        None,
        400,
        "INVALID_ARGUMENT",
    ),
    "a tail": ("POST", "/v2/entries:tail", {}, 404, "NOT_FOUND"),
}


@pytest.mark.parametrize("case", HTTP_REFUSALS)
async def test_http_that_google_refuses_is_refused_in_its_shape(world: World, case: str) -> None:
    verb, url, body, status, code = HTTP_REFUSALS[case]

    async with httpx.AsyncClient(base_url=world.cloud.rest_address, trust_env=False) as http:
        answer = await http.request(verb, url, json=body)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (status, status, code)
    assert error["message"]


async def test_enums_are_words_unless_numbers_are_asked_for(world: World) -> None:
    still(world.cloud)

    async with httpx.AsyncClient(base_url=world.cloud.rest_address, trust_env=False) as http:
        words = (await http.get(f"/v2/{NAME}")).json()
        numbers = (await http.get(f"/v2/{NAME}", params={"$alt": "json;enum-encoding=int"})).json()

    assert words["traffic"][0]["type"] == "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
    assert numbers["traffic"][0]["type"] == 2
    assert words["generation"] == "3"  # a 64-bit number is text in Google's JSON


async def test_paths_are_those_of_googles_own_client() -> None:
    mine = {(rule.verb.lower(), rule.path, rule.body) for rule in RULES if "locations" in rule.path}

    googles = {
        (rule["method"], rule["uri"], rule.get("body", ""))
        for transport in (_BaseServicesRestTransport, _BaseRevisionsRestTransport)
        for part in vars(transport).values()
        if hasattr(part, "_get_http_options")
        for rule in part._get_http_options()
    }

    assert mine <= googles
