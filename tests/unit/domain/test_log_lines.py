"""Lines of a log: the same ones together, and the guide's filters kept to the target."""

import pytest

from bot.domain.ids import RevisionName, ServiceName
from bot.domain.log_lines import LogLine, canary_filter, grouped
from bot.domain.traffic import SideAddress, Sides
from tests.guide import a_scenario
from tests.values import CANARY, NOON, STABLE, seconds

API = ServiceName("ion-api")
TWO = Sides(stable=SideAddress(service=API), canary=SideAddress(service=ServiceName("ion-api-canary")))
SPLIT = Sides(
    stable=SideAddress(service=API, revision=STABLE), canary=SideAddress(service=API, revision=CANARY)
)


def line(message: str, after: int, severity: str = "ERROR") -> LogLine:
    return LogLine(at=NOON + seconds(after), severity=severity, message=message, detail=str(after))


def test_lines_that_say_the_same_are_counted_together_the_most_frequent_first() -> None:
    found = grouped([line("b", 3), line("a", 2), line("b", 9), line("b", 1, "WARNING")])

    assert [(g.count, g.newest.severity, g.newest.message, g.newest.detail) for g in found] == [
        (2, "ERROR", "b", "9"),
        (1, "ERROR", "a", "2"),
        (1, "WARNING", "b", "1"),
    ]


def filter_of(key: str, action: str) -> str:
    return next(a.filter for a in a_scenario(key).actions if a.key == action) or ""


def test_slow_requests_are_looked_for_as_the_guide_writes_it() -> None:
    assert canary_filter(filter_of("response_time", "slow_requests"), TWO.canary, TWO) == (
        "(resource.type=cloud_run_revision AND jsonPayload.latency_ms > 500) AND "
        '(resource.labels.service_name="ion-api" OR resource.labels.service_name="ion-api-canary")'
    )


def test_the_canarys_own_service_stands_for_the_canary() -> None:
    found = canary_filter(filter_of("service_down", "logs"), TWO.canary, TWO)

    assert found.startswith(
        '(resource.type=cloud_run_revision AND resource.labels.service_name="ion-api-canary") AND '
    )


def test_a_canary_that_is_a_revision_is_that_revision_of_the_service() -> None:
    found = canary_filter(filter_of("service_down", "logs"), SPLIT.canary, SPLIT)

    assert f'service_name="ion-api" AND resource.labels.revision_name="{CANARY}")' in found
    assert found.endswith(' AND (resource.labels.service_name="ion-api")')


def test_a_canary_nobody_knows_is_the_service_as_a_whole() -> None:
    sides = Sides(stable=SideAddress(service=API, revision=RevisionName("x")), canary=None)

    found = canary_filter(filter_of("service_down", "logs"), None, sides)

    assert "revision_name" not in found


@pytest.mark.parametrize(("sides", "name"), [(TWO, "ion-api-canary"), (SPLIT, CANARY)])
def test_elsewhere_the_canarys_name_is_filled_in(sides: Sides, name: str) -> None:
    assert canary_filter('labels.who="{canary}"', sides.canary, sides).startswith(f'(labels.who="{name}")')
