"""Reading a target while Google may not answer: again and again, first quickly, aloud when it lasts."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.domain.faults import OUTCOME_UNKNOWN, CloudFault
from bot.domain.traffic import TargetState
from bot.usecases.ports import Clock

#: Reading again after an error from Google: first and longest pause, seconds.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0
#: After this long without an answer the outcome is called unknown, aloud.
UNKNOWN_AFTER = timedelta(seconds=10)


async def look_patiently(
    look: Callable[[], Awaitable[TargetState]],
    *,
    give_up_after: timedelta,
    unknown: Callable[[CloudFault], Awaitable[None]],
    clock: Clock,
    pause: Callable[[float], Awaitable[None]],
) -> TargetState:
    """Return what Cloud Run says, however long it takes to say it.

    Args:
        unknown: called with the newest fault once nobody has answered for `UNKNOWN_AFTER`.

    Raises:
        CloudFault: of a kind that asking again does not mend, or after `give_up_after`.
    """
    since, seconds = clock(), FIRST_PAUSE_SECONDS
    while True:
        try:
            return await look()
        except CloudFault as fault:
            waited = clock() - since
            if fault.kind not in OUTCOME_UNKNOWN or waited > give_up_after:
                raise
            if waited > UNKNOWN_AFTER:
                await unknown(fault)
        await pause(seconds)
        seconds = min(seconds * 2, LONGEST_PAUSE_SECONDS)
