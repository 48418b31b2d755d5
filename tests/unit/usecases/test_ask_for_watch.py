"""Asking for a watch, or for its end: who may, what is written down, and what is answered."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alert import AlertState
from bot.domain.ids import PersonId, RevisionName
from bot.domain.timeline import AUDIT, Event
from bot.domain.traffic import TargetState
from bot.domain.watch import EndedWhy, Watch
from bot.usecases.ask_for_watch import Wanted
from bot.usecases.ports import Said, Workflow
from tests.unit.usecases.watch_world import RULES, WatchWorld, failing, one_target, split
from tests.unit.usecases.world import GONE
from tests.values import CANARY, GITCO, NOON, SENA, STABLE, a_playbook, a_revision, a_state, share

NOT_BY_ITSELF = a_playbook(rules=RULES, targets=one_target(), watch={"starts_by_itself": False})


async def test_any_member_may_ask_for_a_watch() -> None:
    world = WatchWorld(NOT_BY_ITSELF)

    await world.ask(Wanted.WATCH, GITCO)

    (notice,) = world.store.notices()
    assert notice == {
        "what": Said.WATCH_BEGUN,
        "target": "canary",
        "number": 1,
        "canary": CANARY,
        "stable": STABLE,
        "percent": 10,
        "by": GITCO,
        "at": NOON.isoformat(),
    }
    (line,) = world.lines(Event.WATCH_BEGUN)
    assert (line.actor, line.facts["by_itself"]) == (GITCO, False)
    assert len(world.store.started(Workflow.WATCH)) == 1


async def test_what_is_watched_already_is_said_to_be_with_since_when_and_by_whom() -> None:
    world = WatchWorld()
    await world.scout()
    world.clock.now += timedelta(minutes=2)

    await world.ask(Wanted.WATCH)

    (notice,) = world.store.notices()
    assert (notice["what"], notice["by"], notice["at"]) == (Said.WATCHED_ALREADY, "backout", NOON.isoformat())
    assert world.watch().number == 1


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (a_state(share(STABLE, 100), revisions=(a_revision(STABLE),)), "no_split"),
        (a_state(share(CANARY, 100)), "canary_has_everything"),
        (a_state(share(STABLE, 40), share("a", 40), share(CANARY, 20)), "tie"),
    ],
)
async def test_without_a_canary_it_is_said_why_there_is_none(state: TargetState, why: str) -> None:
    world = WatchWorld()
    world.cloud.state = state

    await world.ask(Wanted.WATCH)

    (notice,) = world.store.notices()
    assert (notice["what"], notice["why"]) == (Said.NO_CANARY, why)
    assert not [value for value in world.store.kept.shelf.values() if isinstance(value, Watch)]


async def test_when_cloud_run_does_not_answer_that_is_said() -> None:
    world = WatchWorld()
    world.cloud.next_looks.append(GONE)

    await world.ask(Wanted.WATCH)

    (notice,) = world.store.notices()
    assert (notice["what"], notice["why"]) == (Said.NO_CANARY, "fault")
    assert "no route" in notice["detail"]


async def test_asking_while_an_older_canary_is_watched_begins_a_watch_of_the_new_one() -> None:
    world = WatchWorld()
    await world.scout()
    newer = RevisionName("ion-api-00043-pak")
    state = split(10, canary=newer)
    revisions = (a_revision(newer, age_hours=0.1), *state.switch.revisions)
    world.cloud.state = replace(state, switch=replace(state.switch, revisions=revisions))

    await world.ask(Wanted.WATCH)

    assert (world.watch().number, world.watch().canary) == (2, newer)
    assert world.lines(Event.WATCH_ENDED)[0].facts["why"] == EndedWhy.NEW_CANARY


async def test_a_person_may_end_a_watch_and_it_stays_ended() -> None:
    world = WatchWorld()
    await world.scout()

    await world.ask(Wanted.UNWATCH, GITCO)
    await world.scout()

    watch = world.watch()
    assert (watch.number, watch.ended_why, watch.ended_by) == (1, EndedWhy.BY_A_PERSON, GITCO)
    (line,) = world.lines(Event.WATCH_ENDED)
    assert line.actor == GITCO
    (notice,) = world.store.notices()
    assert (notice["what"], notice["by"]) == (Said.WATCH_ENDED, GITCO)


async def test_ending_a_watch_calls_its_alerts_off() -> None:
    world = WatchWorld()
    await world.scout()
    world.stream.answering = failing(5)
    await world.turns(3)

    await world.ask(Wanted.UNWATCH)

    assert [alert.state for alert in world.alerts()] == [AlertState.OVER]


async def test_a_person_may_ask_for_the_watch_again() -> None:
    world = WatchWorld()
    await world.scout()
    await world.ask(Wanted.UNWATCH)

    await world.ask(Wanted.WATCH, key="k2")

    assert (world.watch().number, world.watch().started_by) == (2, SENA)


async def test_ending_what_nobody_watches_says_when_the_last_watch_ended() -> None:
    world = WatchWorld()

    await world.ask(Wanted.UNWATCH)
    await world.scout()
    await world.ask(Wanted.UNWATCH, key="k2")
    await world.ask(Wanted.UNWATCH, key="k3")

    first, _, third = world.store.notices()
    assert (first["what"], first["at"]) == (Said.NOT_WATCHED, None)
    assert (third["what"], third["at"], third["canary"]) == (Said.NOT_WATCHED, NOON.isoformat(), CANARY)


@pytest.mark.parametrize("wanted", list(Wanted))
async def test_a_stranger_is_refused_and_it_is_written_down(wanted: Wanted) -> None:
    world = WatchWorld()
    await world.scout()
    looks = world.watch()

    await world.ask(wanted, PersonId("U0STRANGER"))

    (notice,) = world.store.notices()
    assert (notice["what"], notice["doing"]) == (Said.REFUSED, wanted.value)
    assert world.store.events(AUDIT) == [Event.ACT_REFUSED]
    assert world.watch() == looks


async def test_a_redelivered_wish_is_answered_once() -> None:
    world = WatchWorld(NOT_BY_ITSELF)

    await world.ask(Wanted.WATCH)
    await world.ask(Wanted.WATCH)

    (notice,) = world.store.notices()
    assert notice["what"] == Said.WATCH_BEGUN
