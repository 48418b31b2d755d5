"""Who people are, asked of a Slack that answers as Slack does; kept for a minute and not longer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.adapters.database.engine import Database, database_url
from bot.adapters.database.migrate import migrate
from bot.adapters.database.store import SqlStore
from bot.adapters.slack_people import FRESH_SECONDS, SlackPeople
from bot.domain.ids import PersonId
from bot.sandbox import names
from bot.sandbox.slack import SandboxSlack
from bot.usecases.ports import PeopleUnknown
from tests.fakes import HeldClock
from tests.integration.sandbox.slack_workspace import SCOPES, client_of, running_slack
from tests.values import LUBIT, SENA

GUEST, OUTSIDER = PersonId("U0GUEST"), PersonId("U0OUTSIDE")


class Ticks:
    """A stopwatch the test holds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest_asyncio.fixture(loop_scope="session")
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated SQLite file."""
    made = Database(database_url(f"sqlite:///{tmp_path / 'backout.db'}"))
    await asyncio.to_thread(migrate, made.engine)
    yield made
    made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def slack() -> AsyncIterator[SandboxSlack]:
    """A fresh workspace."""
    async with running_slack(scopes=SCOPES) as running:
        yield running


@pytest.fixture
def ticks() -> Ticks:
    """The stopwatch of `people`."""
    return Ticks()


@pytest.fixture
def people(slack: SandboxSlack, database: Database, ticks: Ticks) -> SlackPeople:
    """The adapter; its pauses take no time."""
    clock = HeldClock()
    return SlackPeople(client_of(slack), database, clock, ticks=ticks, pause=clock.pause)


def asked(slack: SandboxSlack, method: str) -> int:
    return sum(call.method == method for call in slack.calls)


async def test_a_member_is_told_as_slack_tells(people: SlackPeople) -> None:
    sena = await people.person(SENA)

    assert (sena.id, sena.team_id, sena.locale, sena.time_zone) == (
        SENA,
        names.TEAM_ID,
        "ko-KR",
        "Asia/Seoul",
    )
    assert not any((sena.guest, sena.bot, sena.deactivated, sena.stranger))


async def test_a_guest_an_outsider_and_a_bot_are_told_apart(people: SlackPeople) -> None:
    guest, outsider = await people.person(GUEST), await people.person(OUTSIDER)
    bot = await people.person(PersonId(names.BOT_USER_ID))

    assert (guest.guest, guest.team_id) == (True, names.TEAM_ID)
    assert outsider.stranger or outsider.team_id != names.TEAM_ID
    assert bot.bot


async def test_members_of_a_group_and_our_own_team_are_known(
    people: SlackPeople, slack: SandboxSlack
) -> None:
    assert await people.members("S0DEVOPS") == {LUBIT}
    assert [await people.home_team() for _ in range(3)] == [names.TEAM_ID] * 3
    assert asked(slack, "auth.test") == 1


@pytest.mark.parametrize(("later", "times"), [(FRESH_SECONDS - 0.01, 1), (FRESH_SECONDS, 2)])
async def test_an_answer_is_good_for_a_minute(
    people: SlackPeople, slack: SandboxSlack, ticks: Ticks, later: float, times: int
) -> None:
    for _ in range(2):
        await people.person(SENA)
        await people.members("S0DEVOPS")
        ticks.now += later

    assert asked(slack, "users.info") == asked(slack, "usergroups.users.list") == times


async def test_what_was_told_is_remembered_for_names_and_language(
    people: SlackPeople, slack: SandboxSlack, database: Database
) -> None:
    await people.person(SENA)

    def nothing(*_: object) -> None:
        """No workflow is started here."""

    again = SlackPeople(client_of(slack), database, HeldClock())
    assert await again.last_locale(SENA) == "ko-KR"
    assert await again.last_locale("U0NOBODY") is None
    known = await SqlStore(database, nothing).look(lambda tx: tx.names())
    assert set(known) == {SENA}
    assert asked(slack, "users.info") == 1


async def test_somebody_slack_does_not_know_is_unknown(people: SlackPeople, slack: SandboxSlack) -> None:
    with pytest.raises(PeopleUnknown, match=r"users\.info: user_not_found"):
        await people.person(PersonId("U0NOBODY"))

    assert asked(slack, "users.info") == 1


async def test_one_hiccup_of_slack_is_tried_over(people: SlackPeople, slack: SandboxSlack) -> None:
    slack.fail_next("users.info", error="internal_error")

    assert (await people.person(SENA)).id == SENA


@pytest.mark.parametrize(
    "fault",
    [
        {"error": "internal_error"},
        {"status": 503},
        {"retry_after": 30},
        {"drop_connection": True},
    ],
)
async def test_a_slack_that_cannot_say_says_nobody_is_known(
    people: SlackPeople, slack: SandboxSlack, fault: dict[str, object]
) -> None:
    slack.fail_next("users.info", times=9, **fault)  # type: ignore[arg-type]

    with pytest.raises(PeopleUnknown):
        await people.person(SENA)


async def test_an_old_answer_does_not_stand_in_for_a_slack_that_is_silent(
    people: SlackPeople, slack: SandboxSlack, ticks: Ticks
) -> None:
    await people.person(SENA)
    ticks.now += FRESH_SECONDS
    slack.fail_next("users.info", times=9, drop_connection=True)

    with pytest.raises(PeopleUnknown):
        await people.person(SENA)


async def test_a_missing_scope_is_no_permission_to_guess(database: Database) -> None:
    async with running_slack(scopes=["chat:write"]) as poor:
        people = SlackPeople(client_of(poor), database, HeldClock())

        with pytest.raises(PeopleUnknown, match="missing_scope"):
            await people.members("S0DEVOPS")
