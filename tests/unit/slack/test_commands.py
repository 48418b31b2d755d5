"""What people type after a command."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.canary_looks import CanaryLook, LogKind
from bot.domain.guide import Does
from bot.domain.ids import TargetName
from bot.slack.commands import (
    LONGEST_REASON,
    Answer,
    IncidentCommand,
    LookCommand,
    Parsed,
    RollbackCommand,
    parse_incident,
    parse_logs,
    parse_probe,
    parse_rollback,
    parse_target,
    typed,
)
from bot.slack.text import Words
from tests.unit.slack.markup import foreign_markup

EN = Words(locale="en")
TARGETS = ("canary", "chat")


def rollback(text: str) -> RollbackCommand | Answer:
    return parse_rollback(text, targets=TARGETS, words=EN)


def status(text: str) -> TargetName | Answer:
    return parse_target("status", text, targets=TARGETS, words=EN)


def incident(text: str) -> IncidentCommand | Answer:
    return parse_incident(text, words=EN)


@pytest.mark.parametrize(
    ("text", "target", "forced", "reason"),
    [
        ("canary", "canary", False, ""),
        ("  canary  ", "canary", False, ""),
        ("CANARY", "canary", False, ""),
        ("chat force", "chat", True, ""),
        ("canary FORCE now", "canary", True, "now"),
        ("canary errors after the deployment", "canary", False, "errors after the deployment"),
        ("canary forced to", "canary", False, "forced to"),
        ("canary not force", "canary", False, "not force"),
        ("canary force force", "canary", True, "force"),
        ("canary\u00a0force\u3000오류율 1 %", "canary", True, "오류율 1 %"),
        ("canary\nfirst line\nsecond line", "canary", False, "first line\nsecond line"),
        ("canary a &lt;b&gt; &amp;amp; c", "canary", False, "a <b> &amp; c"),
        ("canary <@U0SENA|sena> said so", "canary", False, "@sena said so"),
        ("canary <@U0SENA> said so", "canary", False, "@U0SENA said so"),
        ("canary <!here> <!subteam^S1|@ops>", "canary", False, "!here !@ops"),
        ("canary see <http://a.example|a.example> <https://b.example>", "canary", False, "see a.example https://b.example"),
        ("canary in <#C0CRITICAL|critical>", "canary", False, "in #critical"),
        ("canary \u202eright to left", "canary", False, "right to left"),
        ("canary e\u0301", "canary", False, "é"),
    ],
)  # fmt: skip
def test_a_rollback_is_read(text: str, target: str, forced: bool, reason: str) -> None:
    assert rollback(text) == RollbackCommand(target=target, forced=forced, reason=reason)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "   ", "help", "HELP", "help me", "\n"])
def test_a_bare_command_explains_itself(text: str) -> None:
    for parse, name in ((rollback, "/rollback"), (incident, "/incident")):
        answer = parse(text)
        assert isinstance(answer, Answer)
        assert answer.text.startswith(f"*{name} ")


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("canry", "/rollback canary"),
        ("canari force errors", "/rollback canary force errors"),
        ("chatt now", "/rollback chat now"),
        ("canary\u200b", "/rollback canary"),
    ],
)
def test_an_unknown_target_is_answered_with_the_nearest_one(text: str, fixed: str) -> None:
    answer = rollback(text)

    assert isinstance(answer, Answer)
    assert f"`{fixed}`" in answer.text
    assert "Nothing was changed" in answer.text


def test_a_target_like_none_is_answered_with_all_of_them() -> None:
    answer = rollback("zzzzzz")

    assert isinstance(answer, Answer)
    assert "canary, chat" in answer.text
    assert "Did you mean" not in answer.text


def test_the_longest_reason_is_taken_whole() -> None:
    command = rollback(f"canary {'x' * LONGEST_REASON}")

    assert isinstance(command, RollbackCommand)
    assert command.reason == "x" * LONGEST_REASON


def test_a_longer_reason_is_refused_and_given_back_whole() -> None:
    reason = "x" * (LONGEST_REASON + 1)

    answer = rollback(f"canary force {reason}")

    assert isinstance(answer, Answer)
    assert f"/rollback canary force {reason}" in answer.text
    assert "501 characters, 500" in answer.text


@pytest.mark.parametrize(
    ("text", "target"),
    [("", "canary"), ("chat", "chat"), ("CHAT", "chat")],
)
def test_the_target_of_a_question_is_read(text: str, target: str) -> None:
    assert status(text) == target


@pytest.mark.parametrize(
    ("text", "near"), [("chta", "/canary status chat"), ("canry", "/canary status canary")]
)
def test_an_unknown_target_of_a_question_is_answered_with_the_nearest_one(text: str, near: str) -> None:
    answer = status(text)

    assert isinstance(answer, Answer)
    assert f"`{near}`" in answer.text


def logs(text: str) -> LookCommand | Answer:
    return parse_logs(text, targets=TARGETS, words=EN)


def probe(text: str) -> LookCommand | Answer:
    return parse_probe(text, targets=TARGETS, words=EN)


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("", "errors", "canary"),
        ("chat", "errors", "chat"),
        ("canary", "canary", "canary"),
        ("canary chat", "canary", "chat"),
        ("SLOW", "slow", "canary"),
        ("errors\u00a0Chat", "errors", "chat"),
    ],
)
def test_which_log_of_which_target_is_read(text: str, kind: str, target: str) -> None:
    look = CanaryLook(does=Does.LOGS, log=LogKind(kind))

    assert logs(text) == LookCommand(look=look, target=TargetName(target))


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("slwo", "/canary logs slow"),
        ("chta", "/canary logs chat"),
        ("zzz", "/canary logs errors"),
        ("slow chta", "/canary logs slow chat"),
        ("slow chat now", "/canary logs slow chat"),
        ("chat slow", "/canary logs chat"),
    ],
)
def test_a_log_nobody_knows_is_answered_with_what_to_write(text: str, fixed: str) -> None:
    answer = logs(text)

    assert isinstance(answer, Answer)
    assert f"`{fixed}`" in answer.text


@pytest.mark.parametrize(
    ("text", "requests", "pause_ms", "target"),
    [
        ("", 20, 100, "canary"),
        ("5", 5, 100, "canary"),
        ("1 0", 1, 0, "canary"),
        ("100 10000 chat", 100, 10_000, "chat"),
        ("chat", 20, 100, "chat"),
        ("007 CHAT", 7, 100, "chat"),
    ],
)
def test_a_probe_is_read(text: str, requests: int, pause_ms: int, target: str) -> None:
    look = CanaryLook(does=Does.PROBE, requests=requests, pause_ms=pause_ms)

    assert probe(text) == LookCommand(look=look, target=TargetName(target))


@pytest.mark.parametrize(
    "text",
    [
        *("0", "101", "20 10001", "20 requests", "abc", "-1", "1.5"),
        *("20 100 5", "20 100 canry", "٣", "9" * 40, "20 -5"),
    ],
)
def test_a_probe_that_cannot_be_is_answered_with_what_to_write_and_nothing_is_sent(text: str) -> None:
    answer = probe(text)

    assert isinstance(answer, Answer)
    assert "`/canary probe 20 100 canary`" in answer.text
    assert "1 to 100" in answer.text
    assert "0 to 10000" in answer.text
    assert "Nothing was sent." in answer.text


@pytest.mark.parametrize(
    ("text", "verb", "number", "rest", "bare"),
    [
        ("list", "list", None, "", False),
        ("list everything", "list", None, "everything", False),
        ("new chat", "new", None, "chat", False),
        ("NEW 12", "new", None, "12", False),
        ("show", "show", None, "", False),
        ("show 12", "show", 12, "", True),
        ("show INC-12 2", "show", 12, "2", False),
        ("record inc12", "record", 12, "", False),
        ("close 999999999", "close", 999999999, "", True),
        ("close\u00a07", "close", 7, "", True),
        ("note users cannot pay", "note", None, "users cannot pay", False),
        ("note inc-3 14:05 users\ncannot pay", "note", 3, "14:05 users\ncannot pay", False),
        ("note 340 users", "note", 340, "users", True),
        ("join 3 4", "join", 3, "4", True),
        ("severity high &lt;all&gt; of them", "severity", None, "high <all> of them", False),
    ],
)
def test_a_word_about_an_incident_is_read(
    text: str, verb: str, number: int | None, rest: str, bare: bool
) -> None:
    assert incident(text) == IncidentCommand(verb=verb, number=number, rest=rest, bare=bare)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["record twelve", "close -1", "close 12 13", "export 1000000000", "record INC-", "reopen x"]
)
def test_without_a_number_it_is_asked_which_one(text: str) -> None:
    answer = incident(text)

    assert isinstance(answer, Answer)
    assert "Which one?" in answer.text


@pytest.mark.parametrize(
    ("text", "near"), [("shwo 12", "show"), ("lst", "list"), ("cloes 1", "close"), ("🙂", "new")]
)
def test_an_unknown_word_about_incidents_is_answered_with_the_nearest_one(text: str, near: str) -> None:
    answer = incident(text)

    assert isinstance(answer, Answer)
    assert f"`/incident {near}`" in answer.text


@given(st.text(st.characters(exclude_categories=())))
@example("<@U1|<@U2|x>>")
@example("canary " + "<!channel>" * 40)
@example("İ" * 300)
@example("show ٣")
@example("\ud800")
def test_whatever_is_typed_is_answered_and_rings_nobody(text: str) -> None:
    for parse in (rollback, status, incident, logs, probe):
        for typed_text in (text, f"canary {text}", f"slow {text}", f"5 {text}", f"show {text}"):
            answer: Parsed = parse(typed_text)
            if isinstance(answer, Answer):
                assert answer.text
                assert foreign_markup(answer.text) == []


@given(st.text())
def test_what_slack_escaped_is_read_as_it_was_typed(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert typed(escaped) == text
