"""HTTP/1.1 messages as bytes, for the sandbox's small servers and their client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

#: Larger heads and bodies are refused; the sandbox's own messages are under 2 KiB.
MAX_HEAD_BYTES = 32 * 1024
MAX_BODY_BYTES = 1024 * 1024

#: Names the addresses a request came by, the nearest last. On loopback it stands for the peer's own.
FORWARDED_HEADER = "x-forwarded-for"


class Malformed(Exception):
    """The peer did not speak HTTP as we understand it; `status` is the answer it gets."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request; header names are lower case, `path` includes the query."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def keep_alive(self) -> bool:
        """True when the connection may be used again after the answer."""
        return self.headers.get("connection", "").lower() != "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """One answer; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def encode_request(request: HttpRequest, *, host: str) -> bytes:
    """Return `request` as it goes over the wire to `host`."""
    lines = [f"{request.method} {request.path} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name not in _OURS]
    lines.append(f"content-length: {len(request.body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + request.body


def encode_response(response: HttpResponse, *, to: HttpRequest | None, close: bool) -> bytes:
    """Return `response` as it goes over the wire; the answer to a HEAD carries no body."""
    lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items() if name not in _OURS]
    lines.append(f"content-length: {len(response.body)}")
    if close:
        lines.append("connection: close")
    body = b"" if to is not None and to.method == "HEAD" else response.body
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def decode_request(buffer: bytearray) -> HttpRequest | None:
    """Take one whole request off the front of `buffer`, None while it is incomplete.

    Raises:
        Malformed: not HTTP/1.x, too large, or a body of unknown length.
    """
    taken = _take(buffer)
    if taken is None:
        return None
    first, headers, body = taken
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not parts[1].startswith("/"):
        raise Malformed(400, "not an HTTP/1.1 request line")
    return HttpRequest(method=parts[0], path=parts[1], headers=headers, body=body)


def decode_response(buffer: bytearray) -> HttpResponse | None:
    """Take one whole answer off the front of `buffer`, None while it is incomplete.

    Raises:
        Malformed: not HTTP/1.x.
    """
    taken = _take(buffer)
    if taken is None:
        return None
    first, headers, body = taken
    parts = first.split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdecimal():
        raise Malformed(502, "not an HTTP/1.1 status line")
    return HttpResponse(status=int(parts[1]), headers=headers, body=body)


#: Headers the encoder writes itself.
_OURS = frozenset({"host", "content-length", "connection", "transfer-encoding"})


def _take(buffer: bytearray) -> tuple[str, dict[str, str], bytes] | None:
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > MAX_HEAD_BYTES:
            raise Malformed(431, "head too large")
        return None
    first, headers = _head(bytes(buffer[:end]))
    length = _body_length(headers)
    if len(buffer) < end + 4 + length:
        return None
    body = bytes(buffer[end + 4 : end + 4 + length])
    del buffer[: end + 4 + length]
    return first, headers, body


def _head(raw: bytes) -> tuple[str, dict[str, str]]:
    first, *rest = raw.decode("latin-1").split("\r\n")
    headers = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon:
            raise Malformed(400, "header without a colon")
        headers[name.strip().lower()] = value.strip()
    return first, headers


def _body_length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise Malformed(411, "length required")
    raw = headers.get("content-length", "0")
    if not raw.isdecimal():
        raise Malformed(400, "bad content-length")
    if int(raw) > MAX_BODY_BYTES:
        raise Malformed(413, "body too large")
    return int(raw)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
