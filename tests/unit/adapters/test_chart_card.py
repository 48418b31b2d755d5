"""The card that pictures stand on: colours that can be read, and texts that fit."""

import pytest

from bot.adapters.chart_card import (
    CANARY,
    CARD,
    EMPTY,
    MARKS,
    PANEL,
    QUIET,
    RED,
    SHADED,
    SHADED_BY,
    STABLE,
    YELLOW,
    channels,
    cut,
    in_lines,
    missing_letters,
    mixed,
    text_width,
)

#: For letters, and for what is drawn. Source: WCAG 2.1, 1.4.3 and 1.4.11, level AA.
LETTERS, LINES = 4.5, 3.0


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, 0 to 1. Source: WCAG 2.1, "relative luminance"."""
    parts = [c / 255 for c in channels(colour)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ink", sorted({*MARKS, QUIET, YELLOW, RED}))
@pytest.mark.parametrize("ground", [CARD, EMPTY])
def test_every_letter_can_be_read_where_it_stands(ink: str, ground: str) -> None:
    assert contrast(ink, ground) >= LETTERS


@pytest.mark.parametrize("ink", sorted({*MARKS, CANARY, STABLE, YELLOW, RED}))
@pytest.mark.parametrize("ground", [PANEL, EMPTY, mixed(SHADED, PANEL, SHADED_BY)])
def test_every_line_can_be_seen(ink: str, ground: str) -> None:
    assert contrast(ink, ground) >= LINES


def test_contrast_goes_from_1_to_21() -> None:
    assert [round(contrast("#000000", other), 3) for other in ("#000000", "#ffffff")] == [1, 21]


def test_a_text_that_fits_is_left_alone_and_one_pixel_less_cuts_it() -> None:
    text = "카나리: ion-api-00042-lee"
    wide = text_width(text, 22)

    assert cut(text, wide) == text
    shorter = cut(text, wide - 1)
    assert shorter.endswith("…")
    assert text_width(shorter, 22) <= wide - 1


def test_a_long_title_is_broken_between_words_and_then_cut() -> None:
    wide = text_width("one two", 22)

    assert in_lines("one two three", wide, most=2) == ["one two", "three"]
    assert in_lines("one two", wide, most=2) == ["one two"]
    assert len(in_lines("one two three four five six", wide, most=2)) == 2
    assert in_lines("", wide, most=2) == []


def test_letters_that_no_font_of_ours_has_are_named_once() -> None:
    assert missing_letters(["a → 가 ✓", "𓀀 b 𓀀", "$"]) == "𓀀"
