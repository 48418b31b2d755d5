"""A recorded series: what it says, and every way in which a file can be wrong."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.playbook_file import DEFAULT, read_playbook
from bot.adapters.recorded_series import read_series
from bot.domain.alarm import AlarmKind, Level
from bot.domain.playbook import Playbook
from bot.domain.readings import Source
from bot.domain.recorded import BadSeries, NoSeries, Oddity, Recorded
from bot.domain.replay import replay
from bot.slack.text import LOCALES, PLAIN, Words
from bot.slack.views.pages import as_markdown
from bot.slack.views.replay_text import replay_text, unusable_text
from tests.values import NOON, seconds

HEAD = "time,side,requests,errors"
Write = Callable[..., Path]


@cache
def the_default() -> Playbook:
    """Return the playbook that a series is judged by, read once."""
    return read_playbook(DEFAULT)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(content: str | bytes, name: str = "series.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


def at(number: float, *, step: float = 10) -> str:
    """Return when the window `number` (from 1) after noon ended."""
    return (NOON + seconds(number * step)).isoformat()


def lines(*rows: str, head: str = HEAD) -> str:
    return "\n".join([head, *rows]) + "\n"


def both(
    numbers: Iterable[int], canary: str = "100,1", stable: str = "900,2", *, step: float = 10
) -> list[str]:
    """Return a line of each side for each window."""
    return [
        f"{at(n, step=step)},{side},{counts}"
        for n in numbers
        for side, counts in (("canary", canary), ("stable", stable))
    ]


def oddities(recorded: Recorded) -> list[tuple[Oddity, int | None]]:
    return [(remark.oddity, remark.line) for remark in recorded.remarks]


def counts(recorded: Recorded) -> list[tuple[int, int] | None]:
    return [(one.canary.requests, one.canary.errors) if one.canary else None for one in recorded.observations]


# What it says.


def test_each_line_is_a_window_of_one_side(write: Write) -> None:
    recorded = read_series(write(lines(*both(range(1, 4)))))

    assert (recorded.rows, recorded.step_seconds, recorded.cumulative, recorded.remarks) == (6, 10, False, ())
    first = recorded.observations[0]
    assert (first.since, first.until, first.source) == (NOON, NOON + seconds(10), Source.REQUEST_LOG)
    assert first.canary is not None
    assert first.stable is not None
    assert (first.canary.requests, first.canary.errors, first.stable.requests) == (100, 1, 900)
    assert first.canary_percent == 10


def test_a_window_of_a_minute_is_a_reading_by_itself(write: Write) -> None:
    recorded = read_series(write(lines(*both(range(1, 4), step=60))))

    assert {one.source for one in recorded.observations} == {Source.MONITORING}
    assert recorded.observations[1].length_seconds == 60


def test_the_sides_may_stand_one_after_the_other(write: Write) -> None:
    rows = both(range(1, 5))

    assert (
        read_series(write(lines(*rows[::2], *rows[1::2]))).observations
        == read_series(write(lines(*rows), "other.csv")).observations
    )


def as_objects(rows: Iterable[str]) -> list[dict[str, Any]]:
    found = []
    for row in rows:
        time, side, requests, errors = row.split(",")
        found.append({"time": time, "side": side, "requests": int(requests), "errors": int(errors)})
    return found


@pytest.mark.parametrize("form", ["array", "object", "lines"])
def test_json_says_the_same_as_csv(write: Write, form: str) -> None:
    rows = both(range(1, 5))
    objects = as_objects(rows)
    text = {
        "array": json.dumps(objects, indent=1),
        "object": json.dumps({"target": "canary", "points": objects}, indent=1),
        "lines": "\n".join(json.dumps(one) for one in objects),
    }[form]

    assert (
        read_series(write(text, "series.json")).observations == read_series(write(lines(*rows))).observations
    )


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_a_byte_order_mark_and_remarks_are_read_too(write: Write, delimiter: str) -> None:
    text = "# recorded by hand\n" + lines(*both(range(1, 4))).replace(",", delimiter)

    assert len(read_series(write(text.encode("utf-8-sig"))).observations) == 3


@pytest.mark.parametrize("unit", [1, 1000, 1_000_000, 1_000_000_000])
def test_times_may_be_counted_since_1970(write: Write, unit: int) -> None:
    rows = [f"{int((NOON + seconds(10 * n)).timestamp()) * unit},canary,100,1" for n in range(1, 4)]

    assert read_series(write(lines(*rows))).observations[0].until == NOON + seconds(10)


def test_latencies_memory_and_cpu_are_read(write: Write) -> None:
    head = HEAD + ",latencies,memory,cpu,p95_ms"
    rows = [f"{at(n)},canary,100,1,110:90 600:10,71.5,33,480" for n in range(1, 4)]

    recorded = read_series(write(lines(*rows, head=head)))

    seen = recorded.observations[0]
    assert seen.canary is not None
    assert seen.canary.latencies == ((110, 90), (600, 10))
    assert seen.canary_gauges is not None
    assert (seen.canary_gauges.memory, seen.canary_gauges.cpu, seen.canary_p95_ms) == (71.5, 33, 480)


def test_a_histogram_may_be_written_as_prometheus_does(write: Write) -> None:
    head = HEAD + ",le_110,le_500,le_inf"
    rows = [f"{at(n)},canary,100,1,90,97,100" for n in range(1, 4)]

    seen = read_series(write(lines(*rows, head=head))).observations[0]

    assert seen.canary is not None
    assert seen.canary.latencies == ((110, 90), (500, 7), (3_600_000, 3))


# Who the canary is.


def by_revision(*names: str, windows: int = 4) -> list[str]:
    return [
        f"{at(n)},{name},{100 * place},0"
        for n in range(1, windows + 1)
        for place, name in enumerate(names, 1)
    ]


REVISIONS = "time,revision,requests,errors"


def test_of_two_revisions_the_one_with_fewer_requests_is_taken_and_that_is_said(write: Write) -> None:
    recorded = read_series(write(lines(*by_revision("new", "old"), head=REVISIONS)))

    assert recorded.canary == "new"
    assert oddities(recorded) == [(Oddity.GUESSED_CANARY, None)]


def test_the_canary_can_be_said_and_all_others_are_stable(write: Write) -> None:
    recorded = read_series(write(lines(*by_revision("a", "b", "c"), head=REVISIONS)), canary="b")

    first = recorded.observations[0]
    assert recorded.remarks == ()
    assert first.canary is not None
    assert first.stable is not None
    assert (first.canary.requests, first.stable.requests) == (200, 400)


def test_of_three_revisions_nobody_guesses(write: Write) -> None:
    with pytest.raises(BadSeries) as bad:
        read_series(write(lines(*by_revision("a", "b", "c"), head=REVISIONS)))

    assert (bad.value.why, bad.value.facts["known"]) == (NoSeries.WHICH_CANARY, "a, b, c")


def test_a_canary_that_is_not_there_is_refused(write: Write) -> None:
    with pytest.raises(BadSeries) as bad:
        read_series(write(lines(*by_revision("a", "b"), head=REVISIONS)), canary="c")

    assert bad.value.why is NoSeries.UNKNOWN_CANARY


def test_a_series_of_one_side_has_no_baseline(write: Write) -> None:
    recorded = read_series(write(lines(*by_revision("only"), head=REVISIONS)))

    assert oddities(recorded) == [(Oddity.NO_STABLE, None)]
    assert recorded.observations[0].stable is None


# Times that are wrong.


def test_the_same_window_again_is_left_out(write: Write) -> None:
    rows = both(range(1, 5))

    recorded = read_series(write(lines(*rows, rows[2])))

    assert oddities(recorded) == [(Oddity.TWICE, 10)]
    assert len(recorded.observations) == 4


def test_a_line_that_comes_too_late_is_left_out(write: Write) -> None:
    rows = [f"{at(n)},canary,100,{n}" for n in (1, 2, 3, 5, 6, 7, 4, 8)]

    recorded = read_series(write(lines(*rows)))

    assert (Oddity.LATE, 8) in oddities(recorded)
    assert [one[1] for one in counts(recorded) if one] == [1, 2, 3, 5, 6, 7, 8]


def test_a_clock_that_is_ahead_makes_nothing_after_it_too_late(write: Write) -> None:
    rows = [f"{at(n)},canary,100,1" for n in (1, 2, 9000, 3, 4, 5)]

    recorded = read_series(write(lines(*rows)))

    assert oddities(recorded) == [(Oddity.FUTURE, 4)]
    assert len(recorded.observations) == 5


def test_a_gap_is_named_and_no_window_is_made_up_for_it(write: Write) -> None:
    recorded = read_series(write(lines(*both([1, 2, 3, 9, 10]))))

    assert oddities(recorded) == [(Oddity.GAP, 8)]
    assert recorded.remarks[0].facts["seconds"] == 50
    assert recorded.observations[3].length_seconds == 10


def test_stables_clock_may_be_beside_the_canarys(write: Write) -> None:
    rows = [f"{at(n)},canary,100,1" for n in range(1, 6)]
    rows += [f"{(NOON + seconds(10 * n + 3)).isoformat()},stable,900,2" for n in range(1, 6)]

    recorded = read_series(write(lines(*rows)))

    assert recorded.remarks == ()
    assert all(one.stable for one in recorded.observations)


def test_windows_without_stable_are_named(write: Write) -> None:
    rows = both(range(1, 7))
    del rows[5], rows[6]

    recorded = read_series(write(lines(*rows)))

    assert [(r.oddity, r.facts["count"]) for r in recorded.remarks] == [(Oddity.STABLE_MISSING, 2)]


def test_a_canary_that_disappears_is_named_and_not_at_fault(write: Write) -> None:
    rows = [*both(range(1, 4)), *(f"{at(n)},stable,900,2" for n in range(4, 60))]

    recorded = read_series(write(lines(*rows)))

    assert [(r.oddity, r.facts["count"]) for r in recorded.remarks] == [(Oddity.DISAPPEARED, 56)]
    assert replay(recorded.observations, the_default()).alarms == ()


@pytest.mark.parametrize("time", ["yesterday", "", "12:00", "1", "nan", "1e30"])
def test_a_time_that_cannot_be_read_is_named(write: Write, time: str) -> None:
    recorded = read_series(write(lines(f"{time},canary,100,1", *both(range(1, 4)))))

    assert oddities(recorded) == [(Oddity.UNREADABLE_TIME, 2)]


def test_a_time_without_a_zone_is_taken_as_utc_and_said_once(write: Write) -> None:
    rows = [f"{(NOON + seconds(10 * n)).replace(tzinfo=None).isoformat()},canary,9,0" for n in range(1, 4)]

    recorded = read_series(write(lines(*rows)))

    assert oddities(recorded) == [(Oddity.NO_ZONE, 2)]
    assert recorded.observations[0].until == NOON + seconds(10)


# Numbers that are wrong.


@pytest.mark.parametrize(
    ("written", "oddity"),
    [
        ("NaN,1", Oddity.NOT_A_NUMBER),
        ("100,nan", Oddity.NOT_A_NUMBER),
        ("inf,1", Oddity.NOT_A_NUMBER),
        ("-5,0", Oddity.NEGATIVE),
        ("100,-1", Oddity.NEGATIVE),
        ("many,1", Oddity.NO_NUMBER),
        ("1e15,1", Oddity.NO_NUMBER),
        ("4.5,0", Oddity.FRACTION),
        ("100,0.02", Oddity.FRACTION),
        ("100,101", Oddity.MORE_ERRORS),
    ],
)
def test_a_number_that_cannot_be_is_named_and_its_window_says_nothing(
    write: Write, written: str, oddity: Oddity
) -> None:
    rows = both(range(1, 4))
    rows[2] = f"{at(2)},canary,{written}"

    recorded = read_series(write(lines(*rows)))

    assert oddities(recorded) == [(oddity, 4)]
    assert counts(recorded) == [(100, 1), None, (100, 1)]


def test_an_empty_cell_says_nothing_and_is_not_odd(write: Write) -> None:
    rows = both(range(1, 4))
    rows[2] = f"{at(2)},canary,,"

    recorded = read_series(write(lines(*rows)))

    assert recorded.remarks == ()
    assert counts(recorded)[1] is None


@pytest.mark.parametrize(
    ("column", "values", "oddity", "wanted"),
    [
        ("memory", ("0.6", "0.95"), Oddity.RATIO, "95"),
        ("cpu", ("0.3", "0.4"), Oddity.RATIO, "40"),
        ("memory", ("536870912", "5"), Oddity.BYTES, None),
        ("p95_ms", ("0.15", "0.8"), Oddity.SECONDS, "800"),
    ],
)
def test_a_column_in_another_unit_is_named_with_what_to_write_and_left_out(
    write: Write, column: str, values: tuple[str, str], oddity: Oddity, wanted: str | None
) -> None:
    rows = [f"{at(n)},canary,100,1,{values[n % 2]}" for n in range(1, 5)]

    recorded = read_series(write(lines(*rows, head=f"{HEAD},{column}")))

    assert [remark.oddity for remark in recorded.remarks] == [oddity]
    assert recorded.remarks[0].facts.get("write") == wanted
    assert all(one.canary_gauges is None and one.canary_p95_ms is None for one in recorded.observations)


def test_one_small_percentage_is_no_ratio(write: Write) -> None:
    rows = [f"{at(n)},canary,100,1,{value}" for n, value in enumerate(("0.9", "1.2", "40"), 1)]

    assert read_series(write(lines(*rows, head=f"{HEAD},cpu"))).remarks == ()


def test_a_histogram_in_seconds_is_named(write: Write) -> None:
    rows = [f"{at(n)},canary,100,1,90,100" for n in range(1, 4)]

    recorded = read_series(write(lines(*rows, head=f"{HEAD},le_0.1,le_2.5")))

    assert [(r.oddity, r.facts["write"]) for r in recorded.remarks] == [(Oddity.BOUNDS_IN_SECONDS, "le_2500")]
    assert recorded.observations[0].canary is not None
    assert recorded.observations[0].canary.latencies == ()


@pytest.mark.parametrize("cell", ["110", "110:x", "110:1.5", "a:1", "110:-1"])
def test_latencies_that_cannot_be_read_are_named(write: Write, cell: str) -> None:
    rows = [f"{at(n)},canary,100,1,{cell}" for n in range(1, 3)]

    recorded = read_series(write(lines(*rows, head=f"{HEAD},latencies")))

    assert oddities(recorded) == [(Oddity.BAD_LATENCIES, 2), (Oddity.BAD_LATENCIES, 3)]
    assert counts(recorded) == [(100, 1), (100, 1)]


def test_more_latencies_than_requests_are_left_out(write: Write) -> None:
    rows = [f"{at(n)},canary,100,1,110:101" for n in range(1, 3)]

    recorded = read_series(write(lines(*rows, head=f"{HEAD},latencies")))

    assert {oddity for oddity, _ in oddities(recorded)} == {Oddity.MORE_LATENCIES}


def test_a_line_of_no_side_or_with_too_many_cells_is_left_out(write: Write) -> None:
    rows = [*both(range(1, 4)), f"{at(4)},green,100,1", f"{at(4)},canary,100,1,9,9"]

    recorded = read_series(write(lines(*rows)))

    assert oddities(recorded) == [(Oddity.NO_SIDE, 8), (Oddity.TOO_MANY_CELLS, 9)]


def test_a_column_nobody_knows_is_named(write: Write) -> None:
    rows = [f"{at(n)},canary,100,1,x" for n in range(1, 3)]

    recorded = read_series(write(lines(*rows, head=f"{HEAD},weather")))

    assert [(r.oddity, r.facts) for r in recorded.remarks] == [(Oddity.UNKNOWN_COLUMN, {"column": "weather"})]


# Counters.


def counters(*resets: int, count: int = 12) -> list[str]:
    total, rows = 0, []
    for n in range(1, count + 1):
        total = 40 if n in resets else total + 100
        rows.append(f"{at(n)},canary,{total},{total // 100}")
    return rows


def test_counters_are_recognised_and_their_differences_judged(write: Write) -> None:
    recorded = read_series(write(lines(*counters())))

    assert recorded.cumulative
    assert (Oddity.COUNTERS_FOUND, None) in oddities(recorded)
    assert counts(recorded) == [(100, 1)] * 11


def test_a_counter_that_begins_anew_is_named_and_counted_from_nothing(write: Write) -> None:
    recorded = read_series(write(lines(*counters(7))))

    assert (Oddity.COUNTER_RESET, 8) in oddities(recorded)
    assert counts(recorded)[5] == (40, 0)
    assert all(one is None or one[0] <= 100 for one in counts(recorded))


def test_it_can_be_said_that_they_are_no_counters(write: Write) -> None:
    recorded = read_series(write(lines(*counters())), cumulative=False)

    assert counts(recorded)[-1] == (1200, 12)


def test_it_can_be_said_that_they_are(write: Write) -> None:
    recorded = read_series(write(lines(*counters(count=4))), cumulative=True)

    assert counts(recorded) == [(100, 1)] * 3


def test_counts_that_rise_and_fall_are_no_counters(write: Write) -> None:
    rows = [f"{at(n)},canary,{90 + n % 7},1" for n in range(1, 30)]

    assert not read_series(write(lines(*rows))).cumulative


# Files that cannot be used.


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", NoSeries.EMPTY),
        ("   \n\n", NoSeries.EMPTY),
        (b"\xff\xfe\x00\x01", NoSeries.NOT_TEXT),
        (b"time,side\0", NoSeries.NOT_TEXT),
        ("side,requests,errors\ncanary,1,0\n", NoSeries.NO_TIME),
        ("time,side,errors\n2026-03-02T12:00:00Z,canary,0\n", NoSeries.NO_COUNTS),
        ("time,side,requests,errors\n", NoSeries.NO_ROWS),
        ("[]", NoSeries.NO_ROWS),
        ("[1, 2]", NoSeries.BAD_JSON),
        ('[{"time": 1},\n {"time": ]', NoSeries.BAD_JSON),
        ("[" * 100_000, NoSeries.BAD_JSON),
        ("time,side,requests,errors\n2026-03-02T12:00:00Z,canary,1,0\n", NoSeries.NO_STEP),
        ("time,side,requests,errors\nx,canary,1,0\n", NoSeries.NO_ROWS),
        (
            "time,side,requests,errors\n2026-03-02T12:00:00Z,canary,1,0\n2026-03-03T12:00:00Z,canary,1,0\n",
            NoSeries.NO_STEP,
        ),
        ("time,side,requests,errors\n2026-03-02T12:00:00Z,stable,1,0\n", NoSeries.UNKNOWN_CANARY),
    ],
    ids=lambda value: str(value)[:30],
)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_file_that_cannot_be_used_says_why(
    write: Write, content: str | bytes, why: NoSeries, locale: str
) -> None:
    with pytest.raises(BadSeries) as bad:
        read_series(write(content))

    assert bad.value.why is why
    assert unusable_text(bad.value, Words(locale=locale, style=PLAIN))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadSeries) as bad:
        read_series(tmp_path / "nowhere.csv")

    said = unusable_text(bad.value, Words(locale="en", style=PLAIN))
    assert said == "nowhere.csv cannot be read: No such file or directory."


@settings(max_examples=50)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_a_file_holds_it_is_read_or_refused(write: Write, content: bytes) -> None:
    path = write(content)

    try:
        said = f"{read_series(path).rows} rows"
    except BadSeries as bad:
        said = unusable_text(bad, Words(locale="en", style=PLAIN))

    assert said


CELLS = st.sampled_from(["", "nan", "inf", "-1", "0", "1", "0.5", "100", "9e9", "x", '"', "1:1", "null"])


@settings(max_examples=50)
@given(
    rows=st.lists(
        st.tuples(st.integers(-5, 40), st.sampled_from(["canary", "stable", "?"]), *[CELLS] * 6), max_size=40
    )
)
def test_whatever_its_cells_hold_it_is_judged_and_printed(write: Write, rows: list[tuple[Any, ...]]) -> None:
    head = HEAD + ",latencies,p95_ms,memory,cpu"
    path = write(lines(*(",".join([at(number), *cells]) for number, *cells in rows), head=head))
    in_both = [Words(locale=locale, style=PLAIN) for locale in LOCALES]

    try:
        recorded = read_series(path)
    except BadSeries as bad:
        said = [unusable_text(bad, words) for words in in_both]
    else:
        found = replay(recorded.observations, the_default())
        texts = [replay_text(recorded, found, the_default(), words, file="series.csv") for words in in_both]
        said = [as_markdown(text) for text in texts]

    assert all(said)


# The one we ship.

SAMPLE = Path(__file__).parents[3] / "docs" / "recorded-canary.csv"


def test_the_sample_is_seen_to_fail_five_minutes_after_it_began() -> None:
    recorded = read_series(SAMPLE)

    found = replay(recorded.observations, the_default())

    began = datetime.fromisoformat("2025-10-22T05:05:00+00:00")
    first = {one.kind: one.first for one in found.fired}
    assert recorded.remarks == ()
    assert first[AlarmKind.EARLY_WARNING][Level.RECOMMEND] - began <= timedelta(seconds=85)
    assert first[AlarmKind.EARLY_WARNING][Level.ACT] - began <= timedelta(seconds=125)
    assert AlarmKind.MEMORY_EXPLOSION in first
    assert found.acts is not None
