"""The card with an incident's follow-ups: edited in place, and more than one where they are many."""

from datetime import datetime

from bot.domain.follow_up import FollowUp
from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.usecases.ports import Notice, Said, Showing, Transaction

#: How many follow-ups one message shows: two blocks each, of the 50 that Slack takes.
ON_ONE_CARD = 20


def show_follow_ups(tx: Transaction, number: IncidentNumber, *, channel: ChannelId) -> None:
    """Post or edit the cards; page ``n`` of incident 12 has the subject ``12:n``."""
    count = len(tx.find(FollowUp, incident=number))
    for page in range(1, pages_for(count) + 1):
        tx.show(Showing.FOLLOW_UPS, f"{number}:{page}", channel=channel)


def pages_for(count: int) -> int:
    """Return how many cards `count` follow-ups need."""
    return -(-count // ON_ONE_CARD)


def on_page(follow_ups: tuple[FollowUp, ...], page: int) -> tuple[FollowUp, ...]:
    """Return what card `page` (from 1) shows; in the order of their making, so that nothing moves."""
    return follow_ups[(page - 1) * ON_ONE_CARD : page * ON_ONE_CARD]


def show_privately(
    tx: Transaction,
    number: IncidentNumber,
    person: PersonId,
    channel: ChannelId,
    key: str,
    *,
    at: datetime,
) -> None:
    """Show the cards to one person, once per request `key`."""
    if not tx.first_time(key, at=at):
        return
    count = len(tx.find(FollowUp, incident=number))
    for page in range(1, max(pages_for(count), 1) + 1):
        facts = {"incident": number, "page": page}
        notice = Notice(what=Said.FOLLOW_UPS, person=person, channel=channel, facts=facts)
        tx.tell(notice, key=f"{Said.FOLLOW_UPS}:{key}:{page}")
