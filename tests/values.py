"""Domain values for tests: each is good as it is, and every field can be given."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.change import Change, ChangeKind, ChangeState
from bot.domain.ids import (
    ChangeId,
    IncidentNumber,
    PersonId,
    RevisionName,
    RollbackId,
    ServiceName,
    TargetName,
)
from bot.domain.incident import FailureType, Incident, IncidentState, Severity
from bot.domain.people import Person
from bot.domain.playbook import Playbook, Target, Topology
from bot.domain.readings import Metric, ProbeResult, Reading, RequestCounts, Side, Source
from bot.domain.resources import Resources
from bot.domain.rollback import Evidence, Plan, Proof, Rollback, RollbackState, Verdict
from bot.domain.timeline import GENESIS, Entry, Event, link
from bot.domain.traffic import Revision, ServiceState, TargetState, TrafficShare

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOME = "T0HOME"
CANARY_TARGET, CHAT_TARGET = TargetName("canary"), TargetName("chat")
STABLE, CANARY = RevisionName("ion-api-00041-kim"), RevisionName("ion-api-00042-lee")
SENA, GITCO, LUBIT = PersonId("U0SENA"), PersonId("U0GITCO"), PersonId("U0LUBIT")
DEVOPS = "S0DEVOPS"


def seconds(count: float) -> timedelta:
    """Return a length of time."""
    return timedelta(seconds=count)


def a_playbook(**more: Any) -> Playbook:
    """Return a playbook: Sena and the group DEVOPS may roll back, Gitco may complete records."""
    written: dict[str, Any] = {
        "schema": 1,
        "version": "test-1",
        "time_zone": "Asia/Seoul",
        "roles": {
            "lead": {"users": [SENA], "may": ["roll_back", "change_canary", "complete_record"]},
            "devops": {"groups": [DEVOPS], "may": ["roll_back", "change_canary"]},
            "responder": {"users": [GITCO], "may": ["complete_record"]},
        },
        "targets": {
            CANARY_TARGET: {"topology": "revisions", "region": "us-central1", "service": "ion-api"},
            CHAT_TARGET: {
                "topology": "services",
                "region": "us-central1",
                "service": "ion-chat",
                "canary_service": "ion-chat-canary",
                "router": {"service": "ion-chat-router"},
            },
        },
    }
    return Playbook.model_validate(written | more)


def a_target(**more: Any) -> Target:
    """Return a target of topology revisions."""
    return Target.model_validate(
        {"topology": "revisions", "region": "us-central1", "service": "ion-api"} | more
    )


def a_services_target(**more: Any) -> Target:
    """Return a target of topology services."""
    written = a_playbook().targets[CHAT_TARGET].model_dump(mode="json")
    return Target.model_validate(written | more)


def a_revision(name: str = STABLE, *, age_hours: float = 24, ready: bool = True) -> Revision:
    """Return a revision created `age_hours` before noon."""
    return Revision(name=RevisionName(name), created_at=NOON - timedelta(hours=age_hours), ready=ready)


def share(
    revision: str | None, percent: int, *, tag: str | None = None, latest: bool = False
) -> TrafficShare:
    """Return one line of a traffic list."""
    name = RevisionName(revision) if revision is not None else None
    return TrafficShare(revision=name, percent=percent, tag=tag, latest=latest)


BOTH = (a_revision(CANARY, age_hours=1), a_revision(STABLE))
SPLIT = (share(STABLE, 90), share(CANARY, 10))


def a_service(**more: Any) -> ServiceState:
    """Return service ion-api, settled, 90 % on STABLE and 10 % on CANARY."""
    service = ServiceState(
        name=ServiceName("ion-api"),
        uri="https://ion-api.example.com",
        generation=7,
        observed_generation=7,
        reconciling=False,
        etag="etag-7",
        wanted=SPLIT,
        observed=SPLIT,
        latest_ready=CANARY,
        latest_created=CANARY,
        last_modifier="deployer@example.com",
        updated_at=NOON - timedelta(hours=1),
        read_at=NOON,
        revisions=BOTH,
        resources=RESOURCES,
        images=("ion-api:42",),
    )
    return replace(service, **more)


def a_state(*shares: TrafficShare, **more: Any) -> TargetState:
    """Return a target's state, the traffic list wanted and observed alike."""
    lines = shares or SPLIT
    return TargetState(switch=a_service(**({"wanted": lines, "observed": lines} | more)))


ROUTER_1 = RevisionName("ion-chat-router-00001-aaa")


def a_router(written: str | None = "10", **more: Any) -> ServiceState:
    """Return the router, serving LATEST, with the canary's share `written` in its variable."""
    latest = (share(ROUTER_1, 100, latest=True),)
    router = a_service(
        name=ServiceName("ion-chat-router"),
        uri="https://ion-chat-router.example.com",
        wanted=latest,
        observed=latest,
        latest_ready=ROUTER_1,
        latest_created=ROUTER_1,
        revisions=(a_revision(ROUTER_1),),
        environment={} if written is None else {"CANARY_TRAFFIC_PERCENTAGE": written},
    )
    return replace(router, **more)


def a_services_state(written: str | None = "10", **more: Any) -> TargetState:
    """Return router, stable and canary service."""
    return TargetState(
        switch=a_router(written, **more),
        stable=a_service(name=ServiceName("ion-chat"), uri="https://ion-chat.example.com"),
        canary=a_service(name=ServiceName("ion-chat-canary"), uri="https://ion-chat-canary.example.com"),
    )


def a_plan(**more: Any) -> Plan:
    """Return the plan for `a_state()`."""
    plan = Plan(
        topology=Topology.REVISIONS,
        service=ServiceName("ion-api"),
        canary=CANARY,
        stable=STABLE,
        canary_percent=10,
    )
    return replace(plan, **more)


def a_services_plan(**more: Any) -> Plan:
    """Return the plan for `a_services_state()`."""
    plan = Plan(
        topology=Topology.SERVICES,
        service=ServiceName("ion-chat-router"),
        canary="ion-chat-canary",
        stable="ion-chat",
        canary_percent=10,
        variable="CANARY_TRAFFIC_PERCENTAGE",
    )
    return replace(plan, **more)


def a_reading(
    metric: Metric = Metric.ERROR_RATE, value: float | None = 0.1, side: Side = Side.CANARY, **more: Any
) -> Reading:
    """Return a reading over 200 requests, seen at noon."""
    reading = Reading(
        metric=metric,
        side=side,
        source=Source.REQUEST_LOG,
        value=value,
        sample=200,
        since=NOON - seconds(60),
        until=NOON,
    )
    return replace(reading, **more)


#: What a canary and a stable side that are both well look like.
HEALTHY = tuple(
    a_reading(metric, value, side)
    for side in Side
    for metric, value in (
        (Metric.ERROR_RATE, 0.1),
        (Metric.P95, 80.0),
        (Metric.MEMORY, 40.0),
        (Metric.CPU, 30.0),
    )
)
#: The same with a canary whose error rate is red.
SICK = (a_reading(Metric.ERROR_RATE, 12.5, errors=25), *HEALTHY[1:])


def counts(
    side: Side = Side.STABLE, *, requests: int = 200, errors: int = 0, latency_ms: float = 50.0, **more: Any
) -> RequestCounts:
    """Return what the request log held."""
    found = RequestCounts(
        side=side,
        since=NOON,
        until=NOON + seconds(10),
        requests=requests,
        errors=errors,
        latencies_ms=(latency_ms,) * requests,
    )
    return replace(found, **more)


def a_probe(*, sent: int = 5, failures: int = 0, throttled: int = 0, **more: Any) -> ProbeResult:
    """Return what the health URL of stable answered."""
    result = ProbeResult(
        side=Side.STABLE,
        url="https://ion-api.example.com/health",
        sent=sent,
        failures=failures,
        throttled=throttled,
        latencies_ms=(20.0,) * (sent - failures - throttled),
        since=NOON,
        until=NOON + seconds(1),
    )
    return replace(result, **more)


def evidence(proof: Proof = Proof.TRAFFIC, verdict: Verdict = Verdict.PROVEN, **more: Any) -> Evidence:
    """Return one proof."""
    values = {
        Proof.TRAFFIC: 100.0,
        Proof.PROBE: 0.0,
        Proof.ERROR_RATE: 0.1,
        Proof.P95: 80.0,
        Proof.SILENCE: 0.0,
    }
    limits = {
        Proof.TRAFFIC: 100.0,
        Proof.PROBE: 0.0,
        Proof.ERROR_RATE: 0.5,
        Proof.P95: 200.0,
        Proof.SILENCE: 0.0,
    }
    sources = {Proof.TRAFFIC: Source.CLOUD_RUN, Proof.PROBE: Source.PROBE}
    found = Evidence(
        proof=proof,
        verdict=verdict,
        source=sources.get(proof, Source.REQUEST_LOG),
        value=values[proof],
        limit=limits[proof],
        sample=200,
        until=NOON + seconds(20),
    )
    return replace(found, **more)


ALL_PROVEN = tuple(evidence(proof) for proof in Proof)


def a_rollback(state: RollbackState = RollbackState.ASKED, **more: Any) -> Rollback:
    """Return a rollback of target ``canary`` that Sena asked for at noon."""
    rollback = Rollback(
        id=RollbackId("f00d"),
        target=CANARY_TARGET,
        state=state,
        asked_by=SENA,
        asked_at=NOON,
        reason="errors after the deployment",
        forced=False,
        channel="C0OPERATIONS",
        playbook_version="test-1",
        acting_team=HOME,
    )
    return replace(rollback, **more)


def a_decided_rollback(state: RollbackState = RollbackState.REQUESTED, **more: Any) -> Rollback:
    """Return a rollback that was decided for, with the times its state has."""
    order = (RollbackState.REQUESTED, RollbackState.APPLIED, RollbackState.SETTLED, RollbackState.VERIFIED)
    reached = order.index(state) if state in order else 2
    stamps = ("requested_at", "applied_at", "settled_at", "ended_at")[: reached + 1]
    times: dict[str, Any] = {name: NOON + seconds(10 * (n + 1)) for n, name in enumerate(stamps)}
    known: dict[str, Any] = {
        "plan": a_plan(),
        "before": SICK,
        "decided_by": SENA,
        "incident": IncidentNumber(12),
        "deployed_at": NOON - timedelta(hours=1),
    }
    return a_rollback(state, **(known | times | more))


RESOURCES = Resources(memory_mib=512, cpu_milli=1000, min_instances=0, max_instances=5)
MORE_MEMORY = Resources(memory_mib=1024)


def a_change(kind: ChangeKind = ChangeKind.REDUCE_TRAFFIC, **more: Any) -> Change:
    """Return what Sena asked for at noon: 5 % for the canary, or 1 GiB of memory."""
    change = Change(
        id=ChangeId("cafe"),
        kind=kind,
        target=CANARY_TARGET,
        state=ChangeState.ASKED,
        asked_by=SENA,
        asked_at=NOON,
        channel="C0OPERATIONS",
        playbook_version="test-1",
        incident=IncidentNumber(1),
        acting_team=HOME,
        percent=5 if kind is ChangeKind.REDUCE_TRAFFIC else None,
        resources=MORE_MEMORY if kind is ChangeKind.ADD_RESOURCES else None,
    )
    return replace(change, **more)


def an_incident(**more: Any) -> Incident:
    """Return open incident 12."""
    incident = Incident(
        number=IncidentNumber(12),
        target=CANARY_TARGET,
        state=IncidentState.OPEN,
        severity=Severity.HIGH,
        failure_type=FailureType.ERROR_RATE,
        opened_at=NOON,
        opened_by=SENA,
        playbook_version="test-1",
        deployed_at=NOON - timedelta(hours=1),
    )
    return replace(incident, **more)


def a_person(id: str = SENA, **more: Any) -> Person:
    """Return a member of our workspace who reads Korean."""
    person = Person(
        id=PersonId(id), name=id[2:].title(), team_id=HOME, locale="ko-KR", time_zone="Asia/Seoul"
    )
    return replace(person, **more)


def a_chain(*facts: dict[str, Any], chain: str = "incident:12", event: Event = Event.APPLIED) -> list[Entry]:
    """Return a good timeline with one entry for each of `facts`."""
    entries: list[Entry] = []
    for number, fact in enumerate(facts, start=1):
        content: dict[str, Any] = {
            "chain": chain,
            "sequence": number,
            "key": f"key:{number}",
            "at": NOON + seconds(number),
            "actor": "backout",
            "event": event,
            "facts": fact,
            "previous": entries[-1].hash if entries else GENESIS,
        }
        entries.append(Entry(**content, hash=link(**content)))
    return entries
