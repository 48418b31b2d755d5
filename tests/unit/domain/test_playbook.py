"""What a playbook may say."""

from typing import Any

import pytest
from pydantic import ValidationError

from bot.domain.ids import TargetName
from bot.domain.playbook import Channels, Limits, Permission, Thresholds, Verification
from tests.values import CANARY_TARGET, DEVOPS, GITCO, SENA, a_playbook, a_services_target, a_target

SERVICES: dict[str, Any] = {
    "topology": "services",
    "canary_service": "canary",
    "router": {"service": "router"},
}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"topology": "services"}, "needs canary_service and router"),
        ({**SERVICES, "router": None}, "needs canary_service and router"),
        ({**SERVICES, "canary_service": None}, "needs canary_service and router"),
        ({**SERVICES, "canary_service": "ion-api"}, "must be three services"),
        ({**SERVICES, "router": {"service": "ion-api"}}, "must be three services"),
        ({**SERVICES, "router": {"service": "canary"}}, "must be three services"),
        ({"canary_service": "canary"}, "belong to topology services only"),
        ({"router": {"service": "router"}}, "belong to topology services only"),
        ({"stable_revision": "ion-api-00001-abc", "stable_tag": "good"}, "not both"),
        ({"stable_revision": "other-00001-abc"}, "must begin with 'ion-api-'"),
    ],
)
def test_a_target_fits_its_topology(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        a_target(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"region": "Frankfurt"},
        {"region": ""},
        {"service": "Ion_API"},
        {"service": "-api"},
        {"service": "api-"},
        {"service": "a" * 64},
        {"service": "1api"},
        {"service": "api; rm -rf /"},
        {"stable_tag": "<!here>"},
        {"health_url": "ftp://example.com"},
        {"health_url": "https://user@example.com/"},
        {"health_url": "https://example.com/a b"},
        {"unknown": 1},
    ],
)
def test_a_target_takes_only_names_that_google_takes(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_target(**wrong)


def test_the_longest_name_is_sixty_three_characters() -> None:
    assert a_target(service="a" * 63).service == "a" * 63


@pytest.mark.parametrize("odd", ["1CANARY", "A-B", "A B", "", "A" * 101])
def test_a_variable_has_the_name_of_a_variable(odd: str) -> None:
    with pytest.raises(ValidationError):
        a_services_target(router={"service": "router", "variable": odd})


@pytest.mark.parametrize(("yellow", "red"), [(1.0, 1.0), (2.0, 1.0)])
def test_red_is_above_yellow(yellow: float, red: float) -> None:
    with pytest.raises(ValidationError, match="must be greater than yellow_above"):
        Limits(yellow_above=yellow, red_above=red)


@pytest.mark.parametrize("metric", ["error_rate_percent", "memory_percent", "cpu_percent"])
def test_a_percentage_ends_at_a_hundred(metric: str) -> None:
    Thresholds.model_validate({metric: {"yellow_above": 1, "red_above": 100}})

    with pytest.raises(ValidationError, match="write a number up to 100"):
        Thresholds.model_validate({metric: {"yellow_above": 1, "red_above": 100.1}})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0])
def test_a_limit_is_a_real_number(number: float) -> None:
    with pytest.raises(ValidationError):
        Limits(yellow_above=number, red_above=number)


@pytest.mark.parametrize(
    ("field", "lowest", "highest"),
    [
        ("probe_requests", 1, 50),
        ("probe_pause_ms", 0, 5000),
        ("settle_within_seconds", 5, 600),
        ("confirm_within_seconds", 5, 900),
        ("in_flight_seconds", 0, 60),
        ("silence_seconds", 1, 120),
    ],
)
def test_a_verification_stays_within_what_makes_sense(field: str, lowest: int, highest: int) -> None:
    for good in (lowest, highest):
        assert getattr(Verification.model_validate({field: good}), field) == good
    for bad in (lowest - 1, highest + 1):
        with pytest.raises(ValidationError):
            Verification.model_validate({field: bad})


@pytest.mark.parametrize("good", ["#critical-incidents", "C0CRITICAL", "G0PRIVATE"])
def test_a_channel_is_a_name_or_an_id(good: str) -> None:
    assert Channels(incidents=good).incidents == good


@pytest.mark.parametrize(
    "bad", ["critical-incidents", "#Critical", "@sena", "<#C0CRITICAL>", "", "#" + "a" * 81]
)
def test_anything_else_is_no_channel(bad: str) -> None:
    with pytest.raises(ValidationError):
        Channels(incidents=bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"users": ["sena"]},
        {"users": ["@sena"]},
        {"users": ["<@U0SENA>"]},
        {"users": [DEVOPS]},
        {"groups": [SENA]},
        {"may": ["everything"]},
        {"may": "roll_back"},
    ],
)
def test_a_role_names_people_and_groups_by_id(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_playbook(roles={"lead": bad})


def test_a_playbook_needs_a_target() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        a_playbook(targets={})


def test_permissions_are_looked_up_by_role() -> None:
    playbook = a_playbook()

    assert playbook.people_with(Permission.ROLL_BACK) == (SENA,)
    assert playbook.people_with(Permission.COMPLETE_RECORD) == (SENA, GITCO)
    assert playbook.groups_with(Permission.ROLL_BACK) == (DEVOPS,)
    assert playbook.groups_with(Permission.COMPLETE_RECORD) == ()


def test_somebody_in_two_roles_is_named_once() -> None:
    roles = {"a": {"users": [SENA], "may": ["roll_back"]}, "b": {"users": [SENA], "may": ["roll_back"]}}

    assert a_playbook(roles=roles).people_with(Permission.ROLL_BACK) == (SENA,)


def test_a_target_nobody_knows_is_none() -> None:
    playbook = a_playbook()

    assert playbook.target(CANARY_TARGET) is not None
    assert playbook.target(TargetName("nobody")) is None


def test_a_playbook_is_never_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        a_playbook().version = "2"  # type: ignore[misc]
