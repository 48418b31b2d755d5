"""The record as a page, a PDF and JSON: self-contained, harmless, the same each time, and never lost."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.adapters.record_rendering import RecordRendering, fitting
from bot.domain.document import Bullets, Document, Grid, Heading, Image, Paragraph
from bot.domain.picture import Picture, StatsPicture
from bot.domain.record import Record
from bot.slack.text import LOCALES, Words
from bot.slack.views.record import record_message
from bot.usecases.ports import Charts, NoLetters, NotDrawn, Printer
from tests.fakes import FakePlaybooks, FakeStore
from tests.unit.adapters.records import a_complete_record, an_empty_record
from tests.unit.adapters.test_record_templates import HANGUL, HOSTILE

PNG = b"\x89PNG not really"


class Drawn(Charts, Printer):
    """Draws nothing, and remembers what it was to draw. `problem` is why it cannot."""

    def __init__(self, problem: NotDrawn | None = None) -> None:
        self.problem = problem
        self.pictures: list[Picture | StatsPicture] = []
        self.documents: list[Document] = []

    async def draw(self, picture: Picture | StatsPicture) -> bytes:
        """See `Charts.draw`."""
        self.pictures.append(picture)
        if isinstance(self.problem, NoLetters) and not HANGUL.search(str(picture)):
            return PNG
        if self.problem is not None:
            raise self.problem
        return PNG

    async def pdf(self, document: Document) -> bytes:
        """See `Printer.pdf`."""
        self.documents.append(document)
        if self.problem is not None:
            raise self.problem
        return b"%PDF"


def rendering(locale: str = "en", drawn: Drawn | None = None, team: Path | None = None) -> RecordRendering:
    return RecordRendering(
        FakeStore(), FakePlaybooks(), charts=drawn, printer=drawn, locale=locale, team=team
    )


class Page(HTMLParser):
    """Tags with their attributes, and the text, of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """See `HTMLParser`."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """What a reader sees, on one line."""
        return " ".join("".join(self.words).split())

    @property
    def structure(self) -> list[str]:
        """The tags in order, without what stands in them."""
        return [tag for tag, _ in self.tags]


def page_of(record: Record, locale: str = "en", picture: bytes | None = PNG) -> str:
    return rendering(locale).html(record, picture)[0]


@pytest.mark.parametrize("locale", LOCALES)
def test_the_page_needs_nothing_from_anywhere(locale: str) -> None:
    page = Page(page_of(a_complete_record(), locale))

    sources = [str(attrs["src"]) for _, attrs in page.tags if "src" in attrs]
    assert len(sources) == 1
    assert sources[0].startswith("data:image/png;base64,")
    assert {tag for tag, attrs in page.tags if "href" in attrs} <= {"a"}
    assert not {"script", "link", "iframe", "object", "form"} & set(page.structure)
    assert not [k for _, attrs in page.tags for k in attrs if k.startswith("on")]
    policy = next(a for t, a in page.tags if t == "meta" and a.get("http-equiv"))
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.mark.parametrize("locale", LOCALES)
def test_the_page_says_its_language_and_names_its_picture_and_columns(locale: str) -> None:
    page = Page(page_of(a_complete_record(), locale))

    assert ("html", {"lang": locale}) in page.tags
    assert next(a for t, a in page.tags if t == "img")["alt"]
    assert {a.get("scope") for t, a in page.tags if t == "th"} == {"col", "row"}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("locale", LOCALES)
def test_what_people_write_stays_text_in_the_page(locale: str, text: str) -> None:
    flat = " ".join(text.split())
    harmless = Page(page_of(a_complete_record(), locale))

    page = Page(page_of(a_complete_record(text=text, name=flat), locale))

    assert page.structure == harmless.structure
    assert page.text.count(flat) >= 6


def test_a_page_without_a_picture_has_none() -> None:
    assert "img" not in Page(page_of(a_complete_record(), picture=None)).structure


@pytest.mark.parametrize("record", [a_complete_record(), an_empty_record()], ids=["complete", "empty"])
@pytest.mark.parametrize("locale", LOCALES)
def test_the_same_record_makes_the_same_bytes(locale: str, record: Record) -> None:
    one, other = rendering(locale), rendering(locale)

    assert one.html(record, PNG) == other.html(record, PNG)
    assert one.markdown(record) == other.markdown(record)
    assert one.json(record) == other.json(record)
    assert one.document(record, PNG, edition=2) == other.document(record, PNG, edition=2)


def test_markdown_page_and_pdf_tell_the_same() -> None:
    record = a_complete_record()
    drawn = rendering().document(record, None, edition=1)

    printed = " ".join(_words(drawn))
    page = Page(page_of(record)).text
    for told in ("5 min 00 s after the deployment", "5.00 %", "97 %", "340", "ab" * 32, record.head):
        assert told in printed
        assert told in page
        assert told in rendering().markdown(record)[0]


def _words(document: Document) -> list[str]:
    found: list[str] = []
    for piece in document.pieces:
        if isinstance(piece, Heading | Paragraph):
            found.append(piece.text)
        elif isinstance(piece, Bullets):
            found += piece.lines
        elif isinstance(piece, Grid):
            found += [cell for row in (piece.heads, *piece.rows) for cell in row]
    return [" ".join(words.split()) for words in found]


@pytest.mark.parametrize(("locale", "heading"), [("en", "[DRILL: Phase 4]"), ("ko", "[훈련: Phase 4]")])
def test_the_record_of_a_drill_says_so_first_in_every_form(locale: str, heading: str) -> None:
    real = a_complete_record()
    record, made = replace(real, incident=replace(real.incident, drill="d1")), rendering(locale)

    assert made.markdown(record)[0].startswith(f"# {heading} ")
    assert Page(page_of(record, locale)).text.count(heading) == 2
    assert made.document(record, None, edition=1).title.startswith(heading)
    assert json.loads(made.json(record))["record"]["incident"]["drill"] == "d1"
    shown = record_message(record, Words(locale=locale))
    assert shown.blocks[0]["text"]["text"].startswith(heading)


def test_a_teams_own_template_cannot_hide_a_drill(tmp_path: Path) -> None:
    team = own(tmp_path, "failure_record.md", "ours: {{ label }}\n")
    real = a_complete_record()
    record = replace(real, incident=replace(real.incident, drill="d1"))

    text, _ = rendering(team=team).markdown(record)

    assert text == "> **DRILL** · This is practice: nothing is really broken.\n\nours: INC-12\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_write_is_printed_as_it_is(text: str) -> None:
    document = rendering().document(a_complete_record(text=text), None, edition=1)

    assert " ".join(_words(document)).count(" ".join(text.split())) >= 6


def test_the_document_is_dated_by_what_it_tells() -> None:
    record = a_complete_record()

    document = rendering().document(record, PNG, edition=3)

    assert document.at == max(entry.at for entry in record.timeline)
    assert document.footer == "Failure record of INC-12, edition 3"
    assert [piece.png for piece in document.pieces if isinstance(piece, Image)] == [PNG]


def test_every_row_has_as_many_cells_as_its_head() -> None:
    for record in (a_complete_record(), an_empty_record()):
        document = rendering().document(record, None, edition=1)
        for grid in (piece for piece in document.pieces if isinstance(piece, Grid)):
            assert {len(row) for row in grid.rows} == {len(grid.heads)} == {len(grid.widths)}


def test_json_is_whole_and_in_utc() -> None:
    record = a_complete_record()

    known = json.loads(rendering().json(record))

    assert known["schema"] == 1
    assert known["record"]["head"] == record.head
    assert len(known["record"]["timeline"]) == len(record.timeline)
    assert known["record"]["detected_at"] == "2025-10-22T14:05:00Z"
    assert known["record"]["clients"] == {"seen": 900, "failed": 41, "truncated": False}


# What cannot be made.


async def test_a_record_that_cannot_be_drawn_is_there_without_picture_and_says_why() -> None:
    drawn = Drawn(NotDrawn("the process has died, twice"))
    made = rendering(drawn=drawn)

    assert await made.picture(a_complete_record()) == (None, "the process has died, twice")
    assert await made.pdf(a_complete_record(), None, edition=1) == (b"", "the process has died, twice")


async def test_without_minutes_there_is_no_picture_and_nothing_wrong() -> None:
    assert await rendering(drawn=Drawn()).picture(an_empty_record()) == (None, None)


async def test_where_korean_letters_are_missing_the_picture_is_english() -> None:
    drawn = Drawn(NoLetters("no font"))

    picture, problem = await rendering("ko", drawn).picture(a_complete_record())

    assert (picture, problem) == (PNG, None)
    assert len(drawn.pictures) == 2


def test_a_canvas_gets_as_many_whole_lines_as_fit() -> None:
    lines = "".join(f"line {number}\n" for number in range(100))

    assert fitting(lines, 10_000) == lines
    assert fitting(lines, 40) == "line 0\nline 1\nline 2\nline 3\nline 4\n…\n"


# The team's own templates.


def own(tmp_path: Path, name: str, content: str, locale: str = "en") -> Path:
    file = tmp_path / locale / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content, "utf-8")
    return tmp_path


def test_the_teams_template_stands_before_ours(tmp_path: Path) -> None:
    team = own(tmp_path, "failure_record.md", "ours: {{ label }}, {{ cause }}\n")

    text, problem = rendering(team=team).markdown(a_complete_record())

    assert (text, problem) == ("ours: INC-12, cache 42\n", None)
    assert rendering("ko", team=team).markdown(a_complete_record())[0].startswith("# [Phase 4]")


def test_a_teams_page_is_escaped_like_ours(tmp_path: Path) -> None:
    team = own(tmp_path, "failure_record.html", '<p title="{{ cause }}">{{ cause }}</p>\n')

    text, _ = rendering(team=team).html(a_complete_record(text='"><script>'), None)

    assert text == '<p title="&quot;&gt;&lt;script&gt;">&quot;&gt;&lt;script&gt;</p>\n'


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("one\n{{ cuase }}\n", "line 2: 'cuase' is undefined"),
        ("one\ntwo\n{% if %}\n", "line 3: Expected an expression"),
        ("{{ took / 0 }}", "line 1: unsupported operand"),
        ("{{ ''.__class__.__mro__ }}", "line 1: access to attribute '__class__'"),
        ("{% include 'nowhere.md' %}", "there is no template nowhere.md"),
        ("{% for x in range(999999999) %}x{% endfor %}", "line 1: Range too big"),
    ],
)
def test_a_template_that_breaks_falls_back_to_ours_and_says_where(
    tmp_path: Path, content: str, complaint: str
) -> None:
    team = own(tmp_path, "failure_record.md", content)

    text, problem = rendering(team=team).markdown(a_complete_record())

    assert text == rendering().markdown(a_complete_record())[0]
    assert problem is not None
    assert problem.startswith("en/failure_record.md")
    assert re.search(re.escape(complaint), problem), problem


def test_a_template_cannot_read_what_is_outside_of_the_templates(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("kept to ourselves")
    team = tmp_path / "team"
    team.mkdir()
    own(team, "failure_record.md", "{% include '../secret.txt' %}")

    text, problem = rendering(team=team).markdown(a_complete_record())

    assert "kept to ourselves" not in text
    assert problem is not None
