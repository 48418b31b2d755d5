"""The prober against a tiny HTTP server: what counts as an answer, and whom it never asks."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.provisional import urls

from bot import __version__
from bot.adapters.probe import MOST_BYTES, HttpProber
from bot.adapters.probe_addresses import Address
from bot.domain.readings import ProbeResult, Side
from tests.integration.patience import PATIENCE_SECONDS

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    head = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


@dataclass
class TinyServer:
    """Answers its requests with `answers` in turn, the last one over and over; b"" closes the connection."""

    answers: list[bytes]
    pause_seconds: float = 0.0
    port: int = 0
    requests: list[str] = field(default_factory=list)
    handling: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/health"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (mine := asyncio.current_task()) is not None:
            self.handling.add(mine)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head.decode())
                await asyncio.sleep(self.pause_seconds)
                reply = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                writer.write(reply)
                await writer.drain()
                if not reply:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def tiny_server(*answers: bytes, pause_seconds: float = 0.0) -> AsyncIterator[TinyServer]:
    server = TinyServer(list(answers), pause_seconds)
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for handling in server.handling:
            handling.cancel()
        await asyncio.gather(*server.handling, return_exceptions=True)


async def probe(
    url: str, *, requests: int = 3, pause_ms: int = 0, timeout_seconds: float = PATIENCE_SECONDS
) -> ProbeResult:
    prober = HttpProber(allow_loopback=True)
    return await prober.probe(
        url, Side.STABLE, requests=requests, pause_ms=pause_ms, timeout_seconds=timeout_seconds
    )


async def test_good_answers_are_counted_with_their_latency() -> None:
    before = datetime.now(UTC)

    async with tiny_server(OK, pause_seconds=0.02) as server:
        result = await probe(server.url)

    assert (result.sent, result.failures, result.throttled, result.answered_well) == (3, 0, 0, 3)
    assert len(result.latencies_ms) == 3
    assert all(19 <= latency < PATIENCE_SECONDS * 1000 for latency in result.latencies_ms)
    assert (result.side, result.url, result.problem) == (Side.STABLE, server.url, None)
    assert before <= result.since <= result.until <= datetime.now(UTC)


async def test_the_request_says_who_asks_and_whom() -> None:
    async with tiny_server(OK) as server:
        await probe(f"http://localhost:{server.port}/health?deep=1", requests=1)

    (head,) = server.requests
    assert head.startswith("GET /health?deep=1 HTTP/1.1\r\n")
    assert f"Host: localhost:{server.port}\r\n" in head
    assert f"User-Agent: backout/{__version__}\r\n" in head


async def test_requests_go_one_after_another_with_the_pause_between() -> None:
    started = time.monotonic()

    async with tiny_server(OK) as server:
        await probe(server.url, requests=3, pause_ms=50)

    assert time.monotonic() - started >= 0.1
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", ["500 Internal Server Error", "503 Service Unavailable", "404 Not Found"])
async def test_an_answer_outside_2xx_is_a_failure(status: str) -> None:
    async with tiny_server(OK, answer(status), OK) as server:
        result = await probe(server.url)

    assert (result.sent, result.failures, len(result.latencies_ms)) == (3, 1, 3)
    assert result.problem == f"answered {status[:3]}"


async def test_a_redirect_is_a_failure_and_is_not_followed() -> None:
    async with tiny_server(OK) as elsewhere, tiny_server(OK) as server:
        server.answers = [answer("302 Found", f"Location: {elsewhere.url}")]
        result = await probe(server.url, requests=1)

    assert (result.failures, result.problem) == (1, "answered 302, a redirect, which is not followed")
    assert elsewhere.requests == []


async def test_too_many_requests_is_no_failure_and_ends_the_probe() -> None:
    async with tiny_server(OK, answer("429 Too Many Requests"), OK) as server:
        result = await probe(server.url, requests=5)

    assert (result.sent, result.failures, result.throttled, result.problem) == (2, 0, 1, None)
    assert len(server.requests) == 2


async def test_an_answer_with_retry_after_is_throttling_whatever_its_status() -> None:
    async with tiny_server(answer("503 Service Unavailable", "Retry-After: 0")) as server:
        result = await probe(server.url, requests=5)

    assert (result.sent, result.failures, result.throttled) == (1, 0, 1)


@pytest.mark.parametrize(
    "when", [lambda: "60", lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)]
)
async def test_a_service_that_asked_for_quiet_is_left_alone(when: Callable[[], str]) -> None:
    prober = HttpProber(allow_loopback=True)
    async with tiny_server(answer("429 Too Many Requests", f"Retry-After: {when()}"), OK) as server:
        await prober.probe(server.url, Side.STABLE, requests=1, pause_ms=0)

        result = await prober.probe(server.url, Side.STABLE, requests=5, pause_ms=0)

    assert (result.sent, result.failures) == (0, 0)
    assert "left alone" in (result.problem or "")
    assert len(server.requests) == 1


@pytest.mark.parametrize("when", ["0", "soon", "-5", "Thu, 01 Jan 1970 00:00:00 GMT"])
async def test_a_quiet_that_is_over_or_unreadable_silences_nothing(when: str) -> None:
    prober = HttpProber(allow_loopback=True)
    async with tiny_server(answer("429 Too Many Requests", f"Retry-After: {when}"), OK) as server:
        await prober.probe(server.url, Side.STABLE, requests=1, pause_ms=0)

        result = await prober.probe(server.url, Side.STABLE, requests=1, pause_ms=0)

    assert result.answered_well == 1


async def test_a_closed_port_is_a_failure_of_every_request(silent_port: socket.socket) -> None:
    result = await probe(f"http://127.0.0.1:{silent_port.getsockname()[1]}/health")

    assert (result.sent, result.failures, result.latencies_ms) == (3, 3, ())
    assert (result.problem or "").startswith("no answer: ")


async def test_a_connection_cut_without_an_answer_is_a_failure() -> None:
    async with tiny_server(b"") as server:
        result = await probe(server.url, requests=1)

    assert (result.sent, result.failures, result.latencies_ms) == (1, 1, ())


async def test_an_answer_that_is_not_http_is_a_failure() -> None:
    async with tiny_server(b"SSH-2.0-hello\r\n\r\n") as server:
        result = await probe(server.url, requests=1)

    assert result.failures == 1


async def test_a_service_that_hangs_fails_after_the_time_out() -> None:
    async with tiny_server(OK, pause_seconds=PATIENCE_SECONDS) as server:
        result = await probe(server.url, requests=1, timeout_seconds=0.1)

    assert (result.failures, result.problem) == (1, "no answer within 0.1 s")


async def test_a_service_that_drips_its_answer_fails_after_the_time_out() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)

    listening = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]

    result = await probe(f"http://127.0.0.1:{port}/", requests=1, timeout_seconds=0.2)

    assert (result.failures, result.problem) == (1, "no answer within 0.2 s")
    listening.close()


async def test_no_more_than_64_kib_of_an_answer_are_read() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
                sent += 65_536
        except ConnectionError:
            writer.close()

    listening = await asyncio.start_server(flood, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]

    result = await probe(f"http://127.0.0.1:{port}/", requests=1)

    assert result.answered_well == 1
    # What the socket buffers swallowed was sent, but never read.
    assert sent < 1000 * MOST_BYTES
    listening.close()


async def test_a_name_that_cannot_be_looked_up_is_a_failure() -> None:
    result = await probe("http://nowhere.invalid/health", requests=2)

    assert (result.sent, result.failures) == (2, 2)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/computeMetadata/v1/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "ftp://127.0.0.1/health",
        "file:///etc/hostname",
        "http://someone:secret@127.0.0.1/health",
        "http:///health",
        "not an address",
        "http://127.0.0.1:99999/health",
        "http://127.0.0.1:0/health",
    ],
)
async def test_a_dangerous_or_broken_address_is_refused_without_a_request(url: str) -> None:
    result = await probe(url)

    assert (result.sent, result.failures, result.latencies_ms) == (0, 0, ())
    assert (result.problem or "").startswith("refused to probe: ")


async def test_this_machine_is_refused_unless_it_was_allowed() -> None:
    async with tiny_server(OK) as server:
        result = await HttpProber().probe(server.url, Side.CANARY, requests=3, pause_ms=0)

    assert (result.sent, result.problem) == (0, "refused to probe: 127.0.0.1 is this machine")
    assert server.requests == []


async def test_the_address_that_was_checked_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[str] = []
    async with tiny_server(OK) as server:

        def look_up(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
            looked_up.append(str(host))
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr("socket.getaddrinfo", look_up)
        result = await probe(f"http://canary.example:{server.port}/health", requests=1)

    assert result.answered_well == 1
    assert looked_up.count("canary.example") == 1
    assert f"Host: canary.example:{server.port}" in server.requests[0]


#: One prober for all examples: it reads its certificates once.
ANY_ADDRESS = HttpProber()


@given(url=urls() | st.text(max_size=30) | st.text(max_size=30).map("http://".__add__))
async def test_no_address_whatever_makes_the_prober_raise(url: str) -> None:
    async def nowhere(*_: object, **__: object) -> list[Address]:
        raise OSError("nowhere")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.adapters.probe.resolve", nowhere)
        result = await ANY_ADDRESS.probe(url, Side.STABLE, requests=1, pause_ms=0)

    assert (result.answered_well, result.latencies_ms) == (0, ())
    assert result.problem is not None
