"""What a picture of the last hour shows: values in, pixels out elsewhere."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.observation import Point
from bot.domain.playbook import Thresholds


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A vertical line at `at` (aware, UTC) with a short text, such as "rolled back"."""

    at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Error rate, P95, memory and CPU of both sides over time, with the guide's lines.

    All texts are ready to be drawn, in the reader's language: `title`, `canary`, `stable` (the legend) and
    `metrics` (four headings, in the order error rate, P95, memory, CPU, with their units). Times are shown
    in `zone`, an IANA name. `until` is when the picture was taken (aware, UTC).
    """

    title: str
    canary: str
    stable: str
    metrics: tuple[str, str, str, str]
    points: tuple[Point, ...]
    thresholds: Thresholds
    until: datetime
    marks: tuple[Mark, ...] = ()
    zone: str = "UTC"
