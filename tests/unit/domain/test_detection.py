"""The score, the run of failures and the guide's row: the study's own numbers, and what must always hold."""

import json
import random
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.detection import (
    TRIGGER_FILL_SECONDS,
    WARNING_FILL_SECONDS,
    Counts,
    Excess,
    Run,
    ScoreVerdict,
    StreakVerdict,
    at_least,
    false_alarm_bound,
    fed,
    height,
    lundberg_root,
    outage_fed,
    silence_fed,
    streak_fed,
    worse_than_stable,
)

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("detection_vectors.json").read_text())
FULL = {ScoreVerdict.FIRE, ScoreVerdict.SHARED, ScoreVerdict.NO_BASELINE}
GUIDES_LINE, HEIGHT = 0.01, 12.97

counts = st.builds(
    lambda requests, bad, stable, stable_bad: Counts(
        requests=requests, bad=min(requests, bad), stable_requests=stable, stable_bad=min(stable, stable_bad)
    ),
    *repeat(st.integers(0, 5000), 4),
)
streams = st.lists(counts, max_size=60)


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-6, abs=1e-6)


def buckets(runs: list[list[int]]) -> Iterator[Counts]:
    for length, requests, bad, stable_requests, stable_bad in runs:
        yield from repeat(
            Counts(requests=requests, bad=bad, stable_requests=stable_requests, stable_bad=stable_bad), length
        )


def scores(
    stream: list[Counts],
    *,
    fill_seconds: float = TRIGGER_FILL_SECONDS,
    line: float = GUIDES_LINE,
    full: float,
) -> list[tuple[Excess, ScoreVerdict]]:
    """The score after each bucket."""
    excess, found = Excess(), []
    for bucket in stream:
        excess, verdict = fed(excess, bucket, line=line, height=full, fill_seconds=fill_seconds)
        found.append((excess, verdict))
    return found


def first(
    verdicts: list[tuple[Excess, ScoreVerdict]], wanted: ScoreVerdict = ScoreVerdict.FIRE
) -> int | None:
    """The bucket, counted from 1, with the first such verdict."""
    return next((number for number, (_, verdict) in enumerate(verdicts, 1) if verdict is wanted), None)


@pytest.mark.parametrize(("healthy_ratio", "line", "theta"), VECTORS["lundberg"])
def test_the_rate_at_which_a_healthy_score_falls_off_is_the_studys(
    healthy_ratio: float, line: float, theta: float
) -> None:
    assert lundberg_root(healthy_ratio, line) == near(theta)


@pytest.mark.parametrize(("requests", "risk", "healthy_ratio", "line", "full"), VECTORS["height"])
def test_the_height_is_the_studys(
    requests: float, risk: float, healthy_ratio: float, line: float, full: float
) -> None:
    assert height(requests=requests, risk=risk, healthy_ratio=healthy_ratio, line=line) == near(full)


@pytest.mark.parametrize(("requests", "full", "healthy_ratio", "line", "bound"), VECTORS["bound"])
def test_the_bound_on_false_alarms_is_the_studys(
    requests: float, full: float, healthy_ratio: float, line: float, bound: float
) -> None:
    found = false_alarm_bound(requests=requests, height=full, healthy_ratio=healthy_ratio, line=line)

    assert found == pytest.approx(bound, rel=1e-5)


@pytest.mark.parametrize(("bad", "requests", "ratio", "probability"), VECTORS["at_least"])
def test_the_tail_of_the_binomial_is_the_studys(
    bad: int, requests: int, ratio: float, probability: float
) -> None:
    assert at_least(bad, requests, ratio) == pytest.approx(probability, rel=1e-6)


@pytest.mark.parametrize(
    ("bad", "requests", "ratio", "probability"),
    [(0, 0, 0.5, 1.0), (1, 0, 0.5, 0.0), (11, 10, 0.5, 0.0), (1, 10, 0.0, 0.0), (10, 10, 1.0, 1.0)],
)
def test_the_tail_of_the_binomial_holds_at_its_ends(
    bad: int, requests: int, ratio: float, probability: float
) -> None:
    assert at_least(bad, requests, ratio) == probability


@given(requests=st.integers(1, 300), bad=st.integers(1, 300), ratio=st.floats(0.001, 0.999))
def test_the_tails_of_good_and_bad_ones_make_one(requests: int, bad: int, ratio: float) -> None:
    bad = min(bad, requests)

    together = at_least(bad, requests, ratio) + at_least(requests - bad + 1, requests, 1 - ratio)

    assert together == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("healthy_ratio", [0.0, -0.1, 0.01, 0.02, 1.0])
def test_a_healthy_ratio_must_lie_below_the_line(healthy_ratio: float) -> None:
    with pytest.raises(ValueError, match="below the line"):
        lundberg_root(healthy_ratio, 0.01)


@pytest.mark.parametrize("risk", [0.0, 1.0, 5.0])
def test_a_risk_is_a_probability(risk: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        height(requests=1000, risk=risk, healthy_ratio=0.005, line=0.01)


def test_a_deployment_without_traffic_is_as_one_with_a_single_request() -> None:
    full = [height(requests=n, risk=0.0005, healthy_ratio=0.005, line=0.01) for n in (0, 0.5, 1)]

    assert full == [full[2]] * 3
    assert full[2] > 0


def test_the_height_keeps_the_bound_it_was_made_for() -> None:
    full = height(requests=388_800, risk=0.0005, healthy_ratio=0.005, line=0.01)

    bound = false_alarm_bound(requests=388_800, height=full, healthy_ratio=0.005, line=0.01)

    assert bound == near(0.0005)


@pytest.mark.parametrize("case", VECTORS["excess"], ids=lambda case: str(case["name"]))
def test_the_score_is_the_studys_bucket_by_bucket(case: dict[str, Any]) -> None:
    stream = list(buckets(case["runs"]))

    warning = scores(stream, fill_seconds=WARNING_FILL_SECONDS, line=case["line"], full=case["height"])
    trigger = scores(stream, line=case["line"], full=case["height"])

    assert first(warning) == case["first_warning"]
    assert first(trigger) == case["first_trigger"]
    for number, warning_level, trigger_level, allowance, since, warns, fires in case["seen"]:
        (warned, warned_verdict), (excess, verdict) = warning[number - 1], trigger[number - 1]
        assert (warned_verdict, verdict) == (warns, fires)
        assert (warned.level, excess.level) == (near(warning_level), near(trigger_level))
        assert excess.allowance == near(allowance)
        assert [excess.requests, excess.bad, excess.stable_requests, excess.stable_bad] == since


@given(stream=streams, fill_seconds=st.sampled_from([WARNING_FILL_SECONDS, TRIGGER_FILL_SECONDS]))
def test_the_level_stays_between_empty_and_full(stream: list[Counts], fill_seconds: float) -> None:
    levels = [excess.level for excess, _ in scores(stream, fill_seconds=fill_seconds, full=HEIGHT)]

    assert all(0 <= level <= HEIGHT for level in levels)


@given(stream=streams, fill=st.sampled_from([WARNING_FILL_SECONDS, TRIGGER_FILL_SECONDS]))
def test_a_burst_shorter_than_the_dwell_never_fires(stream: list[Counts], fill: float) -> None:
    burst = stream[: int(fill / 10)]
    afterwards = [Counts(requests=45, stable_requests=855)] * 10

    verdicts = {verdict for _, verdict in scores(burst + afterwards, fill_seconds=fill, full=HEIGHT)}

    assert not verdicts & FULL


@given(stream=streams, bucket=counts, more=st.integers(0, 5000))
def test_more_errors_never_lower_the_level(stream: list[Counts], bucket: Counts, more: int) -> None:
    before = scores([Counts(), *stream], full=HEIGHT)[-1][0]
    worse = Counts(requests=bucket.requests, bad=min(bucket.requests, bucket.bad + more))

    level, higher = (
        fed(before, each, line=GUIDES_LINE, height=HEIGHT, fill_seconds=TRIGGER_FILL_SECONDS)[0].level
        for each in (bucket, worse)
    )

    assert higher >= level


@given(stream=streams)
def test_a_score_that_is_empty_remembers_nothing(stream: list[Counts]) -> None:
    for excess, verdict in scores(stream, full=HEIGHT):
        if verdict is ScoreVerdict.OK:
            assert excess == Excess(allowance=HEIGHT / 3)


@pytest.mark.parametrize("ratio", [0.002, 0.005])
def test_healthy_canaries_fill_the_score_no_more_often_than_the_bound_says(ratio: float) -> None:
    chance = random.Random(4)
    full = height(requests=2000, risk=0.1, healthy_ratio=0.005, line=GUIDES_LINE)
    filled = 0

    for _ in range(300):
        excess = Excess()
        for _ in range(100):
            bad = sum(chance.random() < ratio for _ in range(20))
            excess, verdict = fed(
                excess, Counts(requests=20, bad=bad), line=GUIDES_LINE, height=full, fill_seconds=30
            )
            if verdict in FULL:
                filled += 1
                break

    assert filled / 300 <= 0.1


@pytest.mark.parametrize(
    ("bad", "stable_bad", "worse"),
    # Of 18 bad requests 9 or more would be the canary's by chance once in 75, 10 or more once in 260.
    [(9, 9, False), (10, 8, True), (0, 0, False)],
)
def test_a_canary_is_worse_than_stable_where_chance_is_no_explanation(
    bad: int, stable_bad: int, worse: bool
) -> None:
    split = Counts(requests=100, bad=bad, stable_requests=450, stable_bad=stable_bad)

    assert worse_than_stable(split) is worse


def test_nothing_is_worse_than_stable_without_a_request() -> None:
    assert not worse_than_stable(Counts())


def fires_at(stream: list[Counts], *, share: float | None = None, seconds: float = 1.0) -> int | None:
    """The first bucket, counted from 0, that an outage fires at; with a share, that silence does."""
    run = Run()
    for number, bucket in enumerate(stream):
        run, fires = (
            outage_fed(run, bucket, seconds) if share is None else silence_fed(run, bucket, share, seconds)
        )
        if fires:
            return number
    return None


DOWN = Counts(requests=4, bad=4, stable_requests=80)


def test_an_outage_fires_after_thirty_seconds_of_nothing_but_failures() -> None:
    assert fires_at(list(buckets(VECTORS["outage"]))) == VECTORS["outage_fires_at_second"]


def test_an_outage_in_buckets_of_ten_seconds_counts_from_the_first_buckets_end() -> None:
    assert fires_at([DOWN] * 4, seconds=10) == 3


def test_one_good_answer_ends_the_run_of_failures() -> None:
    one_good = Counts(requests=4, bad=3, stable_requests=80)

    assert fires_at([*[DOWN] * 30, one_good, *[DOWN] * 30]) is None


def test_a_bucket_without_requests_does_not_end_the_run_of_failures() -> None:
    thin = [Counts(requests=1, bad=1, stable_requests=20), *[Counts(stable_requests=20)] * 3]

    assert fires_at(thin * 20) == 36


@pytest.mark.parametrize(("failures", "fires"), [(9, None), (10, 31)])
def test_an_outage_needs_ten_failures(failures: int, fires: int | None) -> None:
    stream = [Counts(requests=1, bad=1, stable_requests=20)] * (failures - 1)
    quiet = [Counts(stable_requests=20)] * (31 - len(stream))

    assert fires_at([*stream, *quiet, Counts(requests=1, bad=1, stable_requests=20)]) == fires


@pytest.mark.parametrize(("stable_bad", "fires"), [(40, 30), (41, None), (70, None)])
def test_an_outage_of_stable_too_is_not_the_canarys(stable_bad: int, fires: int | None) -> None:
    both = Counts(requests=4, bad=4, stable_requests=80, stable_bad=stable_bad)

    assert fires_at([both] * 60) == fires


def test_without_stable_traffic_nothing_tells_an_outage_of_the_canary_alone() -> None:
    assert fires_at([Counts(requests=4, bad=4)] * 60) is None


@pytest.mark.parametrize(("share", "stable_a_second", "silent_from", "fires"), VECTORS["silence"])
def test_silence_is_requests_that_should_have_come(
    share: float, stable_a_second: int, silent_from: int, fires: int
) -> None:
    well = Counts(requests=4, stable_requests=stable_a_second)
    silent = Counts(stable_requests=stable_a_second)

    assert fires_at([well] * silent_from + [silent] * 200, share=share) == fires


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_stables_traffic_implies_nothing_there_is_no_silence(share: float) -> None:
    assert fires_at([Counts(stable_requests=100)] * 60, share=share) is None


def test_no_traffic_at_all_is_not_silence() -> None:
    assert fires_at([Counts()] * 600, share=0.1) is None


@pytest.mark.parametrize("case", VECTORS["streaks"], ids=lambda case: f"min {case['min_requests']}")
def test_the_guides_rule_counts_bad_readings_in_a_row(case: dict[str, Any]) -> None:
    in_a_row, verdicts = 0, []

    for requests, bad, _ in case["readings"]:
        in_a_row, verdict = streak_fed(
            in_a_row,
            Counts(requests=requests, bad=bad),
            line=GUIDES_LINE,
            min_requests=case["min_requests"],
        )
        verdicts.append(verdict)

    assert verdicts == [wanted for *_, wanted in case["readings"]]


@pytest.mark.parametrize(
    ("requests", "bad", "verdict"),
    [
        (700, 7, StreakVerdict.OK),  # On the line, where 0.01 * 700 is a little more than 7.
        (700, 8, StreakVerdict.BAD),
        (100, 2, StreakVerdict.OK),  # Fewer errors than a red reading needs.
        (100, 3, StreakVerdict.BAD),
        (49, 49, StreakVerdict.INSUFFICIENT),
        (0, 0, StreakVerdict.INSUFFICIENT),
    ],
)
def test_a_reading_is_bad_only_above_the_line_and_with_enough_of_both(
    requests: int, bad: int, verdict: StreakVerdict
) -> None:
    reading = Counts(requests=requests, bad=bad)

    _, found = streak_fed(0, reading, line=GUIDES_LINE, min_requests=50, min_bad=3)

    assert found is verdict
