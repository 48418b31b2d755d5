"""The sandbox's limits: accepted, refused, read back and felt as at Google."""

from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from bot.sandbox.cloud import Fault
from bot.sandbox.cloud.limits import Limits
from bot.sandbox.cloud.meter import measure
from bot.sandbox.cloud.samples import Sample
from bot.sandbox.names import API_CANARY, API_SERVICE, API_STABLE
from tests.integration.sandbox.google_clients import Google, path, running_cloud

MASK = ("template.containers", "template.scaling", "template.revision")


async def changed(google: Google, *, scaling: dict[str, int] | None = None, **limits: str) -> run_v2.Service:
    """Return the update of ion-api's template to `limits` and `scaling`."""
    service = await google.read(API_SERVICE)
    template = run_v2.RevisionTemplate(
        containers=service.template.containers, scaling=scaling or service.template.scaling
    )
    for name, amount in limits.items():
        template.containers[0].resources.limits[name] = amount
    return run_v2.Service(name=path(API_SERVICE), template=template)


async def test_new_limits_make_a_revision_that_takes_time_and_are_read_back() -> None:
    async with running_cloud(never_settle=True) as google:
        update = await changed(google, scaling={"max_instance_count": 9}, memory="1Gi", cpu="2")
        await google.update(update, *MASK)
        meanwhile = await google.read(API_SERVICE)
        google.cloud.behaviour.never_settle = False
        settled = await google.settled(API_SERVICE)

    assert meanwhile.latest_created_revision != meanwhile.latest_ready_revision
    assert settled.latest_created_revision == settled.latest_ready_revision
    assert dict(settled.template.containers[0].resources.limits) == {"memory": "1Gi", "cpu": "2"}
    assert settled.template.scaling.max_instance_count == 9
    shares = {one.revision: one.percent for one in settled.traffic_statuses}
    assert shares == {API_STABLE: 90, API_CANARY: 10}


@pytest.mark.parametrize(
    ("limits", "scaling", "said"),
    [
        ({"memory": "4097Mi"}, None, "For 1 CPU, memory must be between 128Mi and 4096Mi inclusive"),
        ({"memory": "64Mi"}, None, "memory must be between 128Mi"),
        ({"cpu": "4"}, None, "For 4 CPU, memory must be between 2048Mi and 16384Mi inclusive"),
        ({"cpu": "3"}, None, "Invalid value specified for cpu"),
        ({"cpu": "500m"}, None, "Must be 1 with less than 1 CPU"),
        ({"cpu": "one"}, None, "Invalid quantity 'one'"),
        ({"memory": "1Zi"}, None, "Invalid quantity '1Zi'"),
        ({"cpu": "8", "memory": "4Gi"}, {"max_instance_count": 251}, "maxScale may not exceed 250"),
        ({}, {"min_instance_count": 6, "max_instance_count": 5}, "less than or equal"),
    ],
)
async def test_limits_that_do_not_go_together_are_refused_and_nothing_changes(
    limits: dict[str, str], scaling: dict[str, int] | None, said: str
) -> None:
    async with running_cloud() as google:
        before = await google.read(API_SERVICE)
        update = await changed(google, scaling=scaling, **limits)
        with pytest.raises(exceptions.InvalidArgument, match=said):
            await google.update(update, *MASK)
        after = await google.read(API_SERVICE)

    assert after == before


@pytest.mark.parametrize(
    ("limits", "scaling"),
    [
        ({"memory": "4Gi"}, None),
        ({"cpu": "4", "memory": "2Gi"}, None),
        ({"cpu": "8", "memory": "32Gi"}, {"max_instance_count": 250}),
        ({}, {"min_instance_count": 5, "max_instance_count": 5}),
    ],
)
async def test_limits_on_the_line_are_accepted(
    limits: dict[str, str], scaling: dict[str, int] | None
) -> None:
    async with running_cloud() as google:
        await google.update(await changed(google, scaling=scaling, **limits), *MASK)

        assert len(google.cloud.updates) == 1


async def test_the_same_image_is_as_ill_in_its_new_revision_and_another_image_is_well() -> None:
    async with running_cloud() as google:
        google.cloud.set_fault(API_SERVICE, Fault.ERRORS, True)
        await google.update(await changed(google, memory="1Gi"), *MASK)
        grown = google.cloud._world.container(API_SERVICE, None)
        await google.settled(API_SERVICE)
        await google.cloud.deploy(API_SERVICE, percent=10)
        deployed = google.cloud._world.container(API_SERVICE, None)

    assert grown.limits.memory_mib == 1024
    assert grown.faults == {Fault.ERRORS}
    assert deployed.faults == set()


def measured(limits: Limits, *, requests_per_second: float = 30) -> Sample:
    """Return one measurement without chance in it."""

    class Fixed:
        def uniform(self, low: float, high: float) -> float:
            return 1.0

    sample = Sample(start=0, end=60)
    rng: Any = Fixed()
    measure(sample, requests_per_second, in_flight=3, limits=limits, rng=rng)
    return sample


SMALL = Limits(cpu=1, memory_mib=512, min_instances=0, max_instances=5)


def test_more_memory_and_cpu_lower_what_is_reported() -> None:
    big = Limits(cpu=2, memory_mib=1024, min_instances=0, max_instances=5)

    small_sample, big_sample = measured(SMALL), measured(big)

    memory = [one.memory.total / one.memory.count for one in (small_sample, big_sample)]
    cpu = [one.cpu.total / one.cpu.count for one in (small_sample, big_sample)]
    assert memory[1] == pytest.approx(memory[0] / 2, rel=0.05)
    assert cpu[1] < cpu[0]


@pytest.mark.parametrize(
    ("rate", "limits", "expected"),
    [
        (30, SMALL, {"active": 3, "idle": 0}),
        (300, SMALL, {"active": 5, "idle": 0}),
        (300, Limits(cpu=1, memory_mib=512, min_instances=0, max_instances=40), {"active": 30, "idle": 0}),
        (10, Limits(cpu=1, memory_mib=512, min_instances=4, max_instances=5), {"active": 1, "idle": 3}),
        (0, SMALL, {"active": 0, "idle": 1}),
    ],
)
def test_there_are_as_many_instances_as_the_limits_allow(
    rate: float, limits: Limits, expected: dict[str, int]
) -> None:
    assert measured(limits, requests_per_second=rate).instances == expected
