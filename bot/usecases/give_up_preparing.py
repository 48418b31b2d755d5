"""A rollback that was asked for cannot be prepared: whoever asked is told, and its alert is open again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.alert import Alert, AlertState, called_off
from bot.domain.automatics import NotByItself
from bot.domain.ids import ChannelId
from bot.domain.people import AUTOMATICS
from bot.domain.playbook import Playbook
from bot.domain.rollback import Plan, Rollback
from bot.domain.watch import Watch
from bot.usecases.automatics import write_beside
from bot.usecases.end_alerts import keep_alert
from bot.usecases.ports import Notice, Said, Transaction
from bot.usecases.raise_alert import stopped


def tell_asker(
    tx: Transaction,
    rollback: Rollback,
    what: Said,
    facts: Mapping[str, Any],
    playbook: Playbook,
    *,
    key: str,
    at: datetime,
) -> None:
    """Tell whoever asked for `rollback` why it does not begin.

    People get a line of their own. Nobody reads the bot's, so there the timelines say it. An alert
    that asked for it waits for an answer again.
    """
    reopen_alert(tx, rollback, what.value, playbook, at=at, detail=str(facts.get("detail", ""))[:500])
    if rollback.asked_by != AUTOMATICS:
        channel = ChannelId(rollback.channel)
        tx.tell(Notice(what=what, person=rollback.asked_by, channel=channel, facts=facts), key=key)


def reopen_alert(
    tx: Transaction, rollback: Rollback, what: str, playbook: Playbook, *, at: datetime, detail: str = ""
) -> None:
    """Let the alert that asked for `rollback` wait for an answer again; `what` came instead of it."""
    for found in tx.find(Alert, rollback=rollback.id, state=AlertState.ROLLED_BACK):
        alert = tx.kept(Alert, found.id)
        if alert.state is not AlertState.ROLLED_BACK:
            continue
        # A countdown has no reason yet why the bot does not act.
        why_not = NotByItself(alert.not_by_itself or NotByItself.COULD_NOT)
        keep_alert(tx, replace(called_off(alert, why_not), rollback=None), playbook)
        if rollback.asked_by == AUTOMATICS:
            _write(tx, alert, playbook, at=at, what=what, detail=detail)


def break_off(tx: Transaction, id: str, reference: str, playbook: Playbook, *, at: datetime) -> None:
    """Leave a countdown to people whose end broke off with an error of our own, `reference` in the log."""
    for found in tx.find(Alert, id=id):
        alert = tx.kept(Alert, found.id)
        if alert.state is AlertState.COUNTDOWN:
            keep_alert(tx, called_off(alert, NotByItself.COULD_NOT), playbook)
            _write(tx, alert, playbook, at=at, what="broken", detail=reference)


def _write(
    tx: Transaction, alert: Alert, playbook: Playbook, *, at: datetime, what: str, detail: str
) -> None:
    watch = next(iter(tx.find(Watch, id=alert.target)), None)
    line = stopped(alert, NotByItself.COULD_NOT, at=at, what=what, detail=detail)
    write_beside(tx, watch, alert.incident, [line], playbook, at=at)


def is_as_alerted(tx: Transaction, rollback: Rollback, plan: Plan) -> bool:
    """True unless an alert asked for `rollback` and the deployment is no longer the one it was about."""
    alerts = tx.find(Alert, rollback=rollback.id)
    return all((alert.canary, alert.stable) == (plan.canary, plan.stable) for alert in alerts)
