"""Posting an incident's checklist, or editing it where it stands: on one card, on more where it is long."""

from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.steps import cards
from bot.usecases.editions import edition_of_incident
from bot.usecases.ports import Showing, Transaction


def show_checklist(tx: Transaction, number: IncidentNumber, *, channel: ChannelId) -> None:
    """Show every card of the checklist; an incident whose playbook has no checklist shows none."""
    playbook = edition_of_incident(tx, tx.incident(number))
    if playbook is None:
        return
    for place in range(1, len(cards(playbook.checklist)) + 1):
        tx.show(Showing.CHECKLIST, card_subject(number, place), channel=channel)


def card_subject(number: IncidentNumber, place: int) -> str:
    """Return the subject of the checklist's card number `place`, counted from 1."""
    return str(number) if place == 1 else f"{number}:{place}"
