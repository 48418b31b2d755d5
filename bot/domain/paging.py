"""Calling people: one page to one contact, and who is called when nobody answers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.guide import Contact
from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.playbook import Playbook


class PageState(StrEnum):
    """How a page stands."""

    WAITING = "waiting"
    ANSWERED = "answered"
    DECLINED = "declined"
    UNANSWERED = "unanswered"
    CALLED_OFF = "called_off"


#: Where a page may go next: once it has ended it stays as it ended, so that the timeline never tells
#: of an answer that came in time where none did.
NEXT_STATES: Mapping[PageState, frozenset[PageState]] = {
    PageState.WAITING: frozenset(PageState) - {PageState.WAITING},
    PageState.ANSWERED: frozenset(),
    PageState.DECLINED: frozenset(),
    PageState.UNANSWERED: frozenset(),
    PageState.CALLED_OFF: frozenset(),
}


class IllegalMove(Exception):
    """A page that has ended cannot end in another way."""


class Reach(StrEnum):
    """How a contact is reached."""

    SLACK = "slack"
    TELEPHONE = "telephone"
    NOBODY_THERE = "nobody_there"


@dataclass(frozen=True, kw_only=True)
class Page:
    """One call to one contact of the playbook.

    `contact` is the contact's key; `channel` is where it was posted; `attempt` counts from 1 along
    the escalation that began with page `origin` (its own id for the first). Times are aware, UTC.
    `answered_by` is whoever said that they are on it, late answers included; `why` is what whoever
    declined wrote, raw.
    """

    id: str
    incident: IncidentNumber
    contact: str
    state: PageState
    asked_by: str
    created_at: datetime
    due_at: datetime
    channel: str
    origin: str
    attempt: int = 1
    reason: str = ""
    answered_by: PersonId | None = None
    answered_at: datetime | None = None
    why: str = ""

    @property
    def late(self) -> bool:
        """True when somebody answered although the page had ended before."""
        return self.answered_by is not None and self.state is PageState.UNANSWERED


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Whose turn it is: `contact` is None at the end of the line; `empty` slots were passed on the way."""

    contact: str | None
    empty: tuple[str, ...] = ()


def reach(contact: Contact) -> Reach:
    """Say how a contact is reached; a slot without a name is the guide's [TBD]."""
    if not contact.reachable:
        return Reach.NOBODY_THERE
    in_slack = contact.channel or contact.user or contact.group
    return Reach.SLACK if in_slack else Reach.TELEPHONE


def place_of(contact: Contact, *, incidents: str) -> str:
    """Return where a contact is paged: their channel, or they directly; `incidents` for all others."""
    return contact.channel or contact.user or incidents


def empty_slots(playbook: Playbook) -> tuple[str, ...]:
    """Return the keys of contacts whom nothing reaches, in the playbook's order."""
    return tuple(key for key, c in playbook.contacts.items() if reach(c) is Reach.NOBODY_THERE)


def first_turn(playbook: Playbook, wanted: str) -> Turn:
    """Return who is called when `wanted` (a key) is: they, or the next in line where their slot is empty."""
    return _turn(playbook, wanted, tried=())


def next_contact(playbook: Playbook, page: Page, *, tried: Collection[str] = ()) -> Turn:
    """Return who is called when nobody answers `page`.

    `tried` are the contacts this escalation has called before; nobody is called by it twice, so it
    ends even where the playbook goes in a circle.
    """
    contact = playbook.contacts.get(page.contact)
    following = contact.then if contact else None
    return _turn(playbook, following, tried={page.contact, *tried})


def _turn(playbook: Playbook, key: str | None, *, tried: Collection[str]) -> Turn:
    empty: list[str] = []
    while key is not None and key not in tried and key not in empty and key in playbook.contacts:
        contact = playbook.contacts[key]
        if reach(contact) is not Reach.NOBODY_THERE:
            return Turn(contact=key, empty=tuple(empty))
        empty.append(key)
        key = contact.then
    return Turn(contact=None, empty=tuple(empty))


def first_page(
    playbook: Playbook,
    contact: str,
    *,
    id: str,
    incident: IncidentNumber,
    by: str,
    reason: str,
    at: datetime,
) -> Page:
    """Return the page with which an escalation begins; `by` is a person or ``backout``."""
    plan = playbook.contacts[contact]
    return Page(
        id=id,
        incident=incident,
        contact=contact,
        state=PageState.WAITING,
        asked_by=by,
        created_at=at,
        due_at=at + timedelta(minutes=plan.within_minutes),
        channel=place_of(plan, incidents=playbook.channels.incidents),
        origin=id,
        reason=reason,
    )


def following_page(playbook: Playbook, page: Page, contact: str, *, at: datetime) -> Page:
    """Return the page to the next in line, with the same reason; its id is the same for every replica."""
    first = first_page(
        playbook,
        contact,
        id=f"{page.origin}-{page.attempt + 1}",
        incident=page.incident,
        by=page.asked_by,
        reason=page.reason,
        at=at,
    )
    return replace(first, origin=page.origin, attempt=page.attempt + 1)


def moved(page: Page, wanted: PageState, *, at: datetime, by: PersonId | None = None, why: str = "") -> Page:
    """Return the page in state `wanted`; `by` is kept as who answered where it is ANSWERED.

    Raises:
        IllegalMove: `NEXT_STATES` has no arrow from the current state to `wanted`.
    """
    if wanted not in NEXT_STATES[page.state]:
        raise IllegalMove(f"page {page.id} is {page.state}, so it cannot become {wanted}")
    if wanted is PageState.ANSWERED:
        return replace(page, state=wanted, answered_by=by, answered_at=at)
    return replace(page, state=wanted, why=why)


def answered_late(page: Page, *, by: PersonId, at: datetime) -> Page:
    """Return an unanswered page with who came after all; that it was not in time stays visible."""
    return replace(page, answered_by=by, answered_at=at)
