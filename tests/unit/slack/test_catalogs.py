"""Both languages say all of it: every message translated, with the same values and the same marks."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo

import bot
from bot.locale import catalogs
from bot.slack.text import LOCALES, MARKDOWN, PLAIN, SLACK, Markup, Style, Words

CODE = Path(bot.__file__).parent
#: What says a message, as in `catalogs.extract`, found here by other means.
SAYING = frozenset({"say", "plain", "N_"})
#: Calls whose message is not written on the spot: `_says` takes what `N_` marked, and the log's `say`
#: is no message of ours.
MARKED_ELSEWHERE = {
    ("slack/views/timeline.py", "text"),
    ("slack/views/incident_sentences.py", "text"),
    ("slack/views/incident_notices.py", "text"),
    ("slack/views/replay_text.py", "_ODDITIES[remark.oddity]"),
    ("slack/views/replay_text.py", "_UNUSABLE[bad.why]"),
    ("slack/views/bad_input_words.py", "_BAD[kind]"),
    ("logs.py", "record.getMessage()[:2000]"),
    # What a drill refuses was marked where it was raised; the people of a story speak for themselves.
    ("drill/refused.py", "self.message"),
    ("drill/stage.py", "person"),
}

#: Placeholders that are always numbers, so that Korean may attach a counter to them.
NUMBERS = frozenset(
    {
        "all", "amount", "count", "days", "edition", "errors", "errors_now", "first", "generation", "good",
        "hours", "kinds", "last", "late", "length", "limit", "minutes", "most", "number", "of", "page",
        "pages", "percent", "place", "requests", "requests_now", "rest", "sample", "seconds", "sent",
        "settled", "users", "value", "well",
    }
)  # fmt: skip
#: Words that are the same in every language: names, and the severities that the guide leaves in English.
SAME_EVERYWHERE = frozenset(
    {
        "Backout", "CPU", "Cloud Monitoring", "Cloud Run", "canary", "Critical", "High", "Medium", "Low",
        "{account} (Google Cloud)", "{value:.0f} ms", "{value:g} ms",
        "{size} MB", "{size} kB",
    }
)  # fmt: skip

HANGUL = re.compile(r"[가-힣]")
EMOJI = re.compile(r"(?<![\w:]):[a-z0-9_]+:(?![\w:])")
PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(CODE.rglob("*.py")):
        name = path.relative_to(CODE).as_posix()
        if not name.startswith("sandbox/"):
            yield name, ast.parse(path.read_text("utf-8"))


def called(call: ast.Call) -> str | None:
    """Return the name that a call ends in, None for `plain(…)` of the Block Kit parts."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    name = call.func.id if isinstance(call.func, ast.Name) else None
    return None if name == "plain" else name


@cache
def saying_calls() -> list[tuple[str, ast.Call]]:
    return [
        (name, node)
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) in SAYING
    ]


def literal(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


@cache
def messages_in_code() -> set[str]:
    return {text for _, call in saying_calls() if (text := literal(call)) is not None}


def translations(locale: str) -> dict[str, str]:
    return {str(m.id): str(m.string) for m in catalogs.load(catalogs.po_path(locale)) if m.id}


def placeholders(text: str) -> list[tuple[str, str]]:
    """Return names with the kind of their format: integer, float, general, or none."""
    parsed = Formatter().parse(text)
    return sorted(
        (name, spec[-1:] if spec else "")
        for _, name, spec, _ in parsed
        if name is not None and spec is not None
    )


def shape(text: str) -> dict[str, Any]:
    """Return what a translation must leave as it is."""
    return {
        "placeholders": placeholders(text),
        "emoji": Counter(EMOJI.findall(text)),
        "marks": [len(spans(text, mark)) for mark in "*`"],
        "lines": text.count("\n"),
        "outer spaces": (text[:1].isspace(), text[-1:].isspace()),
    }


def sample(name: str, mark: str) -> Any:
    """Return a value as views pass it: numbers plain, texts already in bold or code."""
    if name in NUMBERS:
        return 7
    # A role comes with the space before it, or is empty.
    return Markup(f" ({mark}x{mark})" if name == "role" else f"{mark}x{mark}")


def samples(text: str, mark: str = "") -> dict[str, Any]:
    return {name: 7 if kind else sample(name, mark) for name, kind in placeholders(text)}


def spans(text: str, mark: str) -> list[str]:
    """Return what stands between a pair of `mark`; a stray one is an error."""
    found = []
    for line in text.split("\n"):
        pieces = line.split(mark)
        assert len(pieces) % 2 == 1, f"a stray {mark} in {line!r}"
        found += pieces[1::2]
    return found


def glued(text: str, mark: str) -> list[str]:
    """Return the pairs of `mark` that Slack would show as they are: glued to a word, or with inner spaces."""
    pair = re.escape(mark)
    return [
        found[0]
        for found in re.finditer(rf"(.?){pair}([^{pair}\n]+){pair}(.?)", text)
        if re.match(r"\w", found[1]) or re.match(r"\w", found[3]) or found[2] != found[2].strip()
    ]


def test_every_message_in_the_code_is_in_the_template() -> None:
    template = {str(message.id) for message in catalogs.load(catalogs.POT) if message.id}

    assert template == messages_in_code(), "run: make catalogs"


def test_no_call_hides_its_message_from_the_catalogs() -> None:
    hidden = {
        (name, ast.unparse(call.args[0]) if call.args else "")
        for name, call in saying_calls()
        if literal(call) is None
    }

    assert hidden <= MARKED_ELSEWHERE


def test_what_is_translated_later_is_marked_where_it_is_written() -> None:
    given = [
        call.args[0]
        for _, tree in trees()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and called(call) == "_says"
    ]

    assert given
    assert all(isinstance(arg, ast.Call) and called(arg) == "N_" for arg in given)


def test_words_are_never_said_under_a_name_that_the_catalogs_do_not_know() -> None:
    aliases = set()
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name | ast.Tuple):
                names = [n.id for n in ast.walk(node.targets[0]) if isinstance(n, ast.Name)]
                values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                given = [v.attr if isinstance(v, ast.Attribute) else "" for v in values]
                aliases |= {n for n, v in zip(names, given, strict=False) if v in ("say", "plain")}

    assert aliases <= {"say"}


def test_the_template_is_what_the_code_says_today() -> None:
    assert catalogs.POT.read_bytes() == catalogs.pot_bytes(catalogs.extract()), "run: make catalogs"


@pytest.mark.parametrize("locale", catalogs.TRANSLATED)
def test_a_catalog_holds_the_messages_of_the_template_and_no_others(locale: str) -> None:
    path = catalogs.po_path(locale)

    fresh = catalogs.updated(catalogs.load(path, locale=locale), catalogs.extract())

    assert path.read_bytes() == catalogs.po_bytes(fresh, locale), "run: make catalogs"


@pytest.mark.parametrize("locale", catalogs.TRANSLATED)
def test_every_message_is_translated_and_none_is_a_guess(locale: str) -> None:
    catalog = catalogs.load(catalogs.po_path(locale), locale=locale)

    assert [m.id for m in catalogs.untranslated(catalog)] == []
    assert [m.id for m in catalog if m.id and m.fuzzy] == []
    assert list(catalog.obsolete) == []


@pytest.mark.parametrize("locale", catalogs.TRANSLATED)
def test_the_compiled_catalog_is_what_people_wrote(locale: str) -> None:
    with catalogs.mo_path(locale).open("rb") as compiled:
        read = {str(m.id): str(m.string) for m in read_mo(compiled) if m.id}

    assert read == translations(locale), "run: make catalogs"


def test_compiling_twice_gives_the_same_bytes() -> None:
    path = catalogs.po_path("ko")

    once, again = (catalogs.mo_bytes(catalogs.load(path, locale="ko")) for _ in range(2))

    assert once == again


def test_a_message_that_is_new_comes_empty_and_one_that_is_gone_goes() -> None:
    catalog = catalogs.load(catalogs.po_path("ko"), locale="ko")
    template = Catalog(fuzzy=False)
    template.add("Nothing was changed")

    fresh = catalogs.updated(catalog, template)

    assert [(m.id, m.string or "") for m in fresh if m.id] == [("Nothing was changed", "")]
    assert b"Nothing was changed." not in catalogs.po_bytes(fresh, "ko")


def test_a_percentage_in_a_sentence_is_no_printf_format() -> None:
    template = Catalog(fuzzy=False)
    template.add("100 % of it")

    assert Message("100 % of it").python_format, "Babel has learnt better: pybabel would do"
    assert b"python-format" not in catalogs.pot_bytes(template)


def test_a_translation_has_the_same_values_and_marks() -> None:
    for message, korean in translations("ko").items():
        assert shape(korean) == shape(message), message


@pytest.mark.parametrize("mark", ["*", "`", "_"])
@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_glued_to_bold_or_code(locale: str, mark: str) -> None:
    words = Words(locale=locale)

    said = {text: words.say(text, **samples(text, mark)) for text in sorted(messages_in_code())}

    # In plain words an underscore is a letter, such as in `stable_revision`.
    alone = {text: re.sub(r"(?<=[a-z])_(?=[a-z])", "-", filled) for text, filled in said.items()}
    assert {text: glued(filled, mark) for text, filled in alone.items() if glued(filled, mark)} == {}


@pytest.mark.parametrize("style", [SLACK, MARKDOWN, PLAIN], ids=["slack", "markdown", "plain"])
@pytest.mark.parametrize("locale", LOCALES)
def test_every_message_can_be_said(locale: str, style: Style) -> None:
    words = Words(locale=locale, style=style)

    for text in messages_in_code():
        values = samples(text)
        assert PLACEHOLDER.search(words.say(text, **values)) is None
        assert words.plain(text, **values) == words.say(text, **values)


def test_no_message_is_left_in_english() -> None:
    left = {
        message
        for message, korean in translations("ko").items()
        if re.search("[A-Za-z]", EMOJI.sub("", PLACEHOLDER.sub("", message))) and not HANGUL.search(korean)
    }

    assert left <= SAME_EVERYWHERE


def test_the_guides_words_are_the_ones_we_use() -> None:
    korean = translations("ko")

    assert [korean[name] for name in ("Error rate", "P95 response time", "Memory", "CPU")] == [
        "에러율",
        "P95 응답시간",
        "메모리",
        "CPU",
    ]
    kinds = ("Error-rate jump", "Response-time jump", "Memory explosion", "Data loss", "Other")
    assert [korean[name] for name in kinds] == [
        "에러율 급증",
        "응답시간 증가",
        "메모리 폭발",
        "데이터 손실",
        "기타",
    ]
    assert korean["[{heading}] Deployment failure record"] == "[{heading}] 배포 실패 기록"
