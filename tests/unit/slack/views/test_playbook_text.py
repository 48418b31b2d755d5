"""The printed playbook holds everything that the playbook says, in the guide's order."""

from collections.abc import Iterator
from functools import cache
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from bot.adapters.playbook_file import DEFAULT, read_playbook
from bot.adapters.printed_pages import print_pages
from bot.domain.guide import Part, Short, Text
from bot.domain.playbook import Playbook
from bot.slack.text import LOCALES, PLAIN, Words
from bot.slack.views.pages import Heading, Mark, Paragraph, Piece, Row, Rows, Table, as_markdown
from bot.slack.views.playbook_text import playbook_text
from tests.values import a_playbook


@cache
def guide() -> Playbook:
    return read_playbook(DEFAULT)


def printed(locale: str, playbook: Playbook | None = None) -> str:
    return as_markdown(playbook_text(playbook or guide(), Words(locale=locale, style=PLAIN)))


def texts(part: Any) -> Iterator[Text | Short]:
    """Yield every text below `part`."""
    if isinstance(part, Text | Short):
        yield part
    elif isinstance(part, Part):
        for name in type(part).model_fields:
            yield from texts(getattr(part, name))
    elif isinstance(part, dict | tuple):
        for value in part.values() if isinstance(part, dict) else part:
            yield from texts(value)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_of_the_playbook_is_printed(locale: str) -> None:
    said = printed(locale)

    assert [text.in_(locale) for text in texts(guide()) if text.in_(locale) not in said] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_everything_else_is_printed(locale: str) -> None:
    book, said = guide(), printed(locale)
    about = book.about
    assert about is not None

    wanted = [book.version, book.time_zone, book.channels.incidents, about.author, about.written]
    wanted += [word for c in about.commands for word in (c.script, c.now)]
    wanted += [action.filter for s in book.scenarios for action in s.actions if action.filter]
    wanted += [f"[{scenario.example_at}]" for scenario in book.scenarios]
    wanted += [e.file for e in book.analysis.evidence] + [
        e.filter for e in book.analysis.evidence if e.filter
    ]
    wanted += [c.name for c in book.contacts.values()] + [
        c.channel for c in book.contacts.values() if c.channel
    ]
    wanted += [n.template for n in book.notices.values()] + [link.url for link in book.links.values()]
    wanted += ["00:00", "01:00", "02:00", "04:00", "[TBD]", "3-1."]
    wanted += [word for target in book.targets.values() for word in (target.service, target.region)]
    assert [word for word in wanted if word not in said] == []


#: The guide's headings, in its order.
HEADINGS = [
    "개요", "배포 실패 시나리오", "롤백 체크리스트", "원인 분석 프로세스", "배포 중 모니터링 핵심 메트릭",
    "배포 실패 결정 기준", "긴급 연락처", "[Phase 4] 배포 실패 기록", "배포 실패 대비 체크리스트", "결론",
]  # fmt: skip


def test_the_headings_stand_in_the_guides_order() -> None:
    pieces = playbook_text(guide(), Words(locale="ko", style=PLAIN))

    heads = [piece.text for piece in pieces if isinstance(piece, Heading) and piece.level == 2]

    assert heads[: len(HEADINGS)] == HEADINGS


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        ("ko", "| Option D: 디버그 후 핫픽스 | 30분+ | 높음 | 위험함 |"),
        ("en", "| Option D: Debug, then hotfix | 30 min+ | high | Dangerous |"),
        ("ko", "**권고: Option A (롤백)**"),
        ("ko", "예상 복구 시간: 2-4시간 (데이터 백업 크기에 따라)"),
        ("en", "Expected time of recovery: 1–2 min (May recover by itself)"),
        ("ko", "### Phase 3: 검증 (2-5분)"),
        ("ko", "- 에러율 > 1.0 % → 롤백 고려"),
        ("ko", "- 서비스 다운 → 즉시 롤백"),
        (
            "ko",
            "| 에러율 > 1% (3회 연속) | 위험 | 롤백 권고 | 3 | "
            "직접 롤백, 10초 안에 중지 가능, 자동 롤백이 켜진 곳에서만 |",
        ),
        ("en", "| Error rate > 1 % (once) | Caution | Watch more closely | 1 | tells |"),
        ("en", "| Data loss | Crisis | Roll back at once, and recover | 1 | recommends |"),
        ("ko", "- 측정 한 번의 오류가 3건보다 적으면 에러율은 빨간색이 되지 않습니다."),
        ("ko", "| 배포 리더 | Sena | Slack #operations | 1분 | 백엔드 엔지니어 |"),
        ("ko", "- [ ] 팀에 Slack 긴급 알림 [Backout이 확인: 채널 알림]"),
        ("en", "- [ ] Start the cause analysis"),
        ("ko", "Q2: 메모리/CPU는 정상인가?"),
    ],
)
def test_it_reads_as_the_guide_reads(locale: str, line: str) -> None:
    assert line in printed(locale).splitlines()


@pytest.mark.parametrize("locale", LOCALES)
def test_a_playbook_with_nothing_but_a_target_is_printed_too(locale: str) -> None:
    said = printed(locale, a_playbook())

    assert "ion-api" in said
    assert "##  " not in said


def test_a_bar_in_a_cell_does_not_break_the_table() -> None:
    assert as_markdown([Table(["a"], [["x | y"]])]) == "| a |\n| --- |\n| x \\| y |"


def test_a_row_with_a_number_of_its_own_is_not_counted() -> None:
    rows = Rows(Mark.NUMBER, [Row("a"), Row("b", ["below"], "1-1"), Row("c")])

    assert as_markdown([rows]) == "1. a\n1-1. b\n   - below\n2. c"


PIECES: list[Piece] = [
    Heading(1, "Title"),
    Heading(9, "Deep"),
    Paragraph("[bold]not markup[/bold] :warning:", strong=True),
    Rows(Mark.BOX, [Row("step", ["detail"])]),
    Table(["head"], [["[cell]"]]),
]


def test_a_pipe_gets_markdown_that_is_never_cut() -> None:
    pipe = StringIO()
    long = Paragraph("x " * 500)

    print_pages([*PIECES, long], Console(file=pipe, width=40))

    assert pipe.getvalue() == as_markdown([*PIECES, long]) + "\n"


def test_a_terminal_gets_boxes_and_takes_nothing_as_markup() -> None:
    screen = StringIO()

    console = Console(
        file=screen, force_terminal=True, width=60, markup=False, emoji=False, color_system=None
    )
    print_pages(PIECES, console)

    said = screen.getvalue()
    for wanted in ("Title", "Deep", "[bold]not markup[/bold] :warning:", "☐ step", "- detail", "[cell]"):
        assert wanted in said


@pytest.mark.parametrize("width", [20, 80, 200])
def test_a_terminal_of_any_width_shows_the_guide(width: int) -> None:
    screen = StringIO()

    console = Console(file=screen, force_terminal=True, width=width, color_system=None)
    print_pages(playbook_text(guide(), Words(locale="ko", style=PLAIN)), console)

    assert "메모리" in screen.getvalue()
