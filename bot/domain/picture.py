"""What pictures show: values in, pixels out elsewhere. Their texts are ready, in the reader's language."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.observation import Point
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric


class MarkKind(StrEnum):
    """What a mark is about, which chooses its colour."""

    DEPLOYED = "deployed"
    DETECTED = "detected"
    DECIDED = "decided"
    VERIFIED = "verified"
    NOT_VERIFIED = "not_verified"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A vertical line at `at` (aware, UTC) with a short text, such as "rolled back"."""

    at: datetime
    text: str
    kind: MarkKind = MarkKind.OTHER


@dataclass(frozen=True, kw_only=True)
class TrendLine:
    """A straight line over a panel from `value` at `at` to `last_value` at `until`, in the panel's unit."""

    at: datetime
    value: float
    until: datetime
    last_value: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Error rate, P95, memory and CPU of both sides over time, with the guide's lines.

    `canary` and `stable` are the legend, `metrics` four headings, in the order error rate, P95, memory,
    CPU, with their units; `nothing` stands where there is no data. Times are shown in `zone`, an IANA name.
    It goes from `since` (None: an hour before `until`, or the first point where that is earlier) to `until`
    (both aware, UTC). Between the `shaded` moments the background is darker. With `only` one large panel is
    drawn, with `trend` in it.
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
    nothing: str = "no data"
    since: datetime | None = None
    shaded: tuple[datetime, datetime] | None = None
    only: Metric | None = None
    trend: TrendLine | None = None


@dataclass(frozen=True, kw_only=True)
class PhaseBars:
    """How long one phase took, minutes; None where it never happened. `name` is such as "detect"."""

    name: str
    median: float | None
    worst: float | None


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One part of the stacked bars: how many incidents of scenario `name` each month had."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class StatsPicture:
    """Looking back over months: three panels below each other.

    - `phases` under `phases_heading`: two bars each, `median` and `worst` (the legend's words), in minutes.
    - `stacks` under `incidents_heading`: incidents per month of `months` (labels, oldest first).
    - `failure_rates` under `rate_heading`: percent of deployments that failed, per month; None: no data.

    Every `Stack.counts` and `failure_rates` is as long as `months`. `nothing` stands where there is no data.
    """

    title: str
    phases_heading: str
    phases: tuple[PhaseBars, ...]
    median: str
    worst: str
    incidents_heading: str
    months: tuple[str, ...]
    stacks: tuple[Stack, ...]
    rate_heading: str
    failure_rates: tuple[float | None, ...]
    nothing: str = "no data"
