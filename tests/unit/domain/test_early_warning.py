"""When a rollback may be announced: the trigger's score lacks one bucket, and everything else holds."""

from dataclasses import replace

import pytest

from bot.domain.detection import Excess
from bot.domain.early_warning import NEARLY_FULL, is_nearly_full

FULL = 18.0
LINE = NEARLY_FULL * FULL
BEFORE = Excess(level=LINE - 2)
#: Five in a hundred fail, and two in a thousand of stable's.
SCORE = Excess(level=LINE, requests=450, bad=22, stable_requests=8550, stable_bad=17, seconds=80)


def test_the_line_is_one_bucket_of_ten_seconds_before_full() -> None:
    assert pytest.approx(80 / 90) == NEARLY_FULL


@pytest.mark.parametrize(
    ("level", "nearly"),
    [
        (LINE - 0.001, False),
        (LINE, True),
        (LINE + 0.001, True),
        (FULL - 0.001, True),
        # Full is more than nearly so.
        (FULL, False),
    ],
)
def test_it_is_nearly_full_from_the_line_until_it_is_full(level: float, nearly: bool) -> None:
    assert is_nearly_full(BEFORE, replace(SCORE, level=level), FULL, 10) is nearly


@pytest.mark.parametrize(("before", "nearly"), [(-0.001, True), (0.0, False), (0.001, False)])
def test_it_has_to_have_risen_with_the_newest_bucket(before: float, nearly: bool) -> None:
    assert is_nearly_full(Excess(level=LINE + before), SCORE, FULL, 10) is nearly


@pytest.mark.parametrize(("seconds", "nearly"), [(9.9, True), (10, True), (10.1, False), (60, False)])
def test_the_next_bucket_has_to_come_in_time(seconds: float, nearly: bool) -> None:
    assert is_nearly_full(BEFORE, SCORE, FULL, seconds) is nearly


def test_stable_has_to_be_better_and_to_have_traffic() -> None:
    as_bad = replace(SCORE, stable_bad=400)
    alone = replace(SCORE, stable_requests=0, stable_bad=0)

    assert not is_nearly_full(BEFORE, as_bad, FULL, 10)
    assert not is_nearly_full(BEFORE, alone, FULL, 10)
