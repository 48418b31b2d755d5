"""Limits as domain values, and the writes of a change as requests, with messages built by hand."""

from typing import Any

import pytest
from google.cloud import run_v2
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.cloud_run_messages import service_state, set_resources, split_traffic
from bot.domain.change import SetResources, SplitTraffic
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.resources import Resources
from tests.values import NOON

NAME = "projects/ion-project/locations/us-central1/services/ion-api"
API = ServiceName("ion-api")
STABLE, CANARY = RevisionName("ion-api-00041-kim"), RevisionName("ion-api-00042-lee")
PINNED = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


def a_template(**limits: str) -> run_v2.RevisionTemplate:
    """Return a template with a sidecar before the container that takes the requests."""
    sidecar = run_v2.Container(name="sidecar", image="sidecar:1", resources={"limits": {"memory": "128Mi"}})
    app = run_v2.Container(
        name="app",
        image="ion-api:42",
        ports=[run_v2.ContainerPort(container_port=8080)],
        env=[run_v2.EnvVar(name="A", value="1")],
        resources={"limits": limits, "startup_cpu_boost": True},
    )
    return run_v2.RevisionTemplate(
        revision=CANARY,
        service_account="bot@example.com",
        containers=[sidecar, app],
        scaling={"min_instance_count": 1, "max_instance_count": 5},
    )


def a_service(template: run_v2.RevisionTemplate | None = None) -> run_v2.Service:
    return run_v2.Service(name=NAME, etag='"abc"', template=template or a_template(memory="512Mi", cpu="1"))


def resources_of(**limits: str) -> Resources:
    return service_state(a_service(a_template(**limits)), read_at=NOON).resources


@pytest.mark.parametrize(
    ("written", "mib"),
    [
        ("512Mi", 512), ("1Gi", 1024), ("1.5Gi", 1536), ("1G", 953), ("500M", 476), ("134217728", 128),
        ("524288Ki", 512), ("lots", None), ("5Zi", None),
    ],
)  # fmt: skip
def test_memory_is_read_in_mib(written: str, mib: int | None) -> None:
    assert resources_of(memory=written, cpu="1").memory_mib == mib


@pytest.mark.parametrize(
    ("written", "milli"),
    [("1", 1000), ("1000m", 1000), ("0.5", 500), ("80m", 80), ("8", 8000), ("two", None)],
)
def test_cpu_is_read_in_thousandths(written: str, milli: int | None) -> None:
    assert resources_of(memory="512Mi", cpu=written).cpu_milli == milli


def test_what_is_not_set_is_cloud_runs_default() -> None:
    bare = run_v2.RevisionTemplate(containers=[run_v2.Container(image="x")])

    state = service_state(a_service(bare), read_at=NOON)

    assert state.resources == Resources(memory_mib=512, cpu_milli=1000, min_instances=0, max_instances=100)
    assert state.images == ("x",)


def test_the_limits_are_those_of_the_container_that_takes_the_requests() -> None:
    state = service_state(a_service(), read_at=NOON)

    assert state.resources == Resources(memory_mib=512, cpu_milli=1000, min_instances=1, max_instances=5)
    assert state.images == ("sidecar:1", "ion-api:42")


def test_new_limits_leave_everything_else_as_it_is_and_clear_the_revisions_name() -> None:
    service = a_service()
    before = run_v2.Service(service)
    wanted = Resources(memory_mib=1024, cpu_milli=2000)

    request = set_resources(SetResources(service=API, resources=wanted), service)

    expected = a_template(memory="1Gi", cpu="2")
    assert list(request.update_mask.paths) == ["template.containers", "template.revision"]
    assert request.service.template.containers == expected.containers
    assert request.service.template.revision == ""
    assert (request.service.name, request.service.etag) == (NAME, '"abc"')
    assert service == before


def test_instances_go_along_only_where_they_are_said_and_the_other_end_stays() -> None:
    request = set_resources(SetResources(service=API, resources=Resources(max_instances=20)), a_service())

    scaling = request.service.template.scaling
    assert list(request.update_mask.paths) == ["template.revision", "template.scaling"]
    assert (scaling.min_instance_count, scaling.max_instance_count) == (1, 20)


def test_limits_are_not_set_on_a_service_that_was_read_without_containers() -> None:
    write = SetResources(service=API, resources=Resources(memory_mib=1024))

    with pytest.raises(ValueError, match="without a container"):
        set_resources(write, run_v2.Service(name=NAME))


def test_a_split_names_every_revision_and_keeps_the_tags_at_nothing() -> None:
    write = SplitTraffic(
        service=API, shares=((STABLE, 95), (CANARY, 5)), tags=(("canary", CANARY), ("good", STABLE))
    )

    request = split_traffic(write, name=NAME, etag='"abc"')

    lines = [(line.revision, line.percent, line.tag) for line in request.service.traffic]
    assert lines == [(STABLE, 95, ""), (CANARY, 5, ""), (CANARY, 0, "canary"), (STABLE, 0, "good")]
    assert all(line.type_ == PINNED for line in request.service.traffic)
    assert list(request.update_mask.paths) == ["traffic"]
    assert "template" not in request.service


@pytest.mark.parametrize(
    "shares",
    [
        (),
        ((STABLE, 95),),
        ((STABLE, 95), (CANARY, 6)),
        ((STABLE, 95), ("", 5)),
        ((STABLE, 95), (f"{NAME}/revisions/{CANARY}", 5)),
    ],
)
def test_a_split_that_is_not_whole_or_not_by_bare_name_is_refused(shares: Any) -> None:
    with pytest.raises(ValueError, match="refused to send"):
        split_traffic(SplitTraffic(service=API, shares=shares, tags=()), name=NAME, etag="")


@given(st.lists(st.integers(-10, 110), max_size=4))
def test_no_split_leaves_here_that_does_not_add_to_a_hundred(parts: list[int]) -> None:
    shares = tuple((RevisionName(f"ion-api-{n}"), part) for n, part in enumerate(parts))
    write = SplitTraffic(service=API, shares=shares, tags=())
    if sum(parts) == 100:
        request = split_traffic(write, name=NAME, etag="")
        assert sum(line.percent for line in request.service.traffic) == 100
    else:
        with pytest.raises(ValueError, match="refused to send"):
            split_traffic(write, name=NAME, etag="")
