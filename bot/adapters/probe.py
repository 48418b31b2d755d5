"""Asks a health URL itself: the only way to see a service that answers nobody."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from bot import __version__
from bot.adapters.probe_addresses import Address, AddressRefused, resolve
from bot.domain.readings import ProbeResult, Side
from bot.domain.redaction import redact
from bot.usecases.ports import Prober

if TYPE_CHECKING:
    import ssl

    import httpx

#: How our requests are known in a request log.
AGENT = "backout/"
#: An answer longer than this is not read to its end; its status is what counts.
MOST_BYTES = 64 * 1024
#: A service that wants to be left alone for longer is asked again after this all the same, because
#: a prober that has stopped asking cannot tell that the service is down.
LONGEST_QUIET = timedelta(seconds=60)
TOO_MANY_REQUESTS = 429


@dataclass
class _Count:
    """What the requests of one probe came to so far."""

    sent: int = 0
    failures: int = 0
    throttled: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    status: int | None = None
    problem: str | None = None
    asked_quiet: timedelta = timedelta()

    def answered(self, response: "httpx.Response", latency_ms: float) -> None:
        self.sent += 1
        self.latencies_ms.append(latency_ms)
        self.status = response.status_code
        if response.status_code == TOO_MANY_REQUESTS or "Retry-After" in response.headers:
            self.throttled += 1
            self.asked_quiet = _retry_after(response.headers.get("Retry-After", ""))
        elif not response.is_success:
            self.failures += 1
            aside = ", a redirect, which is not followed" if response.has_redirect_location else ""
            self.problem = f"answered {response.status_code}{aside}"

    def unanswered(self, problem: str) -> None:
        self.sent += 1
        self.failures += 1
        self.problem = problem


class HttpProber(Prober):
    """Sends plain GETs, to public and private addresses but never to this machine's own services.

    Args:
        allow_loopback: probe this machine too; for the sandbox.
    """

    def __init__(self, *, allow_loopback: bool = False) -> None:
        self._allow_loopback = allow_loopback
        #: Until when (monotonic seconds) a URL's service asked to be left alone.
        self._quiet_until: dict[str, float] = {}
        self._tls: ssl.SSLContext | None = None

    async def probe(
        self, url: str, side: Side, *, requests: int, pause_ms: int, timeout_seconds: float = 30.0
    ) -> ProbeResult:
        """See `Prober.probe`. The time-out is for a request as a whole, name look-up included.

        A refused address and a service that asked for quiet are answered with ``sent=0`` and the
        reason in `problem`. The first throttled answer ends the probe.
        """
        since = datetime.now(UTC)
        count = _Count()
        if self._is_quiet(url):
            count.problem = "the service asked to be left alone for now"
        else:
            await self._ask(url, count, requests, pause_ms / 1000, timeout_seconds)
        return ProbeResult(
            side=side,
            url=url,
            sent=count.sent,
            failures=count.failures,
            throttled=count.throttled,
            latencies_ms=tuple(count.latencies_ms),
            since=since,
            until=datetime.now(UTC),
            status=count.status,
            problem=count.problem,
        )

    async def _ask(
        self, url: str, count: _Count, requests: int, pause_seconds: float, timeout_seconds: float
    ) -> None:
        import httpx

        try:
            where = _checked(httpx.URL(url))
            async with await self._client(timeout_seconds) as client:
                for number in range(requests):
                    if number:
                        await asyncio.sleep(pause_seconds)
                    await self._ask_once(client, where, count, timeout_seconds)
                    if count.throttled:
                        self._heed(url, count.asked_quiet)
                        return
        except (AddressRefused, httpx.InvalidURL) as refusal:
            count.problem = f"refused to probe: {refusal}"

    async def _client(self, timeout_seconds: float) -> "httpx.AsyncClient":
        import httpx

        if self._tls is None:
            # Reading all those certificates takes tens of milliseconds.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        return httpx.AsyncClient(
            verify=self._tls,
            timeout=timeout_seconds,
            follow_redirects=False,
            # Through a proxy the address that was checked is not the one that is called.
            trust_env=False,
            headers={"User-Agent": f"{AGENT}{__version__}", "Accept-Encoding": "identity"},
        )

    async def _ask_once(
        self, client: "httpx.AsyncClient", url: "httpx.URL", count: _Count, timeout_seconds: float
    ) -> None:
        import httpx

        try:
            async with asyncio.timeout(timeout_seconds):
                addresses = await resolve(url.host, _port(url), allow_loopback=self._allow_loopback)
                response, latency_ms = await _first_answer(client, url, addresses)
        except (TimeoutError, httpx.TimeoutException):
            count.unanswered(f"no answer within {timeout_seconds:g} s")
        except (OSError, UnicodeError, httpx.HTTPError) as error:
            count.unanswered(_in_words(error))
        else:
            count.answered(response, latency_ms)

    def _heed(self, url: str, quiet: timedelta) -> None:
        if quiet > timedelta():
            self._quiet_until[url] = time.monotonic() + min(quiet, LONGEST_QUIET).total_seconds()

    def _is_quiet(self, url: str) -> bool:
        return time.monotonic() < self._quiet_until.get(url, 0)


def _checked(url: "httpx.URL") -> "httpx.URL":
    if url.scheme not in ("http", "https") or not url.host:
        raise AddressRefused("only http:// and https:// addresses are probed")
    if url.port is not None and not 0 < url.port < 65_536:
        raise AddressRefused(f"{url.port} is no port")
    if url.userinfo:
        raise AddressRefused("the address carries a user name or password")
    return url


def _port(url: "httpx.URL") -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def _first_answer(
    client: "httpx.AsyncClient", url: "httpx.URL", addresses: list[Address]
) -> tuple["httpx.Response", float]:
    """Return the answer of the first address that lets us connect, and its latency in milliseconds."""
    import httpx

    for address in addresses[:-1]:
        try:
            return await _answer(client, url, address)
        except httpx.ConnectError:
            continue
    return await _answer(client, url, addresses[-1])


async def _answer(
    client: "httpx.AsyncClient", url: "httpx.URL", address: Address
) -> tuple["httpx.Response", float]:
    """Ask the very address that was checked, under the name that was written."""
    started = time.perf_counter()
    async with client.stream(
        "GET",
        url.copy_with(host=str(address)),
        headers={"Host": url.netloc.decode("ascii")},
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    ) as response:
        await _read_some(response)
    return response, (time.perf_counter() - started) * 1000


async def _read_some(response: "httpx.Response") -> None:
    read = 0
    async for piece in response.aiter_raw():
        read += len(piece)
        if read >= MOST_BYTES:
            return


def _retry_after(written: str) -> timedelta:
    """Read a ``Retry-After`` header, seconds or an HTTP date; zero when it is neither."""
    if written.isascii() and written.isdigit():
        return timedelta(seconds=min(int(written), 86_400))
    try:
        return parsedate_to_datetime(written) - datetime.now(UTC)
    except (TypeError, ValueError):
        return timedelta()


def _in_words(error: Exception) -> str:
    said = redact(" ".join(str(error).split())).text
    return f"no answer: {said or type(error).__name__}"[:300]
