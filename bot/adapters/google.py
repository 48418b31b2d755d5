"""What the Google adapters share: where to call, the channel, and what an error means to a person.

Google's modules take a third of a second to import, so nothing of theirs is loaded before the
first call, and then in a thread.
"""

import asyncio
import ipaddress
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeVar

from bot.domain.faults import CloudFault, FaultKind
from bot.domain.playbook import Target
from bot.domain.redaction import redact

ClientT = TypeVar("ClientT")
AnswerT = TypeVar("AnswerT")

#: Between a read that found Google unavailable and its one repetition.
PAUSE_SECONDS = 0.2
#: gRPC's own ceiling is 120 s: after an outage the bot would stay blind two minutes longer than Google.
CHANNEL_OPTIONS = (("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 5_000))
#: A proxy from the environment has no business between us and our own machine.
PLAINTEXT_OPTIONS = (*CHANNEL_OPTIONS, ("grpc.enable_http_proxy", 0))
#: How gRPC begins its sentence when no token could be had. It sends the code UNAVAILABLE with it,
#: although nothing ever left this machine.
LOGIN_FAILED = "Getting metadata from plugin failed"
#: ``service.resource.verb``, such as run.services.get; neither a host name nor part of an address.
PERMISSION = re.compile(
    r"(?<![\w@./-])([a-z][A-Za-z0-9]*\.[A-Za-z]\w*\.(?!com\b|net\b|org\b|app\b|dev\b|internal\b)[A-Za-z]\w*)"
    r"(?![\w@/-]|\.\w)"
)


@dataclass(frozen=True, kw_only=True)
class GoogleEndpoint:
    """Where one Google API is: `address` is ``host:port``, None for Google's own.

    A `plaintext` endpoint is on this machine and is called without credentials; any other is
    called over TLS with Application Default Credentials.
    """

    address: str | None = None
    plaintext: bool = False

    @classmethod
    def parse(cls, text: str, *, setting: str) -> Self:
        """Read a setting's value: empty, ``host:port`` or ``http://host:port`` (loopback only).

        Raises:
            ValueError: anything else, in a sentence that names `setting` and what to write.
        """
        written = text.strip()
        if not written:
            return cls()
        plaintext = written.startswith("http://")
        address = written.removeprefix("http://").rstrip("/") if plaintext else written
        host, port = _host_and_port(address)
        if host is None or not 0 < port < 65_536:
            raise ValueError(
                f"{setting}={text!r}: write host:port (TLS), http://127.0.0.1:port (plaintext, this machine "
                "only), or leave it empty for Google's own address"
            )
        if plaintext and not _is_loopback(host):
            raise ValueError(
                f"{setting}={text!r}: http:// sends everything unencrypted and is allowed to this machine "
                "only (127.0.0.1, ::1, localhost); write host:port to use TLS"
            )
        return cls(address=address, plaintext=plaintext)


def _host_and_port(address: str) -> tuple[str | None, int]:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})", address)
    return (found[1].strip("[]"), int(found[2])) if found else (None, 0)


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class GoogleConnection:
    """One gRPC channel, opened on first use and shared by all clients of one API.

    Belongs to the event loop that first used it.
    """

    def __init__(self, endpoint: GoogleEndpoint) -> None:
        self._endpoint = endpoint
        self._opening = asyncio.Lock()
        self._channel: Any = None
        self._clients: dict[Callable[[], Any], Any] = {}

    async def client(self, load: Callable[[], type[ClientT]]) -> ClientT:
        """Return the client of the class that `load` imports, always the same one.

        Raises:
            GoogleAuthError: there are no Application Default Credentials.
        """
        async with self._opening:
            if load not in self._clients:
                # In a thread, because importing and looking for credentials (which may ask the
                # metadata server, blocking) would hold up every acknowledgement meanwhile.
                client_class: Any = await asyncio.to_thread(load)
                self._clients[load] = client_class(transport=await self._transport(client_class))
            client: ClientT = self._clients[load]
            return client

    async def _transport(self, client_class: Any) -> Any:
        transport_class = client_class.get_transport_class("grpc_asyncio")
        if self._channel is None and self._endpoint.plaintext:
            self._channel = _plaintext_channel(str(self._endpoint.address))
        if self._channel is not None:
            return transport_class(channel=self._channel)
        transport = transport_class(
            host=self._endpoint.address or client_class.DEFAULT_ENDPOINT,
            credentials=await asyncio.to_thread(_default_credentials, transport_class.AUTH_SCOPES),
            channel=partial(_tls_channel, transport_class),
            always_use_jwt_access=True,
        )
        self._channel = transport.grpc_channel
        return transport

    async def close(self) -> None:
        """Close the channel; the next use opens a new one."""
        channel, self._channel = self._channel, None
        self._clients.clear()
        if channel is not None:
            await channel.close()


def _plaintext_channel(address: str) -> Any:
    import grpc.aio

    return grpc.aio.insecure_channel(address, options=PLAINTEXT_OPTIONS)


def _tls_channel(transport_class: Any, host: str, *, options: list[tuple[str, int]], **given: Any) -> Any:
    return transport_class.create_channel(host, options=[*options, *CHANNEL_OPTIONS], **given)


def _default_credentials(scopes: tuple[str, ...]) -> Any:
    import google.auth

    credentials, _ = google.auth.default(default_scopes=scopes)
    return credentials


def project_of(target: Target, default: str) -> str:
    """Return the Google Cloud project of `target`, `default` where the playbook names none.

    Raises:
        CloudFault: neither names one (INVALID).
    """
    project = target.project or default
    if not project:
        raise CloudFault(
            doing=f"find the project of {target.service}",
            kind=FaultKind.INVALID,
            detail="no project: set GOOGLE_CLOUD_PROJECT, or the target's project in the playbook",
        )
    return project


def quoted(value: str) -> str:
    """Return `value` as a string literal of Google's filter language, quotes included."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


async def once_more(call: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
    """Return what `call` answers; a call that found Google unavailable is repeated once. Reads only."""
    from google.api_core.exceptions import ServiceUnavailable

    try:
        return await call()
    except ServiceUnavailable:
        await asyncio.sleep(PAUSE_SECONDS)
        return await call()


async def pages(
    call: Callable[..., Awaitable[Any]], request: Any, *, timeout_seconds: float
) -> AsyncGenerator[Any, None]:
    """Yield each page of a list, following tokens through empty pages too.

    Args:
        call: a client's list method; it is called with Google's own retries off, because they hide
            a dead endpoint for 8.8 s.
        request: its request; `page_token` is written to.
        timeout_seconds: for one page.
    """
    while True:
        page = await once_more(partial(call, request=request, retry=None, timeout=timeout_seconds))
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


@contextmanager
def faults_named(doing: str) -> Iterator[None]:
    """Turn whatever Google's libraries raise inside into a `CloudFault` that says what was tried."""
    try:
        yield
    except CloudFault:
        raise
    except Exception as error:
        fault = fault_from(error, doing=doing)
        if fault is None:
            raise
        raise fault from error


def fault_from(error: Exception, *, doing: str) -> CloudFault | None:
    """Say what an error of Google's libraries means; None for an error that is our own.

    `doing` is what was tried, a short English phrase ("read service ion-api").
    """
    import grpc
    from google.api_core.exceptions import GoogleAPICallError, RetryError, from_grpc_error
    from google.auth.exceptions import GoogleAuthError

    if isinstance(error, ExceptionGroup):
        first = error.exceptions[0]
        return first if isinstance(first, CloudFault) else fault_from(first, doing=doing)
    if isinstance(error, RetryError) and isinstance(error.cause, Exception):
        return fault_from(error.cause, doing=doing)
    if isinstance(error, TimeoutError | RetryError):
        return CloudFault(doing=doing, kind=FaultKind.UNREACHABLE, detail="Google did not answer in time")
    if isinstance(error, GoogleAuthError):
        return CloudFault(doing=doing, kind=FaultKind.LOGIN, detail=redact(str(error)).text)
    if isinstance(error, grpc.RpcError):
        error = from_grpc_error(error)  # type: ignore[no-untyped-call]
    if isinstance(error, GoogleAPICallError):
        return _fault_from_answer(error, doing=doing)
    return None


def _fault_from_answer(error: Any, *, doing: str) -> CloudFault:
    kind = _kind_of(error)
    detail = error.message or type(error).__name__
    permission = _permission_in(error) if kind is FaultKind.PERMISSION else None
    return CloudFault(doing=doing, kind=kind, detail=redact(detail).text, permission=permission)


def _kind_of(error: Any) -> FaultKind:
    from google.api_core import exceptions as google

    if LOGIN_FAILED in (error.message or ""):
        return FaultKind.LOGIN
    # The base classes stand for both wires: Conflict is Aborted and AlreadyExists over gRPC.
    kinds: tuple[tuple[type[Exception], FaultKind], ...] = (
        (google.Conflict, FaultKind.CONFLICT),
        (google.BadRequest, FaultKind.INVALID),
        (google.Unauthorized, FaultKind.LOGIN),
        (google.Forbidden, FaultKind.PERMISSION),
        (google.NotFound, FaultKind.NOT_FOUND),
        (google.TooManyRequests, FaultKind.QUOTA),
        (google.ServiceUnavailable, FaultKind.UNREACHABLE),
        (google.GatewayTimeout, FaultKind.UNREACHABLE),
        (google.BadGateway, FaultKind.UNREACHABLE),
    )
    return next((kind for base, kind in kinds if isinstance(error, base)), FaultKind.OTHER)


def _permission_in(error: Any) -> str | None:
    told = (error.metadata or {}).get("permission")
    if told:
        return str(told)
    found = PERMISSION.search(error.message or "")
    return found[1] if found else None


def in_one_line(fault: CloudFault) -> str:
    """Return a fault as the one line a reading carries as its problem, at most 300 characters."""
    text = " ".join(fault.detail.split())
    return f"{fault.kind}: {text}"[:300]
