"""Slack's pace: about one message a second and channel, and short bursts."""

import asyncio
import time

import pytest

from bot.adapters.slack_messages import Pace


async def seconds_for(pace: Pace, *channels: str) -> float:
    began = time.monotonic()
    for channel in channels:
        await pace.take(channel)
    return time.monotonic() - began


async def test_a_burst_goes_at_once() -> None:
    # Whoever waits at this pace waits for more than a minute.
    assert await seconds_for(Pace(per_second=0.01, burst=4), *["C1"] * 4) < 60


async def test_after_the_burst_one_waits_for_each() -> None:
    took = await seconds_for(Pace(per_second=50, burst=2), *["C1"] * 7)

    assert took >= 5 / 50 * 0.9


async def test_channels_do_not_wait_for_each_other() -> None:
    pace = Pace(per_second=0.01, burst=1)

    assert await seconds_for(pace, *[f"C{n}" for n in range(50)]) < 60


async def test_whoever_waits_gets_a_turn_each() -> None:
    pace = Pace(per_second=50, burst=1)
    began = time.monotonic()

    await asyncio.gather(*(pace.take("C1") for _ in range(6)))

    assert time.monotonic() - began >= 5 / 50 * 0.9


async def test_an_unused_burst_does_not_add_up() -> None:
    pace = Pace(per_second=100, burst=2)
    await pace.take("C1")
    await asyncio.sleep(0.1)

    assert await seconds_for(pace, *["C1"] * 6) >= 4 / 100 * 0.9


async def test_a_full_lane_makes_its_channel_wait() -> None:
    pace = Pace(per_second=0.01, burst=1)
    await pace.take("C1")

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pace.take("C1"), 0.05)
