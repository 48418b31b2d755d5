"""Somebody asks for less traffic or more resources for a canary: written down, prepared by a workflow."""

import secrets
from dataclasses import dataclass

from bot.domain.change import Change, ChangeKind, ChangeState
from bot.domain.ids import ChangeId, ChannelId, IncidentNumber, PersonId, TargetName
from bot.domain.playbook import Playbook
from bot.domain.resources import Resources
from bot.usecases.ports import Clock, Store, Transaction, Workflow


@dataclass(frozen=True, kw_only=True)
class AskForChange:
    """`key` is the request's own: the same key again changes nothing.

    `percent` is the share wanted (REDUCE_TRAFFIC), `resources` what is wanted (ADD_RESOURCES).
    `channel` is where the card goes; `acting_team` is the workspace of the person by
    ``body.user.team_id`` (None at the command line).
    """

    key: str
    kind: ChangeKind
    target: TargetName
    incident: IncidentNumber | None
    person: PersonId
    acting_team: str | None
    channel: ChannelId
    percent: int | None = None
    resources: Resources | None = None


async def ask_for_change(
    request: AskForChange, *, store: Store, clock: Clock, playbook: Playbook
) -> ChangeId | None:
    """Write the request down and start preparing it; None when this request was seen before."""
    now = clock()
    change = Change(
        id=ChangeId(secrets.token_hex(8)),
        kind=request.kind,
        target=request.target,
        state=ChangeState.ASKED,
        asked_by=request.person,
        asked_at=now,
        channel=request.channel,
        playbook_version=playbook.version,
        incident=request.incident,
        acting_team=request.acting_team,
        percent=request.percent,
        resources=request.resources,
    )

    def accept(tx: Transaction) -> ChangeId | None:
        if not tx.first_time(request.key, at=now):
            return None
        tx.add_change(change)
        tx.start(Workflow.PREPARE_CHANGE, change.id, change=change.id)
        return change.id

    return await store.change(accept)
