"""The failure record as Markdown: the guide's template in both languages, filled with what is stored."""

import re
from dataclasses import replace

import pytest
from jinja2 import Environment, UndefinedError, meta
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.adapters.templates import TEMPLATES, render_template
from bot.domain.record import Record
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Event
from bot.locale import catalogs
from bot.slack.text import LOCALES, MARKDOWN, Words
from bot.slack.views.record_values import record_values
from tests.unit.adapters.records import FACTS, a_complete_record, a_playbook, an_empty_record

TEMPLATE = "failure_record.md"
HANGUL = re.compile(r"[가-힣]")

#: The guide's template, line by line: how each line begins, with our sample values. Source: guide,
#: "The failure record" and, in Korean, "배포 실패 기록 템플릿".
GUIDE = {
    "en": [
        "# [Phase 4] Deployment failure record",
        "**Occurred**: 2025-10-22 14:05:00 UTC",
        "**Failure type**: Error-rate jump",
        "**Severity**: High",
        "**Detected**: 5 min 00 s after the deployment",
        "**Rollback took**: 2 min 20 s (verified)",
        "## Symptoms",
        "- Error rate: 0.00 % → **5.00 %** → 0.12 % (+5.00 percentage points)",
        "- P95 response time: 140 ms → **800 ms** → 120 ms",
        "- Memory: 60 % → **97 %** → not known",
        "## Cause (analysed afterwards)",
        "- cache 42",
        "## Effect",
        "- Users affected: 340",
        "- Data loss: yes",
        "- Service down: 7 min",
        "## Actions",
        "- Sena rolled back at 14:05:00 UTC: `ion-api-00042-xyz` out of traffic, 100 % to",
        "- cache 42",
        "## Improvements",
        "- cache 42",
    ],
    "ko": [
        "# [Phase 4] 배포 실패 기록",
        "**발생 일시**: 2025-10-22 14:05:00 UTC",
        "**실패 유형**: 에러율 급증",
        "**심각도**: High",
        "**감지 시간**: 배포 후 5분 00초",
        "**롤백 시간**: 2분 20초 (검증 완료)",
        "## 증상",
        "- 에러율: 0.00% → **5.00%** → 0.12% (+5.00% 포인트)",
        "- P95 응답시간: 140ms → **800ms** → 120ms",
        "- 메모리: 60% → **97%** → 알 수 없음",
        "## 원인 (사후 분석)",
        "- cache 42",
        "## 영향",
        "- 영향받은 사용자 수: 340명",
        "- 데이터 손실: 있음",
        "- 서비스 다운 시간: 7분",
        "## 조치",
        "- 14:05:00 UTC Sena 님이 롤백: `ion-api-00042-xyz` 트래픽 제외, 100% `ion-api-00041-abc` 쪽으로",
        "- cache 42",
        "## 개선사항",
        "- cache 42",
    ],
}

#: Text that would mean something to Markdown, HTML, Slack, Jinja or `str.format`.
HOSTILE = [
    "# heading",
    "- item",
    "1. item",
    "---",
    "> quote",
    "**bold** _italic_ ~~gone~~ `code`",
    "[link](https://evil.example) ![picture](https://evil.example/x.png)",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "&lt;b&gt; &copy; &#35;",
    "{{7*7}} {% raw %} {# gone #}",
    "{what} {0} {} %s %(x)s",
    "<!channel> <@U0SENA> <https://evil.example|here>",
    "one\n\n# two\n\n- three\r\n```\nfour",
    "| a | b |",
    "back\\slash \\* and * star",
    "<https://evil.example> <!-- comment -->",
]


def rendered(record: Record, locale: str) -> str:
    """Render as `bot.adapters.record_rendering.RecordRendering.markdown` does."""
    names = {str(person): name for person, name in record.names.items()}
    words = Words(locale=locale, style=MARKDOWN, zone=record.time_zone, names=names)
    return render_template(TEMPLATE, locale, record_values(record, words))


def tokens(document: str) -> list[Token]:
    """Parse as CommonMark with HTML let through, flattened."""
    parsed = MarkdownIt("commonmark", {"html": True}).parse(document)
    return [token for block in parsed for token in (block, *(block.children or ()))]


def plain(document: str) -> str:
    """Return the words that a reader of the rendered Markdown sees."""
    return "\n".join(t.content for t in tokens(document) if t.type in ("text", "code_inline"))


def structure(document: str) -> list[tuple[str, str]]:
    """Return the kinds and levels of all blocks and marks, without their text."""
    return [
        (t.type, t.tag) for t in tokens(document) if t.type not in ("text", "code_inline", "text_special")
    ]


@pytest.mark.parametrize("locale", LOCALES)
def test_the_record_is_the_guides_template_line_by_line(locale: str) -> None:
    lines = iter(rendered(a_complete_record(), locale).splitlines())

    for expected in GUIDE[locale]:
        assert any(line.startswith(expected) for line in lines), expected


@pytest.mark.parametrize("locale", LOCALES)
def test_each_fact_at_the_top_has_a_line_of_its_own(locale: str) -> None:
    top = [t.type for t in tokens(rendered(a_complete_record(), locale).split("## ")[0])]

    assert top.count("hardbreak") == 5
    assert "softbreak" not in top


@pytest.mark.parametrize("locale", LOCALES)
def test_what_nobody_knows_yet_is_shown_as_such(locale: str) -> None:
    document = rendered(an_empty_record(), locale)

    todo = Words(locale=locale).say("_not filled in yet_")
    unknown = Words(locale=locale).say("not known")
    assert document.count(todo) == 6  # cause, users, data loss, down time, improvements, by whom
    assert document.count(unknown) == 3 + 5  # detected after, rollback took, outcome; every time
    assert "None" not in document
    assert [t.tag for t in tokens(document)].count("em") == 2 * 6


@pytest.mark.parametrize("locale", LOCALES)
def test_the_timeline_tells_every_kind_of_event(locale: str) -> None:
    document = rendered(a_complete_record(), locale)

    assert set(FACTS) == set(Event)
    told = re.split(r"^## (?:Timeline|타임라인)$", document, flags=re.MULTILINE)[1]
    lines = re.findall(r"^- .*\d\d:\d\d:\d\d UTC · ", told, re.MULTILINE)
    assert len(lines) == len(Event) - 1  # a correction stands beside what it corrects


@pytest.mark.parametrize("locale", LOCALES)
def test_times_are_in_the_playbooks_zone(locale: str) -> None:
    record = a_complete_record(playbook=a_playbook(time_zone="Asia/Seoul"))

    document = rendered(record, locale)

    assert "2025-10-22 23:05:00 +09:00" in document
    assert "- 23:05:05 +09:00 · " in document


@pytest.mark.parametrize("record", [a_complete_record(), an_empty_record()], ids=["complete", "empty"])
@pytest.mark.parametrize("locale", LOCALES)
def test_rendering_twice_gives_the_same_bytes(locale: str, record: Record) -> None:
    once, again = (rendered(record, locale).encode() for _ in range(2))

    assert once == again
    assert once.endswith(b"\n")
    assert b"\r" not in once


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("locale", LOCALES)
def test_what_people_write_stays_text(locale: str, text: str) -> None:
    harmless = rendered(a_complete_record(text="harmless"), locale)

    document = rendered(a_complete_record(text=text), locale)

    assert structure(document) == structure(harmless)
    # Cause, actions and improvements; the reason and two details in the timeline.
    assert seen(document).count(" ".join(text.split())) >= 6


def seen(document: str) -> str:
    """Return the visible text, each paragraph on a line."""
    parsed = MarkdownIt("commonmark", {"html": True}).parse(document)
    inline = (block for block in parsed if block.type == "inline")
    return "\n".join("".join(child.content for child in block.children or ()) for block in inline)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_hostile_name_or_heading_stays_text(locale: str, text: str) -> None:
    flat = " ".join(text.split())[:80]
    harmless = rendered(a_complete_record(name="harmless"), locale)

    document = rendered(a_complete_record(name=flat, playbook=a_playbook(name=flat)), locale)

    assert structure(document) == structure(harmless)
    assert f"[{flat}]" in seen(document).splitlines()[0]


@pytest.mark.parametrize("locale", LOCALES)
def test_code_is_shown_as_it_is_written(locale: str) -> None:
    document = rendered(a_complete_record(), locale)

    shown = [t.content for t in tokens(document) if t.type == "code_inline"]
    assert "CANARY_TRAFFIC_PERCENTAGE=0" in shown


@pytest.mark.parametrize("locale", LOCALES)
def test_emphasis_closes_in_every_language(locale: str) -> None:
    document = rendered(a_complete_record(), locale)

    assert "**" not in plain(document)
    assert "`" not in plain(document)


def test_both_templates_say_the_same_things() -> None:
    used = {locale: variables(locale) for locale in LOCALES}

    assert used["ko"] == used["en"]


@pytest.mark.parametrize("locale", LOCALES)
def test_a_template_says_everything_that_is_known(locale: str) -> None:
    known = record_values(a_complete_record(), Words(locale=locale, style=MARKDOWN))

    assert variables(locale) == set(known)


def variables(locale: str) -> set[str]:
    source = (TEMPLATES / locale / TEMPLATE).read_text("utf-8")
    return meta.find_undeclared_variables(Environment(autoescape=True).parse(source))


def test_both_templates_have_the_same_structure() -> None:
    english, korean = (structure(rendered(a_complete_record(), locale)) for locale in ("en", "ko"))

    assert [kind for kind in korean if kind[0].startswith("heading")] == [
        kind for kind in english if kind[0].startswith("heading")
    ]
    assert korean.count(("list_item_open", "li")) == english.count(("list_item_open", "li"))


@pytest.mark.parametrize("locale", LOCALES)
def test_a_value_that_is_missing_is_an_error_and_no_blank(locale: str) -> None:
    values = record_values(a_complete_record(), Words(locale=locale, style=MARKDOWN))
    del values["cause"]

    with pytest.raises(UndefinedError, match="cause"):
        render_template(TEMPLATE, locale, values)


@pytest.mark.parametrize("record", [a_complete_record(), an_empty_record()], ids=["complete", "empty"])
def test_no_korean_is_in_the_english_record(record: Record) -> None:
    assert HANGUL.findall(rendered(record, "en")) == []


@pytest.mark.parametrize("record", [a_complete_record(), an_empty_record()], ids=["complete", "empty"])
def test_no_english_sentence_of_ours_is_in_the_korean_record(record: Record) -> None:
    korean = rendered(record, "ko")

    assert [phrase for phrase in sorted(english_phrases()) if phrase in korean] == []


def english_phrases() -> set[str]:
    """Return what our messages and the template say in English, in pieces of two words and more."""
    translated = catalogs.load(catalogs.po_path("ko"))
    messages = [str(m.id) for m in translated if m.id and str(m.id) != str(m.string)]
    template = re.sub(r"\{%.*?%\}", "", (TEMPLATES / "en" / TEMPLATE).read_text("utf-8"))
    pieces = (
        piece.strip(" *:;,.()·-#_`")
        for text in [*messages, template]
        for piece in re.split(r"\{[^{}]*\}|\n|\{\{.*?\}\}", text)
    )
    return {
        piece for piece in pieces if re.search(r"[A-Za-z]+ [A-Za-z]+", piece) and piece not in SAME_IN_KOREAN
    }


#: Names, which Korean leaves as they are.
SAME_IN_KOREAN = {"Cloud Run", "Cloud Monitoring", "Google Cloud"}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_outcome_has_its_words(locale: str) -> None:
    known = a_complete_record()
    words = Words(locale=locale, style=MARKDOWN)

    told = {record_values(replace(known, outcome=state), words)["outcome"] for state in RollbackState}

    assert len(told) == len(RollbackState)
    assert all(bool(HANGUL.search(outcome)) == (locale == "ko") for outcome in told)
