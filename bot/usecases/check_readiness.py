"""Is the team ready? Every point that a machine can check is checked for real; people confirm the others.

The same answer in Slack and on the command line. Nothing is changed: the rollback is sent to Google
as a dry run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from bot.domain.confirmation import Confirmation
from bot.domain.faults import CloudFault, FaultKind
from bot.domain.guide import Check, Contact, NoticePlan, ReadinessPoint
from bot.domain.ids import ChannelId, PersonId, RevisionName, ServiceName, TargetName
from bot.domain.last_seen import LastSeen, SeenKind, seen_id
from bot.domain.plan import next_write, tags_of
from bot.domain.playbook import Playbook, Target, Topology
from bot.domain.readiness import (
    Answer,
    Finding,
    Found,
    Readiness,
    backup_finding,
    by_people,
    could_not_check,
    guide_read,
    not_ready,
    ready,
)
from bot.domain.readings import Side
from bot.domain.rollback import CannotChoose, NothingToRollBack, PinTraffic, Plan, SetVariable, Write
from bot.domain.traffic import ServiceState
from bot.usecases.accept import accept
from bot.usecases.authorize import authorize, refusal_facts
from bot.usecases.faults import fault_facts
from bot.usecases.gather_evidence import health_url
from bot.usecases.look_at_target import Sight, look_at_target
from bot.usecases.ports import (
    BackupAge,
    BackupUnknown,
    BadTemplate,
    Channels,
    Clock,
    Cloud,
    Metrics,
    Notice,
    NoticeTexts,
    People,
    PeopleUnknown,
    Playbooks,
    Prober,
    RequestLog,
    Said,
    Steps,
    Store,
    Workflow,
)

READINESS = TypeAdapter(Readiness)
#: How much of the log is read: enough to see that it can be.
TINY_WINDOW = timedelta(seconds=60)
#: Trouble after which asking again is of no use: somebody has to grant or correct something.
_OURS = frozenset({FaultKind.PERMISSION, FaultKind.LOGIN, FaultKind.NOT_FOUND, FaultKind.INVALID})


@dataclass(frozen=True, kw_only=True)
class Checking:
    """What checking readiness may touch. `own_templates` says what is wrong with the team's, in a thread."""

    store: Store
    playbooks: Playbooks
    people: People
    channels: Channels
    cloud: Cloud
    metrics: Metrics
    requests: RequestLog
    prober: Prober
    texts: NoticeTexts
    backups: BackupAge
    clock: Clock
    own_templates: Callable[[Playbook], tuple[str, ...]] = lambda playbook: ()


Findings = tuple[Finding, ...]


async def ask_for_readiness(
    key: str,
    target: TargetName,
    person: PersonId,
    channel: ChannelId,
    *,
    acting_team: str | None,
    store: Store,
    clock: Clock,
) -> None:
    """Write the question down, once per `key`; a workflow answers `person` in `channel`."""
    asked = {"target": target, "person": person, "channel": channel, "key": key}
    asked |= {"team": acting_team} if acting_team else {}
    await accept(key, Workflow.READINESS, key, store=store, clock=clock, **asked)


async def report_readiness(arguments: Mapping[str, str], *, steps: Steps, use: Checking) -> None:
    """Answer a question for readiness, visible to the person who asked."""
    await steps.step("report", lambda: _report(arguments, use), into=str)


async def _report(arguments: Mapping[str, str], use: Checking) -> str:
    person, channel = PersonId(arguments["person"]), ChannelId(arguments["channel"])
    no = await authorize(
        person, None, acting_team=arguments.get("team"), playbook=use.playbooks.current(), people=use.people
    )
    if no is not None:
        what, facts = Said.REFUSED, refusal_facts(no)
    else:
        found = await check_readiness(TargetName(arguments["target"]), use=use)
        what, facts = Said.READINESS, {"readiness": READINESS.dump_python(found, mode="json")}
    notice = Notice(what=what, person=person, channel=channel, facts=facts)
    await use.store.change(lambda tx: tx.tell(notice, key=f"readiness:{arguments['key']}"))
    return what


async def check_readiness(name: TargetName, *, use: Checking) -> Readiness:
    """Check every point of the playbook for target `name`, and keep the answer for App Homes.

    Never raises `CloudFault`: trouble is part of the answer.
    """
    playbook, now = use.playbooks.current(), use.clock()
    known = await use.store.look(lambda tx: tx.find(Confirmation))
    answers = await asyncio.gather(
        *(_answer(point, name, playbook, known, use, now=now) for point in playbook.readiness)
    )
    found = Readiness(target=name, at=now, answers=tuple(answers))
    seen = LastSeen(
        id=seen_id(SeenKind.READINESS, name),
        kind=SeenKind.READINESS,
        created_at=now,
        content=READINESS.dump_python(found, mode="json"),
    )
    await use.store.change(lambda tx: tx.keep(seen))
    return found


async def _answer(
    point: ReadinessPoint,
    name: TargetName,
    playbook: Playbook,
    known: tuple[Confirmation, ...],
    use: Checking,
    *,
    now: datetime,
) -> Answer:
    mine = tuple(one for one in known if one.point == point.key)
    by_hand = point.check is None or (point.check is Check.BACKUPS and not _asks_for_backups(playbook))
    if by_hand:
        findings: Findings = (by_people(mine, now=now),)
    elif point.check is Check.GUIDE_READ:
        findings = await _guide_read(playbook, mine, use, now=now)
    else:
        assert point.check is not None
        findings = await _CHECKS[point.check](playbook, playbook.targets[name], use, now)
    return Answer(
        point=point.key,
        titles={"en": point.title.en, "ko": point.title.ko},
        findings=findings,
        confirmable=by_hand,
        reading=point.check is Check.GUIDE_READ,
    )


def _asks_for_backups(playbook: Playbook) -> bool:
    return playbook.backups is not None and bool(playbook.backups.command or playbook.backups.url)


# Rolling back.


async def _rollback_works(playbook: Playbook, target: Target, use: Checking, now: datetime) -> Findings:
    try:
        sight = await look_at_target(target, cloud=use.cloud)
    except CloudFault as fault:
        return (_fault(fault, target),)
    plan = _plan_finding(sight)
    if isinstance(sight.plan, CannotChoose):
        return (plan,)
    dry_run, probe = await asyncio.gather(_dry_run(target, sight, use), _probe(playbook, target, sight, use))
    return (plan, dry_run, probe)


def _fault(fault: CloudFault, target: Target) -> Finding:
    facts = fault_facts(fault, target, changed=False)
    return not_ready(Found.FAULT, **facts) if fault.kind in _OURS else could_not_check(Found.FAULT, **facts)


def _plan_finding(sight: Sight) -> Finding:
    plan = sight.plan
    if isinstance(plan, Plan):
        return ready(Found.STABLE_FOUND, stable=plan.stable, canary=plan.canary, percent=plan.canary_percent)
    if isinstance(plan, NothingToRollBack):
        return ready(Found.NOTHING_SPLIT, serving=plan.serving)
    return not_ready(Found.STABLE_UNSURE, why=plan.why.value, detail=plan.detail)


async def _dry_run(target: Target, sight: Sight, use: Checking) -> Finding:
    write = rollback_write(target, sight)
    try:
        await use.cloud.dry_run(target, write, state=sight.state)
    except CloudFault as fault:
        return _fault(fault, target)
    return ready(Found.DRY_RUN_TAKEN, service=write.service)


def rollback_write(target: Target, sight: Sight) -> Write:
    """Return the write that a rollback would send now; where nothing is split, the same to what serves."""
    switch = sight.state.switch
    planned = next_write(sight.plan, sight.state) if isinstance(sight.plan, Plan) else None
    if planned is not None:
        return planned
    if target.topology is Topology.SERVICES:
        assert target.router is not None
        return SetVariable(
            service=ServiceName(target.router.service), variable=target.router.variable, value="0"
        )
    return PinTraffic(service=switch.name, revision=_serving(sight, switch), tags=tags_of(switch))


def _serving(sight: Sight, switch: ServiceState) -> RevisionName:
    revision = sight.sides.stable.revision or switch.latest_ready or switch.latest_created
    return revision or RevisionName(f"{switch.name}-none")


async def _probe(playbook: Playbook, target: Target, sight: Sight, use: Checking) -> Finding:
    wanted = playbook.verification
    url = health_url(target, sight.state)
    result = await use.prober.probe(
        url, Side.STABLE, requests=wanted.probe_requests, pause_ms=wanted.probe_pause_ms
    )
    well = result.sent - result.failures - result.throttled
    facts = {"sent": result.sent, "well": well, "url": url}
    if result.sent and well == result.sent:
        return ready(Found.PROBE_WELL, **facts)
    return not_ready(Found.PROBE_FAILED, **facts)


async def _permissions(playbook: Playbook, target: Target, use: Checking, now: datetime) -> Findings:
    try:
        missing = await use.cloud.missing_permissions(target)
    except CloudFault as fault:
        return (_fault(fault, target),)
    if missing:
        return (not_ready(Found.PERMISSIONS_MISSING, missing=sorted(missing)),)
    return (ready(Found.PERMISSIONS_HELD),)


# Reading logs and metrics.


async def _logs(playbook: Playbook, target: Target, use: Checking, now: datetime) -> Findings:
    try:
        sight = await look_at_target(target, cloud=use.cloud)
    except CloudFault as fault:
        return (_fault(fault, target),)
    counts, readings = await asyncio.gather(
        use.requests.count(target, sight.sides, since=now - TINY_WINDOW, until=now),
        use.metrics.read(target, sight.sides, now=now),
    )
    troubled_log = next((c.problem for c in counts.values() if c.problem), None)
    troubled_metric = next((r.problem for r in readings if r.problem), None)
    return (
        _access(troubled_log, Found.LOG_READ, Found.LOG_UNREADABLE),
        _access(troubled_metric, Found.METRICS_READ, Found.METRICS_UNREADABLE),
    )


def _access(problem: str | None, well: Found, ill: Found) -> Finding:
    if problem is None:
        return ready(well)
    # A problem begins with the kind of the fault it came from.
    ours = problem.partition(":")[0] in {kind.value for kind in _OURS}
    return not_ready(ill, why=problem) if ours else could_not_check(ill, why=problem)


# Reaching people.


async def _contacts(playbook: Playbook, target: Target, use: Checking, now: datetime) -> Findings:
    if not playbook.contacts:
        return (not_ready(Found.NO_CONTACTS),)
    people = [await _contact(key, contact, use) for key, contact in playbook.contacts.items()]
    channels = {contact.channel for contact in playbook.contacts.values() if contact.channel}
    return (*people, await _channels(frozenset(channels | {playbook.channels.incidents}), use))


async def _contact(key: str, contact: Contact, use: Checking) -> Finding:
    facts = {"contact": key, "role": {"en": contact.role.en, "ko": contact.role.ko}, "name": contact.name}
    if not contact.reachable:
        return not_ready(Found.CONTACT_EMPTY, **facts)
    try:
        if contact.user is not None:
            person = await use.people.person(PersonId(contact.user))
            if person.deactivated or person.bot:
                return not_ready(Found.CONTACT_GONE, **facts)
            if person.guest or person.stranger:
                return not_ready(Found.CONTACT_GUEST, **facts)
        if contact.group is not None and not await use.people.members(contact.group):
            return not_ready(Found.GROUP_EMPTY, **facts, group=contact.group)
    except PeopleUnknown as unknown:
        return could_not_check(Found.SLACK_SILENT, **facts, why=str(unknown))
    return ready(Found.CONTACT_REACHED, **facts)


async def _channels(names: frozenset[str], use: Checking) -> Finding:
    try:
        missing = await use.channels.missing(names)
    except PeopleUnknown as unknown:
        return could_not_check(Found.SLACK_SILENT, why=str(unknown), role=None)
    if missing:
        return not_ready(Found.CHANNEL_MISSING, channels=sorted(missing))
    return ready(Found.CHANNELS_THERE, channels=sorted(names))


async def _guide_read(
    playbook: Playbook, mine: tuple[Confirmation, ...], use: Checking, *, now: datetime
) -> Findings:
    try:
        team = await team_of(playbook, use.people)
    except PeopleUnknown as unknown:
        return (could_not_check(Found.SLACK_SILENT, why=str(unknown), role=None),)
    return guide_read(mine, team, now=now)


async def team_of(playbook: Playbook, people: People) -> frozenset[PersonId]:
    """Return everybody the playbook names, in a role or as a contact. Raises `PeopleUnknown`."""
    named = {user for role in playbook.roles.values() for user in role.users}
    named |= {contact.user for contact in playbook.contacts.values() if contact.user}
    groups = {group for role in playbook.roles.values() for group in role.groups}
    groups |= {contact.group for contact in playbook.contacts.values() if contact.group}
    members = [await people.members(group) for group in sorted(groups)]
    return frozenset(map(PersonId, named)).union(*members)


# Texts and backups.


async def _templates(playbook: Playbook, target: Target, use: Checking, now: datetime) -> Findings:
    found = _try(playbook, playbook.notices, use)
    faults = await asyncio.to_thread(use.own_templates, playbook)
    return (*found, *(_own_broken(fault) for fault in faults))


def _own_broken(fault: str) -> Finding:
    template, _, why = fault.partition(":")
    return not_ready(Found.TEMPLATE_BROKEN, template=template, why=why.strip()[:500])


def _try(playbook: Playbook, plans: Mapping[str, NoticePlan], use: Checking) -> Findings:
    if not plans:
        return (not_ready(Found.NO_NOTICES),)
    broken: list[Finding] = []
    for plan in plans.values():
        try:
            use.texts.try_all(plan, playbook)
        except BadTemplate as bad:
            broken.append(not_ready(Found.TEMPLATE_BROKEN, template=plan.template, why=str(bad)[:500]))
    names = sorted({plan.template for plan in plans.values()})
    return tuple(broken) or (ready(Found.TEMPLATES_RENDER, templates=names),)


async def _notices(playbook: Playbook, target: Target, use: Checking, now: datetime) -> Findings:
    """Look at what users read: notices that go beyond the incident channel, and where they go."""
    outside = {
        key: plan
        for key, plan in playbook.notices.items()
        if set(plan.channels) != {playbook.channels.incidents}
    }
    channels = frozenset(channel for plan in outside.values() for channel in plan.channels)
    found = _try(playbook, outside, use)
    return (*found, await _channels(channels, use)) if outside else found


async def _backups(playbook: Playbook, target: Target, use: Checking, now: datetime) -> Findings:
    assert playbook.backups is not None
    try:
        made_at = await use.backups.newest(playbook.backups)
    except BackupUnknown as unknown:
        return (could_not_check(Found.BACKUP_UNKNOWN, why=str(unknown)[:500]),)
    limit = playbook.backups.not_older_than_hours
    return (backup_finding(made_at, not_older_than_hours=limit, now=now),)


_CHECKS: Mapping[Check, Callable[[Playbook, Target, Checking, datetime], Awaitable[Findings]]] = {
    Check.ROLLBACK_WORKS: _rollback_works,
    Check.PERMISSIONS: _permissions,
    Check.LOGS: _logs,
    Check.CONTACTS: _contacts,
    Check.BACKUPS: _backups,
    Check.TEMPLATES: _templates,
    Check.NOTICES: _notices,
}
