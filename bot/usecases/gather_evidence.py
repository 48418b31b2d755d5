"""Reading, on *stable*, whether a rollback did what it should: five proofs, each with its data's age.

Stable is what people use now. The canary is not asked: taken out of traffic it may well look 100 %
broken, and that would call a good rollback a failure (reference/cloud-run-and-canary.md, B.6).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.faults import CloudFault
from bot.domain.ids import RevisionName
from bot.domain.plan import canary_share, has_settled, sides
from bot.domain.playbook import Playbook, Target, Topology, Verification
from bot.domain.readings import ProbeResult, RequestCounts, Side, Source, percentile
from bot.domain.rollback import Evidence, Plan, Proof, Rollback, RollbackState, Verdict, outcome
from bot.domain.traffic import TargetState
from bot.usecases.ports import Clock, Cloud, Prober, RequestLog

#: The log is seconds late: its newest second proves nothing yet.
LOG_LATE = timedelta(seconds=1)
#: From one reading to the next, which is longer each time: what is missing after the first are requests
#: that have not come yet, and each reading takes one of the few reads of the log that Google allows.
FIRST_PAUSE, LONGEST_PAUSE, LONGER = timedelta(seconds=1), timedelta(seconds=5), 1.5


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """What gathering evidence may touch."""

    cloud: Cloud
    requests: RequestLog
    prober: Prober
    clock: Clock


async def gather_evidence(
    target: Target,
    rollback: Rollback,
    playbook: Playbook,
    *,
    use: Gathering,
    waiting: Callable[[], Awaitable[None]],
) -> tuple[Evidence, ...]:
    """Read until every proof is proven or the time is up, then return what was read last.

    Nothing is read before everything can be proven. A first bad or thin reading is not the last word:
    with 50 requests one error is 2 %, so the sample grows until `confirm_within_seconds` is over. Never
    raises: what cannot be read is inconclusive.
    """
    rules = playbook.verification
    settled_at = rollback.settled_at or use.clock()
    deadline = use.clock() + timedelta(seconds=rules.confirm_within_seconds)
    read_at, pause = min(provable_at(rules, settled_at=settled_at), deadline), FIRST_PAUSE
    while True:
        while use.clock() < read_at:
            await waiting()
        evidence = await _read_once(target, rollback, playbook, settled_at=settled_at, use=use)
        now = use.clock()
        if outcome(evidence) is RollbackState.VERIFIED or now >= deadline:
            return evidence
        read_at, pause = min(now + pause, deadline), min(pause * LONGER, LONGEST_PAUSE)


def provable_at(rules: Verification, *, settled_at: datetime) -> datetime:
    """Return when every proof can be there at the earliest: the canary's silence takes longest."""
    return settled_at + timedelta(seconds=rules.in_flight_seconds + rules.silence_seconds) + LOG_LATE


async def _read_once(
    target: Target, rollback: Rollback, playbook: Playbook, *, settled_at: datetime, use: Gathering
) -> tuple[Evidence, ...]:
    plan = rollback.plan
    if plan is None:
        raise ValueError(f"rollback {rollback.id} was carried out without a plan")
    try:
        state = await use.cloud.look(target)
    except CloudFault as fault:
        return tuple(_unreadable(proof, str(fault), use.clock()) for proof in Proof)
    until = use.clock() - LOG_LATE
    where = sides(target, plan, state)
    rules = playbook.verification
    probe, counts = await asyncio.gather(
        use.prober.probe(
            health_url(target, state),
            Side.STABLE,
            requests=rules.probe_requests,
            pause_ms=rules.probe_pause_ms,
        ),
        use.requests.count(target, where, since=settled_at, until=max(until, settled_at)),
    )
    late = settled_at + timedelta(seconds=rules.in_flight_seconds)
    lately = replace(counts[Side.CANARY], since=late, until=max(until, late))
    if lately.requests or lately.truncated:
        # Not all were late, perhaps, or stable's requests left no room for them.
        alone = await use.requests.count(
            target, where, since=lately.since, until=lately.until, only=Side.CANARY
        )
        lately = alone[Side.CANARY]
    least = playbook.thresholds.min_requests
    return (
        traffic_evidence(plan, state),
        probe_evidence(probe),
        error_evidence(counts[Side.STABLE], rules, least=least),
        p95_evidence(counts[Side.STABLE], rules, least=least),
        silence_evidence(lately, rules, stable=counts[Side.STABLE], least=least),
    )


def health_url(target: Target, state: TargetState) -> str:
    """Return what to probe: the configured address, else stable's own plus ``/health`` (guide)."""
    if target.health_url:
        return target.health_url
    service = state.stable or state.switch
    return f"{service.uri.rstrip('/')}/health"


def traffic_evidence(plan: Plan, state: TargetState) -> Evidence:
    """Read the traffic: 100 % stable and settled, as Cloud Run observes it."""
    service = state.switch
    if plan.topology is Topology.REVISIONS:
        percent: int | None = service.observed_percent(RevisionName(plan.stable))
    else:
        share = canary_share(service.environment.get(plan.variable or "", ""))
        percent = None if share is None else 100 - share
    settled = has_settled(plan, state)
    return Evidence(
        proof=Proof.TRAFFIC,
        verdict=Verdict.PROVEN if settled and percent == 100 else Verdict.DISPROVEN,
        source=Source.CLOUD_RUN,
        value=percent,
        limit=100,
        sample=0,
        until=service.read_at,
        note=service.problem or (None if settled else "not settled"),
    )


def probe_evidence(probe: ProbeResult) -> Evidence:
    """Judge the probe: every request answered well. Throttled ones prove nothing either way."""
    all_well = probe.sent > 0 and probe.answered_well == probe.sent
    verdict = Verdict.PROVEN if all_well else Verdict.INCONCLUSIVE
    return Evidence(
        proof=Proof.PROBE,
        verdict=Verdict.DISPROVEN if probe.failures else verdict,
        source=Source.PROBE,
        value=probe.failures,
        limit=0,
        sample=probe.sent,
        until=probe.until,
        note=probe.problem,
    )


def error_evidence(counts: RequestCounts, rules: Verification, *, least: int) -> Evidence:
    """Judge stable's error rate: below the limit (guide: < 0.5 %), over at least `least` requests."""
    rate = 100 * counts.errors / counts.requests if counts.requests else None
    return _judged(
        Proof.ERROR_RATE, counts, rate, rules.error_rate_below_percent, sample=counts.requests, least=least
    )


def p95_evidence(counts: RequestCounts, rules: Verification, *, least: int) -> Evidence:
    """Judge stable's P95: below the limit (guide: < 200 ms), over at least `least` requests."""
    slow = percentile(counts.latencies_ms, 95)
    return _judged(Proof.P95, counts, slow, rules.p95_below_ms, sample=len(counts.latencies_ms), least=least)


def _judged(
    proof: Proof, counts: RequestCounts, value: float | None, limit: float, *, sample: int, least: int
) -> Evidence:
    if counts.problem is not None or value is None or sample < least:
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.PROVEN if value < limit else Verdict.DISPROVEN
    thin = f"needs {least} requests" if counts.problem is None and sample < least else None
    return Evidence(
        proof=proof,
        verdict=verdict,
        source=Source.REQUEST_LOG,
        value=value,
        limit=limit,
        sample=sample,
        until=counts.until,
        note=counts.problem or thin,
    )


def silence_evidence(
    canary: RequestCounts, rules: Verification, *, stable: RequestCounts, least: int
) -> Evidence:
    """Judge the canary's silence: no request for some seconds in a log that is seen to flow."""
    flowing = stable.problem is None and stable.requests >= least
    long_enough = canary.until - canary.since >= timedelta(seconds=rules.silence_seconds)
    if canary.problem is not None:
        verdict = Verdict.INCONCLUSIVE
    elif canary.requests:
        verdict = Verdict.DISPROVEN
    else:
        seen = flowing and long_enough and not canary.truncated
        verdict = Verdict.PROVEN if seen else Verdict.INCONCLUSIVE
    return Evidence(
        proof=Proof.SILENCE,
        verdict=verdict,
        source=Source.REQUEST_LOG,
        value=None if canary.problem else canary.requests,
        limit=0,
        sample=canary.requests,
        until=canary.until,
        note=canary.problem,
    )


def _unreadable(proof: Proof, why: str, now: datetime) -> Evidence:
    return Evidence(
        proof=proof,
        verdict=Verdict.INCONCLUSIVE,
        source=Source.CLOUD_RUN,
        value=None,
        limit=None,
        sample=0,
        until=now,
        note=why,
    )


def evidence_facts(evidence: Evidence) -> dict[str, Any]:
    """Return evidence as JSON facts for the timeline."""
    return {
        "proof": evidence.proof.value,
        "verdict": evidence.verdict.value,
        "source": evidence.source,
        "value": evidence.value,
        "limit": evidence.limit,
        "sample": evidence.sample,
        "until": evidence.until.isoformat(),
        "note": evidence.note,
    }
