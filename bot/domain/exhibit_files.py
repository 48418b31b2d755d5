"""Files of evidence: what they hold, readable without Backout, with secrets replaced.

Their words are English, like those of the tools that they are read with.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.configuration import Configuration
from bot.domain.evidence_read import EvidenceRead, Occasion, Refusal
from bot.domain.exhibit import ExhibitKind, Moment
from bot.domain.log_lines import LogLine, LogLines
from bot.domain.observation import Minute
from bot.domain.readings import ProbeResult, Reading, RequestCounts, percentile
from bot.domain.redaction import redact, redact_named
from bot.domain.traffic import ServiceState, TrafficShare

#: When the evidence was taken, in the words of a file's head.
_MOMENTS = {
    Moment.DECISION: "at the decision to roll back",
    Moment.VERIFICATION: "at the rollback's verdict",
    Moment.ASKED: "because somebody asked for it",
}


@dataclass(frozen=True, kw_only=True)
class Content:
    """One file's content, or why there is none. `source` is the query or address it was read with."""

    kind: ExhibitKind
    ending: str
    source: str
    content: bytes = b""
    redacted: int = 0
    problem: str | None = None


def contents(occasion: Occasion, read: EvidenceRead) -> tuple[Content, ...]:
    """Return every file, the guide's first. Takes a while: not for an event loop."""
    return (
        _log_file(ExhibitKind.ERROR_LOGS, "Error logs", read.error_logs, occasion),
        _log_file(ExhibitKind.SLOW_REQUESTS, "Slow requests", read.slow_requests, occasion),
        _metrics(occasion, read),
        _configuration(occasion, read),
        _traffic(occasion, read),
        _probe(occasion, read),
    )


def _log_file(kind: ExhibitKind, title: str, log: LogLines | Refusal, occasion: Occasion) -> Content:
    problem = log.why if isinstance(log, Refusal) else log.problem
    if isinstance(log, Refusal) or problem is not None:
        return Content(kind=kind, ending="txt", source="Cloud Logging", problem=problem)
    body = redact("\n".join(_line(line) for line in log.lines))
    count = body.count + log.redacted
    head = _head(title, log, occasion, redacted=count)
    text = f"{head}\n\n{body.text or '(no lines)'}\n"
    return Content(
        kind=kind, ending="txt", source=f"Cloud Logging: {log.filter}", content=text.encode(), redacted=count
    )


def _head(title: str, log: LogLines, occasion: Occasion, *, redacted: int) -> str:
    deployed = "since the deployment" if occasion.deployed_at == occasion.since else "the deployment is older"
    if occasion.deployed_at is None:
        deployed = "when it was deployed is not known"
    how_many = f"{len(log.lines)} lines, newest first"
    if log.more:
        how_many = f"the newest {len(log.lines)} lines; there are more"
    lines = [
        f"{title} of {occasion.name}: canary {occasion.canary or '(none)'}, stable {occasion.stable}",
        f"INC-{occasion.incident}, taken {_MOMENTS[occasion.moment]}, {_time(occasion.at)}",
        f"Window: {_time(log.since)} to {_time(log.until)} ({deployed})",
        f"Query: {log.filter}",
        f"Holds: {how_many}; {redacted} secrets and personal data replaced",
    ]
    return "\n".join(f"# {line}" for line in lines)


def _line(line: LogLine) -> str:
    where = line.revision or line.service
    said = f"{line.message} | {line.detail}" if line.detail else line.message
    first, *more = said.splitlines() or [""]
    # What follows belongs to the entry above, such as a stack trace.
    return "\n".join(
        [f"{_instant(line.at)} {line.severity:<8} {where}  {first}", *(f"    {m}" for m in more)]
    )


def _metrics(occasion: Occasion, read: EvidenceRead) -> Content:
    kind, source = ExhibitKind.METRICS_SNAPSHOT, f"Cloud Monitoring: {occasion.canary}, {occasion.stable}"
    parts = (read.readings, read.counts, read.minutes)
    refusals = [part.why for part in parts if isinstance(part, Refusal)]
    if len(refusals) == len(parts):
        return Content(kind=kind, ending="json", source=source, problem=refusals[0])
    readings = () if isinstance(read.readings, Refusal) else read.readings
    counts = {} if isinstance(read.counts, Refusal) else read.counts
    minutes = () if isinstance(read.minutes, Refusal) else read.minutes.minutes
    problems = [*refusals]
    if not isinstance(read.minutes, Refusal) and read.minutes.problem:
        problems.append(read.minutes.problem)
    document = {
        "readings": [_reading(reading, at=occasion.until) for reading in readings],
        "requests_of_the_last_minute": [_counts(count) for count in counts.values()],
        "minutes": [_minute(m) for m in minutes if m.name in (occasion.canary, occasion.stable)],
        "could_not_be_read": problems,
    }
    return _document(kind, document, occasion, source=source)


def _reading(reading: Reading, *, at: datetime) -> dict[str, Any]:
    return {
        "metric": reading.metric.value,
        "side": reading.side.value,
        "value": reading.value,
        "unit": reading.metric.unit,
        "numerator": reading.errors,
        "denominator": reading.sample,
        "source": reading.source.value,
        "since": _instant(reading.since),
        "until": _instant(reading.until),
        "age_seconds": round(reading.age(now=at).total_seconds(), 1),
        "problem": reading.problem,
    }


def _counts(counts: RequestCounts) -> dict[str, Any]:
    return {
        "side": counts.side.value,
        "since": _instant(counts.since),
        "until": _instant(counts.until),
        "requests": counts.requests,
        "errors_5xx": counts.errors,
        "error_rate_percent": round(100 * counts.errors / counts.requests, 4) if counts.requests else None,
        "p95_ms": percentile(counts.latencies_ms, 95),
        "newest_only": counts.truncated,
        "problem": counts.problem,
    }


def _minute(minute: Minute) -> dict[str, Any]:
    return {
        "name": minute.name,
        "since": _instant(minute.since),
        "until": _instant(minute.until),
        "requests": minute.requests,
        "errors_5xx": minute.errors,
        "p95_ms": minute.p95_ms,
        "memory_percent": minute.memory,
        "memory_median_percent": minute.memory_median,
        "cpu_percent": minute.cpu,
        "instances": minute.instances,
    }


def _configuration(occasion: Occasion, read: EvidenceRead) -> Content:
    kind, source = ExhibitKind.CANARY_CONFIG, f"Cloud Run: {occasion.canary}, {occasion.stable}"
    refusals = {side: c.why for side, c in read.configurations.items() if isinstance(c, Refusal)}
    if len(refusals) == len(read.configurations):
        why = next(iter(refusals.values()), "there is no canary")
        return Content(kind=kind, ending="json", source=source, problem=why)
    known = {s.value: c for s, c in read.configurations.items() if isinstance(c, Configuration)}
    found = read.differences
    differ = [{"about": d.about, "name": d.name, "stable": d.stable, "canary": d.canary} for d in found or ()]
    document: dict[str, Any] = {
        "differences": None if found is None else differ,
        **{side: _configured(configuration) for side, configuration in known.items()},
        "could_not_be_read": [f"{side.value}: {why}" for side, why in refusals.items()],
    }
    before = sum(configuration.redacted for configuration in known.values())
    made_by = frozenset(configuration.creator for configuration in known.values())
    return _document(kind, document, occasion, source=source, before=before, people=made_by)


def _configured(configuration: Configuration) -> dict[str, Any]:
    return {
        "service": configuration.service,
        "revision": configuration.revision,
        "read_at": _instant(configuration.read_at),
        "created_at": _instant(configuration.created_at) if configuration.created_at else None,
        "creator": configuration.creator,
        "environment": dict(configuration.environment),
        "settings": dict(configuration.settings),
        "as_google_describes_it": dict(configuration.document),
    }


def _traffic(occasion: Occasion, read: EvidenceRead) -> Content:
    kind, source = ExhibitKind.TRAFFIC, f"Cloud Run: service {occasion.target.service}"
    if isinstance(read.state, Refusal):
        return Content(kind=kind, ending="json", source=source, problem=read.state.why)
    state = read.state
    names = {"switch": state.switch, "stable": state.stable, "canary": state.canary}
    services = {what: _service(service, occasion) for what, service in names.items() if service}
    document = {"services": services, "rollback": _rollback(occasion)}
    changed_by = frozenset(service.last_modifier for service in names.values() if service)
    return _document(kind, document, occasion, source=source, people=changed_by)


def _service(service: ServiceState, occasion: Occasion) -> dict[str, Any]:
    variable = occasion.target.router.variable if occasion.target.router else None
    share = service.environment.get(variable) if variable else None
    return {
        "name": service.name,
        "read_at": _instant(service.read_at),
        "last_changed_by": service.last_modifier,
        "last_changed_at": _instant(service.updated_at),
        "generation": service.generation,
        "observed_generation": service.observed_generation,
        "reconciling": service.reconciling,
        "traffic_wanted": [_share(share) for share in service.wanted],
        "traffic_observed": [_share(share) for share in service.observed],
        **({variable: share} if variable and share is not None else {}),
        "latest_ready_revision": service.latest_ready,
        "latest_created_revision": service.latest_created,
        "revisions": [
            {"name": one.name, "created_at": _instant(one.created_at), "ready": one.ready}
            for one in service.revisions
        ],
        "images": list(service.images),
        "conditions": [{"kind": c.kind, "well": c.well, "message": c.message} for c in service.conditions],
        "problem": service.problem,
    }


def _share(share: TrafficShare) -> dict[str, Any]:
    return {
        "revision": share.revision,
        "percent": share.percent,
        "tag": share.tag,
        "latest": share.latest,
    }


def _rollback(occasion: Occasion) -> dict[str, Any] | None:
    rollback = occasion.rollback
    if rollback is None or rollback.plan is None:
        return None
    times = ("requested_at", "applied_at", "settled_at", "ended_at")
    at = {name: getattr(rollback, name) for name in times}
    return {
        "id": rollback.id,
        "state": rollback.state.value,
        "out_of_traffic": rollback.plan.canary,
        "its_share_before_percent": rollback.plan.canary_percent,
        "all_traffic_to": rollback.plan.stable,
        **{name: _instant(time) if time else None for name, time in at.items()},
    }


def _probe(occasion: Occasion, read: EvidenceRead) -> Content:
    answers = {side: probe for side, probe in read.probes.items() if isinstance(probe, ProbeResult)}
    refusals = {side: probe.why for side, probe in read.probes.items() if isinstance(probe, Refusal)}
    urls = ", ".join(answer.url for answer in answers.values())
    if not answers:
        why = next(iter(refusals.values()), "there is no address to ask")
        return Content(kind=ExhibitKind.PROBE, ending="json", source="health URLs", problem=why)
    document = {
        "sides": {side.value: _asked(answer) for side, answer in answers.items()},
        "not_asked": {side.value: why for side, why in read.unprobed.items()},
        "could_not_be_read": [f"{side.value}: {why}" for side, why in refusals.items()],
    }
    return _document(ExhibitKind.PROBE, document, occasion, source=urls)


def _asked(probe: ProbeResult) -> dict[str, Any]:
    return {
        "url": probe.url,
        "since": _instant(probe.since),
        "until": _instant(probe.until),
        "sent": probe.sent,
        "answered_well": probe.answered_well,
        "failures": probe.failures,
        "throttled": probe.throttled,
        "newest_status": probe.status,
        "latencies_ms": [round(latency, 1) for latency in probe.latencies_ms],
        "problem": probe.problem,
    }


def _document(
    kind: ExhibitKind,
    parts: Mapping[str, Any],
    occasion: Occasion,
    *,
    source: str,
    before: int = 0,
    people: frozenset[str] = frozenset(),
) -> Content:
    """Return a JSON file.

    Args:
        before: so many secrets were replaced in it already.
        people: who changed something; who it was is what the file is for, so they stay.
    """
    clean, count = _redacted(dict(parts), people)
    head = {
        "what": kind.value,
        "incident": f"INC-{occasion.incident}",
        "target": occasion.name,
        "taken": _MOMENTS[occasion.moment],
        "asked_at": _instant(occasion.at),
        "read_at": _instant(occasion.until),
        "source": source,
        "canary": occasion.canary or None,
        "stable": occasion.stable,
        "deployed_at": _instant(occasion.deployed_at) if occasion.deployed_at else None,
        "secrets_and_personal_data_replaced": before + count,
    }
    if kind is ExhibitKind.CANARY_CONFIG:
        # Here both are more than a name.
        del head["canary"], head["stable"]
    written = json.dumps({**head, **clean}, ensure_ascii=False, indent=2)
    return Content(
        kind=kind,
        ending="json",
        source=source,
        content=f"{written}\n".encode(),
        redacted=before + count,
    )


def _redacted(value: Any, people: frozenset[str], name: str = "") -> tuple[Any, int]:
    """Return plain JSON values with secrets replaced in every text, and how many were.

    Value by value, by what each is called: in the written JSON a find could take a quotation mark along.
    """
    if isinstance(value, str) and value not in people:
        found = redact_named(name, value)
        return found.text, found.count
    if isinstance(value, Mapping):
        pairs = {str(key): _redacted(one, people, str(key)) for key, one in value.items()}
        return {key: one for key, (one, _) in pairs.items()}, _sum(pairs.values())
    if isinstance(value, list | tuple):
        ones = [_redacted(one, people, name) for one in value]
        return [one for one, _ in ones], _sum(ones)
    return value, 0


def _sum(found: Iterable[tuple[Any, int]]) -> int:
    return sum(count for _, count in found)


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _instant(at: datetime) -> str:
    """Return such as ``2025-10-22T14:05:12.123Z``, as Google writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
