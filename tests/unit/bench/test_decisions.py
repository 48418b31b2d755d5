"""Our own decisions in the benchmark: the real ones, in the order and as late as the watch sees things."""

from dataclasses import replace

import numpy as np
import pytest

from bench.contest import Case, Rule, contest
from bench.decisions import decide, from_log, from_monitoring, from_probe, together
from bench.detection import false_alarms, quantile
from bench.traffic import Deployment, Setting, Trouble
from bot.adapters.playbook_file import DEFAULT, read_playbook
from bot.domain.playbook import Playbook
from bot.usecases.keep_time import LOOK_EVERY_SECONDS

BUSY = Setting(per_second=1000, share=0.1)


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return read_playbook(DEFAULT)


def steady(*, bad_from: int | None, buckets: int = 60) -> Deployment:
    """A thousand requests of the canary in each bucket; from `bad_from` on fifty of them fail."""
    numbers = np.arange(buckets)
    bad = np.where(numbers >= (buckets if bad_from is None else bad_from), 50, 1)
    return Deployment(
        setting=BUSY,
        requests=np.full(buckets, 1000),
        bad=bad,
        stable_requests=np.full(buckets, 9000),
        stable_bad=np.full(buckets, 10),
        onset=None if bad_from is None else bad_from * 10.0,
        trouble=Trouble.NONE if bad_from is None else Trouble.ERRORS_5,
    )


def test_a_healthy_canary_raises_nothing(playbook: Playbook) -> None:
    decided = decide(from_log(steady(bad_from=None)), playbook)

    assert (decided.recommended_at, decided.acted_at, decided.alarms) == (None, None, ())


def test_a_bad_canary_is_recommended_after_the_warnings_dwell_and_rolled_back_after_the_triggers(
    playbook: Playbook,
) -> None:
    decided = decide(from_log(steady(bad_from=30)), playbook, until_acted=True)

    # Full after four buckets, and after ten; each is closed ten seconds after its end.
    assert decided.recommended_at == 300 + 40 + 10
    assert decided.acted_at == 300 + 100 + 10


def test_announced_ahead_the_time_to_stop_it_costs_no_more_than_the_timer(playbook: Playbook) -> None:
    decided = decide(from_log(steady(bad_from=30)), playbook, until_acted=True)

    assert (decided.announced_at, decided.in_vain_at) == (300 + 90 + 10, None)
    assert decided.sent_at == 300 + 100 + 10 + LOOK_EVERY_SECONDS


def test_what_ends_before_the_score_is_full_was_announced_in_vain(playbook: Playbook) -> None:
    ending = steady(bad_from=30)

    decided = decide(from_log(replace(ending, bad=np.where(np.arange(60) < 39, ending.bad, 1))), playbook)

    # Its ninth bucket is bad, its tenth is not: the score has fallen when the countdown is over.
    assert (decided.announced_at, decided.in_vain_at) == (300 + 90 + 10, 300 + 100 + 10)
    assert (decided.acted_at, decided.sent_at) == (None, None)


def test_a_bucket_is_closed_two_to_ten_seconds_after_its_end_and_in_order() -> None:
    seen = list(from_log(steady(bad_from=None), np.random.default_rng(1)))

    lags = [at - 10 * number for number, (at, _) in enumerate(seen, 1)]
    assert 2 <= min(lags) < 4
    assert 8 < max(lags) <= 10
    assert [at for at, _ in seen] == sorted(at for at, _ in seen)


def test_what_began_before_is_not_judged(playbook: Playbook) -> None:
    seen = list(from_log(steady(bad_from=None), since=300))

    assert len(seen) == 30
    assert seen[0][0] == 320


def test_minutes_of_cloud_monitoring_are_judged_in_order_and_late(playbook: Playbook) -> None:
    seen = list(from_monitoring(steady(bad_from=None), np.random.default_rng(1)))

    times = [at for at, _ in seen]
    assert len(seen) == 10
    assert times == sorted(times)
    assert all(120 <= at - number * 60 <= 300 for number, at in enumerate(times))
    assert all(one.length_seconds == 60 for _, one in seen)


def test_a_canary_that_is_down_is_seen_by_the_third_probe(playbook: Playbook) -> None:
    down = replace(steady(bad_from=None), onset=200.0, trouble=Trouble.DOWN, bad=np.full(60, 1000))
    seen = together(from_log(down, since=200), from_probe(down, np.random.default_rng(1), since=100))

    decided = decide(seen, playbook, until_acted=True)

    assert decided.acted_at is not None
    assert 200 + 12 <= decided.acted_at <= 200 + 22


def test_the_contest_is_the_same_for_the_same_case(playbook: Playbook) -> None:
    case = Case(setting=BUSY, trouble=Trouble.DOWN, seed=1, number=3)

    one, other = contest(case, playbook), contest(case, playbook)

    assert one == other
    assert set(one) == set(Rule)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 20.0), (0.95, float("inf")), (0.75, 30.0), (0.01, 10.0)]
)
def test_a_quantile_counts_what_never_fired_as_latest_and_what_was_false_not_at_all(
    share: float, expected: float
) -> None:
    assert quantile([30.0, 10.0, None, 20.0, -500.0], share) == expected


def test_false_alarms_are_counted_once_a_deployment() -> None:
    assert false_alarms([None, 17.0, None, 0.0]) == 2
