"""Which side is stable, what is still to be written, and whether it has settled."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ids import RevisionName
from bot.domain.plan import canary_share, has_settled, make_plan, next_write, sides
from bot.domain.rollback import (
    MOST_WRITES,
    CannotChoose,
    NothingToRollBack,
    NothingWhy,
    PinTraffic,
    Plan,
    SetVariable,
    UnsureWhy,
)
from bot.domain.traffic import Revision, SideAddress, TargetState, TrafficShare
from tests.fakes import written
from tests.values import (
    BOTH,
    CANARY,
    NOON,
    ROUTER_1,
    STABLE,
    a_plan,
    a_revision,
    a_router,
    a_service,
    a_services_plan,
    a_services_state,
    a_services_target,
    a_state,
    a_target,
    share,
)

OLD = RevisionName("ion-api-00040-old")
THREE = (*BOTH, a_revision(OLD, age_hours=48))


def test_during_a_split_the_newest_revision_is_the_canary() -> None:
    assert make_plan(a_target(), a_state()) == a_plan()


def test_a_canary_with_the_larger_share_is_still_the_canary() -> None:
    plan = make_plan(a_target(), a_state(share(STABLE, 20), share(CANARY, 80)))

    assert plan == a_plan(canary_percent=80)


def test_stable_is_the_older_revision_with_the_largest_observed_share() -> None:
    state = a_state(share(OLD, 5), share(STABLE, 75), share(CANARY, 20), revisions=THREE)

    assert make_plan(a_target(), state) == a_plan(canary_percent=25)


def test_two_older_revisions_with_the_same_share_are_for_a_person_to_tell_apart() -> None:
    state = a_state(share(OLD, 40), share(STABLE, 40), share(CANARY, 20), revisions=THREE)

    answer = make_plan(a_target(), state)

    assert answer == CannotChoose(UnsureWhy.TIE, f"{OLD}, {STABLE}, {CANARY}", THREE)


def test_a_configured_revision_is_stable_whatever_its_share() -> None:
    state = a_state(share(OLD, 5), share(STABLE, 75), share(CANARY, 20), revisions=THREE)

    plan = make_plan(a_target(stable_revision=OLD), state)

    assert plan == a_plan(stable=OLD, canary=CANARY, canary_percent=95)


def test_a_configured_revision_without_traffic_can_be_gone_back_to() -> None:
    plan = make_plan(a_target(stable_revision=STABLE), a_state(share(CANARY, 100)))

    assert plan == a_plan(canary_percent=100)


def test_the_revision_that_carries_the_configured_tag_is_stable() -> None:
    state = a_state(share(CANARY, 100), share(OLD, 0, tag="good"), revisions=THREE)

    plan = make_plan(a_target(stable_tag="good"), state)

    assert plan == a_plan(stable=OLD, canary_percent=100)


def test_a_tag_nobody_carries_is_asked_about() -> None:
    answer = make_plan(a_target(stable_tag="good"), a_state())

    assert answer == CannotChoose(UnsureWhy.STABLE_MISSING, "tag good", BOTH)


def test_a_configured_revision_that_is_gone_is_asked_about() -> None:
    answer = make_plan(a_target(stable_revision="ion-api-00001-abc"), a_state())

    assert answer == CannotChoose(UnsureWhy.STABLE_MISSING, "ion-api-00001-abc", BOTH)


@pytest.mark.parametrize("configured", [None, STABLE])
def test_traffic_never_goes_to_a_revision_that_is_not_ready(configured: str | None) -> None:
    broken = (a_revision(CANARY, age_hours=1), a_revision(STABLE, ready=False))

    answer = make_plan(a_target(stable_revision=configured), a_state(revisions=broken))

    assert answer == CannotChoose(UnsureWhy.STABLE_NOT_READY, STABLE, broken[:1])


def test_when_the_configured_revision_has_everything_there_is_nothing_to_do() -> None:
    answer = make_plan(a_target(stable_revision=STABLE), a_state(share(STABLE, 100)))

    assert answer == NothingToRollBack(NothingWhy.NO_SPLIT, STABLE)


def test_the_newest_revision_with_everything_may_be_the_canary_so_a_person_is_asked() -> None:
    answer = make_plan(a_target(), a_state(share(CANARY, 100)))

    assert answer == CannotChoose(UnsureWhy.CANARY_HAS_EVERYTHING, CANARY, (a_revision(STABLE),))


def test_everything_on_latest_means_that_the_canary_may_have_it_all() -> None:
    answer = make_plan(a_target(), a_state(share(CANARY, 100, latest=True)))

    assert isinstance(answer, CannotChoose)
    assert answer.why is UnsureWhy.CANARY_HAS_EVERYTHING


def test_a_split_with_latest_is_a_split_with_what_latest_resolves_to() -> None:
    plan = make_plan(a_target(), a_state(share(STABLE, 90), share(CANARY, 10, latest=True)))

    assert plan == a_plan()


def test_an_older_revision_with_everything_means_that_somebody_was_here_before() -> None:
    answer = make_plan(a_target(), a_state(share(STABLE, 100)))

    assert answer == NothingToRollBack(NothingWhy.NO_SPLIT, STABLE)


def test_the_only_revision_there_is_cannot_be_rolled_back() -> None:
    answer = make_plan(a_target(), a_state(share(STABLE, 100), revisions=(a_revision(STABLE),)))

    assert answer == NothingToRollBack(NothingWhy.NO_SPLIT, STABLE)


def test_without_any_traffic_there_is_nothing_to_roll_back() -> None:
    state = TargetState(switch=a_service(wanted=(), observed=(), revisions=()))

    assert make_plan(a_target(), state) == NothingToRollBack(NothingWhy.NO_SPLIT, "")


def test_a_canary_that_is_wanted_but_not_observed_yet_is_rolled_back_too() -> None:
    everything = (share(STABLE, 100),)

    plan = make_plan(a_target(), TargetState(switch=a_service(observed=everything)))

    assert plan == a_plan()


def test_what_is_wanted_counts_while_nothing_has_been_observed() -> None:
    plan = make_plan(a_target(), TargetState(switch=a_service(observed=())))

    assert plan == a_plan()


def test_a_latest_line_that_resolves_to_nothing_yet_is_left_out() -> None:
    answer = make_plan(a_target(), a_state(share(None, 10, latest=True), share(STABLE, 90)))

    assert answer == NothingToRollBack(NothingWhy.NO_SPLIT, STABLE)


def test_two_lines_of_one_revision_count_together() -> None:
    state = a_state(share(STABLE, 60), share(STABLE, 30, tag="good"), share(CANARY, 10))

    assert make_plan(a_target(), state) == a_plan()


# Two services and a router.


@pytest.mark.parametrize(
    ("written_share", "percent"), [("1", 1), ("10", 10), (" 10 \n", 10), ("010", 10), ("100", 100)]
)
def test_the_routers_variable_says_the_canarys_share(written_share: str, percent: int) -> None:
    plan = make_plan(a_services_target(), a_services_state(written_share))

    assert plan == a_services_plan(canary_percent=percent)


@pytest.mark.parametrize("zero", ["0", "00", " 0 "])
def test_a_share_of_zero_leaves_nothing_to_roll_back(zero: str) -> None:
    answer = make_plan(a_services_target(), a_services_state(zero))

    assert answer == NothingToRollBack(NothingWhy.ALREADY_AT_ZERO, "ion-chat")


@pytest.mark.parametrize("odd", ["", "ten", "-1", "101", "10%", "1e1", "10.5", "١٠", "²", None])
def test_a_variable_that_is_no_percentage_is_not_guessed_at(odd: str | None) -> None:
    answer = make_plan(a_services_target(), a_services_state(odd))

    assert isinstance(answer, CannotChoose)
    assert (answer.why, answer.candidates) == (UnsureWhy.VARIABLE_UNREADABLE, ())
    assert answer.detail.startswith("CANARY_TRAFFIC_PERCENTAGE=")


@given(st.text())
def test_a_share_is_a_whole_percentage_or_nothing(text: str) -> None:
    share_written = canary_share(text)

    assert share_written is None or 0 <= share_written <= 100


# What is still to be written.


def test_stable_is_pinned_and_tags_are_kept() -> None:
    state = a_state(share(STABLE, 90, tag="good"), share(CANARY, 10), share(OLD, 0, tag="old"))

    assert next_write(a_plan(), state) == PinTraffic(
        service=a_service().name, revision=STABLE, tags=(("good", STABLE), ("old", OLD))
    )


def test_nothing_is_written_when_stable_is_wanted_with_everything() -> None:
    assert next_write(a_plan(), a_state(share(STABLE, 100))) is None


def test_the_routers_variable_is_set_to_zero() -> None:
    state = a_services_state("10")

    assert next_write(a_services_plan(), state) == SetVariable(
        service=state.switch.name, variable="CANARY_TRAFFIC_PERCENTAGE", value="0"
    )


@pytest.mark.parametrize("unreadable", ["", "ten", None])
def test_a_variable_that_became_unreadable_is_set_to_zero_as_well(unreadable: str | None) -> None:
    assert isinstance(next_write(a_services_plan(), a_services_state(unreadable)), SetVariable)


def test_a_router_that_serves_latest_needs_no_second_write() -> None:
    assert next_write(a_services_plan(), a_services_state("0")) is None


ROUTER_2 = RevisionName("ion-chat-router-00002-bbb")
PINNED = (share(ROUTER_1, 100, tag="blue"),)


def a_pinned_router(**more: object) -> TargetState:
    known = {"wanted": PINNED, "observed": PINNED, "latest_created": ROUTER_2, "latest_ready": ROUTER_2}
    return a_services_state("0", **(known | more))


def test_a_pinned_router_is_moved_to_its_new_revision() -> None:
    write = next_write(a_services_plan(), a_pinned_router())

    assert write == PinTraffic(service=a_router().name, revision=ROUTER_2, tags=(("blue", ROUTER_1),))


def test_a_pinned_router_waits_until_its_new_revision_is_ready() -> None:
    state = a_pinned_router(latest_ready=ROUTER_1)

    assert next_write(a_services_plan(), state) is None
    assert not has_settled(a_services_plan(), state)


# Settled.


def test_a_rollback_has_settled_once_stable_is_observed_to_serve_everything() -> None:
    assert has_settled(a_plan(), a_state(share(STABLE, 100)))


@pytest.mark.parametrize(
    "still_moving",
    [
        {"reconciling": True},
        {"observed_generation": 6},
        {"observed": (share(STABLE, 90), share(CANARY, 10))},
        {"observed": ()},
        {"wanted": (share(STABLE, 99), share(CANARY, 1))},
    ],
)
def test_a_rollback_has_not_settled_while_anything_still_moves(still_moving: dict[str, object]) -> None:
    state = a_state(share(STABLE, 100))

    assert not has_settled(a_plan(), replace(state, switch=replace(state.switch, **still_moving)))  # type: ignore[arg-type]


def test_a_router_has_settled_once_its_new_revision_serves_everything() -> None:
    done = written(
        a_services_state("10"),
        SetVariable(service=a_router().name, variable="CANARY_TRAFFIC_PERCENTAGE", value="0"),
    )

    assert has_settled(a_services_plan(), done)


@pytest.mark.parametrize(
    "not_yet",
    [{"latest_ready": ROUTER_1, "latest_created": ROUTER_2}, {"latest_created": None}, {"observed": ()}],
)
def test_a_router_has_not_settled_before_its_new_revision_serves(not_yet: dict[str, object]) -> None:
    assert not has_settled(a_services_plan(), a_services_state("0", **not_yet))


# Any split there can be.


@st.composite
def splits(draw: st.DrawFn) -> TargetState:
    """Draw a service with up to five revisions and any traffic among them."""
    count = draw(st.integers(1, 5))
    names = [RevisionName(f"ion-api-{n:05d}-abc") for n in range(count)]
    ages = draw(st.permutations(range(count)))
    revisions = tuple(
        Revision(name=name, created_at=NOON - timedelta(hours=age), ready=draw(st.booleans()))
        for name, age in zip(names, ages, strict=True)
    )

    def a_list() -> tuple[TrafficShare, ...]:
        cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=count - 1, max_size=count - 1)))
        percents = [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
        return tuple(
            share(name, percent, tag=draw(st.sampled_from([None, f"t{n}"])))
            for n, (name, percent) in enumerate(zip(names, percents, strict=True))
        )

    return TargetState(switch=a_service(wanted=a_list(), observed=a_list(), revisions=revisions))


@given(splits())
def test_writing_what_is_needed_always_ends_with_everything_on_stable(state: TargetState) -> None:
    plan = make_plan(a_target(), state)
    if not isinstance(plan, Plan):
        return
    tags = {(s.tag, s.revision) for s in state.switch.wanted if s.tag}

    writes = 0
    while (write := next_write(plan, state)) is not None:
        assert isinstance(write, PinTraffic)
        assert write.revision == plan.stable != plan.canary
        state, writes = written(state, write), writes + 1
    if not writes:
        # Somebody had asked for it already, and Cloud Run comes round to it.
        state = replace(state, switch=replace(state.switch, observed=state.switch.wanted))

    assert writes <= MOST_WRITES
    assert has_settled(plan, state)
    assert state.switch.observed_percent(RevisionName(plan.stable)) == 100
    assert {(s.tag, s.revision) for s in state.switch.wanted if s.tag} >= (tags if writes else set())


@given(splits())
def test_a_plan_goes_to_a_ready_revision_that_is_not_the_canary(state: TargetState) -> None:
    plan = make_plan(a_target(), state)

    if isinstance(plan, Plan):
        stable = state.switch.revision(RevisionName(plan.stable))
        assert stable is not None
        assert stable.ready
        assert plan.canary != plan.stable
        assert 0 < plan.canary_percent <= 200


@given(percent=st.integers(1, 100), pinned=st.booleans())
def test_a_routers_share_always_ends_at_zero_on_a_serving_revision(percent: int, pinned: bool) -> None:
    more = {"wanted": PINNED, "observed": PINNED} if pinned else {}
    state, plan = a_services_state(str(percent), **more), a_services_plan()

    writes = 0
    while (write := next_write(plan, state)) is not None:
        state, writes = written(state, write), writes + 1

    assert writes == (2 if pinned else 1)
    assert has_settled(plan, state)
    assert state.switch.environment["CANARY_TRAFFIC_PERCENTAGE"] == "0"


# Where the numbers are.


def test_a_plan_names_the_revisions_whose_numbers_count() -> None:
    found = sides(a_target(), a_plan(), a_state())

    name = a_service().name
    assert found.stable == SideAddress(service=name, revision=STABLE)
    assert found.canary == SideAddress(service=name, revision=CANARY)


def test_without_a_plan_the_biggest_share_is_stable_and_there_is_no_canary() -> None:
    found = sides(a_target(), None, a_state(share(STABLE, 100)))

    assert (found.stable.revision, found.canary) == (STABLE, None)


def test_without_any_traffic_the_whole_service_is_stable() -> None:
    found = sides(a_target(), None, TargetState(switch=a_service(wanted=(), observed=())))

    assert (found.stable.revision, found.canary) == (None, None)


@pytest.mark.parametrize("plan", [None, a_services_plan()])
def test_two_services_are_the_two_sides(plan: Plan | None) -> None:
    found = sides(a_services_target(), plan, a_services_state())

    assert found.stable == SideAddress(service="ion-chat")  # type: ignore[arg-type]
    assert found.canary == SideAddress(service="ion-chat-canary")  # type: ignore[arg-type]
