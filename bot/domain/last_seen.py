"""What was last seen of something, kept with its time, so that it can be shown again with its age."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.ids import PersonId, TargetName

#: For so long after somebody opened their Home it follows what happens; opening it again is cheap.
HOME_FOLLOWS_FOR = timedelta(hours=1)


class SeenKind(StrEnum):
    """What of: how a target stood, how ready it was, when somebody looked at their Home."""

    STATUS = "status"
    READINESS = "readiness"
    HOME = "home"


@dataclass(frozen=True, kw_only=True)
class LastSeen:
    """One thing as it was at `created_at` (aware, UTC); `content` is JSON."""

    id: str
    kind: SeenKind
    created_at: datetime
    content: Mapping[str, Any] = field(default_factory=dict)


def seen_id(kind: SeenKind, of: TargetName | PersonId) -> str:
    """Return the id under which the newest sight of its kind is kept."""
    return f"{kind}:{of}"
