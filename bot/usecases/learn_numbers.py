"""The numbers of a forced rollback: it went at once, and they are read while it is under way."""

from dataclasses import replace
from datetime import datetime

from bot.domain.first_guess import first_guess
from bot.domain.flags import flags
from bot.domain.ids import ChannelId, RollbackId
from bot.domain.playbook import Playbook
from bot.domain.readings import Reading
from bot.domain.rollback import Rollback
from bot.usecases.decide_rollback import reading_lines
from bot.usecases.journal import write_lines
from bot.usecases.ports import Showing, Transaction


def learn_numbers(
    tx: Transaction, id: RollbackId, before: tuple[Reading, ...], playbook: Playbook, *, at: datetime
) -> None:
    """Keep what was read before (or just after) the write, and let it name the kind of failure.

    People's word stands: an incident somebody has filled in, or that is older than this rollback,
    keeps its type and severity.
    """
    rollback = replace(tx.rollback(id), before=before)
    tx.save_rollback(rollback)
    if rollback.incident is None:
        return
    channel = ChannelId(playbook.channels.incidents)
    write_lines(tx, rollback.incident, reading_lines(rollback), at=at, channel=channel)
    _name_the_failure(tx, rollback, playbook)
    tx.show(Showing.BOARD, str(rollback.incident), channel=channel)


def _name_the_failure(tx: Transaction, rollback: Rollback, playbook: Playbook) -> None:
    if rollback.incident is None or len(tx.rollbacks_of(rollback.incident)) > 1:
        return
    incident = tx.incident(rollback.incident)
    older = incident.scenario is not None or incident.opened_at < rollback.asked_at
    if incident.people.by is None and not older:
        guess = first_guess(flags(rollback.before, playbook.thresholds, now=rollback.asked_at))
        tx.save_incident(replace(incident, failure_type=guess[0], severity=guess[1]))
