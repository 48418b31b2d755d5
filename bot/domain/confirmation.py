"""What a person confirmed about the team's readiness, and until when that counts."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.ids import PersonId


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """One point of readiness, confirmed by one person. Times are aware, UTC."""

    id: str
    point: str
    by: PersonId
    created_at: datetime
    expires_at: datetime
