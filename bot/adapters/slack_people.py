"""Who people are, by Slack, kept for a minute; the last answer stays for names in records."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.adapters.database.engine import Database
from bot.adapters.database.tables import PersonRow
from bot.adapters.slack_errors import NO_ANSWER, code_of, may_pass, retry_after_seconds
from bot.domain.ids import PersonId
from bot.domain.people import Person
from bot.usecases.ports import Clock, People, PeopleUnknown

#: A role that was taken away must stop counting soon (reference/reliability-and-security.md, T-04).
FRESH_SECONDS = 60.0
#: Somebody is waiting: two quick tries, then "Slack cannot say".
TRIES, TRY_SECONDS, PAUSE_SECONDS = 2, 3.0, 1.0


class SlackPeople(People):
    """`People` over Slack's Web API."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        clock: Clock,
        *,
        ticks: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._ticks = ticks
        self._pause = pause
        self._people: dict[str, tuple[float, Person]] = {}
        self._groups: dict[str, tuple[float, frozenset[PersonId]]] = {}
        self._home: tuple[str, str] | None = None

    async def person(self, person: PersonId) -> Person:
        """See `People.person`."""
        kept = self._people.get(person)
        if kept and self._ticks() - kept[0] < FRESH_SECONDS:
            return kept[1]
        answer = await self._ask(
            "users.info", lambda: self._client.users_info(user=person, include_locale=True)
        )
        known = _person(answer["user"])
        self._people[person] = (self._ticks(), known)
        now = self._clock()
        await self._database.write(lambda engine: _remember(engine, known, now))
        return known

    async def last_locale(self, person: str) -> str | None:
        """Return the language Slack last told for somebody, without asking Slack; None when unknown."""
        kept = self._people.get(person)
        if kept:
            return kept[1].locale
        return await self._database.read(lambda engine: _locale(engine, person))

    async def last_zone(self, person: str) -> str | None:
        """Return the time zone Slack last told for somebody, without asking Slack; None when unknown."""
        kept = self._people.get(person)
        if kept:
            return kept[1].time_zone
        return await self._database.read(lambda engine: _zone(engine, person))

    async def members(self, group: str) -> frozenset[PersonId]:
        """See `People.members`."""
        kept = self._groups.get(group)
        if kept and self._ticks() - kept[0] < FRESH_SECONDS:
            return kept[1]
        answer = await self._ask(
            "usergroups.users.list", lambda: self._client.usergroups_users_list(usergroup=group)
        )
        members = frozenset(PersonId(user) for user in answer["users"])
        self._groups[group] = (self._ticks(), members)
        return members

    async def home_team(self) -> str:
        """See `People.home_team`. A token never changes its workspace, so this is asked once."""
        return (await self._ourselves())[0]

    async def home_url(self) -> str:
        """See `People.home_url`."""
        return (await self._ourselves())[1]

    async def _ourselves(self) -> tuple[str, str]:
        if self._home is None:
            answer = await self._ask("auth.test", self._client.auth_test)
            self._home = str(answer["team_id"]), str(answer["url"])
        return self._home

    async def _ask(self, method: str, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> dict[str, Any]:
        for tries_left in reversed(range(TRIES)):
            try:
                async with asyncio.timeout(TRY_SECONDS):
                    answer = (await call()).data
                    return answer if isinstance(answer, dict) else {}
            except SlackApiError as error:
                if retry_after_seconds(error) is None and not may_pass(error):
                    raise PeopleUnknown(f"{method}: {code_of(error)}") from error
            except NO_ANSWER as error:
                if not tries_left:
                    raise PeopleUnknown(f"{method}: {error!r}") from error
            if tries_left:
                await self._pause(PAUSE_SECONDS)
        raise PeopleUnknown(f"{method}: Slack does not answer")


def _person(user: dict[str, Any]) -> Person:
    profile = user.get("profile") or {}
    return Person(
        id=PersonId(user["id"]),
        name=profile.get("display_name") or user.get("real_name") or user.get("name") or user["id"],
        team_id=user.get("team_id", ""),
        locale=user.get("locale") or "en-US",
        time_zone=user.get("tz") or "UTC",
        guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        bot=bool(user.get("is_bot") or user.get("is_workflow_bot") or user["id"] == "USLACKBOT"),
        deactivated=bool(user.get("deleted")),
        stranger=bool(user.get("is_stranger")),
    )


def _locale(engine: Engine, person: str) -> str | None:
    with engine.connect() as connection:
        return connection.scalars(select(PersonRow.locale).where(PersonRow.id == person)).one_or_none()


def _zone(engine: Engine, person: str) -> str | None:
    with engine.connect() as connection:
        return connection.scalars(select(PersonRow.time_zone).where(PersonRow.id == person)).one_or_none()


def _remember(engine: Engine, person: Person, now: datetime) -> None:
    values = {
        "id": person.id, "name": person.name[:200], "team_id": person.team_id, "locale": person.locale,
        "time_zone": person.time_zone, "guest": person.guest, "bot": person.bot,
        "deactivated": person.deactivated, "stranger": person.stranger, "read_at": now,
    }  # fmt: skip
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    with engine.begin() as connection:
        known = insert(PersonRow).values(**values)
        connection.execute(known.on_conflict_do_update(index_elements=["id"], set_=values))
