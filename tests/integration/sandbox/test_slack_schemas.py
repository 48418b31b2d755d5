"""What our Slack sends and answers, held against the types that Slack publishes for its own clients."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import pytest_asyncio
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import names
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.rate_limits import PER_MINUTE, SPECIAL, TIER_1, TIER_2, TIER_3, TIER_4, PostPace
from bot.sandbox.slack.web_api import METHODS
from tests.integration.sandbox.slack_schemas import java, keys, known_keys, name_of, problems
from tests.integration.sandbox.slack_workspace import (
    CRITICAL,
    OPERATIONS,
    PATIENCE_SECONDS,
    SCOPES,
    Receiver,
    a_manifest,
    buttons,
    client_of,
    modal,
    running_bot,
    section,
    text_input,
)

Json = dict[str, Any]

#: What Slack sends though its clients' types have it elsewhere or not at all: seen in its documentation.
UNLISTED_KEYS = frozenset(
    {
        "channel.priority",
        "channel.user",
        "errors[].field",
        "event.client_msg_id",
        "event.team",
        "event_context",
        "members[].is_stranger",
        "message.pinned_to",
        "messages[].pinned_to",
    }
)
#: A click in a view has no channel to respond in, though the types say it has.
NOT_IN_VIEWS = "BlockAction: 'response_url' is a required property"


def options(*values: str) -> list[Json]:
    return [{"text": {"type": "plain_text", "text": value}, "value": value} for value in values]


#: Each kind of element that a person can use outside of a form, with what they choose.
USED: dict[str, tuple[Json, Any]] = {
    "button": ({"text": {"type": "plain_text", "text": "Go"}, "value": "v", "style": "danger"}, None),
    "static_select": ({"options": options("a", "b")}, "b"),
    "multi_static_select": ({"options": options("a", "b")}, ["a", "b"]),
    "overflow": ({"options": options("a", "b")}, "a"),
    "radio_buttons": ({"options": options("a", "b")}, "a"),
    "checkboxes": ({"options": options("a", "b")}, ["a"]),
    "users_select": ({}, "U0SENA"),
    "multi_users_select": ({}, ["U0SENA"]),
    "channels_select": ({}, CRITICAL),
    "multi_channels_select": ({}, [CRITICAL]),
    "conversations_select": ({}, CRITICAL),
    "multi_conversations_select": ({}, [CRITICAL]),
    "datepicker": ({}, "2026-11-22"),
    "timepicker": ({}, "09:30"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def slack() -> AsyncIterator[SandboxSlack]:
    manifest = a_manifest(scopes=[*SCOPES, "canvases:write"])
    manifest["settings"]["event_subscriptions"]["bot_events"].append("message.channels")
    nowhere, hurried = "http://127.0.0.1:9/", PostPace(per_second=50, burst=50)
    slack = SandboxSlack(manifest=manifest, events_url=nowhere, pace=hurried, patience_seconds=60)
    await slack.start()
    yield slack
    await slack.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bot(slack: SandboxSlack) -> AsyncIterator[Receiver]:
    """An app that answers yes to everything, and notes it."""
    async with running_bot(slack) as receiver:
        receiver.answer = (200, "")
        yield receiver


@pytest.fixture
def client(slack: SandboxSlack) -> AsyncWebClient:
    return client_of(slack)


def sent(bot: Receiver) -> list[Json]:
    """Return what the app was sent, decoded, and forget it."""
    bodies = [raw for raw, _ in bot.received]
    bot.received.clear()
    return [_decoded(body) for body in bodies]


def _decoded(body: str) -> Json:
    if body.startswith("{"):
        event: Json = json.loads(body)
        return event
    form = {key: values[0] for key, values in parse_qs(body, keep_blank_values=True).items()}
    return json.loads(form["payload"]) if "payload" in form else dict(form)


def assert_slacks_own(name: str, payload: Json) -> None:
    """Everything that Slack's types demand is there, and nothing that neither client has heard of."""
    expected = [NOT_IN_VIEWS] if payload.get("container", {}).get("type") == "view" else []
    assert problems(name, payload) == expected
    unheard = set(keys(payload)) - known_keys(name) - set(java()["keys"].get(name, ()))
    assert unheard == set()


async def trigger(slack: SandboxSlack, bot: Receiver) -> str:
    await slack.press_shortcut("U0SENA", "declare")
    return str(sent(bot)[-1]["trigger_id"])


async def test_commands_and_shortcuts(slack: SandboxSlack, bot: Receiver, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=CRITICAL, text="x", blocks=[section()])
    await slack.slash("U0SENA", OPERATIONS, "/rollback canary @sena")
    await slack.press_shortcut("U0SENA", "declare")
    await slack.press_message_shortcut("U0SENA", CRITICAL, posted["ts"], "keep")

    for name, payload in zip(("SlashCommand", "GlobalShortcut", "MessageShortcut"), sent(bot), strict=True):
        assert_slacks_own(name, payload)


@pytest.mark.parametrize("kind", USED)
async def test_an_element_used_in_a_message_and_in_a_modal(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient, kind: str
) -> None:
    more, chosen = USED[kind]
    element = {"type": kind, "action_id": "it", **more}
    place = "actions" if kind in {"button", "overflow"} else "section"
    block: Json = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "accessory": element}
    if place == "actions":
        block = {"type": "actions", "elements": [element]}
    posted = await client.chat_postMessage(channel=OPERATIONS, text="x", blocks=[block])
    view = modal(block, text_input("why", block_id="why"))
    opened = await client.views_open(trigger_id=await trigger(slack, bot), view=view)

    await slack.click("U0SENA", OPERATIONS, posted["ts"], "it", selected=chosen)
    await slack.click_view("U0SENA", opened["view"]["id"], "it", selected=chosen)

    for payload in sent(bot):
        assert_slacks_own("BlockAction", payload)


async def test_a_modal_is_submitted_and_another_closed(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient
) -> None:
    inputs = [
        text_input(kind, block_id=kind, element={"type": kind, "action_id": kind, **more, **answerable(kind)})
        for kind, (more, _) in USED.items()
        if kind not in {"button", "overflow"}
    ]
    values = {kind: chosen for kind, (_, chosen) in USED.items() if kind not in {"button", "overflow"}}
    opened = await client.views_open(trigger_id=await trigger(slack, bot), view=modal(*inputs))
    await slack.submit("U0SENA", opened["view"]["id"], values)
    closing = modal(notify_on_close=True)
    (submission,) = sent(bot)
    opened = await client.views_open(trigger_id=await trigger(slack, bot), view=closing)
    await slack.close_view("U0SENA", opened["view"]["id"])
    (closed,) = sent(bot)

    assert_slacks_own("ViewSubmission", submission)
    assert_slacks_own("ViewClosed", closed)


def answerable(kind: str) -> Json:
    """A choice of one place can give the app an address to respond to."""
    return {"response_url_enabled": True} if kind in {"channels_select", "conversations_select"} else {}


async def test_events(slack: SandboxSlack, bot: Receiver, client: AsyncWebClient) -> None:
    await client.views_publish(user_id="U0SENA", view={"type": "home", "blocks": [buttons("go")]})
    await slack.open_home("U0SENA")
    await slack.say("U0SENA", CRITICAL, "hey @backout")
    ts = slack.messages(CRITICAL)[-1]["ts"]
    await slack.say("U0OUTSIDE", CRITICAL, "a reply", thread_ts=ts)
    await slack.share_files("U0SENA", "D0SENA", {"graph.png": b"\x89PNG"}, text="look")
    await slack.react("U0SENA", CRITICAL, ts, "eyes")
    await slack.unreact("U0SENA", CRITICAL, ts, "eyes")

    told = sent(bot)
    wanted = ("AppHomeOpened", "Message", "AppMention", "Message", "FileShareMessage")
    for name, payload in zip((*wanted, "ReactionAdded", "ReactionRemoved"), told, strict=True):
        assert problems("EventEnvelope", payload) == []
        assert problems(name, payload["event"]) == []
        known = known_keys("EventEnvelope") | {f"event.{key}" for key in known_keys(name)}
        assert set(keys(payload)) - known - set(java()["keys"][name]) - UNLISTED_KEYS == set()


async def test_every_method_answers_as_slacks_client_expects(
    slack: SandboxSlack, bot: Receiver, client: AsyncWebClient
) -> None:
    slack.reset()
    metadata = {"event_type": "x", "event_payload": {"key": 1}}
    blocks = [section(), buttons("go")]
    posted = await client.chat_postMessage(channel=CRITICAL, text="x", blocks=blocks, metadata=metadata)
    where: Json = {"channel": CRITICAL, "timestamp": posted["ts"]}
    message: Json = {"channel": CRITICAL, "ts": posted["ts"]}
    await client.reactions_add(name="eyes", **where)
    await client.reactions_get(**where)
    await client.pins_add(**where)
    await client.chat_postMessage(channel=CRITICAL, text="reply", thread_ts=posted["ts"])
    await client.files_upload_v2(channel=CRITICAL, filename="a.md", content="x", initial_comment="y")
    await client.files_info(file=slack.files()[0]["id"])
    await client.chat_getPermalink(channel=CRITICAL, message_ts=posted["ts"])
    await client.conversations_history(channel=CRITICAL, include_all_metadata=True)
    await client.conversations_replies(**message)
    await client.reactions_remove(name="eyes", **where)
    await client.chat_update(text="y", **message, blocks=[section("y")])
    await client.chat_delete(**message)
    await client.chat_postEphemeral(channel=CRITICAL, user="U0SENA", text="x")
    for kinds in ("public_channel", "im"):
        await client.conversations_list(types=kinds)
    for channel in (CRITICAL, "C0PARTNER", "D0SENA"):
        await client.conversations_info(channel=channel, include_num_members=True)
    await client.conversations_join(channel=CRITICAL)
    await client.conversations_members(channel=CRITICAL)
    await client.conversations_open(users="U0SENA", return_im=True)
    await client.bookmarks_add(channel_id=CRITICAL, title="x", type="link", link="https://example.com")
    for user in ("U0SENA", "U0GUEST", "U0OUTSIDE", names.BOT_USER_ID):
        await client.users_info(user=user, include_locale=True)
    await client.users_list(include_locale=True)
    await client.usergroups_list(include_users=True)
    await client.usergroups_users_list(usergroup="S0DEVOPS")
    await client.bots_info(bot=names.BOT_ID)
    await client.auth_test()
    await client.api_test()
    await client.apps_connections_open(app_token=names.APP_TOKEN)
    await views(slack, bot, client)
    await canvases(client)
    await blocks_to_check(slack)

    assert {call.method for call in slack.calls} == set(METHODS)
    unheard: set[tuple[str, str]] = set()
    for call in slack.calls:
        name = name_of(call.method)
        assert call.response is not None
        assert call.response["ok"] is (call.method != "blocks.validate"), call.response
        assert problems(name, call.response) == []
        known = known_keys(name) | set(java()["keys"].get(call.method, ())) | UNLISTED_KEYS
        unheard |= {(call.method, key) for key in set(keys(call.response)) - known}
    assert unheard == set()


async def views(slack: SandboxSlack, bot: Receiver, client: AsyncWebClient) -> None:
    opened = await client.views_open(
        trigger_id=await trigger(slack, bot), view=modal(text_input("why", block_id="why"), buttons("more"))
    )
    await slack.click_view("U0SENA", opened["view"]["id"], "more")
    await client.views_push(trigger_id=sent(bot)[-1]["trigger_id"], view=modal())
    await client.views_update(view_id=opened["view"]["id"], view=modal())
    await client.views_publish(user_id="U0SENA", view={"type": "home", "blocks": [section()]})


async def canvases(client: AsyncWebClient) -> None:
    content = {"type": "markdown", "markdown": "# x"}
    made = await client.canvases_create(title="x", document_content=content)
    canvas = {"canvas_id": made["canvas_id"]}
    await client.canvases_edit(**canvas, changes=[{"operation": "replace", "document_content": content}])
    await client.canvases_access_set(**canvas, access_level="read", channel_ids=[CRITICAL])
    await client.canvases_delete(**canvas)


async def blocks_to_check(slack: SandboxSlack) -> None:
    wrong = [{"type": "header", "text": {"type": "mrkdwn", "text": "x" * 151}}, {"type": "nonsense"}]
    async with httpx.AsyncClient(base_url=slack.api_url, timeout=PATIENCE_SECONDS) as http:
        await http.post("blocks.validate", data={"blocks": json.dumps(wrong)})


def test_what_is_missing_or_of_another_kind_is_noticed() -> None:
    reaction = {"type": "reaction_added", "user": "U1", "reaction": "eyes", "event_ts": "1.0"}
    item = {"type": "message", "channel": "C1", "ts": "1.0"}

    assert problems("ReactionAdded", {**reaction, "item": item}) == [
        "ReactionAdded: 'item_user' is a required property"
    ]
    assert problems("ChatPostMessage", {"ok": "yes"}) == [
        "ChatPostMessage.ok: 'yes' is not of type 'boolean'"
    ]
    assert set(keys({"ok": True, "tss": 1})) - known_keys("ChatPostMessage") == {"tss"}


def test_every_method_is_limited_by_slacks_own_table() -> None:
    tiers = {"Tier1": TIER_1, "Tier2": TIER_2, "Tier3": TIER_3, "Tier4": TIER_4}

    published = {method: tiers.get(tier, SPECIAL) for method, tier in java()["tiers"].items()}

    assert {method: PER_MINUTE[method] for method in published} == published
    assert set(PER_MINUTE) - set(published) == {"blocks.validate"}
