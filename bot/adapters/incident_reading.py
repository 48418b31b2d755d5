"""What is read from the store to show an incident's board, its end, and its timeline as files."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.change import Change
from bot.domain.exhibit import Exhibit
from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import Incident
from bot.domain.paging import Page, PageState
from bot.domain.playbook import Playbook
from bot.domain.post_mortem import PostMortem
from bot.domain.rollback import Rollback
from bot.domain.taking import Taking, takings
from bot.domain.timeline import Event, incident_chain
from bot.slack.text import Words
from bot.slack.views.timeline_file import timeline_file
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Showing, Transaction
from bot.usecases.show_post_mortem import meeting_of

#: Where a message of ours stands: channel and ts.
Place = tuple[ChannelId, str]
#: Which fact of an entry names another incident, whose board the line leads to.
NAMES_ANOTHER: Mapping[Event, str] = {Event.JOINED_TO: "into", Event.OTHER_JOINED: "joined"}


@dataclass(frozen=True, kw_only=True)
class BoardFacts:
    """What a board shows; `cards` says where the incident's other cards stand."""

    incident: Incident
    playbook: Playbook
    rollbacks: tuple[Rollback, ...]
    pages: tuple[Page, ...]
    changes: tuple[Change, ...]
    cards: Mapping[str, Place]
    meeting: PostMortem | None
    evidence: tuple[Taking, ...]


def read_board(tx: Transaction, number: IncidentNumber, current: Playbook) -> BoardFacts:
    """Return what the board of an incident shows."""
    incident = tx.incident(number)
    cards = {card.value: tx.standing(f"{card}:{number}") for card in (Showing.DIAGNOSIS, Showing.CHECKLIST)}
    return BoardFacts(
        incident=incident,
        playbook=playbook_of(tx, incident, current),
        rollbacks=tx.rollbacks_of(number),
        pages=tx.find(Page, incident=number, state=PageState.WAITING),
        changes=tx.changes_of(number),
        cards={card: place for card, place in cards.items() if place is not None},
        meeting=meeting_of(tx, number),
        evidence=takings(tx.find(Exhibit, incident=number)),
    )


def open_follow_ups(tx: Transaction, number: IncidentNumber) -> int:
    """Return how many follow-ups of an incident are open."""
    return len(tx.find(FollowUp, incident=number, state=FollowUpState.OPEN))


def place_of_record(tx: Transaction, number: IncidentNumber) -> Place | None:
    """Return where an incident's failure record stands."""
    return tx.standing(f"{Showing.RECORD}:{number}")


def timeline_content(tx: Transaction, number: IncidentNumber, form: str, words: Words) -> str:
    """Return an incident's timeline as ``json`` or ``csv``. Raises `NotKept` when there is none."""
    return timeline_file(form, tx.incident(number), tx.timeline(incident_chain(number)), words, tx.names())
