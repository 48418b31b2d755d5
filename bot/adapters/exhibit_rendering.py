"""The contents of evidence, got from their vault for a message."""

from collections.abc import Iterable

import structlog

from bot.domain.exhibit import Exhibit
from bot.domain.taking import Taking, takings
from bot.usecases.ports import NotKept, Store, Vault, VaultDown

log = structlog.get_logger()


async def taking_of(snapshot: str, store: Store) -> Taking:
    """Return the files of a snapshot. Raises `NotKept` where there are none."""
    found = takings(await store.look(lambda tx: tx.find(Exhibit, snapshot=snapshot)))
    if not found:
        raise NotKept(f"no evidence of {snapshot}")
    return found[0]


async def got(exhibits: Iterable[Exhibit], vault: Vault) -> tuple[list[tuple[Exhibit, bytes]], list[str]]:
    """Return files with their contents, and the names of those that cannot be got."""
    there, absent = [], []
    for exhibit in exhibits:
        try:
            there.append((exhibit, await vault.get(exhibit.place)))
        except (NotKept, VaultDown) as error:
            log.warning("evidence_not_got", exhibit=exhibit.id, why=str(error))
            absent.append(exhibit.name)
    return there, absent
