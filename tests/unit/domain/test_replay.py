"""Replaying: when each rule would have fired, what would have been done, and what was left out."""

from dataclasses import replace

from bot.domain.alarm import Alarm, AlarmKind, Level
from bot.domain.judge import JudgeState, judge
from bot.domain.observation import Observation, Tally
from bot.domain.plausible import Ignored
from bot.domain.playbook import Playbook
from bot.domain.replay import Replayed, replay
from tests.unit.domain.test_judge import RULES, a_bucket, errors
from tests.values import CANARY, NOON, STABLE, a_playbook, seconds


def with_modes(*, stop_seconds: int = 10, **modes: str) -> Playbook:
    """Return a playbook with the guide's rules in these modes, the others recommending."""
    more = {"stop_seconds": stop_seconds}
    return a_playbook(
        rules=[rule | more | {"mode": modes.get(str(rule["when"]), "recommend")} for rule in RULES]
    )


AUTO = with_modes(error_rate_in_a_row="auto")


def a_bad_canary(buckets: int = 30, *, well: int = 6) -> list[Observation]:
    """Return a canary that is well for a minute, and then fails every twentieth request."""
    return [a_bucket(n, errors(2) if n < well else errors(50)) for n in range(buckets)]


def replayed(seen: list[Observation], playbook: Playbook = AUTO) -> Replayed:
    return replay(seen, playbook)


def test_each_rule_says_when_it_would_have_fired_first_and_how_often() -> None:
    found = replayed(a_bad_canary())

    fired = {one.kind: one for one in found.fired}
    assert list(fired) == [
        AlarmKind.ERROR_RATE_ONCE,
        AlarmKind.EARLY_WARNING,
        AlarmKind.ERROR_RATE_IN_A_ROW,
    ]
    assert fired[AlarmKind.ERROR_RATE_ONCE].at == NOON + seconds(90)
    assert fired[AlarmKind.EARLY_WARNING].first == {
        Level.RECOMMEND: NOON + seconds(100),
        Level.ACT: NOON + seconds(160),
    }
    assert [one.count for one in found.fired] == [1, 2, 2]


def test_the_series_is_summed_up() -> None:
    found = replayed(a_bad_canary())

    assert (found.observations, found.readings, found.red, found.inconclusive) == (30, 10, 8, 0)
    assert (found.requests, found.errors) == (30_000, 6 * 2 + 24 * 50)
    assert (found.since, found.until) == (NOON, NOON + seconds(300))
    assert found.revisions == (CANARY,)


def test_an_armed_rule_in_mode_auto_would_have_rolled_back_after_the_time_to_stop_it() -> None:
    found = replayed(a_bad_canary())

    assert found.acts is not None
    assert found.acts.kind is AlarmKind.ERROR_RATE_IN_A_ROW
    assert found.acts.first[Level.ACT] == NOON + seconds(160)
    # Announced while the score was nearly full, so that the time to stop it costs none.
    assert found.announced_at() == NOON + seconds(150)
    assert found.acts_at() == NOON + seconds(160)


def test_with_less_time_to_stop_it_than_a_bucket_it_is_announced_once_it_is_sure() -> None:
    found = replayed(a_bad_canary(), with_modes(error_rate_in_a_row="auto", stop_seconds=9))

    assert found.announced_at() == NOON + seconds(160)
    assert found.acts_at() == NOON + seconds(169)


def test_without_mode_auto_it_says_which_rule_could_have_acted() -> None:
    found = replayed(a_bad_canary(), with_modes())

    assert found.acts is None
    assert found.acts_at() is None
    assert found.could_act is not None
    assert found.could_act.first[Level.ACT] == NOON + seconds(160)


def test_a_healthy_series_fires_nothing() -> None:
    found = replayed([a_bucket(n, errors(2)) for n in range(100)])

    assert (found.fired, found.acts, found.could_act) == ((), None, None)


def test_no_observations_come_to_nothing() -> None:
    assert replayed([]) == Replayed()


def test_what_was_left_out_is_counted_by_reason() -> None:
    seen = a_bad_canary(6)
    wrong = a_bucket(6, Tally(requests=1, errors=2))

    found = replayed([*seen, seen[-1], seen[0], seen[1], wrong])

    assert [(one.why, one.count) for one in found.left_out] == [
        (Ignored.TWICE, 1),
        (Ignored.LATE, 2),
        (Ignored.MORE_ERRORS_THAN_REQUESTS, 1),
    ]
    assert found.requests == 6000


def test_inconclusive_readings_and_unread_windows_are_counted() -> None:
    thin = [a_bucket(n, Tally(requests=1)) for n in range(30)]
    unread = [a_bucket(n, None, None) for n in range(30, 33)]

    found = replayed([*thin, *unread])

    assert (found.readings, found.inconclusive, found.unread) == (1, 1, 3)


def test_every_revision_is_named() -> None:
    other = [replace(one, revision=STABLE) for one in a_bad_canary()[6:]]

    assert replayed([*a_bad_canary(6), *other]).revisions == (CANARY, STABLE)


def test_it_is_the_very_deciding_of_the_watch() -> None:
    state = JudgeState()
    alarms: list[Alarm] = []
    for seen in a_bad_canary():
        judged = judge(state, seen, AUTO)
        state = judged.state
        alarms += judged.alarms

    assert replayed(a_bad_canary()).alarms == tuple(alarms)


def test_a_shared_failure_would_only_have_been_told() -> None:
    found = replayed([a_bucket(n, errors(50), errors(50)) for n in range(30)])

    assert [one.kind for one in found.fired] == [AlarmKind.SHARED]
    assert found.could_act is None
