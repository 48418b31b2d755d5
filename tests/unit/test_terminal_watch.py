"""A watch in a terminal: what it says, when it ends, and what its exit code is made of."""

from datetime import timedelta

import pytest

from bot.domain.judge_state import JudgeState
from bot.domain.observation import Tally, tally
from bot.domain.readings import Side
from bot.domain.traffic import SideAddress, Sides
from bot.domain.watch import Watch, WatchState
from bot.slack.text import PLAIN, Words
from bot.terminal_watch import Here
from bot.usecases.read_sources import Reading
from tests.fakes import Answering, FakeStream, healthy
from tests.unit.slack.views.watch_views import a_watch
from tests.unit.usecases.world import World
from tests.values import CANARY, NOON, STABLE, a_state, a_target, share

LONG = timedelta(minutes=5)


def failing(side: Side, since: object) -> Tally:
    """Return a bucket in which every tenth request to the canary fails."""
    return tally([50.0] * 200, requests=200, errors=20 if side is Side.CANARY else 0)


def a_fresh_watch() -> Watch:
    service = a_state().switch.name
    sides = Sides(
        stable=SideAddress(service=service, revision=STABLE),
        canary=SideAddress(service=service, revision=CANARY),
    )
    return a_watch(
        state=WatchState.WATCHING, created_at=NOON, sides=sides, readings=(), points=(), judge=JudgeState()
    )


async def watched(answering: Answering, capsys: pytest.CaptureFixture[str]) -> tuple[Here, str]:
    """Watch for five minutes, until somebody gives stable everything; return it with what was said."""
    world, stream = World(), FakeStream(answering)

    async def pause(seconds: float) -> None:
        await world.clock.pause(seconds)
        if world.clock.now >= NOON + LONG:
            world.cloud.state = a_state(share(STABLE, 100))

    use = Reading(
        cloud=world.cloud, stream=stream, metrics=world.metrics, prober=world.prober, clock=world.clock
    )
    words = Words(locale="en", style=PLAIN)
    here = Here(a_fresh_watch(), a_target(), use, words, playbooks=world.playbooks, pause=pause)
    await here.go_on()
    return here, capsys.readouterr().out


async def test_a_healthy_canary_is_watched_until_it_has_no_traffic(
    capsys: pytest.CaptureFixture[str],
) -> None:
    here, said = await watched(healthy, capsys)

    assert not here.recommended
    assert "Backout saw" not in said
    assert "Watching canary: canary at 10 %" in said
    assert "The canary has no traffic any more." in said


async def test_a_failing_canary_is_told_with_the_rule_and_its_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    here, said = await watched(failing, capsys)

    assert here.recommended
    assert f"The canary {CANARY} has produced" in said
    assert "more errors than an error rate of 1 % allows" in said
    assert "A rollback is recommended." in said
