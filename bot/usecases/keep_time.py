"""Waking what is due: timers are rows, so they survive every restart and every replica can serve them."""

import asyncio

import structlog

from bot.usecases.ports import Clock, Store, StoreDown

log = structlog.get_logger()

#: How late a timer may be; the guide counts in minutes.
LOOK_EVERY_SECONDS = 0.5


async def keep_time(*, store: Store, clock: Clock) -> None:
    """Start workflows when they are due, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        try:
            # Looked for first: a transaction that writes would hold everybody else up on SQLite.
            if await store.look(lambda tx: tx.anything_due(clock())):
                await store.change(lambda tx: tx.wake_due(clock()))
        except StoreDown as error:
            log.error("timers_wait_for_database", why=str(error)[:300])
