"""Reading what an incident's scenario is shown with."""

from datetime import datetime

from pydantic import TypeAdapter

from bot.domain.circumstances import Circumstances
from bot.domain.finding import Finding, newest_numbers
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.domain.timeline import Event, incident_chain
from bot.usecases.before_rollback import safety_in
from bot.usecases.ports import Transaction

_FINDING = TypeAdapter(Finding)


def circumstances_of(
    tx: Transaction, incident: Incident, playbook: Playbook, current: Playbook, *, now: datetime
) -> Circumstances:
    """Return them; `playbook` is the incident's own edition, `current` the one in force."""
    rollbacks = tx.rollbacks_of(incident.number)
    newest = newest_numbers(rollbacks, _findings(tx, incident))
    return Circumstances(
        now=now,
        target=current.target(incident.target) or playbook.target(incident.target),
        rollbacks=rollbacks,
        readings=newest[0] if newest else (),
        read_at=newest[1] if newest else None,
        safety=safety_in(incident, playbook),
    )


def _findings(tx: Transaction, incident: Incident) -> list[Finding]:
    entries = tx.timeline(incident_chain(incident.number))
    found = [entry.facts["finding"] for entry in entries if entry.event is Event.FINDING]
    return [_FINDING.validate_python(one) for one in found if one.get("status")]
