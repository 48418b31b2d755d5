"""People, timers and replicas at one page at once, on SQLite and on PostgreSQL alike."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.store import SqlStore
from bot.domain.acts import Act, Verb
from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.paging import Page, PageState
from bot.domain.timeline import Entry, Event, first_broken, incident_chain
from bot.usecases.act import carry_out_act
from bot.usecases.authorize import Acting
from bot.usecases.deeds import DEEDS
from bot.usecases.escalate_page import escalate_page, redirect_page
from bot.usecases.open_incident import open_incident
from bot.usecases.ports import Said, Workflow
from bot.usecases.remind_follow_up import remind_follow_up
from tests.fakes import FakePeople, FakePlaybooks, FakeSteps, HeldClock
from tests.integration.notices import notices_in
from tests.paging import a_playbook_with_contacts, an_act
from tests.values import GITCO, LUBIT, NOON, SENA, a_person, an_incident, seconds

ONE = IncidentNumber(1)
PEOPLE = (SENA, GITCO, LUBIT)


class Shop:
    """One database, the people, and a clock; replicas are just more of the same calls at once."""

    def __init__(self, database: Database) -> None:
        self.store = SqlStore(database, self._start)
        self.clock = HeldClock(NOON)
        self.playbooks = FakePlaybooks(a_playbook_with_contacts())
        self.people = FakePeople(*(a_person(p) for p in PEOPLE))
        self.woken: list[tuple[Workflow, dict[str, str]]] = []

    def _start(
        self, _: Session, workflow: Workflow, id: str, arguments: dict[str, str], lane: str | None
    ) -> None:
        self.woken.append((workflow, arguments))

    async def open(self, **more: Any) -> None:
        """Open an incident."""
        draft, playbook = an_incident(**more), self.playbooks.current()
        await self.store.change(lambda tx: open_incident(tx, draft, playbook=playbook, at=NOON))

    async def act(self, verb: Verb, by: PersonId = SENA, *, key: str, **words: str) -> None:
        """Carry out what somebody pressed."""
        written = TypeAdapter(Act).dump_json(an_act(verb, by, key=key, number=1, **words)).decode()
        use = Acting(store=self.store, people=self.people, playbooks=self.playbooks, clock=self.clock)
        await carry_out_act({"act": written}, steps=FakeSteps(), use=use, deeds=DEEDS)

    async def page(self, contact: str) -> Page:
        """Call a contact."""
        await self.act(Verb.PAGE, key=f"call:{contact}", contact=contact)
        return (await self.pages())[-1]

    async def wake(self, page: Page) -> None:
        """Wake up for a page, as any replica may."""
        await escalate_page(
            {"page": page.id, "incident": "1"},
            steps=FakeSteps(),
            store=self.store,
            playbooks=self.playbooks,
            clock=self.clock,
        )

    async def pages(self) -> tuple[Page, ...]:
        """Return all pages, oldest first."""
        return await self.store.look(lambda tx: tx.find(Page, incident=ONE))

    async def lines(self, event: Event) -> list[Entry]:
        """Return the timeline's lines of a kind; the whole of it must be intact."""
        told = await self.store.look(lambda tx: tx.timeline(incident_chain(ONE)))
        assert first_broken(told) is None
        return [entry for entry in told if entry.event is event]


@pytest_asyncio.fixture(loop_scope="session")
async def shop(database: Database) -> Shop:
    """A shop with incident 1 open."""
    made = Shop(database)
    await made.open()
    return made


async def test_of_two_who_are_on_it_at_once_one_is_and_the_other_is_told(shop: Shop) -> None:
    page = await shop.page("devops")

    await asyncio.gather(
        *(shop.act(Verb.ANSWER_PAGE, by, key=f"take:{by}", page=page.id) for by in (GITCO, LUBIT))
    )

    (answered,) = await shop.pages()
    (line,) = await shop.lines(Event.PAGE_ANSWERED)
    other = LUBIT if answered.answered_by == GITCO else GITCO
    assert (answered.state, line.actor) == (PageState.ANSWERED, answered.answered_by)
    assert (Said.PAGE_TAKEN, other) in await notices_in(shop.store)
    incident = await shop.store.look(lambda tx: tx.incident(ONE))
    assert incident.roles == {"devops": answered.answered_by}


async def test_eight_replicas_that_wake_up_at_once_call_one_next_in_line(shop: Shop) -> None:
    page = await shop.page("backend")
    shop.clock.now = page.due_at

    await asyncio.gather(*(shop.wake(page) for _ in range(8)))

    assert [p.contact for p in await shop.pages() if p.state is PageState.WAITING] == ["devops"]
    assert len(await shop.lines(Event.PAGE_UNANSWERED)) == 1
    assert len(await shop.lines(Event.PAGE_SENT)) == 2


@pytest.mark.parametrize("again", range(4))
async def test_an_answer_in_the_last_moment_either_counts_or_calls_the_next_one_off(
    shop: Shop, again: int
) -> None:
    page = await shop.page("backend")
    shop.clock.now = page.due_at

    await asyncio.gather(
        shop.wake(page),
        shop.act(Verb.ANSWER_PAGE, GITCO, key="take", page=page.id),
        shop.act(Verb.DECLINE_PAGE, LUBIT, key="cant", page=page.id),
    )

    pages = await shop.pages()
    assert sum(p.state is PageState.WAITING for p in pages) <= 1
    came = [p for p in pages if p.answered_by == GITCO]
    if came:
        assert not [p for p in pages if p.state is PageState.WAITING]
    else:
        assert pages[0].state is PageState.DECLINED
    assert len(pages) == len({p.id for p in pages}) <= 2


async def test_closing_and_passing_on_at_once_leaves_nobody_waiting(shop: Shop) -> None:
    page = await shop.page("backend")
    shop.clock.now = page.due_at

    await asyncio.gather(shop.wake(page), shop.act(Verb.CLOSE, key="close"))
    for waiting in await shop.pages():
        await shop.wake(waiting)

    assert not [p for p in await shop.pages() if p.state is PageState.WAITING]


async def test_a_page_that_is_redirected_while_somebody_answers_loses_neither(shop: Shop) -> None:
    page = await shop.page("backend")
    playbook = shop.playbooks.current()

    async def redirect() -> None:
        await shop.store.change(
            lambda tx: redirect_page(tx, page.id, playbook, why="channel_not_found", at=shop.clock())
        )

    await asyncio.gather(redirect(), shop.act(Verb.ANSWER_PAGE, GITCO, key="take", page=page.id))

    (left,) = await shop.pages()
    assert (left.state, left.channel) == (PageState.ANSWERED, ChannelId("#critical-incidents"))


async def test_a_follow_up_is_planned_done_and_reminded_of_once_however_many_try(shop: Shop) -> None:
    await shop.act(Verb.SCENARIO, key="scenario", scenario="errors", why="5xx")
    await shop.act(Verb.CLOSE, key="close")
    id = "1-analyse_logs"
    task = await shop.store.look(lambda tx: tx.kept(FollowUp, id))
    shop.clock.now = task.due_at + seconds(1)

    async def remind() -> None:
        await remind_follow_up(
            {"follow_up": id, "begun": "x", "turn": "0"},
            steps=FakeSteps(),
            store=shop.store,
            playbooks=shop.playbooks,
            clock=shop.clock,
        )

    await asyncio.gather(*(remind() for _ in range(4)))
    await asyncio.gather(
        *(shop.act(Verb.FINISH_FOLLOW_UP, by, key=f"done:{by}", follow_up=id) for by in PEOPLE)
    )

    notices = await notices_in(shop.store)
    assert notices.count((Said.FOLLOW_UP_DUE, GITCO)) == 1
    assert len(await shop.lines(Event.FOLLOW_UP_DONE)) == 1
    assert [what for what, _ in notices].count(Said.FOLLOW_UP_STANDS) == 2
    (postponing,) = await shop.store.look(
        lambda tx: tx.find(FollowUp, postpones_deployment=True, state=FollowUpState.OPEN)
    )
    assert postponing.key == "postpone"
