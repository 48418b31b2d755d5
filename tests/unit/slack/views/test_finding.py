"""What a look found, as a message: sources, samples and ages, nothing that rings, nothing torn."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.domain.finding import About, Finding, Remark, Unread
from bot.domain.guide import Does
from bot.domain.ids import TargetName
from bot.domain.log_lines import LogLine, LogLines
from bot.domain.readings import Metric, Side
from bot.domain.resources import Resources
from bot.domain.status import ServingLine, Status
from bot.domain.traffic import Condition
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, Words
from bot.slack.views.finding import finding_message
from tests.guide import the_guide
from tests.unit.slack.markup import all_texts, foreign_markup, mrkdwn_texts
from tests.values import NOON, SICK, a_probe, a_reading, a_service, seconds

EN = Words(locale="en")


def a_finding(does: Does, hostile: str = "x", **more: object) -> Finding:
    titles = {"en": hostile[:75], "ko": hostile[:75]}
    found = Finding(
        does=does, titles=titles, target=TargetName("canary"), read_at=NOON, by_hand=f"gcloud {hostile}"
    )
    return replace(found, **more)  # type: ignore[arg-type]


def a_status(hostile: str = "x") -> Status:
    return Status(
        target=TargetName("canary"),
        read_at=NOON,
        serving=(ServingLine(name=hostile, percent=90, role="stable"),),
        settled=True,
        last_modifier=hostile[:300],
        readings=SICK,
    )


def a_line(hostile: str, number: int = 0, *, detail: str | None = None) -> LogLine:
    return LogLine(
        at=NOON - seconds(number),
        severity="ERROR",
        message=hostile,
        detail=hostile if detail is None else detail,
        revision=hostile,
    )


def a_log(*lines: LogLine, more: bool = False, problem: str | None = None) -> LogLines:
    return LogLines(
        lines=lines, filter="x", limit=50, since=NOON - seconds(3600), until=NOON, more=more, problem=problem
    )


def findings(hostile: str) -> Iterator[Finding]:
    yield a_finding(Does.STATUS, hostile, status=a_status(hostile))
    yield a_finding(Does.METRICS, hostile, status=a_status(hostile))
    yield a_finding(Does.METRICS, hostile, status=replace(a_status(), readings=(), problem=hostile))
    yield a_finding(Does.LOGS, hostile, log=a_log())
    yield a_finding(Does.LOGS, hostile, log=a_log(*[a_line(hostile, n) for n in range(50)], more=True))
    yield a_finding(Does.LOGS, hostile, log=a_log(*[a_line(f"{hostile}{n}", n) for n in range(50)]))
    service = a_service(
        last_modifier=hostile, images=(hostile, hostile), problem=hostile,
        resources=Resources(memory_mib=512, cpu_milli=1500, min_instances=0, max_instances=10),
        conditions=(Condition(kind=hostile, well=False, message=hostile), Condition(kind="Ready", well=None)),
    )  # fmt: skip
    yield a_finding(Does.DESCRIBE, hostile, service=service)
    yield a_finding(Does.DESCRIBE, hostile, service=a_service(), remarks=tuple(Remark))
    broken = a_probe(failures=5, problem=hostile, url=hostile)
    for probe in (broken, a_probe(status=200), a_probe(sent=0, problem=hostile), a_probe(throttled=1)):
        yield a_finding(Does.HEALTH, hostile, probes=(replace(probe, sent=min(probe.sent, 1)),))
        yield a_finding(Does.PROBE, hostile, probes=(replace(probe, side=Side.CANARY), a_probe()))
    yield a_finding(
        Does.LOGS, hostile,
        log=a_log(problem=hostile), unread=tuple(Unread(about=about, why=hostile) for about in About),
    )  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("hostile", ["x", "<!channel> & `x`", "<" * 3000, "가나다\n<!here>", "\u202egnp.exe"])
def test_every_finding_is_what_slack_takes_and_rings_nobody(locale: str, hostile: str) -> None:
    for finding in findings(hostile):
        message = finding_message(finding, the_guide(), Words(locale=locale))

        assert validate(message.blocks, "message") == []
        assert len(message.text) <= 4000
        for text in (message.text, *mrkdwn_texts(message.blocks)):
            assert foreign_markup(text) == []


def text_of(finding: Finding) -> str:
    return "\n".join(all_texts(finding_message(finding, the_guide(), EN).blocks))


def test_metrics_show_value_sample_source_and_age() -> None:
    readings = (
        a_reading(Metric.ERROR_RATE, 5.0, errors=10, until=NOON - seconds(30)),
        a_reading(Metric.MEMORY, None, problem="denied"),
    )
    text = text_of(a_finding(Does.METRICS, status=replace(a_status(), readings=readings)))

    assert (
        ":red_circle: red · Error rate, canary: *5.00 %* (10 of 200 requests, request log, 30 s old)" in text
    )
    assert "Memory, canary: *no data* (could not be read: denied" in text


def test_log_lines_that_repeat_are_counted_and_the_window_is_said() -> None:
    lines = [a_line("KeyError: 'turn_id'", n, detail="path=/api/chat") for n in range(12)]
    text = text_of(a_finding(Does.LOGS, log=a_log(*lines, a_line("slow request", 3), more=True)))

    assert "13 lines, 2 different, from " in text
    assert "the newest 50 only, there are more." in text
    assert "• 12 × ERROR `KeyError: 'turn_id'` (path=/api/chat), newest at " in text


def test_kinds_of_lines_beyond_those_shown_are_counted() -> None:
    text = text_of(a_finding(Does.LOGS, log=a_log(*[a_line(f"kind {n}", n) for n in range(20)])))

    assert "… 5 more lines of 5 other kinds" in text


def test_a_log_without_a_match_says_so_and_shows_the_line_to_try_by_hand() -> None:
    text = text_of(a_finding(Does.LOGS, "logging read", log=a_log()))

    assert "No line matches, from " in text
    assert "`gcloud logging read`" in text


def test_a_described_service_says_whether_it_is_ready_and_what_it_may_use() -> None:
    service = a_service(
        images=("ion-api:42",),
        resources=Resources(memory_mib=512, cpu_milli=1500, min_instances=0, max_instances=10),
        conditions=(
            Condition(kind="Ready", well=True),
            Condition(kind="RoutesReady", well=False, message="no route"),
        ),
    )
    text = text_of(a_finding(Does.DESCRIBE, service=service))

    for part in (
        "*ion-api*: :white_check_mark: ready",
        "Generation 7 (observed: 7), last changed by deployer@example.com",
        "90 % → `ion-api-00041-kim`, 10 % → `ion-api-00042-lee`",
        "Image: `ion-api:42`",
        "memory 512 MiB, CPU 1.5, at least 0 instances, at most 10 instances",
        ":x: RoutesReady: no route",
    ):
        assert part in text


def test_a_probe_compares_both_sides() -> None:
    canary = replace(
        a_probe(sent=20, failures=1),
        side=Side.CANARY,
        latencies_ms=(100.0,) * 10 + (800.0,) * 10,
        problem="answered 500",
    )
    stable = replace(a_probe(sent=20), latencies_ms=(100.0,) * 20)
    text = text_of(a_finding(Does.PROBE, probes=(canary, stable), pause_ms=100))

    assert "*canary*: 19 of 20 answered well (95 %)" in text
    assert "average 450 ms, shortest 100 ms, longest 800 ms, P95 800 ms" in text
    assert "last failure: answered 500" in text
    assert "The canary's P95 is 8.0 times stable's." in text
    assert "Requests one after another, 100 ms apart, 30 s time-out each." in text


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        (a_probe(sent=1, status=200), "answered 200 in 20 ms"),
        (a_probe(sent=1, failures=1, problem="answered 503"), "is not well: answered 503"),
        (a_probe(sent=0, problem="refused"), "is not well: refused"),
        (a_probe(sent=1, throttled=1, status=429), "asked to be left alone (429)"),
    ],
)
def test_health_says_status_and_time(probe: object, said: str) -> None:
    assert said in text_of(a_finding(Does.HEALTH, probes=(probe,)))


def test_what_could_not_be_read_is_a_sentence() -> None:
    unread = (Unread(about=About.LOG, why="permission: denied"),)

    assert ":x: Could not read the log, because: permission: denied" in text_of(
        a_finding(Does.LOGS, log=a_log(problem="permission: denied"), unread=unread)
    )
