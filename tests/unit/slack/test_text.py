"""Text from people and logs made harmless; words, lengths of time and moments."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.slack.text import (
    LOCALES,
    MARKDOWN,
    PLAIN,
    SLACK,
    Markup,
    Style,
    Words,
    clean,
    escape,
    escape_markdown,
    locale_of,
    one_line,
)
from tests.values import NOON

ANY_TEXT = st.text(st.characters())
#: Also what is no text at all: lone surrogates arrive in JSON.
ANYTHING = st.text(st.characters(exclude_categories=()))
EN = Words(locale="en")


# Cleaning.


@given(ANYTHING, st.integers(0, 600))
@example("e\x00\u0301", 10)
@example("👩\u200d💻" * 20, 12)
def test_cleaned_text_is_nfc_and_never_too_long(text: str, limit: int) -> None:
    cleaned = clean(text, limit=limit)

    assert len(cleaned) <= limit
    assert unicodedata.is_normalized("NFC", cleaned)


@given(ANYTHING)
def test_cleaned_text_has_no_control_bidi_or_surrogate_characters(text: str) -> None:
    kept_format = set("\u200c\u200d\ufe0e\ufe0f")

    odd = {c for c in clean(text, limit=9999) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn")}

    assert odd <= kept_format | {"\n"}


@given(ANYTHING, st.integers(30, 600))
def test_cleaning_twice_is_cleaning_once(text: str, limit: int) -> None:
    once = clean(text, limit=limit)

    assert clean(once, limit=limit) == once


@given(st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1))
def test_ordinary_text_stays_word_for_word(text: str) -> None:
    assert clean(text, limit=len(text) * 4) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("오류율\t1 %\r\n지연", "오류율 1 %\n지연"),
        ("  spaced  ", "spaced"),
        ("\u202eevil\u202c", "evil"),
        ("\ud800lone", "lone"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("\ufeffBOM\u200b", "BOM"),
        ("e\u0301", "é"),
        ("한글", "한글"),
        ("👩\u200d💻 ❤\ufe0f", "👩\u200d💻 ❤\ufe0f"),
        ("", ""),
    ],
)
def test_what_stays_and_what_goes(raw: str, cleaned: str) -> None:
    assert clean(raw, limit=100) == cleaned


def test_a_cut_says_how_much_was_left_out() -> None:
    cut = clean("x" * 100, limit=20)

    assert cut == f"{'x' * 12}… (+88)"


def test_a_text_on_the_limit_is_not_cut() -> None:
    assert clean("x" * 20, limit=20) == "x" * 20


@pytest.mark.parametrize("whole", ["q\u0308", "👍\U0001f3fd", "👩\u200d💻", "❤\ufe0f", "ก\u0e31"])
def test_a_cut_never_splits_what_is_read_as_one_character(whole: str) -> None:
    text = whole * 40

    for limit in range(12, len(text)):
        body = clean(text, limit=limit).partition("…")[0]
        assert body == whole * (len(body) // len(whole))


# Escaping.


@given(ANY_TEXT)
def test_escaped_text_can_neither_ring_nor_link(text: str) -> None:
    escaped = escape(text)

    assert not set("<>") & set(escaped)
    assert escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@given(ANY_TEXT, st.sampled_from([SLACK, MARKDOWN, PLAIN]))
def test_what_is_safe_already_is_not_escaped_again(text: str, style: Style) -> None:
    words = Words(locale="en", style=style)
    once = words.safe(text)

    assert isinstance(once, Markup)
    assert words.safe(once) == once


@given(ANY_TEXT)
def test_markdowns_marks_are_all_escaped(text: str) -> None:
    escaped = escape_markdown(text)

    assert "\n" not in escaped
    unescaped = escaped.replace("\\\\", "")
    for mark in "`*_{}[]()#+!|<>~&":
        assert unescaped.count(mark) == unescaped.count(f"\\{mark}")


@given(ANY_TEXT)
def test_a_terminal_gets_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


# Saying.


def test_every_value_is_escaped_and_markup_is_not() -> None:
    said = EN.say("{raw} {safe}", raw="<!here>", safe=Markup("<@U1>"))

    assert said == "&lt;!here&gt; <@U1>"


@given(ANY_TEXT)
def test_braces_in_a_value_are_only_braces(text: str) -> None:
    assert EN.say("{value}", value="{value}" + text) == escape("{value}" + text)


def test_numbers_keep_their_format() -> None:
    assert EN.say("{rate:.2f} %", rate=0.5) == "0.50 %"


def test_backquotes_cannot_end_code() -> None:
    assert EN.code("a`b <x>") == "`a'b &lt;x&gt;`"


@given(ANY_TEXT, st.sampled_from([SLACK, MARKDOWN]))
def test_code_holds_exactly_two_backquotes(text: str, style: Style) -> None:
    code = Words(locale="en", style=style).code(text)

    assert code.count("`") == 2
    assert (code[0], code[-1]) == ("`", "`")


@pytest.mark.parametrize(
    ("id", "slack", "markdown"),
    [
        ("U0SENA", "<@U0SENA>", "Sena"),
        ("U0NOBODY", "<@U0NOBODY>", "U0NOBODY"),
        ("cli:sena", "sena (command line)", "sena (command line)"),
        ("google:a@b.c", "a@b.c (Google Cloud)", "a@b.c (Google Cloud)"),
        ("<!here>", "&lt;!here&gt;", "\\<\\!here\\>"),
        ("U0SENA>x", "U0SENA&gt;x", "U0SENA\\>x"),
        ("google:<!here>", "&lt;!here&gt; (Google Cloud)", "\\<\\!here\\> (Google Cloud)"),
    ],
)
def test_people_are_mentioned_in_slack_and_named_in_a_record(id: str, slack: str, markdown: str) -> None:
    names = {"U0SENA": "Sena"}

    assert EN.person(id) == slack
    assert Words(locale="en", style=MARKDOWN, names=names).person(id) == markdown


# Time.


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (60, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d 0 h"),
        (200000, "2 d 7 h"),
    ],
)
def test_a_length_of_time_has_its_two_largest_units(seconds: float, said: str) -> None:
    assert EN.duration(timedelta(seconds=seconds)) == said


def test_slack_shows_a_moment_in_the_readers_own_zone() -> None:
    assert EN.moment(NOON) == "<!date^1772452800^{date_num} {time_secs}|2026-03-02 12:00:00 UTC>"
    assert EN.clock(NOON) == "<!date^1772452800^{time_secs}|12:00:00 UTC>"


@pytest.mark.parametrize(
    ("zone", "at", "moment"),
    [
        ("Asia/Seoul", NOON, "2026-03-02 21:00:00 +09:00"),
        ("UTC", NOON, "2026-03-02 12:00:00 UTC"),
        ("America/New_York", NOON, "2026-03-02 07:00:00 -05:00"),
        ("Asia/Kolkata", NOON, "2026-03-02 17:30:00 +05:30"),
        ("Europe/London", datetime(2026, 7, 1, 12, tzinfo=UTC), "2026-07-01 13:00:00 +01:00"),
        ("Europe/London", NOON, "2026-03-02 12:00:00 UTC"),
    ],
)
def test_a_record_shows_a_moment_with_its_offset(zone: str, at: datetime, moment: str) -> None:
    words = Words(locale="en", style=MARKDOWN, zone=zone)

    assert words.moment(at) == moment
    assert words.clock(at) == moment.partition(" ")[2]


@pytest.mark.parametrize(
    ("slack_locale", "locale"),
    [("ko-KR", "ko"), ("ko", "ko"), ("KO-kr", "ko"), ("en-US", "en"), ("de-DE", "en"), ("", "en")],
)
def test_koreans_read_korean_and_everybody_else_english(slack_locale: str, locale: str) -> None:
    assert locale_of(slack_locale) == locale
    assert locale in LOCALES
