"""Where a container's memory is heading: a line through its last ten minutes, and what it says.

Arithmetic on samples only. Source of the rule and its numbers: reference/detection.md, "Memory"; of the
lines, 70 and 85 %: guide, "Metrics to watch during a deployment".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: The line is laid through so many seconds before the newest sample.
WINDOW_SECONDS = 600.0
#: Fewer samples, or samples over less time, make no trend. Cloud Monitoring has one a minute: two of a
#: window's ten may be missing.
LEAST_SAMPLES, LEAST_SPAN_SECONDS = 8, 420.0
#: Rising: it is this full and reaches the red line within so long, with a slope of so many standard errors.
SOON_SECONDS, SURE_ERRORS = 300.0, 3.0
#: So many samples in a row must say so.
SAMPLES_IN_A_ROW = 3

#: One sample: seconds (of any clock that goes on evenly) and percent, 0 to 100.
Sample = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Trend:
    """A line through the samples: its value at the newest one (percent), and how fast it rises.

    `per_minute` and `standard_error` are percentage points a minute. `seconds_to_red` and
    `seconds_to_full` say when it reaches the red line and 100 %: 0 where it is there, None where it never
    gets there.
    """

    fitted: float
    per_minute: float
    standard_error: float
    seconds_to_red: float | None
    seconds_to_full: float | None

    @property
    def rises_surely(self) -> bool:
        """Whether it rises, and by more than its scatter explains."""
        return self.per_minute > 0 and self.per_minute >= SURE_ERRORS * self.standard_error


@dataclass(frozen=True, kw_only=True)
class MemoryRun:
    """Samples in a row at which memory was rising towards the red line, and in a row that were over it."""

    rising: int = 0
    over: int = 0

    @property
    def warns(self) -> bool:
        """Whether it has been rising towards the limit for long enough to say so."""
        return self.rising >= SAMPLES_IN_A_ROW

    @property
    def fires(self) -> bool:
        """Whether it has been over the red line for long enough."""
        return self.over >= SAMPLES_IN_A_ROW


def memory_trend(
    samples: Sequence[Sample], *, red: float = 85.0, least_samples: int = LEAST_SAMPLES
) -> Trend | None:
    """Return the trend of the window that ends at the newest sample; None where there are too few.

    `samples` are (seconds, percent), oldest first; older ones than the window are left out.
    """
    if not samples:
        return None
    newest = samples[-1][0]
    # Seconds before the newest sample: squares of a clock's own numbers would lose all their digits.
    window = [(at - newest, percent) for at, percent in samples if at > newest - WINDOW_SECONDS]
    if len(window) < max(3, least_samples) or -window[0][0] < LEAST_SPAN_SECONDS:
        return None
    fitted, slope, standard_error = _line_through(window)
    return Trend(
        fitted=fitted,
        per_minute=slope * 60,
        standard_error=standard_error * 60,
        seconds_to_red=_seconds_to(red, fitted, slope),
        seconds_to_full=_seconds_to(100.0, fitted, slope),
    )


def memory_fed(
    run: MemoryRun,
    samples: Sequence[Sample],
    *,
    yellow: float = 70.0,
    red: float = 85.0,
    least_samples: int = LEAST_SAMPLES,
) -> tuple[MemoryRun, Trend | None]:
    """Return the run after one more sample, the last of `samples`, and the trend at it.

    Memory "rises" at a sample where the line is at `yellow` percent or more and reaches `red` within
    `SOON_SECONDS`; it is "over" where the sample itself is above `red`.
    """
    trend = memory_trend(samples, red=red, least_samples=least_samples)
    over = bool(samples) and samples[-1][1] > red
    rising = trend is not None and _rises_towards_red(trend, yellow)
    return MemoryRun(rising=run.rising + 1 if rising else 0, over=run.over + 1 if over else 0), trend


def _rises_towards_red(trend: Trend, yellow: float) -> bool:
    soon = trend.seconds_to_red is not None and trend.seconds_to_red <= SOON_SECONDS
    return trend.fitted >= yellow and soon and trend.rises_surely


def _line_through(window: Sequence[Sample]) -> tuple[float, float, float]:
    """Least squares: the value at time 0, the slope a second, and the slope's standard error."""
    count = len(window)
    middle = math.fsum(at for at, _ in window) / count
    mean = math.fsum(percent for _, percent in window) / count
    spread = math.fsum((at - middle) ** 2 for at, _ in window)
    slope = math.fsum((at - middle) * (percent - mean) for at, percent in window) / spread
    fitted = mean - slope * middle
    scatter = math.fsum((percent - fitted - slope * at) ** 2 for at, percent in window)
    return fitted, slope, math.sqrt(scatter / (count - 2) / spread)


def _seconds_to(line: float, fitted: float, slope: float) -> float | None:
    if fitted >= line:
        return 0.0
    return (line - fitted) / slope if slope > 0 else None
