"""A workflow broke off with an error nobody foresaw: the person waiting is told, and nothing is hidden."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain.by_hand import gcloud_line
from bot.domain.ids import ChannelId, PersonId, RollbackId
from bot.domain.playbook import Playbook
from bot.domain.rollback import RUNNING, Rollback, RollbackState, moved
from bot.domain.timeline import Event
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Clock, Notice, Playbooks, Said, Showing, Store, Transaction, Workflow


async def report_breakage(
    workflow: Workflow,
    arguments: Mapping[str, str],
    reference: str,
    *,
    store: Store,
    playbooks: Playbooks,
    clock: Clock,
) -> None:
    """Tell the person, with a reference to the log; a running rollback ends as not verified or failed."""
    playbook, now = playbooks.current(), clock()

    def report(tx: Transaction) -> None:
        by_hand, person, channel = "", arguments.get("person"), arguments.get("channel")
        if "rollback" in arguments:
            rollback = tx.rollback(RollbackId(arguments["rollback"]))
            _end(tx, rollback, workflow, reference, playbook, at=now)
            by_hand = _by_hand(rollback, playbook)
            person, channel = rollback.decided_by or rollback.asked_by, rollback.channel
        if person and channel:
            notice = Notice(
                what=Said.BROKEN,
                person=PersonId(person),
                channel=ChannelId(channel),
                facts={"reference": reference, "by_hand": by_hand},
            )
            tx.tell(notice, key=f"broken:{reference}")

    await store.change(report)


def _end(
    tx: Transaction,
    rollback: Rollback,
    workflow: Workflow,
    reference: str,
    playbook: Playbook,
    *,
    at: datetime,
) -> None:
    if rollback.state in RUNNING:
        ending = RollbackState.NOT_VERIFIED if rollback.applied_at else RollbackState.FAILED
        tx.save_rollback(replace(moved(rollback, ending, at=at), problem=f"broken:{reference}"))
        tx.show(Showing.ROLLBACK, rollback.id, channel=ChannelId(rollback.channel))
    if rollback.incident is not None:
        channel = ChannelId(playbook.channels.incidents)
        facts = {"doing": workflow.value, "kind": "other", "detail": f"reference {reference}"}
        line = Line(event=Event.FAULT, key=f"broken:{reference}", facts=facts)
        write_lines(tx, rollback.incident, [line], at=at, channel=channel)
        tx.show(Showing.BOARD, str(rollback.incident), channel=channel)


def _by_hand(rollback: Rollback, playbook: Playbook) -> str:
    target = playbook.target(rollback.target)
    if target is None:
        return ""
    stable = rollback.plan.stable if rollback.plan else None
    return gcloud_line(target, project=target.project, stable=stable)
