"""What was said to people, as the database keeps it."""

from typing import Any

from bot.adapters.database.store import SqlStore
from bot.adapters.database.tables import MessageRow
from bot.usecases.ports import Showing, Transaction


async def notices_in(store: SqlStore) -> list[tuple[str, Any]]:
    """Return every line to one person: which words, and to whom."""

    def read(tx: Transaction) -> list[tuple[str, Any]]:
        rows = tx._session.query(MessageRow).filter_by(what=Showing.NOTICE.value)  # type: ignore[attr-defined]
        return [(row.facts["what"], row.person) for row in rows]

    return await store.look(read)
