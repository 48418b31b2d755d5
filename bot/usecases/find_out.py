"""Reading what a button or a command asked for; what a button asked for is posted under the incident's board.

A source that does not answer is a sentence in the finding: the look itself is never lost.
"""

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from bot.domain.faults import CloudFault
from bot.domain.finding import About, Finding, Remark, Unread
from bot.domain.guide import Action, Does
from bot.domain.ids import ChannelId, IncidentNumber, RevisionName, ServiceName, TargetName
from bot.domain.log_lines import canary_filter
from bot.domain.playbook import Playbook, Target, Topology
from bot.domain.readings import ProbeResult, Side
from bot.domain.timeline import BACKOUT, Event, incident_chain
from bot.domain.traffic import ServiceState, SideAddress, Sides, TargetState
from bot.usecases.editions import playbook_of
from bot.usecases.gather_evidence import health_url
from bot.usecases.journal import board_key
from bot.usecases.look_at_target import Sight, look_at_target
from bot.usecases.look_into import action_at
from bot.usecases.ports import LogReader, Prober, Showing, Steps, Transaction
from bot.usecases.report_status import Reporting, read_status

FINDING = TypeAdapter(Finding)
#: How far back a log is read: to the deployment, where that is known, but no further than gcloud does.
LONGEST_WINDOW, USUAL_WINDOW = timedelta(hours=24), timedelta(hours=1)
#: Each request may take 30 s (guide); nobody waits for twenty of those. The pauses come on top.
PROBE_WITHIN_SECONDS = 90.0


@dataclass(frozen=True, kw_only=True)
class Looking:
    """What a look may touch."""

    reporting: Reporting
    logs: LogReader
    prober: Prober


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is looked at; `canary` is where it was when it was last rolled back from, where that is known.

    A log is read from `since` on (aware, UTC); None: from the deployment on, where Cloud Run knows it.
    """

    action: Action
    name: TargetName
    target: Target
    canary: SideAddress | None = None
    since: datetime | None = None


async def find_out(arguments: Mapping[str, str], *, steps: Steps, use: Looking) -> None:
    """Read once, keep what was found in the timeline, and post it."""
    finding = await steps.step("read", lambda: _read(arguments, use), into=Finding)
    await steps.step("tell", lambda: _tell(arguments, finding, use), into=str)


async def _read(arguments: Mapping[str, str], use: Looking) -> Finding:
    playbooks, store = use.reporting.playbooks, use.reporting.store
    number = IncidentNumber(int(arguments["incident"]))
    asked = await store.look(lambda tx: _asked(tx, number, arguments, playbooks.current()))
    return await look(asked, use)


async def look(asked: Asked, use: Looking) -> Finding:
    """Read it once. Never raises `CloudFault`: trouble is part of the finding."""
    finding = Finding(
        does=asked.action.does,
        titles=asked.action.title.model_dump(),
        target=asked.name,
        read_at=use.reporting.clock(),
    )
    return await _READERS[asked.action.does](finding, asked, use)


def _asked(tx: Transaction, number: IncidentNumber, arguments: Mapping[str, str], current: Playbook) -> Asked:
    incident = tx.incident(number)
    playbook = playbook_of(tx, incident, current)
    # The scenario may have been changed since: what was asked for is what is read.
    action = action_at(playbook.scenario(arguments["scenario"]), arguments["where"])
    if action is None:
        raise LookupError(f"{arguments['where']} is not in playbook {incident.playbook_version}")
    target = current.target(incident.target) or playbook.targets[incident.target]
    plan = next((r.plan for r in reversed(tx.rollbacks_of(number)) if r.plan), None)
    canary = _canary_of(target, plan.canary if plan else None)
    since = incident.deployed_at or incident.opened_at - USUAL_WINDOW
    return Asked(action=action, name=incident.target, target=target, canary=canary, since=since)


def _canary_of(target: Target, revision: str | None) -> SideAddress | None:
    if target.topology is Topology.SERVICES and target.canary_service:
        return SideAddress(service=ServiceName(target.canary_service))
    if revision is None:
        return None
    return SideAddress(service=ServiceName(target.service), revision=RevisionName(revision))


async def _status(finding: Finding, asked: Asked, use: Looking) -> Finding:
    return replace(finding, status=await read_status(asked.name, use=use.reporting))


async def _logs(finding: Finding, asked: Asked, use: Looking) -> Finding:
    sight, unread = await _sight(asked, use)
    own = SideAddress(service=ServiceName(asked.target.service))
    sides = sight.sides if sight else Sides(stable=own, canary=asked.canary)
    canary = sides.canary or asked.canary
    written = canary_filter(asked.action.filter or "", canary, replace(sides, canary=canary))
    since = _since(asked.since or (sight.deployed_at if sight else None), finding.read_at)
    log = await use.logs.entries(
        asked.target, written, limit=asked.action.limit, since=since, until=finding.read_at
    )
    problems = unread + ((Unread(about=About.LOG, why=log.problem),) if log.problem else ())
    window = f'{written} AND timestamp>="{since:%Y-%m-%dT%H:%M:%SZ}"'
    line = _gcloud(asked.target, ["logging", "read", window, f"--limit={log.limit}"], in_region=False)
    return replace(finding, log=log, unread=problems, by_hand=line)


def _since(known: datetime | None, now: datetime) -> datetime:
    usual = now - USUAL_WINDOW
    return max(min(known or usual, usual), now - LONGEST_WINDOW)


async def _describe(finding: Finding, asked: Asked, use: Looking) -> Finding:
    sight, unread = await _sight(asked, use)
    name = asked.target.canary_service or asked.target.service
    line = _gcloud(asked.target, ["run", "services", "describe", name])
    service = _canarys_service(asked.target, sight.state) if sight else None
    gone = (Remark.CANARY_NOT_THERE,) if sight and service is None else ()
    return replace(finding, service=service, unread=unread, remarks=gone, by_hand=line)


def _canarys_service(target: Target, state: TargetState) -> ServiceState | None:
    """Return the service the canary lives in, without its variables: they may hold secrets."""
    service = state.canary if target.topology is Topology.SERVICES else state.switch
    return replace(service, environment={}, revisions=()) if service else None


async def _probe(finding: Finding, asked: Asked, use: Looking) -> Finding:
    sight, unread = await _sight(asked, use)
    if sight is None:
        return replace(finding, unread=unread)
    urls, remarks = _addresses(asked, sight)
    probes = await asyncio.gather(*(_ask(url, side, asked.action, use) for side, url in urls.items()))
    return replace(
        finding,
        probes=tuple(probe for probe in probes if isinstance(probe, ProbeResult)),
        unread=tuple(probe for probe in probes if isinstance(probe, Unread)),
        remarks=remarks,
        pause_ms=asked.action.pause_ms,
    )


async def _health(finding: Finding, asked: Asked, use: Looking) -> Finding:
    sight, unread = await _sight(asked, use)
    if sight is None and asked.target.health_url is None:
        return replace(finding, unread=unread)
    url = health_url(asked.target, sight.state) if sight else str(asked.target.health_url)
    once = asked.action.model_copy(update={"requests": 1})
    probe = await _ask(url, Side.STABLE, once, use)
    return replace(
        finding,
        probes=(probe,) if isinstance(probe, ProbeResult) else (),
        unread=unread + ((probe,) if isinstance(probe, Unread) else ()),
        by_hand=shlex.join(["curl", "-sS", "-m", "30", url]),
    )


def _addresses(asked: Asked, sight: Sight) -> tuple[dict[Side, str], tuple[Remark, ...]]:
    """Return each side's health address. A revision has one of its own only behind a tag."""
    stable = health_url(asked.target, sight.state)
    path = "/" + stable.partition("://")[2].partition("/")[2]
    if asked.target.topology is Topology.SERVICES:
        if sight.state.canary is None:
            return {Side.STABLE: stable}, (Remark.CANARY_NOT_THERE,)
        return {Side.CANARY: sight.state.canary.uri.rstrip("/") + path, Side.STABLE: stable}, ()
    remarks: list[Remark] = []
    tagged = {s.revision: s.uri for s in sight.state.switch.observed if s.tag and s.uri and s.revision}
    canary = sight.sides.canary or asked.canary
    own = {
        Side.CANARY: tagged.get(canary.revision) if canary and canary.revision else None,
        Side.STABLE: tagged.get(sight.sides.stable.revision) if sight.sides.stable.revision else None,
    }
    urls = {side: uri.rstrip("/") + path for side, uri in own.items() if uri}
    if Side.CANARY not in urls:
        remarks.append(Remark.CANARY_HAS_NO_ADDRESS)
    if Side.STABLE not in urls:
        urls[Side.STABLE] = stable
        if sight.sides.canary is not None and asked.target.health_url is None:
            remarks.append(Remark.STABLE_BEHIND_SPLIT)
    return urls, tuple(remarks)


async def _ask(url: str, side: Side, action: Action, use: Looking) -> ProbeResult | Unread:
    within = PROBE_WITHIN_SECONDS + pauses_seconds(action)
    try:
        async with asyncio.timeout(within):
            return await use.prober.probe(url, side, requests=action.requests, pause_ms=action.pause_ms)
    except TimeoutError:
        return Unread(about=About.PROBE, why=f"{side}: no end within {within:g} s")


def pauses_seconds(action: Action) -> float:
    """Return how long a probe waits between its requests, in all."""
    return (action.requests - 1) * action.pause_ms / 1000


async def _sight(asked: Asked, use: Looking) -> tuple[Sight | None, tuple[Unread, ...]]:
    try:
        return await look_at_target(asked.target, cloud=use.reporting.cloud), ()
    except CloudFault as fault:
        return None, (Unread(about=About.CLOUD_RUN, why=f"{fault.kind}: {fault.detail}"[:500]),)


def _gcloud(target: Target, words: list[str], *, in_region: bool = True) -> str:
    where = [f"--region={target.region}"] if in_region else []
    project = [f"--project={target.project}"] if target.project else []
    return shlex.join(["gcloud", *words, *where, *project])


_READERS: Mapping[Does, Callable[[Finding, Asked, Looking], Awaitable[Finding]]] = {
    Does.STATUS: _status,
    Does.METRICS: _status,
    Does.LOGS: _logs,
    Does.DESCRIBE: _describe,
    Does.PROBE: _probe,
    Does.HEALTH: _health,
}


async def _tell(arguments: Mapping[str, str], finding: Finding, use: Looking) -> str:
    number = IncidentNumber(int(arguments["incident"]))
    channel = ChannelId(use.reporting.playbooks.current().channels.incidents)
    facts = {"look": arguments["look"], "finding": FINDING.dump_python(finding, mode="json")}

    def tell(tx: Transaction) -> str:
        tx.incident(number)
        sequence = tx.write_down(
            incident_chain(number),
            Event.FINDING,
            key=f"finding:{arguments['look']}",
            at=finding.read_at,
            actor=BACKOUT,
            **facts,
        )
        if sequence is not None:
            tx.show(Showing.FINDING, f"{number}:{sequence}", channel=channel, under=board_key(number))
            # Its numbers may make a rule of the guide apply.
            tx.show(Showing.DIAGNOSIS, str(number), channel=channel)
        return "told"

    return await use.reporting.store.change(tell)
