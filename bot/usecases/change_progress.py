"""How far a change has come: every move is stored, told in the timeline and shown, in one transaction."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from bot.domain.change import RUNNING_CHANGE, Change, ChangeState, moved_change
from bot.domain.ids import ChangeId, ChannelId
from bot.domain.playbook import Playbook
from bot.domain.rollback import Rollback
from bot.domain.timeline import Event
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Clock, Playbooks, Showing, Store, Transaction
from bot.usecases.rollback_progress import LOOK_EVERY_SECONDS, SHOW_EVERY_SECONDS, Pause
from bot.usecases.show_incident import show_incident


def change_facts(change: Change) -> dict[str, Any]:
    """Return what a change is about, as JSON facts for the timeline and for notices."""
    facts: dict[str, Any] = {
        "change": change.id,
        "target": change.target,
        "kind_of_change": change.kind.value,
    }
    if change.percent is not None:
        facts["to_percent"] = change.percent
    if change.resources is not None:
        facts["to"] = asdict(change.resources)
    if change.plan is not None:
        facts |= {"canary": change.plan.canary, "from_percent": change.plan.percent}
        facts["from"] = asdict(change.plan.before) if change.plan.before else {}
    return facts


def change_stands(change: Change) -> dict[str, Any]:
    """Return how a change stands and by whom, as JSON facts for a notice."""
    when = change.requested_at or change.ended_at or change.asked_at
    by = change.decided_by or change.asked_by
    return change_facts(change) | {"state": change.state.value, "by": by, "at": when.isoformat()}


def overtaking(tx: Transaction, change: Change) -> Rollback | None:
    """Return the rollback that goes before `change`: one that runs, or that ran since it was decided.

    A rollback always wins: what it took out of traffic must not come back through a smaller change.
    """
    running = tx.running_rollback(change.target)
    if running is not None:
        return running
    last = tx.last_rollback(change.target)
    if last is None or last.requested_at is None or change.requested_at is None:
        return None
    return last if last.requested_at >= change.requested_at else None


def show_change(
    tx: Transaction, change: Change, lines: list[Line], *, playbook: Playbook, at: datetime
) -> None:
    """Show a change and, where it belongs to an incident, write `lines` and bring its cards up to date."""
    tx.show(Showing.CHANGE, change.id, channel=ChannelId(change.channel))
    if change.incident is not None:
        channel = ChannelId(playbook.channels.incidents)
        show_incident(tx, change.incident, channel=channel)
        write_lines(tx, change.incident, lines, at=at, channel=channel)


class ChangeProgress:
    """Keeps and shows one running change; an ended one is never changed."""

    def __init__(
        self, id: ChangeId, *, store: Store, playbooks: Playbooks, clock: Clock, pause: Pause
    ) -> None:
        self._id = id
        self._store = store
        self._playbooks = playbooks
        self._clock = clock
        self._pause = pause
        self._shown_at: datetime | None = None

    async def read(self) -> Change:
        """Return it as it is stored."""
        return await self._store.look(lambda tx: tx.change(self._id))

    async def overtaken_by(self, change: Change) -> Rollback | None:
        """Return the rollback that goes before it, None when there is none."""
        return await self._store.look(lambda tx: overtaking(tx, change))

    async def move(self, change: Change, wanted: ChangeState, line: Line | None) -> Change:
        """Take it to its next state and return it as stored; only an unknown outcome keeps its problem."""
        problem = change.problem if wanted is ChangeState.UNKNOWN else None
        there = replace(moved_change(change, wanted, at=self._clock()), problem=problem)
        await self.save(there, [line] if line else [], after=change)
        return await self.read()

    async def save(self, change: Change, lines: list[Line], *, after: Change, write: bool = False) -> bool:
        """Store what follows `after`, write `lines` and show both.

        False, and nothing is stored, when another process has gone on from `after` meanwhile, or,
        before a `write`, when a rollback goes first.
        """
        now, playbook = self._clock(), self._playbooks.current()

        def save(tx: Transaction) -> bool:
            kept = tx.change(change.id)
            if not _is_still(kept, after) or (write and overtaking(tx, kept)):
                return False
            tx.save_change(change)
            self._shown_at = now
            show_change(tx, change, lines, playbook=playbook, at=now)
            return True

        return await self._store.change(save)

    async def end(
        self, change: Change, wanted: ChangeState, *, problem: str | None, facts: Mapping[str, Any]
    ) -> Change:
        """End it, unless another process did, and return it as stored."""
        ended = replace(moved_change(change, wanted, at=self._clock()), problem=problem)
        await self.save(ended, [ending_line(ended, **facts)], after=change)
        return await self.read()

    async def wait(self, change: Change) -> None:
        """Wait for the next look, and let the message count the seconds."""
        now = self._clock()
        if self._shown_at is None or (now - self._shown_at).total_seconds() >= SHOW_EVERY_SECONDS:
            self._shown_at = now
            channel = ChannelId(change.channel)
            await self._store.change(lambda tx: tx.show(Showing.CHANGE, change.id, channel=channel))
        await self._pause(LOOK_EVERY_SECONDS)


def _is_still(kept: Change, known: Change) -> bool:
    """True when nobody has gone on from `known`; that Google does not answer changes nothing yet."""
    unmoved = kept.state in (known.state, ChangeState.UNKNOWN)
    return unmoved and kept.state in RUNNING_CHANGE and kept.writes == known.writes


_ENDINGS = {
    ChangeState.DONE: Event.CHANGE_DONE,
    ChangeState.NOTHING_TO_DO: Event.CHANGE_NOT_NEEDED,
    ChangeState.OVERTAKEN: Event.CHANGE_OVERTAKEN,
}


def ending_line(change: Change, **facts: Any) -> Line:
    """Return the timeline's line about how a change ended."""
    event = _ENDINGS.get(change.state, Event.CHANGE_FAILED)
    told = change_facts(change) | {"state": change.state.value, "problem": change.problem}
    return Line(event=event, key=f"change_ended:{change.id}", facts=told | facts)
