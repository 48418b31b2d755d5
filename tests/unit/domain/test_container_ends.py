"""Why containers ended, in Cloud Run's own words."""

import pytest

from bot.domain.container_ends import ending, endings
from bot.domain.first_reading import ContainerEnded, Ending
from bot.domain.readings import Side
from tests.first_readings import LEAK, SINCE, a_line, of_stable
from tests.values import CANARY, STABLE, seconds


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (LEAK, Ending.OUT_OF_MEMORY),
        (
            "While handling this request, the container instance was found to be using too much memory "
            "and was terminated.",
            Ending.OUT_OF_MEMORY,
        ),
        ("Container called exit(1).", Ending.EXITED),
        ("Container called exit(137).", Ending.EXITED),
        ("Container called exit(0).", None),
        ("Uncaught signal: 11, pid=1, tid=9, fault_addr=0.", Ending.CRASHED),
        ("Container terminated on signal 9.", Ending.CRASHED),
        (
            'Default STARTUP TCP probe failed 1 time consecutively for container "api" on port 8080. The '
            "instance was not started.",
            Ending.FAILED_TO_START,
        ),
        ("STARTUP HTTP probe failed 3 times consecutively", Ending.FAILED_TO_START),
        ("The user-provided container failed to start and listen on the port", Ending.FAILED_TO_START),
        (
            'LIVENESS HTTP probe failed 3 times consecutively for container "api" on path "/health". The '
            "instance has been shut down.",
            Ending.UNHEALTHY,
        ),
        ('Default STARTUP TCP probe succeeded after 1 attempt for container "api"', None),
        ("Starting new instance. Reason: AUTOSCALING", None),
        ("", None),
    ],
)
def test_each_ending_is_known_by_what_cloud_run_says(said: str, why: Ending | None) -> None:
    assert ending(said) is why


def test_endings_are_counted_for_each_side_the_canary_first() -> None:
    mine = [a_line(LEAK, after) for after in (30, 10, 20)]
    other = of_stable([a_line("Container called exit(1).", 5)])
    stranger = a_line(LEAK, 1, revision="ion-api-00001-old")

    found = endings([*other, *mine, stranger], canary=CANARY, stable=STABLE)

    assert found == (
        ContainerEnded(
            side=Side.CANARY,
            why=Ending.OUT_OF_MEMORY,
            count=3,
            first_at=SINCE + seconds(10),
            last_at=SINCE + seconds(30),
            example=LEAK,
        ),
        ContainerEnded(
            side=Side.STABLE,
            why=Ending.EXITED,
            count=1,
            first_at=SINCE + seconds(5),
            last_at=SINCE + seconds(5),
            example="Container called exit(1).",
        ),
    )


def test_two_services_are_told_apart_by_their_names() -> None:
    lines = [
        a_line(LEAK, service="ion-api-canary", revision="ion-api-canary-00002-abc"),
        a_line(LEAK, service="ion-api", revision="ion-api-00009-xyz"),
        a_line(LEAK, service="", revision=""),
    ]

    found = endings(lines, canary="ion-api-canary", stable="ion-api")

    assert [(end.side, end.count) for end in found] == [(Side.CANARY, 1), (Side.STABLE, 1)]


def test_without_a_canary_no_line_is_its() -> None:
    assert endings([a_line(LEAK, service="", revision="")], canary="", stable=STABLE) == ()
