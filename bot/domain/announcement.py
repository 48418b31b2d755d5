"""Telling people: a text that is written, agreed on where the playbook says so, and posted."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.guide import NoticePlan, Scenario
from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.incident import Incident
from bot.domain.post_mortem import PostMortem
from bot.domain.rollback import Rollback

#: What a template leaves for people to fill in: ``[[Compensation: …]]``.
_PLACEHOLDER = re.compile(r"\[\[.*?\]\]", re.DOTALL)
#: Slack's limit of one text field. Source: reference/slack-platform.md, A5.
FIELD_LIMIT = 3000
#: How many fields a text may fill; escaped it is up to five times as long and still fits one message.
MOST_FIELDS = 4


class AnnouncementState(StrEnum):
    """How far a text has come."""

    WAITING = "waiting"
    POSTED = "posted"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """One text for people. `notice` is the playbook's key; `text` is what was written, raw.

    In the text ``*bold*`` and the like are Slack's; nothing in it can ring or link. Times are aware,
    UTC. `next_due_at` is when the next one is expected, None where none is. `approved_by` is who
    decided about it: agreed, or held it back.
    """

    id: str
    incident: IncidentNumber
    notice: str
    locale: str
    text: str
    state: AnnouncementState
    created_at: datetime
    written_by: PersonId
    channels: tuple[str, ...]
    approved_by: PersonId | None = None
    posted_at: datetime | None = None
    next_due_at: datetime | None = None


def placeholders(text: str) -> tuple[str, ...]:
    """Return what of `text` is still to be filled in by people, in order."""
    return tuple(found[0] for found in _PLACEHOLDER.finditer(text))


def fingerprint(text: str) -> str:
    """Return a short digest by which a text is known again, 12 hexadecimal characters."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def in_fields(text: str, *, limit: int = FIELD_LIMIT) -> tuple[str, ...]:
    """Return `text` in pieces of at most `limit` characters that add up to it, cut where a line ends."""
    pieces, rest = [], text
    while len(rest) > limit:
        end = rest.rfind("\n", limit // 2, limit) + 1 or limit
        pieces.append(rest[:end])
        rest = rest[end:]
    return (*pieces, rest)


def may_approve(announcement: Announcement, person: PersonId, *, commander: PersonId | None) -> bool:
    """True when `person`, who holds the permission, may agree to this very text.

    Four eyes see more than two, so nobody agrees to their own text; but the commander decides in
    the end, and where nobody has command somebody alone at night must still be able to tell users.
    """
    return person != announcement.written_by or commander in (None, person)


@dataclass(frozen=True, kw_only=True)
class NoticeFacts:
    """What a template may speak of, as it was at `at` (aware, UTC).

    `rollback` is the newest one of the incident; `names` are display names by id. `meeting` is the
    post-mortem that the text invites to, None for any other text.
    """

    incident: Incident
    scenario: Scenario | None
    plan: NoticePlan
    rollback: Rollback | None
    playbook_name: str
    time_zone: str
    at: datetime
    names: Mapping[PersonId, str] = field(default_factory=dict)
    meeting: PostMortem | None = None

    @property
    def next_due_at(self) -> datetime | None:
        """When the next update is due if this one is posted now."""
        minutes = self.plan.next_update_minutes
        return None if minutes is None else self.at + timedelta(minutes=minutes)

    @property
    def version(self) -> str:
        """A digest of what the text speaks of; another one means that the incident has changed."""
        incident, rollback = self.incident, self.rollback
        return fingerprint(
            json.dumps(
                [
                    incident.state, incident.severity, incident.failure_type, incident.scenario,
                    incident.commander, incident.seen, rollback.id if rollback else None,
                    rollback.state if rollback else None,
                ]
            )
        )  # fmt: skip
