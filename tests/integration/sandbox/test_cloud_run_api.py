"""The sandbox's Cloud Run answers Google's own client as Cloud Run would, refusals included."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.longrunning import operations_pb2

from bot.sandbox.names import (
    API_CANARY,
    API_SERVICE,
    API_STABLE,
    CHAT_ROUTER,
    CHAT_VARIABLE,
    PROJECT,
)
from tests.integration.sandbox.google_clients import (
    TO_LATEST,
    Google,
    eventually,
    line,
    path,
    running_cloud,
)

State = run_v2.Condition.State


@pytest.fixture
async def google() -> AsyncIterator[Google]:
    async with running_cloud() as running:
        yield running


def shares(lines: Any) -> dict[str, int]:
    return {one.revision: one.percent for one in lines}


async def test_the_first_reading_shows_a_settled_split(google: Google) -> None:
    service = await google.read(API_SERVICE)

    assert shares(service.traffic) == shares(service.traffic_statuses) == {API_STABLE: 90, API_CANARY: 10}
    assert not service.reconciling
    assert service.observed_generation == service.generation
    assert service.latest_ready_revision == f"{path(API_SERVICE)}/revisions/{API_CANARY}"
    assert service.template.revision == API_CANARY
    assert service.uri == google.cloud.uris[API_SERVICE]
    tagged = service.traffic_statuses[1]
    assert tagged.tag == "canary"
    assert tagged.uri not in ("", service.uri)


async def test_an_update_is_accepted_at_once_and_observed_later(google: Google) -> None:
    google.cloud.behaviour.never_settle = True
    before = await google.read(API_SERVICE)

    operation = await google.route(API_SERVICE, line(API_STABLE, 100))
    meanwhile = await google.read(API_SERVICE)
    google.cloud.behaviour.never_settle = False
    after = await operation.result()

    assert shares(meanwhile.traffic) == {API_STABLE: 100}
    assert shares(meanwhile.traffic_statuses) == {API_STABLE: 90, API_CANARY: 10}
    assert meanwhile.reconciling
    assert meanwhile.observed_generation < meanwhile.generation == before.generation + 1
    assert meanwhile.terminal_condition.state == State.CONDITION_RECONCILING
    assert meanwhile.last_modifier == f"backout@{PROJECT}.iam.gserviceaccount.com"
    assert meanwhile.etag != before.etag
    assert shares(after.traffic_statuses) == {API_STABLE: 100}
    assert after.observed_generation == after.generation
    assert after.terminal_condition.state == State.CONDITION_SUCCEEDED


REFUSED = {
    "a full path": (
        [line(f"{path(API_SERVICE)}/revisions/{API_STABLE}", 100)],
        "revision prefixed with 'ion-api-'",
    ),
    "a revision of another service": ([line("ion-chat-00017-pol", 100)], "revision prefixed with 'ion-api-'"),
    "less than everything": ([line(API_STABLE, 90)], "sum to 90, want 100"),
    "more than everything": ([line(API_STABLE, 90), line(API_CANARY, 20)], "sum to 110, want 100"),
    "a negative share": ([line(API_STABLE, 110), line(API_CANARY, -10)], "<= 100"),
    "one tag twice": ([line(API_STABLE, 90, "a"), line(API_CANARY, 10, "a")], "only once"),
    "a bad tag": ([line(API_STABLE, 100, "Not A Tag")], "Invalid tag"),
    "no type": ([run_v2.TrafficTarget(revision=API_STABLE, percent=100)], "allocation type"),
    "latest by name": ([run_v2.TrafficTarget(type_=TO_LATEST, revision=API_STABLE, percent=100)], "LATEST"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_traffic_that_google_refuses_is_refused_and_changes_nothing(google: Google, case: str) -> None:
    lines, why = REFUSED[case]
    before = await google.read(API_SERVICE)

    with pytest.raises(exceptions.InvalidArgument, match=why):
        await google.route(API_SERVICE, *lines)

    assert await google.read(API_SERVICE) == before
    assert google.cloud.updates == []
    assert google.cloud.calls[1].outcome == "INVALID_ARGUMENT"


async def test_a_mask_that_names_no_field_is_refused(google: Google) -> None:
    service = run_v2.Service(name=path(API_SERVICE), traffic=[line(API_STABLE, 100)])

    with pytest.raises(exceptions.InvalidArgument, match="update_mask"):
        await google.update(service, "trafic")


async def test_only_what_the_mask_names_is_changed(google: Google) -> None:
    sent = run_v2.Service(name=path(API_SERVICE), traffic=[line(API_STABLE, 100)], labels={"a": "b"})

    await google.update(sent, "labels")

    service = await google.read(API_SERVICE)
    assert dict(service.labels) == {"a": "b"}
    assert shares(service.traffic) == {API_STABLE: 90, API_CANARY: 10}
    assert service.template.containers


async def test_an_empty_traffic_list_means_everything_to_the_latest_revision(google: Google) -> None:
    await google.route(API_SERVICE)

    service = await google.settled(API_SERVICE)

    assert [(one.type_, one.percent) for one in service.traffic] == [(TO_LATEST, 100)]
    assert service.traffic_statuses[0].percent == 100


async def test_a_tag_that_is_not_repeated_is_dropped(google: Google) -> None:
    await google.route(API_SERVICE, line(API_STABLE, 100))
    without = await google.settled(API_SERVICE)
    await google.route(API_SERVICE, line(API_STABLE, 100), line(API_CANARY, 0, "canary"))
    again = await google.settled(API_SERVICE)

    assert [one.tag for one in without.traffic_statuses] == [""]
    assert [(one.tag, bool(one.uri)) for one in again.traffic_statuses] == [("", False), ("canary", True)]


async def test_sending_the_whole_object_back_clashes_with_the_revision_it_names(google: Google) -> None:
    service = await google.read(API_SERVICE)
    service.template.containers[0].image = "ion-api:43"

    with pytest.raises(exceptions.AlreadyExists, match="with different configuration already exists"):
        await google.update(service)


async def test_sending_the_whole_object_back_with_only_the_traffic_changed_creates_no_revision(
    google: Google,
) -> None:
    service = await google.read(API_SERVICE)
    service.traffic = [line(API_STABLE, 100)]

    await google.update(service)

    after = await google.settled(API_SERVICE)
    assert shares(after.traffic_statuses) == {API_STABLE: 100}
    assert after.latest_created_revision == service.latest_created_revision


async def test_new_containers_under_the_old_revision_name_clash(google: Google) -> None:
    service = await google.read(CHAT_ROUTER)
    service.template.containers[0].env[0].value = "0"

    with pytest.raises(exceptions.AlreadyExists):
        await google.update(service, "template.containers")


async def test_new_containers_with_the_revision_name_cleared_become_a_revision_that_serves(
    google: Google,
) -> None:
    google.cloud.behaviour.never_settle = True
    service = await google.read(CHAT_ROUTER)
    service.template.containers[0].env[0].value = "0"
    service.template.revision = ""

    await google.update(service, "template.containers", "template.revision")
    starting = await google.read(CHAT_ROUTER)
    google.cloud.behaviour.never_settle = False
    after = await google.settled(CHAT_ROUTER)

    assert starting.latest_created_revision != starting.latest_ready_revision == service.latest_ready_revision
    assert after.latest_ready_revision == starting.latest_created_revision
    assert after.template.revision == after.latest_created_revision.rpartition("/")[2]
    assert {v.name: v.value for v in after.template.containers[0].env}[CHAT_VARIABLE] == "0"
    assert after.template.containers[0].image == "ion-chat-router:9"


async def test_a_container_without_an_image_is_refused(google: Google) -> None:
    template = run_v2.RevisionTemplate(containers=[run_v2.Container(env=[{"name": "A", "value": "b"}])])

    with pytest.raises(exceptions.InvalidArgument, match="image"):
        await google.update(
            run_v2.Service(name=path(CHAT_ROUTER), template=template),
            "template.containers",
            "template.revision",
        )


async def test_a_dry_run_answers_and_changes_nothing(google: Google) -> None:
    before = await google.read(API_SERVICE)
    wanted = run_v2.Service(name=path(API_SERVICE), traffic=[line(API_STABLE, 100)])

    operation = await google.update(wanted, "traffic", validate_only=True)

    assert shares((await operation.result()).traffic) == {API_STABLE: 100}
    assert await google.read(API_SERVICE) == before
    assert google.cloud.updates == []


async def test_a_revision_that_does_not_exist_fails_later_and_the_traffic_stays(google: Google) -> None:
    operation = await google.route(API_SERVICE, line("ion-api-00001-old", 100))

    with pytest.raises(exceptions.GoogleAPICallError, match="does not exist or is deleted"):
        await operation.result()

    service = await google.read(API_SERVICE)
    assert shares(service.traffic_statuses) == {API_STABLE: 90, API_CANARY: 10}
    assert service.terminal_condition.state == State.CONDITION_FAILED
    assert not service.reconciling
    await google.route(API_SERVICE, line(API_STABLE, 100))
    assert shares((await google.settled(API_SERVICE)).traffic_statuses) == {API_STABLE: 100}


async def test_a_stale_etag_is_ignored_by_default(google: Google) -> None:
    stale = run_v2.Service(name=path(API_SERVICE), etag='"stale"', traffic=[line(API_STABLE, 100)])

    await google.update(stale, "traffic")

    assert len(google.cloud.updates) == 1


async def test_a_stale_etag_is_aborted_when_etags_are_enforced(google: Google) -> None:
    google.cloud.behaviour.enforce_etag = True
    read = await google.read(API_SERVICE)
    await google.route(API_SERVICE, line(API_STABLE, 95), line(API_CANARY, 5))
    mine = run_v2.Service(name=read.name, etag=read.etag, traffic=[line(API_STABLE, 100)])

    with pytest.raises(exceptions.Aborted, match="Conflict for resource 'ion-api'"):
        await google.update(mine, "traffic")
    mine.etag = (await google.read(API_SERVICE)).etag
    await google.update(mine, "traffic")

    assert len(google.cloud.updates) == 2


async def test_operations_can_be_forbidden_while_the_write_lands(google: Google) -> None:
    google.cloud.behaviour.forbid_operations = True

    operation = await google.route(API_SERVICE, line(API_STABLE, 100))
    with pytest.raises(exceptions.PermissionDenied, match=r"run\.operations\.get"):
        await operation.result()

    assert shares((await google.settled(API_SERVICE)).traffic_statuses) == {API_STABLE: 100}


async def test_waiting_for_an_operation_answers_when_it_has_ended(google: Google) -> None:
    operation = await google.route(API_SERVICE, line(API_STABLE, 100))

    raw = await google.services.wait_operation({"name": operation.operation.name})

    ended = operations_pb2.Operation.FromString(raw)
    assert ended.done
    assert ended.response.Is(run_v2.Service.pb().DESCRIPTOR)
    assert operation.metadata.name == path(API_SERVICE)


async def test_a_service_can_stay_unsettled_for_as_long_as_wanted(google: Google) -> None:
    google.cloud.behaviour.never_settle = True
    await google.route(API_SERVICE, line(API_STABLE, 100))
    await asyncio.sleep(0.3)

    stuck = await google.read(API_SERVICE)
    google.cloud.behaviour.never_settle = False
    after = await google.settled(API_SERVICE)

    assert stuck.reconciling
    assert shares(stuck.traffic_statuses) == {API_STABLE: 90, API_CANARY: 10}
    assert shares(after.traffic_statuses) == {API_STABLE: 100}


async def test_the_last_of_two_writers_wins_and_both_operations_end(google: Google) -> None:
    first = await google.route(API_SERVICE, line(API_STABLE, 50), line(API_CANARY, 50))
    second = await google.route(API_SERVICE, line(API_STABLE, 100))

    await asyncio.gather(first.result(), second.result())

    assert shares((await google.read(API_SERVICE)).traffic_statuses) == {API_STABLE: 100}


async def test_another_pipeline_deploys_in_between(google: Google) -> None:
    before = await google.read(API_SERVICE)

    name = await google.cloud.deploy(API_SERVICE, percent=20)
    after = await google.settled(API_SERVICE)

    assert name.startswith("ion-api-00043-")
    assert shares(after.traffic_statuses) == {API_STABLE: 72, API_CANARY: 8, name: 20}
    assert after.generation == before.generation + 1
    assert after.last_modifier != before.last_modifier
    assert after.traffic_statuses[1].tag == "canary"
    assert google.cloud.updates == []


async def test_a_deployment_of_everything_follows_the_latest_revision(google: Google) -> None:
    name = await google.cloud.deploy(API_SERVICE, percent=100)

    after = await google.settled(API_SERVICE)

    assert [(one.type_, one.percent) for one in after.traffic_statuses] == [(TO_LATEST, 100)]
    assert after.latest_ready_revision.endswith(name)


async def test_a_new_revision_that_does_not_start_gets_no_traffic(google: Google) -> None:
    google.cloud.behaviour.new_revisions_fail = True

    name = await google.cloud.deploy(API_SERVICE, percent=50)
    after = await google.settled(API_SERVICE)

    assert shares(after.traffic_statuses) == {API_STABLE: 90, API_CANARY: 10}
    assert after.latest_ready_revision.endswith(API_CANARY)
    assert after.latest_created_revision.endswith(name)
    assert after.terminal_condition.state == State.CONDITION_FAILED
    assert name in after.terminal_condition.message


async def test_traffic_can_leave_a_service_whose_newest_revision_is_broken(google: Google) -> None:
    google.cloud.behaviour.new_revisions_fail = True
    await google.cloud.deploy(API_SERVICE, percent=50)
    await google.settled(API_SERVICE)

    await google.route(API_SERVICE, line(API_STABLE, 100))
    after = await google.settled(API_SERVICE)

    assert shares(after.traffic_statuses) == {API_STABLE: 100}


@pytest.mark.parametrize("after_effect", [False, True])
async def test_the_outcome_of_a_failed_write_is_unknown(google: Google, after_effect: bool) -> None:
    google.cloud.fail("UpdateService", grpc.StatusCode.UNAVAILABLE, after_effect=after_effect)

    with pytest.raises(exceptions.ServiceUnavailable):
        await google.route(API_SERVICE, line(API_STABLE, 100))

    service = await google.settled(API_SERVICE)
    assert (shares(service.traffic_statuses) == {API_STABLE: 100}) is after_effect
    assert len(google.cloud.updates) == int(after_effect)


async def test_a_failure_ends_after_the_times_it_was_asked_for(google: Google) -> None:
    google.cloud.fail("GetService", grpc.StatusCode.UNAVAILABLE, detail="try later", times=2)

    for _ in range(2):
        with pytest.raises(exceptions.ServiceUnavailable, match="try later"):
            await google.read(API_SERVICE)

    assert (await google.read(API_SERVICE)).name == path(API_SERVICE)
    assert [call.outcome for call in google.cloud.calls] == ["UNAVAILABLE", "UNAVAILABLE", "OK"]


async def test_a_method_can_be_slow(google: Google) -> None:
    google.cloud.slow("GetService", 0.2)

    began = time.monotonic()
    await google.read(API_SERVICE)

    assert time.monotonic() - began >= 0.2


async def test_a_caller_that_gives_up_is_recorded_as_such(google: Google) -> None:
    google.cloud.slow("GetService", 3600)

    reading = asyncio.create_task(google.read(API_SERVICE))
    await eventually(lambda: bool(google.cloud.calls))
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await eventually(lambda: google.cloud.calls[0].outcome != "")

    assert google.cloud.calls[0].outcome == "CANCELLED"


async def test_the_hook_runs_before_and_after_the_effect(google: Google) -> None:
    seen = []

    async def hook(method: str, when: str) -> None:
        seen.append((method, when, len(google.cloud.updates)))

    google.cloud.hook = hook
    await google.route(API_SERVICE, line(API_STABLE, 100))

    assert seen == [("UpdateService", "before", 0), ("UpdateService", "after", 1)]


async def test_a_hook_may_break_off_a_call_before_it_lands(google: Google) -> None:
    async def hook(method: str, when: str) -> None:
        raise RuntimeError(f"{when} {method}")

    google.cloud.hook = hook
    with pytest.raises(exceptions.Unknown, match="before UpdateService"):
        await google.route(API_SERVICE, line(API_STABLE, 100))

    assert google.cloud.updates == []
    assert google.cloud.calls[0].outcome == "UNKNOWN"


async def test_permissions_are_reported_and_enforced(google: Google) -> None:
    google.cloud.behaviour.granted_permissions = frozenset({"run.services.get"})
    asked = {"resource": path(API_SERVICE), "permissions": ["run.services.get", "run.services.update"]}

    held = await google.services.test_iam_permissions(request=asked)

    assert list(held.permissions) == ["run.services.get"]
    with pytest.raises(exceptions.PermissionDenied, match=r"run\.services\.update"):
        await google.route(API_SERVICE, line(API_STABLE, 100))


@pytest.mark.parametrize(
    "name",
    [
        path("nowhere"),
        path(API_SERVICE).replace("us-", "eu-"),
        API_SERVICE,
    ],
)
async def test_a_service_that_is_not_there_is_not_found(google: Google, name: str) -> None:
    with pytest.raises(exceptions.NotFound):
        await google.services.get_service(name=name, retry=None)


async def test_in_another_project_nothing_is_said_of_what_is_there(google: Google) -> None:
    with pytest.raises(exceptions.PermissionDenied, match=r"run\.services\.get"):
        await google.services.get_service(name=path("nowhere").replace(PROJECT, "other"), retry=None)


async def test_revisions_are_listed_newest_first_and_retire_without_traffic(google: Google) -> None:
    await google.route(API_SERVICE, line(API_STABLE, 100))
    await google.settled(API_SERVICE)

    listed = [one async for one in await google.revisions.list_revisions(parent=path(API_SERVICE))]

    assert [one.name.rpartition("/")[2] for one in listed] == [API_CANARY, API_STABLE]
    states = [{c.type_: c.state for c in one.conditions} for one in listed]
    assert [s["Ready"] for s in states] == [State.CONDITION_SUCCEEDED] * 2
    assert [s["Active"] for s in states] == [State.CONDITION_FAILED, State.CONDITION_SUCCEEDED]
    age = listed[0].create_time - listed[1].create_time
    assert age.days == 29


async def test_lists_come_in_pages(google: Google) -> None:
    pager = await google.services.list_services(
        request={"parent": path("x").partition("/services/")[0], "page_size": 3}
    )

    sizes = [len(one.services) async for one in pager.pages]

    assert sizes == [3, 1]


async def test_one_revision_can_be_read(google: Google) -> None:
    name = f"{path(API_SERVICE)}/revisions/{API_STABLE}"

    assert (await google.revisions.get_revision(name=name)).name == name
    with pytest.raises(exceptions.NotFound):
        await google.revisions.get_revision(name=name + "x")


async def test_a_reset_goes_back_to_the_first_split(google: Google) -> None:
    uris = dict(google.cloud.uris)
    await google.cloud.deploy(API_SERVICE, percent=50)
    google.cloud.behaviour.enforce_etag = True
    google.cloud.fail("GetService", grpc.StatusCode.UNAVAILABLE)

    google.cloud.reset()

    service = await google.read(API_SERVICE)
    listed = [one async for one in await google.revisions.list_revisions(parent=path(API_SERVICE))]
    assert shares(service.traffic_statuses) == {API_STABLE: 90, API_CANARY: 10}
    assert not service.reconciling
    assert len(listed) == 2
    assert not google.cloud.behaviour.enforce_etag
    assert google.cloud.uris == uris
    await asyncio.sleep(0.3)
    assert await google.read(API_SERVICE) == service
