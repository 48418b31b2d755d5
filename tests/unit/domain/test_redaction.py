"""Redaction: forty kinds of secrets in thirty shapes are gone, what is none stays, and nothing takes long."""

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.finds import REPLACED, What
from bot.domain.redaction import redact, redact_facts, redact_named
from tests.benign import benign_lines
from tests.planted import KINDS, SHAPES, planted

#: Longest name of a kind with its brackets.
LONGEST_NAME = max(len(what) for what in What) + 2


def test_there_are_forty_kinds_and_a_thousand_secrets() -> None:
    assert len(KINDS) >= 40
    assert len(SHAPES) >= 25
    assert len(planted(seed=1)) >= 1000


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_left_of_any_secret_in_any_shape(seed: int) -> None:
    left = [
        (secret.kind, shape, text)
        for secret, shape, text in planted(seed)
        if secret.left_in(redact(text).text) or not redact(text).count
    ]

    assert left == []


def test_redacting_twice_changes_nothing_and_counts_nothing() -> None:
    once = [redact(text).text for _, _, text in planted(seed=3)]

    assert [redact(text).text for text in once] == once
    assert sum(redact(text).count for text in once) == 0


def test_json_stays_json() -> None:
    for secret, shape, text in planted(seed=4):
        if shape.startswith(("in JSON", "deep in JSON", "in a message in JSON", "in an environment")):
            assert json.loads(redact(text).text), (secret.kind, shape)


def test_at_most_one_in_a_hundred_harmless_lines_is_altered() -> None:
    lines = benign_lines(10_000, seed=5)

    altered = [line for line in lines if redact(line).count]

    assert len(altered) <= 100, altered[:5]


@pytest.mark.parametrize(
    "text",
    [
        "U0LUBIT rolled back ion-api-00042-abc in C0CRITICAL",
        "deployer@ion-prod.iam.gserviceaccount.com changed the service",
        "trace 0123456789abcdef0123456789abcdef, span 0123456789abcdef",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "123e4567-e89b-12d3-a456-426614174000",
        "2026-11-23T10:00:00.123456789+09:00, 1760000000000 ms, 1760000000000000000 ns",
        "10.0.0.1:8080, [2001:db8::1]:443, 192.168.0.10",
        "v1.2.3, 4.17.21, numpy==2.1.0, node@20.1.0, icon@2x.png, git@github.com:ion/api.git",
        "0.4111111111111111 of 5500000000000004.25",
        "call the switchboard, 1588-1234",
        "max_tokens=4096 token_count: 12 tokens: 7 next_page_token=CAEQAA keyboard=on monkey: 1",
        "the token expired, the password was reset, the secret is out",
        "password: null, token=true, secret: projects/ion/secrets/db/versions/3, api_key=${API_KEY}",
        "Basic authentication failed; bearer of bad news",
        "postgresql://db.internal/ion and https://ion.ai/login?next=/a@b",
        "https://host:8080/path/a@b, http://[::1]:80/a@b, mongodb://a:1,b:2/ion?x=c@d, file://C:/ion/a@b",
        r'{"at": "https:\/\/host:8080\/path\/a@b"}',
        "비밀번호 변경 요청 3건, 토큰은 만료되었습니다, 암호화 키 교체",
        "991332-1234567 is no date, 4111 1111 1111 1112 no card",
        "+09:00, +1, 2+123456789, a+82 b",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text).text == text
    assert redact(text).count == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sena@example.com에게 보냈습니다", "[e-mail]에게 보냈습니다"),
        ("mailto:Sena.Kim+ops@mail.example.co.kr!", "mailto:[e-mail]!"),
        ("비밀번호는 hunter2입니다", "비밀번호는 [password]입니다"),
        ("비밀번호: hunter", "비밀번호: [password]"),
        ("API 키는 abcd1234를 쓰세요", "API 키는 [key]를 쓰세요"),
        ("010-1234-5678로 전화", "[telephone number]로 전화"),
        ("(02) 345-6789 · +82 10 1234 5678", "[telephone number] · [telephone number]"),
        ("주민번호 900101-1234567", "주민번호 [resident number]"),
        # Numbers given out since October 2020 carry no check digit: the date and the hyphen tell.
        ("210301-3000000", "[resident number]"),
        ("postgresql://ion:p@55:w0rd@db/ion", "postgresql://[login]@db/ion"),
        ("postgresql://ion:pa/55@db/ion", "postgresql://[login]@db/ion"),
        ("redis://:/pa/5:5/@cache/0 gave up", "redis://[login]@cache/0 gave up"),
        (r"postgresql:\/\/ion:pa\/55@db\/ion", r"postgresql:\/\/[login]@db\/ion"),
        ("password='two words', user=ion", "password='[password]', user=ion"),
        ('{"password": "with \\"quotes\\" in it"}', '{"password": "[password]"}'),
        ("Authorization: Bearer abcd", "Authorization: Bearer [login]"),
        ("deploy --db-password hunter --port 80", "deploy --db-password [password] --port 80"),
        ("password=hunter2&user=ion", "password=[password]&user=ion"),
        ("name: DB_PASSWORD\n  value: hunter2", "name: DB_PASSWORD\n  value: [password]"),
    ],
)
def test_what_was_replaced_says_what_it_was(text: str, expected: str) -> None:
    assert redact(text).text == expected


def test_every_find_is_counted() -> None:
    assert redact("a@example.com, b@example.com and 010-1234-5678").count == 3


@pytest.mark.parametrize(
    ("number", "is_one"),
    [
        ("9001011234568", True),
        ("9001321234568", False),
        # The time in milliseconds on 1 January 2027, which reads as a date of birth in 1980.
        ("1801011234567", False),
        ("주민등록번호 1801011234567", True),
        # 29 February: there was none in 1990, and one in 1992.
        ("900229-1234567", False),
        ("920229-1234567", True),
    ],
)
def test_a_resident_number_is_known_by_its_date(number: str, is_one: bool) -> None:
    assert ("[resident number]" in redact(number).text) is is_one


def test_lines_of_a_key_that_a_log_took_apart_go_too() -> None:
    line = "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC7VJTUt9Us8cKj"

    assert redact(line).text == "[private key]"
    assert redact("a" * 64).count == redact("0123456789abcdef" * 4).count == 0


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DB_PASSWORD", "two words", "[password]"),
        ("OPENAI_API_KEY", "abc", "abc"),
        ("OPENAI_API_KEY", "abcdef", "[key]"),
        ("SOME_KEY", "a1b2c3d4e5f6a7b8", "[key]"),
        ("PARTITION_KEY", "user_id", "user_id"),
        ("MAX_TOKENS", "4096", "4096"),
        ("DATABASE_URL", "redis://:pa55@cache/0", "redis://[login]@cache/0"),
        ("PASSWORD", "", ""),
        ("EMAIL", "a@example.com", "[e-mail]"),
    ],
)
def test_a_name_tells_that_all_of_its_value_is_a_secret(name: str, value: str, expected: str) -> None:
    assert redact_named(name, value).text == expected


def test_what_is_meant_to_be_read_is_spared() -> None:
    template = "Questions: help@example.com"

    found = redact("Questions: help@example.com, or a@example.com", spare=template)

    assert (found.text, found.count) == ("Questions: help@example.com, or [e-mail]", 1)


def test_facts_keep_who_and_whom_to_call_and_lose_secrets() -> None:
    facts = {
        "by": "google:a@example.com",
        "phone": "+82 10 1234 5678",
        "n": 3,
        "more": [("xoxb-1-abc", None)],
    }

    kept = redact_facts(facts)

    assert kept == {**facts, "more": [("[Slack token]", None)]}


@given(st.text(max_size=400))
def test_any_text_is_redacted_once_and_for_all(text: str) -> None:
    once = redact(text)

    assert redact(once.text) == type(once)(text=once.text, count=0)
    assert len(once.text) <= len(text) + LONGEST_NAME * once.count
    assert once.count > 0 or once.text == text


_PIECES = st.sampled_from(
    [
        "password", "=", ": ", '"', "'", '\\"', "token", "[token]", "[", "]", "a@b.co", "Bearer ", "xoxb-",
        "://", "@", "010", "-", "1234", "5678", "eyJ", ".", "%3D", "\n", "\\n", " ", "비밀번호는 ", "key",
        "api_", "Cookie: ", ";", "-----BEGIN PRIVATE KEY-----", "-----END", "sk-", "a1B2c3d4e5f6g7h8i9j0",
        "4111 1111 1111 1111", "<", ">", "is ",
    ]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_pieces_of_secrets_in_any_order_are_redacted_once_and_for_all(text: str) -> None:
    once = redact(text)

    assert redact(once.text) == type(once)(text=once.text, count=0)
    assert REPLACED.sub("", once.text) == REPLACED.sub("", redact(once.text).text)


def _seconds(text: str) -> float:
    began = time.process_time()
    redact(text)
    return time.process_time() - began


#: What makes a careless pattern read the same stretch over and over.
STRETCHES = (
    "a", "1", "1 ", "eyJ", "eyJa.", "sk-", "sk-a", "a@", "@a.", "a.", "://", "://a:", "%3A%2F%2Fa%3A",
    "://a:b/", "://:", ":\\/\\/a:",
    "password=", "password='", 'password=\\"', "token: ", "secret \\n,", "cookie: a; ", "\\", "-----",
    "authorization: bearer ", "-----BEGIN PRIVATE KEY-----", "+1 ", "4111 ", "010", "0123456789abcdef",
    "M.", "SG.", "curl -u a", "[token]", "%40", "\n", " ",
)  # fmt: skip


@pytest.mark.parametrize(
    "stretch", [*STRETCHES, json.dumps({"message": "KeyError", "path": "/api/chat"}) + "\n"]
)
def test_ten_times_the_text_takes_about_ten_times_as_long(stretch: str) -> None:
    def of_length(length: int) -> str:
        return (stretch * (length // len(stretch) + 1))[:length]

    small, large = of_length(30_000), of_length(300_000)
    usual = min(_seconds(small) for _ in range(3))

    # Squared it would be a hundred times as long; the clock's own grain counts for the small ones.
    assert _seconds(large) < 40 * max(usual, 0.005)


@pytest.mark.parametrize("write", [str, repr, json.dumps])
def test_a_name_of_a_kind_is_known_again_however_it_is_written(write: Callable[[str], str]) -> None:
    for what in What:
        assert redact(f"password={write(f'[{what}]')}").count == 0
