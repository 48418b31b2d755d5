"""Reading a message and its permalink from Slack, whatever Slack does meanwhile."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_reading import TRIES, SlackReading
from bot.domain.ids import ChannelId
from bot.usecases.ports import MessageUnreadable

CHANNEL, TS = ChannelId("C0CRITICAL"), "1772452800.000100"


class Answer:
    """What a call returns."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data


class ScriptedClient(AsyncWebClient):
    """Answers calls from a script: an error's code, or the answer."""

    def __init__(self, *script: str | dict[str, Any]) -> None:
        super().__init__(token="xoxb-test")
        self.script = list(script)
        self.asked: list[str] = []

    async def api_call(self, api_method: str, **more: Any) -> Any:
        """Return the next line of the script."""
        self.asked.append(api_method)
        line = self.script.pop(0)
        if isinstance(line, str):
            raise SlackApiError(line, {"ok": False, "error": line})  # type: ignore[no-untyped-call]
        return Answer(line)


def reading(*script: str | dict[str, Any]) -> tuple[SlackReading, ScriptedClient, list[float]]:
    """Return a reader over a script, and the pauses it makes."""
    client, pauses = ScriptedClient(*script), []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    return SlackReading(client, pause=pause), client, pauses


PARENT = {"ts": "1772452700.000000", "user": "U0SENA", "text": "parent"}
REPLY = {"ts": TS, "user": "U0LEMUN", "text": "reply", "thread_ts": PARENT["ts"]}
LINK = {"permalink": "https://ion.slack.com/archives/C0CRITICAL/p1"}


async def test_a_reply_is_found_among_what_comes_along() -> None:
    slack, _, _ = reading({"messages": [PARENT, REPLY]}, LINK)

    found = await slack.message(CHANNEL, TS)

    assert (found.text, found.author, found.link) == ("reply", "U0LEMUN", LINK["permalink"])


async def test_a_limit_and_a_failure_of_slacks_are_waited_for() -> None:
    slack, _, pauses = reading("ratelimited", "internal_error", {"messages": [REPLY]}, LINK)

    assert (await slack.message(CHANNEL, TS)).text == "reply"
    assert len(pauses) == 2


@pytest.mark.parametrize("why", ["not_in_channel", "thread_not_found", "missing_scope"])
async def test_a_refusal_is_told_at_once_in_slacks_own_word(why: str) -> None:
    slack, client, _ = reading(why)

    with pytest.raises(MessageUnreadable, match=why):
        await slack.message(CHANNEL, TS)
    assert len(client.asked) == 1


async def test_a_message_that_is_gone_is_unreadable() -> None:
    slack, _, _ = reading({"messages": [PARENT]})

    with pytest.raises(MessageUnreadable, match="message_not_found"):
        await slack.message(CHANNEL, TS)


async def test_it_gives_up_where_slack_stays_away() -> None:
    slack, client, _ = reading(*["internal_error"] * TRIES)

    with pytest.raises(MessageUnreadable, match="internal_error"):
        await slack.message(CHANNEL, TS)
    assert len(client.asked) == TRIES


async def test_a_permalink_is_asked_for_once_and_its_lack_is_no_fault() -> None:
    slack, client, _ = reading("message_not_found", LINK)

    links = [await slack.link(CHANNEL, TS) for _ in range(3)]

    assert links == ["", LINK["permalink"], LINK["permalink"]]
    assert client.asked == ["chat.getPermalink"] * 2
