"""What a rollback ticks by itself, from the decision to what logs and metrics say afterwards."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import pytest

from bot.domain.checklist import Mark, StepState
from bot.domain.ids import IncidentNumber
from bot.domain.incident import Incident, IncidentState
from bot.domain.readings import Metric, RequestCounts, Side
from bot.domain.rollback import Rollback, RollbackState
from bot.domain.timeline import BACKOUT, Event
from bot.usecases.ports import Showing, Transaction, Workflow
from bot.usecases.watch_checklist import MEASURE_EVERY, WATCH_FOR, Watching, watch_checklist
from tests.checklists import GUIDE, minutes
from tests.fakes import FakePlaybooks, FakeSteps, calm
from tests.unit.usecases.world import DENIED, GONE, World
from tests.values import GITCO, NOON, a_playbook, a_reading, counts, seconds

NUMBER = IncidentNumber(1)
GREEN = {Metric.ERROR_RATE: 0.1, Metric.P95: 80.0, Metric.MEMORY: 40.0, Metric.CPU: 30.0}


@pytest.fixture
def world() -> World:
    """Fakes whose playbook has the guide's checklist."""
    made = World()
    made.playbooks = FakePlaybooks(GUIDE)
    return made


def incident(world: World) -> Incident:
    """Return the incident as stored."""
    return world.store.kept.incidents[NUMBER]


def states(world: World) -> dict[str, StepState]:
    """Return every mark's state."""
    return {key: mark.state for key, mark in incident(world).marks.items()}


def mark(world: World, key: str) -> Mark:
    """Return one mark."""
    return incident(world).marks[key]


def next_look(world: World) -> tuple[datetime, Mapping[str, str]] | None:
    """Return when the watch looks again, and with what."""
    timer = world.store.kept.timers.get(f"{Workflow.WATCH_CHECKLIST}:{NUMBER}")
    return (timer[0], timer[2]) if timer else None


async def look(world: World) -> None:
    """Let the watch's timer go off."""
    waiting = next_look(world)
    assert waiting is not None
    at, arguments = waiting
    world.clock.now = max(world.clock.now, at)
    await world.store.change(lambda tx: tx.let_sleep(Workflow.WATCH_CHECKLIST, str(NUMBER)))
    watching = Watching(
        store=world.store,
        playbooks=world.playbooks,
        cloud=world.cloud,
        metrics=world.metrics,
        requests=world.requests,
        clock=world.clock,
    )
    await watch_checklist(arguments, steps=FakeSteps(), use=watching)


def arrive(world: World, *keys: str) -> None:
    """Let messages stand in Slack."""
    for key in keys:
        message = world.store.kept.messages[key]
        world.store.kept.messages[key] = replace(message, ts=f"{NOON.timestamp():.6f}")


async def rolled_back(world: World) -> Rollback:
    """Decide, carry out, and let the verdict be."""
    await world.decided()
    return await world.carry_out()


def failing_before(side: Side, since: datetime, until: datetime) -> RequestCounts:
    """A canary with errors until noon, and calm ever after."""
    if until <= NOON and side is Side.CANARY:
        return counts(side, requests=400, errors=40, since=since, until=until)
    return replace(calm(side, since, until), requests=2000, latencies_ms=(50.0,) * 2000)


async def test_the_decision_ticks_its_step_and_says_by_whom(world: World) -> None:
    await world.decided()

    assert states(world) == {"decide": StepState.DONE}
    assert mark(world, "decide").by == BACKOUT
    assert mark(world, "decide").evidence["by"] == "U0SENA"


async def test_the_verdict_ticks_what_it_has_proven_with_its_numbers(world: World) -> None:
    await rolled_back(world)

    done = ("decide", "run_rollback", "traffic", "error_rate", "response_time")
    assert states(world) == dict.fromkeys(done, StepState.DONE)
    shown = mark(world, "error_rate").evidence
    assert (shown["source"], shown["sample"], shown["limit"]) == ("request_log", 200, 0.5)
    events = world.store.events("incident:1")
    assert events.count(Event.STEP_SEEN) == len(done)


async def test_what_the_verdict_disproves_is_not_ok(world: World) -> None:
    def slow(side: Side, since: datetime, until: datetime) -> RequestCounts:
        return replace(calm(side, since, until), latencies_ms=(900.0,) * 200 if side is Side.STABLE else ())

    world.requests.counting = slow

    await rolled_back(world)

    assert states(world)["response_time"] is StepState.NOT_OK
    assert states(world)["error_rate"] is StepState.DONE


async def test_what_the_verdict_cannot_tell_stays_open(world: World) -> None:
    world.requests.counting = lambda side, since, until: replace(
        calm(side, since, until), requests=3, latencies_ms=(50.0,) * 3
    )

    await rolled_back(world)

    assert "error_rate" not in states(world)
    assert "response_time" not in states(world)
    assert states(world)["traffic"] is StepState.DONE


async def test_a_rollback_that_failed_was_not_executed(world: World) -> None:
    await world.decided()
    world.cloud.next_looks.append(DENIED)

    await world.carry_out()

    assert states(world)["run_rollback"] is StepState.NOT_OK
    assert mark(world, "run_rollback").evidence["outcome"] == "failed"


async def test_the_team_counts_as_alerted_once_the_board_stands_in_slack(world: World) -> None:
    await world.decided()

    await look(world)
    before = states(world).get("alert_team")
    arrive(world, "board:1")
    await look(world)

    assert before is None
    assert states(world)["alert_team"] is StepState.DONE
    assert mark(world, "alert_team").evidence["at"] == NOON.isoformat()
    assert next_look(world) is None, "the verdict wakes the watch again"


async def test_the_record_counts_once_it_stands_in_slack(world: World) -> None:
    await rolled_back(world)
    await look(world)
    before = states(world).get("record_rollback")

    arrive(world, "board:1", "record:1")
    await look(world)

    assert before is None
    assert states(world)["record_rollback"] is StepState.DONE
    assert mark(world, "record_rollback").evidence["edition"] == 1


async def test_errors_that_dropped_sharply_are_ticked_with_both_counts(world: World) -> None:
    world.requests.counting = failing_before

    await rolled_back(world)
    await look(world)

    assert states(world)["log_errors"] is StepState.DONE
    assert mark(world, "log_errors").evidence["before"] == {"errors": 40, "requests": 2400}
    assert mark(world, "log_errors").evidence["after"]["errors"] == 0


async def test_errors_that_did_not_drop_are_not_ok_until_they_do(world: World) -> None:
    still: dict[str, int] = {"errors": 100}

    def failing(side: Side, since: datetime, until: datetime) -> RequestCounts:
        found = failing_before(side, since, until)
        after = until > NOON and side is Side.STABLE
        return replace(found, errors=still["errors"]) if after else found

    world.requests.counting = failing
    await rolled_back(world)
    arrive(world, "board:1", "record:1")
    await look(world)
    first = states(world)["log_errors"]
    still["errors"] = 0
    await look(world)

    assert first is StepState.NOT_OK
    assert states(world)["log_errors"] is StepState.DONE


async def test_everything_green_on_stable_after_the_rollback_is_ticked(world: World) -> None:
    ended = await rolled_back(world)
    assert ended.settled_at is not None
    world.clock.now = ended.settled_at + minutes(2)
    fresh = ended.settled_at + minutes(1)
    world.metrics.readings = tuple(
        a_reading(m, v, side, since=fresh, until=fresh + seconds(50))
        for m, v in GREEN.items()
        for side in (Side.STABLE, Side.CANARY)
    )

    await look(world)

    assert states(world)["all_green"] is StepState.DONE
    assert {flag["colour"] for flag in mark(world, "all_green").evidence["flags"]} == {"green"}


async def test_readings_from_before_the_rollback_prove_no_green(world: World) -> None:
    world.metrics.readings = tuple(a_reading(m, v, Side.STABLE) for m, v in GREEN.items())

    await rolled_back(world)
    await look(world)

    assert "all_green" not in states(world)


async def test_a_persons_word_stands_and_what_the_watch_saw_is_kept_beside_it(world: World) -> None:
    world.requests.counting = failing_before
    await rolled_back(world)

    def say(tx: Transaction) -> None:
        word = Mark(state=StepState.NOT_OK, by=GITCO, at=world.clock(), why="I still see some")
        tx.save_incident(replace(tx.incident(NUMBER), marks={"log_errors": word}))

    await world.store.change(say)
    await look(world)

    assert (mark(world, "log_errors").by, mark(world, "log_errors").state) == (GITCO, StepState.NOT_OK)
    assert mark(world, "log_errors").evidence["machine"]["state"] == "done"


async def test_google_is_asked_every_quarter_of_a_minute_however_often_slack_is_looked_at(
    world: World,
) -> None:
    await rolled_back(world)
    await look(world)
    measured_at = world.clock.now
    asked = [len(world.requests.asked)]
    while world.clock.now < measured_at + MEASURE_EVERY:
        await look(world)
        asked.append(len(world.requests.asked))

    assert len(asked) == 9, "Slack every two seconds"
    assert set(asked[:-1]) == {asked[0]}
    assert asked[-1] > asked[0]


@pytest.mark.parametrize(("length", "asked"), [(59.9, False), (60.0, True), (60.1, True)])
async def test_green_is_looked_for_once_a_whole_minute_has_gone_by(
    world: World, length: float, asked: bool
) -> None:
    ended = await rolled_back(world)
    assert ended.settled_at is not None
    world.clock.now = ended.settled_at + seconds(length)

    await look(world)

    newest = {until for _, _, until in world.requests.asked}
    assert (world.clock.now in newest) is asked


async def test_it_looks_again_until_a_quarter_of_an_hour_is_over(world: World) -> None:
    ended = await rolled_back(world)
    assert ended.ended_at is not None
    looks = 0
    while next_look(world) is not None:
        await look(world)
        looks += 1
        assert looks < 200

    assert ended.ended_at + WATCH_FOR - minutes(1) < world.clock.now < ended.ended_at + WATCH_FOR + minutes(1)
    assert looks < 100


async def test_it_looks_no_more_once_everything_was_seen(world: World) -> None:
    world.requests.counting = failing_before
    ended = await rolled_back(world)
    assert ended.settled_at is not None
    world.clock.now = ended.settled_at + minutes(2)
    fresh = ended.settled_at + minutes(1)
    world.metrics.readings = tuple(
        a_reading(m, v, Side.STABLE, since=fresh, until=fresh + seconds(50)) for m, v in GREEN.items()
    )
    arrive(world, "board:1", "record:1")

    await look(world)

    assert set(states(world).values()) == {StepState.DONE}
    assert len(states(world)) == 9
    assert next_look(world) is None


async def test_a_quiet_log_is_read_further_back_and_a_full_one_less_far(world: World) -> None:
    await rolled_back(world)
    arrive(world, "board:1", "record:1")
    await look(world)
    first = next_look(world)
    world.requests.counting = lambda side, since, until: counts(
        side, requests=5000, since=since, until=until, truncated=True
    )
    await look(world)
    second = next_look(world)

    assert first is not None
    assert second is not None
    assert (float(first[1]["span"]), float(second[1]["span"])) == (120.0, 30.0)


async def test_google_that_does_not_answer_is_asked_again_later(world: World) -> None:
    world.requests.counting = failing_before
    await rolled_back(world)
    arrive(world, "board:1", "record:1")
    world.cloud.next_looks.append(GONE)

    await look(world)
    before = states(world).get("log_errors")
    await look(world)

    assert before is None
    assert states(world)["log_errors"] is StepState.DONE


async def test_what_settles_only_after_the_verdict_is_ticked_all_the_same(world: World) -> None:
    world.cloud.lag_looks = 10_000
    ended = await rolled_back(world)
    before = states(world)["traffic"]
    world.cloud._lagging = 0

    await look(world)

    assert ended.state is RollbackState.NOT_VERIFIED
    assert before is StepState.NOT_OK
    assert states(world)["traffic"] is StepState.DONE


async def test_a_closed_incident_is_watched_no_more(world: World) -> None:
    await rolled_back(world)

    def close(tx: Transaction) -> None:
        tx.save_incident(replace(tx.incident(NUMBER), state=IncidentState.CLOSED))

    await world.store.change(close)
    before = states(world)
    await look(world)

    assert states(world) == before
    assert next_look(world) is None


async def test_without_a_checklist_nothing_is_watched_or_shown(world: World) -> None:
    world.playbooks = FakePlaybooks(a_playbook())

    await rolled_back(world)

    assert next_look(world) is None
    assert states(world) == {}
    assert not any(m.what is Showing.CHECKLIST for m in world.store.kept.messages.values())
