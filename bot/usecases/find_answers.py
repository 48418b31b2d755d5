"""The bot answers what of an incident's diagnosis a machine can tell; everything else stays a question."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.guide import Finds
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import Incident, IncidentState
from bot.domain.machine_answers import (
    Found,
    all_endpoints_slow,
    answered_by_machine,
    every_instance,
    resources_normal,
    since_deployment,
    wanted,
)
from bot.domain.observation import Minute
from bot.domain.people import AUTOMATICS
from bot.domain.playbook import Playbook, Target
from bot.domain.timeline import Event
from bot.domain.watch import Watch
from bot.usecases.answer_question import answer_facts
from bot.usecases.editions import playbook_of
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import (
    Clock,
    Metrics,
    Playbooks,
    RequestStream,
    Steps,
    Store,
    Transaction,
    Workflow,
)
from bot.usecases.show_incident import show_incident

#: How much of the request log tells which endpoints are slow: what was before the failure would hide it.
ENDPOINTS_OF = timedelta(minutes=3)
#: How far back memory's growth is looked for.
MEMORY_OF = timedelta(hours=3)
#: What cannot be told yet is looked at again: Cloud Monitoring is minutes late.
AGAIN_AFTER, MOST_TURNS = timedelta(seconds=60), 5
#: What is found in Cloud Monitoring's minutes.
_IN_MINUTES = frozenset({Finds.EVERY_INSTANCE, Finds.SINCE_DEPLOYMENT})


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What finding answers may touch."""

    store: Store
    playbooks: Playbooks
    metrics: Metrics
    stream: RequestStream
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class _Case:
    """An incident whose diagnosis has a question that a machine may be able to answer."""

    incident: Incident
    playbook: Playbook
    target: Target
    watch: Watch
    wanted: frozenset[Finds]


async def find_answers(arguments: Mapping[str, str], *, steps: Steps, use: Finding) -> None:
    """Look once, answer what can be told, and come back in a minute while something is open."""
    number, turn = IncidentNumber(int(arguments["incident"])), int(arguments["turn"])
    await steps.step("find", lambda: _find(number, turn, arguments["alert"], use), into=str)


async def _find(number: IncidentNumber, turn: int, alert: str, use: Finding) -> str:
    case = await use.store.look(lambda tx: _case(tx, number, use.playbooks.current()))
    if case is None:
        return "nothing to find"
    found = await _look(case, use)
    now = use.clock()

    def answer(tx: Transaction) -> str:
        current = _case(tx, number, use.playbooks.current())
        if current is None:
            return "answered meanwhile"
        left = _answer(tx, current, found, at=now)
        if left and turn < MOST_TURNS:
            words = {"incident": str(number), "target": current.incident.target, "alert": alert}
            id = f"{number}:{alert}"
            tx.wake(Workflow.FIND_ANSWERS, id, at=now + AGAIN_AFTER, **words, turn=str(turn + 1))
        return ", ".join(sorted(found)) or "nothing found"

    return await use.store.change(answer)


def _case(tx: Transaction, number: IncidentNumber, current: Playbook) -> _Case | None:
    incident = tx.incident(number)
    playbook = playbook_of(tx, incident, current)
    scenario, target = playbook.scenario(incident.scenario), current.target(incident.target)
    watch = next(iter(tx.find(Watch, id=incident.target)), None)
    if incident.state is not IncidentState.OPEN or scenario is None or target is None or watch is None:
        return None
    open = wanted(scenario, incident.answers)
    if not open:
        return None
    return _Case(incident=incident, playbook=playbook, target=target, watch=watch, wanted=open)


async def _look(case: _Case, use: Finding) -> dict[Finds, Found]:
    """Find out what is wanted; what cannot be told is not there."""
    now, thresholds, watch = use.clock(), case.playbook.thresholds, case.watch
    found: dict[Finds, Found | None] = {}
    if Finds.ALL_ENDPOINTS_SLOW in case.wanted and watch.sides.canary is not None:
        since = now - ENDPOINTS_OF
        tallies = await use.stream.endpoints(case.target, watch.sides.canary, since=since, until=now)
        found[Finds.ALL_ENDPOINTS_SLOW] = all_endpoints_slow(
            tallies, red_above_ms=thresholds.p95_ms.red_above
        )
    if Finds.RESOURCES_NORMAL in case.wanted:
        found[Finds.RESOURCES_NORMAL] = resources_normal(watch.readings, thresholds, now=now)
    if case.wanted & _IN_MINUTES:
        minutes = await _minutes(case, use, now=now)
        found[Finds.EVERY_INSTANCE] = every_instance(minutes)
        found[Finds.SINCE_DEPLOYMENT] = since_deployment(minutes, deployed_at=case.incident.deployed_at)
    return {finds: one for finds, one in found.items() if one is not None}


async def _minutes(case: _Case, use: Finding, *, now: datetime) -> tuple[Minute, ...]:
    """Return the canary's minutes since its deployment, as far as they are looked at."""
    deployed_at = case.incident.deployed_at or now - MEMORY_OF
    since = max(deployed_at, now - MEMORY_OF)
    read = await use.metrics.minutes(case.target, since=since, until=now)
    return read.of(case.watch.canary)


def _answer(tx: Transaction, case: _Case, found: Mapping[Finds, Found], *, at: datetime) -> bool:
    """Give the answers that are found; True when something a machine may know is still open."""
    scenario = case.playbook.scenario(case.incident.scenario)
    assert scenario is not None
    answers, given = answered_by_machine(scenario, case.incident.answers, found, at=at)
    if given:
        channel = ChannelId(case.playbook.channels.incidents)
        tx.save_incident(replace(case.incident, answers=answers))
        lines = [
            Line(
                event=Event.QUESTION_ANSWERED,
                key=f"found:{one.finds}:{at.isoformat()}",
                actor=AUTOMATICS,
                facts=answer_facts(scenario, answers, one.given)
                | {"revised": False, "found": {"finds": one.finds.value} | dict(one.found.facts)},
            )
            for one in given
        ]
        write_lines(tx, case.incident.number, lines, at=at, channel=channel)
        show_incident(tx, case.incident.number, channel=channel)
    return bool(wanted(scenario, answers))
