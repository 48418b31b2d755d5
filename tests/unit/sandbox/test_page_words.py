"""The page says everything in both languages."""

import re
from pathlib import Path

import pytest

import bot.sandbox
from bot.sandbox import names

PAGE = Path(bot.sandbox.__file__).parent / "slack" / "page"
FILES = ("words.js", "words-cloud.js", "words-drill.js", "words-tour.js")


def table(text: str, name: str) -> str:
    """Return what stands between the braces of the constant `name`."""
    return text.partition(f"const {name} = {{")[2].partition("\n};")[0]


def words(file: str, language: str) -> list[str]:
    """Return the keys of one language of one file, in order; a nested table's with its own, `themes.dark`."""
    without_texts = re.sub(r'"[^"]*"|`[^`]*`', "", table((PAGE / file).read_text(), language))
    found: list[str] = []
    tables: list[str] = []
    for key, brace in re.findall(r"(\w+):|([{}])", without_texts):
        if key:
            found.append(".".join([*tables[-1:], key]))
        elif brace == "{":
            tables.append(found[-1])
        else:
            tables.pop()
    return found


@pytest.mark.parametrize("file", FILES)
def test_both_languages_have_the_same_words(file: str) -> None:
    assert words(file, "ENGLISH") == words(file, "KOREAN")


def test_the_words_of_nested_tables_count_too() -> None:
    assert {"close", "themes.dark"} <= set(words("words.js", "KOREAN"))
    assert "drill_results.late" in words("words-drill.js", "KOREAN")
    assert "tour_steps.record.text" in words("words-tour.js", "KOREAN")


def test_every_fixed_part_of_the_page_has_words() -> None:
    known = {word for file in FILES for word in words(file, "ENGLISH")}

    used = set(re.findall(r'data-word(?:-label)?="(\w+)"', (PAGE / "index.html").read_text()))

    assert "messages" in used
    assert used - known == set()


def test_every_role_is_said_in_korean() -> None:
    korean = table((PAGE / "words.js").read_text(), "KOREAN_ROLES")

    assert [person.role for person in names.PEOPLE if f'"{person.role}":' not in korean] == []
