"""The evidence's messages, modal and timeline lines, with a text wherever logs, settings or people speak."""

from collections.abc import Iterator
from typing import Any

from bot.domain.checklist import Mark, StepState
from bot.domain.configuration import Difference
from bot.domain.exhibit import ExhibitKind, Moment
from bot.domain.review import reviewed
from bot.domain.timeline import Event
from bot.slack.text import Words
from bot.slack.views.first_reading import first_reading_message
from bot.slack.views.review_card import Configured, ReviewChoice, ReviewPress, found_modal, review_card
from bot.slack.views.rollback_message import Message
from tests.first_readings import a_full_reading, a_snapshot, an_exhibit
from tests.guide import the_guide
from tests.values import NOON, SENA, an_incident


def evidence_event_facts(event: Event, text: str) -> dict[str, Any]:
    """Return what the use-cases write down with an event about evidence; {} for others."""
    known: dict[Event, dict[str, Any]] = {
        Event.EVIDENCE_TAKEN: {
            "moment": "asked",
            "count": 5,
            "bytes": 48_213,
            "redacted": 12,
            "problems": [[kind.value, text] for kind in ExhibitKind],
        },
        Event.EVIDENCE_DROPPED: {"exhibit": f"12:decision-f00d:{text}", "size": 999, "sha256": "0" * 64},
        Event.REVIEWED: {"titles": {"en": text, "ko": text}, "state": "not_ok", "why": text},
    }
    return known.get(event, {})


def _reviewed(text: str) -> Any:
    found = Mark(state=StepState.NOT_OK, by=SENA, at=NOON, why=text)
    return an_incident(marks={"review.code.1": found})


def evidence_messages(text: str, name: str, words: Words) -> Iterator[tuple[str, Message]]:
    """Yield every message about the evidence."""
    for moment in Moment:
        snapshot = a_snapshot(moment, reading=a_full_reading(text), canary=name, stable=name)
        files = [an_exhibit(name=name), an_exhibit(ExhibitKind.PROBE, problem=text)]
        before = a_snapshot(reading=a_full_reading(f"{text} once"))
        shown = first_reading_message(snapshot, words, files=files, before=before)
        yield f"first reading {moment}", shown
    differ = tuple(
        Difference(about=a, name=text, stable=text, canary=text) for a in ("environment", "settings")
    )
    for configured in (
        Configured(),
        Configured(at=NOON, problem=text),
        Configured(at=NOON, differences=differ),
    ):
        # Without links: those of the guide lead to Google's own pages.
        guide = the_guide().model_copy(update={"links": {}})
        yield "review", review_card(_reviewed(text), guide, words, configured=configured)


def evidence_modals(text: str, words: Words) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the modal that asks what was found."""
    incident = _reviewed(text[:1000])
    point = reviewed(incident, the_guide(), "code.1")
    assert point is not None
    press = ReviewPress(choice=ReviewChoice.FOUND, incident=incident.number, point=point.key, seen="0")
    yield "found in the review", found_modal(press, point, words, channel="C0OPERATIONS")
