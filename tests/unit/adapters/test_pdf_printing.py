"""Documents as PDFs, printed for real and read back."""

import io
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pypdfium2  # type: ignore[import-untyped]
import pytest
import pytest_asyncio
from PIL import Image as Pillow

from bot.adapters.charts import ProcessCharts
from bot.domain.document import Bullets, Document, Grid, Heading, Image, Paragraph, Piece
from tests.values import NOON

T = TypeVar("T")
#: For one document. It is printed after everything else, which on a busy machine is long after.
PATIENCE_SECONDS = 300.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def printer() -> AsyncIterator[ProcessCharts]:
    """One process for the whole file: its start is what takes the time."""
    printer = ProcessCharts(within_seconds=PATIENCE_SECONDS)
    yield printer
    await printer.close()


def a_document(*pieces: Piece, **more: Any) -> Document:
    document = Document(
        title="장애 기록 INC-12", language="ko", at=NOON, footer="INC-12 · 3판", pieces=pieces
    )
    return replace(document, **more)


def a_png(wide: int, high: int) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (wide, high), "#3366cc").save(file, "PNG")
    return file.getvalue()


def read(pdf: bytes, what: Callable[[pypdfium2.PdfDocument], T]) -> T:
    """Return something of a PDF, which is closed again."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return what(document)
    finally:
        document.close()


def texts(pdf: bytes) -> list[str]:
    """Return the text of every page, with single spaces."""

    def of_pages(document: pypdfium2.PdfDocument) -> list[str]:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]

    return read(pdf, of_pages)


async def test_every_piece_can_be_read_back(printer: ProcessCharts) -> None:
    document = a_document(
        Heading(text="장애 기록", level=1),
        Paragraph(text="오류율이 1 %를 넘었습니다 → 롤백 ✓"),
        Paragraph(text="조용히", quiet=True),
        Bullets(lines=("첫째", "둘째")),
        Grid(heads=("시각", "무엇"), rows=(("12:00", "배포"), ("12:05", "감지")), widths=(1, 3)),
        Image(png=a_png(720, 1200), caption="배포 전후"),
    )

    pages = texts(await printer.pdf(document))

    assert pages[0].startswith(
        "장애 기록 오류율이 1 %를 넘었습니다 → 롤백 ✓ 조용히 • 첫째 • 둘째 시각 무엇 12:00 배포"
    )
    assert "배포 전후" in pages[-1]
    assert pages[-1].endswith(f"INC-12 · 3판 {len(pages)}/{len(pages)}쪽")


async def test_a_document_says_what_it_is(printer: ProcessCharts) -> None:
    pdf = await printer.pdf(a_document(Paragraph(text="x")))

    told = read(pdf, lambda document: document.get_metadata_dict())
    assert (told["Title"], told["Producer"]) == ("장애 기록 INC-12", "Backout")
    assert told["CreationDate"] == "D:20260302120000Z"
    assert b"/Lang (ko)" in pdf


async def test_the_same_document_makes_the_same_bytes_and_another_date_others(printer: ProcessCharts) -> None:
    document = a_document(Heading(text="장애"), Grid(heads=("a",), rows=(("1",),)), Image(png=a_png(9, 9)))
    other = ProcessCharts(within_seconds=PATIENCE_SECONDS)

    one, two = await printer.pdf(document), await other.pdf(document)
    await other.close()

    assert one == two
    assert one != await printer.pdf(replace(document, at=NOON + timedelta(seconds=1)))


@pytest.mark.parametrize(("language", "last"), [("en", "page 1 of 1"), ("ko", "1/1쪽")])
async def test_pages_are_counted_in_the_readers_language(
    printer: ProcessCharts, language: str, last: str
) -> None:
    (page,) = texts(await printer.pdf(a_document(language=language)))

    assert page.endswith(last)


async def test_a_table_over_several_pages_repeats_its_heads(printer: ProcessCharts) -> None:
    rows = tuple((f"12:{minute:02}", "무엇을 했는지 " * 12) for minute in range(60))

    pages = texts(await printer.pdf(a_document(Grid(heads=("시각", "무엇"), rows=rows, widths=(1, 5)))))

    assert len(pages) > 2
    assert all("시각 무엇" in page for page in pages)
    assert all(sum(time in page for page in pages) == 1 for time, _ in rows)


async def test_a_cell_longer_than_a_page_goes_on_in_the_next_row(printer: ProcessCharts) -> None:
    words = " ".join(f"word{number}" for number in range(2000))

    pages = texts(await printer.pdf(a_document(Grid(heads=("a", "b"), rows=(("first", words),)))))

    assert words.split() == [word for word in " ".join(pages).split() if word.startswith("word")]
    assert " ".join(pages).count("first") == 1


async def test_a_row_with_too_few_cells_is_filled_up(printer: ProcessCharts) -> None:
    (page,) = texts(await printer.pdf(a_document(Grid(heads=("a", "b"), rows=(("only",), ())))))

    assert "a b only" in page


async def test_a_word_longer_than_a_line_is_broken(printer: ProcessCharts) -> None:
    long = "x" * 400

    (page,) = texts(await printer.pdf(a_document(Paragraph(text=long), Bullets(lines=(long,)))))

    assert page.count("x") == 800


async def test_letters_that_there_are_none_of_are_shown_and_counted(printer: ProcessCharts) -> None:
    document = a_document(Paragraph(text="a 𓀀 b"), Grid(heads=("𓀀",), rows=()), language="en")

    (page,) = texts(await printer.pdf(document))

    assert "a □ b □" in page
    assert "Characters that could not be printed and are shown as □: 2." in page


async def test_what_is_all_there_says_nothing_of_missing_letters(printer: ProcessCharts) -> None:
    (page,) = texts(await printer.pdf(a_document(Paragraph(text="all 🚨"), language="en")))

    assert page.startswith("all [police cars revolving light] INC-12")


@pytest.mark.parametrize("size", [(720, 1200), (3000, 200), (20, 4000)])
async def test_a_picture_stays_on_its_page(printer: ProcessCharts, size: tuple[int, int]) -> None:
    pdf = await printer.pdf(a_document(Image(png=a_png(*size))))

    def place(document: pypdfium2.PdfDocument) -> tuple[int, tuple[float, ...]]:
        (found,) = document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
        return len(document), found.get_bounds()

    pages, (left, bottom, right, top) = read(pdf, place)
    assert pages == 1
    assert 0 < left < right < 596
    assert 0 < bottom < top < 842


async def test_a_long_footer_leaves_the_page_number_alone(printer: ProcessCharts) -> None:
    (page,) = texts(await printer.pdf(a_document(footer="f" * 300, language="en")))

    assert page.endswith("… page 1 of 1")


async def test_headings_are_a_table_of_contents(printer: ProcessCharts) -> None:
    document = a_document(
        Heading(text="one", level=1), Heading(text="deep", level=3), Heading(text="two", level=1)
    )

    pdf = await printer.pdf(document)

    assert read(pdf, lambda d: [mark.get_title() for mark in d.get_toc()]) == ["one", "deep", "two"]


async def test_an_empty_document_is_a_page(printer: ProcessCharts) -> None:
    assert len(texts(await printer.pdf(a_document()))) == 1
