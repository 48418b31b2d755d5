"""The timeline's chain: a changed past shows."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ids import IncidentNumber
from bot.domain.timeline import Entry, Event, first_broken, incident_chain, link
from tests.values import NOON, a_chain

FACTS = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=9), max_size=3
)
CHAINS = st.lists(FACTS, min_size=2, max_size=8).map(lambda facts: a_chain(*facts))


@given(CHAINS)
def test_a_chain_that_nobody_touched_is_whole(entries: list[Entry]) -> None:
    assert first_broken(entries) is None


def test_an_empty_chain_is_whole() -> None:
    assert first_broken([]) is None


@given(CHAINS, st.data())
def test_a_changed_entry_is_found(entries: list[Entry], data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(entries) - 1))
    change = data.draw(
        st.sampled_from(
            [
                {"facts": {"changed": "yes, this"}},
                {"actor": "U0EVIL"},
                {"at": NOON + timedelta(days=1)},
                {"event": Event.VERDICT},
                {"key": "another"},
                {"chain": "incident:13"},
                {"sequence": 99},
                {"previous": "f" * 64},
                {"hash": "0" * 64},
            ]
        )
    )
    entries[where] = replace(entries[where], **change)  # type: ignore[arg-type]

    assert first_broken(entries) == where + 1


@given(CHAINS, st.data())
def test_a_dropped_entry_is_found(entries: list[Entry], data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(entries) - 2))
    del entries[where]

    assert first_broken(entries) == where + 1


@given(CHAINS, st.data())
def test_two_swapped_entries_are_found(entries: list[Entry], data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(entries) - 2))
    entries[where : where + 2] = reversed(entries[where : where + 2])

    assert first_broken(entries) == where + 1


@given(CHAINS, st.data())
def test_an_inserted_entry_is_found(entries: list[Entry], data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(entries) - 1))
    before = entries[where - 1].hash if where else entries[0].previous
    content = {
        "chain": "incident:12", "sequence": where + 1, "key": "forged", "at": NOON,
        "actor": "backout", "event": Event.VERDICT, "facts": {}, "previous": before,
    }  # fmt: skip
    entries.insert(where, Entry(**content, hash=link(**content)))  # type: ignore[arg-type]

    assert first_broken(entries) == where + 2


def test_the_same_moment_in_another_zone_has_the_same_hash() -> None:
    entry = a_chain({"a": 1})[0]
    seoul = entry.at.astimezone(timezone(timedelta(hours=9)))

    assert first_broken([replace(entry, at=seoul)]) is None


def test_the_order_of_facts_does_not_matter() -> None:
    entry = a_chain({"a": 1, "b": 2})[0]

    assert first_broken([replace(entry, facts={"b": 2, "a": 1})]) is None


@pytest.mark.parametrize("number", [1, 12])
def test_every_incident_has_a_chain_of_its_own(number: int) -> None:
    assert incident_chain(IncidentNumber(number)) == f"incident:{number}"
