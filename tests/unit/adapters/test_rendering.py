"""From "show this" to what is shown, in the reader's language."""

import pytest

from bot.adapters.message_files import Files
from bot.adapters.rendering import Rendering
from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.rollback import RollbackState
from bot.slack.views.rollback_message import Message
from bot.usecases.ports import Messages, MessageUnreadable, NotKept, Showing, Written
from bot.usecases.report_status import STATUS, read_status
from tests.unit.usecases.world import World
from tests.values import CANARY_TARGET, GITCO, SENA, a_person, a_rollback


class NoMessages(Messages):
    """A Slack in which nobody wrote anything."""

    async def message(self, channel: ChannelId, ts: str) -> Written:
        """See `Messages.message`."""
        raise MessageUnreadable("nobody wrote it")

    async def link(self, channel: ChannelId, ts: str) -> str:
        """See `Messages.link`."""
        return ""


def rendering(world: World, locale: str = "en") -> Rendering:
    return Rendering(world.store, world.playbooks, world.people, NoMessages(), world.clock, locale=locale)


async def a_finished_world() -> World:
    world = World()
    await world.decided()
    await world.carry_out()
    world.store.kept.names[PersonId(SENA)] = "Sena <!here>"
    return world


async def text_of(rendered: Rendering, what: Showing, subject: str) -> str:
    shown = await rendered.render(what, subject, {}, person=None)
    assert isinstance(shown, Message)
    assert shown.blocks
    return shown.text


async def test_a_rollback_is_shown_as_it_stands_now() -> None:
    world = World()
    await world.decided()
    before = await text_of(rendering(world), Showing.ROLLBACK, "f00d")

    await world.carry_out()

    after = await text_of(rendering(world), Showing.ROLLBACK, "f00d")
    assert (before, after) == (
        "Rolling back canary … (canary)",
        "canary is rolled back and verified (canary)",
    )


@pytest.mark.parametrize(
    ("what", "subject"), [(Showing.BOARD, "1"), (Showing.RECORD, "1"), (Showing.LOG, "1:1-3")]
)
async def test_an_incident_is_shown_on_its_board_in_its_record_and_log(what: Showing, subject: str) -> None:
    world = await a_finished_world()

    assert await text_of(rendering(world), what, subject)


async def test_a_log_message_shows_its_own_lines_only() -> None:
    world = await a_finished_world()

    text = await text_of(rendering(world), Showing.LOG, "1:1-2")

    assert len(text.splitlines()) == 2
    assert "Incident opened" in text


async def test_a_record_is_files_of_its_edition_in_one_message() -> None:
    world = await a_finished_world()

    shown = await rendering(world).render(Showing.RECORD_FILE, "1:2", {}, person=None)

    assert isinstance(shown, Files)
    markdown, page = shown.files
    assert (markdown.name, page.name) == ("INC-1-record-2.md", "INC-1-record-2.html")
    assert {file.title for file in shown.files} == {"Failure record of INC-1, edition 2"}
    assert isinstance(markdown.content, bytes)
    assert markdown.content.startswith(b"# [Phase 4] ")
    assert b"\\<\\!here\\>" in markdown.content
    assert shown.comment.splitlines()[1:] == ["INC-1-record-2.pdf could not be made: nobody prints here"]


@pytest.mark.parametrize(
    ("what", "subject"), [(Showing.ROLLBACK, "0000"), (Showing.BOARD, "7"), (Showing.RECORD, "7")]
)
async def test_what_is_not_kept_cannot_be_shown(what: Showing, subject: str) -> None:
    with pytest.raises(NotKept):
        await rendering(World()).render(what, subject, {}, person=None)


# Whose language.


CLOSED = {"what": "incident_closed", "incident": 12}


async def notice(world: World, person: str | None, locale: str = "en") -> str:
    shown = await rendering(world, locale).render(Showing.NOTICE, "k", CLOSED, person=person)
    assert isinstance(shown, Message)
    return shown.text


async def test_a_person_reads_their_own_language_whatever_the_channels_is() -> None:
    world = World()
    world.people.people[PersonId(GITCO)] = a_person(GITCO, locale="en-GB")

    assert await notice(world, GITCO, "ko") == await notice(world, GITCO, "en")
    assert await notice(world, SENA, "en") == await notice(world, SENA, "ko") != await notice(world, GITCO)


async def test_when_slack_cannot_say_the_channels_language_is_used() -> None:
    world = World()
    world.people.silent = True

    assert await notice(world, SENA) == ":white_check_mark: INC-12 is closed."


async def test_a_channel_reads_its_language_whoever_acted() -> None:
    world = await a_finished_world()

    english, korean = [
        await text_of(rendering(world, locale), Showing.ROLLBACK, "f00d") for locale in ("en", "ko")
    ]

    assert english != korean


async def test_a_status_is_shown_from_its_facts() -> None:
    world = World()
    status = await read_status(CANARY_TARGET, use=world.reporting)
    facts = {"what": "status", "status": STATUS.dump_python(status, mode="json")}

    shown = await rendering(world).render(Showing.NOTICE, "k", facts, person=None)

    assert isinstance(shown, Message)
    assert shown.text.startswith("Status of canary\n")


# Whose message.


@pytest.mark.parametrize(("asked_by", "owner"), [(SENA, SENA), ("cli:sena", None)])
async def test_a_rollbacks_message_belongs_to_who_asked_in_slack(asked_by: str, owner: str | None) -> None:
    world = World()
    await world.keep(a_rollback(RollbackState.FAILED, asked_by=PersonId(asked_by)))

    assert await rendering(world).owner(Showing.ROLLBACK, "f00d") == owner


async def test_a_board_belongs_to_nobody() -> None:
    world = await a_finished_world()

    assert await rendering(world).owner(Showing.BOARD, "1") is None
    assert (await rendering(world).record(IncidentNumber(1))).incident.number == 1
