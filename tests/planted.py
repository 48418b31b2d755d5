"""Made-up secrets of many kinds, and the many ways in which logs and people write them down.

Every secret is put together here from pieces and a seed, so that none stands in this file, and none is
anybody's. `Planted.pieces` is what must not be left of one.
"""

import base64
import html
import json
import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One secret as it stands in a text; `name` is what tells it, where its own shape does not."""

    kind: str
    value: str
    pieces: tuple[str, ...]
    name: str = ""

    @property
    def written(self) -> str:
        """It in running text."""
        return f"{self.name}={self.value}" if self.name else self.value

    def left_in(self, text: str) -> list[str]:
        """Return the pieces that are still there, as they are or as an address writes them."""
        forms = {form for piece in self.pieces for form in (piece, quote(piece), quote_plus(piece))}
        return sorted(form for form in forms if form in text)


def _letters(rng: random.Random, count: int, of: str = LETTERS) -> str:
    # A digit and both cases are always there: a word of letters alone is no token.
    return (
        "a7B"[: max(0, count)] + "".join(rng.choice(of) for _ in range(count - 3))
        if of == LETTERS
        else "".join(rng.choice(of) for _ in range(count))
    )


Making = Callable[[random.Random], Planted]


def _token(kind: str, begin: str, count: int, of: str = LETTERS) -> tuple[str, Making]:
    def make(rng: random.Random) -> Planted:
        secret = _letters(rng, count, of)
        return Planted(kind=kind, value=begin + secret, pieces=(secret,))

    return kind, make


def _named(kind: str, name: str, count: int, of: str = LETTERS, end: str = "") -> tuple[str, Making]:
    def make(rng: random.Random) -> Planted:
        secret = _letters(rng, count, of)
        return Planted(kind=kind, name=name, value=secret + end, pieces=(secret,))

    return kind, make


def _address(kind: str, scheme: str, host: str) -> tuple[str, Making]:
    def make(rng: random.Random) -> Planted:
        secret = _letters(rng, 14)
        return Planted(kind=kind, value=f"{scheme}://ion:{secret}@{host}", pieces=(secret,))

    return kind, make


def _pem(kind: str, label: str) -> tuple[str, Making]:
    def make(rng: random.Random) -> Planted:
        lines = tuple(_letters(rng, length) for length in (64, 64, 64, 31))
        dashes = "-" * 5
        text = "\n".join(
            (f"{dashes}BEGIN {label}PRIVATE KEY{dashes}", *lines, f"{dashes}END {label}PRIVATE KEY{dashes}")
        )
        return Planted(kind=kind, value=text, pieces=lines)

    return kind, make


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _jwt(rng: random.Random) -> Planted:
    body, signature = _encoded(json.dumps({"sub": _letters(rng, 12)})), _letters(rng, 43)
    head = _encoded('{"alg":"HS256","typ":"JWT"}')
    return Planted(kind="JWT", value=f"{head}.{body}.{signature}", pieces=(body, signature))


def _basic(rng: random.Random) -> Planted:
    coded = base64.b64encode(f"ion:{_letters(rng, 13)}".encode()).decode()
    return Planted(kind="Basic", value=f"Basic {coded}", pieces=(coded.rstrip("="),))


def _cookie(rng: random.Random) -> Planted:
    one, two = _letters(rng, 24), _letters(rng, 16)
    return Planted(kind="Cookie", name="Cookie", value=f"ion_login={one}; ion_visit={two}", pieces=(one, two))


def _set_cookie(rng: random.Random) -> Planted:
    one = _letters(rng, 24)
    return Planted(kind="Set-Cookie", name="Set-Cookie", value=f"ion={one}; Path=/; HttpOnly", pieces=(one,))


def _sendgrid(rng: random.Random) -> Planted:
    one, two = _letters(rng, 22), _letters(rng, 43)
    return Planted(kind="SendGrid", value="SG" + f".{one}.{two}", pieces=(one, two))


def _telegram(rng: random.Random) -> Planted:
    secret = _letters(rng, 33)
    return Planted(kind="Telegram", value=f"{_letters(rng, 10, '123456789')}:AA{secret}", pieces=(secret,))


def _discord(rng: random.Random) -> Planted:
    one, three = _letters(rng, 23), _letters(rng, 30)
    return Planted(kind="Discord", value=f"M{one}.{_letters(rng, 6)}.{three}", pieces=(one, three))


def _email(rng: random.Random) -> Planted:
    local = _letters(rng, 9).lower()
    return Planted(kind="e-mail", value=f"{local}.kim@mail.example.com", pieces=(local,))


def _phone(kind: str, begin: str, gap: str = "-") -> tuple[str, Making]:
    def make(rng: random.Random) -> Planted:
        middle, end = _letters(rng, 4, "23456789"), _letters(rng, 4, string.digits)
        return Planted(
            kind=kind, value=gap.join((begin, middle, end)), pieces=(f"{middle}{gap}{end}", middle + end)
        )

    return kind, make


def _resident(kind: str, hyphen: str) -> tuple[str, Making]:
    def make(rng: random.Random) -> Planted:
        born = f"{rng.randint(50, 99)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
        rest = f"{rng.randint(1, 2)}{_letters(rng, 6, string.digits)}"
        return Planted(kind=kind, value=f"{born}{hyphen}{rest}", pieces=(rest, born))

    return kind, make


def _card(kind: str, gap: str) -> tuple[str, Making]:
    def make(rng: random.Random) -> Planted:
        body = "4" + _letters(rng, 14, string.digits)
        doubled = [int(d) * (2 - i % 2) for i, d in enumerate(body)]
        check = -sum(d - 9 if d > 9 else d for d in doubled) % 10
        number = f"{body}{check}"
        fours = [number[at : at + 4] for at in range(0, 16, 4)]
        return Planted(kind=kind, value=gap.join(fours), pieces=(gap.join(fours[2:]), "".join(fours[1:])))

    return kind, make


def _slack_hook(rng: random.Random) -> Planted:
    secret = _letters(rng, 24)
    return Planted(
        kind="Slack hook",
        value=f"https://hooks.slack.com/services/T0ION/B0{_letters(rng, 8)}/{secret}",
        pieces=(secret,),
    )


KINDS: Mapping[str, Making] = dict(
    (
        *(_token(f"Slack xox{one}", f"xox{one}-", 30) for one in "bpars"),
        _token("Slack xoxe", "xoxe" + ".xoxp-1-", 40),
        _token("Slack xapp", "xapp" + "-1-A0ION-", 40),
        ("Slack hook", _slack_hook),
        _named("Slack signing secret", "SLACK_SIGNING_SECRET", 32, HEX),
        _token("Google API key", "AI" + "za", 35),
        _token("Google access token", "ya" + "29.", 60),
        _token("Google client secret", "GOC" + "SPX-", 28),
        _pem("PEM", ""),
        _pem("PEM RSA", "RSA "),
        _pem("PEM EC", "EC "),
        _pem("PEM OpenSSH", "OPENSSH "),
        _pem("PEM encrypted", "ENCRYPTED "),
        ("JWT", _jwt),
        _token("Bearer", "Bearer ", 32),
        ("Basic", _basic),
        ("Cookie", _cookie),
        ("Set-Cookie", _set_cookie),
        _address("PostgreSQL", "postgresql+psycopg", "db.internal:5432/ion"),
        _address("MySQL", "mysql", "10.0.0.5/ion"),
        _address("MongoDB", "mongodb+srv", "cluster0.example.net/ion"),
        _address("Redis", "rediss", "cache:6379/0"),
        _address("AMQP", "amqp", "queue/vhost"),
        _token("AWS key id", "AK" + "IA", 16, string.ascii_uppercase + "234567"),
        _named("AWS secret key", "aws_secret_access_key", 40),
        _token("GitHub", "gh" + "p_", 36),
        _token("GitHub fine-grained", "github" + "_pat_", 60),
        _token("GitLab", "gl" + "pat-", 20),
        _token("Stripe", "sk" + "_live_", 24),
        _token("Stripe hook", "wh" + "sec_", 32),
        _token("OpenAI", "sk" + "-proj-", 48),
        _token("Anthropic", "sk" + "-ant-api03-", 60),
        _token("npm", "np" + "m_", 36),
        _token("PyPI", "py" + "pi-AgEIcHlwaS5vcmc", 60),
        ("SendGrid", _sendgrid),
        _token("Twilio", "S" + "K", 32, HEX),
        _named("Azure", "AccountKey", 86, end="=="),
        ("Telegram", _telegram),
        ("Discord", _discord),
        _named("password", "DB_PASSWORD", 12),
        _named("client secret", "client_secret", 24),
        _named("API key", "X-Api-Key", 24),
        _named("token", "refresh_token", 24),
        _named("session", "session_id", 24),
        ("e-mail", _email),
        _phone("Korean mobile", "010"),
        _phone("Korean mobile in one", "010", ""),
        _phone("Korean landline", "02"),
        _phone("Korean mobile from abroad", "+82 10", " "),
        _phone("American", "+1-415", "-"),
        _resident("resident number", "-"),
        _resident("resident number in one", ""),
        _card("card", " "),
        _card("card with hyphens", "-"),
        _card("card in one", ""),
        _token("Google OAuth code", "4" + "/0A", 60),
    )
)  # fmt: skip


def _field(secret: Planted) -> str:
    return secret.name or "detail"


def _json(secret: Planted) -> str:
    return json.dumps({"user": 7, _field(secret): secret.value, "ok": False}, ensure_ascii=False)


def _in_json_in_json(secret: Planted) -> str:
    return json.dumps({"body": _json(secret)})


def _in_yaml(secret: Planted) -> str:
    if "\n" in secret.value:
        return f"ion:\n  {_field(secret)}: |\n" + "\n".join(
            f"    {line}" for line in secret.value.split("\n")
        )
    return f"ion:\n  replicas: 2\n  {_field(secret)}: {secret.value}\n  port: 8080\n"


def _in_a_trace(secret: Planted) -> str:
    return (
        "Traceback (most recent call last):\n"
        '  File "/app/ion/store.py", line 42, in connect\n'
        f"    self._open({secret.written})\n"
        f"ConnectionError: gave up on {secret.written}\n"
    )


def _in_a_trace_of_java(secret: Planted) -> str:
    return f"java.sql.SQLException: refused: {secret.written}\n\tat ai.ion.Store.open(Store.java:42)\n"


#: The ways of writing one down, by name.
SHAPES: Mapping[str, Callable[[Planted], str]] = {
    "alone": lambda s: s.written,
    "in a sentence": lambda s: f"could not connect with {s.written} after 3 tries",
    "at the end": lambda s: f"retrying: {s.written}.",
    "in double quotes": lambda s: f'"{s.written}"',
    "in single quotes": lambda s: f"login '{s.written}' refused",
    "in backticks": lambda s: f"I pasted `{s.written}` there",
    "in brackets": lambda s: f"connect({s.written})",
    "in JSON": _json,
    "deep in JSON": lambda s: json.dumps({"a": [{"b": {_field(s): s.value}}]}),
    "in JSON in JSON": _in_json_in_json,
    "in JSON three times over": lambda s: json.dumps({"log": _in_json_in_json(s)}),
    "in a message in JSON": lambda s: json.dumps({"message": f"failed:\n{s.written}\nend"}),
    "as Python prints it": lambda s: repr({"user": 7, _field(s): s.value}),
    "in YAML": _in_yaml,
    "in an environment": lambda s: json.dumps([{"name": _field(s), "value": s.value}]),
    "in an address": lambda s: f"GET https://ion.ai/cb?a=1&{_field(s)}={quote(s.value)}&b=2 500",
    "in an encoded address": lambda s: f"next=https%3A%2F%2Fion.ai%2F%3F{quote(s.written, safe='')}%26b%3D2",
    "in a form": lambda s: f"a=1&{_field(s)}={quote_plus(s.value)}&b=2",
    "in a header": lambda s: f"{s.name or 'X-Detail'}: {s.value}\r\nHost: ion.ai",
    "in a stack trace": _in_a_trace,
    "in a stack trace of Java": _in_a_trace_of_java,
    "in Korean": lambda s: f"어제 {s.written}를 채널에 붙여 넣었습니다",
    "in Korean, named": lambda s: f"접속 정보는 {s.written}입니다.",
    "in logfmt": lambda s: f'level=error {_field(s)}="{s.value}" took=12ms',
    "in CSV": lambda s: f'2026-11-23,"{s.written}",500',
    "in XML": lambda s: f"<conf><{_field(s)}>{s.value}</{_field(s)}></conf>",
    "in a shell": lambda s: f"export {_field(s)}='{s.value}' && ./run",
    "in HTML": lambda s: html.escape(f'{_field(s)}="{s.value}"'),
    "in a table": lambda s: f"user\t7\t{s.written}\t500",
    "far behind": lambda s: "/api/chat 500 " * 200 + s.written,
}


def planted(seed: int) -> list[tuple[Planted, str, str]]:
    """Return one secret of every kind in every shape: the secret, the shape's name, the text."""
    rng = random.Random(seed)
    found = []
    for make in KINDS.values():
        for shape, write in SHAPES.items():
            secret = make(rng)
            found.append((secret, shape, write(secret)))
    return found
