"""What the timeline says of evidence: how much, what failed, what went, and what people found."""

from typing import Any

import pytest

from bot.domain.exhibit import ExhibitKind
from bot.domain.timeline import Event
from bot.slack.text import LOCALES, Words
from bot.slack.views.evidence_lines import exhibit_kind_name, size_words
from bot.slack.views.timeline import sentence
from tests.values import a_chain

EN = Words(locale="en")


def said(event: Event, **facts: Any) -> str:
    return sentence(a_chain(facts, event=event)[0], EN)


def taken(**more: Any) -> str:
    known = {"moment": "decision", "count": 5, "bytes": 48_213, "redacted": 0, "problems": []}
    return said(Event.EVIDENCE_TAKEN, **(known | more))


def test_evidence_is_told_with_its_moment_count_and_size() -> None:
    assert taken() == "Evidence taken at the decision: 5 files, 48.2 kB"
    assert taken(moment="verification").startswith("Evidence taken at the verdict: ")
    assert taken(moment="asked").startswith("Evidence taken, asked for by ")


def test_what_was_replaced_and_what_failed_is_told() -> None:
    told = taken(redacted=12, problems=[["metrics_snapshot", "UNAVAILABLE: try later"], ["probe", "denied"]])

    assert told == (
        "Evidence taken at the decision: 5 files, 48.2 kB; 12 secrets and personal data were replaced; "
        "could not read: metrics, because: UNAVAILABLE: try later; "
        "could not read: answers to the probe, because: denied"
    )


def test_what_retention_took_is_named() -> None:
    told = said(Event.EVIDENCE_DROPPED, exhibit="12:decision-f00d:probe.json", size=999, sha256="0")

    assert told == (
        "The content of `12:decision-f00d:probe.json` (999 bytes) was dropped, its time being over; its hash "
        "stays"
    )


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ("todo", "opened again, in the review: *Point*"),
        ("done", "reviewed *Point*: nothing found"),
        ("not_ok", "reviewed *Point* and found: a &lt;leak&gt;"),
    ],
)
def test_a_review_is_told_as_it_was_marked(state: str, wanted: str) -> None:
    facts = {"titles": {"en": "Point", "ko": "항목"}, "state": state, "why": "a <leak>"}
    entry = a_chain(facts, event=Event.REVIEWED)[0]

    assert sentence(entry, EN).endswith(wanted)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (1_000_000, "1.0 MB"),
        (12_345_678, "12.3 MB"),
    ],
)
def test_a_size_is_told_in_its_own_unit(size: int, wanted: str) -> None:
    assert size_words(size, EN) == wanted


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_of_file_has_a_name_of_its_own(locale: str) -> None:
    names = [exhibit_kind_name(kind, Words(locale=locale)) for kind in ExhibitKind]

    assert len(set(names)) == len(ExhibitKind)
