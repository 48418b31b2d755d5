"""What is kept behind a journey, and all that is said in a channel."""

from typing import Any

from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.store import SqlStore
from bot.usecases.ports import K
from tests.journeys.world import World, texts


def stored(database_url: str, kind: type[K], **where: Any) -> tuple[K, ...]:
    """Return what is kept of a kind, as another process would read it."""
    database = Database(parsed(database_url))
    store = SqlStore(database, lambda *_: None)
    try:
        return store._rolled_back(database._reading_engine, lambda tx: tx.find(kind, **where))
    finally:
        database.close()


def everything_in(world: World, channel: str) -> str:
    """Return all that is said in a channel and its threads."""
    found = []
    for message in world.slack.messages(channel):
        found += [texts(message), *map(texts, world.slack.messages(channel, thread_ts=message["ts"]))]
    return "\n".join(found)
