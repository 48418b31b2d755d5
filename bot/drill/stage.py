"""Where a story is told: the sandbox's Slack, whose people speak, or a channel of a real one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_errors import NO_ANSWER
from bot.drill.story import Line
from bot.sandbox.names import CHANNELS, PEOPLE, Person
from bot.sandbox.slack import SandboxSlack
from bot.slack.text import Words, escape

log = structlog.get_logger()

#: What a person of the story is, where no list of people says so.
_PERSONS = {person.name: person for person in PEOPLE}


class Stage(Protocol):
    """A place where the people of a story are heard."""

    async def speak(self, line: Line, *, locale: str) -> None:
        """Let the line's person say it, in `locale` (``en`` or ``ko``)."""


@dataclass(frozen=True, kw_only=True)
class SandboxStage(Stage):
    """The sandbox's workspace: its people say their lines themselves."""

    slack: SandboxSlack

    async def speak(self, line: Line, *, locale: str) -> None:
        """See `Stage.speak`."""
        channel = next(channel.id for channel in CHANNELS if channel.name == line.where)
        person = _PERSONS[line.who].id
        await self.slack.say(person, channel, line.say.in_(locale))


@dataclass(frozen=True, kw_only=True)
class ChannelStage(Stage):
    """One channel of a Slack workspace. The bot speaks for everybody, and says for whom.

    ``chat:write.customize`` would let it speak under other names; whoever reads a drill in a workspace
    where people also work should rather see at once who really wrote it.
    """

    client: AsyncWebClient
    channel: str

    async def speak(self, line: Line, *, locale: str) -> None:
        """See `Stage.speak`."""
        words = Words(locale=locale)
        spoken = words.say(
            ":performing_arts: {name} ({role}): {text}",
            name=words.bold(_first_name(_PERSONS[line.who])),
            role=_part(_PERSONS[line.who], words),
            text=escape(line.say.in_(locale)),
        )
        try:
            await self.client.chat_postMessage(channel=self.channel, text=spoken, unfurl_links=False)
        except (SlackApiError, *NO_ANSWER) as problem:
            # The drill goes on without that line, as without somebody who was not heard.
            log.warning("story_line_unsaid", channel=self.channel, problem=str(problem))


@dataclass(frozen=True, kw_only=True)
class HeardStage(Stage):
    """Hands everything on to `behind`, after `tell` was given it for whoever follows in a terminal."""

    behind: Stage
    tell: Callable[[str], None]

    async def speak(self, line: Line, *, locale: str) -> None:
        """See `Stage.speak`."""
        self.tell(f"{_first_name(_PERSONS[line.who])} (#{line.where}): {line.say.in_(locale)}")
        await self.behind.speak(line, locale=locale)


def _first_name(person: Person) -> str:
    return person.real_name.partition(" ")[0]


def _part(person: Person, words: Words) -> str:
    parts = {
        "gitco": words.plain("backend engineer"),
        "lemun": words.plain("monitoring"),
        "manager": words.plain("manager"),
        "olga": words.plain("a user"),
    }
    return parts[person.name]
