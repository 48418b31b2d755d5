"""What one tail session does to entries on their way: withholds, repeats and delays them, if asked to."""

import random

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.log_store import LogRecord

#: How many entries Google sends of one project. Source: reference/cloud-run-and-canary.md, C.4.
MOST_A_MINUTE = 60_000


class TailSwitches:
    """The switches of `behaviour`, and Google's own limit, over one session."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._rng = random.Random(1)
        self._again: list[LogRecord] = []
        #: Records with the time they are due (seconds since the epoch).
        self._late: list[tuple[float, LogRecord]] = []
        self._minute, self._sent = 0.0, 0

    def pass_on(self, records: list[LogRecord], *, now: float) -> tuple[list[LogRecord], int]:
        """Return what is sent of `records` and of older ones, and how many are withheld for ever."""
        withheld = [record for record in records if self._rng.random() < self._behaviour.tail_withholds]
        left = [record for record in records if record not in withheld]
        late = [record for record in left if self._rng.random() < self._behaviour.tail_late_ratio]
        in_time = [record for record in left if record not in late]
        due = [record for at, record in self._late if at <= now]
        self._late = [(at, record) for at, record in self._late if at > now]
        self._late += [(now + self._behaviour.tail_late_seconds, record) for record in late]
        sent = self._within_rate(in_time + due + self._again, now)
        over = len(in_time) + len(due) + len(self._again) - len(sent)
        self._again = in_time if self._behaviour.tail_repeats else []
        return sent, len(withheld) + over

    def _within_rate(self, records: list[LogRecord], now: float) -> list[LogRecord]:
        if now >= self._minute + 60:
            self._minute, self._sent = now, 0
        sent = records[: MOST_A_MINUTE - self._sent]
        self._sent += len(sent)
        return sent
