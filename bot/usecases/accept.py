"""Accepting a request: it is written down, once per key, and a workflow carries it out."""

from bot.usecases.ports import Clock, Store, Transaction, Workflow


async def accept(
    key: str, workflow: Workflow, id: str, /, *, store: Store, clock: Clock, **arguments: str
) -> None:
    """Remember `key` and start `workflow` in one transaction; a key seen before starts nothing."""
    now = clock()

    def remember(tx: Transaction) -> None:
        if tx.first_time(key, at=now):
            tx.start(workflow, id, **arguments)

    await store.change(remember)
