"""What waits for one person: their open follow-ups, and pages that call them."""

from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.ids import PersonId
from bot.domain.paging import Page, PageState
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Playbooks, Transaction


def my_open_follow_ups(tx: Transaction, person: PersonId) -> tuple[FollowUp, ...]:
    """Return the follow-ups that `person` still has to do, the one that is due first before all others."""
    mine = tx.find(FollowUp, owner=person, state=FollowUpState.OPEN)
    return tuple(sorted(mine, key=lambda follow_up: (follow_up.due_at, follow_up.id)))


def my_waiting_pages(tx: Transaction, person: PersonId, playbooks: Playbooks) -> tuple[Page, ...]:
    """Return the pages that call `person`, oldest first: by the playbook, or by the role they took."""
    waiting = tx.find(Page, state=PageState.WAITING)
    return tuple(page for page in waiting if _calls(tx, page, person, playbooks))


def _calls(tx: Transaction, page: Page, person: PersonId, playbooks: Playbooks) -> bool:
    incident = tx.incident(page.incident)
    contact = playbook_of(tx, incident, playbooks.current()).contacts.get(page.contact)
    return person in (contact.user if contact else None, incident.roles.get(page.contact))
