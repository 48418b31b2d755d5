"""How does the canary stand? The same answer in Slack and on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter

from bot.domain.faults import CloudFault
from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.ids import ChannelId, PersonId, TargetName
from bot.domain.last_seen import LastSeen, SeenKind, seen_id
from bot.domain.plan import canary_share
from bot.domain.playbook import Target, Topology
from bot.domain.rollback import Plan, Rollback
from bot.domain.status import Postponed, RollbackLine, ServingLine, Status
from bot.usecases.accept import accept
from bot.usecases.look_at_target import Sight, look_at_target, read_numbers
from bot.usecases.ports import (
    Clock,
    Cloud,
    Metrics,
    Playbooks,
    RequestLog,
    Said,
    Steps,
    Store,
    Transaction,
    Workflow,
)
from bot.usecases.tell_who_asked import tell_who_asked

STATUS = TypeAdapter(Status)


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """What reporting may touch."""

    store: Store
    playbooks: Playbooks
    cloud: Cloud
    metrics: Metrics
    requests: RequestLog
    clock: Clock


async def ask_for_status(
    key: str, target: TargetName, person: PersonId, channel: ChannelId, *, store: Store, clock: Clock
) -> None:
    """Write the question down, once per `key`; a workflow answers `person` in `channel`."""
    asked = {"target": target, "person": person, "channel": channel}
    await accept(key, Workflow.STATUS, key, store=store, clock=clock, **asked, key=key)


async def report_status(arguments: Mapping[str, str], *, steps: Steps, use: Reporting) -> None:
    """Answer a question for the status, visible to the person who asked."""
    await steps.step("report", lambda: _report(arguments, use), into=str)


async def _report(arguments: Mapping[str, str], use: Reporting) -> str:
    status = await read_status(TargetName(arguments["target"]), use=use)
    facts = {"status": STATUS.dump_python(status, mode="json")}

    def tell(tx: Transaction) -> None:
        tell_who_asked(tx, arguments, Said.STATUS, facts)
        keep_status(tx, status)

    await use.store.change(tell)
    return "reported"


def keep_status(tx: Transaction, status: Status) -> None:
    """Keep how a target was last seen, for App Homes."""
    id = seen_id(SeenKind.STATUS, status.target)
    content = STATUS.dump_python(status, mode="json")
    tx.keep(LastSeen(id=id, kind=SeenKind.STATUS, created_at=status.read_at, content=content))


async def read_status(name: TargetName, *, use: Reporting) -> Status:
    """Read how `name` stands. Never raises `CloudFault`: trouble is part of the answer."""
    playbook = use.playbooks.current()
    target = playbook.targets[name]
    now = use.clock()
    known = await use.store.look(lambda tx: going_on(tx, name, at=now))
    try:
        sight = await look_at_target(target, cloud=use.cloud)
    except CloudFault as fault:
        return replace(known, problem=str(fault))
    return replace(
        known,
        serving=_serving(target, sight),
        settled=sight.state.switch.settled,
        last_modifier=sight.state.switch.last_modifier,
        readings=await read_numbers(
            target,
            sight.sides,
            metrics=use.metrics,
            requests=use.requests,
            now=now,
            least=playbook.thresholds.min_requests,
        ),
    )


def going_on(tx: Transaction, name: TargetName, *, at: datetime) -> Status:
    """Return what our own records say about a target."""
    incident, rollback = tx.open_incident(name), tx.last_rollback(name)
    return Status(
        target=name,
        read_at=at,
        incident=incident.number if incident else None,
        rollback=_rollback_line(rollback) if rollback else None,
        postponed=_postponed(tx, name),
    )


def _postponed(tx: Transaction, name: TargetName) -> tuple[Postponed, ...]:
    holding = tx.find(FollowUp, target=name, state=FollowUpState.OPEN, postpones_deployment=True)
    return tuple(
        Postponed(incident=f.incident, titles=f.titles, since=f.created_at, owner=f.owner) for f in holding
    )


def _rollback_line(rollback: Rollback) -> RollbackLine:
    by = rollback.decided_by or rollback.asked_by
    return RollbackLine(state=rollback.state, by=by, at=rollback.ended_at or rollback.asked_at)


def _serving(target: Target, sight: Sight) -> tuple[ServingLine, ...]:
    if target.topology is Topology.SERVICES:
        return _serving_services(target, sight)
    plan = sight.plan if isinstance(sight.plan, Plan) else None
    shares = {s.revision for s in sight.state.switch.observed if s.revision and s.percent}
    lines = [
        ServingLine(
            name=name, percent=sight.state.switch.observed_percent(name), role=_role(name, plan, sight)
        )
        for name in shares
    ]
    return tuple(sorted(lines, key=lambda line: (-line.percent, line.name)))


def _role(name: str, plan: Plan | None, sight: Sight) -> str:
    if plan is not None:
        return {plan.canary: "canary", plan.stable: "stable"}.get(name, "")
    return "stable" if name == sight.sides.stable.revision else ""


def _serving_services(target: Target, sight: Sight) -> tuple[ServingLine, ...]:
    if target.router is None or target.canary_service is None:
        return ()
    share = canary_share(sight.state.switch.environment.get(target.router.variable, ""))
    if share is None:
        return ()
    return (
        ServingLine(name=target.service, percent=100 - share, role="stable"),
        ServingLine(name=target.canary_service, percent=share, role="canary"),
    )
