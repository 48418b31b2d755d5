"""Somebody asks for a rollback: it is written down at once, and prepared by a workflow."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bot.domain.ids import ChannelId, PersonId, RollbackId, TargetName
from bot.domain.playbook import Playbook
from bot.domain.rollback import Rollback, RollbackState
from bot.usecases.ports import Clock, Store, Transaction, Workflow
from bot.usecases.whose_drill import target_is_drilled


@dataclass(frozen=True, kw_only=True)
class AskForRollback:
    """`key` is the request's own: the same key again changes nothing.

    `channel` is where the answer goes; `acting_team` is the workspace of the person by
    ``body.user.team_id`` (None at the command line).
    """

    key: str
    target: TargetName
    person: PersonId
    acting_team: str | None
    channel: ChannelId
    reason: str = ""
    forced: bool = False


class Asked(NamedTuple):
    """What became of a request: the new rollback's id, None when the request was seen before."""

    id: RollbackId | None
    #: Whether it was asked for in a drill of its target.
    in_drill: bool


async def ask_for_rollback(
    request: AskForRollback, *, store: Store, clock: Clock, playbook: Playbook
) -> Asked:
    """Write the request down and start preparing it."""
    now = clock()

    def accept(tx: Transaction) -> Asked:
        is_new = tx.first_time(request.key, at=now)
        return Asked(
            id=ask(tx, request, playbook=playbook, at=now) if is_new else None,
            in_drill=target_is_drilled(tx, request.target, at=now),
        )

    return await store.change(accept)


def ask(tx: Transaction, request: AskForRollback, *, playbook: Playbook, at: datetime) -> RollbackId:
    """Write a request down that is new, and start preparing it, in the caller's transaction."""
    rollback = Rollback(
        id=new_rollback_id(),
        target=request.target,
        state=RollbackState.ASKED,
        asked_by=request.person,
        asked_at=at,
        reason=request.reason,
        forced=request.forced,
        channel=request.channel,
        acting_team=request.acting_team,
        playbook_version=playbook.version,
    )
    tx.add_rollback(rollback)
    tx.start(Workflow.PREPARE, rollback.id, rollback=rollback.id)
    return rollback.id


def new_rollback_id() -> RollbackId:
    """Return a new id that tells nothing and cannot be guessed: buttons carry it."""
    return RollbackId(secrets.token_hex(8))


def again_id(id: RollbackId) -> RollbackId:
    """Return the id of the request that takes the place of rollback `id`: one, however often asked."""
    first, _, times = id.partition("-")
    return RollbackId(f"{first}-{int(times or 1) + 1}")
