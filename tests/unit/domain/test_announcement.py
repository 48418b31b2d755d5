"""Texts for people: what is still to be filled in, who may agree, and which one comes next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.announcement import FIELD_LIMIT, fingerprint, in_fields, may_approve, placeholders
from bot.domain.incident import IncidentState, Severity
from bot.domain.notices import likely_notice
from bot.domain.rollback import RollbackState
from tests.guide import the_guide
from tests.unit.slack.views.telling_views import an_announcement, notice_facts
from tests.values import GITCO, LUBIT, NOON, SENA, a_decided_rollback, an_incident, seconds


def test_what_stands_in_double_brackets_is_still_to_be_filled_in() -> None:
    assert placeholders("a [[b]] c [[d\ne]] [f]") == ("[[b]]", "[[d\ne]]")
    assert placeholders("nothing [here]") == ()


@given(st.text(max_size=200), st.integers(5, 50))
def test_a_text_in_fields_adds_up_to_the_text(text: str, limit: int) -> None:
    pieces = in_fields(text, limit=limit)

    assert "".join(pieces) == text
    assert all(len(piece) <= limit for piece in pieces)


def test_a_text_is_cut_where_a_line_ends() -> None:
    text = ("x" * 99 + "\n") * 40

    assert [len(piece) for piece in in_fields(text)] == [FIELD_LIMIT, 1000]
    assert all(piece.endswith("\n") for piece in in_fields(text))


@pytest.mark.parametrize(
    ("person", "commander", "may"),
    [
        (LUBIT, None, True),
        (LUBIT, GITCO, True),
        (SENA, None, True),
        (SENA, SENA, True),
        (SENA, GITCO, False),
    ],
)
def test_nobody_agrees_to_their_own_text_but_the_commander(person: str, commander: str, may: bool) -> None:
    assert may_approve(an_announcement(), person, commander=commander) is may  # type: ignore[arg-type]


def test_a_text_is_drawn_from_one_state_of_the_incident() -> None:
    facts = notice_facts()

    same = notice_facts(at=NOON + seconds(5000))
    worse = notice_facts(incident=an_incident(severity=Severity.CRITICAL, seen="errors <!channel>"))
    further = notice_facts(rollback=a_decided_rollback(RollbackState.VERIFIED))

    assert facts.version == same.version
    assert len({facts.version, worse.version, further.version}) == 3


def test_a_fingerprint_takes_any_text() -> None:
    assert len(fingerprint("\ud800한")) == 12
    assert fingerprint("a") != fingerprint("b")


def test_the_scenarios_own_notice_comes_first_then_the_playbooks() -> None:
    guide, loss = the_guide(), an_incident(scenario="data_loss")

    assert likely_notice(loss, guide, told=()) == "data_loss"
    assert likely_notice(loss, guide, told={"data_loss"}) == "incident_opened"
    assert likely_notice(an_incident(), guide, told=()) == "incident_opened"
    assert likely_notice(an_incident(), guide, told=set(guide.notices)) == "incident_opened"
    closed = an_incident(state=IncidentState.CLOSED)
    assert likely_notice(closed, guide, told=()) == "resolved"
