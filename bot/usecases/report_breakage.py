"""A workflow broke off with an error nobody foresaw: the person waiting is told, and nothing is hidden."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain.by_hand import change_lines, gcloud_line
from bot.domain.change import RUNNING_CHANGE, Change, ChangeState, moved_change
from bot.domain.ids import ChangeId, ChannelId, PersonId, RollbackId
from bot.domain.people import AUTOMATICS
from bot.domain.playbook import Playbook
from bot.domain.rollback import RUNNING, Rollback, RollbackState, moved
from bot.domain.timeline import Event
from bot.usecases.change_progress import ending_line, show_change
from bot.usecases.give_up_preparing import break_off, reopen_alert
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Clock, Notice, Playbooks, Said, Showing, Store, Transaction, Workflow
from bot.usecases.report_broken_watch import report_broken_watch


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
        report_broken_watch(tx, workflow, arguments, reference, at=now)
        if "rollback" in arguments:
            rollback = tx.rollback(RollbackId(arguments["rollback"]))
            _end(tx, rollback, workflow, reference, playbook, at=now)
            if rollback.state is RollbackState.ASKED:
                reopen_alert(tx, rollback, "broken", playbook, at=now, detail=reference)
            by_hand = _by_hand(rollback, playbook)
            person, channel = rollback.decided_by or rollback.asked_by, rollback.channel
        if workflow is Workflow.FIRE:
            break_off(tx, arguments["alert"], reference, playbook, at=now)
        if "change" in arguments:
            change = tx.change(ChangeId(arguments["change"]))
            _end_change(tx, change, reference, playbook, at=now)
            by_hand = _change_by_hand(change, playbook)
            person, channel = change.decided_by or change.asked_by, change.channel
        # Nobody reads what is said to the bot itself; the incident's timeline has the line.
        if person and channel and person != AUTOMATICS:
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


def _end_change(tx: Transaction, change: Change, reference: str, playbook: Playbook, *, at: datetime) -> None:
    if change.state not in RUNNING_CHANGE:
        return
    ending = ChangeState.NOT_VERIFIED if change.applied_at else ChangeState.FAILED
    ended = replace(moved_change(change, ending, at=at), problem=f"broken:{reference}")
    tx.save_change(ended)
    show_change(tx, ended, [ending_line(ended)], playbook=playbook, at=at)


def _change_by_hand(change: Change, playbook: Playbook) -> str:
    target = playbook.target(change.target)
    return " && ".join(change_lines(target, change, project=target.project)) if target else ""


def _by_hand(rollback: Rollback, playbook: Playbook) -> str:
    target = playbook.target(rollback.target)
    if target is None:
        return ""
    stable = rollback.plan.stable if rollback.plan else None
    return gcloud_line(target, project=target.project, stable=stable)
