"""Alerts that end without an answer of their own: the canary was rolled back, or has no traffic any more."""

from dataclasses import replace
from datetime import datetime

from bot.domain.alert import MAY_ROLL_BACK, UNANSWERED, Alert, AlertState, ended
from bot.domain.ids import ChannelId
from bot.domain.playbook import Playbook
from bot.domain.rollback import Plan, Rollback
from bot.domain.watch import Watch
from bot.usecases.ports import Showing, Transaction, Workflow


def end_alerts(tx: Transaction, watch: Watch, *, playbook: Playbook, at: datetime) -> None:
    """End the unanswered alerts of a watch whose canary has no traffic any more, or that has ended itself."""
    for found in tx.find(Alert, target=watch.id, state=UNANSWERED):
        alert = tx.kept(Alert, found.id)
        if alert.state in UNANSWERED:
            end_alert(tx, ended(alert, AlertState.OVER, by=None, at=at), playbook)


def end_alerts_by_rollback(
    tx: Transaction, rollback: Rollback, plan: Plan, playbook: Playbook, *, at: datetime
) -> None:
    """End the alerts about the canary that somebody has just decided to roll back; it is their answer."""
    by = rollback.decided_by or rollback.asked_by
    for found in tx.find(Alert, target=rollback.target, canary=plan.canary, state=MAY_ROLL_BACK):
        alert = tx.kept(Alert, found.id)
        if alert.state in MAY_ROLL_BACK:
            over = ended(alert, AlertState.ROLLED_BACK, by=by, at=at)
            end_alert(tx, replace(over, rollback=rollback.id), playbook)


def end_alert(tx: Transaction, alert: Alert, playbook: Playbook) -> None:
    """Store an alert that has ended; nothing fires any more, and its message says how it ended."""
    keep_alert(tx, alert, playbook)
    tx.let_sleep(Workflow.FIRE, alert.id)


def keep_alert(tx: Transaction, alert: Alert, playbook: Playbook) -> None:
    """Store an alert and bring its message up to date, and the one that called people to a countdown."""
    tx.keep(alert)
    channel = ChannelId(playbook.channels.incidents)
    tx.show(Showing.ALERT, alert.id, channel=channel)
    if alert.called:
        tx.show(Showing.ALERT, f"{alert.id}:countdown", channel=channel)
