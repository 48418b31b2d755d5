"""Showing an incident's post-mortem: the invitation, and in its thread the calendar's file and the text."""

from typing import Any

from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.post_mortem import PostMortem
from bot.usecases.ports import Showing, Transaction


def meeting_of(tx: Transaction, number: IncidentNumber) -> PostMortem | None:
    """Return an incident's meeting, None where none was ever scheduled."""
    found = tx.find(PostMortem, incident=number)
    return found[0] if found else None


def invitation_key(number: IncidentNumber) -> str:
    """Return the key of the invitation, in whose thread everything about the meeting is posted."""
    return f"{Showing.POST_MORTEM}:{number}"


def show_invitation(tx: Transaction, number: IncidentNumber, *, channel: ChannelId) -> None:
    """Post or edit the invitation, and bring the board's line up to date."""
    tx.show(Showing.POST_MORTEM, str(number), channel=channel)
    tx.show(Showing.BOARD, str(number), channel=channel)


def show_calendar(tx: Transaction, meeting: PostMortem, *, channel: ChannelId) -> None:
    """Upload the calendar's file of the meeting's present sequence."""
    _upload(tx, meeting, f"{meeting.sequence}.ics", channel)


def show_document(tx: Transaction, meeting: PostMortem, *, edition: str, channel: ChannelId) -> None:
    """Upload the document to fill in, once per `edition`."""
    _upload(tx, meeting, f"{edition}.md", channel)


def _upload(tx: Transaction, meeting: PostMortem, name: str, channel: ChannelId) -> None:
    number = meeting.incident
    subject = f"{number}:{name}"
    tx.show(Showing.POST_MORTEM_FILE, subject, channel=channel, under=invitation_key(number))


def meeting_facts(meeting: PostMortem) -> dict[str, Any]:
    """Return how a meeting stands, as JSON facts for the timeline and for notices.

    Without its place: a link's password would be redacted in facts. It is read from the meeting itself.
    """
    return {
        "state": meeting.state.value,
        "starts_at": meeting.starts_at.isoformat(),
        "minutes": meeting.minutes,
        "zone": meeting.zone,
        "owner": meeting.owner,
        "sequence": meeting.sequence,
    }
