"""The shape of a message: whatever varies is left out, whatever says what happened stays."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.message_shape import LONGEST_SHAPE, shape, status_of


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        # Numbers, with their units, and digits that belong to a word.
        ("user 42 waited 3000ms of 5.5 s", "user ‹n› waited ‹n›ms of ‹n› s"),
        ("user_123 and worker-3 and order12345", "user_‹n› and worker-‹n› and order‹n›"),
        ("sha256 over http2 as utf8", "sha256 over http2 as utf8"),
        ("order 123 and order123 and order1234", "order ‹n› and order123 and order‹n›"),
        # Ids.
        ("id 123e4567-e89b-12d3-a456-426614174000 gone", "id ‹id› gone"),
        ("block 0x7ffe and 9f86d081884c7d65", "block ‹id› and ‹id›"),
        ("deadbeef is a word, dead8eef is none", "deadbeef is a word, ‹id› is none"),
        ("dead8ee is short", "dead8ee is short"),
        ("key AKx12zz34YY5678qQ expired", "key ‹id› expired"),
        ("RecommendationEngineV2Error", "RecommendationEngineV2Error"),
        ("revision ion-api-canary-00042-lee died", "revision ion-api-canary-‹id› died"),
        # Quotations; an apostrophe is none.
        ("KeyError: 'turn_id' in \"x y\"", "KeyError: ‹text› in ‹text›"),
        ("it can't be and it won't be", "it can't be and it won't be"),
        ("“말” and 「말」", "‹text› and ‹text›"),
        # Moments.
        ("2026-11-23T10:00:00.123Z late", "‹time› late"),
        ("2026-11-23 10:00:00,5 +09:00 late by 10:00:01", "‹time› late by ‹time›"),
        ("2026/11/23 late", "‹time› late"),
        # Addresses.
        ("to 10.0.0.3:5432 and fe80::1ff:fe23:4567:890a", "to ‹ip› and ‹ip›"),
        ("std::vector is no address, nor is a:b:c", "std::vector is no address, nor is a:b:c"),
        ("mail to sena.k@example.co.kr", "mail to ‹address›"),
        ("GET https://pay.example/v1/charge/7?token=a&x=1", "GET https://pay.example/v1/charge/‹n›?‹query›"),
        # What tells one failure from another stays.
        ("answered HTTP 503", "answered HTTP 503"),
        ("status=502, status code: 500", "status=502, status code: 500"),
        ("GET /api/session/42 → 500", "GET /api/session/‹n› → 500"),
        # Korean, whole and in single letters.
        ("사용자 12345의 세션이 없음: '홍길동'", "사용자 ‹n›의 세션이 없음: ‹text›"),
        ("\u1109\u1166\u1109\u1167\u11ab 5", "세션 ‹n›"),
        # Whitespace and colours.
        ("  a \t b\n", "a b"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("", ""),
        (" \n ", ""),
    ],
)  # fmt: skip
def test_what_varies_is_left_out_and_what_tells_stays(said: str, wanted: str) -> None:
    assert shape(said) == wanted


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (
            'Traceback (most recent call last):\n  File "/app/x.py", line 3, in f\n    go()\nKeyError: 5\n',
            "KeyError: ‹n›",
        ),
        (
            'request failed\nTraceback (most recent call last):\n  File "x.py", line 3\nsa.exc.DbError: gone',
            "request failed sa.exc.DbError: gone",
        ),
        # Cut off before its end.
        (
            'Traceback (most recent call last):\n  File "/app/x.py", line 3, in f\n    go(',
            "File ‹text›, line ‹n›, in f",
        ),
        (
            "java.lang.IllegalStateException: no bean 7\n\tat com.x.Y.z(Y.java:3)\n",
            "java.lang.IllegalStateException: no bean ‹n›",
        ),
        (
            "panic: runtime error: index out of range [5]\n\ngoroutine 1",
            "panic: runtime error: index out of range [‹n›]",
        ),
    ],
)
def test_of_a_stack_trace_the_first_line_and_the_exception_are_kept(said: str, wanted: str) -> None:
    assert shape(said) == wanted


def test_a_long_shape_is_cut_where_one_sees_it() -> None:
    assert shape("x" * LONGEST_SHAPE) == "x" * LONGEST_SHAPE
    assert shape("x" * (LONGEST_SHAPE + 1)) == "x" * (LONGEST_SHAPE - 1) + "…"


def test_messages_of_one_kind_have_one_shape() -> None:
    said = [f"user {n} not found in 0.{n} s at 10.0.0.{n}" for n in range(100)]

    assert len({shape(one) for one in said}) == 1


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("GET /api/chat → 500", "500"),
        ("POST / → 404", "404"),
        ("GET /a b → 500", None),
        ("the answer: GET /api/chat → 500", None),
        ("GET /api/chat → 5000", None),
    ],
)
def test_a_line_of_the_request_log_is_told_from_one_of_the_application(said: str, status: str | None) -> None:
    assert status_of(said) == status


#: Texts in which marks meet: what a rule replaces may make room for another.
MARKED = st.text(st.sampled_from("ab1.:-/'\"`?=@→ \n‹›세0xTe") | st.characters(), max_size=400)


@settings(max_examples=300, deadline=None)
@given(MARKED)
def test_a_shape_is_its_own_shape_whatever_was_said(text: str) -> None:
    found = shape(text)

    assert shape(found) == found
    assert len(found) <= LONGEST_SHAPE
    assert "\n" not in found


@pytest.mark.parametrize(
    "piece", ["a1", "'", '"a', "1.", "a:", "a@", "-", "?a=", "0x", "1:1:", "a.b@", "세", "\n", "x_1", "1-"]
)
def test_the_work_grows_no_faster_than_the_text(piece: str) -> None:
    def seconds_for(length: int) -> float:
        text, began = piece * (length // len(piece)), time.process_time()
        shape(text)
        return time.process_time() - began

    seconds_for(1_000)

    # A rule that tries every end from every beginning would need hours for this.
    assert seconds_for(2_000_000) < 5
