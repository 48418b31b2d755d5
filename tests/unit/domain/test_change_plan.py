"""What a change of a canary would do, and what it still needs, on both topologies."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.change import (
    CannotChange,
    CannotWhy,
    Change,
    ChangeKind,
    ChangePlan,
    ChangeState,
    Done,
    SetResources,
    SplitTraffic,
    Written,
)
from bot.domain.change_plan import cannot_have, is_the_point, make_change_plan, next_change_write
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.playbook import Target
from bot.domain.resources import CPU_CHOICES_MILLI, MEMORY_CHOICES_MIB, MOST_INSTANCES, Resource, Resources
from bot.domain.rollback import PinTraffic, SetVariable, UnsureWhy
from bot.domain.traffic import TargetState
from tests.fakes import written
from tests.values import (
    BOTH,
    CANARY,
    MORE_MEMORY,
    RESOURCES,
    ROUTER_1,
    STABLE,
    a_change,
    a_revision,
    a_service,
    a_services_state,
    a_services_target,
    a_state,
    a_target,
    share,
)

REDUCE, ADD = ChangeKind.REDUCE_TRAFFIC, ChangeKind.ADD_RESOURCES
OTHER = RevisionName("ion-api-00040-jon")
NEW = RevisionName("ion-api-00043-new")


def why(found: object) -> CannotWhy:
    assert isinstance(found, CannotChange), found
    return found.why


def planned(change: Change, state: TargetState, target: Target | None = None) -> Change:
    """Return `change` with its plan, decided for."""
    plan = make_change_plan(target or a_target(), state, change)
    assert isinstance(plan, ChangePlan), plan
    return replace(change, plan=plan, state=ChangeState.REQUESTED)


def chat(written: str | None = "10", **canary: Any) -> TargetState:
    """Return router, stable and canary service; the canary's serves LATEST unless told otherwise."""
    state = a_services_state(written)
    name = RevisionName("ion-chat-canary-00003-tam")
    latest = (share(name, 100, latest=True),)
    known: dict[str, Any] = {
        "latest_created": name,
        "latest_ready": name,
        "wanted": latest,
        "observed": latest,
    }
    assert state.canary is not None
    return replace(state, canary=replace(state.canary, **(known | canary)))


# Less traffic, between revisions.


@pytest.mark.parametrize("percent", [1, 9])
def test_a_lower_share_is_planned_from_what_is_to_what_is_wanted(percent: int) -> None:
    plan = make_change_plan(a_target(), a_state(), a_change(percent=percent))

    assert isinstance(plan, ChangePlan)
    assert (plan.canary, plan.stable, plan.percent) == (CANARY, STABLE, 10)


@pytest.mark.parametrize("percent", [10, 11, 99])
def test_the_share_of_now_and_more_is_refused_and_says_what_to_write(percent: int) -> None:
    found = make_change_plan(a_target(), a_state(), a_change(percent=percent))

    assert found == CannotChange(CannotWhy.NOT_LOWER, detail="10", instead="9")


def test_below_one_percent_there_is_only_the_rollback() -> None:
    one = a_state(share(STABLE, 99), share(CANARY, 1))

    assert why(make_change_plan(a_target(), a_state(), a_change(percent=0))) is CannotWhy.ROLLBACK_INSTEAD
    found = make_change_plan(a_target(), one, a_change(percent=1))
    assert found == CannotChange(CannotWhy.NOT_LOWER, detail="1", instead="")


def test_without_a_split_there_is_no_canary_to_reduce() -> None:
    state = a_state(share(STABLE, 100), revisions=(a_revision(STABLE),))

    assert why(make_change_plan(a_target(), state, a_change())) is CannotWhy.NO_CANARY


def test_stable_is_chosen_as_a_rollback_chooses_it_and_never_guessed() -> None:
    state = a_state(share(CANARY, 100))

    found = make_change_plan(a_target(), state, a_change())

    assert isinstance(found, CannotChange)
    assert (found.why, found.about) == (CannotWhy.UNSURE, UnsureWhy.CANARY_HAS_EVERYTHING)
    named = make_change_plan(a_target(stable_revision=STABLE), state, a_change())
    assert isinstance(named, ChangePlan)
    assert (named.stable, named.percent) == (STABLE, 100)


def test_the_split_is_written_by_name_with_its_tags_and_others_give_theirs_to_stable() -> None:
    three = (*BOTH, a_revision(OTHER, age_hours=48))
    state = a_state(share(STABLE, 70), share(OTHER, 20), share(CANARY, 10, tag="canary"), revisions=three)
    change = planned(a_change(), state)

    write = next_change_write(change, state)

    assert write == SplitTraffic(
        service=ServiceName("ion-api"), shares=((STABLE, 95), (CANARY, 5)), tags=(("canary", CANARY),)
    )
    assert isinstance(write, SplitTraffic)
    assert is_the_point(change, write)


@pytest.mark.parametrize("now", [5, 3, 0])
def test_a_share_that_somebody_reduced_meanwhile_is_not_raised_again(now: int) -> None:
    change = planned(a_change(), a_state())

    assert next_change_write(change, a_state(share(STABLE, 100 - now), share(CANARY, now))) == Done()


def test_a_share_that_somebody_reduced_after_our_write_is_not_called_ours() -> None:
    change = replace(planned(a_change(), a_state()), writes=1)

    found = next_change_write(change, a_state(share(STABLE, 97), share(CANARY, 3)))

    assert why(found) is CannotWhy.CHANGED


def test_it_is_done_only_when_it_is_observed_and_settled() -> None:
    change = planned(a_change(), a_state())
    wanted = (share(STABLE, 95), share(CANARY, 5))

    assert next_change_write(change, a_state(*wanted, observed=a_service().observed)) == Written()
    assert next_change_write(change, a_state(*wanted, reconciling=True)) == Written()
    assert next_change_write(change, a_state(*wanted)) == Done()


@pytest.mark.parametrize("stable", [(), (a_revision(STABLE, ready=False),)])
def test_no_traffic_goes_to_a_stable_revision_that_is_gone_or_not_ready(stable: tuple[Any, ...]) -> None:
    change = planned(a_change(), a_state())

    found = next_change_write(change, a_state(revisions=(BOTH[0], *stable)))

    assert why(found) is CannotWhy.UNSURE


REVISIONS = (CANARY, STABLE, OTHER)


@given(
    st.lists(st.integers(0, 100), min_size=3, max_size=3).filter(lambda parts: sum(parts) > 0),
    st.integers(-5, 105),
    st.booleans(),
)
def test_whatever_serves_no_plan_raises_the_share_or_names_latest(
    parts: list[int], percent: int, latest: bool
) -> None:
    total = sum(parts)
    shares = [part * 100 // total for part in parts]
    shares[1] += 100 - sum(shares)
    lines = [
        share(name, part, tag=f"t{n}") for n, (name, part) in enumerate(zip(REVISIONS, shares, strict=True))
    ]
    lines[0] = replace(lines[0], latest=latest)
    state = a_state(*lines, revisions=(*BOTH, a_revision(OTHER, age_hours=48)))

    plan = make_change_plan(a_target(), state, a_change(percent=percent))

    if isinstance(plan, ChangePlan):
        change = replace(a_change(percent=percent), plan=plan, state=ChangeState.REQUESTED)
        write = next_change_write(change, state)
        assert isinstance(write, SplitTraffic)
        given_to = dict(write.shares)
        assert sum(given_to.values()) == 100
        assert (
            given_to[RevisionName(plan.canary)]
            == percent
            < state.switch.wanted_percent(RevisionName(plan.canary))
        )
        assert set(given_to) == {plan.canary, plan.stable}
        assert {tag for tag, _ in write.tags} == {"t0", "t1", "t2"}
        assert next_change_write(change, written(state, write)) == Done()


# Less traffic, by a router's variable.


def test_the_router_is_told_the_new_share() -> None:
    change = planned(a_change(), chat(), a_services_target())

    write = next_change_write(change, chat())

    assert write == SetVariable(
        service=ServiceName("ion-chat-router"), variable="CANARY_TRAFFIC_PERCENTAGE", value="5"
    )


@pytest.mark.parametrize("now", ["5", "4", "0"])
def test_the_routers_share_is_never_raised(now: str) -> None:
    change = planned(a_change(), chat(), a_services_target())

    assert next_change_write(change, chat(now)) == Done()


@pytest.mark.parametrize("written", ["ten", "101", "", None])
def test_a_share_that_cannot_be_read_is_not_changed(written: str | None) -> None:
    found = make_change_plan(a_services_target(), chat(written), a_change())

    assert isinstance(found, CannotChange)
    assert (found.why, found.about) == (CannotWhy.UNSURE, UnsureWhy.VARIABLE_UNREADABLE)


def test_a_router_that_serves_older_code_than_its_template_is_left_alone() -> None:
    waiting = RevisionName("ion-chat-router-00002-bbb")
    pinned = (share(ROUTER_1, 100),)
    state = replace(
        chat(), switch=replace(chat().switch, wanted=pinned, observed=pinned, latest_created=waiting)
    )

    assert why(make_change_plan(a_services_target(), state, a_change())) is CannotWhy.NOT_SERVING
    approved = planned(a_change(), chat(), a_services_target())
    assert why(next_change_write(approved, state)) is CannotWhy.NOT_SERVING


def test_a_pinned_router_is_moved_along_when_its_new_revision_is_ready() -> None:
    pinned = (share(ROUTER_1, 100),)
    before = replace(chat(), switch=replace(chat().switch, wanted=pinned, observed=pinned))
    change = planned(a_change(), before, a_services_target())
    write = next_change_write(change, before)
    assert isinstance(write, SetVariable)
    after = written(before, write)
    starting = replace(after, switch=replace(after.switch, latest_ready=ROUTER_1))

    assert next_change_write(change, starting) == Written()
    follow = next_change_write(change, after)
    assert isinstance(follow, PinTraffic)
    assert not is_the_point(change, follow)
    assert next_change_write(change, written(after, follow)) == Done()


def test_a_router_revision_that_does_not_start_is_said_so() -> None:
    change = planned(a_change(), chat(), a_services_target())
    after = written(
        chat(),
        SetVariable(service=ServiceName("ion-chat-router"), variable="CANARY_TRAFFIC_PERCENTAGE", value="5"),
    )
    # Cloud Run never observes a generation that it could not bring to serve.
    failed = replace(
        after,
        switch=replace(
            after.switch,
            latest_ready=ROUTER_1,
            problem="it crashed",
            observed_generation=after.switch.generation - 1,
        ),
    )

    found = next_change_write(change, failed)

    assert isinstance(found, CannotChange)
    assert (found.why, found.detail) == (CannotWhy.REVISION_FAILED, "it crashed")


# More resources: what is allowed.


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Resources(), (CannotWhy.NOTHING_ASKED, "")),
        (Resources(memory_mib=256), (CannotWhy.NOT_MORE, "1024")),
        (Resources(memory_mib=512), (CannotWhy.NOT_MORE, "1024")),
        (Resources(memory_mib=513), None),
        (Resources(memory_mib=4096), None),
        (Resources(memory_mib=4097), (CannotWhy.NEEDS_CPU, "2000")),
        (Resources(memory_mib=8192), (CannotWhy.NEEDS_CPU, "2000")),
        (Resources(memory_mib=8192, cpu_milli=2000), None),
        (Resources(memory_mib=8193, cpu_milli=2000), (CannotWhy.NEEDS_CPU, "4000")),
        (Resources(memory_mib=32768, cpu_milli=8000), None),
        (Resources(memory_mib=32769, cpu_milli=8000), (CannotWhy.TOO_MUCH, "32768")),
        (Resources(cpu_milli=1000), (CannotWhy.NOT_MORE, "2000")),
        (Resources(cpu_milli=2000), None),
        (Resources(cpu_milli=3000), (CannotWhy.NOT_ALLOWED, "4000")),
        (Resources(cpu_milli=4000), (CannotWhy.NEEDS_MEMORY, "2048")),
        (Resources(cpu_milli=4000, memory_mib=2047), (CannotWhy.NEEDS_MEMORY, "2048")),
        (Resources(cpu_milli=4000, memory_mib=2048), None),
        (Resources(cpu_milli=9000), (CannotWhy.NOT_ALLOWED, "8000")),
        (Resources(min_instances=0), (CannotWhy.NOT_MORE, "1")),
        (Resources(min_instances=1), None),
        (Resources(min_instances=5), None),
        (Resources(min_instances=6), (CannotWhy.MIN_ABOVE_MAX, "6")),
        (Resources(min_instances=6, max_instances=6), None),
        (Resources(max_instances=5), (CannotWhy.NOT_MORE, "6")),
        (Resources(max_instances=6), None),
        (Resources(max_instances=MOST_INSTANCES), None),
        (Resources(max_instances=MOST_INSTANCES + 1), (CannotWhy.TOO_MUCH, str(MOST_INSTANCES))),
        (Resources(memory_mib=512, cpu_milli=2000), None),
        (Resources(memory_mib=256, cpu_milli=2000), (CannotWhy.NOT_MORE, "1024")),
    ],
)
def test_limits_go_up_only_and_within_cloud_runs_rules(
    wanted: Resources, expected: tuple[CannotWhy, str] | None
) -> None:
    found = cannot_have(wanted, RESOURCES)

    assert (found and (found.why, found.instead)) == expected


def test_a_limit_that_cannot_be_read_is_not_changed() -> None:
    found = cannot_have(MORE_MEMORY, replace(RESOURCES, memory_mib=None))

    assert found == CannotChange(CannotWhy.UNREADABLE, about=Resource.MEMORY)


@pytest.mark.parametrize(
    ("cpu_milli", "most_mib"), [(80, 512), (499, 512), (500, 1024), (999, 1024), (1000, 4096)]
)
def test_less_than_one_cpu_takes_little_memory(cpu_milli: int, most_mib: int) -> None:
    now = replace(RESOURCES, cpu_milli=cpu_milli, memory_mib=128)

    assert cannot_have(Resources(memory_mib=most_mib), now) is None
    assert why(cannot_have(Resources(memory_mib=most_mib + 1), now)) is CannotWhy.NEEDS_CPU


SOME = st.one_of(st.none(), st.sampled_from(MEMORY_CHOICES_MIB))
CPUS = st.one_of(st.none(), st.sampled_from(CPU_CHOICES_MILLI))
COUNTS = st.one_of(st.none(), st.integers(0, 1200))


@given(SOME, CPUS, COUNTS, COUNTS)
def test_following_the_advice_always_leads_to_something_that_is_possible(
    memory: int | None, cpu: int | None, fewest: int | None, most: int | None
) -> None:
    wanted = Resources(memory_mib=memory, cpu_milli=cpu, min_instances=fewest, max_instances=most)
    for _ in range(12):
        found = cannot_have(wanted, RESOURCES)
        if found is None or found.why is CannotWhy.NOTHING_ASKED:
            return
        named = {
            CannotWhy.NEEDS_CPU: Resource.CPU,
            CannotWhy.NEEDS_MEMORY: Resource.MEMORY,
            CannotWhy.MIN_ABOVE_MAX: Resource.MAX_INSTANCES,
        }
        resource = named.get(found.why) or Resource(found.about)
        wanted = wanted.with_more(Resources(**{resource.value: int(found.instead)}))
    raise AssertionError(f"{wanted} is still refused: {found}")


# More resources: what is written.


def test_between_revisions_the_template_comes_first_and_moves_nothing() -> None:
    state = a_state(share(STABLE, 90), share(CANARY, 10, tag="canary"))
    change = planned(a_change(ADD), state)

    assert change.plan is not None
    assert (change.plan.replaces, change.plan.percent, change.plan.by_name) == (CANARY, 10, True)
    first = next_change_write(change, state)
    assert first == SetResources(service=ServiceName("ion-api"), resources=MORE_MEMORY)
    assert isinstance(first, SetResources)
    assert is_the_point(change, first)
    after = written(state, first)
    assert after.switch.wanted == state.switch.wanted


def test_the_share_of_the_old_revision_moves_when_the_new_one_is_ready() -> None:
    state = a_state(share(STABLE, 90), share(CANARY, 10, tag="canary"))
    change = planned(a_change(ADD), state)
    after = written(state, SetResources(service=ServiceName("ion-api"), resources=MORE_MEMORY))
    new = after.switch.latest_created
    assert new is not None
    starting = replace(after, switch=replace(after.switch, latest_ready=CANARY, reconciling=True))

    assert next_change_write(change, starting) == Written()
    move = next_change_write(change, after)
    assert move == SplitTraffic(
        service=ServiceName("ion-api"), shares=((STABLE, 90), (new, 10)), tags=(("canary", CANARY),)
    )
    assert isinstance(move, SplitTraffic)
    assert not is_the_point(change, move)
    moved = written(after, move)
    not_observed = replace(moved, switch=replace(moved.switch, observed=after.switch.observed))
    assert next_change_write(change, not_observed) == Written()
    assert next_change_write(change, moved) == Done()


def test_a_canary_that_follows_latest_follows_by_itself() -> None:
    state = a_state(share(STABLE, 90), share(CANARY, 10, latest=True))
    change = planned(a_change(ADD), state)
    after = written(state, SetResources(service=ServiceName("ion-api"), resources=MORE_MEMORY))

    assert change.plan is not None
    assert not change.plan.by_name
    assert next_change_write(change, after) == Done()


@pytest.mark.parametrize(
    "changed",
    [
        {"latest_created": NEW},
        {"latest_created": NEW, "latest_ready": NEW},
        {"latest_ready": STABLE},
    ],
)
def test_a_template_that_is_not_the_serving_canarys_is_left_alone(changed: dict[str, Any]) -> None:
    found = make_change_plan(a_target(), a_state(**changed), a_change(ADD))

    assert why(found) is CannotWhy.NOT_SERVING


def test_after_a_rollback_more_resources_would_bring_the_canarys_code_back() -> None:
    state = a_state(share(STABLE, 100))

    assert why(make_change_plan(a_target(), state, a_change(ADD))) in (
        CannotWhy.NO_CANARY,
        CannotWhy.UNSURE,
    )


@pytest.mark.parametrize(
    "changed", [{"latest_created": NEW, "latest_ready": NEW}, {"images": ("ion-api:43",)}]
)
def test_a_deployment_after_the_approval_ends_it(changed: dict[str, Any]) -> None:
    change = planned(a_change(ADD), a_state())

    assert why(next_change_write(change, a_state(**changed))) is CannotWhy.CHANGED


def test_a_canary_that_lost_its_traffic_meanwhile_gets_none_back() -> None:
    change = replace(planned(a_change(ADD), a_state()), writes=1)
    after = written(a_state(), SetResources(service=ServiceName("ion-api"), resources=MORE_MEMORY))
    lines = (share(STABLE, 100),)
    rolled_back = replace(after, switch=replace(after.switch, wanted=lines, observed=lines))

    assert why(next_change_write(change, rolled_back)) is CannotWhy.NO_CANARY


def test_a_new_revision_that_does_not_start_leaves_the_old_one_serving() -> None:
    change = replace(planned(a_change(ADD), a_state()), writes=1)
    after = written(a_state(), SetResources(service=ServiceName("ion-api"), resources=MORE_MEMORY))
    failed = replace(after, switch=replace(after.switch, latest_ready=CANARY, problem="no memory left"))

    assert why(next_change_write(change, failed)) is CannotWhy.REVISION_FAILED


def test_what_somebody_added_meanwhile_is_not_taken_away_again() -> None:
    change = planned(a_change(ADD, resources=Resources(memory_mib=1024, max_instances=10)), a_state())
    more = replace(RESOURCES, memory_mib=2048)

    write = next_change_write(change, a_state(resources=more))

    assert write == SetResources(service=ServiceName("ion-api"), resources=Resources(max_instances=10))


def test_with_two_services_the_canarys_own_one_grows() -> None:
    change = planned(a_change(ADD), chat(), a_services_target())

    write = next_change_write(change, chat())

    assert write == SetResources(service=ServiceName("ion-chat-canary"), resources=MORE_MEMORY)
    assert next_change_write(change, written(chat(), write)) == Done()


def test_a_canary_service_that_is_pinned_gives_its_share_to_the_new_revision() -> None:
    name = RevisionName("ion-chat-canary-00003-tam")
    pinned = (share(name, 100, tag="now"),)
    state = chat(wanted=pinned, observed=pinned)
    change = planned(a_change(ADD), state, a_services_target())
    write = next_change_write(change, state)
    assert isinstance(write, SetResources)
    after = written(state, write)

    move = next_change_write(change, after)

    assert after.canary is not None
    new = after.canary.latest_created
    assert new is not None
    assert move == SplitTraffic(
        service=ServiceName("ion-chat-canary"),
        shares=((new, 100),),
        tags=(("now", name),),
    )


def test_without_a_canary_service_nothing_can_be_added() -> None:
    gone = replace(chat(), canary=None)

    assert why(make_change_plan(a_services_target(), gone, a_change(ADD))) is CannotWhy.NO_CANARY_SERVICE
    approved = planned(a_change(ADD), chat(), a_services_target())
    assert why(next_change_write(approved, gone)) is CannotWhy.NO_CANARY_SERVICE


def test_nothing_is_written_for_a_change_that_was_never_planned() -> None:
    with pytest.raises(ValueError, match="without a plan"):
        next_change_write(a_change(), a_state())
