"""The board's menu: which modal each of its choices opens."""

from collections.abc import Mapping
from typing import Any

from bot.domain.ids import IncidentNumber
from bot.domain.timeline import as_it_happened
from bot.slack.ids import ActionId
from bot.slack.listeners.show import read
from bot.slack.listeners.table import Request, Table
from bot.slack.views.assess_modals import scenario_modal, severity_modal
from bot.slack.views.roles_modals import hand_over_modal, roles_modal
from bot.slack.views.timeline_modal import timeline_modal
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Playbooks, Store, Transaction


def register(table: Table, *, store: Store, playbooks: Playbooks) -> None:
    """Add it to the table."""

    async def choose(request: Request, action: Mapping[str, Any]) -> dict[str, Any] | None:
        what, _, number = action["selected_option"]["value"].partition(":")
        return await store.look(lambda tx: _opened(tx, request, what, IncidentNumber(int(number))))

    def _opened(
        tx: Transaction, request: Request, what: str, number: IncidentNumber
    ) -> dict[str, Any] | None:
        incident, entries = read(tx, number)
        playbook = playbook_of(tx, incident, playbooks.current())
        words, channel = request.words, request.sender.channel
        if what == "severity":
            return severity_modal(incident, words, channel=channel)
        if what == "scenario":
            return scenario_modal(incident, playbook, words, channel=channel)
        if what == "hand_over":
            return hand_over_modal(incident, words, channel=channel)
        if what == "roles":
            return roles_modal(incident, playbook, words, person=request.sender.person, channel=channel)
        return timeline_modal(incident, as_it_happened(entries), words, channel=channel)

    table.presses[ActionId.BOARD_MORE] = choose
