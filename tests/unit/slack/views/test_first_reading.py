"""The first reading as a message: short, honest, within Slack's limits, and nobody's megaphone."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.exhibit import ExhibitKind, Moment
from bot.domain.first_reading import Clients, Growth
from bot.domain.readings import Side
from bot.domain.snapshot import Snapshot
from bot.sandbox.slack.blocks import validate
from bot.slack.text import LOCALES, Words
from bot.slack.views.first_reading import (
    GROUPS_SHOWN,
    example,
    first_reading_message,
    headline_words,
)
from bot.slack.views.rollback_message import Message
from tests.first_readings import (
    LEAK,
    a_full_reading,
    a_line,
    a_log,
    a_reading_of,
    a_snapshot,
    an_exhibit,
    answered,
    lines_of,
    of_stable,
    some_differences,
)
from tests.unit.slack.markup import all_texts, foreign_markup, mrkdwn_texts

EN = Words(locale="en")
HOSTILE = [
    "<!channel> <https://evil.example|x> & `code` *bold*",
    "```<!here>```",
    "&lt;!channel&gt;",
    "<" * 900,
]


def shown(message: Message) -> str:
    return "\n".join(all_texts(message.blocks))


def said(snapshot: Snapshot, **more: Any) -> str:
    return shown(first_reading_message(snapshot, EN, **more))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("text", ["KeyError: turn 7", *HOSTILE, "세" * 900, "\n\n", ""])
@pytest.mark.parametrize("groups", [0, 3, 20])
def test_it_is_valid_block_kit_and_rings_nobody(locale: str, moment: Moment, text: str, groups: int) -> None:
    reading = a_full_reading(text, groups=groups)
    snapshot = a_snapshot(moment, reading=reading)
    decided = a_snapshot(reading=a_full_reading(f"was {text}"))

    message = first_reading_message(
        snapshot, Words(locale=locale), files=[an_exhibit()], before=decided, profile=True
    )

    assert validate(message.blocks, "message") == []
    assert len(message.blocks) < 30
    for part in (message.text, *mrkdwn_texts(message.blocks)):
        assert foreign_markup(part) == []
        assert part.count("```") % 2 == 0


@pytest.mark.parametrize("locale", LOCALES)
def test_it_says_that_it_is_statistics_whatever_was_found(locale: str) -> None:
    words = Words(locale=locale)
    wanted = {"en": "no judgement of a cause", "ko": "원인에 대한 판단이 아닙니다"}[locale]

    for reading in (a_full_reading(), a_reading_of(), a_reading_of(a_log(problem="x"), a_log(problem="x"))):
        assert wanted in shown(first_reading_message(a_snapshot(reading=reading), words))


@pytest.mark.parametrize(
    ("canary", "stable", "wanted"),
    [
        ([], [], "No error line of the canary was found."),
        (lines_of("a #", 3), [], "One kind of error on the canary; stable has none of it."),
        (lines_of("a #", 3), lines_of("a #", 1), "One kind of error on the canary; nothing is new, "),
        (
            lines_of("a #", 23) + lines_of("b #", 2),
            lines_of("b #", 1),
            "2 kinds of errors on the canary; one of them is new and makes 92 %.",
        ),
        (
            lines_of("a #", 1) + lines_of("b #", 2) + lines_of("c #", 1),
            lines_of("b #", 1),
            "3 kinds of errors on the canary; 2 of them are new and make 50 %.",
        ),
        (lines_of("a #", 1) + lines_of("b #", 2), [], "2 kinds of errors on the canary; stable has none"),
    ],
)  # fmt: skip
def test_the_headline_says_what_is_new_and_how_much_of_it(canary: Any, stable: Any, wanted: str) -> None:
    assert wanted in headline_words(a_reading_of(canary, of_stable(stable)), EN)


def test_the_headline_says_what_it_cannot_know() -> None:
    no_stable = a_reading_of(lines_of("a #", 1), a_log(problem="denied"))
    no_canary = a_reading_of(a_log(problem="denied"))

    assert "whether they are new is not known" in headline_words(no_stable, EN)
    assert "error log could not be read" in headline_words(no_canary, EN)
    assert "There is no canary now." in said(a_snapshot(canary=""))


def test_counts_are_set_against_the_requests_of_each_side() -> None:
    tallies = {
        Side.CANARY: {"POST /api/chat": answered(200)},
        Side.STABLE: {"POST /api/chat": answered(4000)},
    }

    text = said(
        a_snapshot(
            reading=a_reading_of(lines_of("a #", 10), of_stable(lines_of("a #", 20)), endpoints=tallies)
        )
    )

    assert "canary *10* (50 in 1,000 requests) · stable *20* (5 in 1,000 requests)" in text


def test_a_log_that_was_cut_makes_counts_a_lower_bound() -> None:
    reading = a_reading_of(a_log(lines_of("a #", 10), more=True))

    text = said(a_snapshot(reading=reading))

    assert "canary at least *10*" in text
    assert "There were more (canary); only the newest were read" in text
    assert "at least" not in said(a_snapshot(reading=a_reading_of(lines_of("a #", 10))))


def test_a_kind_says_where_it_came_from_unless_it_says_so_itself() -> None:
    application = a_reading_of([a_line("boom", n, endpoint=f"GET /{c}") for n, c in enumerate("abcda")])
    request = a_reading_of([a_line("GET /a → 500", endpoint="GET /a")])

    assert "at `GET /a` (2), `GET /b` (1), `GET /c` (1), …" in said(a_snapshot(reading=application))
    assert "at `GET /a`" not in said(a_snapshot(reading=request))


@pytest.mark.parametrize(
    ("kinds", "left"), [(GROUPS_SHOWN, 0), (GROUPS_SHOWN + 1, 1), (GROUPS_SHOWN + 20, 20)]
)
def test_a_telephone_shows_the_first_kinds_and_how_many_there_are_besides(kinds: int, left: int) -> None:
    reading = a_reading_of([a_line(f"kind {chr(ord('a') + n) * 3}") for n in range(kinds)])

    text = said(a_snapshot(reading=reading))

    assert text.count("```") == 2 * GROUPS_SHOWN
    assert (f"… more kinds: {left}" in text) is bool(left)


def test_what_only_stable_has_is_counted_and_shown_where_the_canary_has_nothing() -> None:
    both = a_reading_of(lines_of("a #", 1), of_stable(lines_of("b #", 1)))
    alone = a_reading_of(stable=of_stable(lines_of("b #", 1)))

    assert "Kinds of errors that only stable has: 1" in said(a_snapshot(reading=both))
    assert "b ‹n›" not in said(a_snapshot(reading=both))
    assert "b ‹n›" in said(a_snapshot(reading=alone))


def test_an_example_stays_one_block_of_code() -> None:
    text = example("```<!channel>``` & more", EN, room=500)

    assert text == "```'''&lt;!channel&gt;''' &amp; more```"
    assert len(example("<" * 900, EN, room=100)) <= 106
    assert example("<" * 900, EN, room=100).endswith("…```")


def test_a_slow_endpoint_stands_beside_stables() -> None:
    slow, own, usual = answered(100, 7, ms=800), answered(20, ms=60), answered(900, ms=100)
    tallies = {Side.CANARY: {"GET /slow": slow, "GET /own": own}, Side.STABLE: {"GET /slow": usual}}
    p95 = [tally.percentile_ms(95) or 0 for tally in (slow, own, usual)]

    text = said(a_snapshot(reading=a_reading_of(endpoints=tallies)))

    assert f"• `GET /slow` *{p95[0]:.0f}* ms, 100 requests, 7 failed; on stable {p95[2]:.0f} ms" in text
    assert f"(×{p95[0] / p95[2]:.1f})" in text
    assert f"• `GET /own` *{p95[1]:.0f}* ms, 20 requests, 0 failed; on stable: too few to tell" in text


def test_containers_that_ended_are_told_and_what_is_not_known_as_well() -> None:
    killed = said(a_snapshot(reading=a_reading_of(system=a_log([a_line(LEAK, n) for n in range(3)]))))

    assert "• *canary*: :boom: out of memory, 3 ×" in killed
    assert "None was seen to end" in said(a_snapshot(reading=a_reading_of()))
    unread = said(a_snapshot(reading=a_reading_of(system=a_log(problem="denied"))))
    assert "Whether any ended is not known." in unread


def test_instances_that_grew_are_told_from_those_that_did_not() -> None:
    grown = Growth(side=Side.CANARY, first=1, most=5, last=4)
    still = Growth(side=Side.STABLE, first=3, most=3, last=3)

    text = said(a_snapshot(reading=replace(a_reading_of(), growth=(grown, still))))

    assert "• Instances: canary 1 → *4* (at most 5), stable 3, unchanged" in text
    assert "Instances" not in said(a_snapshot(reading=a_reading_of()))


def test_clients_are_called_an_estimate() -> None:
    clients = Clients(seen=1200, failed=140, truncated=True)

    text = said(a_snapshot(reading=a_reading_of(clients=clients)))

    assert "The canary answered *1,200* addresses, *140* of them with at least one error" in text
    assert "an estimate of users, no more" in text
    assert "There were more requests than were read." in text


def test_what_could_not_be_read_is_a_line_and_not_a_hole() -> None:
    reading = a_reading_of(problems=("minutes: UNAVAILABLE: try later", "configuration_canary: denied"))

    text = said(a_snapshot(reading=reading))

    assert ":x: Could not read Cloud Monitoring, because: UNAVAILABLE: try later" in text
    assert ":x: Could not read the canary's configuration, because: denied" in text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_source_that_may_fail_has_a_name(locale: str) -> None:
    from bot.usecases.collect_evidence import UNREAD

    reading = a_reading_of(problems=tuple(f"{what}: why" for what in UNREAD))

    text = shown(first_reading_message(a_snapshot(reading=reading), Words(locale=locale)))

    assert not [what for what in UNREAD[:10] if f"`{what}`" in text]


def test_what_is_set_differently_is_named_and_told_from_not_known() -> None:
    differ = a_reading_of(differences=some_differences(count=4))

    text = said(a_snapshot(reading=differ))

    assert "Set differently on stable and canary: 12 (`LOG_LEVEL`, `LOG_LEVEL1`" in text
    assert ", …)" in text
    assert "configured alike" in said(a_snapshot(reading=a_reading_of(differences=())))
    assert "configured" not in said(a_snapshot(reading=a_reading_of(differences=None)))


def test_it_says_which_files_hold_whole_lines() -> None:
    files = [
        an_exhibit(),
        an_exhibit(ExhibitKind.SLOW_REQUESTS, problem="denied"),
        an_exhibit(ExhibitKind.PROBE),
    ]

    text = said(a_snapshot(), files=files)

    assert "Whole lines: `error_logs_20260302_120000.txt`, in this thread." in text
    assert "Whole lines" not in said(a_snapshot())


def test_the_memory_profile_is_a_press_away_where_memory_failed() -> None:
    address = a_snapshot().profiler

    def links(**more: Any) -> list[str]:
        blocks = first_reading_message(a_snapshot(), EN, **more).blocks
        return [e["url"] for b in blocks if b["type"] == "actions" for e in b["elements"]]

    assert links(profile=True) == [address]
    assert links() == []


def test_at_the_verdict_before_and_after_stand_side_by_side() -> None:
    before = a_reading_of(
        [*lines_of("gone #", 5), *lines_of("stays #", 5)],
        endpoints={Side.CANARY: {"GET /": answered(2000, 128)}, Side.STABLE: {"GET /": answered(18_000, 3)}},
    )
    after = a_reading_of(
        (),
        of_stable([*lines_of("stays #", 2), *lines_of("fresh #", 1)]),
        endpoints={Side.CANARY: {}, Side.STABLE: {"GET /": answered(4000, 2)}},
    )

    text = said(
        a_snapshot(Moment.VERIFICATION, reading=after),
        before=a_snapshot(reading=before),
    )

    assert "• *canary*: 128 of 2,000 requests failed (6.40 %) → no request" in text
    assert "• *stable*: 3 of 18,000 requests failed (0.02 %) → 2 of 4,000 requests failed (0.05 %)" in text
    assert "• Kinds of errors of the canary that are gone: 1" in text
    assert ":warning: Still there: `stays ‹n›`, canary *0*, stable *2*" in text
    assert ":new: Since the decision: `fresh ‹n›`, canary *0*, stable *1*" in text


def test_what_was_not_read_at_one_of_both_moments_is_not_called_zero() -> None:
    before = replace(a_reading_of(lines_of("a #", 5)), requests=(None, 5), failed=(None, 0))
    after = a_reading_of((), a_log(problem="denied"))

    text = said(a_snapshot(Moment.VERIFICATION, reading=after), before=a_snapshot(reading=before))

    assert "• *canary*: not known → " in text
    assert "that are gone" not in text
