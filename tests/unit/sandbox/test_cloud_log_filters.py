"""Logging's filter language, on four entries: two requests and two lines."""

from datetime import UTC, datetime

import pytest

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.ledger import LineWritten, RequestSeen
from bot.sandbox.cloud.log_filter import parse_log_filter
from bot.sandbox.cloud.log_store import LogStore
from bot.sandbox.cloud.rejection import Rejection

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def a_request(*, status: int, latency_ms: float, revision: str, reached: bool = True) -> RequestSeen:
    return RequestSeen(
        service="ion-api",
        revision=revision,
        method="GET",
        url="http://127.0.0.1:1/api/chat?turn=1",
        status=status,
        latency_ms=latency_ms,
        at=NOON,
        trace="abc",
        user_agent="ion-app/4.0",
        reached=reached,
        client="203.0.113.7",
    )


@pytest.fixture
def store() -> LogStore:
    """Entry 1: a good request. 2: one that nobody answered. 3: a slow line. 4: a plain error line."""
    store = LogStore(Behaviour(log_lag_seconds=0), now=lambda: NOON.timestamp() + 1)
    store.saw_request(a_request(status=200, latency_ms=80, revision="ion-api-00041-kim"))
    store.saw_request(a_request(status=503, latency_ms=700, revision="ion-api-00042-lee", reached=False))
    written = {"service": "ion-chat", "revision": "ion-chat-00017-pol", "at": NOON, "path": "/api/chat"}
    store.saw_line(
        LineWritten(severity="WARNING", message="slow: ranking", trace="abc", latency_ms=640.25, **written)  # type: ignore[arg-type]
    )
    store.saw_line(LineWritten(severity="ERROR", message='KeyError: "turn_id"', trace="", **written))  # type: ignore[arg-type]
    return store


MATCHES = {
    "": [1, 2, 3, 4],
    "resource.type=cloud_run_revision AND severity=ERROR": [2, 4],
    "resource.type=cloud_run_revision AND jsonPayload.latency_ms > 500": [3],
    "resource.type=cloud_run_revision AND resource.labels.service_name=ion-api": [1, 2],
    'resource.type="cloud_run_job"': [],
    "severity>=WARNING": [2, 3, 4],
    "severity>=400": [2, 3, 4],
    "severity<WARNING": [1],
    "severity=(WARNING OR INFO)": [1, 3],
    "severity!=error": [1, 3],
    "httpRequest.status>=500": [2],
    "http_request.status=200": [1],
    "httpRequest.status!=200": [2],
    'httpRequest.latency>"0.5s"': [2],
    "httpRequest.latency<=80ms": [1],
    'httpRequest.requestUrl:"/API/chat"': [1, 2],
    "httpRequest.requestMethod=GET": [1, 2],
    "httpRequest.userAgent=~^ion-app": [1, 2],
    "httpRequest.userAgent!~^ion-app": [],
    "textPayload:keyerror": [4],
    'text_payload="KeyError: \\"turn_id\\""': [4],
    "textPayload:*": [2, 4],
    "json_payload.latency_ms:*": [3],
    "jsonPayload.message:ranking": [3],
    "jsonPayload.latency_ms=640.2": [3],
    "jsonPayload.latency_ms>fast": [],
    "jsonPayload.message!=x": [3],
    "jsonPayload.unknown=1": [],
    "jsonPayload.unknown!=1": [],
    "labels.colour=red": [],
    'log_name="projects/ion-sandbox/logs/run.googleapis.com%2Frequests"': [1, 2],
    "logName=projects/ion-sandbox/logs/run.googleapis.com%2Fstderr": [3, 4],
    "logName:stderr": [3, 4],
    'log_id("run.googleapis.com/requests")': [1, 2],
    'NOT log_id("run.googleapis.com/requests") timestamp>="2026-03-01T12:00:00Z"': [3, 4],
    'SEARCH("keyerror")': [4],
    'near("keyerror")': "unknown function 'near'",
    'severity=near("keyerror")': "unknown function 'near'",
    "trace:abc": [1, 2, 3],
    f"insertId={int(NOON.timestamp()):08x}0000000000000002": [2],
    "httpRequest.remoteIp=203.0.113.7": [1, 2],
    'timestamp>="2026-03-01T12:00:00Z"': [1, 2, 3, 4],
    "timestamp>2026-03-01T12:00:00Z": [],
    "timestamp>=2026-03-01T21:00:00+09:00 timestamp<2026-03-01T12:00:01Z": [1, 2, 3, 4],
    'timestamp<"2026-03-01"': [],
    "receiveTimestamp>2026-03-01T12:00:00.5Z": [1, 2, 3, 4],
    "resource.labels.revision_name=ion-api-00041-kim OR severity=ERROR AND logName:requests": [1, 2],
    "(resource.labels.revision_name=ion-api-00041-kim) OR (severity=ERROR AND logName:stderr)": [1, 4],
    "NOT severity=ERROR": [1, 3],
    "-severity=ERROR": [1, 3],
    "NOT (severity=ERROR OR severity=WARNING)": [1],
    "NOT severity=ERROR OR logName:stderr": [1, 3, 4],
    "severity=ERROR\nlogName:stderr -- only the containers": [4],
    "keyerror": [4],
    '"ranking"': [3],
    "turn=1 AND severity=INFO": "Unparseable filter: field not found: 'turn'",
    "severity=LOUD": "'LOUD' is not a severity",
    "timestamp>yesterday": "'yesterday' is not a time",
    "httpRequest.status=ok": "is a number, 'ok' is not",
    "httpRequest.latency>0.5": "is not a duration",
    "jsonPayload=1": "field not found: 'jsonPayload'",
    "severity=": "syntax error at column 10",
    "severity=ERROR AND": "syntax error",
    "AND severity=ERROR": "syntax error",
    "(severity=ERROR": "syntax error",
    "severity=ERROR)": "syntax error",
    "severity=(ERROR OR INFO AND DEBUG)": "syntax error",
    'textPayload="open': "syntax error",
    'textPayload=~"("': "unterminated subpattern",
    'textPayload=near("x")': "unknown function 'near'",
    "x" * 20_001: "Longer than 20000 characters",
}


@pytest.mark.parametrize("text", [text for text, wanted in MATCHES.items() if isinstance(wanted, list)])
def test_a_filter_lets_the_right_entries_through(store: LogStore, text: str) -> None:
    wanted = parse_log_filter(text)

    found = [record for record in store.between(0, 1e12) if wanted.passes(record)]

    assert [int(record.insert_id[-1]) for record in found] == MATCHES[text]


@pytest.mark.parametrize("text", [text for text, wanted in MATCHES.items() if isinstance(wanted, str)])
def test_what_is_not_a_filter_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(Rejection) as refused:
        parse_log_filter(text)

    assert str(MATCHES[text]) in refused.value.detail


def test_the_lower_time_bound_is_known_only_where_it_holds_for_everything() -> None:
    assert (
        parse_log_filter("severity=ERROR AND timestamp>=2026-03-01T12:00:00Z").not_before == NOON.timestamp()
    )
    assert parse_log_filter("severity=ERROR OR timestamp>=2026-03-01T12:00:00Z").not_before == 0
    assert parse_log_filter("NOT timestamp>=2026-03-01T12:00:00Z").not_before == 0


def test_entries_are_kept_for_an_hour() -> None:
    now = [NOON.timestamp()]
    store = LogStore(Behaviour(log_lag_seconds=0), now=lambda: now[0])
    store.saw_request(a_request(status=200, latency_ms=1, revision="old"))

    now[0] += 3700
    store.saw_request(a_request(status=200, latency_ms=1, revision="new"))

    assert [record.revision for record in store.between(0, 1e12)] == ["new"]


def test_entries_are_bounded_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.sandbox.cloud.log_store.MOST_RECORDS", 100)
    store = LogStore(Behaviour())

    for _ in range(500):
        store.saw_request(a_request(status=200, latency_ms=1, revision="r"))

    assert len(store.between(0, 1e12)) <= 110
