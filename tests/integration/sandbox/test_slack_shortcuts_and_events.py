"""Shortcuts, reactions, the app's tabs and shared files, delivered to a real Bolt app over signed HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import names
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.web_api.content import LONGEST_TEXT
from tests.integration.sandbox.slack_workspace import (
    BACKEND,
    CRITICAL,
    OPERATIONS,
    PATIENCE_SECONDS,
    SCOPES,
    Receiver,
    at_once,
    buttons,
    client_of,
    modal,
    running_bot,
    running_slack,
    section,
    text_input,
)

Json = dict[str, Any]


@pytest.fixture
async def slack() -> AsyncIterator[SandboxSlack]:
    async with running_slack() as served:
        yield served


@pytest.fixture
async def bot(slack: SandboxSlack) -> AsyncIterator[Receiver]:
    async with running_bot(slack) as receiver:
        yield receiver


@pytest.fixture
def client(slack: SandboxSlack) -> AsyncWebClient:
    return client_of(slack)


def payload_of(bot: Receiver) -> Any:
    """Return the last interaction the bot was sent."""
    return json.loads(parse_qs(bot.received[-1][0])["payload"][0])


def events_of(bot: Receiver) -> list[Json]:
    """Return the event in every envelope the bot was sent."""
    return [json.loads(raw)["event"] for raw, _ in bot.received]


async def said(slack: SandboxSlack, text: str = "it is slow", channel: str = CRITICAL, **more: Any) -> str:
    """Let Gitco write a message the bot is not told of, and return its timestamp."""
    await slack.say("U0GITCO", channel, text, **more)
    return str(slack.messages(channel, thread_ts=more.get("thread_ts"))[-1]["ts"])


# Shortcuts


async def test_a_global_shortcut_arrives_signed_and_opens_a_modal(slack: SandboxSlack, bot: Receiver) -> None:
    async def opens(ack: AsyncAck, shortcut: Json) -> None:
        await bot.client.views_open(trigger_id=shortcut["trigger_id"], view=modal())
        await ack()

    bot.app.shortcut("declare")(opens)

    delivery = await slack.press_shortcut("U0LEMUN", "declare")

    raw, headers = bot.received[-1]
    payload = payload_of(bot)
    assert delivery.shown is None
    assert SignatureVerifier(names.SIGNING_SECRET).is_valid_request(raw, headers)
    assert (payload["type"], payload["callback_id"]) == ("shortcut", "declare")
    # Slack's own payload has neither the person's `name` nor one of the keys below.
    assert payload["user"] == {"id": "U0LEMUN", "username": "lemun", "team_id": names.TEAM_ID}
    assert not {"channel", "response_url", "api_app_id", "message"} & set(payload)
    assert [view["callback_id"] for view in slack.views("U0LEMUN")] == ["asked"]


async def test_a_message_shortcut_brings_the_message_and_a_response_url(
    slack: SandboxSlack, bot: Receiver
) -> None:
    ts = await said(slack, "checkout *fails* & <more>")

    await slack.press_message_shortcut("U0SENA", CRITICAL, ts, "keep")
    payload = payload_of(bot)
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        await http.post(payload["response_url"], json={"text": "kept"})

    assert (payload["type"], payload["callback_id"], payload["message_ts"]) == ("message_action", "keep", ts)
    assert payload["channel"] == {"id": CRITICAL, "name": "critical-incidents"}
    assert payload["message"]["user"] == "U0GITCO"
    assert payload["message"]["text"] == "checkout *fails* &amp; &lt;more&gt;"
    assert {"token", "action_ts", "trigger_id", "team", "is_enterprise_install"} <= set(payload)
    assert "api_app_id" not in payload
    assert [m["text"] for m in slack.messages(CRITICAL, user="U0SENA") if m["ephemeral_for"]] == ["kept"]


async def test_a_shortcut_that_the_manifest_lacks_cannot_be_pressed(
    slack: SandboxSlack, bot: Receiver
) -> None:
    ts = await said(slack)

    with pytest.raises(LookupError, match="no global shortcut keep"):
        await slack.press_shortcut("U0SENA", "keep")
    with pytest.raises(LookupError, match="no message shortcut declare"):
        await slack.press_message_shortcut("U0SENA", CRITICAL, ts, "declare")
    assert bot.received == []


async def test_an_ephemeral_or_deleted_message_has_no_menu_and_takes_no_reaction(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient
) -> None:
    private = await client.chat_postEphemeral(channel=CRITICAL, user="U0SENA", text="x")
    parent = await client.chat_postMessage(channel=CRITICAL, text="x")
    await said(slack, thread_ts=parent["ts"])
    await client.chat_delete(channel=CRITICAL, ts=parent["ts"])

    for ts in (private["message_ts"], parent["ts"]):
        with pytest.raises(LookupError, match="no lasting message"):
            await slack.press_message_shortcut("U0SENA", CRITICAL, ts, "keep")
        with pytest.raises(LookupError, match="no lasting message"):
            await slack.react("U0SENA", CRITICAL, ts, "eyes")


# Reactions


async def test_a_reaction_is_told_when_it_comes_and_when_it_goes(slack: SandboxSlack, bot: Receiver) -> None:
    ts = await said(slack)

    await slack.react("U0SENA", CRITICAL, ts, "pushpin")
    reacted = slack.messages(CRITICAL)[0]["reactions"]
    await slack.unreact("U0SENA", CRITICAL, ts, "pushpin")

    added, removed = events_of(bot)
    envelope = json.loads(bot.received[0][0])
    assert added == {
        "type": "reaction_added",
        "user": "U0SENA",
        "reaction": "pushpin",
        "item": {"type": "message", "channel": CRITICAL, "ts": ts},
        "item_user": "U0GITCO",
        "event_ts": added["event_ts"],
    }
    assert (removed["type"], removed["item"]["ts"]) == ("reaction_removed", ts)
    assert envelope["type"] == "event_callback"
    assert envelope["authorizations"][0]["user_id"] == names.BOT_USER_ID
    assert SignatureVerifier(names.SIGNING_SECRET).is_valid_request(*bot.received[0])
    assert reacted == [{"name": "pushpin", "users": ["U0SENA"], "count": 1}]
    assert "reactions" not in slack.messages(CRITICAL)[0]


async def test_nobody_reacts_the_same_way_twice(slack: SandboxSlack, bot: Receiver) -> None:
    ts = await said(slack)
    await slack.react("U0SENA", CRITICAL, ts, "eyes")
    await slack.react("U0LUBIT", CRITICAL, ts, "eyes")

    with pytest.raises(LookupError, match="U0SENA has reacted with eyes"):
        await slack.react("U0SENA", CRITICAL, ts, "eyes")
    with pytest.raises(LookupError, match="U0LEMUN has not reacted with eyes"):
        await slack.unreact("U0LEMUN", CRITICAL, ts, "eyes")
    with pytest.raises(LookupError, match="no emoji"):
        await slack.react("U0SENA", CRITICAL, ts, "not an emoji")
    assert slack.messages(CRITICAL)[0]["reactions"][0]["count"] == 2
    assert len(bot.received) == 2


async def test_reactions_where_the_bot_is_not_are_not_told(slack: SandboxSlack, bot: Receiver) -> None:
    ts = await said(slack, channel=BACKEND)

    await slack.react("U0SENA", BACKEND, ts, "pushpin")

    assert bot.received == []


@pytest.mark.parametrize("lacking", ["scope", "subscription"])
async def test_an_app_hears_only_what_it_subscribed_to_and_may_read(lacking: str) -> None:
    scopes = [scope for scope in SCOPES if lacking != "scope" or scope != "reactions:read"]
    async with running_slack(scopes=scopes) as slack, running_bot(slack) as bot:
        if lacking == "subscription":
            slack.workspace.manifest["settings"]["event_subscriptions"]["bot_events"].remove("reaction_added")
        ts = await said(slack)

        await slack.react("U0SENA", CRITICAL, ts, "pushpin")

        assert bot.received == []
        assert slack.messages(CRITICAL)[0]["reactions"][0]["count"] == 1


async def test_a_reaction_the_bot_did_not_take_comes_again() -> None:
    async with running_slack(sleep=at_once) as slack, running_bot(slack) as bot:
        bot.answer = (500, "")
        ts = await said(slack)

        await slack.react("U0SENA", CRITICAL, ts, "pushpin")
        await bot.until_received(2)

    first, second = (json.loads(raw) for raw, _ in bot.received[:2])
    assert first["event_id"] == second["event_id"]
    assert bot.received[1][1]["x-slack-retry-num"] == "1"


async def test_the_bot_reads_adds_and_takes_away_reactions(
    slack: SandboxSlack, client: AsyncWebClient
) -> None:
    ts = await said(slack)
    where: Json = {"channel": CRITICAL, "timestamp": ts}
    await slack.react("U0SENA", CRITICAL, ts, "eyes")

    await client.reactions_add(name="eyes", **where)
    both = await client.reactions_get(**where)
    await client.reactions_remove(name="eyes", **where)

    assert both["message"]["reactions"] == [
        {"name": "eyes", "users": ["U0SENA", names.BOT_USER_ID], "count": 2}
    ]
    assert slack.messages(CRITICAL)[0]["reactions"][0]["users"] == ["U0SENA"]
    with pytest.raises(SlackApiError, match="no_reaction"):
        await client.reactions_remove(name="eyes", **where)


# The app's tabs


async def test_opening_the_home_is_told_with_the_view_that_is_there(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient
) -> None:
    await slack.open_home("U0GITCO")
    await client.views_publish(user_id="U0GITCO", view={"type": "home", "blocks": [buttons("go")]})
    await slack.open_home("U0GITCO")
    await slack.open_home("U0GITCO", "messages")

    empty, filled, messages = events_of(bot)
    assert empty == {
        "type": "app_home_opened",
        "user": "U0GITCO",
        "channel": "D0GITCO",
        "tab": "home",
        "event_ts": empty["event_ts"],
    }
    assert filled["view"]["blocks"][0]["elements"][0]["action_id"] == "go"
    assert (messages["tab"], "view" in messages) == ("messages", False)


async def test_something_used_in_the_home_is_told_without_a_channel(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient
) -> None:
    view = {"type": "home", "blocks": [buttons("go")]}
    published = await client.views_publish(user_id="U0SENA", view=view)

    await slack.click_home("U0SENA", "go")

    payload = payload_of(bot)
    assert payload["container"] == {"type": "view", "view_id": published["view"]["id"]}
    assert (payload["user"]["id"], payload["team"]["id"]) == ("U0SENA", names.TEAM_ID)
    assert payload["view"]["hash"] == published["view"]["hash"]
    assert not {"channel", "message", "response_url"} & set(payload)
    with pytest.raises(LookupError, match="no Home was published for U0GITCO"):
        await slack.click_home("U0GITCO", "go")


async def test_a_home_is_each_persons_own_and_guarded_by_its_hash(client: AsyncWebClient) -> None:
    async def publish(user: str, text: str, **more: Any) -> Any:
        view = {"type": "home", "blocks": [section(text)]}
        return (await client.views_publish(user_id=user, view=view, **more))["view"]

    first = await publish("U0SENA", "one")
    other = await publish("U0GITCO", "other")
    second = await publish("U0SENA", "two", hash=first["hash"])

    assert second["id"] == first["id"] != other["id"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await publish("U0SENA", "three", hash=first["hash"])


async def test_a_home_that_the_manifest_does_not_enable_is_not_there(
    slack: SandboxSlack, client: AsyncWebClient
) -> None:
    slack.workspace.manifest["features"]["app_home"]["home_tab_enabled"] = False

    with pytest.raises(LookupError, match="does not enable the home tab"):
        await slack.open_home("U0SENA")
    with pytest.raises(SlackApiError, match="not_enabled"):
        await client.views_publish(user_id="U0SENA", view={"type": "home", "blocks": []})


# Inputs and what is pressed beside them


async def test_what_was_typed_goes_along_with_what_is_pressed(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient
) -> None:
    await slack.press_shortcut("U0SENA", "declare")
    view = modal(text_input("why", block_id="why"), buttons("more"))
    opened = await client.views_open(trigger_id=payload_of(bot)["trigger_id"], view=view)

    await slack.click_view("U0SENA", opened["view"]["id"], "more", values={"why": "half a sen"})

    assert payload_of(bot)["view"]["state"]["values"]["why"]["why"]["value"] == "half a sen"
    assert slack.views("U0SENA")[0]["state"]["values"]["why"]["why"]["value"] == "half a sen"


async def test_an_input_tells_the_app_at_once_only_where_it_dispatches(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient
) -> None:
    await slack.press_shortcut("U0SENA", "declare")
    view = modal(text_input("told", block_id="a", dispatch_action=True), text_input("quiet", block_id="b"))
    opened = await client.views_open(trigger_id=payload_of(bot)["trigger_id"], view=view)

    await slack.click_view("U0SENA", opened["view"]["id"], "told", selected="ion")

    payload = payload_of(bot)
    assert (payload["type"], payload["actions"][0]["value"]) == ("block_actions", "ion")
    assert payload["view"]["state"]["values"]["a"]["told"]["value"] == "ion"
    with pytest.raises(LookupError, match="tells the app nothing before it is submitted"):
        await slack.click_view("U0SENA", opened["view"]["id"], "quiet", selected="x")


async def test_an_input_in_a_message_is_sent_with_the_button_beside_it(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient
) -> None:
    blocks = [text_input("why", block_id="why"), buttons("go")]
    posted = await client.chat_postMessage(channel=CRITICAL, text="x", blocks=blocks)

    await slack.click("U0SENA", CRITICAL, posted["ts"], "go", values={"why": "because"})

    assert payload_of(bot)["state"]["values"]["why"]["why"]["value"] == "because"


# Finding one message


async def test_one_message_is_found_with_its_author_text_and_files(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient
) -> None:
    await said(slack, "before")
    await slack.share_files("U0GITCO", CRITICAL, {"graph.png": b"\x89PNG", "기록.txt": b"x"}, text="look")
    ts = slack.messages(CRITICAL)[-1]["ts"]
    await said(slack, "after")

    found = await client.conversations_history(channel=CRITICAL, latest=ts, inclusive=True, limit=1)

    (message,) = found["messages"]
    assert (message["ts"], message["user"], message["text"]) == (ts, "U0GITCO", "look")
    assert [(file["name"], file["user"]) for file in message["files"]] == [
        ("graph.png", "U0GITCO"),
        ("기록.txt", "U0GITCO"),
    ]
    assert message["files"][0]["mimetype"] == "image/png"
    assert (await client.files_info(file=message["files"][1]["id"]))["file"]["size"] == 1
    await slack.press_message_shortcut("U0SENA", CRITICAL, ts, "keep")
    assert [file["name"] for file in payload_of(bot)["message"]["files"]] == ["graph.png", "기록.txt"]


async def test_one_reply_is_found_and_linked_to(slack: SandboxSlack, client: AsyncWebClient) -> None:
    parent = await said(slack, "root", OPERATIONS)
    await said(slack, "one", OPERATIONS, thread_ts=parent)
    reply = await said(slack, "two", OPERATIONS, thread_ts=parent)

    found = await client.conversations_replies(
        channel=OPERATIONS, ts=reply, latest=reply, inclusive=True, limit=1
    )
    link = (await client.chat_getPermalink(channel=OPERATIONS, message_ts=reply))["permalink"]
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        shown = await http.get(link)

    assert [message["text"] for message in found["messages"]] == ["two"]
    assert link.endswith(f"p{reply.replace('.', '')}?thread_ts={parent}&cid={OPERATIONS}")
    assert shown.headers["location"] == f"/#channel={OPERATIONS}&thread={parent}&message={reply}"


@pytest.mark.parametrize("character", ["x", "가", "\u1100\u1161", "ع", "🔥"])
async def test_a_text_of_the_greatest_length_survives(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient, character: str
) -> None:
    longest = character * (LONGEST_TEXT // len(character))
    ts = await said(slack, longest)

    history = await client.conversations_history(channel=CRITICAL, latest=ts, inclusive=True, limit=1)
    await slack.press_message_shortcut("U0SENA", CRITICAL, ts, "keep")
    refused = await slack.say("U0SENA", CRITICAL, "x" * (LONGEST_TEXT + 1))

    assert history["messages"][0]["text"] == longest
    assert payload_of(bot)["message"]["text"] == longest
    assert refused.shown == "msg_too_long"
    assert len(slack.messages(CRITICAL)) == 1


async def test_the_guides_people_and_channels_are_there(slack: SandboxSlack, client: AsyncWebClient) -> None:
    channels = {c["name"]: c for c in (await client.conversations_list(limit=200))["channels"]}
    people = {member["name"] for member in (await client.users_list())["members"]}

    guide = {"critical-incidents", "operations", "backend", "devops", "monitoring", "general", "status"}
    assert guide <= set(channels)
    assert {name for name in guide if channels[name]["is_member"]} == {"critical-incidents", "operations"}
    assert {"sena", "gitco", "lubit", "lemun", "manager"} <= people
    members = (await client.conversations_members(channel=channels["status"]["id"]))["members"]
    assert {"U0SENA", "U0MANAGER"} <= set(members)
    assert "U0GUEST" not in members
