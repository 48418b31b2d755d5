"""The gate: every forged or malformed request gets a 4xx, reaches nobody, and costs one short log line."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.slack import gate as gate_module
from bot.slack.bodies import MAX_DEPTH
from bot.slack.gate import Gate, Identity
from bot.slack.request_head import MAX_BODY_BYTES

NOW = 1_800_000_000
SECRET = "a-signing-secret-for-tests"
US = Identity(team_id="T0HOME", app_id="A0BACKOUT")
FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"

Headers = Sequence[tuple[bytes, bytes]]


def sign(body: bytes, *, timestamp: bytes = b"%d" % NOW, secret: str = SECRET) -> bytes:
    mac = hmac.new(secret.encode(), b"v0:" + timestamp + b":" + body, hashlib.sha256)
    return b"v0=" + mac.hexdigest().encode()


def command(**changes: str) -> bytes:
    fields = {
        "token": "legacy",
        "team_id": US.team_id,
        "api_app_id": US.app_id,
        "user_id": "U0SENA",
        "command": "/rollback",
        "text": "canary reason 오류율 100% + payload=bad & more",
        "trigger_id": "1.2.3",
    }
    return urlencode(fields | changes).encode()


def click(**changes: Any) -> bytes:
    payload = {
        "type": "block_actions",
        "api_app_id": US.app_id,
        "team": {"id": US.team_id, "domain": "home"},
        "user": {"id": "U0SENA", "team_id": US.team_id},
        "actions": [{"action_id": "rollback.go", "block_id": "b", "value": "1"}],
        "message": {"text": "Roll back?"},
    }
    return urlencode({"payload": json.dumps(payload | changes)}).encode()


def event(**changes: Any) -> bytes:
    envelope = {
        "type": "event_callback",
        "api_app_id": US.app_id,
        "team_id": US.team_id,
        "authorizations": [{"team_id": US.team_id}],
        "event": {"type": "app_home_opened", "user": "U0SENA"},
        "event_id": "Ev1",
    }
    return json.dumps(envelope | changes).encode()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller sends. `headers` None: the right ones, signed for exactly this body."""

    body: bytes = field(default_factory=command)
    content_type: bytes = FORM
    headers: Headers | None = None
    method: str = "POST"
    path: str = "/slack/events"
    query: bytes = b""
    chunk_bytes: int | None = None

    def all_headers(self) -> list[tuple[bytes, bytes]]:
        if self.headers is not None:
            return list(self.headers)
        return [*signed(self.body, self.content_type), (b"content-length", b"%d" % len(self.body))]

    def scope(self) -> Scope:
        return {
            "type": "http",
            "method": self.method,
            "path": self.path,
            "query_string": self.query,
            "headers": self.all_headers(),
        }

    def messages(self) -> Iterator[Message]:
        step = self.chunk_bytes or max(1, len(self.body))
        for start in range(0, max(1, len(self.body)), step):
            more = start + step < len(self.body)
            yield {"type": "http.request", "body": self.body[start : start + step], "more_body": more}
        yield {"type": "http.disconnect"}


def signed(body: bytes, content_type: bytes = FORM, *, timestamp: bytes = b"%d" % NOW) -> Headers:
    return (
        (b"host", b"backout.example.com"),
        (b"content-type", content_type),
        (b"x-slack-request-timestamp", timestamp),
        (b"x-slack-signature", sign(body, timestamp=timestamp)),
    )


def with_header(name: bytes, value: bytes | None, *, body: bytes | None = None) -> Request:
    """A good request but for one header (None: without it)."""
    good = Request(body=command() if body is None else body)
    others = [pair for pair in good.all_headers() if pair[0] != name]
    return replace(good, headers=others if value is None else [*others, (name, value)])


def with_another(name: bytes, value: bytes) -> Request:
    good = Request()
    return replace(good, headers=[*good.all_headers(), (name, value)])


@dataclass
class Inner:
    """The app behind the gate; remembers what it was given."""

    scopes: list[Scope] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"passed"})


@dataclass(frozen=True)
class Outcome:
    status: int | None
    headers: dict[bytes, bytes]
    body: bytes
    inner: Inner
    logs: list[EventDict]
    read: int


async def ask(
    request: Request, *, identity: Identity | None = US, now: float = NOW, inner: Inner | None = None
) -> Outcome:
    inner = Inner() if inner is None else inner
    gate = Gate(inner, signing_secret=SECRET, clock=lambda: now, identity=lambda: identity)
    incoming = request.messages()
    sent: list[Message] = []
    read = 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return next(incoming)

    async def send(message: Message) -> None:
        sent.append(message)

    with capture_logs() as logs:
        await gate(request.scope(), receive, send)
    start = next((message for message in sent if message["type"] == "http.response.start"), None)
    answer = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    status, headers = (None, {}) if start is None else (start["status"], dict(start["headers"]))
    return Outcome(status, headers, answer, inner, logs, read)


# Good requests


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Request(), id="a command"),
        pytest.param(Request(body=click()), id="a click"),
        pytest.param(Request(body=event(), content_type=JSON), id="an event"),
        pytest.param(Request(content_type=FORM + b"; charset=utf-8"), id="with a charset"),
        pytest.param(
            Request(content_type=b"Application/X-WWW-Form-URLencoded;charset=UTF-8"), id="in capitals"
        ),
        pytest.param(Request(chunk_bytes=7), id="in chunks"),
        pytest.param(Request(headers=signed(command()), chunk_bytes=1), id="in chunks, no content-length"),
        pytest.param(with_another(b"x-slack-retry-num", b"1"), id="a redelivery"),
        pytest.param(with_another(b"accept", b"*/*"), id="with an ordinary header"),
        pytest.param(
            Request(headers=[(n.title(), v) for n, v in signed(command())]), id="header names in capitals"
        ),
        pytest.param(Request(headers=signed(command(), timestamp=b"%d" % (NOW - 300))), id="300 s old"),
        pytest.param(Request(headers=signed(command(), timestamp=b"%d" % (NOW + 300))), id="300 s ahead"),
        pytest.param(
            Request(body=b'{"type":"url_verification","challenge":"c","token":"t"}', content_type=JSON),
            id="Slack asks whether the address is ours",
        ),
        pytest.param(Request(body=b"ssl_check=1&token=t"), id="a signed certificate check"),
        pytest.param(
            Request(body=click(type="message_action", api_app_id=None)), id="a shortcut names no app"
        ),
        pytest.param(Request(body=command(text="x" * (MAX_BODY_BYTES - len(command(text=""))))), id="2 MiB"),
        pytest.param(Request(body=command(text="")), id="no text"),
    ],
)
async def test_what_slack_signed_for_us_arrives_byte_for_byte(request_: Request) -> None:
    outcome = await ask(request_)

    assert (outcome.status, outcome.body, outcome.logs) == (200, b"passed", [])
    assert outcome.inner.bodies == [request_.body]
    assert outcome.inner.scopes == [request_.scope()]


async def test_the_signature_of_slacks_own_documentation_is_accepted() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F"
        b"96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = b"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    request = Request(
        body=body,
        headers=[
            (b"content-type", FORM),
            (b"x-slack-request-timestamp", b"1531420618"),
            (b"x-slack-signature", signature),
        ],
    )
    inner = Inner()
    gate = Gate(
        inner,
        signing_secret="8f742231b10e8888abcd99yyyzzz85a5",
        clock=lambda: 1531420618.0,
        identity=lambda: None,
    )

    await gate(request.scope(), _receiver(request), _ignore)

    assert inner.bodies == [body]


def test_slacks_own_library_makes_the_signatures_that_the_gate_expects() -> None:
    body = command().decode()

    signature = SignatureVerifier(SECRET).generate_signature(timestamp=str(NOW), body=body)

    assert signature == sign(command()).decode()


async def test_a_replay_passes_since_the_use_cases_know_what_they_have_done() -> None:
    inner = Inner()

    first = await ask(Request(), inner=inner)
    second = await ask(Request(), inner=inner, now=NOW + 299)

    assert (first.status, second.status) == (200, 200)
    assert inner.bodies == [command(), command()]


async def test_an_outsiders_click_passes_since_the_use_case_explains_the_refusal() -> None:
    outsider = click(user={"id": "U0OUTSIDE", "team_id": "T0PARTNER"})

    outcome = await ask(Request(body=outsider))

    assert outcome.status == 200


async def test_an_outsiders_modal_passes_when_the_app_was_installed_by_us() -> None:
    modal = click(
        type="view_submission",
        team={"id": "T0PARTNER"},
        view={"id": "V1", "team_id": "T0PARTNER", "app_installed_team_id": US.team_id},
    )

    outcome = await ask(Request(body=modal))

    assert outcome.status == 200


async def test_an_event_in_a_shared_channel_passes_when_we_are_among_the_authorizations() -> None:
    shared = event(team_id="T0PARTNER", authorizations=[{"team_id": "T0PARTNER"}, {"team_id": US.team_id}])

    outcome = await ask(Request(body=shared, content_type=JSON))

    assert outcome.status == 200


async def test_before_we_know_who_we_are_the_signature_alone_decides() -> None:
    elsewhere = Request(body=command(team_id="T0ELSEWHERE", api_app_id="A0ELSEWHERE"))

    known = await ask(elsewhere, identity=US)
    unknown = await ask(elsewhere, identity=None)

    assert (known.status, unknown.status) == (403, 200)


async def test_the_inner_app_still_hears_that_the_caller_left() -> None:
    heard: list[str] = []

    async def inner(_scope: Scope, receive: Receive, _send: Send) -> None:
        heard.extend([(await receive())["type"], (await receive())["type"]])

    gate = Gate(inner, signing_secret=SECRET, clock=lambda: NOW, identity=lambda: US)
    request = Request()

    await gate(request.scope(), _receiver(request), _ignore)

    assert heard == ["http.request", "http.disconnect"]


async def test_trouble_of_the_inner_app_is_not_the_gates_to_hide() -> None:
    async def inner(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise LookupError("inner")

    gate = Gate(inner, signing_secret=SECRET, clock=lambda: NOW, identity=lambda: US)
    request = Request()

    with pytest.raises(LookupError, match="inner"):
        await gate(request.scope(), _receiver(request), _ignore)


# Forged and malformed requests

_GOOD = sign(command()).removeprefix(b"v0=")
_DEEP = MAX_DEPTH + 1

ADDRESSES = {
    **{
        f"method {m}": Request(method=m)
        for m in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
    },
    **{f"method {m!r}": Request(method=m) for m in ("CONNECT", "post", "POST ", "PROPFIND", "")},
    **{
        f"path {path!r}": Request(path=path)
        for path in (
            "",
            "/",
            "/slack",
            "/slack/events/",
            "//slack/events",
            "/slack//events",
            "/slack/Events",
            "/slack/events/../events",
            "/slack/events\x00",
            "/slack/events\n",
            "/slack/install",
            "/slack/oauth_redirect",
        )
    },
    "a query string": Request(query=b"ssl_check=1"),
    "an empty looking query": Request(query=b"&"),
}

TIMESTAMPS = {
    **{
        f"timestamp {value!r}": Request(headers=signed(command(), timestamp=value))
        for value in (
            b"",
            b" ",
            b"now",
            b"-1",
            b"+1800000000",
            b" 1800000000",
            b"1800000000 ",
            b"1800000000\n",
            b"1800000000.0",
            b"1.8e9",
            b"0x6b49d200",
            b"1_800_000_000",
            b"18000000000",
            b"1800000000000",
            b"9" * 5000,
            "１８０００００００".encode(),
            b"\xff\xfe",
            b"1800000000,1800000000",
            b"NaN",
            b"Infinity",
            b"0",
            b"1",
            b"9999999999",
            b"%d" % (NOW - 301),
            b"%d" % (NOW + 301),
            b"%d" % (NOW - 86_400),
        )
    },
    "no timestamp": with_header(b"x-slack-request-timestamp", None),
    "a timestamp that was not signed": with_header(b"x-slack-request-timestamp", b"%d" % (NOW - 1)),
    "a timestamp with a zero in front": with_header(b"x-slack-request-timestamp", b"0%d" % (NOW // 10)),
}

SIGNATURES = {
    **{
        f"signature {value[:24]!r} of {len(value)} bytes": with_header(b"x-slack-signature", value)
        for value in (
            b"",
            b"v0",
            b"v0=",
            b"=",
            _GOOD,
            b"v0=" + _GOOD.upper(),
            b"V0=" + _GOOD,
            b"v1=" + _GOOD,
            b"v0:" + _GOOD,
            b"v0==" + _GOOD,
            b" v0=" + _GOOD,
            b"v0=" + _GOOD + b" ",
            b"v0=" + _GOOD + b"\n",
            b"v0=" + _GOOD + b"0",
            b"v0=" + _GOOD[:-1],
            b"v0=" + _GOOD[::-1],
            b"v0=" + b"0" * 64,
            b"v0=" + b"g" * 64,
            b"v0=" + b"\xc3\xa9" * 32,
            b"v0=" + b"\x00" * 64,
            b"v0=" + _GOOD + b",v0=" + _GOOD,
            b"\xff\xfe",
            b"a" * 100_000,
            sign(command(), secret=SECRET + "x"),
            sign(command(), secret=""),
            sign(command() + b"&"),
            sign(b""),
            sign(command(), timestamp=b"%d" % (NOW - 1)),
            b"v0=" + hashlib.sha256(command()).hexdigest().encode(),
            b"v0=" + hmac.new(SECRET.encode(), command(), hashlib.sha256).hexdigest().encode(),
        )
    },
    "no signature": with_header(b"x-slack-signature", None),
    "no Slack header at all": Request(headers=[(b"content-type", FORM)]),
    "no header at all": Request(headers=[]),
    "an unsigned certificate check": Request(body=b"ssl_check=1", headers=[(b"content-type", FORM)]),
    "an unsigned certificate check with a command": Request(
        body=command(ssl_check="1"), headers=[(b"content-type", FORM)]
    ),
    "an unsigned address check": Request(
        body=b'{"type":"url_verification","challenge":"c"}', headers=[(b"content-type", JSON)]
    ),
}

HEADERS = {
    **{
        f"a second {name.decode()}": with_another(name, value)
        for name, value in (
            (b"x-slack-signature", sign(command())),
            (b"X-Slack-Signature", b"v0=" + b"0" * 64),
            (b"x-slack-request-timestamp", b"%d" % NOW),
            (b"X-SLACK-REQUEST-TIMESTAMP", b"1"),
            (b"content-type", FORM),
            (b"Content-Type", JSON),
            (b"content-length", b"%d" % len(command())),
            (b"Content-Length", b"0"),
        )
    },
    "a retry number twice": replace(
        Request(), headers=[*signed(command()), (b"x-slack-retry-num", b"1"), (b"x-slack-retry-num", b"2")]
    ),
    "Bolt's lazy switch": with_another(b"x-slack-bolt-lazy-only", b"1"),
    "Bolt's lazy switch in capitals": with_another(b"X-Slack-Bolt-Lazy-Function-Name", b"f"),
    **{
        f"content type {value!r}": with_header(b"content-type", value)
        for value in (
            None,
            b"",
            b"text/plain",
            b"text/html",
            b"application/xml",
            b"multipart/form-data; boundary=x",
            b"application/x-www-form-urlencoded, application/json",
            b"application/json/",
            b"application/jsonp",
            b"application/x-www-form-urlencoded; charset=utf-16",
            b"application/x-www-form-urlencoded; charset=euc-kr",
            b"application/x-www-form-urlencoded\napplication/json",
            b"\xff",
        )
    },
    **{
        f"content encoding {value!r}": with_another(b"content-encoding", value)
        for value in (b"gzip", b"br", b"deflate", b"zstd", b"gzip, identity", b"")
    },
    **{
        f"content length {value!r}": with_header(b"content-length", value)
        for value in (
            b"",
            b"-1",
            b"+5",
            b"0",
            b"1",
            b"abc",
            b"0x10",
            b"1e3",
            b"1,1",
            b"9" * 30,
            "５".encode(),
            b"%d" % (len(command()) - 1),
            b"%d" % (len(command()) + 1),
            b"%d" % (MAX_BODY_BYTES + 1),
            b"%d" % 10**9,
        )
    },
}

#: Signed as Slack would sign, and still not what Slack sends.
FORMS = {
    f"form {body[:40]!r}": Request(body=body)
    for body in (
        b"",
        b"&",
        b"=",
        b"a",
        b"=value",
        b"command",
        b"text=only",
        b"{}",
        b'{"type":"event_callback","x":"="}',
        b" payload={}",
        b"\xef\xbb\xbfpayload={}",
        b"Payload={}",
        b"pay%6coad={}",
        b"payload=",
        b"payload=null",
        b"payload=[]",
        b"payload=1",
        b"payload=%22text%22",
        b"payload={",
        b"payload={}x",
        b"payload=NaN",
        b"payload=%7B%22a%22%3ANaN%7D",
        b"payload=%7B%22a%22%3A-Infinity%7D",
        b"payload=%EF%BB%BF%7B%7D",
        b"payload={'type':'block_actions'}",
        b"payload={}&payload={}",
        b"payload={}&command=%2Frollback",
        b"payload={}&token=x",
        b"payload={}&",
        b"&payload={}",
        b"payload={};command=%2Frollback",
        b"command=%2Frollback&command=%2Fcanary",
        command() + b"&team_id=T0HOME",
        command() + b"&user_id=U0SENA",
        command() + b"&ssl_check=1",
        command() + b"&&text2=a",
        command() + b"&text2",
        command() + b"\n",
        command(text="") + b"&text2=%",
        command(text="") + b"&text2=%4",
        command(text="") + b"&text2=%zz",
        command(text="") + b"&text2=%%41",
        command(text="") + b"&text2=a=b",
        command(text="") + b"&text2=%0\n",
        command(text="") + b"&text2=%ff",
        command(text="") + b"&text2=%ed%a0%80",
        command(text="") + b"&text2=%c0%af",
        command(text="") + b"&text2=\xff",
        command() + b"".join(b"&f%d=1" % n for n in range(70)),
        command() + b"&" + b"f" * 65 + b"=1",
        b"payload=" + b"[" * 100_000,
        b"payload=" + b"[" * 100_000 + b"]" * 100_000,
        b"payload=" + b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"payload=%7B%22a%22%3A" + b"[" * _DEEP + b"]" * _DEEP + b"%7D",
        b"payload=%7B%22n%22%3A" + b"9" * 5000 + b"%7D",
    )
}

JSONS = {
    f"JSON {body[:40]!r}": Request(body=body, content_type=JSON)
    for body in (
        b"",
        b" ",
        b"null",
        b"true",
        b"1",
        b'"text"',
        b"[]",
        b"[{}]",
        b"{",
        b"{}{}",
        b"{},",
        b'{"type":"event_callback"',
        b"{'type':'event_callback'}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":01}',
        b'{"a":"\n"}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        event().decode().encode("utf-16"),
        event().decode().encode("utf-16-le"),
        event().decode().encode("utf-32"),
        b"\x00" + event(),
        event() + b"\x00",
        command(),
        click(),
        b"[" * 200_000,
        b'{"a":' * 70_000,
        b'{"a":' + b"[" * _DEEP + b"]" * _DEEP + b"}",
        b'{"a":' + b"9" * 5000 + b"}",
    )
}

RECIPIENTS = {
    "a command of another team": Request(body=command(team_id="T0ELSEWHERE")),
    "a command of another app": Request(body=command(api_app_id="A0ELSEWHERE")),
    "a command of no team": Request(body=command(team_id="")),
    "a command of no app": Request(body=b"command=%2Frollback&team_id=T0HOME"),
    "our team in small letters": Request(body=command(team_id="t0home")),
    "our team with a blank": Request(body=command(team_id="T0HOME ")),
    "a command that claims to be a certificate check": Request(
        body=b"ssl_check=0&team_id=T0ELSEWHERE&api_app_id=A0BACKOUT"
    ),
    "a click in another team": Request(body=click(team={"id": "T0ELSEWHERE"})),
    "a click in no team": Request(body=click(team=None)),
    "a click in a list of teams": Request(body=click(team=[US.team_id])),
    "a click whose team is an object": Request(body=click(team={"id": {"id": US.team_id}})),
    "a click on another app": Request(body=click(api_app_id="A0ELSEWHERE")),
    "a click on no app": Request(body=click(api_app_id=None)),
    "a click on a list of apps": Request(body=click(api_app_id=[US.app_id])),
    "a click that claims to be a certificate check": Request(
        body=click(ssl_check="0", team={"id": "T0ELSEWHERE"})
    ),
    "a modal installed by another team": Request(
        body=click(type="view_submission", view={"app_installed_team_id": "T0ELSEWHERE"})
    ),
    "a shortcut in another team": Request(
        body=click(type="shortcut", api_app_id=None, team={"id": "T0ELSEWHERE"})
    ),
    "a shortcut of another app": Request(body=click(type="shortcut", api_app_id="A0ELSEWHERE")),
    "an event of another team": Request(
        body=event(authorizations=[{"team_id": "T0ELSEWHERE"}]), content_type=JSON
    ),
    "an event with odd authorizations": Request(body=event(authorizations=["T0HOME", 1]), content_type=JSON),
    "an event of another app": Request(body=event(api_app_id="A0ELSEWHERE"), content_type=JSON),
    "an event of nobody": Request(body=b"{}", content_type=JSON),
}

SIZES = {
    "one byte too many": Request(body=command(text="x" * (MAX_BODY_BYTES + 1 - len(command(text=""))))),
    "far too many": Request(body=b"x" * (4 * MAX_BODY_BYTES)),
    "too many, in chunks without a content-length": Request(
        body=b"x" * (4 * MAX_BODY_BYTES), headers=signed(b"x" * (4 * MAX_BODY_BYTES)), chunk_bytes=65_536
    ),
    "too many, and less declared": Request(
        body=b"x" * (4 * MAX_BODY_BYTES),
        headers=[*signed(b"x" * (4 * MAX_BODY_BYTES)), (b"content-length", b"100")],
        chunk_bytes=65_536,
    ),
}

BAD = ADDRESSES | TIMESTAMPS | SIGNATURES | HEADERS | FORMS | JSONS | RECIPIENTS | SIZES


def test_there_are_more_than_two_hundred_bad_requests_to_try() -> None:
    assert len(BAD) > 200


@pytest.mark.parametrize("request_", [pytest.param(bad, id=ascii(name)) for name, bad in BAD.items()])
async def test_a_bad_request_gets_a_4xx_and_goes_no_further(request_: Request) -> None:
    outcome = await ask(request_)

    assert outcome.status is not None
    assert 400 <= outcome.status < 500
    assert outcome.inner.scopes == []
    assert 0 < len(outcome.body) <= 40
    assert outcome.headers[b"content-length"] == b"%d" % len(outcome.body)
    assert_short_and_silent(outcome.logs, request_)


def assert_short_and_silent(logs: list[EventDict], request: Request) -> None:
    """One line of at most 300 bytes, with nothing in it that the caller chose."""
    (entry,) = logs
    rendered = structlog.processors.JSONRenderer()(
        None, "warning", {**entry, "timestamp": "2026-11-22T23:50:00Z"}
    )
    assert len(str(rendered).encode()) <= 300
    assert "\n" not in str(rendered)
    assert entry["event"] == "slack_request_refused"
    assert set(entry) <= {
        "event", "log_level", "reason", "age_seconds", "declared_bytes", "received_bytes"
    }  # fmt: skip
    assert str(entry["reason"]).replace("_", "").isalpha()


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        (Request(path="/elsewhere"), 404, "wrong_path"),
        (Request(method="GET"), 405, "wrong_method"),
        (Request(query=b"a=1"), 400, "query_string"),
        (with_header(b"content-type", b"text/plain"), 415, "content_type"),
        (with_another(b"content-encoding", b"gzip"), 415, "content_encoding"),
        (with_header(b"content-length", b"1"), 400, "content_length"),
        (with_another(b"content-type", JSON), 400, "duplicate_header"),
        (with_another(b"x-slack-bolt-lazy-only", b"1"), 400, "unexpected_header"),
        (with_header(b"x-slack-signature", None), 401, "unsigned"),
        (with_header(b"x-slack-signature", b"v0=" + b"0" * 64), 401, "signature"),
        (with_header(b"x-slack-request-timestamp", b"soon"), 401, "timestamp"),
        (with_header(b"x-slack-request-timestamp", b"1"), 401, "stale"),
        (with_header(b"content-length", b"%d" % (MAX_BODY_BYTES + 1)), 413, "too_large"),
        (Request(body=b"payload={"), 400, "malformed"),
        (Request(body=command(api_app_id="A0X")), 403, "wrong_app"),
        (Request(body=command(team_id="T0X")), 403, "wrong_team"),
    ],
)
async def test_each_reason_has_its_status(request_: Request, status: int, reason: str) -> None:
    outcome = await ask(request_)

    assert (outcome.status, outcome.logs[0]["reason"]) == (status, reason)


async def test_a_wrong_method_is_told_the_right_one() -> None:
    outcome = await ask(Request(method="GET"))

    assert outcome.headers[b"allow"] == b"POST"


async def test_the_log_says_how_far_off_the_clocks_are() -> None:
    outcome = await ask(Request(), now=NOW + 3600.4)

    assert outcome.logs[0]["age_seconds"] == 3600


async def test_a_large_body_is_not_read_when_its_length_says_so() -> None:
    outcome = await ask(SIZES["far too many"])

    assert (outcome.status, outcome.read) == (413, 0)


async def test_a_large_body_is_read_no_further_than_the_limit() -> None:
    outcome = await ask(SIZES["too many, in chunks without a content-length"])

    assert (outcome.status, outcome.read) == (413, MAX_BODY_BYTES // 65_536 + 1)


async def test_an_unsigned_body_is_not_read_at_all() -> None:
    outcome = await ask(with_header(b"x-slack-signature", None))

    assert (outcome.status, outcome.read) == (401, 0)


async def test_a_body_is_not_parsed_before_its_signature_is_checked() -> None:
    broken = Request(body=b"payload={", headers=signed(b"another body"))

    outcome = await ask(broken)

    assert outcome.logs[0]["reason"] == "signature"


async def test_nobody_is_answered_when_the_caller_left_half_way() -> None:
    halves: list[Message] = [
        {"type": "http.request", "body": b"x", "more_body": True},
        {"type": "http.disconnect"},
    ]
    incoming = iter(halves)
    sent: list[Message] = []
    inner = Inner()
    gate = Gate(inner, signing_secret=SECRET, clock=lambda: NOW, identity=lambda: US)

    async def receive() -> Message:
        return next(incoming)

    async def send(message: Message) -> None:
        sent.append(message)

    await gate(Request(headers=signed(command())).scope(), receive, send)

    assert (sent, inner.scopes) == ([], [])


async def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "MAX_BODY_SECONDS", 0.01)
    sent: list[Message] = []
    gate = Gate(Inner(), signing_secret=SECRET, clock=lambda: NOW, identity=lambda: US)

    async def receive() -> Message:
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def send(message: Message) -> None:
        sent.append(message)

    with capture_logs() as logs:
        await gate(Request().scope(), receive, send)

    assert sent[0]["status"] == 408
    # While it waited, others may have had something to say.
    assert [log["reason"] for log in logs if log["event"] == "slack_request_refused"] == ["too_slow"]


async def test_a_websocket_is_closed() -> None:
    sent: list[Message] = []
    inner = Inner()
    gate = Gate(inner, signing_secret=SECRET, clock=lambda: NOW, identity=lambda: US)

    async def send(message: Message) -> None:
        sent.append(message)

    await gate({"type": "websocket", "path": "/slack/events"}, _never, send)

    assert (sent, inner.scopes) == ([{"type": "websocket.close", "code": 1008}], [])


async def test_the_start_of_the_server_is_passed_on() -> None:
    inner = Inner()
    gate = Gate(inner, signing_secret=SECRET, clock=lambda: NOW, identity=lambda: US)

    await gate({"type": "lifespan"}, _never, _ignore)

    assert inner.scopes == [{"type": "lifespan"}]


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_secret_is_refused_since_anybody_could_sign_with_it(blank: str) -> None:
    with pytest.raises(ValueError, match="blank"):
        Gate(Inner(), signing_secret=blank, clock=lambda: NOW, identity=lambda: None)


# Mutations: accepted only when nothing that counts was changed

_MUTATIONS = settings(max_examples=1000, deadline=None)


@_MUTATIONS
@given(data=st.data(), good=st.sampled_from([command(), click(), event()]))
def test_a_body_with_any_change_is_refused(data: st.DataObject, good: bytes) -> None:
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    body = good[:start] + data.draw(st.binary(max_size=8)) + good[end:]
    kind = JSON if good == event() else FORM

    outcome = asyncio.run(ask(Request(body=body, headers=signed(good, kind))))

    assert (outcome.status == 200) == (body == good)
    assert outcome.status in (200, 401)


@_MUTATIONS
@given(data=st.data(), name=st.sampled_from([b"x-slack-signature", b"x-slack-request-timestamp"]))
def test_a_slack_header_with_any_change_is_refused(data: st.DataObject, name: bytes) -> None:
    good = dict(signed(command()))[name]
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    value = good[:start] + data.draw(st.binary(max_size=4)) + good[end:]

    outcome = asyncio.run(ask(with_header(name, value)))

    assert (outcome.status == 200) == (value == good)
    assert outcome.status in (200, 401)


@_MUTATIONS
@given(body=st.binary(max_size=200) | st.text('{}[]",:payload=&%0az\\u', max_size=60).map(str.encode))
def test_no_signed_rubbish_gets_more_than_a_4xx(body: bytes) -> None:
    for kind in (FORM, JSON):
        outcome = asyncio.run(ask(Request(body=body, content_type=kind)))

        assert outcome.status in (400, 403)
        assert outcome.inner.scopes == []


def _receiver(request: Request) -> Callable[[], Awaitable[Message]]:
    messages = request.messages()

    async def receive() -> Message:
        return next(messages)

    return receive


async def _ignore(_message: Message) -> None:
    return None


async def _never() -> Message:
    raise AssertionError("nobody should read")
