"""Every switch of the cloud has a name and a symptom in both languages of the page."""

import re
from pathlib import Path

import pytest

import bot.sandbox
from bot.sandbox.cloud import Fault, Trouble

WORDS = (Path(bot.sandbox.__file__).parent / "slack" / "page" / "words-cloud.js").read_text()
KEY = re.compile(r"^  (\w+):", re.MULTILINE)


@pytest.mark.parametrize("language", ["ENGLISH", "KOREAN"])
def test_every_switch_is_named_and_described(language: str) -> None:
    table = WORDS.partition(f"export const {language} = {{")[2].partition("\n};")[0]

    keys = KEY.findall(table)

    names = [f"fault_{fault}" for fault in Fault] + [f"trouble_{trouble}" for trouble in Trouble]
    assert {*names, *(f"{name}_is" for name in names)} <= set(keys)
    assert len(keys) == len(set(keys))


def test_both_languages_have_the_same_words() -> None:
    english, korean = (KEY.findall(part) for part in WORDS.split("export const KOREAN"))

    assert english == korean
