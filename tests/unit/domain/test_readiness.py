"""Readiness: nothing is ready without evidence, and what people confirmed counts for a while."""

from datetime import timedelta

import pytest

from bot.domain.guide import ReadinessPoint, Text
from bot.domain.ids import PersonId
from bot.domain.readiness import (
    Answer,
    Finding,
    Found,
    Readiness,
    Standing,
    backup_finding,
    by_people,
    confirmed_by,
    could_not_check,
    guide_read,
    not_ready,
    ready,
    to_confirm,
)
from tests.values import CANARY_TARGET, GITCO, LUBIT, NOON, SENA

POINT = ReadinessPoint(key="room", title=Text(en="The room", ko="회의실"), good_for_days=30)


def an_answer(*findings: Finding) -> Answer:
    """Return a point with these findings."""
    return Answer(point="room", titles={"en": "The room", "ko": "회의실"}, findings=findings)


def test_a_point_stands_as_its_worst_finding() -> None:
    well, asked = ready(Found.LOG_READ), to_confirm(Found.NEVER_CONFIRMED)
    unknown, ill = could_not_check(Found.FAULT), not_ready(Found.FAULT)

    assert an_answer(well).standing is Standing.READY
    assert an_answer(well, asked).standing is Standing.TO_CONFIRM
    assert an_answer(well, unknown, asked).standing is Standing.COULD_NOT_CHECK
    assert an_answer(ill, well, unknown).standing is Standing.NOT_READY


def test_without_any_finding_nothing_is_known() -> None:
    assert an_answer().standing is Standing.COULD_NOT_CHECK


def test_the_team_is_ready_only_when_there_are_points_and_all_are() -> None:
    well, ill = an_answer(ready(Found.LOG_READ)), an_answer(not_ready(Found.FAULT))

    def team(*answers: Answer) -> Readiness:
        return Readiness(target=CANARY_TARGET, at=NOON, answers=answers)

    assert not team().ready
    assert team(well, well).ready
    assert not team(well, ill).ready
    assert team(well, ill).count(Standing.NOT_READY) == 1


@pytest.mark.parametrize(
    ("days", "standing"),
    [(0, Standing.READY), (29.9, Standing.READY), (30, Standing.TO_CONFIRM), (31, Standing.TO_CONFIRM)],
)
def test_a_confirmation_counts_until_it_expires(days: float, standing: Standing) -> None:
    confirmation = confirmed_by(POINT, SENA, at=NOON)

    assert by_people([confirmation], now=NOON + timedelta(days=days)).standing is standing


def test_the_newest_confirmation_counts() -> None:
    old = confirmed_by(POINT, SENA, at=NOON - timedelta(days=60))
    new = confirmed_by(POINT, GITCO, at=NOON)

    found = by_people([new, old], now=NOON)

    assert (found.found, found.facts["by"]) == (Found.CONFIRMED, GITCO)
    assert by_people([], now=NOON).found is Found.NEVER_CONFIRMED
    assert by_people([old], now=NOON).found is Found.CONFIRMATION_EXPIRED


def test_confirming_again_renews_the_same_confirmation() -> None:
    first, second = confirmed_by(POINT, SENA, at=NOON), confirmed_by(POINT, SENA, at=NOON + timedelta(days=1))

    assert first.id == second.id
    assert second.expires_at - second.created_at == timedelta(days=30)


def test_the_guide_is_read_when_everybody_of_the_team_has_said_so() -> None:
    sena, lubit = (confirmed_by(POINT, person, at=NOON) for person in (SENA, LUBIT))
    expired = confirmed_by(POINT, LUBIT, at=NOON - timedelta(days=31))

    def standing(*confirmations: object, team: tuple[PersonId, ...] = (SENA, LUBIT)) -> Standing:
        return an_answer(*guide_read(confirmations, team, now=NOON)).standing  # type: ignore[arg-type]

    assert standing(sena, lubit) is Standing.READY
    assert standing(sena) is Standing.TO_CONFIRM
    assert standing(sena, expired) is Standing.TO_CONFIRM
    assert standing() is Standing.TO_CONFIRM
    assert standing(sena, team=()) is Standing.TO_CONFIRM


@pytest.mark.parametrize(
    ("hours", "standing"),
    [
        (0, Standing.READY),
        (26, Standing.READY),
        (26.01, Standing.NOT_READY),
        (-0.5, Standing.READY),
        (-2, Standing.COULD_NOT_CHECK),
    ],
)
def test_a_backup_is_fresh_up_to_its_limit(hours: float, standing: Standing) -> None:
    made_at = NOON - timedelta(hours=hours)

    assert backup_finding(made_at, not_older_than_hours=26, now=NOON).standing is standing
