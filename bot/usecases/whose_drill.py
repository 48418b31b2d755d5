"""Whether something belongs to a drill: read from stored rows, so that the answer stays the same."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.drill import Drill, any_concerns
from bot.domain.ids import IncidentNumber
from bot.usecases.ports import NotKept, Transaction


def target_is_drilled(tx: Transaction, target: str, *, at: datetime) -> bool:
    """True when what is said of `target` at `at` (aware, UTC), without an incident, belongs to a drill."""
    return any_concerns(target, at, tx.find(Drill, target=target))


def incident_is_drilled(tx: Transaction, number: IncidentNumber) -> bool:
    """True when an incident belongs to a drill; false as well where there is no such incident."""
    try:
        return bool(tx.incident(number).drill)
    except NotKept:
        # Somebody asked for an incident that there is not.
        return False


def made_in_drill(
    tx: Transaction, number: IncidentNumber | None, target: str, at: datetime, drills: Sequence[Drill]
) -> bool:
    """True when what was made of `target` at `at` (aware, UTC) is a drill's: by its incident, if any."""
    return any_concerns(target, at, drills) if number is None else incident_is_drilled(tx, number)
