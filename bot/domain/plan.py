"""Taking a canary out of traffic: which side is stable, what is still to be written, has it settled.

Nothing here talks to Cloud Run. Every function looks at what was read and says what is still
needed, so a rollback that died half way is finished by reading the world again.
"""

from collections.abc import Mapping

from bot.domain.ids import RevisionName, ServiceName
from bot.domain.playbook import Target, Topology
from bot.domain.rollback import (
    CannotChoose,
    NothingToRollBack,
    NothingWhy,
    PinTraffic,
    Plan,
    SetVariable,
    UnsureWhy,
    Write,
)
from bot.domain.traffic import Revision, ServiceState, SideAddress, Sides, TargetState


def make_plan(target: Target, state: TargetState) -> Plan | NothingToRollBack | CannotChoose:
    """Say which side is stable and what a rollback would change, or why that cannot be said.

    Stable is the configured revision or tag; else, during a split, the non-canary revision with
    the largest observed share, the canary being the newest revision with traffic. Never "the
    second newest": during a split both sides are named by the traffic itself.
    Source: design, "Targets and topologies"; reference/cloud-run-and-canary.md, B.5.
    """
    if target.topology is Topology.SERVICES:
        return _plan_for_services(target, state)
    return _plan_for_revisions(target, state.switch)


def _plan_for_services(target: Target, state: TargetState) -> Plan | NothingToRollBack | CannotChoose:
    assert target.router is not None
    assert target.canary_service is not None
    written = state.switch.environment.get(target.router.variable, "")
    percent = canary_share(written)
    if percent is None:
        return CannotChoose(UnsureWhy.VARIABLE_UNREADABLE, f"{target.router.variable}={written!r}")
    if percent == 0:
        return NothingToRollBack(NothingWhy.ALREADY_AT_ZERO, target.service)
    return Plan(
        topology=Topology.SERVICES,
        service=ServiceName(target.router.service),
        canary=target.canary_service,
        stable=target.service,
        canary_percent=percent,
        variable=target.router.variable,
    )


def canary_share(written: str) -> int | None:
    """Return the percentage a router's variable says, None when it is not a whole number 0 to 100."""
    text = written.strip()
    if not (text.isascii() and text.isdigit()) or int(text) > 100:
        return None
    return int(text)


def _plan_for_revisions(target: Target, service: ServiceState) -> Plan | NothingToRollBack | CannotChoose:
    shares = _serving(service)
    stable = _configured_stable(target, service)
    if isinstance(stable, CannotChoose):
        return stable
    if stable is None:
        if len(shares) < 2:
            return _one_revision_serves(service, shares)
        newest = _newest(service, shares)
        others = sorted((share, name) for name, share in shares.items() if name != newest)
        if len(others) > 1 and others[-1][0] == others[-2][0]:
            return CannotChoose(UnsureWhy.TIE, ", ".join(sorted(shares)), _ready_revisions(service))
        stable = others[-1][1]
    elif set(shares) == {stable}:
        return NothingToRollBack(NothingWhy.NO_SPLIT, stable)
    known = service.revision(stable)
    if known is None:
        return CannotChoose(UnsureWhy.STABLE_MISSING, stable, _ready_revisions(service))
    if not known.ready:
        return CannotChoose(UnsureWhy.STABLE_NOT_READY, stable, _ready_revisions(service))
    canaries = {name: share for name, share in shares.items() if name != stable}
    if not canaries:
        return NothingToRollBack(NothingWhy.NO_SPLIT, stable)
    return Plan(
        topology=Topology.REVISIONS,
        service=service.name,
        canary=_newest(service, canaries),
        stable=stable,
        canary_percent=sum(canaries.values()),
    )


def _serving(service: ServiceState) -> dict[RevisionName, int]:
    """Shares above zero by revision: observed, or wanted while nothing has been observed yet."""
    lines = service.observed or service.wanted
    shares: dict[RevisionName, int] = {}
    for line in lines:
        if line.revision and line.percent > 0:
            shares[line.revision] = shares.get(line.revision, 0) + line.percent
    # A canary that was asked for but is not observed yet is already on its way: roll it back too.
    for line in service.wanted:
        if line.revision and line.percent > 0:
            shares.setdefault(line.revision, line.percent)
    return shares


def _configured_stable(target: Target, service: ServiceState) -> RevisionName | CannotChoose | None:
    if target.stable_revision:
        return RevisionName(target.stable_revision)
    if not target.stable_tag:
        return None
    tagged = next((s.revision for s in service.wanted if s.tag == target.stable_tag), None)
    if tagged is None:
        return CannotChoose(UnsureWhy.STABLE_MISSING, f"tag {target.stable_tag}", _ready_revisions(service))
    return tagged


def _one_revision_serves(
    service: ServiceState, shares: Mapping[RevisionName, int]
) -> NothingToRollBack | CannotChoose:
    """One revision has everything. With an older ready one beside it that may well be the canary."""
    serving = next(iter(shares), RevisionName(""))
    older = tuple(r for r in _ready_revisions(service) if r.name != serving)
    alone = service.revision(serving)
    if alone is not None and any(r.created_at > alone.created_at for r in service.revisions):
        return NothingToRollBack(NothingWhy.NO_SPLIT, serving)
    if older:
        return CannotChoose(UnsureWhy.CANARY_HAS_EVERYTHING, serving, older)
    return NothingToRollBack(NothingWhy.NO_SPLIT, serving)


def _newest(service: ServiceState, among: Mapping[RevisionName, int]) -> RevisionName:
    by_age = [r.name for r in sorted(service.revisions, key=lambda r: r.created_at) if r.name in among]
    return by_age[-1] if by_age else max(among)


def _ready_revisions(service: ServiceState) -> tuple[Revision, ...]:
    ready = (r for r in service.revisions if r.ready)
    return tuple(sorted(ready, key=lambda r: r.created_at, reverse=True))


def stable_is_ready(plan: Plan, state: TargetState) -> bool:
    """True when traffic may go where `plan` sends it: its stable revision is there, and ready."""
    if plan.topology is Topology.SERVICES:
        return True
    revision = state.switch.revision(RevisionName(plan.stable))
    return revision is not None and revision.ready


def next_write(plan: Plan, state: TargetState) -> Write | None:
    """Return the one write that is still needed for `plan`, None when everything is as wanted.

    On topology ``services`` a router whose own traffic is pinned to an old revision would keep
    serving the old variable, so once the new revision is ready its traffic is moved to it.
    """
    service = state.switch
    if plan.topology is Topology.REVISIONS:
        if service.wanted_percent(RevisionName(plan.stable)) == 100:
            return None
        return PinTraffic(service=service.name, revision=RevisionName(plan.stable), tags=tags_of(service))
    assert plan.variable is not None
    if canary_share(service.environment.get(plan.variable, "")) != 0:
        return SetVariable(service=service.name, variable=plan.variable, value="0")
    return follow_newest(service)


def follow_newest(service: ServiceState) -> PinTraffic | None:
    """Return the write that gives everything to the newest revision, None when it has it or is not ready."""
    newest = service.latest_created
    if newest is None or newest != service.latest_ready:
        return None
    if any(s.latest and s.percent == 100 for s in service.wanted) or service.wanted_percent(newest) == 100:
        return None
    return PinTraffic(service=service.name, revision=newest, tags=tags_of(service))


def tags_of(service: ServiceState) -> tuple[tuple[str, RevisionName], ...]:
    """Return the tags of a service with their revisions; a write that left them out would drop them."""
    return tuple((s.tag, s.revision) for s in service.wanted if s.tag and s.revision)


def has_settled(plan: Plan, state: TargetState) -> bool:
    """True when Cloud Run is observed to serve what `plan` wants, and is done moving."""
    service = state.switch
    if not service.settled or next_write(plan, state) is not None:
        return False
    if plan.topology is Topology.REVISIONS:
        return service.observed_percent(RevisionName(plan.stable)) == 100
    newest = service.latest_created
    return newest is not None and newest == service.latest_ready and service.observed_percent(newest) == 100


def sides(target: Target, plan: Plan | None, state: TargetState) -> Sides:
    """Say where each side's numbers are found: by `plan` if there is one, else by who serves now."""
    if plan is not None or target.topology is Topology.SERVICES:
        return sides_of(target, plan)
    shares = _serving(state.switch)
    biggest = max(shares, key=lambda name: shares[name]) if shares else None
    return Sides(stable=SideAddress(service=ServiceName(target.service), revision=biggest), canary=None)


def sides_of(target: Target, plan: Plan | None) -> Sides:
    """Say where both sides are found without asking anybody; topology ``services`` needs no plan for it."""
    service = ServiceName(target.service)
    if target.topology is Topology.SERVICES:
        assert target.canary_service is not None
        canary = SideAddress(service=ServiceName(target.canary_service))
        return Sides(stable=SideAddress(service=service), canary=canary)
    assert plan is not None
    return Sides(
        stable=SideAddress(service=service, revision=RevisionName(plan.stable)),
        canary=SideAddress(service=service, revision=RevisionName(plan.canary)),
    )
