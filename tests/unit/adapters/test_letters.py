"""Which letters there are, and what stands for those that there are not."""

import pytest

from bot.adapters.letters import in_letters


@pytest.mark.parametrize(
    ("text", "shown", "missing"),
    [
        ("오류율 1 % → 2 ✓ ⚠", "오류율 1 % → 2 ✓ ⚠", 0),
        ("\u1112\u1161\u11ab", "한", 0),
        ("🚨 down ✅", "[police cars revolving light] down [white heavy check mark]", 0),
        ("👍🏽 ⚠️", "[thumbs up sign] ⚠", 0),
        ("a 𓀀 b 𠀀", "a □ b □", 2),
        ("one\ttwo\r\nthree\x00\x1b[1m", "one two\nthree[1m", 0),
        ("\ufeffa\u200db", "ab", 0),
        ("", "", 0),
    ],
    ids=["ours", "apart", "emoji", "skin", "unknown", "control", "invisible", "nothing"],
)
def test_a_text_is_shown_in_letters_there_are(text: str, shown: str, missing: int) -> None:
    assert in_letters(text) == (shown, missing)
