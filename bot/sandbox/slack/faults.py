"""Misbehaviour on request: the next calls of a method fail in a chosen way."""

from collections import defaultdict, deque
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How one call goes wrong.

    `after_effect`: the call does its work first and only its answer is lost. `drop_connection`: there is no
    answer at all. `retry_after`: seconds; makes it a 429.
    """

    error: str | None = None
    status: int = 200
    retry_after: int | None = None
    after_effect: bool = False
    drop_connection: bool = False

    @property
    def http_status(self) -> int:
        """The status to answer with."""
        return 429 if self.retry_after is not None and self.status == 200 else self.status

    @property
    def code(self) -> str:
        """Slack's error code for the answer."""
        return self.error or ("ratelimited" if self.http_status == 429 else "internal_error")


@dataclass
class Faults:
    """The faults that are still to happen, for each method in order; `standing` befalls every other call."""

    standing: Fault | None = None
    _waiting: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))

    def add(self, method: str, fault: Fault, *, times: int) -> None:
        """Let the next `times` calls of `method` fail."""
        self._waiting[method].extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """Return the fault that this call suffers, if any."""
        waiting = self._waiting[method]
        return waiting.popleft() if waiting else self.standing

    def end(self, method: str) -> None:
        """Let `method` work again."""
        self._waiting[method].clear()
