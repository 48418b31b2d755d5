"""The failure record of the guide, assembled from stored facts. Templates and views only lay it out.

Nothing here is read from a clock or a running system: the same rows make the same record, whenever and
wherever it is rendered. What changes afterwards for reasons of its own, such as whether a target's automatics
are armed, is not in it but in the timeline.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alert import Alert
from bot.domain.exhibit import KEPT_FOREVER, Exhibit, Moment
from bot.domain.first_reading import Clients
from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.incident import Incident, Severity
from bot.domain.observation import Point
from bot.domain.playbook import Playbook, Thresholds
from bot.domain.record_figures import (
    Downtime,
    Symptom,
    Window,
    clients_of,
    downtime,
    merged,
    symptoms,
)
from bot.domain.review import Found, found_in_review
from bot.domain.rollback import Evidence, Rollback, RollbackState
from bot.domain.snapshot import Snapshot
from bot.domain.steps import Step, steps_of
from bot.domain.timeline import Entry, Event, happened_at

#: The snapshot that an edition's files belong to; see `Exhibit.snapshot`.
EDITION = "{number}:record-{edition}"


def edition_id(number: IncidentNumber, edition: int) -> str:
    """Return what the files of one edition are kept under: ``12:record-3``."""
    return EDITION.format(number=number, edition=edition)


@dataclass(frozen=True, kw_only=True)
class Times:
    """How long each part took; None where its beginning or end is not known.

    From the deployment to the first alert or request (`detect`), from there to the decision (`decide`), from
    there until Cloud Run served what was asked for (`roll_back`), from there to the verdict *verified*
    (`verify`), and from the detection until people closed the incident (`resolve`).
    """

    detect: timedelta | None = None
    decide: timedelta | None = None
    roll_back: timedelta | None = None
    verify: timedelta | None = None
    resolve: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """Everything the failure record says. Durations are None while they are not known.

    `detected_after` runs from the deployment to the first alert or request; `rollback_took` from the
    decision to the end. `outcome` is the newest rollback's. `first_severity` is what was guessed before
    people said otherwise, None where that cannot be told any more. `clients` and `downtime` are estimates.
    `steps` is the checklist of the incident's own playbook, `found` what people found in
    the cause analysis. `exhibits` are the files of evidence, without
    those of records. `points` are the minutes that the figures are made of, by the
    playbook's `thresholds`. `head` is the timeline's last
    hash, so that a copy of the record can prove the timeline it was made from.
    """

    heading: str
    time_zone: str
    incident: Incident
    rollback: Rollback | None
    rollbacks: tuple[Rollback, ...]
    outcome: RollbackState | None
    occurred_at: datetime
    deployed_at: datetime | None
    detected_at: datetime
    detected_after: timedelta | None
    rollback_took: timedelta | None
    times: Times
    symptoms: tuple[Symptom, ...]
    clients: Clients | None
    downtime: Downtime
    first_severity: Severity | None
    alerts: tuple[Alert, ...]
    evidence: tuple[Evidence, ...]
    steps: tuple[Step, ...]
    found: tuple[Found, ...]
    exhibits: tuple[Exhibit, ...]
    points: tuple[Point, ...]
    thresholds: Thresholds
    timeline: tuple[Entry, ...]
    names: Mapping[PersonId, str]
    head: str

    @property
    def complete(self) -> bool:
        """True once people have filled in what the guide asks and a machine cannot know."""
        return self.incident.people.complete


def make_record(
    incident: Incident,
    rollbacks: Sequence[Rollback],
    timeline: Iterable[Entry],
    *,
    playbook: Playbook,
    names: Mapping[PersonId, str],
    alerts: Sequence[Alert] = (),
    snapshots: Sequence[Snapshot] = (),
    exhibits: Sequence[Exhibit] = (),
) -> Record:
    """Assemble the record.

    Args:
        rollbacks: the incident's, oldest first, as everything else of several.
        playbook: the edition that the incident goes by.
        names: what people are called.
    """
    entries = tuple(timeline)
    newest = rollbacks[-1] if rollbacks else None
    asked = rollbacks[0].asked_at if rollbacks else incident.opened_at
    detected = min([asked, incident.opened_at, *(alert.created_at for alert in alerts)])
    deployed = _deployed_at(incident, rollbacks, snapshots)
    window = Window(since=deployed, until=_verdict_at(newest))
    points = merged(snapshots)
    afterwards = merged(s for s in snapshots if s.moment is Moment.VERIFICATION)
    return Record(
        heading=playbook.name,
        time_zone=playbook.time_zone,
        incident=incident,
        rollback=newest,
        rollbacks=tuple(rollbacks),
        outcome=newest.state if newest else None,
        occurred_at=min([detected, *_said_to_have_begun(entries)]),
        deployed_at=deployed,
        detected_at=detected,
        detected_after=_since(deployed, detected),
        rollback_took=_since(newest.requested_at, newest.ended_at) if newest else None,
        times=_times(incident, newest, deployed=deployed, detected=detected),
        symptoms=symptoms(newest, points, afterwards, window=window, thresholds=playbook.thresholds),
        clients=clients_of(snapshots),
        downtime=downtime(points, window),
        first_severity=_first_severity(incident, entries),
        alerts=tuple(alerts),
        evidence=newest.evidence if newest else (),
        steps=steps_of(incident, playbook),
        found=found_in_review(incident, playbook),
        exhibits=tuple(exhibit for exhibit in exhibits if exhibit.kind not in KEPT_FOREVER),
        points=points,
        thresholds=playbook.thresholds,
        timeline=entries,
        names=dict(names),
        head=entries[-1].hash if entries else "",
    )


def _deployed_at(
    incident: Incident, rollbacks: Sequence[Rollback], snapshots: Sequence[Snapshot]
) -> datetime | None:
    told = [incident.deployed_at, *(r.deployed_at for r in rollbacks), *(s.deployed_at for s in snapshots)]
    return next((at for at in told if at is not None), None)


def _verdict_at(rollback: Rollback | None) -> datetime | None:
    """Minutes after the traffic has moved say nothing of the failure."""
    return (rollback.settled_at or rollback.ended_at) if rollback else None


def _times(
    incident: Incident, newest: Rollback | None, *, deployed: datetime | None, detected: datetime
) -> Times:
    decided = incident.decided_at or (newest.requested_at if newest else None)
    settled = newest.settled_at if newest else None
    verified = newest.ended_at if newest and newest.state is RollbackState.VERIFIED else None
    return Times(
        detect=_since(deployed, detected),
        decide=_since(detected, decided),
        roll_back=_since(decided, settled),
        verify=_since(settled, verified),
        resolve=_since(detected, incident.closed_at),
    )


def _said_to_have_begun(entries: Iterable[Entry]) -> list[datetime]:
    return [happened_at(entry) for entry in entries if entry.event is Event.BEGAN]


def _since(start: datetime | None, end: datetime | None) -> timedelta | None:
    return None if start is None or end is None else max(end - start, timedelta())


#: What can make an incident more or less severe.
_SEVERITY_SAID = (Event.SEVERITY_CHANGED, Event.SCENARIO_CHOSEN, Event.RECORD_COMPLETED)


def _first_severity(incident: Incident, entries: Iterable[Entry]) -> Severity | None:
    """Return how severe it was taken for at first: what the first change of it was a change from."""
    for entry in entries:
        if entry.event in _SEVERITY_SAID and entry.facts.get("severity"):
            before = entry.facts.get("before")
            known = entry.event is not Event.SCENARIO_CHOSEN and before in set(Severity)
            return Severity(str(before)) if known else None
    return incident.severity
