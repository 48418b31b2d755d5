"""The line that does it by hand: right, and safe to paste into a shell."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.by_hand import gcloud_line
from tests.values import STABLE, a_services_target, a_target


def test_a_split_service_goes_back_to_stable() -> None:
    line = gcloud_line(a_target(), project="ion", stable=STABLE)

    assert line == (
        "gcloud run services update-traffic ion-api --to-revisions=ion-api-00041-kim=100 "
        "--region=us-central1 --project=ion"
    )


def test_a_router_is_told_zero() -> None:
    line = gcloud_line(a_services_target(), project="", stable=None)

    assert line == (
        "gcloud run services update ion-chat-router --update-env-vars=CANARY_TRAFFIC_PERCENTAGE=0 "
        "--region=us-central1"
    )


@pytest.mark.parametrize(
    ("configured", "named"), [(None, "STABLE_REVISION"), ("ion-api-00040-old", "ion-api-00040-old")]
)
def test_an_unknown_stable_revision_is_left_for_the_person_to_fill_in(
    configured: str | None, named: str
) -> None:
    line = gcloud_line(a_target(stable_revision=configured), project="ion", stable=None)

    assert f"--to-revisions={named}=100" in line


@given(project=st.text(min_size=1), stable=st.text(min_size=1))
def test_nothing_in_a_name_can_become_a_command(project: str, stable: str) -> None:
    words = shlex.split(gcloud_line(a_target(), project=project, stable=stable))

    assert words == [
        "gcloud", "run", "services", "update-traffic", "ion-api",
        f"--to-revisions={stable}=100", "--region=us-central1", f"--project={project}",
    ]  # fmt: skip
