"""What somebody types to find incidents, and to say over which time they look back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.incident import FromPeople, IncidentState, Severity
from bot.domain.incident_search import (
    LONGEST_SEARCH,
    BadSearch,
    BadWhy,
    Known,
    Search,
    as_person,
    matches,
    parse_search,
    parse_span,
)
from bot.domain.timeline import Event
from tests.values import NOON, SENA, a_chain, an_incident

KNOWN = Known(
    targets=("canary", "chat"),
    scenarios={1: "error_rate", 3: "memory_leak"},
    zone="Asia/Seoul",
    now=NOON,
    me=SENA,
)
OCTOBER = datetime(2026, 9, 30, 15, tzinfo=UTC)
NOVEMBER = datetime(2026, 10, 31, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("  open ", {"state": IncidentState.OPEN}),
        ("CLOSED", {"state": IncidentState.CLOSED}),
        ("state:closed", {"state": IncidentState.CLOSED}),
        ("canary", {"target": "canary"}),
        ("target:Chat", {"target": "chat"}),
        ("3", {"scenario": "memory_leak"}),
        ("memory_leak", {"scenario": "memory_leak"}),
        ("scenario:1", {"scenario": "error_rate"}),
        ("2", {"words": ("2",)}),
        ("high", {"severity": Severity.HIGH}),
        ("severity:critical", {"severity": Severity.CRITICAL}),
        ("INC-12", {"number": 12}),
        ("inc12", {"number": 12}),
        ("since:2026-10-01", {"since": OCTOBER}),
        ("until:2026-10-31", {"until": NOVEMBER}),
        ("since:2026-10 until:2026-10", {"since": OCTOBER, "until": NOVEMBER}),
        ("2026-10", {"since": OCTOBER, "until": NOVEMBER}),
        ("2026-10-01", {"since": OCTOBER, "until": OCTOBER + timedelta(days=1)}),
        ("by:@lemun", {"by": "lemun"}),
        ("by:U0LEMUN", {"by": "U0LEMUN"}),
        ("by:me", {"by": SENA}),
        ("by:cli:lemun", {"by": "cli:lemun"}),
        ("cannot pay", {"words": ("cannot", "pay")}),
        ('"cannot pay" 50%', {"words": ("cannot pay", "50%")}),
        ('"open" "3"', {"words": ("open", "3")}),
        ("“cannot pay”", {"words": ("cannot pay",)}),
        ("error:500 https://x.example/a", {"words": ("error:500", "https://x.example/a")}),
        ("열림 심각 부터:2026-10-01 누가:나 결제", {
            "state": IncidentState.OPEN, "severity": Severity.CRITICAL, "since": OCTOBER, "by": SENA,
            "words": ("결제",),
        }),
        ("open open", {"state": IncidentState.OPEN}),
        ("drill", {"drill": True}),
        ("훈련 canary", {"drill": True, "target": "canary"}),
        ("No-Drill", {"drill": False}),
        ('"drill"', {"words": ("drill",)}),
        ('"', {}),
        ("a\0b", {"words": ("ab",)}),
    ],
)  # fmt: skip
def test_words_in_any_order_say_what_is_looked_for(text: str, found: dict[str, Any]) -> None:
    assert parse_search(text, KNOWN) == Search(**found)


@pytest.mark.parametrize(
    ("text", "why", "word", "near"),
    [
        ("x" * (LONGEST_SEARCH + 1), BadWhy.TOO_LONG, "x" * 40 + "…", ""),
        ("since:2026-13-01", BadWhy.NOT_A_DAY, "2026-13-01", ""),
        ("since:2026-02-30", BadWhy.NOT_A_DAY, "2026-02-30", ""),
        ("since:yesterday", BadWhy.NOT_A_DAY, "yesterday", ""),
        ("until:1999-12-31", BadWhy.NOT_A_DAY, "1999-12-31", ""),
        ("until:9999-12-31", BadWhy.NOT_A_DAY, "9999-12-31", ""),
        ("since:２０２６-10-01", BadWhy.NOT_A_DAY, "２０２６-10-01", ""),
        ("since:2026-10-02 until:2026-10-01", BadWhy.ENDS_BEFORE, "since:2026-10-02", ""),
        ("scenario:memory", BadWhy.NO_SCENARIO, "memory", "memory_leak"),
        ("scenario:9", BadWhy.NO_SCENARIO, "9", ""),
        ("target:canry", BadWhy.NO_TARGET, "canry", "canary"),
        ("severity:hihg", BadWhy.NO_SEVERITY, "hihg", "high"),
        ("state:opne", BadWhy.NO_STATE, "opne", "open"),
        ("by:", BadWhy.NO_VALUE, "by:", ""),
        ("since: 2026-10-01", BadWhy.NO_VALUE, "since:", ""),
        ("open closed", BadWhy.TWICE, "closed", ""),
        ("canary chat", BadWhy.TWICE, "chat", ""),
        ("drill no-drill", BadWhy.TWICE, "no-drill", ""),
        ("sicne:2026-10-01", BadWhy.NO_KEY, "sicne:2026-10-01", "since:2026-10-01"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_may_be_meant(
    text: str, why: BadWhy, word: str, near: str
) -> None:
    with pytest.raises(BadSearch) as bad:
        parse_search(text, KNOWN)

    assert (bad.value.why, bad.value.word, bad.value.near) == (why, word, near)


@pytest.mark.parametrize("until", ["2026-10-01", "2026-10-02"])
def test_a_search_of_one_day_is_none_that_ends_before_it_begins(until: str) -> None:
    assert parse_search(f"since:2026-10-01 until:{until}", KNOWN).since == OCTOBER


# Who.


def test_a_name_is_looked_up_whole_or_by_its_beginning() -> None:
    names = {PersonId("U0LEMUN"): "Lemun", PersonId("U0LEE"): "lee", PersonId("U0LEEANN"): "Leeann"}

    assert as_person(Search(by="lee"), names).by == "U0LEE"
    assert as_person(Search(by="LEM"), names).by == "U0LEMUN"
    assert as_person(Search(by="U0ANYBODY", words=("x",)), names) == Search(by="U0ANYBODY", words=("x",))
    assert as_person(Search(), names) == Search()


@pytest.mark.parametrize(("name", "near"), [("le", "lee"), ("lemnu", "lemun"), ("zzz", "")])
def test_a_name_that_nobody_or_more_than_one_has_is_refused(name: str, near: str) -> None:
    names = {PersonId("U0LEMUN"): "lemun", PersonId("U0LEE"): "lee"}

    with pytest.raises(BadSearch) as bad:
        as_person(Search(by=name), names)

    assert (bad.value.why, bad.value.near) == (BadWhy.NO_PERSON, near)


# Matching.


@pytest.mark.parametrize(
    ("search", "fits"),
    [
        (Search(), True),
        (Search(number=IncidentNumber(12)), True),
        (Search(number=IncidentNumber(1)), False),
        (Search(number=IncidentNumber(0)), False),
        (Search(state=IncidentState.CLOSED), False),
        (Search(since=NOON), True),
        (Search(since=NOON + timedelta(seconds=1)), False),
        (Search(until=NOON), False),
        (Search(until=NOON + timedelta(seconds=1)), True),
        (Search(by=SENA), True),
        (Search(by="backout"), True),
        (Search(by="U0LEMUN"), False),
        (Search(drill=True), False),
        (Search(drill=False), True),
        (Search(words=("PAY",)), True),
        (Search(words=("pay", "pool")), True),
        (Search(words=("pay", "nothing")), False),
        (Search(words=("결제",)), True),
        (Search(words=("%",)), False),
    ],
)
def test_an_incident_is_found_by_all_that_is_said(search: Search, fits: bool) -> None:
    incident = an_incident(seen="Users cannot pay", people=FromPeople(cause="a connection pool"))
    noted = a_chain({"text": "결제 실패"}, event=Event.NOTED)

    assert matches(incident, noted, search) is fits


def test_what_machines_write_is_not_searched() -> None:
    told = a_chain({"text": "the pool"}, event=Event.WATCH_CHECK)

    assert not matches(an_incident(), told, Search(words=("pool",)))


# Spans.


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("", NOON - timedelta(days=90), NOON),
        ("last 90 days", NOON - timedelta(days=90), NOON),
        ("30 days", NOON - timedelta(days=30), NOON),
        ("last 7d", NOON - timedelta(days=7), NOON),
        ("last 2 weeks", NOON - timedelta(days=14), NOON),
        ("최근 90일", NOON - timedelta(days=90), NOON),
        ("month", datetime(2026, 2, 28, 15, tzinfo=UTC), datetime(2026, 3, 31, 15, tzinfo=UTC)),
        ("this month", datetime(2026, 2, 28, 15, tzinfo=UTC), datetime(2026, 3, 31, 15, tzinfo=UTC)),
        ("last month", datetime(2026, 1, 31, 15, tzinfo=UTC), datetime(2026, 2, 28, 15, tzinfo=UTC)),
        ("지난달", datetime(2026, 1, 31, 15, tzinfo=UTC), datetime(2026, 2, 28, 15, tzinfo=UTC)),
        ("2026-02", datetime(2026, 1, 31, 15, tzinfo=UTC), datetime(2026, 2, 28, 15, tzinfo=UTC)),
        ("since:2026-03-01", datetime(2026, 2, 28, 15, tzinfo=UTC), NOON),
        ("until:2026-02-28", datetime(2025, 11, 30, 15, tzinfo=UTC), datetime(2026, 2, 28, 15, tzinfo=UTC)),
    ],
)
def test_a_span_is_said_in_days_in_months_or_by_its_ends(text: str, since: datetime, until: datetime) -> None:
    wanted = parse_span(text, KNOWN)

    assert wanted.since == since
    assert wanted.until - until in (timedelta(), timedelta(seconds=1))
    assert wanted.zone == "Asia/Seoul"


@pytest.mark.parametrize(
    ("text", "scenario", "target"),
    [
        ("3", "memory_leak", ""),
        ("scenario 3", "memory_leak", ""),
        ("scenario memory_leak month", "memory_leak", ""),
        ("last 90 days chat", "", "chat"),
        ("scenario:3 target:canary", "memory_leak", "canary"),
    ],
)
def test_one_scenario_and_one_target_can_be_looked_back_on(text: str, scenario: str, target: str) -> None:
    wanted = parse_span(text, KNOWN)

    assert (wanted.scenario, wanted.target) == (scenario, target)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("since the beginning", BadWhy.NOT_A_DAY),
        ("everything", BadWhy.NOT_UNDERSTOOD),
        ("last", BadWhy.NOT_UNDERSTOOD),
        ("last 0 days", BadWhy.NOT_A_DAY),
        ("last 99999 years", BadWhy.NOT_A_DAY),
        ("last 3 fortnights", BadWhy.NOT_UNDERSTOOD),
        ("open", BadWhy.NOT_UNDERSTOOD),
        ("INC-12", BadWhy.NOT_UNDERSTOOD),
        ("month 2026-01", BadWhy.TWICE),
        ("last 30 days until:2026-01-01", BadWhy.ENDS_BEFORE),
    ],
)
def test_a_span_that_cannot_be_read_is_refused(text: str, why: BadWhy) -> None:
    with pytest.raises(BadSearch) as bad:
        parse_span(text, KNOWN)

    assert bad.value.why is why


# Whatever is typed.

PIECES = st.sampled_from(
    [
        "open", "last", "90", "days", "month", "since:", "until:", "2026-10", "2026-10-01", "0000-00", "by:",
        "scenario", "3", "99999999999999999999", ":", '"', "::", "9999-12-31", "지난", "이번", "달", "일",
        "INC-", "INC-0", "\u3000", "\ud800", "\0", "state:", "２", "-", "@", "<@U0SENA|sena>", "x" * 50,
    ]
)  # fmt: skip
TYPED = st.text(max_size=60) | st.lists(PIECES | st.text(max_size=4), max_size=8).map(" ".join)


@given(text=TYPED)
def test_whatever_is_typed_is_a_search_or_kindly_refused(text: str) -> None:
    try:
        search = as_person(parse_search(text, KNOWN), {PersonId("U0LEMUN"): "lemun"})
    except BadSearch:
        return

    matches(an_incident(), (), search)
    assert not {"\0", "\ud800"} & set("".join(search.words))


@given(text=TYPED)
def test_whatever_is_typed_is_a_span_or_kindly_refused(text: str) -> None:
    try:
        wanted = parse_span(text, KNOWN)
    except BadSearch:
        return

    assert wanted.since < wanted.until


@given(words=st.permutations(["open", "canary", "3", "high", "since:2026-10-01", "by:me", "pay"]))
def test_the_order_of_words_makes_no_difference(words: list[str]) -> None:
    assert parse_search(" ".join(words), KNOWN) == parse_search(
        "open canary 3 high since:2026-10-01 by:me pay", KNOWN
    )
