"""Is the team ready to roll back? The guide's points, each answered with evidence or with what is missing.

Nothing is ready without evidence: what could not be read is not ready, and what only people can know
is confirmed by one of them, for a while. Source: guide, "Readiness checklist".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.confirmation import Confirmation
from bot.domain.guide import ReadinessPoint
from bot.domain.ids import PersonId, TargetName


class Standing(StrEnum):
    """How a point stands, worst first."""

    NOT_READY = "not_ready"
    COULD_NOT_CHECK = "could_not_check"
    TO_CONFIRM = "to_confirm"
    READY = "ready"


class Found(StrEnum):
    """What was found. The views choose the words, and what to do about it."""

    FAULT = "fault"
    STABLE_FOUND = "stable_found"
    NOTHING_SPLIT = "nothing_split"
    STABLE_UNSURE = "stable_unsure"
    DRY_RUN_TAKEN = "dry_run_taken"
    PROBE_WELL = "probe_well"
    PROBE_FAILED = "probe_failed"
    PERMISSIONS_HELD = "permissions_held"
    PERMISSIONS_MISSING = "permissions_missing"
    LOG_READ = "log_read"
    LOG_UNREADABLE = "log_unreadable"
    METRICS_READ = "metrics_read"
    METRICS_UNREADABLE = "metrics_unreadable"
    NO_CONTACTS = "no_contacts"
    CONTACT_EMPTY = "contact_empty"
    CONTACT_REACHED = "contact_reached"
    CONTACT_GONE = "contact_gone"
    CONTACT_GUEST = "contact_guest"
    GROUP_EMPTY = "group_empty"
    CHANNELS_THERE = "channels_there"
    CHANNEL_MISSING = "channel_missing"
    SLACK_SILENT = "slack_silent"
    TEMPLATES_RENDER = "templates_render"
    TEMPLATE_BROKEN = "template_broken"
    NO_NOTICES = "no_notices"
    BACKUP_FRESH = "backup_fresh"
    BACKUP_OLD = "backup_old"
    BACKUP_UNKNOWN = "backup_unknown"
    GUIDE_READ_BY = "guide_read_by"
    GUIDE_UNREAD_BY = "guide_unread_by"
    NOBODY_NAMED = "nobody_named"
    CONFIRMED = "confirmed"
    CONFIRMATION_EXPIRED = "confirmation_expired"
    NEVER_CONFIRMED = "never_confirmed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was found; `facts` are JSON."""

    standing: Standing
    found: Found
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One point of the readiness checklist with what was found about it.

    `titles` by language; `confirmable` says that a person's word counts here.
    """

    point: str
    titles: Mapping[str, str]
    findings: tuple[Finding, ...]
    confirmable: bool = False
    reading: bool = False

    @property
    def standing(self) -> Standing:
        """How it stands: as its worst finding; without any finding nothing is known."""
        found = {finding.standing for finding in self.findings}
        return next((s for s in Standing if s in found), Standing.COULD_NOT_CHECK)


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """All points, as they stood at `at` (aware, UTC)."""

    target: TargetName
    at: datetime
    answers: tuple[Answer, ...]

    @property
    def ready(self) -> bool:
        """True only when there are points, and each is ready."""
        return bool(self.answers) and all(a.standing is Standing.READY for a in self.answers)

    def count(self, standing: Standing) -> int:
        """Return how many points stand so."""
        return sum(answer.standing is standing for answer in self.answers)


def ready(found: Found, **facts: Any) -> Finding:
    """Return evidence."""
    return Finding(standing=Standing.READY, found=found, facts=facts)


def not_ready(found: Found, **facts: Any) -> Finding:
    """Return what is wrong."""
    return Finding(standing=Standing.NOT_READY, found=found, facts=facts)


def could_not_check(found: Found, **facts: Any) -> Finding:
    """Return why nothing can be said."""
    return Finding(standing=Standing.COULD_NOT_CHECK, found=found, facts=facts)


def to_confirm(found: Found, **facts: Any) -> Finding:
    """Return what a person has to say."""
    return Finding(standing=Standing.TO_CONFIRM, found=found, facts=facts)


def confirmation_id(point: str, person: PersonId) -> str:
    """Return the id of what somebody confirmed; confirming again renews it."""
    return f"{point}:{person}"


def confirmed_by(point: ReadinessPoint, person: PersonId, *, at: datetime) -> Confirmation:
    """Return the confirmation of `point` by `person`, good from `at` (aware, UTC) as the playbook says."""
    expires_at = at + timedelta(days=point.good_for_days)
    return Confirmation(
        id=confirmation_id(point.key, person),
        point=point.key,
        by=person,
        created_at=at,
        expires_at=expires_at,
    )


def by_people(confirmations: Iterable[Confirmation], *, now: datetime) -> Finding:
    """Say how a point stands that only people can confirm: the newest confirmation counts."""
    newest = max(confirmations, key=lambda one: one.created_at, default=None)
    if newest is None:
        return to_confirm(Found.NEVER_CONFIRMED)
    facts = {"by": newest.by, "at": newest.created_at.isoformat(), "until": newest.expires_at.isoformat()}
    if newest.expires_at <= now:
        return to_confirm(Found.CONFIRMATION_EXPIRED, **facts)
    return ready(Found.CONFIRMED, **facts)


def guide_read(
    confirmations: Iterable[Confirmation], team: Iterable[PersonId], *, now: datetime
) -> tuple[Finding, ...]:
    """Say who of the team has read the guide, and who has not; what has expired counts no more."""
    have = {one.by for one in confirmations if one.expires_at > now}
    everybody = sorted(set(team))
    unread = [person for person in everybody if person not in have]
    found = [ready(Found.GUIDE_READ_BY, people=sorted(have))] if have else []
    if not everybody:
        return (*found, to_confirm(Found.NOBODY_NAMED))
    if unread:
        found.append(to_confirm(Found.GUIDE_UNREAD_BY, people=unread))
    return tuple(found)


def backup_finding(made_at: datetime, *, not_older_than_hours: float, now: datetime) -> Finding:
    """Say whether the newest backup is fresh; on the limit it is. One from the future proves nothing."""
    hours = (now - made_at).total_seconds() / 3600
    facts = {"at": made_at.isoformat(), "hours": hours, "limit_hours": not_older_than_hours}
    if hours < -1:
        return could_not_check(Found.BACKUP_UNKNOWN, why=f"{made_at.isoformat()} is in the future")
    if hours > not_older_than_hours:
        return not_ready(Found.BACKUP_OLD, **facts)
    return ready(Found.BACKUP_FRESH, **facts)
