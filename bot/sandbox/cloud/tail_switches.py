"""What one tail session does to entries on their way: withholds, repeats and delays them, if asked to."""

import random

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.log_store import LogRecord


class TailSwitches:
    """The switches of `behaviour`, over one session."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._rng = random.Random(1)
        self._again: list[LogRecord] = []
        #: Records with the time they are due (seconds since the epoch).
        self._late: list[tuple[float, LogRecord]] = []

    def pass_on(self, records: list[LogRecord], *, now: float) -> tuple[list[LogRecord], int]:
        """Return what is sent of `records` and of older ones, and how many are withheld for ever."""
        withheld = [record for record in records if self._rng.random() < self._behaviour.tail_withholds]
        left = [record for record in records if record not in withheld]
        late = [record for record in left if self._rng.random() < self._behaviour.tail_late_ratio]
        in_time = [record for record in left if record not in late]
        due = [record for at, record in self._late if at <= now]
        self._late = [(at, record) for at, record in self._late if at > now]
        self._late += [(now + self._behaviour.tail_late_seconds, record) for record in late]
        sent = in_time + due + self._again
        self._again = in_time if self._behaviour.tail_repeats else []
        return sent, len(withheld)
