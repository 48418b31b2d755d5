"""From what Cloud Run shows to the canary that may be watched, with its share."""

from bot.domain.ids import RevisionName
from bot.domain.plan import canary_share
from bot.domain.playbook import Target, Topology
from bot.domain.rollback import Plan
from bot.domain.traffic import TargetState
from bot.domain.watch import CanarySeen
from bot.usecases.look_at_target import Sight


def see_canary(target: Target, sight: Sight) -> CanarySeen | None:
    """Return the canary that has traffic, None where there is none or where only a person can tell."""
    plan = sight.plan
    if not isinstance(plan, Plan):
        return None
    share = share_of(plan.canary, target, sight.state)
    return CanarySeen(
        canary=plan.canary,
        revision=_revision(plan, sight.state),
        stable=plan.stable,
        percent=plan.canary_percent if share is None else share,
        sides=sight.sides,
        deployed_at=sight.deployed_at,
        split_at=sight.state.switch.updated_at,
    )


def _revision(plan: Plan, state: TargetState) -> str:
    if plan.topology is Topology.REVISIONS:
        return plan.canary
    return (state.canary.latest_ready if state.canary else None) or plan.canary


def share_of(canary: str, target: Target, state: TargetState) -> int | None:
    """Return what `canary` gets now, percent; None when a router's variable is not readable.

    A revision that has disappeared gets nothing.
    """
    if target.topology is Topology.REVISIONS:
        name = RevisionName(canary)
        return (
            state.switch.observed_percent(name)
            if state.switch.observed
            else state.switch.wanted_percent(name)
        )
    assert target.router is not None
    return canary_share(state.switch.environment.get(target.router.variable, ""))


def has_part_of_it(seen: CanarySeen, target: Target) -> bool:
    """True when a canary has traffic that can be taken from it and compared with stable's.

    On topology ``services`` even all of it, because the service keeps its name and its place as the canary.
    """
    return 0 < seen.percent < 100 or (target.topology is Topology.SERVICES and seen.percent == 100)
