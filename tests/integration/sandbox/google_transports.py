"""Google's own clients by transport, asked the same things: gRPC sync and async, and HTTP with JSON."""

import asyncio
import inspect
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import grpc
import httpx
from google.api import metric_pb2
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth import credentials
from google.cloud import logging as handwritten
from google.cloud import monitoring_v3, run_v2
from google.cloud.logging_v2.services.logging_service_v2 import (
    LoggingServiceV2AsyncClient,
    LoggingServiceV2Client,
)
from google.cloud.logging_v2.types import LogEntry
from google.protobuf import json_format
from google.rpc import error_details_pb2

from bot.sandbox.cloud import SandboxCloud
from bot.sandbox.names import PROJECT

#: What differs from one call to the next although nothing else does.
VOLATILE = frozenset(
    {"etag", "update_time", "create_time", "last_transition_time", "delete_time", "expire_time"}
)
SECONDS = 60.0
#: Google gives these no types.
Nobody: Any = credentials.AnonymousCredentials
LoggingClient: Any = handwritten.Client
error_of: Any = exceptions.from_http_status
#: A client that finds an operation unfinished comes again after a second or more.
SETTLES_WITHIN_SECONDS = 0.15


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a client got: messages as plain data, or the error it raised, as (HTTP status, words, reason)."""

    messages: tuple[Mapping[str, Any], ...] = ()
    error: tuple[int, str, str] | None = None


Ask = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Transports:
    """The same clients thrice, by the name of the transport."""

    services: Mapping[str, Any]
    revisions: Mapping[str, Any]
    logging: Mapping[str, Any]
    metrics: Mapping[str, Any]

    async def ask(self, client: str, method: str, request: Any, *, over: str) -> Answer:
        """Return what `method` of `client` answers to `request`: all pages, or an operation's result."""
        ask = getattr(getattr(self, client)[over], method)
        try:
            return Answer(messages=tuple(map(_plain, await _ended(ask, request))))
        except exceptions.GoogleAPICallError as error:
            # Google's clients give a failed operation an HTTP status in some of their forms only.
            status = int(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
            return Answer(error=(status, _words(error), error.reason or ""))


async def _ended(ask: Ask, request: Any) -> list[Any]:
    """Call, and follow what comes to its end."""
    options = {"request": request, "retry": None, "timeout": SECONDS}
    if not inspect.iscoroutinefunction(inspect.unwrap(ask)):
        return await asyncio.to_thread(lambda: _followed(ask(**options)))
    found = await ask(**options)
    if hasattr(found, "__aiter__"):
        return [one async for one in found]
    if not hasattr(found, "result"):
        return [found]
    await asyncio.sleep(SETTLES_WITHIN_SECONDS)
    return [await found.result()]


def _followed(found: Any) -> list[Any]:
    if hasattr(found, "pages") or isinstance(found, list):
        return list(found)
    if not hasattr(found, "result"):
        return [found]
    time.sleep(SETTLES_WITHIN_SECONDS)
    return [found.result()]


def _plain(message: Any) -> dict[str, Any]:
    raw = type(message).pb(message) if hasattr(type(message), "pb") else message
    steady: dict[str, Any] = _steady(json_format.MessageToDict(raw, preserving_proto_field_name=True))
    return steady


def _steady(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _steady(value) for key, value in plain.items() if key not in VOLATILE}
    return [_steady(one) for one in plain] if isinstance(plain, list) else plain


def _words(error: exceptions.GoogleAPICallError) -> str:
    """Return Google's sentence; over HTTP the client writes the request before it."""
    said = re.sub(r"^[A-Z]+ https?://\S+: ", "", str(error.message))
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\"[0-9a-f]{24}\"", "...", said)


@asynccontextmanager
async def transports(cloud: SandboxCloud) -> AsyncIterator[Transports]:
    """Connect every client to `cloud`."""
    plain, later = grpc.insecure_channel(cloud.grpc_address), grpc.aio.insecure_channel(cloud.grpc_address)
    async with httpx.AsyncClient(base_url=cloud.rest_address, trust_env=False, timeout=SECONDS) as http:
        yield Transports(
            services=_both(run_v2.ServicesClient, run_v2.ServicesAsyncClient, plain, later)
            | {"rest": _rest(run_v2.ServicesClient, cloud)},
            revisions=_both(run_v2.RevisionsClient, run_v2.RevisionsAsyncClient, plain, later)
            | {"rest": _rest(run_v2.RevisionsClient, cloud)},
            logging=_both(LoggingServiceV2Client, LoggingServiceV2AsyncClient, plain, later)
            | {"rest": _HandWritten(cloud)},
            metrics=_both(
                monitoring_v3.MetricServiceClient, monitoring_v3.MetricServiceAsyncClient, plain, later
            )
            | {"rest": _Discovery(http)},
        )
    await later.close()
    plain.close()


def _both(sync: Any, later: Any, channel: Any, later_channel: Any) -> dict[str, Any]:
    return {
        "grpc": sync(transport=sync.get_transport_class("grpc")(channel=channel)),
        "grpc_asyncio": later(transport=later.get_transport_class("grpc_asyncio")(channel=later_channel)),
    }


def _rest(client: Any, cloud: SandboxCloud) -> Any:
    options = ClientOptions(api_endpoint=cloud.rest_address)
    return client(transport="rest", client_options=options, credentials=Nobody())


class _HandWritten:
    """Google's hand-written Logging client, which speaks HTTP; its entries made into messages again."""

    def __init__(self, cloud: SandboxCloud) -> None:
        self._client = LoggingClient(
            project=PROJECT,
            credentials=Nobody(),
            _use_grpc=False,
            client_options=ClientOptions(api_endpoint=cloud.rest_address),
        )

    def list_log_entries(self, *, request: Mapping[str, Any], **_: Any) -> list[Any]:
        found = self._client.list_entries(
            resource_names=request["resource_names"],
            filter_=request["filter"],
            order_by=request.get("order_by"),
            page_size=request.get("page_size"),
        )
        return [_entry(one) for one in found]


def _entry(one: Any) -> Any:
    resource = one.to_api_repr()
    if one.received_timestamp is not None:
        resource["receiveTimestamp"] = one.received_timestamp.isoformat().replace("+00:00", "Z")
    return LogEntry.wrap(json_format.ParseDict(resource, LogEntry.pb()(), ignore_unknown_fields=True))


class _Discovery:
    """Cloud Monitoring's REST form, for which Google has no client: the shape of its discovery document."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def list_time_series(self, *, request: Mapping[str, Any], **_: Any) -> Any:
        message = monitoring_v3.ListTimeSeriesRequest.pb(monitoring_v3.ListTimeSeriesRequest(request))
        fields = json_format.MessageToDict(message)
        found, token = [], ""
        while True:
            answer = await self._get(
                f"/v3/{fields.pop('name', message.name)}/timeSeries",
                _parameters(fields | {"pageToken": token}),
            )
            page = json_format.ParseDict(answer, monitoring_v3.ListTimeSeriesResponse.pb()())
            found += page.time_series
            token = page.next_page_token
            if not token:
                return _Listed(found)

    async def get_metric_descriptor(self, *, request: Mapping[str, Any], **_: Any) -> Any:
        answer = await self._get(f"/v3/{request['name']}", [])
        return json_format.ParseDict(answer, metric_pb2.MetricDescriptor())

    async def _get(self, path: str, query: list[tuple[str, str]]) -> Any:
        answer = await self._http.get(path, params=tuple(query))
        if answer.is_error:
            raise error_of(
                answer.status_code,
                answer.json()["error"]["message"],
                error_info=_error_info(answer.json()["error"]),
            )
        return answer.json()


class _Listed:
    def __init__(self, found: list[Any]) -> None:
        self._found = found

    async def __aiter__(self) -> AsyncIterator[Any]:
        for one in self._found:
            yield one


def _parameters(fields: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Return nested fields as query parameters: ``interval.endTime=...``."""
    found: list[tuple[str, str]] = []
    for name, value in fields.items():
        if isinstance(value, dict):
            found += _parameters(value, f"{above}{name}.")
        else:
            values = value if isinstance(value, list) else [value]
            found += [(above + name, str(one)) for one in values]
    return found


def _error_info(error: Mapping[str, Any]) -> Any:
    for detail in error.get("details", []):
        known = {key: value for key, value in detail.items() if key != "@type"}
        return json_format.ParseDict(known, error_details_pb2.ErrorInfo())
    return None
