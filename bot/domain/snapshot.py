"""What one taking of evidence came to, as values: the record, its pictures and its figures are made of them.

The files (`bot.domain.exhibit`) may go with time; these stay.
"""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.exhibit import Moment
from bot.domain.first_reading import FirstReading
from bot.domain.ids import IncidentNumber, RollbackId
from bot.domain.observation import Point


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One taking of evidence. `id` is that of `bot.domain.exhibit.snapshot_id`; times are aware, UTC.

    `canary` and `stable` are revisions or services (empty: none). `points` are the minutes of both sides
    before `created_at`, oldest first, an hour at most. `asked_by` is the person who asked for it.
    """

    id: str
    incident: IncidentNumber
    moment: Moment
    created_at: datetime
    canary: str
    stable: str
    reading: FirstReading
    rollback: RollbackId | None = None
    points: tuple[Point, ...] = ()
    deployed_at: datetime | None = None
    profiler: str = ""
    asked_by: str = ""
