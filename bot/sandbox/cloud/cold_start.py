"""Cold starts: a revision without traffic has no instance, so that its next requests wait for one."""

import asyncio
import time

from bot.sandbox.cloud.behaviour import Behaviour


class ColdStart:
    """Whether one revision has an instance."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._is_cold = False
        self._up_at = 0.0

    def cool_down(self) -> None:
        """Take its instances away."""
        self._is_cold = True

    async def wait(self) -> float:
        """Return once an instance is up how many milliseconds that took; the first to wait starts it."""
        now = time.monotonic()
        if self._is_cold:
            self._is_cold = False
            self._up_at = now + self._behaviour.cold_start_seconds
        if self._up_at <= now:
            return 0.0
        await asyncio.sleep(self._up_at - now)
        return (time.monotonic() - now) * 1000
