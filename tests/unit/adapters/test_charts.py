"""Pictures, drawn for real in the process that draws them."""

import io
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psutil
import pytest
import pytest_asyncio
from PIL import Image

from bot.adapters.charts import ProcessCharts
from bot.domain.observation import Point, SideValues
from bot.domain.picture import Mark, Picture
from bot.domain.playbook import Thresholds
from bot.usecases.ports import NoLetters, NotDrawn
from tests.values import NOON

#: What a picture may weigh, bytes.
HEAVIEST = 60_000
GAP = range(20, 25)
#: A process that never draws anything.
SLOW = "import time; time.sleep(60)"


def a_picture(**more: Any) -> Picture:
    """Return an hour with a gap, values that are none, and two marks."""
    wild = SideValues(error_rate=float("inf"), p95=float("nan"), memory=None, cpu=-1.0)
    calm = SideValues(error_rate=0.2, p95=120.0, memory=40.0, cpu=30.0)
    points = [
        Point(
            at=NOON - timedelta(minutes=59 - minute),
            canary=wild if minute == 40 else replace(calm, error_rate=minute / 10),
            stable=calm,
        )
        for minute in range(60)
        if minute not in GAP
    ]
    picture = Picture(
        title="canary: the last hour",
        canary="canary: " + "a" * 63,
        stable="stable: $x^2$",
        metrics=("Error rate, %", "P95 response time, ms", "Memory, %", "CPU, %"),
        points=tuple(points),
        thresholds=Thresholds(),
        until=NOON,
        marks=(
            Mark(at=NOON - timedelta(minutes=58), text="deployed"),
            Mark(at=NOON - timedelta(minutes=1), text="rolled back " * 5),
            Mark(at=NOON - timedelta(days=1), text="long ago"),
        ),
        zone="Asia/Seoul",
    )
    return replace(picture, **more)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def charts() -> AsyncIterator[ProcessCharts]:
    """One process for the whole file: its start is what takes the time."""
    charts = ProcessCharts()
    yield charts
    await charts.close()


@pytest.mark.parametrize(
    "picture",
    [
        a_picture(),
        a_picture(points=(), marks=()),
        a_picture(points=a_picture().points[:1], zone="nowhere/at_all"),
    ],
    ids=["an hour", "nothing", "one minute"],
)
async def test_a_picture_is_a_small_png(charts: ProcessCharts, picture: Picture) -> None:
    png = await charts.draw(picture)

    image = Image.open(io.BytesIO(png))
    assert (image.format, image.size) == ("PNG", (900, 560))
    assert len(png) <= HEAVIEST


async def test_what_there_is_no_letter_for_is_not_drawn_as_boxes(charts: ProcessCharts) -> None:
    with pytest.raises(NoLetters, match="𓀀"):
        await charts.draw(a_picture(title="canary 𓀀"))


async def test_pictures_are_drawn_elsewhere_after_everything_else(charts: ProcessCharts) -> None:
    await charts.draw(a_picture())

    assert charts.process is not None
    assert psutil.Process(charts.process).nice() == 19
    assert "bot.adapters.chart_drawing" not in sys.modules


async def test_a_process_that_died_is_replaced(charts: ProcessCharts) -> None:
    await charts.draw(a_picture())
    before = charts.process
    assert before is not None
    psutil.Process(before).kill()

    png = await charts.draw(a_picture())

    assert png.startswith(b"\x89PNG")
    assert charts.process != before


async def test_a_process_that_always_dies_is_given_up() -> None:
    charts = ProcessCharts(command=("-c", ""))

    with pytest.raises(NotDrawn, match="died, twice"):
        await charts.draw(a_picture())


async def test_a_picture_that_takes_too_long_is_given_up_and_its_process_with_it() -> None:
    charts = ProcessCharts(command=("-c", SLOW), within_seconds=0.5)

    with pytest.raises(NotDrawn, match=r"not drawn within 0\.5 s"):
        await charts.draw(a_picture())

    assert charts.process is None
    assert [child for child in psutil.Process().children() if SLOW in child.cmdline()] == []
