"""The failure record of the guide, assembled from stored facts. Templates and views only lay it out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.ids import PersonId
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric, Reading, Side
from bot.domain.rollback import Evidence, Proof, Rollback, RollbackState, Verdict
from bot.domain.timeline import Entry, Event, happened_at


@dataclass(frozen=True, kw_only=True)
class Symptom:
    """One metric of the failure: what stable showed, what the canary showed, what stable shows now.

    Values are in the metric's unit; None where nothing (or too little) was read.
    """

    metric: Metric
    stable_before: float | None
    canary: float | None
    stable_after: float | None
    sample: int


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything the failure record says. Durations are None while they are not known.

    `detected_after` runs from the deployment to the first request for a rollback; `rollback_took`
    from the decision to the end. `outcome` is the newest rollback's. `head` is the timeline's last
    hash, so that a copy of the record can prove the timeline it was made from.
    """

    heading: str
    time_zone: str
    incident: Incident
    rollback: Rollback | None
    outcome: RollbackState | None
    occurred_at: datetime
    detected_after: timedelta | None
    rollback_took: timedelta | None
    symptoms: tuple[Symptom, ...]
    evidence: tuple[Evidence, ...]
    timeline: tuple[Entry, ...]
    names: dict[PersonId, str]
    head: str

    @property
    def complete(self) -> bool:
        """True once people have filled in what the guide asks and a machine cannot know."""
        people = self.incident.people
        known = (people.users_affected, people.data_loss, people.down_minutes)
        return bool(people.cause and people.improvements) and None not in known


def make_record(
    incident: Incident,
    rollbacks: Sequence[Rollback],
    timeline: Iterable[Entry],
    *,
    playbook: Playbook,
    names: dict[PersonId, str],
) -> Record:
    """Assemble the record; `rollbacks` are the incident's, oldest first."""
    entries = tuple(timeline)
    newest = rollbacks[-1] if rollbacks else None
    asked = rollbacks[0].asked_at if rollbacks else incident.opened_at
    return Record(
        heading=playbook.name,
        time_zone=playbook.time_zone,
        incident=incident,
        rollback=newest,
        outcome=newest.state if newest else None,
        occurred_at=min(asked, incident.opened_at, *_said_to_have_begun(entries)),
        detected_after=_since(incident.deployed_at, asked),
        rollback_took=_since(newest.requested_at, newest.ended_at) if newest else None,
        symptoms=_symptoms(newest) if newest else (),
        evidence=newest.evidence if newest else (),
        timeline=entries,
        names=names,
        head=entries[-1].hash if entries else "",
    )


def _said_to_have_begun(entries: Iterable[Entry]) -> list[datetime]:
    return [happened_at(entry) for entry in entries if entry.event is Event.BEGAN]


def _since(start: datetime | None, end: datetime | None) -> timedelta | None:
    return None if start is None or end is None else max(end - start, timedelta())


def _symptoms(rollback: Rollback) -> tuple[Symptom, ...]:
    after = {e.proof: e.value for e in rollback.evidence if e.verdict is not Verdict.INCONCLUSIVE}
    found = []
    for metric in Metric:
        canary = _reading(rollback.before, metric, Side.CANARY)
        stable = _reading(rollback.before, metric, Side.STABLE)
        proof = {Metric.ERROR_RATE: Proof.ERROR_RATE, Metric.P95: Proof.P95}.get(metric)
        found.append(
            Symptom(
                metric=metric,
                stable_before=stable.value if stable else None,
                canary=canary.value if canary else None,
                stable_after=after.get(proof) if proof else None,
                sample=canary.sample if canary else 0,
            )
        )
    return tuple(found)


def _reading(readings: Iterable[Reading], metric: Metric, side: Side) -> Reading | None:
    return next((r for r in readings if r.metric is metric and r.side is side), None)
