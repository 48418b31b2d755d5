"""When log entries can be read, how long a listing may last, and how much a tail sends."""

from datetime import UTC, datetime

import pytest
from google.cloud.logging_v2.types import ListLogEntriesRequest

from bot.sandbox.cloud.audit import UPDATE, ChangeAsked
from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.ledger import LineWritten
from bot.sandbox.cloud.log_store import LogStore
from bot.sandbox.cloud.logging_api import LoggingApi
from bot.sandbox.cloud.rejection import Rejection
from bot.sandbox.cloud.tail_switches import TailSwitches
from bot.sandbox.names import API_SERVICE, PROJECT

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


class Clock:
    """Seconds since the epoch, held."""

    now = NOON

    def __call__(self) -> float:
        return self.now


def a_line(message: str, at: float) -> LineWritten:
    return LineWritten(
        service=API_SERVICE,
        revision="ion-api-00042-lee",
        severity="INFO",
        message=message,
        at=datetime.fromtimestamp(at, UTC),
        trace="",
        path="/",
    )


def a_store(clock: Clock, *, lines: int = 0, **switches: float) -> LogStore:
    """Return a log with a line each second."""
    store = LogStore(Behaviour(log_lag_seconds=0, **switches), now=clock)  # type: ignore[arg-type]
    for number in range(lines):
        store.saw_line(a_line(str(number), clock.now))
        clock.now += 1
    return store


def test_every_fifth_entry_can_be_late_and_then_comes_after_newer_ones() -> None:
    clock = Clock()
    store = a_store(clock, lines=10, log_late_ratio=0.2, log_late_seconds=600)

    in_time = [record.text for record in store.between(0, NOON + 60)]
    later = [record.text for record in store.between(NOON + 60, NOON + 700)]

    assert in_time == ["0", "1", "2", "3", "5", "6", "7", "8"]
    assert later == ["4", "9"]
    assert [r.received for r in store.between(0, NOON + 700)] == sorted(
        r.received for r in store.between(0, NOON + 700)
    )


@pytest.mark.parametrize(("hours", "refused"), [(23.9, False), (24, False), (24.1, True)])
async def test_a_listing_can_be_gone_on_with_for_a_day(hours: float, refused: bool) -> None:
    clock = Clock()
    behaviour = Behaviour(log_lag_seconds=0)
    api = LoggingApi(a_store(clock, lines=3), behaviour=behaviour, now=clock)
    request = ListLogEntriesRequest(resource_names=[f"projects/{PROJECT}"], page_size=1)
    request.page_token = (await api._list(request)).next_page_token

    clock.now += hours * 3600

    if refused:
        with pytest.raises(Rejection, match="too old"):
            await api._list(request)
    else:
        assert (await api._list(request)).entries[0].text_payload == "1"


def test_a_tail_sends_no_more_than_google_does_and_says_what_it_kept_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.sandbox.cloud.tail_switches.MOST_A_MINUTE", 5)
    records = a_store(Clock(), lines=8).between(0, NOON + 60)
    tail = TailSwitches(Behaviour())

    sent, suppressed = tail.pass_on(records[:4], now=NOON)
    more, more_suppressed = tail.pass_on(records[4:], now=NOON + 59)
    next_minute, _ = tail.pass_on(records[:4], now=NOON + 60)

    assert (len(sent), suppressed) == (4, 0)
    assert (len(more), more_suppressed) == (1, 3)
    assert len(next_minute) == 4


def test_changes_are_written_down_only_when_the_audit_log_is_on() -> None:
    change = ChangeAsked(
        method=UPDATE, resource=f"projects/{PROJECT}/services/{API_SERVICE}", principal="a@b"
    )
    on, off = a_store(Clock()), a_store(Clock(), audit_log=False)

    on.saw_change(change)
    off.saw_change(change)

    assert [(record.service, record.change) for record in on.between(0, NOON)] == [(API_SERVICE, change)]
    assert off.between(0, NOON) == []
