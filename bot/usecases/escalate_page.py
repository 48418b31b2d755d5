"""What the bot does about pages by itself: calls by severity, passes on what nobody answered, redirects."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain.ids import IncidentNumber, incident_in
from bot.domain.incident import IncidentState
from bot.domain.paging import Page, PageState, moved, place_of
from bot.domain.playbook import Playbook
from bot.domain.timeline import Event
from bot.usecases.editions import playbook_of
from bot.usecases.page_contact import page_by_severity
from bot.usecases.ports import Clock, Playbooks, Steps, Store, Transaction
from bot.usecases.send_page import call_off_pages, end_page, pass_on, tell


async def escalate_page(
    arguments: Mapping[str, str], *, steps: Steps, store: Store, playbooks: Playbooks, clock: Clock
) -> None:
    """Wake up for one page that is due (``page``), or for an incident that has just opened.

    The row decides: a page that has ended meanwhile is left as it is, whoever wakes up how often.
    """
    number, now, current = IncidentNumber(int(arguments["incident"])), clock(), playbooks.current()

    def weigh(tx: Transaction) -> str:
        # The incident first: acts lock in this order, too.
        incident = tx.incident(number)
        playbook = playbook_of(tx, incident, current)
        page = tx.kept(Page, arguments["page"]) if "page" in arguments else None
        if incident.state is not IncidentState.OPEN:
            call_off_pages(tx, (page,) if page else (), playbook, at=now)
            return "closed"
        if page is None:
            page_by_severity(tx, incident, playbook, at=now)
            return "called by severity"
        return _pass_on_unanswered(tx, page, playbook, at=now)

    await steps.step("escalate", lambda: store.change(weigh), into=str)


def _pass_on_unanswered(tx: Transaction, page: Page, playbook: Playbook, *, at: datetime) -> str:
    if page.state is not PageState.WAITING:
        return page.state
    end_page(tx, moved(page, PageState.UNANSWERED, at=at), playbook)
    within = round((page.due_at - page.created_at).total_seconds(), 1)
    tell(tx, page, Event.PAGE_UNANSWERED, playbook, at=at, within_seconds=within)
    pass_on(tx, page, playbook, at=at)
    return "passed on"


def redirect_page(tx: Transaction, id: str, current: Playbook, *, why: str, at: datetime) -> str | None:
    """Return where a page goes whose channel does not take it, and say so; None: there is no other.

    `why` is Slack's own word. Asked again, after a crash, it answers the same.
    """
    incident = tx.incident(incident_in(id))
    playbook = playbook_of(tx, incident, current)
    page, incidents = tx.kept(Page, id), playbook.channels.incidents
    if page.channel == incidents:
        planned = place_of(playbook.contacts[page.contact], incidents=incidents)
        return incidents if planned != incidents else None
    tx.keep(replace(page, channel=incidents))
    tell(tx, page, Event.PAGE_ELSEWHERE, playbook, at=at, channel=page.channel, detail=why)
    return incidents
