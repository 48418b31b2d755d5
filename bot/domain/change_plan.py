"""Changing a canary: what a change would do, what is still to be written, and whether it is seen.

Nothing here talks to Cloud Run. Every function looks at what was read and says what is still
needed, so a change that died half way is finished by reading the world again. A share is never
raised and a limit never lowered, whatever somebody else did meanwhile.
"""

from bot.domain.change import (
    CannotChange,
    CannotWhy,
    Change,
    ChangeKind,
    ChangePlan,
    ChangeWrite,
    Done,
    SetResources,
    SplitTraffic,
    Written,
)
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.plan import canary_share, follow_newest, make_plan, tags_of
from bot.domain.playbook import Target, Topology
from bot.domain.resources import (
    CPU_CHOICES_MILLI,
    MEMORY_CHOICES_MIB,
    MOST_INSTANCES,
    Resource,
    Resources,
    cpu_for_memory,
    memory_range_mib,
)
from bot.domain.rollback import CannotChoose, NothingToRollBack, Plan, SetVariable, UnsureWhy
from bot.domain.traffic import ServiceState, TargetState


def make_change_plan(target: Target, state: TargetState, change: Change) -> ChangePlan | CannotChange:
    """Say from what to what `change` would go, or why it cannot."""
    if change.kind is ChangeKind.REDUCE_TRAFFIC:
        return _plan_reduction(target, state, change.percent or 0)
    return _plan_addition(target, state, change.resources or Resources())


def next_change_write(change: Change, state: TargetState) -> ChangeWrite | Written | Done | CannotChange:
    """Return the one write that `change`, whose plan was approved, still needs; or how it stands."""
    plan = _plan_of(change)
    service = state.service(plan.service)
    if service is None:
        return CannotChange(CannotWhy.NO_CANARY_SERVICE, about=plan.service)
    if change.kind is ChangeKind.ADD_RESOURCES:
        return _next_addition(plan, service, change.resources or Resources())
    step = _next_variable if plan.topology is Topology.SERVICES else _next_split
    return step(plan, service, change)


def is_the_point(change: Change, write: ChangeWrite) -> bool:
    """True for the write that makes the change, False for moving traffic along after it."""
    if change.kind is ChangeKind.ADD_RESOURCES:
        return isinstance(write, SetResources)
    return isinstance(write, SetVariable | SplitTraffic)


def _plan_of(change: Change) -> ChangePlan:
    if change.plan is None:
        raise ValueError(f"change {change.id} was decided without a plan")
    return change.plan


# Less traffic.


def _plan_reduction(target: Target, state: TargetState, percent: int) -> ChangePlan | CannotChange:
    if percent < 1:
        return CannotChange(CannotWhy.ROLLBACK_INSTEAD)
    plan = _split_now(target, state)
    if isinstance(plan, CannotChange):
        return plan
    service = state.switch
    now = plan.canary_percent
    if plan.topology is Topology.REVISIONS:
        now = service.wanted_percent(RevisionName(plan.canary))
    elif not _newest_serves(service):
        return _not_serving(service)
    if now == 0:
        return CannotChange(CannotWhy.NO_CANARY, about=plan.stable)
    if percent >= now:
        return CannotChange(CannotWhy.NOT_LOWER, detail=str(now), instead=str(now - 1) if now > 1 else "")
    return ChangePlan(
        topology=plan.topology,
        service=plan.service,
        canary=plan.canary,
        stable=plan.stable,
        percent=now,
        variable=plan.variable,
    )


def _split_now(target: Target, state: TargetState) -> Plan | CannotChange:
    """Return canary and stable, chosen exactly as a rollback chooses them."""
    plan = make_plan(target, state)
    if isinstance(plan, NothingToRollBack):
        return CannotChange(CannotWhy.NO_CANARY, about=plan.serving)
    if isinstance(plan, CannotChoose):
        return CannotChange(CannotWhy.UNSURE, about=plan.why, detail=plan.detail)
    return plan


def _newest_serves(service: ServiceState) -> bool:
    """True when what the template describes is what serves: a change of it changes nothing else."""
    newest = service.latest_created
    return newest is not None and newest == service.latest_ready and service.wanted_percent(newest) == 100


def _not_serving(service: ServiceState) -> CannotChange:
    return CannotChange(CannotWhy.NOT_SERVING, about=service.latest_created or "", detail=service.name)


def _next_split(
    plan: ChangePlan, service: ServiceState, change: Change
) -> ChangeWrite | Written | Done | CannotChange:
    canary, stable, percent = RevisionName(plan.canary), RevisionName(plan.stable), change.percent or 0
    now = service.wanted_percent(canary)
    if now > percent:
        known = service.revision(stable)
        if known is None or not known.ready:
            return CannotChange(CannotWhy.UNSURE, about=UnsureWhy.STABLE_NOT_READY, detail=stable)
        shares = ((stable, 100 - percent), (canary, percent))
        return SplitTraffic(service=service.name, shares=shares, tags=tags_of(service))
    if now < percent and change.writes:
        return _somebody_else(service)
    return Done() if service.settled and service.observed_percent(canary) == now else Written()


def _somebody_else(service: ServiceState) -> CannotChange:
    return CannotChange(CannotWhy.CHANGED, about=service.name, detail=service.last_modifier)


def _next_variable(
    plan: ChangePlan, service: ServiceState, change: Change
) -> ChangeWrite | Written | Done | CannotChange:
    assert plan.variable is not None
    percent = change.percent or 0
    written = service.environment.get(plan.variable, "")
    now = canary_share(written)
    if now is None:
        why = UnsureWhy.VARIABLE_UNREADABLE
        return CannotChange(CannotWhy.UNSURE, about=why, detail=f"{plan.variable}={written!r}")
    if now > percent:
        if not _newest_serves(service):
            return _not_serving(service)
        return SetVariable(service=service.name, variable=plan.variable, value=str(percent))
    if now < percent and change.writes:
        return _somebody_else(service)
    if (failed := _failed_revision(service)) is not None:
        return failed
    follow = follow_newest(service)
    if follow is not None:
        return follow
    newest = service.latest_created
    seen = newest is not None and newest == service.latest_ready and service.observed_percent(newest) == 100
    return Done() if service.settled and seen else Written()


def _failed_revision(service: ServiceState) -> CannotChange | None:
    """Say that the newest revision will never serve, once Cloud Run has stopped trying.

    It then still observes the generation before: what failed was never brought to serve.
    """
    if service.reconciling or service.problem is None or service.latest_created == service.latest_ready:
        return None
    return CannotChange(
        CannotWhy.REVISION_FAILED, about=service.latest_created or "", detail=service.problem[:500]
    )


# More resources.


def _plan_addition(target: Target, state: TargetState, wanted: Resources) -> ChangePlan | CannotChange:
    found = _service_to_grow(target, state)
    if isinstance(found, CannotChange):
        return found
    service, canary, stable, replaces = found
    refused = cannot_have(wanted, service.resources)
    if refused is not None:
        return refused
    by_name = any(s.revision == replaces and s.percent > 0 and not s.latest for s in service.wanted)
    return ChangePlan(
        topology=target.topology,
        service=service.name,
        canary=canary,
        stable=stable,
        percent=service.wanted_percent(replaces),
        before=service.resources,
        replaces=replaces,
        images=service.images,
        by_name=by_name,
    )


def _service_to_grow(
    target: Target, state: TargetState
) -> tuple[ServiceState, str, str, RevisionName] | CannotChange:
    """Return the canary's service, the names of canary and stable, and the revision that is replaced.

    The template must be that revision's own: after a rollback, or with a newer deployment waiting
    at 0 %, new limits would bring other code into the canary's traffic.
    """
    if target.topology is Topology.SERVICES:
        if state.canary is None:
            return CannotChange(CannotWhy.NO_CANARY_SERVICE, about=target.canary_service or "")
        service, canary, stable = state.canary, str(target.canary_service), target.service
        replaces = service.latest_created or RevisionName("")
    else:
        plan = _split_now(target, state)
        if isinstance(plan, CannotChange):
            return plan
        service, canary, stable = state.switch, plan.canary, plan.stable
        replaces = RevisionName(plan.canary)
    newest = service.latest_created
    if newest != replaces or newest != service.latest_ready or service.wanted_percent(replaces) == 0:
        return _not_serving(service)
    return service, canary, stable, replaces


def cannot_have(wanted: Resources, now: Resources) -> CannotChange | None:
    """Say why limits cannot go from `now` to `wanted`, None when they can: only upwards, within Google's."""
    said = list(wanted.said())
    if not said:
        return CannotChange(CannotWhy.NOTHING_ASKED)
    for resource, amount in said:
        have = now.of(resource)
        if have is None:
            return CannotChange(CannotWhy.UNREADABLE, about=resource)
        if amount < have:
            return _not_more(resource, have)
        if (beyond := _beyond_google(resource, amount)) is not None:
            return beyond
    if all(amount == now.of(resource) for resource, amount in said):
        return _not_more(said[0][0], said[0][1])
    return _do_not_fit(wanted, now.with_more(wanted))


def _not_more(resource: Resource, have: int) -> CannotChange:
    choices = {Resource.MEMORY: MEMORY_CHOICES_MIB, Resource.CPU: CPU_CHOICES_MILLI}
    usual = choices.get(resource, (have + 1,) if have < MOST_INSTANCES else ())
    instead = next((str(choice) for choice in usual if choice > have), "")
    return CannotChange(CannotWhy.NOT_MORE, about=resource, detail=str(have), instead=instead)


def _beyond_google(resource: Resource, amount: int) -> CannotChange | None:
    if resource is Resource.CPU:
        if amount in CPU_CHOICES_MILLI:
            return None
        nearest = next((cpu for cpu in CPU_CHOICES_MILLI if cpu >= amount), CPU_CHOICES_MILLI[-1])
        return CannotChange(CannotWhy.NOT_ALLOWED, about=resource, detail=str(amount), instead=str(nearest))
    most = MEMORY_CHOICES_MIB[-1] if resource is Resource.MEMORY else MOST_INSTANCES
    if amount <= most:
        return None
    return CannotChange(CannotWhy.TOO_MUCH, about=resource, detail=str(amount), instead=str(most))


def _do_not_fit(wanted: Resources, after: Resources) -> CannotChange | None:
    """Say which two limits do not go together; those that are not asked for are left as they are."""
    memory, cpu = after.memory_mib, after.cpu_milli
    if memory is not None and cpu is not None and (wanted.memory_mib or wanted.cpu_milli):
        least, most = memory_range_mib(cpu)
        if memory > most:
            return CannotChange(CannotWhy.NEEDS_CPU, detail=str(memory), instead=str(cpu_for_memory(memory)))
        if memory < least:
            return CannotChange(CannotWhy.NEEDS_MEMORY, detail=str(cpu), instead=str(least))
    fewest, most_of_all = after.min_instances, after.max_instances
    if fewest is not None and most_of_all is not None and fewest > most_of_all:
        return CannotChange(CannotWhy.MIN_ABOVE_MAX, detail=str(most_of_all), instead=str(fewest))
    return None


def _next_addition(
    plan: ChangePlan, service: ServiceState, wanted: Resources
) -> ChangeWrite | Written | Done | CannotChange:
    if service.images != plan.images:
        return _somebody_else(service)
    missing = Resources(
        **{r.value: amount for r, amount in wanted.said() if amount > (service.resources.of(r) or 0)}
    )
    if any(missing.said()):
        if service.latest_created != plan.replaces:
            return _somebody_else(service)
        refused = cannot_have(missing, service.resources)
        return refused or SetResources(service=service.name, resources=missing)
    return _follow_resources(plan, service)


def _follow_resources(plan: ChangePlan, service: ServiceState) -> ChangeWrite | Written | Done | CannotChange:
    """The template is as wanted; see that the revision made from it gets the traffic of the old one."""
    assert plan.replaces is not None
    newest = service.latest_created
    if (failed := _failed_revision(service)) is not None:
        return failed
    if newest is None or newest != service.latest_ready:
        return Written()
    if newest == plan.replaces:
        # Cloud Run takes the new template a moment before it makes a revision of it.
        return Done() if service.settled else Written()
    if service.wanted_percent(plan.replaces) > 0:
        return _move_share(service, plan.replaces, newest)
    if service.wanted_percent(newest) == 0:
        return CannotChange(CannotWhy.NO_CANARY, about=newest)
    left = service.observed_percent(plan.replaces)
    seen = left == 0 and service.observed_percent(newest) == service.wanted_percent(newest)
    return Done() if service.settled and seen else Written()


def _move_share(service: ServiceState, old: RevisionName, new: RevisionName) -> ChangeWrite | Written:
    """Return the split of now with everything of `old` given to `new`, all by name."""
    shares: dict[RevisionName, int] = {}
    for line in service.wanted:
        if line.percent > 0:
            if line.revision is None:
                return Written()
            name = new if line.revision == old else line.revision
            shares[name] = shares.get(name, 0) + line.percent
    return SplitTraffic(
        service=ServiceName(service.name), shares=tuple(shares.items()), tags=tags_of(service)
    )
