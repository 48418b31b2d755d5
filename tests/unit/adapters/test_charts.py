"""Pictures and documents, made for real in the process that makes them."""

import contextlib
import io
import subprocess
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
from bot.domain.document import Document, Heading, Paragraph
from bot.domain.document import Image as Photograph
from bot.domain.observation import Point, SideValues
from bot.domain.picture import Mark, MarkKind, PhaseBars, Picture, Stack, StatsPicture, TrendLine
from bot.domain.playbook import Thresholds
from bot.domain.readings import Metric
from bot.usecases.ports import NoLetters, NotDrawn
from tests.values import NOON

#: What a picture may weigh, bytes.
HEAVIEST = 60_000
GAP = range(20, 25)
#: A process that never draws anything.
SLOW = "import time; time.sleep(60)"
#: For one picture. It is drawn after everything else, which on a busy machine is long after.
PATIENCE_SECONDS = 300.0
#: The process on a machine that has no fonts but those that came with packages.
WITHOUT_FONTS = """
from matplotlib.font_manager import fontManager
fontManager.ttflist[:] = [font for font in fontManager.ttflist if "mpl-data" in font.fname]
from bot.adapters.chart_process import main
main()
"""


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
            Mark(at=NOON - timedelta(minutes=58), text="deployed", kind=MarkKind.DEPLOYED),
            Mark(at=NOON - timedelta(minutes=1), text="rolled back " * 5),
            Mark(at=NOON - timedelta(days=1), text="long ago"),
        ),
        zone="Asia/Seoul",
    )
    return replace(picture, **more)


KOREAN = a_picture(
    title="INC-12 · 카나리",
    canary="카나리: ion-api-00042",
    stable="안정 버전: ion-api-00041",
    metrics=("오류율, %", "P95 응답시간, ms", "메모리, %", "CPU, %"),
    nothing="데이터 없음",
    shaded=(NOON - timedelta(minutes=5), NOON - timedelta(minutes=2)),
    since=NOON - timedelta(minutes=30),
)
MEMORY = a_picture(
    only=Metric.MEMORY,
    trend=TrendLine(
        at=NOON, value=60, until=NOON + timedelta(minutes=9), last_value=100, text="heading for full"
    ),
)
STATS = StatsPicture(
    title="Looking back",
    phases_heading="Minutes",
    phases=(
        PhaseBars(name="감지", median=3.2, worst=14), PhaseBars(name="resolve", median=None, worst=None)
    ),
    median="median",
    worst="worst",
    incidents_heading="Incidents",
    months=("2026-01", "2026-02"),
    stacks=(Stack(name="Error rate", counts=(1, 0)), Stack(name="Memory", counts=(2, 1))),
    rate_heading="Change failure rate, %",
    failure_rates=(12.5, None),
)  # fmt: skip
NO_STATS = replace(STATS, phases=(), months=(), stacks=(), failure_rates=())
DOCUMENT = Document(
    title="Failure record",
    language="en",
    at=NOON,
    footer="INC-12",
    pieces=(Heading(text="Failure record", level=1), Paragraph(text="오류율")),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def charts() -> AsyncIterator[ProcessCharts]:
    """One process for the whole file: its start is what takes the time."""
    charts = ProcessCharts(within_seconds=PATIENCE_SECONDS)
    yield charts
    await charts.close()


@pytest.mark.parametrize(
    ("picture", "height"),
    [
        (a_picture(), 1200),
        (KOREAN, 1200),
        (MEMORY, 780),
        (a_picture(points=(), marks=()), 1200),
        (a_picture(points=a_picture().points[:1], zone="nowhere/at_all"), 1200),
    ],
    ids=["an hour", "Korean", "memory", "nothing", "one minute"],
)
async def test_a_picture_is_a_small_png_for_a_telephone(
    charts: ProcessCharts, picture: Picture, height: int
) -> None:
    png = await charts.draw(picture)

    image = Image.open(io.BytesIO(png))
    assert (image.format, image.size) == ("PNG", (720, height))
    assert len(png) <= HEAVIEST


@pytest.mark.parametrize("stats", [STATS, NO_STATS], ids=["two months", "nothing"])
async def test_statistics_are_drawn_as_wide_as_every_picture(
    charts: ProcessCharts, stats: StatsPicture
) -> None:
    png = await charts.draw(stats)

    assert Image.open(io.BytesIO(png)).size[0] == 720
    assert len(png) <= HEAVIEST


async def test_documents_are_printed_with_pictures_of_the_same_process(charts: ProcessCharts) -> None:
    png = await charts.draw(a_picture())
    before = charts.process

    pdf = await charts.pdf(replace(DOCUMENT, pieces=(*DOCUMENT.pieces, Photograph(png=png))))

    assert pdf.startswith(b"%PDF-")
    assert charts.process == before


async def test_the_same_is_drawn_and_printed_byte_for_byte_without_any_font_of_the_machine(
    charts: ProcessCharts,
) -> None:
    bare = ProcessCharts(command=("-c", WITHOUT_FONTS), within_seconds=PATIENCE_SECONDS)

    async def everything(charts: ProcessCharts) -> list[bytes]:
        return [await charts.draw(KOREAN), await charts.draw(STATS), await charts.pdf(DOCUMENT)]

    try:
        there = await everything(bare)
    finally:
        await bare.close()
    assert there == await everything(charts)


async def test_what_cannot_be_printed_is_said_and_the_process_goes_on(charts: ProcessCharts) -> None:
    before = (await charts.draw(a_picture()), charts.process)

    with pytest.raises(NotDrawn, match="UnidentifiedImageError"):
        await charts.pdf(replace(DOCUMENT, pieces=(Photograph(png=b"no picture"),)))

    assert (await charts.draw(a_picture()), charts.process) == before


async def test_what_there_is_no_letter_for_is_not_drawn_as_boxes(charts: ProcessCharts) -> None:
    with pytest.raises(NoLetters, match="𓀀"):
        await charts.draw(a_picture(title="canary 𓀀"))


async def test_pictures_are_drawn_elsewhere_after_everything_else(charts: ProcessCharts) -> None:
    await charts.draw(a_picture())

    assert charts.process is not None
    assert psutil.Process(charts.process).nice() > psutil.Process().nice()


def test_nothing_that_draws_or_prints_is_imported_by_who_asks() -> None:
    heavy = "matplotlib", "PIL", "fpdf", "fontTools"
    code = f"import sys; import bot.adapters.charts; sys.exit(bool(sys.modules.keys() & {set(heavy)}))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_a_process_that_died_is_replaced(charts: ProcessCharts) -> None:
    await charts.draw(a_picture())
    before = charts.process
    assert before is not None
    psutil.Process(before).kill()

    png = await charts.draw(a_picture())

    assert png.startswith(b"\x89PNG")
    assert charts.process != before


async def test_a_process_that_always_dies_is_given_up() -> None:
    charts = ProcessCharts(command=("-c", ""), within_seconds=PATIENCE_SECONDS)

    with pytest.raises(NotDrawn, match="died, twice"):
        await charts.draw(a_picture())


def command_of(process: psutil.Process) -> list[str]:
    """Return how it was started; nothing where it has ended meanwhile, as other tests' processes may."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


async def test_a_picture_that_takes_too_long_is_given_up_and_its_process_with_it() -> None:
    charts = ProcessCharts(command=("-c", SLOW), within_seconds=0.5)

    with pytest.raises(NotDrawn, match=r"not drawn within 0\.5 s"):
        await charts.draw(a_picture())

    assert charts.process is None
    assert [child for child in psutil.Process().children() if SLOW in command_of(child)] == []
