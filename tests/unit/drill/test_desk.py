"""What the page's panel shows of a drill under way: what was reached, and until when what comes next."""

from typing import Any

import pytest

from bot.adapters.playbook_file import DEFAULT, read_playbook
from bot.domain.drill import Milestone
from bot.drill.desk import running
from tests.drills import a_drill
from tests.values import seconds

GUIDE = read_playbook(DEFAULT)


def after(count: float, scenario: str, **reached: float) -> dict[str, Any]:
    """Return how a drill stands so many seconds after the failure."""
    drill = a_drill(scenario=scenario)
    moments = {Milestone(key): drill.created_at + seconds(took) for key, took in reached.items()}
    return running(drill, moments, GUIDE, at=drill.created_at + seconds(count))


def test_the_clock_runs_from_the_failure() -> None:
    assert after(75, "memory")["seconds"] == 75


@pytest.mark.parametrize(
    ("reached", "milestone", "by"),
    [
        ({}, "detected", 300),
        ({"detected": 40}, "decided", 40 + 60),
        ({"detected": 40, "decided": 60}, "rolled_back", 60 + 120),
        ({"detected": 40, "decided": 60, "rolled_back": 90}, "verified", 60 + 180),
        # A decision without a detection: whoever rolls back has seen it.
        ({"decided": 60, "rolled_back": 90, "verified": 95}, "detected", 300),
    ],
)
def test_what_comes_next_is_due_by_the_guides_minutes(
    reached: dict[str, float], milestone: str, by: float
) -> None:
    assert after(100, "error_rate", **reached)["next"] == {"milestone": milestone, "by": by}


def test_users_are_waited_for_only_where_the_scenario_tells_them() -> None:
    verified = {"detected": 10.0, "decided": 20.0, "rolled_back": 30.0, "verified": 40.0}

    assert after(50, "error_rate", **verified)["next"]["milestone"] == "record_complete"
    assert after(50, "data_loss", **verified)["next"] == {"milestone": "users_told", "by": 10 + 120}


def test_in_the_end_nothing_comes_next() -> None:
    done = dict.fromkeys(Milestone, 60.0)

    assert after(70, "data_loss", **done)["next"] is None
