"""The request log's filter, and how its entries are counted, with entries built by hand."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.api.monitored_resource_pb2 import MonitoredResource
from google.cloud.logging_v2.types import LogEntry
from google.logging.type.http_request_pb2 import HttpRequest
from google.protobuf.duration_pb2 import Duration

from bot.adapters.cloud_logging import Tally, tally_entries
from bot.adapters.request_log import request_log_filter
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.readings import Side
from bot.domain.traffic import SideAddress

API = ServiceName("ion-api")
STABLE, CANARY = RevisionName("ion-api-00041-kim"), RevisionName("ion-api-00042-lee")
SPLIT = {
    Side.CANARY: SideAddress(service=API, revision=CANARY),
    Side.STABLE: SideAddress(service=API, revision=STABLE),
}
BOTH_ENDS = {Side.CANARY: "-canary", Side.STABLE: ""}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def entry(status: int = 200, *, revision: str = CANARY, service: str = API, milliseconds: int = 120) -> Any:
    return LogEntry.pb(
        LogEntry(
            http_request=HttpRequest(status=status, latency=Duration(nanos=milliseconds * 1_000_000)),
            resource=MonitoredResource(labels={"service_name": service, "revision_name": revision}),
        )
    )


def tallied(*entries: Any, addresses: dict[Side, SideAddress] = SPLIT) -> dict[Side, Tally]:
    tallies = {side: Tally() for side in addresses}
    tally_entries(entries, addresses, tallies)
    return tallies


def a_filter(addresses: dict[Side, SideAddress], **more: Any) -> str:
    bounds = {"since": NOON - timedelta(seconds=30), "until": NOON, **more}
    return request_log_filter("p", "us-central1", addresses, **bounds)


def test_the_filter_asks_for_both_revisions_and_always_bounds_the_time() -> None:
    assert a_filter(SPLIT) == (
        'logName="projects/p/logs/run.googleapis.com%2Frequests" AND resource.type="cloud_run_revision" AND '
        'resource.labels.location="us-central1" AND resource.labels.service_name="ion-api" AND '
        'NOT httpRequest.userAgent:"backout/" AND '
        f'(resource.labels.revision_name="{CANARY}" OR resource.labels.revision_name="{STABLE}") AND '
        'timestamp>="2026-11-23T11:59:30.000000Z" AND timestamp<"2026-11-23T12:00:00.000000Z"'
    )


def test_a_whole_service_is_asked_for_without_naming_revisions() -> None:
    assert "revision_name" not in a_filter({Side.STABLE: SideAddress(service=API)})
    assert "revision_name" not in a_filter({**SPLIT, Side.STABLE: SideAddress(service=API)})


def test_two_services_are_asked_for_at_once() -> None:
    chat = {side: SideAddress(service=ServiceName(f"ion-chat{end}")) for side, end in BOTH_ENDS.items()}

    assert '(resource.labels.service_name="ion-chat-canary" OR resource.labels.service_name="ion-chat")' in (
        a_filter(chat)
    )


def test_times_are_written_in_utc_whatever_zone_they_came_in() -> None:
    seoul = NOON.astimezone(timezone(timedelta(hours=9)))

    assert a_filter(SPLIT, until=seoul) == a_filter(SPLIT)


def test_a_name_cannot_leave_its_quotes() -> None:
    odd = SideAddress(service=ServiceName('x" OR severity>="DEFAULT'), revision=RevisionName("r"))

    assert 'service_name="x\\" OR severity>=\\"DEFAULT"' in a_filter({Side.STABLE: odd})


def test_requests_are_counted_for_the_side_that_answered() -> None:
    tallies = tallied(entry(), entry(revision=STABLE), entry(revision=STABLE), entry(revision="ion-api-1"))

    assert (tallies[Side.CANARY].requests, tallies[Side.STABLE].requests) == (1, 2)


@pytest.mark.parametrize(
    ("status", "is_error"),
    [
        (200, False),
        (302, False),
        (404, False),
        (429, False),
        (499, False),
        (500, True),
        (503, True),
        (599, True),
    ],
)
def test_only_5xx_are_errors(status: int, is_error: bool) -> None:
    assert tallied(entry(status))[Side.CANARY].errors == is_error


def test_latencies_are_milliseconds() -> None:
    tally = tallied(entry(milliseconds=812), entry(milliseconds=3))[Side.CANARY]

    assert tally.latencies_ms == [812.0, 3.0]


def test_a_request_without_a_latency_is_still_a_request() -> None:
    odd = entry()
    odd.http_request.ClearField("latency")

    tally = tallied(odd)[Side.CANARY]

    assert (tally.requests, tally.latencies_ms) == (1, [])


def test_an_entry_that_is_no_request_is_left_out() -> None:
    odd = entry()
    odd.ClearField("http_request")

    assert tallied(odd)[Side.CANARY].requests == 0


def test_a_whole_service_counts_every_revision_of_it_and_nothing_else() -> None:
    tallies = tallied(
        entry(),
        entry(revision=STABLE),
        entry(service="ion-chat"),
        addresses={Side.STABLE: SideAddress(service=API)},
    )

    assert tallies[Side.STABLE].requests == 2
