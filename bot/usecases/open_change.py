"""Somebody pressed *reduce the traffic* or *add resources* in an incident: which target is it about?"""

from bot.domain.ids import ChannelId, IncidentNumber, PersonId, TargetName
from bot.domain.incident import IncidentState
from bot.usecases.ports import Notice, NotKept, Said, Store, Transaction


async def open_change(
    key: str, number: IncidentNumber, person: PersonId, channel: ChannelId, *, store: Store
) -> TargetName | None:
    """Return the incident's target; None when it is closed or gone, and the person is told so."""

    def find(tx: Transaction) -> TargetName | None:
        try:
            incident = tx.incident(number)
        except NotKept:
            what = Said.NO_SUCH_INCIDENT
        else:
            if incident.state is IncidentState.OPEN:
                return incident.target
            what = Said.ALREADY_CLOSED
        notice = Notice(what=what, person=person, channel=channel, facts={"incident": number})
        tx.tell(notice, key=f"{what}:{key}")
        return None

    return await store.change(find)
