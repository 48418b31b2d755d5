"""From a request to the act it stands for."""

from bot.domain.acts import Act, Verb
from bot.domain.ids import IncidentNumber
from bot.slack.listeners.table import Request


def act_of(request: Request, verb: Verb, number: IncidentNumber, **words: str) -> Act:
    """Return what somebody did, as the use-case takes it."""
    return Act(
        verb=verb,
        incident=number,
        person=request.sender.person,
        acting_team=request.sender.team,
        channel=request.sender.channel,
        key=request.key,
        words=words,
    )
