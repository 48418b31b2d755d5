"""Taking the contents of evidence away when their time is over; their names, sizes and hashes stay."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.domain.exhibit import Exhibit
from bot.domain.timeline import Event
from bot.usecases.journal import Line, audit
from bot.usecases.ports import Clock, Steps, Store, Transaction, Vault, VaultDown, Workflow

log = structlog.get_logger()

#: How often it is looked for what is over; a day more or less does not matter.
EVERY = timedelta(hours=24)
#: A process that has just started has better things to do.
RETIRE_SOON = timedelta(minutes=10)
#: The one timer's id.
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Retiring:
    """What retiring evidence may touch; `keep_for` is the setting ``BACKOUT_EVIDENCE_DAYS``."""

    store: Store
    vault: Vault
    keep_for: timedelta
    clock: Clock


def retire_again(tx: Transaction, *, at: datetime) -> None:
    """Set the one timer of the next look."""
    tx.wake(Workflow.RETIRE, ALL, at=at)


async def retire_evidence(arguments: Mapping[str, str], *, steps: Steps, use: Retiring) -> None:
    """Take away what is over, and come back in a day."""
    await steps.step("retire", lambda: _retire(use), into=str)


async def _retire(use: Retiring) -> str:
    # First: whatever happens to this turn, there is a next one.
    await use.store.change(lambda tx: retire_again(tx, at=use.clock() + EVERY))
    return f"{len(await retire_now(use))} taken away"


async def expired(use: Retiring) -> tuple[Exhibit, ...]:
    """Return the files whose time is over, oldest first."""
    before = use.clock() - use.keep_for
    return await use.store.look(lambda tx: tx.expired_exhibits(before))


async def retire_now(use: Retiring) -> tuple[Exhibit, ...]:
    """Take away the content of every file whose time is over; return those. What fails is tried again."""
    gone = []
    for exhibit in await expired(use):
        try:
            await use.vault.drop(exhibit.place)
        except VaultDown as error:
            log.warning("evidence_not_dropped", exhibit=exhibit.id, why=str(error))
            continue
        await use.store.change(lambda tx, one=exhibit: _drop(tx, one, at=use.clock()))  # type: ignore[misc]
        gone.append(exhibit)
    return tuple(gone)


def _drop(tx: Transaction, exhibit: Exhibit, *, at: datetime) -> None:
    kept = tx.kept(Exhibit, exhibit.id)
    tx.keep(replace(kept, dropped_at=kept.dropped_at or at))
    facts = {"incident": kept.incident, "exhibit": kept.id, "sha256": kept.sha256, "size": kept.size}
    # Beside the incident's own timeline: that one was closed, and its head is printed in the record.
    audit(tx, Line(event=Event.EVIDENCE_DROPPED, key=f"dropped:{kept.id}", facts=facts), at=at)
