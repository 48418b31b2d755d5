"""Cloud Run's messages as domain values, and writes as requests, with messages built by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import run_v2
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.adapters.cloud_run_messages import (
    NEVER,
    pin_traffic,
    refuse_unless_pinned,
    revision_state,
    service_state,
    set_variable,
)
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.plan import make_plan, next_write
from bot.domain.playbook import Target
from bot.domain.rollback import PinTraffic, Plan, SetVariable
from bot.domain.traffic import ServiceState, TargetState, TrafficShare
from tests.unit.adapters.targets import revisions_target

NAME = "projects/ion-project/locations/us-central1/services/ion-api"
STABLE, CANARY = "ion-api-00041-kim", "ion-api-00042-lee"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TYPES = run_v2.TrafficTargetAllocationType
PINNED = TYPES.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
LATEST = TYPES.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST


def path(revision: str) -> str:
    return f"{NAME}/revisions/{revision}"


def line(revision: str = "", percent: int = 0, tag: str = "", *, type_: Any = PINNED) -> run_v2.TrafficTarget:
    return run_v2.TrafficTarget(type_=type_, revision=revision, percent=percent, tag=tag)


def status(revision: str, percent: int, **more: Any) -> run_v2.TrafficTargetStatus:
    return run_v2.TrafficTargetStatus(type_=PINNED, revision=revision, percent=percent, **more)


def a_service(**given: Any) -> run_v2.Service:
    fields: dict[str, Any] = {
        "name": NAME,
        "uri": "https://ion-api.example",
        "generation": 7,
        "observed_generation": 6,
        "reconciling": True,
        "etag": '"abc"',
        "last_modifier": "sena@example.com",
        "update_time": NOON,
        "latest_ready_revision": path(STABLE),
        "latest_created_revision": path(CANARY),
        "traffic": [line(STABLE, 90), line(CANARY, 10, "canary")],
        "traffic_statuses": [
            status(STABLE, 90),
            status(CANARY, 10, tag="canary", uri="https://canary---ion-api.example"),
        ],
    }
    return run_v2.Service(**{**fields, **given})


def state_of(service: run_v2.Service) -> ServiceState:
    return service_state(service, read_at=NOON)


def a_revision(state: str, *, reason: str = "REVISION_REASON_UNDEFINED") -> run_v2.Revision:
    return run_v2.Revision(
        name=path(STABLE),
        create_time=NOON,
        conditions=[
            run_v2.Condition(type_="Active", state="CONDITION_FAILED"),
            run_v2.Condition(type_="Ready", state=state, revision_reason=reason),
        ],
    )


def test_a_service_is_read_in_bare_names() -> None:
    state = state_of(a_service())

    assert (state.name, state.latest_ready, state.latest_created) == ("ion-api", STABLE, CANARY)
    assert (state.generation, state.observed_generation, state.reconciling) == (7, 6, True)
    assert (state.uri, state.etag, state.last_modifier) == (
        "https://ion-api.example",
        '"abc"',
        "sena@example.com",
    )


def test_times_are_plain_and_utc() -> None:
    state = state_of(a_service())

    assert type(state.updated_at) is datetime
    assert (state.updated_at, state.updated_at.tzinfo, state.read_at) == (NOON, UTC, NOON)


def test_wanted_and_observed_traffic_keep_tags_and_addresses() -> None:
    state = state_of(a_service())

    assert state.wanted == (
        TrafficShare(revision=RevisionName(STABLE), percent=90),
        TrafficShare(revision=RevisionName(CANARY), percent=10, tag="canary"),
    )
    assert state.observed[1].uri == "https://canary---ion-api.example"
    assert state.observed[0].uri is None


def test_a_latest_line_names_the_latest_ready_revision_not_the_latest_created() -> None:
    state = state_of(a_service(traffic=[line(percent=100, tag="live", type_=LATEST)]))

    assert state.wanted == (
        TrafficShare(revision=RevisionName(STABLE), percent=100, tag="live", latest=True),
    )


def test_a_latest_line_names_nothing_while_no_revision_is_ready() -> None:
    state = state_of(a_service(traffic=[line(percent=100, type_=LATEST)], latest_ready_revision=""))

    assert state.wanted == (TrafficShare(revision=None, percent=100, latest=True),)


def test_an_empty_traffic_list_is_everything_to_latest_as_cloud_run_understands_it() -> None:
    state = state_of(a_service(traffic=[], traffic_statuses=[]))

    assert state.wanted == (TrafficShare(revision=RevisionName(STABLE), percent=100, latest=True),)
    assert state.observed == ()


def test_the_environment_is_the_plain_variables_of_the_first_container() -> None:
    secret = run_v2.EnvVarSource(secret_key_ref=run_v2.SecretKeySelector(secret="token", version="1"))
    first = run_v2.Container(
        env=[
            run_v2.EnvVar(name="SHARE", value="10"),
            run_v2.EnvVar(name="EMPTY", value=""),
            run_v2.EnvVar(name="TOKEN", value_source=secret),
        ]
    )
    sidecar = run_v2.Container(env=[run_v2.EnvVar(name="SHARE", value="99")])

    state = state_of(a_service(template=run_v2.RevisionTemplate(containers=[first, sidecar])))

    assert state.environment == {"SHARE": "10", "EMPTY": ""}


def test_a_service_without_a_container_has_no_environment() -> None:
    assert state_of(a_service()).environment == {}


def test_a_failed_service_carries_cloud_runs_own_sentence() -> None:
    failed = run_v2.Condition(type_="Ready", state="CONDITION_FAILED", message="Revision 'x' is not ready.")

    assert state_of(a_service(terminal_condition=failed)).problem == "Revision 'x' is not ready."


@pytest.mark.parametrize("state", ["CONDITION_SUCCEEDED", "CONDITION_RECONCILING", "CONDITION_PENDING"])
def test_a_service_that_has_not_failed_has_no_problem(state: str) -> None:
    condition = run_v2.Condition(type_="Ready", state=state, message="Deploying.")

    assert state_of(a_service(terminal_condition=condition)).problem is None


def test_a_failed_service_without_a_sentence_names_its_reason() -> None:
    failed = run_v2.Condition(type_="Ready", state="CONDITION_FAILED", reason="REVISION_FAILED")

    assert state_of(a_service(terminal_condition=failed)).problem == "REVISION_FAILED"


def test_a_revision_is_ready_when_its_ready_condition_says_so() -> None:
    revision = revision_state(a_revision("CONDITION_SUCCEEDED"))

    assert (revision.name, revision.created_at, revision.ready) == (STABLE, NOON, True)


@pytest.mark.parametrize("reason", ["RESERVE", "RETIRED", "RETIRING"])
def test_a_revision_at_rest_is_ready_to_be_woken(reason: str) -> None:
    assert revision_state(a_revision("CONDITION_FAILED", reason=reason)).ready


@pytest.mark.parametrize("state", ["CONDITION_FAILED", "CONDITION_RECONCILING", "CONDITION_PENDING"])
def test_a_revision_is_not_ready_before_or_without_success(state: str) -> None:
    assert not revision_state(a_revision(state, reason="HEALTH_CHECK_CONTAINER_ERROR")).ready


def test_a_deleted_revision_is_not_ready() -> None:
    revision = a_revision("CONDITION_SUCCEEDED")
    revision.delete_time = NOON

    assert not revision_state(revision).ready


def test_a_revision_of_which_nothing_is_known_is_not_ready() -> None:
    revision = revision_state(run_v2.Revision(name=path(STABLE)))

    assert (revision.created_at, revision.ready) == (NEVER, False)


def test_a_pin_sends_name_etag_traffic_and_nothing_else() -> None:
    write = PinTraffic(service=ServiceName("ion-api"), revision=RevisionName(STABLE), tags=())

    request = pin_traffic(write, name=NAME, etag='"abc"')

    assert list(request.update_mask.paths) == ["traffic"]
    assert request.service == run_v2.Service(name=NAME, etag='"abc"', traffic=[line(STABLE, 100)])
    assert "template" not in request.service


def test_a_pin_repeats_every_tag_at_zero_on_stable_itself_too() -> None:
    write = PinTraffic(
        service=ServiceName("ion-api"),
        revision=RevisionName(STABLE),
        tags=(("stable", RevisionName(STABLE)), ("canary", RevisionName(CANARY))),
    )

    request = pin_traffic(write, name=NAME, etag="")

    assert list(request.service.traffic) == [
        line(STABLE, 100),
        line(STABLE, 0, "stable"),
        line(CANARY, 0, "canary"),
    ]


@pytest.mark.parametrize("revision", ["", "LATEST", path(STABLE), "ion-api-00041-kim ", "-"])
def test_a_pin_to_anything_but_a_bare_revision_name_is_refused(revision: str) -> None:
    write = PinTraffic(service=ServiceName("ion-api"), revision=RevisionName(revision), tags=())

    with pytest.raises(ValueError, match="not a bare revision name"):
        pin_traffic(write, name=NAME, etag="")


@pytest.mark.parametrize(
    ("traffic", "why"),
    [
        ([], "add to 0 %"),
        ([line(STABLE, 99)], "add to 99 %"),
        ([line(STABLE, 100), line(CANARY, 1)], "add to 101 %"),
        ([line(percent=100, type_=LATEST)], "LATEST"),
        ([line(STABLE, 100), line(tag="live", type_=LATEST)], "LATEST"),
    ],
)
def test_traffic_that_is_not_whole_and_pinned_is_refused(traffic: list[Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        refuse_unless_pinned(traffic)


#: Mostly what Cloud Run says, now and then what it never should.
NAMES = [f"ion-api-{number:05d}-abc" for number in range(4)]
revisions = st.sampled_from([*NAMES * 4, "", path(STABLE), "LATEST"])
tags = st.sampled_from(["", "stable", "canary", "blue"])
percents = st.sampled_from([0, 5, 10, 50, 90, 95, 100]) | st.integers(min_value=-1, max_value=101)
kinds = st.sampled_from([PINNED, PINNED, PINNED, *TYPES])
lines = st.builds(
    run_v2.TrafficTarget,
    type_=kinds,
    revision=revisions,
    percent=percents,
    tag=tags,
)
statuses = st.builds(
    run_v2.TrafficTargetStatus,
    type_=kinds,
    revision=revisions,
    percent=percents,
    tag=tags,
)
created = st.integers(0, 10_000).map(lambda minute: datetime.fromtimestamp(60 * minute, UTC))
listings = st.lists(created, min_size=len(NAMES), max_size=len(NAMES)).map(
    lambda times: [
        run_v2.Revision(
            name=path(name),
            create_time=at,
            conditions=[run_v2.Condition(type_="Ready", state="CONDITION_SUCCEEDED")],
        )
        for name, at in zip(NAMES, times, strict=True)
    ]
)
services = st.builds(
    a_service,
    traffic=st.lists(lines, max_size=5),
    traffic_statuses=st.lists(statuses, max_size=5),
    latest_ready_revision=revisions,
    latest_created_revision=revisions,
)
targets = st.sampled_from(
    [
        revisions_target(),
        Target(topology="revisions", region="us-central1", service="ion-api", stable_tag="stable"),
        Target(
            topology="revisions", region="us-central1", service="ion-api", stable_revision="ion-api-00001-abc"
        ),
    ]
)


def assert_whole_and_pinned(request: run_v2.UpdateServiceRequest) -> None:
    traffic = request.service.traffic
    assert sum(one.percent for one in traffic) == 100
    assert all(one.percent >= 0 for one in traffic)
    assert all(one.type_ == PINNED for one in traffic)
    assert all(one.revision and "/" not in one.revision and one.revision != "LATEST" for one in traffic)
    assert list(request.update_mask.paths) == ["traffic"]


@given(
    revision=revisions | st.text(max_size=10),
    repeated=st.lists(st.tuples(tags, revisions | st.text(max_size=10)), max_size=5),
)
def test_no_pin_can_be_sent_that_is_not_whole_and_pinned(
    revision: str, repeated: list[tuple[str, str]]
) -> None:
    write = PinTraffic(
        service=ServiceName("ion-api"),
        revision=RevisionName(revision),
        tags=tuple((tag, RevisionName(name)) for tag, name in repeated),
    )

    try:
        request = pin_traffic(write, name=NAME, etag="")
    except ValueError:
        return

    assert_whole_and_pinned(request)


@given(service=services, known=listings, target=targets)
def test_no_state_of_a_service_leads_to_a_pin_that_is_not_whole_and_pinned(
    service: run_v2.Service, known: list[run_v2.Revision], target: Target
) -> None:
    state = TargetState(switch=service_state(service, known, read_at=NOON))
    assume(any(share.revision and share.percent > 0 for share in state.switch.observed))
    plan = make_plan(target, state)
    write = next_write(plan, state) if isinstance(plan, Plan) else None
    if not isinstance(write, PinTraffic):
        return

    try:
        request = pin_traffic(write, name=NAME, etag=state.switch.etag)
    except ValueError:
        return

    assert_whole_and_pinned(request)
    assert request.service.traffic[0].revision == write.revision


def routers_template() -> run_v2.RevisionTemplate:
    secret = run_v2.EnvVarSource(secret_key_ref=run_v2.SecretKeySelector(secret="token", version="1"))
    router = run_v2.Container(
        name="router",
        image="router:9",
        ports=[run_v2.ContainerPort(container_port=8080)],
        env=[
            run_v2.EnvVar(name="PHASE4_ENABLED", value="true"),
            run_v2.EnvVar(name="SHARE", value="10"),
            run_v2.EnvVar(name="TOKEN", value_source=secret),
        ],
    )
    sidecar = run_v2.Container(name="sidecar", env=[run_v2.EnvVar(name="SHARE", value="99")])
    return run_v2.RevisionTemplate(
        revision="ion-api-00042-lee", service_account="bot@example.com", containers=[router, sidecar]
    )


def test_setting_a_variable_changes_that_one_and_clears_the_revisions_name() -> None:
    service = a_service(template=routers_template())
    before = run_v2.Service(service)

    request = set_variable(SetVariable(service=ServiceName("ion-api"), variable="SHARE", value="0"), service)

    wanted = routers_template().containers
    wanted[0].env[1] = run_v2.EnvVar(name="SHARE", value="0")
    assert list(request.update_mask.paths) == ["template.containers", "template.revision"]
    assert request.service == run_v2.Service(
        name=NAME, etag='"abc"', template=run_v2.RevisionTemplate(containers=wanted)
    )
    assert request.service.template.revision == ""
    assert service == before


def test_setting_a_variable_that_is_not_there_adds_it() -> None:
    request = set_variable(
        SetVariable(service=ServiceName("ion-api"), variable="NEW", value="0"),
        a_service(template=routers_template()),
    )

    assert request.service.template.containers[0].env[-1] == run_v2.EnvVar(name="NEW", value="0")


def test_a_variable_is_not_set_on_a_service_that_was_read_without_containers() -> None:
    with pytest.raises(ValueError, match="without a container"):
        set_variable(SetVariable(service=ServiceName("ion-api"), variable="SHARE", value="0"), a_service())
