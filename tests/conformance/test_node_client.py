"""Slack's own client for Node talks to our Slack, as to Slack's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from bot.sandbox import names
from tests.conformance.node import Script, running_script
from tests.journeys.world import World

OPERATIONS, CRITICAL = "C0OPERATIONS", "C0CRITICAL"
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Look*"}}]
HOME = {"type": "home", "blocks": BLOCKS}


@dataclass(frozen=True)
class Client:
    """The Node client."""

    script: Script

    async def ask(self, **question: Any) -> dict[str, Any]:
        """Return ``answer`` or ``error``, and as ``waited`` the seconds it was told to wait."""
        self.script.say(question)
        answer: dict[str, Any] = await self.script.hear()
        return answer

    async def call(self, method: str, **args: Any) -> dict[str, Any]:
        """Call a method that works, and return its answer."""
        got = await self.ask(method=method, args=args)
        assert "answer" in got, got
        answer: dict[str, Any] = got["answer"]
        return answer

    async def refusal(self, method: str, **args: Any) -> dict[str, Any]:
        """Call a method that is refused, and return what the client makes of it."""
        got = await self.ask(method=method, args=args)
        assert got["error"]["code"] == "slack_webapi_platform_error", got
        data: dict[str, Any] = got["error"]["data"]
        return data


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(world: World) -> AsyncIterator[Client]:
    """One client for all of these tests."""
    async with running_script("client.mjs") as script:
        node = Client(script)
        await node.ask(url=world.slack.api_url, token=names.BOT_TOKEN)
        yield node


@pytest.fixture(autouse=True)
def _nothing_written_yet(world: World) -> None:
    """No test finds what another one wrote."""
    world.slack.reset()


async def test_it_knows_who_it_is(client: Client) -> None:
    us = await client.call("auth.test")

    assert (us["user_id"], us["team_id"], us["bot_id"]) == (names.BOT_USER_ID, names.TEAM_ID, names.BOT_ID)
    # The client reads the scopes from the headers of every answer.
    assert "chat:write" in us["response_metadata"]["scopes"]


async def test_it_posts_changes_and_deletes_a_message(client: Client, world: World) -> None:
    posted = await client.call("chat.postMessage", channel=OPERATIONS, text="one", blocks=BLOCKS)
    reply = await client.call("chat.postMessage", channel=OPERATIONS, text="two", thread_ts=posted["ts"])
    await client.call("chat.update", channel=OPERATIONS, ts=posted["ts"], text="changed")
    link = await client.call("chat.getPermalink", channel=OPERATIONS, message_ts=posted["ts"])
    await client.call("chat.delete", channel=OPERATIONS, ts=reply["ts"])

    (message,) = world.slack.messages(OPERATIONS)
    assert (message["text"], message.get("blocks")) == ("changed", None)
    assert world.slack.messages(OPERATIONS, thread_ts=posted["ts"]) == []
    assert link["permalink"].endswith(f"/p{posted['ts'].replace('.', '')}")


async def test_it_whispers(client: Client, world: World) -> None:
    whispered = await client.call("chat.postEphemeral", channel=OPERATIONS, user="U0LUBIT", text="psst")

    heard = world.slack.messages(OPERATIONS, user="U0LUBIT")[-1]
    assert (heard["text"], heard["ts"]) == ("psst", whispered["message_ts"])
    assert "psst" not in [one["text"] for one in world.slack.messages(OPERATIONS, user="U0GITCO")]


async def test_it_turns_the_pages(client: Client) -> None:
    got = await client.ask(method="conversations.list", args={"limit": 3}, pages="channels")
    pages = got["answer"]
    members = await client.ask(
        method="conversations.members", args={"channel": CRITICAL, "limit": 2}, pages="members"
    )

    assert {one["id"] for one in pages["found"]} == {one.id for one in names.CHANNELS}
    assert pages["count"] == 3
    assert len(set(members["answer"]["found"])) == len(names.PEOPLE) + 1


async def test_it_turns_the_pages_of_a_channel(client: Client) -> None:
    for number in range(5):
        await client.call("chat.postMessage", channel=CRITICAL, text=f"number {number}")

    got = await client.ask(
        method="conversations.history", args={"channel": CRITICAL, "limit": 2}, pages="messages"
    )

    assert [one["text"] for one in got["answer"]["found"]] == [f"number {n}" for n in (4, 3, 2, 1, 0)]
    assert got["answer"]["count"] == 3


async def test_it_reads_people_with_their_language(client: Client) -> None:
    sena = (await client.call("users.info", user="U0SENA", include_locale=True))["user"]
    group = await client.call("usergroups.users.list", usergroup="S0DEVOPS")

    assert (sena["locale"], sena["tz"], sena["is_bot"]) == ("ko-KR", "Asia/Seoul", False)
    assert group["users"] == ["U0LUBIT"]


async def test_it_uploads_a_file_in_its_three_steps(client: Client, world: World) -> None:
    await client.call(
        "filesUploadV2",
        channel_id=OPERATIONS,
        filename="record.md",
        title="The record",
        content="# 기록\n",
        initial_comment="Here it is",
    )

    (file,) = world.slack.files()
    assert (file["name"], file["title"], file["content"].decode()) == ("record.md", "The record", "# 기록\n")
    assert world.slack.messages(OPERATIONS)[-1]["text"] == "Here it is"


async def test_it_publishes_a_home(client: Client, world: World) -> None:
    published = (await client.call("views.publish", user_id="U0LUBIT", view=HOME))["view"]

    home = world.slack.home("U0LUBIT")
    assert home is not None
    assert (home["id"], home["blocks"][0]["text"]["text"]) == (published["id"], "*Look*")


async def test_it_updates_a_view_only_if_the_hash_is_the_newest(client: Client) -> None:
    old = (await client.call("views.publish", user_id="U0GITCO", view=HOME))["view"]
    await client.call("views.publish", user_id="U0GITCO", view=HOME, hash=old["hash"])

    refused = await client.refusal("views.publish", user_id="U0GITCO", view=HOME, hash=old["hash"])

    assert refused["error"] == "hash_conflict"


async def test_it_makes_platform_errors_of_our_refusals(client: Client) -> None:
    nowhere = await client.refusal("chat.postMessage", channel="C0NOWHERE", text="x")
    wrong = await client.refusal("chat.postMessage", channel=OPERATIONS, text="x", blocks=[{"type": "no"}])
    scope = await client.refusal("pins.add", channel=OPERATIONS, timestamp="1.000001")

    assert nowhere["error"] == "channel_not_found"
    assert wrong["error"] == "invalid_blocks"
    assert wrong["response_metadata"]["messages"][0].startswith("[ERROR] ")
    assert (scope["error"], scope["needed"]) == ("missing_scope", "pins:write")
    assert "chat:write" in scope["provided"].split(",")


async def test_a_wrong_token_is_refused(world: World) -> None:
    async with running_script("client.mjs") as script:
        stranger = Client(script)
        await stranger.ask(url=world.slack.api_url, token="xoxb-of-somebody-else")

        refused = await stranger.refusal("auth.test")

    assert refused["error"] == "invalid_auth"


async def test_it_waits_as_long_as_it_is_told_to_and_tries_again(client: Client, world: World) -> None:
    world.slack.fail_next("chat.postMessage", retry_after=1)

    got = await client.ask(method="chat.postMessage", args={"channel": OPERATIONS, "text": "late"})

    assert got["waited"] == [1]
    assert world.slack.messages(OPERATIONS)[-1]["ts"] == got["answer"]["ts"]


async def test_it_tries_again_when_the_connection_breaks(client: Client, world: World) -> None:
    world.slack.fail_next("chat.postMessage", drop_connection=True)

    got = await client.ask(method="chat.postMessage", args={"channel": OPERATIONS, "text": "again"})

    assert world.slack.messages(OPERATIONS)[-1]["ts"] == got["answer"]["ts"]
