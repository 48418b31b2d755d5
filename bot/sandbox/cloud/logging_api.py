"""``google.logging.v2.LoggingServiceV2``: listing and tailing what the traffic really left behind."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.cloud.logging_v2.types import (
    ListLogEntriesRequest,
    ListLogEntriesResponse,
    TailLogEntriesRequest,
    TailLogEntriesResponse,
)

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.log_filter import LogFilter, parse_log_filter
from bot.sandbox.cloud.log_messages import entry
from bot.sandbox.cloud.log_store import LogRecord, LogStore
from bot.sandbox.cloud.permissions import demand
from bot.sandbox.cloud.rejection import Rejection, denied, invalid
from bot.sandbox.cloud.rpc import Gate, reader, write
from bot.sandbox.cloud.tail_switches import TailSwitches
from bot.sandbox.names import PROJECT

ListAnswer: Any = ListLogEntriesResponse.pb()
TailAnswer: Any = TailLogEntriesResponse.pb()

DEFAULT_PAGE, LARGEST_PAGE = 50, 1000
DEFAULT_BUFFER_SECONDS, LONGEST_BUFFER_SECONDS = 2.0, 60.0
MOST_TAILS = 10
#: A listing may be gone on with for a day. Source: reference/cloud-run-and-canary.md, C.4.
TOKEN_SECONDS = 86_400.0
#: A scan yields to the event loop after so many records (about 10 ms).
STRIDE = 5000
TICK_SECONDS = 0.1
#: For listing and for tailing alike.
LIST_PERMISSION = "logging.logEntries.list"


@dataclass(frozen=True, kw_only=True)
class _Token:
    """Where a listing goes on: after `after` (timestamp, insert id), as things were at `now`."""

    query: str
    now: float
    after: tuple[float, str] | None

    def text(self) -> str:
        raw = json.dumps([self.query, self.now, self.after]).encode()
        return base64.urlsafe_b64encode(raw).decode()

    @classmethod
    def read(cls, text: str, *, query: str, now: float) -> "_Token":
        try:
            known, begun, after = json.loads(base64.urlsafe_b64decode(text))
        except ValueError as error:
            raise invalid("page_token is invalid.") from error
        if known != query:
            raise invalid("page_token doesn't match arguments from the request.")
        if now > begun + TOKEN_SECONDS:
            raise invalid("page_token is too old.")
        return cls(query=query, now=begun, after=tuple(after) if after else None)


class LoggingApi:
    """Cloud Logging over `store`."""

    def __init__(
        self, store: LogStore, *, behaviour: Behaviour, now: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._behaviour = behaviour
        self._now = now
        self._open_tails = 0

    def handlers(self, gate: Gate) -> tuple[Any, ...]:
        """Return the gRPC handlers."""
        self._gate = gate
        tail = grpc.stream_stream_rpc_method_handler(
            self._tail, request_deserializer=reader(TailLogEntriesRequest), response_serializer=write
        )
        return (
            grpc.method_handlers_generic_handler(
                "google.logging.v2.LoggingServiceV2",
                {
                    "ListLogEntries": gate.unary("ListLogEntries", self._list, ListLogEntriesRequest),
                    "TailLogEntries": tail,
                },
            ),
        )

    async def _list(self, request: Any) -> Any:
        _check_projects(request.resource_names, self._behaviour)
        descending = _descending(request.order_by)
        size = _page_size(request.page_size)
        wanted = parse_log_filter(request.filter)
        query = _fingerprint(request.filter, request.order_by, list(request.resource_names))
        if not request.page_token and self._behaviour.empty_log_page:
            return ListAnswer(next_page_token=_Token(query=query, now=self._now(), after=None).text())
        token = (
            _Token.read(request.page_token, query=query, now=self._now())
            if request.page_token
            else _Token(query=query, now=self._now(), after=None)
        )
        found = await self._scan(wanted, until=token.now)
        found.sort(key=_order, reverse=descending)
        rest = [r for r in found if token.after is None or _is_after(r, token.after, descending)]
        return _list_answer(rest, size, token)

    async def _scan(self, wanted: LogFilter, *, until: float) -> list[LogRecord]:
        """Return the wanted records that were readable at `until`, letting others run meanwhile."""
        readable = self._store.between(wanted.not_before - 0.001, until)
        found: list[LogRecord] = []
        for start in range(0, len(readable), STRIDE):
            found += [record for record in readable[start : start + STRIDE] if wanted.passes(record)]
            await asyncio.sleep(0)
        return found

    async def _tail(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        first = await anext(aiter(requests))
        call = self._gate.begin("TailLogEntries", first)
        try:
            await self._gate.before("TailLogEntries")
            wanted, buffer_seconds = self._check_tail(first)
        except Rejection as rejection:
            call.outcome = rejection.code.name
            await context.abort(rejection.code, rejection.detail, rejection.trailing_metadata())
        self._open_tails += 1
        try:
            async for answer in self._follow(wanted, buffer_seconds):
                yield answer
        except Rejection as rejection:
            call.outcome = rejection.code.name
            await context.abort(rejection.code, rejection.detail, rejection.trailing_metadata())
        finally:
            self._open_tails -= 1
            call.outcome = call.outcome or "CANCELLED"

    def _check_tail(self, request: Any) -> tuple[LogFilter, float]:
        _check_projects(request.resource_names, self._behaviour)
        wanted = parse_log_filter(request.filter)
        raw = TailLogEntriesRequest.pb(request)
        seconds = DEFAULT_BUFFER_SECONDS
        if raw.HasField("buffer_window"):
            seconds = raw.buffer_window.ToTimedelta().total_seconds()
        if not 0 <= seconds <= LONGEST_BUFFER_SECONDS:
            raise invalid("buffer_window must be between 0s and 60s.")
        if self._open_tails >= MOST_TAILS:
            raise Rejection(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"More than {MOST_TAILS} tail sessions in this project."
            )
        return wanted, seconds

    async def _follow(self, wanted: LogFilter, buffer_seconds: float) -> AsyncIterator[Any]:
        """Send what becomes readable from now on, each record `buffer_seconds` later, in time order.

        Raises:
            Rejection: UNAVAILABLE, where the switches say so.
        """
        opened = seen = self._now()
        tail = TailSwitches(self._behaviour)
        while True:
            await asyncio.sleep(TICK_SECONDS)
            drops = self._behaviour.tail_drops_after_seconds
            if drops and self._now() >= opened + drops:
                raise Rejection(grpc.StatusCode.UNAVAILABLE, "The stream was broken off.")
            until = self._now() - buffer_seconds
            if until <= seen:
                continue
            found = [record for record in self._store.between(seen, until) if wanted.passes(record)]
            seen = until
            sent, withheld = tail.pass_on(found, now=self._now())
            if sent or withheld:
                yield self._tail_answer(sorted(sent, key=_order), withheld)

    def _tail_answer(self, records: list[LogRecord], withheld: int) -> Any:
        answer = TailAnswer(entries=[entry(record) for record in records])
        why = TailLogEntriesResponse.SuppressionInfo.Reason
        missing = {
            why.RATE_LIMIT: self._behaviour.suppressed + withheld,
            why.NOT_CONSUMED: self._behaviour.not_consumed,
        }
        for reason, count in missing.items():
            if count:
                answer.suppression_info.add(reason=int(reason), suppressed_count=count)
        return answer


def _list_answer(rest: list[LogRecord], size: int, token: _Token) -> Any:
    shown = rest[:size]
    answer = ListAnswer(entries=[entry(record) for record in shown])
    if len(rest) > size:
        answer.next_page_token = _Token(query=token.query, now=token.now, after=_order(shown[-1])).text()
    return answer


def _order(record: LogRecord) -> tuple[float, str]:
    return record.timestamp, record.insert_id


def _is_after(record: LogRecord, place: tuple[float, str], descending: bool) -> bool:
    return _order(record) < place if descending else _order(record) > place


def _check_projects(names: Any, behaviour: Behaviour) -> None:
    if not names:
        raise invalid("resource_names: At least one resource name must be provided.")
    for name in names:
        if name != f"projects/{PROJECT}":
            raise denied(LIST_PERMISSION, name)
        demand(behaviour, LIST_PERMISSION, name)


def _descending(order_by: str) -> bool:
    words = tuple(order_by.split())
    if words not in ((), ("timestamp",), ("timestamp", "asc"), ("timestamp", "desc")):
        raise invalid(f"order_by: '{order_by}' is neither 'timestamp asc' nor 'timestamp desc'.")
    return words == ("timestamp", "desc")


def _page_size(asked: int) -> int:
    if asked < 0 or asked > LARGEST_PAGE:
        raise invalid(f"page_size: Must be between 0 and {LARGEST_PAGE}, not {asked}.")
    return asked or DEFAULT_PAGE


def _fingerprint(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
