"""Watches and alerts are rendered from what is stored, whatever has become of them meanwhile."""

from typing import Any

import pytest

from bot.adapters.watch_rendering import watch_rendering
from bot.domain.timeline import BACKOUT, Event
from bot.domain.watch import EndedWhy, WatchState, watch_chain
from bot.slack.text import Words
from bot.slack.views.plain_text import as_plain_text
from bot.slack.views.rollback_message import Message
from bot.usecases.ports import NotKept, Showing, Transaction
from tests.fakes import FakeStore
from tests.unit.slack.views.watch_views import a_watch, an_alert, automatics
from tests.values import CANARY, NOON, STABLE, a_playbook


@pytest.fixture
def store() -> FakeStore:
    """An empty store."""
    return FakeStore()


async def shown(store: FakeStore, what: Showing, subject: str) -> str:
    """Return what a message says."""

    def render(tx: Transaction) -> Message:
        words = Words(locale="en")
        return watch_rendering(tx, what, subject, current=a_playbook(), words=words, now=NOON)

    return as_plain_text(await store.look(render))


def begun(tx: Transaction, subject: str, *, ended: bool) -> None:
    """Write a watch's beginning and, perhaps, its end into its timeline."""
    chain = watch_chain(subject)
    facts: dict[str, Any] = {"canary": CANARY, "stable": STABLE, "percent": 10}
    tx.write_down(chain, Event.WATCH_BEGUN, key="begun", at=NOON, actor=BACKOUT, **facts)
    if ended:
        over = {
            "why": EndedWhy.NEW_CANARY.value,
            "canary": CANARY,
            "percent": 10,
            "minutes": 5.0,
            "alerts": 0,
        }
        tx.write_down(chain, Event.WATCH_ENDED, key="ended", at=NOON, actor=BACKOUT, **over)


async def test_a_watch_is_shown_with_its_targets_automatics(store: FakeStore) -> None:
    await store.change(lambda tx: tx.keep(a_watch()))
    off = await shown(store, Showing.WATCH, "canary:3")

    await store.change(lambda tx: tx.keep(automatics()))
    on = await shown(store, Showing.WATCH, "canary:3")

    assert "Automatic rollback: off" in off
    assert "Automatic rollback: armed by <@U0SENA>" in on


async def test_the_message_of_a_watch_that_was_replaced_tells_its_own_end(store: FakeStore) -> None:
    def replaced(tx: Transaction) -> None:
        tx.keep(a_watch(number=4, canary="ion-api-00043-new"))
        begun(tx, "canary:3", ended=True)

    await store.change(replaced)

    text = await shown(store, Showing.WATCH, "canary:3")

    assert "canary: the watch has ended" in text
    assert CANARY in text
    assert "ion-api-00043-new" not in text


async def test_a_watchs_log_shows_the_lines_that_were_new(store: FakeStore) -> None:
    await store.change(lambda tx: begun(tx, "canary:3", ended=True))

    text = await shown(store, Showing.WATCH_LOG, "canary:3:2-2")

    assert "Another canary has taken its place" in text
    assert "began to watch" not in text


async def test_an_alert_is_shown_as_it_stands(store: FakeStore) -> None:
    await store.change(lambda tx: tx.keep(an_alert()))

    assert "the error rate stays red" in await shown(store, Showing.ALERT, "a1e57")


async def test_what_is_not_stored_cannot_be_shown(store: FakeStore) -> None:
    for what, subject in ((Showing.WATCH, "canary:3"), (Showing.ALERT, "a1e57")):
        with pytest.raises(NotKept):
            await shown(store, what, subject)


async def test_an_ended_watch_stays_as_it_ended(store: FakeStore) -> None:
    over = a_watch(state=WatchState.ENDED, ended_at=NOON, ended_why=EndedWhy.CANARY_HAS_ALL)
    await store.change(lambda tx: tx.keep(over))

    assert "The canary has all of the traffic now." in await shown(store, Showing.WATCH, "canary:3")
