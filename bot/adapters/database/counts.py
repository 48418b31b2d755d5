"""What the monitoring of the bot itself wants to know of the database."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, and_, func, inspect, or_, select

from bot.adapters.database.tables import IncidentRow, MessageRow, RollbackRow
from bot.domain.incident import IncidentState


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much there is: rollbacks by state, open incidents by target, messages Slack has not seen yet.

    Without drills: an alert on these numbers shall call nobody to one.
    """

    rollbacks: Mapping[str, int]
    open_incidents: Mapping[str, int]
    messages_waiting: int


def count(engine: Engine) -> Counts:
    """Count. States and targets of which there is none are left out."""
    practised = select(IncidentRow.number).where(IncidentRow.drill != "")
    is_real = or_(RollbackRow.incident.is_(None), RollbackRow.incident.not_in(practised))
    by_state = select(RollbackRow.state, func.count()).where(is_real).group_by(RollbackRow.state)
    is_open = and_(IncidentRow.state == IncidentState.OPEN, IncidentRow.drill == "")
    by_target = select(IncidentRow.target, func.count()).where(is_open).group_by(IncidentRow.target)
    waiting = select(func.count()).where(MessageRow.sent < MessageRow.wanted)
    with engine.connect() as connection:
        return Counts(
            rollbacks=dict(connection.execute(by_state).all()),
            open_incidents=dict(connection.execute(by_target).all()),
            messages_waiting=connection.scalar(waiting) or 0,
        )


def is_migrated(engine: Engine) -> bool:
    """True when there are tables of ours, which is also proof that the database answers."""
    return inspect(engine).has_table(RollbackRow.__tablename__)
