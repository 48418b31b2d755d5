"""Which notice people will most likely want to write next."""

from collections.abc import Collection

from bot.domain.incident import Incident, IncidentState
from bot.domain.playbook import Playbook


def likely_notice(incident: Incident, playbook: Playbook, *, told: Collection[str]) -> str:
    """Return the key of a notice: the scenario's own first, then the playbook's, those not yet `told`.

    The last one of the playbook speaks of the end, so it comes first where the incident is closed.
    """
    keys = list(playbook.notices)
    if incident.state is IncidentState.CLOSED:
        return next((key for key in keys if key == "resolved"), keys[-1])
    scenario = playbook.scenario(incident.scenario)
    clock = [step.notice for step in scenario.clock] if scenario else []
    actions = [action.notice for action in scenario.actions] if scenario else []
    wanted = [key for key in (*clock, *actions) if key is not None and key in playbook.notices]
    return next((key for key in (*wanted, *keys) if key not in told), keys[0])
