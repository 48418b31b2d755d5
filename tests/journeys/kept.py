"""What the database holds after a journey, read as another process would."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, text

from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.store import SqlStore
from bot.adapters.database.tables import MessageRow
from bot.domain.incident import Incident
from bot.domain.rollback import Rollback
from bot.domain.timeline import Entry, Event, first_broken, incident_chain
from bot.usecases.ports import Transaction
from bot.usecases.rollback_progress import JUDGED
from tests.journeys.world import World, until


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Everything a journey leaves behind. `timeline` is that of the newest incident."""

    rollbacks: tuple[Rollback, ...]
    incidents: tuple[Incident, ...]
    timeline: tuple[Entry, ...]
    unsent: int

    def lines(self, event: Event) -> list[Entry]:
        """Return the timeline's lines of one kind."""
        return [entry for entry in self.timeline if entry.event is event]


def kept(database_url: str) -> Kept:
    """Read everything."""
    database = Database(parsed(database_url))
    store = SqlStore(database, lambda *_: None)

    def read(tx: Transaction) -> tuple[Any, ...]:
        incidents = tx.incidents(limit=50)
        newest = incidents[0].number if incidents else None
        timeline = tx.timeline(incident_chain(newest)) if newest else ()
        ids = tx._session.execute(text("SELECT id FROM rollback ORDER BY asked_at")).scalars()  # type: ignore[attr-defined]
        unsent = select(func.count()).where(MessageRow.sent < MessageRow.wanted)
        count = tx._session.scalar(unsent)  # type: ignore[attr-defined]
        return tuple(tx.rollback(id) for id in ids), incidents, timeline, count

    try:
        rollbacks, incidents, timeline, unsent = store._rolled_back(database._reading_engine, read)
    finally:
        database.close()
    return Kept(rollbacks=rollbacks, incidents=incidents, timeline=timeline, unsent=unsent)


async def everything_told(world: World, database_url: str, *, files: int = 1) -> Kept:
    """Wait until `files` records are uploaded, all evidence is taken and nothing is left to send."""
    await until(lambda: len(records(world)) >= files, what="the record's file")
    await until(lambda: all_evidence_taken(kept(database_url)), what="the evidence")
    await until(lambda: kept(database_url).unsent == 0, what="the last message")
    return kept(database_url)


def records(world: World) -> list[str]:
    """Return the names of the records that were uploaded as Markdown, one for each edition."""
    names = (str(file["name"]) for file in world.slack.files())
    return [name for name in names if "-record-" in name and name.endswith(".md")]


def all_evidence_taken(left: Kept) -> bool:
    """True when evidence was taken at every decision and every verdict of the newest incident."""
    judged = [line for line in left.lines(Event.VERDICT) if line.facts["outcome"] in JUDGED]
    return len(left.lines(Event.EVIDENCE_TAKEN)) >= len(left.lines(Event.ROLLBACK_DECIDED)) + len(judged)


def keys_posted(world: World, *channels: str) -> Counter[str]:
    """Count our messages by the key in their metadata, threads included."""
    found: Counter[str] = Counter()
    for channel in channels:
        for message in world.slack.messages(channel):
            replies = world.slack.messages(channel, thread_ts=message["ts"])
            for one in (message, *replies):
                found[one.get("metadata", {}).get("event_payload", {}).get("key", "")] += 1
    return found


def assert_rolled_back_once(world: World, left: Kept, moment: str = "") -> None:
    """Once: one write, one incident, one decision, one of each message, and an intact timeline."""
    assert len(world.cloud.updates) == 1, moment
    assert len(left.incidents) == 1, moment
    for event in (Event.INCIDENT_OPENED, Event.ROLLBACK_DECIDED, Event.APPLIED, Event.SETTLED, Event.VERDICT):
        assert len(left.lines(event)) == 1, (moment, event)
    assert first_broken(left.timeline) is None, moment
    posted = keys_posted(world, "C0OPERATIONS", "C0CRITICAL")
    twice = {key: times for key, times in posted.items() if key and times > 1}
    assert not twice, moment
    # PostgreSQL gives no number twice, not even that of a transaction that came to nothing.
    number = left.incidents[0].number
    assert posted[f"board:{number}"] == posted[f"record:{number}"] == 1, moment
    assert sum(times for key, times in posted.items() if key.startswith("rollback:")) == 1, moment
    assert len(left.lines(Event.EVIDENCE_TAKEN)) == 2, moment
    names = [file["name"] for file in world.slack.files()]
    assert len(names) == len(set(names)), moment
    # In words: most journeys do not draw.
    about = f"incident_picture:{number}:verdict:"
    pictures = [times for key, times in posted.items() if key.startswith(about)]
    assert pictures == [1], moment
