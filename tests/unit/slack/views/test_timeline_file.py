"""A timeline as files: whole, in order, with its hashes, and harmless in a spreadsheet."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.timeline import Event, first_broken
from bot.slack.text import Words
from bot.slack.views.timeline_file import harmless, timeline_file
from tests.values import NOON, SENA, a_chain, an_incident, seconds

EN = Words(locale="en")


def exported(form: str, *, text: str = "x") -> str:
    """Return a timeline of two notes, the second back-dated before the first."""
    told = a_chain(
        {"text": text}, {"text": "early", "happened_at": (NOON - seconds(60)).isoformat()}, event=Event.NOTED
    )
    return timeline_file(form, an_incident(), told, EN, {})


def test_json_holds_every_entry_in_the_order_of_what_happened() -> None:
    read = json.loads(exported("json"))

    assert [row["sequence"] for row in read["timeline"]] == [2, 1]
    assert read["first_broken_line"] is None
    assert read["head"] == max(read["timeline"], key=lambda row: row["sequence"])["hash"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "  =1", "\r=1", "a\n=b", '한글, "x"'])
def test_csv_is_read_back_whole_and_no_cell_is_a_formula(text: str) -> None:
    rows = list(csv.DictReader(io.StringIO(exported("csv", text=text), newline="")))

    assert [row["sequence"] for row in rows] == ["2", "1"]
    assert json.loads(rows[1]["facts"].removeprefix("'"))["text"] == text
    assert not [
        cell for row in rows for cell in row.values() if cell.lstrip().startswith(("=", "+", "-", "@"))
    ]


@given(st.text())
def test_no_cell_begins_a_formula(text: str) -> None:
    assert not harmless(text).lstrip().startswith(("=", "+", "-", "@"))
    assert harmless(text).removeprefix("'") in (text, text.removeprefix("'"))


def test_a_changed_past_shows_in_the_file() -> None:
    told = a_chain({"text": "a"}, {"text": "b"}, event=Event.NOTED)
    assert first_broken(told) is None
    changed = [told[0].__class__(**{**vars(told[0]), "facts": {"text": "c"}}), told[1]]

    assert (
        json.loads(timeline_file("json", an_incident(opened_by=SENA), changed, EN, {}))["first_broken_line"]
        == 1
    )
