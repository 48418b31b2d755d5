"""Simulated deployments: the same for the same seed, healthy where they are said to be."""

import numpy as np
import pytest

from bench.traffic import Setting, Trouble, deployment, summed

THIN = Setting(per_second=90, share=0.05)


def test_the_same_chance_makes_the_same_deployment() -> None:
    one, other = (deployment(THIN, np.random.default_rng(1), seconds=3600) for _ in range(2))

    assert (one.requests == other.requests).all()
    assert (one.bad == other.bad).all()


def test_a_deployment_has_a_bucket_every_ten_seconds_on_both_sides() -> None:
    made = deployment(THIN, np.random.default_rng(1), seconds=3600)

    assert {len(made.requests), len(made.bad), len(made.stable_requests), len(made.stable_bad)} == {360}
    assert made.seconds == 3600


def test_more_requests_fail_from_the_onset_on() -> None:
    made = deployment(
        THIN, np.random.default_rng(1), seconds=7200, trouble=Trouble.ERRORS_5, onset=3600, blips=False
    )

    before, after = (
        made.bad[half].sum() / made.requests[half].sum() for half in (slice(360), slice(360, 720))
    )

    assert before < 0.005
    assert 0.04 < after < 0.065
    assert made.stable_bad.sum() / made.stable_requests.sum() < 0.005


def test_everything_fails_when_it_is_down_and_part_of_the_bucket_it_began_in() -> None:
    made = deployment(
        Setting(per_second=1000, share=0.5),
        np.random.default_rng(1),
        seconds=60,
        trouble=Trouble.DOWN,
        onset=15,
        blips=False,
    )

    ratios = made.bad / made.requests

    assert ratios[0] < 0.01
    assert 0.45 < ratios[1] < 0.55
    assert (ratios[2:] == 1).all()


def test_windows_are_sums_of_whole_buckets() -> None:
    assert summed(np.array([1, 2, 3, 4, 5, 6, 7]), 3).tolist() == [6, 15]


@pytest.mark.parametrize("share", [0.05, 0.5])
def test_the_canary_gets_its_share(share: float) -> None:
    made = deployment(Setting(per_second=90, share=share), np.random.default_rng(2), seconds=3600)

    total = made.requests.sum() + made.stable_requests.sum()

    assert made.requests.sum() / total == pytest.approx(share, rel=0.05)
