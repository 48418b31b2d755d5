"""The one border: whatever belongs to a drill says so in its first words, and nothing real ever does."""

from datetime import timedelta
from typing import Any

import pytest

from bot.adapters.drill_rendering import with_mark
from bot.adapters.message_files import File, Files
from bot.adapters.rendering import HomeView, Rendering
from bot.domain.alert import AlertState
from bot.domain.change import Change
from bot.domain.drill import LONGEST
from bot.domain.ids import ChangeId, IncidentNumber, PersonId, RollbackId
from bot.domain.incident import Incident
from bot.domain.paging import Page, PageState
from bot.domain.rollback import RollbackState
from bot.domain.status import Status
from bot.domain.timeline import Event
from bot.sandbox.slack.blocks import validate
from bot.slack.text import Words
from bot.slack.views.drill_marks import (
    MOST_BLOCKS,
    TEXT_LIMIT,
    has_mark,
    marked_answer,
    marked_message,
    marked_modal,
)
from bot.slack.views.parts import DIVIDER, Block, actions, button, context, fields, header, section
from bot.slack.views.rollback_message import Message
from bot.usecases.ports import Showing, Transaction
from bot.usecases.report_status import keep_status
from tests.alerts import a_watch, an_alarming_playbook, an_alert
from tests.drills import FAST, a_drill
from tests.unit.adapters.test_rendering import NoMessages
from tests.unit.slack.markup import all_texts
from tests.unit.slack.views.everything import messages, modals
from tests.unit.slack.views.telling_views import an_announcement
from tests.unit.usecases.alert_world import AlertWorld
from tests.values import (
    CANARY_TARGET,
    CHAT_TARGET,
    GITCO,
    NOON,
    SENA,
    a_change,
    a_person,
    a_rollback,
    an_incident,
    seconds,
)

EN, KO = Words(locale="en"), Words(locale="ko")
BEGUN: dict[str, Any] = {
    "target": "canary", "canary": "c", "stable": "s", "percent": 10, "drill": "d1", "scenario": "memory",
    "began_at": NOON.isoformat(),
}  # fmt: skip
MARK = "*DRILL* · This is practice: nothing is really broken."


async def a_world(*incidents: Incident, **drill: Any) -> AlertWorld:
    """Return a world with a drill from noon on, and incidents."""
    world = AlertWorld(an_alarming_playbook())
    await world.keep_values(a_drill(**drill))

    def add(tx: Transaction) -> None:
        for incident in incidents:
            tx.add_incident(incident)

    await world.store.change(add)
    return world


async def shown(
    world: AlertWorld, what: Showing, subject: str, *, facts: Any = None, person: str | None = None
) -> Message | File | Files | HomeView:
    rendering = Rendering(world.store, world.playbooks, world.people, NoMessages(), world.clock, locale="en")
    return await rendering.render(what, subject, facts or {}, person=person)


async def is_marked(world: AlertWorld, what: Showing, subject: str, **more: Any) -> bool:
    """Return whether a message carries the mark: in its text and above its blocks, or in neither."""
    message = await shown(world, what, subject, **more)
    assert isinstance(message, Message)
    marks = {message.text.startswith("DRILL: "), texts_of(message)[:1] == [MARK]}
    assert len(marks) == 1
    return marks == {True}


def texts_of(message: Message) -> list[str]:
    return list(all_texts(message.blocks))


# The mark itself.


def test_every_message_stays_within_slacks_limits_with_the_mark() -> None:
    for title, message in messages("<" * 500, "a" + "-b" * 31, EN):
        marked = marked_message(message, EN)
        assert validate(marked.blocks, "message") == [], title
        assert len(marked.text) <= TEXT_LIMIT, title
        assert marked.text.startswith("DRILL: "), title


def test_every_modal_stays_within_slacks_limits_with_the_mark() -> None:
    for title, modal in modals("<" * 500, EN):
        marked = marked_modal(modal, EN)
        assert validate(marked, "modal") == [], title
        assert next(all_texts(marked["blocks"])) == MARK, title


@pytest.mark.parametrize(("count", "blocks"), [(1, 2), (49, 50), (50, 50)])
def test_a_full_message_loses_no_block_to_the_mark(count: int, blocks: int) -> None:
    message = Message(text="x", blocks=[section(f"line {n}") for n in range(count)])

    marked = marked_message(message, EN)

    assert MOST_BLOCKS == 50
    assert len(marked.blocks) == blocks
    assert texts_of(marked)[-1].endswith(f"line {count - 1}")
    assert "DRILL" in texts_of(marked)[0]
    assert has_mark(marked.blocks)
    assert not has_mark(message.blocks)


@pytest.mark.parametrize(
    "first",
    [header("h" * 150), section("s" * 3000), context("c" * 2000)],
)
def test_the_mark_in_a_full_message_stays_within_the_limit_of_its_first_text(first: Block) -> None:
    rest = [section("x")] * (MOST_BLOCKS - 1)

    marked = marked_message(Message(text="x", blocks=[first, *rest]), EN)

    assert validate(marked.blocks, "message") == []
    assert texts_of(marked)[0].startswith("DRILL: ")


def test_a_full_message_that_begins_with_controls_carries_the_mark_further_down() -> None:
    press = actions(button("Go", action="a", value="v"))
    message = Message(text="x", blocks=[DIVIDER, press, fields(["f"]), section("text"), *[DIVIDER] * 46])

    marked = marked_message(message, EN)

    assert marked.blocks[3] == section("DRILL: text") | {"block_id": "drill"}


def test_a_message_of_text_alone_stays_one() -> None:
    marked = marked_message(Message(text="t" * 5000, blocks=[]), EN)

    assert marked.blocks == []
    assert len(marked.text) == TEXT_LIMIT


def test_files_say_so_in_their_titles_and_in_what_stands_above_them() -> None:
    file = File(name="x.txt", title="A file", content=b"x", comment="Look.")

    several = with_mark(Files(files=(file,), comment="All."), EN)

    assert with_mark(file, KO) == File(
        name="x.txt", title="훈련: A file", content=b"x", comment="훈련: Look."
    )
    assert isinstance(several, Files)
    assert (several.files[0].title, several.comment) == ("DRILL: A file", "DRILL: All.")
    silent = with_mark(File(name="x.txt", title="A file", content=b"x"), EN)
    assert isinstance(silent, File)
    assert silent.comment == MARK


# What belongs to a drill.


@pytest.mark.parametrize("drill", ["d1", ""])
@pytest.mark.parametrize(
    ("what", "subject"),
    [
        (Showing.BOARD, "1"),
        (Showing.DIAGNOSIS, "1"),
        (Showing.CHECKLIST, "1"),
        (Showing.LOG, "1:1-1"),
        (Showing.CLOSED, "1:k"),
        (Showing.RECORD, "1"),
        (Showing.FOLLOW_UPS, "1:1"),
        (Showing.REVIEW, "1"),
        (Showing.POST_MORTEM, "1:none_set-0"),
    ],
)
async def test_an_incidents_messages_are_marked_if_it_is_a_drills(
    what: Showing, subject: str, drill: str
) -> None:
    world = await a_world(an_incident(drill=drill))
    await world.store.change(
        lambda tx: tx.write_down("incident:1", Event.NOTED, key="n", at=NOON, actor=SENA, text="x", source="")
    )

    assert await is_marked(world, what, subject) is bool(drill)


async def test_files_of_a_drills_incident_are_marked() -> None:
    world = await a_world(an_incident(drill="d1"))
    await world.store.change(
        lambda tx: tx.write_down("incident:1", Event.NOTED, key="n", at=NOON, actor=SENA, text="x", source="")
    )

    timeline = await shown(world, Showing.TIMELINE_FILE, "1:1.json")
    record = await shown(world, Showing.RECORD_FILE, "1:1")

    assert isinstance(timeline, File)
    assert isinstance(record, Files)
    assert timeline.title.startswith("DRILL: ")
    assert b'"drill": "d1"' in str(timeline.content).encode()
    assert record.comment.startswith("DRILL: ")
    markdown = record.files[0].content
    assert isinstance(markdown, bytes)
    assert markdown.startswith(b"# [DRILL: Phase 4] ")


@pytest.mark.parametrize("drill", ["d1", ""])
async def test_whoever_is_called_to_a_drill_reads_that_first(drill: str) -> None:
    world = await a_world(an_incident(drill=drill))
    page = Page(
        id="1-f00d", incident=IncidentNumber(1), contact="backend", state=PageState.WAITING, asked_by=SENA,
        created_at=NOON, due_at=NOON, channel="#backend", origin="1-f00d",
    )  # fmt: skip
    await world.keep_values(page)

    assert await is_marked(world, Showing.PAGE, "1-f00d") is bool(drill)
    assert await is_marked(world, Showing.PAGE_END, "1-f00d") is bool(drill)


async def test_a_text_for_people_is_marked_in_its_own_language() -> None:
    world = await a_world(an_incident(drill="d1"))
    await world.keep_values(an_announcement(id="1-f00d", incident=IncidentNumber(1), locale="ko"))

    told = await shown(world, Showing.ANNOUNCEMENT, "1-f00d:#status")

    assert isinstance(told, Message)
    assert told.text.startswith("훈련: ")


async def test_a_notice_is_marked_in_its_readers_language() -> None:
    world = await a_world(an_incident(drill="d1"))
    world.people.people[PersonId(SENA)] = a_person(SENA, locale="ko-KR")
    facts = {"what": "incident_closed", "incident": 1}

    korean, english = [
        await shown(world, Showing.NOTICE, "k", facts=facts, person=person) for person in (SENA, None)
    ]

    assert isinstance(korean, Message)
    assert isinstance(english, Message)
    assert (korean.text[:4], english.text[:7]) == ("훈련: ", "DRILL: ")


@pytest.mark.parametrize(
    ("facts", "marked"),
    [
        ({"incident": 1}, True),
        ({"incident": 2}, False),
        ({"incident": 99}, False),
        ({"incident": None, "target": "canary"}, True),
        ({"target": "canary"}, True),
        ({"target": "chat"}, False),
        ({}, False),
    ],
)
async def test_a_notice_is_marked_by_its_incident_or_else_by_its_target(facts: Any, marked: bool) -> None:
    world = await a_world(an_incident(drill="d1"), an_incident(target=CHAT_TARGET))
    known = {"what": "card_expired", "target": "chat"} | facts

    assert await is_marked(world, Showing.NOTICE, "k", facts=known) is marked


# By the moment it was made.


@pytest.mark.parametrize(("after", "marked"), [(-1, False), (0, True), (3599, True), (3600, False)])
async def test_what_has_no_incident_is_marked_if_it_was_made_during_a_drill_of_its_target(
    after: float, marked: bool
) -> None:
    world = await a_world()
    at = NOON + seconds(after)
    await world.keep(
        a_rollback(asked_at=at), a_rollback(id=RollbackId("cafe"), asked_at=at, target=CHAT_TARGET)
    )
    await keep_change(world, a_change(asked_at=at, incident=None))
    await world.keep_values(an_alert(created_at=at))
    world.clock.now = NOON + timedelta(days=1)

    assert await is_marked(world, Showing.ROLLBACK, "f00d") is marked
    assert not await is_marked(world, Showing.ROLLBACK, "cafe")
    assert await is_marked(world, Showing.CHANGE, "cafe") is marked
    assert await is_marked(world, Showing.ALERT, "canary-3-1") is marked


async def keep_change(world: AlertWorld, change: Change) -> None:
    await world.store.change(lambda tx: tx.add_change(change))


async def test_what_has_an_incident_goes_by_that_whenever_it_was_made() -> None:
    world = await a_world(an_incident(drill="d1"), an_incident(target=CHAT_TARGET))
    late, early = NOON + 2 * LONGEST, NOON + seconds(1)
    practised, real = IncidentNumber(1), IncidentNumber(2)
    await world.keep(
        a_rollback(asked_at=late, incident=practised),
        a_rollback(id=RollbackId("cafe"), asked_at=early, incident=real),
    )
    await keep_change(world, a_change(id=ChangeId("c1"), asked_at=early, incident=real))
    await world.keep_values(an_alert(created_at=late, incident=practised))

    assert await is_marked(world, Showing.ROLLBACK, "f00d")
    assert not await is_marked(world, Showing.ROLLBACK, "cafe")
    assert not await is_marked(world, Showing.CHANGE, "c1")
    assert await is_marked(world, Showing.ALERT, "canary-3-1")


@pytest.mark.parametrize(
    ("drilled", "card", "before", "later"), [(True, True, False, True), (False, False, False, False)]
)
async def test_a_watch_is_a_drills_from_the_moment_it_began(
    drilled: bool, card: bool, before: bool, later: bool
) -> None:
    world = await a_world()
    await world.keep_values(a_watch())
    told = [(Event.WATCH_BEGUN, -600), (Event.DRILL_BEGUN, 0), (Event.WATCH_BEGUN, 5)]

    def write(tx: Transaction) -> None:
        for n, (event, after) in enumerate(told):
            if drilled or event is not Event.DRILL_BEGUN:
                at = NOON + seconds(after)
                tx.write_down("watch:canary:3", event, key=f"k{n}", at=at, actor="backout", **BEGUN)

    await world.store.change(write)

    assert await is_marked(world, Showing.WATCH, "canary:3") is card
    assert await is_marked(world, Showing.WATCH_LOG, "canary:3:1-1") is before
    assert await is_marked(world, Showing.WATCH_LOG, "canary:3:2-2") is later


@pytest.mark.parametrize(("after", "marked"), [(5, True), (3600, False)])
async def test_a_watch_that_began_in_a_drill_is_the_drills(after: float, marked: bool) -> None:
    world = await a_world()
    at = NOON + seconds(after)
    await world.keep_values(a_watch(created_at=at))
    await world.store.change(
        lambda tx: tx.write_down(
            "watch:canary:3", Event.WATCH_BEGUN, key="k", at=at, actor="backout", **BEGUN
        )
    )
    world.clock.now = NOON + timedelta(days=1)

    assert await is_marked(world, Showing.WATCH, "canary:3") is marked
    assert await is_marked(world, Showing.WATCH_LOG, "canary:3:1-1") is marked


async def test_without_a_drill_nothing_is_marked() -> None:
    world = AlertWorld()
    await world.keep(a_rollback())

    assert not await is_marked(world, Showing.ROLLBACK, "f00d")


# The scoreboard, and Home.


async def test_the_scoreboard_is_marked_and_stays_as_it_was() -> None:
    world = await a_world(reached=FAST)
    before = await shown(world, Showing.SCOREBOARD, "d1")
    await world.keep_values(a_drill("d2", reached=FAST, created_at=NOON + timedelta(days=90)))
    world.clock.now += timedelta(days=100)

    assert await is_marked(world, Showing.SCOREBOARD, "d1")
    assert await shown(world, Showing.SCOREBOARD, "d1") == before


async def test_a_home_marks_what_belongs_to_a_drill_and_nothing_else() -> None:
    world = await a_world(an_incident(drill="d1", commander=GITCO), an_incident(target=CHAT_TARGET))

    world.people.people[PersonId(SENA)] = a_person(SENA, locale="en-GB")

    home = await shown(world, Showing.HOME, SENA)

    assert isinstance(home, HomeView)
    lines = [text for text in all_texts(home.view["blocks"]) if "INC-" in text]
    assert [line.startswith("DRILL: ") for line in lines if "canary" in line] == [True]
    assert [line.startswith("DRILL: ") for line in lines if "chat" in line] == [False]


async def targets_marked(world: AlertWorld) -> dict[str, bool]:
    """Return which target rows of somebody's Home carry the mark."""
    world.people.people[PersonId(SENA)] = a_person(SENA, locale="en-GB")
    home = await shown(world, Showing.HOME, SENA)
    assert isinstance(home, HomeView)
    blocks = home.view["blocks"]
    rows = blocks[blocks.index(header("Targets")) + 1 : blocks.index(header("Readiness"))]
    return {
        name: text.startswith("DRILL: ")
        for row in rows
        for name in ("canary", "chat")
        if f"*{name}*" in (text := row["text"]["text"])
    }


@pytest.mark.parametrize(("after", "marked"), [(-1, False), (0, True), (3599, True), (3600, False)])
async def test_a_home_marks_a_target_while_it_is_drilled(after: float, marked: bool) -> None:
    world = await a_world()
    world.clock.now = NOON + seconds(after)

    assert await targets_marked(world) == {"canary": marked, "chat": False}


@pytest.mark.parametrize(("later", "marked"), [(0, True), (299, True), (300, False)])
async def test_a_home_marks_a_target_as_long_as_machines_see_the_failure(later: float, marked: bool) -> None:
    world = await a_world(ended_at=NOON + seconds(60))
    world.clock.now = NOON + seconds(60 + later)

    assert (await targets_marked(world))["canary"] is marked


@pytest.mark.parametrize(("after", "marked"), [(-1, False), (0, True), (3600, False)])
async def test_a_home_marks_numbers_that_were_read_in_a_drill_until_they_are_read_anew(
    after: float, marked: bool
) -> None:
    world = await a_world()
    await world.store.change(
        lambda tx: keep_status(tx, Status(target=CANARY_TARGET, read_at=NOON + seconds(after)))
    )
    world.clock.now = NOON + timedelta(days=1)

    assert (await targets_marked(world))["canary"] is marked


@pytest.mark.parametrize("drill", ["d1", ""])
@pytest.mark.parametrize(
    ("state", "running"), [(RollbackState.UNKNOWN, True), (RollbackState.VERIFIED, False)]
)
async def test_a_home_marks_a_target_that_a_drill_still_rolls_back(
    state: RollbackState, running: bool, drill: str
) -> None:
    world = await a_world(an_incident(drill=drill), ended_at=NOON + seconds(60))
    await world.keep(a_rollback(state, incident=IncidentNumber(1)))
    world.clock.now = NOON + timedelta(days=1)

    assert (await targets_marked(world))["canary"] is (running and bool(drill))


@pytest.mark.parametrize("drill", ["d1", ""])
@pytest.mark.parametrize(("state", "running"), [(AlertState.COUNTDOWN, True), (AlertState.OPEN, False)])
async def test_a_home_marks_a_target_that_a_drills_alert_is_about_to_roll_back(
    state: AlertState, running: bool, drill: str
) -> None:
    world = await a_world(an_incident(drill=drill), ended_at=NOON + seconds(60))
    await world.keep_values(an_alert(state=state, incident=IncidentNumber(1)))
    world.clock.now = NOON + timedelta(days=1)

    assert (await targets_marked(world))["canary"] is (running and bool(drill))


# What answers one person.


def test_a_line_and_a_modal_about_a_drill_say_so_first() -> None:
    modal = {"type": "modal", "blocks": [section("x")]}
    full = {"type": "modal", "blocks": [section("x")] * 100}
    mark = context(MARK) | {"block_id": "drill"}

    assert marked_answer("Closed.", EN) == "DRILL: Closed."
    assert marked_answer(Message(text="t", blocks=[section("x")]), EN) == Message(
        text="DRILL: t", blocks=[mark, section("x")]
    )
    assert marked_answer(modal, EN) == {"type": "modal", "blocks": [mark, section("x")]}
    above, *rest = marked_modal(full, EN)["blocks"]
    assert (above, rest) == (section("DRILL: x") | {"block_id": "drill"}, full["blocks"][1:])
