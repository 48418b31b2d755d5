"""Logs: one JSON object a line, in the shape Cloud Logging reads, without secrets."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

import pytest
import structlog

from bot.logs import set_up_logs

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Set logging up as the bot does, and return what it has written; puts everything back."""
    root = logging.getLogger()
    before, level, configured = root.handlers[:], root.level, structlog.get_config()
    with redirect_stderr(StringIO()) as written:
        set_up_logs()
        yield lambda: [json.loads(line) for line in written.getvalue().split("\n") if line]
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.configure(**configured)


@pytest.mark.parametrize(
    ("method", "severity"),
    [("info", "INFO"), ("warning", "WARNING"), ("error", "ERROR"), ("critical", "CRITICAL")],
)
def test_a_line_is_json_with_time_severity_and_message(lines: Lines, method: str, severity: str) -> None:
    getattr(structlog.get_logger(), method)("rollback_ended", outcome="verified", number=12)

    (line,) = lines()
    assert (line["message"], line["severity"]) == ("rollback_ended", severity)
    assert (line["outcome"], line["number"]) == ("verified", 12)
    assert line["time"].endswith("Z")


def test_debugging_is_left_out(lines: Lines) -> None:
    structlog.get_logger().debug("noise")

    assert lines() == []


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1111-2222-abcDEF",
        "xoxe.xoxb-1-abc",
        "xoxp-1-2-3-abc",
        "xapp-1-A0-1-abc",
        "https://hooks.slack.com/commands/T0/1/abc",
        "wss://wss-primary.slack.com/link/?ticket=abc&app_id=def",
    ],
)
@pytest.mark.parametrize("where", ["message", "field", "list", "mapping", "deep", "exception"])
def test_a_secret_is_left_out_wherever_it_turns_up(lines: Lines, secret: str, where: str) -> None:
    log = structlog.get_logger()
    text = f"see {secret} here"

    match where:
        case "message":
            log.warning(text)
        case "field":
            log.warning("x", detail=text)
        case "list":
            log.warning("x", detail=[text])
        case "mapping":
            log.warning("x", detail={"a": text})
        case "deep":
            log.warning("x", detail={"a": [{"b": (text,)}]})
        case _:
            try:
                raise RuntimeError(text)
            except RuntimeError:
                log.exception("x")

    (line,) = lines()
    said = json.dumps(line)
    assert re.search(r"\[Slack (token|address)\]", said)
    assert not any(part in said for part in ("abc", "ticket"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://backout:pa55@db.example.com/backout",
        "postgresql+psycopg://backout:pa55@/backout?host=/run",
        "postgresql://backout:p@55:pa55@db/backout",
        "redis://:pa55@cache",
    ],
)
def test_a_password_in_an_address_is_left_out(lines: Lines, url: str) -> None:
    structlog.get_logger().error("database_gone", url=f"at {url}")

    (line,) = lines()
    assert "55" not in line["url"]
    assert "[login]@" in line["url"]


def test_an_address_without_a_password_stays(lines: Lines) -> None:
    structlog.get_logger().error("x", url="http://127.0.0.1:8080/health, https://a.example/x@y")

    assert lines()[0]["url"] == "http://127.0.0.1:8080/health, https://a.example/x@y"


def test_a_line_break_cannot_begin_a_line_of_its_own(lines: Lines) -> None:
    forged = 'a\n{"severity": "CRITICAL", "message": "forged"}\r\nb'

    structlog.get_logger().warning("x", detail=forged)

    (line,) = lines()
    assert line["detail"] == forged


def test_odd_values_do_not_break_a_line(lines: Lines) -> None:
    structlog.get_logger().warning("x", detail=object(), number=float("1.5"), none=None, text="오류")

    (line,) = lines()
    assert (line["none"], line["text"]) == (None, "오류")


def test_an_object_that_is_no_text_is_searched_too(lines: Lines) -> None:
    structlog.get_logger().warning("x", error=ValueError("login of xoxb-1-abc"), password="hunter2")

    (line,) = lines()
    assert line["error"] == "ValueError('login of [Slack token]')"
    assert line["password"] == "[password]"


def test_an_error_carries_its_stack(lines: Lines) -> None:
    try:
        raise ValueError("why")
    except ValueError:
        structlog.get_logger().exception("failed")

    (line,) = lines()
    assert (line["severity"], "ValueError: why" in line["exception"]) == ("ERROR", True)


def test_a_librarys_warning_comes_in_the_same_shape_and_its_chatter_not(lines: Lines) -> None:
    library = logging.getLogger("some.library")

    library.info("chatter")
    library.warning("token %s", "xoxb-1-abc")
    library.error("broken\nfor good")

    said = lines()
    assert [line["severity"] for line in said] == ["WARNING", "ERROR"]
    assert said[0]["message"] == "token [Slack token]"
    assert said[0]["library"] == "some.library"
