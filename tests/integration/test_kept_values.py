"""What is simply kept by its id, and timers: found again, once, by one process, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.store import SqlStore
from bot.domain.edition import edition_of, from_document
from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.paging import Page, PageState
from bot.usecases.ports import NotKept, Store, Transaction, Workflow
from tests.values import NOON, a_playbook, an_incident

Woken = list[tuple[Workflow, str, dict[str, str]]]
ONE = IncidentNumber(1)


@pytest.fixture
def woken() -> Woken:
    """Every workflow that a committed transaction started."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def store(database: Database, woken: Woken) -> Store:
    """A migrated store with one incident to hang things on."""

    def start(_: Session, workflow: Workflow, id: str, arguments: dict[str, str], lane: str | None) -> None:
        woken.append((workflow, id, arguments))

    kept = SqlStore(database, start)
    await kept.change(lambda tx: tx.add_incident(an_incident()))
    return kept


def a_page(id: str, state: PageState = PageState.WAITING, *, minutes: int = 0) -> Page:
    """A page to the deployment lead, made `minutes` after noon."""
    at = NOON + timedelta(minutes=minutes)
    return Page(
        id=id, incident=ONE, contact="lead", state=state, asked_by="U0SENA", created_at=at,
        due_at=at + timedelta(minutes=1), channel="#operations", origin=id, reason="\ud55c\uae00 <!channel>",
    )  # fmt: skip


async def test_what_was_kept_comes_back_whole(store: Store) -> None:
    page = a_page("1-a")

    await store.change(lambda tx: tx.keep(page))

    assert await store.look(lambda tx: tx.kept(Page, "1-a")) == page


async def test_keeping_again_replaces(store: Store) -> None:
    await store.change(lambda tx: tx.keep(a_page("1-a")))
    answered = replace(a_page("1-a"), state=PageState.ANSWERED, answered_by=PersonId("U0GITCO"))

    await store.change(lambda tx: tx.keep(answered))

    assert await store.look(lambda tx: tx.find(Page)) == (answered,)


async def test_what_is_not_kept_is_said_to_be_so(store: Store) -> None:
    with pytest.raises(NotKept):
        await store.look(lambda tx: tx.kept(Page, "1-z"))


async def test_values_are_found_by_their_fields_oldest_first(store: Store) -> None:
    def keep(tx: Transaction) -> None:
        tx.keep(a_page("1-c", minutes=1))
        tx.keep(a_page("1-a", minutes=2))
        tx.keep(a_page("1-b", PageState.DECLINED))

    await store.change(keep)

    waiting = await store.look(lambda tx: tx.find(Page, state=PageState.WAITING, incident=ONE))
    either = await store.look(lambda tx: tx.find(Page, state=(PageState.WAITING, PageState.DECLINED)))
    assert [page.id for page in waiting] == ["1-c", "1-a"]
    assert [page.id for page in either] == ["1-b", "1-c", "1-a"]
    assert await store.look(lambda tx: tx.find(Page, contact="manager")) == ()


async def test_of_two_who_change_one_value_at_once_neither_is_lost(store: Store) -> None:
    await store.change(lambda tx: tx.keep(a_page("1-a")))

    def more(tx: Transaction) -> None:
        page = tx.kept(Page, "1-a")
        tx.keep(replace(page, attempt=page.attempt + 1))

    await asyncio.gather(*(store.change(more) for _ in range(8)))

    assert (await store.look(lambda tx: tx.kept(Page, "1-a"))).attempt == 9


async def test_an_edition_of_the_playbook_is_the_playbook_again(store: Store) -> None:
    playbook = a_playbook()
    edition = edition_of(playbook, at=NOON)

    await store.change(lambda tx: tx.keep(edition))

    (kept,) = await store.look(lambda tx: tx.find(type(edition)))
    assert from_document(kept.document) == playbook
    assert edition_of(from_document(kept.document), at=NOON) == edition


# Timers.


async def wake(store: Store, id: str = "1", *, after: float = 60, **arguments: str) -> None:
    at = NOON + timedelta(seconds=after)
    await store.change(lambda tx: tx.wake(Workflow.TICK, id, at=at, **arguments))


async def due(store: Store, *, after: float) -> int:
    at = NOON + timedelta(seconds=after)
    return await store.change(lambda tx: tx.wake_due(at))


@pytest.mark.parametrize(("after", "any_due"), [(59.999, False), (60, True), (86_400, True)])
async def test_a_timer_is_due_at_its_time_and_ever_after(
    store: Store, after: float, any_due: bool, woken: Woken
) -> None:
    await wake(store, incident="1")

    at = NOON + timedelta(seconds=after)
    assert await store.look(lambda tx: tx.anything_due(at)) is any_due
    assert await due(store, after=after) == int(any_due)
    assert [(workflow, arguments) for workflow, _, arguments in woken] == (
        [(Workflow.TICK, {"incident": "1"})] if any_due else []
    )


async def test_a_timer_wakes_once_however_many_look(store: Store, woken: Woken) -> None:
    await wake(store)

    counts = await asyncio.gather(*(due(store, after=61) for _ in range(8)))

    assert sum(counts) == 1
    assert len(woken) == 1


async def test_setting_a_timer_again_moves_it(store: Store, woken: Woken) -> None:
    await wake(store, after=60)
    await wake(store, after=120)

    assert [await due(store, after=seconds) for seconds in (60, 119, 120)] == [0, 0, 1]


async def test_a_timer_that_is_set_anew_after_it_woke_starts_another_workflow(
    store: Store, woken: Woken
) -> None:
    for after in (60, 120):
        await wake(store, after=after)
        await due(store, after=after)

    assert len({id for _, id, _ in woken}) == 2


async def test_what_was_let_sleep_is_not_woken(store: Store, woken: Woken) -> None:
    await wake(store)

    await store.change(lambda tx: tx.let_sleep(Workflow.TICK, "1"))

    assert await due(store, after=61) == 0
    assert woken == []
