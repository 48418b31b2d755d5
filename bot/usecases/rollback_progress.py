"""How far a rollback has come: every move is stored, told in the timeline and shown, in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from bot.domain.exhibit import Moment
from bot.domain.ids import ChannelId, RollbackId
from bot.domain.playbook import Playbook
from bot.domain.rollback import ENDED, RUNNING, Rollback, RollbackState, moved
from bot.domain.timeline import Event
from bot.usecases.collect_evidence import start_collecting
from bot.usecases.editions import playbook_of
from bot.usecases.gather_evidence import evidence_facts
from bot.usecases.journal import Line, write_lines
from bot.usecases.plan_follow_ups import plan_follow_ups
from bot.usecases.ports import Clock, Playbooks, Showing, Store, Transaction
from bot.usecases.read_incident_picture import show_verdict
from bot.usecases.show_record import show_record
from bot.usecases.tick_checklist import seen_of_rollback, tick_checklist, watch

#: How often Cloud Run is read while something is waited for, seconds. GetService every 0.5 to 1 s is
#: well inside its quota (reference/cloud-run-and-canary.md, B.4).
LOOK_EVERY_SECONDS = 0.5
#: How often the message counts the seconds meanwhile. Slack allows 50 edits a minute.
SHOW_EVERY_SECONDS = 3.0

#: Ends at which a rollback was put to the proof.
JUDGED = frozenset({RollbackState.VERIFIED, RollbackState.NOT_VERIFIED})

#: Waits for so many seconds.
Pause = Callable[[float], Awaitable[None]]


class Progress:
    """Keeps and shows one running rollback; an ended one is never changed."""

    def __init__(
        self, id: RollbackId, *, store: Store, playbooks: Playbooks, clock: Clock, pause: Pause
    ) -> None:
        self._id = id
        self._store = store
        self._playbooks = playbooks
        self._clock = clock
        self._pause = pause
        self._shown_at: datetime | None = None

    async def read(self) -> Rollback:
        """Return it as it is stored."""
        return await self._store.look(lambda tx: tx.rollback(self._id))

    async def move(self, rollback: Rollback, wanted: RollbackState, line: Line | None) -> Rollback:
        """Take it to its next state and return it; only an unknown outcome keeps its problem."""
        problem = rollback.problem if wanted is RollbackState.UNKNOWN else None
        there = replace(moved(rollback, wanted, at=self._clock()), problem=problem)
        await self.save(there, [line] if line else [], after=rollback)
        return there

    async def save(self, rollback: Rollback, lines: list[Line], *, after: Rollback) -> bool:
        """Store what follows `after`, write `lines` and show both.

        False, and nothing is stored, when another process has gone on from `after` meanwhile: this
        one slept through its lease and may not act on what it saw before.
        """
        now, playbook = self._clock(), self._playbooks.current()

        def save(tx: Transaction) -> bool:
            kept = tx.rollback(rollback.id)
            if not _is_still(kept, after):
                return False
            tx.save_rollback(_with_numbers(rollback, kept))
            seen = _ticks(tx, rollback, kept, playbook, at=now)
            self._show(tx, rollback, playbook, [*lines, *seen], at=now)
            return True

        return await self._store.change(save)

    async def end(
        self,
        rollback: Rollback,
        wanted: RollbackState,
        line: Line | None,
        *,
        also: Callable[[Transaction], None] | None = None,
    ) -> str:
        """Write end, evidence and verdict down, show them, post the record; returns the state it ended in.

        `also` happens in the same transaction, or not at all.
        """
        now, playbook = self._clock(), self._playbooks.current()
        ended = moved(rollback, wanted, at=now)
        lines = [*([line] if line else []), *_evidence_lines(ended), _verdict_line(ended)]

        def end(tx: Transaction) -> str:
            kept = tx.rollback(rollback.id)
            if not _is_still(kept, rollback):
                return kept.state
            tx.save_rollback(_with_numbers(ended, kept))
            seen = _ticks(tx, ended, kept, playbook, at=now)
            self._show(tx, ended, playbook, [*lines, *seen], at=now)
            if ended.incident is not None:
                watch(tx, ended.incident, at=now)
                incident = tx.incident(ended.incident)
                plan_follow_ups(tx, incident, playbook_of(tx, incident, playbook), at=now)
                _collect_again(tx, ended, at=now)
                show_verdict(tx, ended, ended.incident, channel=ChannelId(playbook.channels.incidents))
                show_record(tx, ended.incident, channel=ChannelId(playbook.channels.incidents), at=now)
            if also is not None:
                also(tx)
            return ended.state

        return await self._store.change(end)

    async def wait(self, rollback: Rollback) -> None:
        """Wait for the next look, and let the message count the seconds."""
        now = self._clock()
        if self._shown_at is None or (now - self._shown_at).total_seconds() >= SHOW_EVERY_SECONDS:
            self._shown_at = now
            channel = ChannelId(rollback.channel)
            await self._store.change(lambda tx: tx.show(Showing.ROLLBACK, rollback.id, channel=channel))
        await self._pause(LOOK_EVERY_SECONDS)

    def _show(
        self, tx: Transaction, rollback: Rollback, playbook: Playbook, lines: list[Line], *, at: datetime
    ) -> None:
        self._shown_at = at
        tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
        if rollback.incident is not None:
            channel = ChannelId(playbook.channels.incidents)
            tx.show(Showing.BOARD, str(rollback.incident), channel=channel)
            if rollback.state in ENDED:
                # It counts recovery down, and a clock's step to roll back is done by a verified one.
                tx.show(Showing.DIAGNOSIS, str(rollback.incident), channel=channel)
            write_lines(tx, rollback.incident, lines, at=at, channel=channel)


def _collect_again(tx: Transaction, rollback: Rollback, *, at: datetime) -> None:
    """Take evidence once more where traffic has moved, so that before and after can be compared."""
    if rollback.incident is not None and rollback.state in JUDGED:
        start_collecting(
            tx, rollback.incident, Moment.VERIFICATION, about=rollback.id, rollback=rollback.id, at=at
        )


def _ticks(
    tx: Transaction, rollback: Rollback, before: Rollback, playbook: Playbook, *, at: datetime
) -> list[Line]:
    """Tick what the rollback's new state shows; the incident is locked before its timeline, as everywhere."""
    seen = seen_of_rollback(rollback, before=before)
    if rollback.incident is None or not seen:
        return []
    channel = ChannelId(playbook.channels.incidents)
    return tick_checklist(tx, rollback.incident, seen, channel=channel, at=at)


def _is_still(kept: Rollback, known: Rollback) -> bool:
    """True when nobody has gone on from `known`; that Google does not answer changes nothing yet."""
    unmoved = kept.state in (known.state, RollbackState.UNKNOWN)
    return unmoved and kept.state in RUNNING and kept.writes == known.writes


def _with_numbers(rollback: Rollback, kept: Rollback) -> Rollback:
    """Keep numbers that were learnt while this rollback was under way; see `bot.usecases.learn_numbers`."""
    return rollback if rollback.before else replace(rollback, before=kept.before)


def _evidence_lines(rollback: Rollback) -> list[Line]:
    return [
        Line(event=Event.EVIDENCE, key=f"evidence:{rollback.id}:{e.proof}", facts=evidence_facts(e))
        for e in rollback.evidence
    ]


def _verdict_line(rollback: Rollback) -> Line:
    took = None
    if rollback.requested_at and rollback.ended_at:
        took = round((rollback.ended_at - rollback.requested_at).total_seconds(), 1)
    facts = {"rollback": rollback.id, "outcome": rollback.state.value, "took_seconds": took}
    return Line(
        event=Event.VERDICT, key=f"verdict:{rollback.id}", facts=facts | {"problem": rollback.problem}
    )
