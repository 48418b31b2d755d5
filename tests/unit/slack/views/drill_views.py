"""What a drill shows: its lines in a timeline, and its scoreboards."""

from collections.abc import Iterator
from typing import Any

from bot.domain.drill import Drill, Milestone, Scoreboard, scoreboard
from bot.domain.ids import IncidentNumber
from bot.domain.timeline import Event
from bot.slack.text import Words
from bot.slack.views.drill_board import scoreboard_message
from bot.slack.views.rollback_message import Message
from tests.drills import FAST, a_drill
from tests.guide import the_guide
from tests.values import NOON, a_playbook


def a_scoreboard(*earlier: Drill, **more: Any) -> Scoreboard:
    """Return the scoreboard of INC-12's drill; by default a fast one."""
    known: dict[str, Any] = {"reached": FAST, "incident": IncidentNumber(12)}
    return scoreboard(a_drill("now", **(known | more)), earlier, the_guide())


def slow() -> Scoreboard:
    """Return that of a data loss that was handled late and in part, compared with two earlier drills."""
    earlier = [
        a_drill(f"d{n}", reached={**FAST, Milestone.DECIDED: 60.0 + n}, scenario="data_loss") for n in (1, 2)
    ]
    late = {
        Milestone.DETECTED: 400.0,
        Milestone.DECIDED: 500.0,
        Milestone.ROLLED_BACK: 590.0,
        Milestone.RECORD_COMPLETE: 1440.0,
    }
    return a_scoreboard(*earlier, scenario="data_loss", reached=late)


def drill_messages(words: Words) -> Iterator[tuple[str, Message]]:
    """Yield every kind of scoreboard."""
    yield "drill fast", scoreboard_message(a_scoreboard(), words)
    yield "drill slow", scoreboard_message(slow(), words)
    yield "drill nothing", scoreboard_message(a_scoreboard(reached={}, incident=None), words)
    bare = scoreboard(a_drill(reached=FAST, scenario="gone"), (), a_playbook())
    yield "drill without a guide", scoreboard_message(bare, words)


def drill_event_facts(event: Event, text: str) -> dict[str, Any]:
    """Return what is written down with an event about a drill; {} for others."""
    known: dict[Event, dict[str, Any]] = {
        Event.DRILL_BEGUN: {
            "drill": "d1",
            "scenario": text,
            "scenario_name": {"en": text or "x", "ko": text or "x"},
            "began_at": NOON.isoformat(),
        },
        Event.DRILL_ENDED: {"drill": "d1"},
    }
    return known.get(event, {})
