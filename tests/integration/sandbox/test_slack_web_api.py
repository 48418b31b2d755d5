"""The sandbox's Web API, called by the official client."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import names
from bot.sandbox.slack import SandboxSlack
from tests.integration.sandbox.slack_workspace import (
    BACKEND,
    CRITICAL,
    OPERATIONS,
    PATIENCE_SECONDS,
    SCOPES,
    Clock,
    client_of,
    running_slack,
    section,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SandboxSlack]:
    async with running_slack(clock=clock) as served:
        yield served


@pytest.fixture
def client(slack: SandboxSlack) -> AsyncWebClient:
    return client_of(slack)


async def error_of(call: Any) -> str:
    with pytest.raises(SlackApiError) as failed:
        await call
    return str(failed.value.response["error"])


async def test_auth_test_says_who_the_bot_is(client: AsyncWebClient) -> None:
    answer = await client.auth_test()

    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == (
        names.BOT_USER_ID,
        names.BOT_ID,
        names.TEAM_ID,
    )
    assert answer.headers["x-oauth-scopes"] == ",".join(SCOPES)


async def test_a_message_comes_back_as_it_was_posted(slack: SandboxSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(
        channel=CRITICAL,
        text="hello & <world>",
        blocks=[section("안녕")],
        metadata={"event_type": "backout", "event_payload": {"key": "k"}},
    )

    history = await client.conversations_history(channel=CRITICAL)
    with_metadata = await client.conversations_history(channel=CRITICAL, include_all_metadata=True)
    assert history["messages"][0]["ts"] == posted["ts"]
    assert history["messages"][0]["text"] == "hello & <world>"
    assert history["messages"][0]["bot_id"] == names.BOT_ID
    assert history["messages"][0]["blocks"][0]["text"]["text"] == "안녕"
    assert "metadata" not in history["messages"][0]
    assert with_metadata["messages"][0]["metadata"]["event_payload"] == {"key": "k"}
    assert slack.messages(CRITICAL)[0]["metadata"]["event_type"] == "backout"


async def test_slack_fills_in_the_ids_of_blocks_that_have_none(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=CRITICAL, text="x", blocks=[section()])

    assert posted["message"]["blocks"][0]["block_id"]


@pytest.mark.parametrize("named", ["critical-incidents", "#critical-incidents", CRITICAL])
async def test_a_channel_can_be_named_when_posting(client: AsyncWebClient, named: str) -> None:
    posted = await client.chat_postMessage(channel=named, text="x")

    assert posted["channel"] == CRITICAL


async def test_only_posting_takes_a_channel_by_name(client: AsyncWebClient) -> None:
    error = await error_of(client.conversations_history(channel="critical-incidents"))

    assert error == "channel_not_found"


async def test_posting_to_a_person_opens_their_direct_messages(
    slack: SandboxSlack, client: AsyncWebClient
) -> None:
    posted = await client.chat_postMessage(channel="U0SENA", text="psst")
    opened = await client.conversations_open(users="U0SENA")

    assert posted["channel"] == opened["channel"]["id"]
    assert [message["text"] for message in slack.messages(posted["channel"])] == ["psst"]


async def test_a_public_channel_takes_posts_of_a_bot_that_is_not_in_it_by_scope() -> None:
    scopes = [scope for scope in SCOPES if scope != "chat:write.public"]

    async with running_slack() as wide, running_slack(scopes=scopes) as narrow:
        await client_of(wide).chat_postMessage(channel=BACKEND, text="x")
        error = await error_of(client_of(narrow).chat_postMessage(channel=BACKEND, text="x"))

    assert error == "not_in_channel"


async def test_an_archived_channel_takes_nothing(slack: SandboxSlack, client: AsyncWebClient) -> None:
    slack.workspace.contents.conversations[CRITICAL].archived = True

    assert await error_of(client.chat_postMessage(channel=CRITICAL, text="x")) == "is_archived"


@pytest.mark.parametrize(
    ("token", "expected"), [("xoxb-wrong", "invalid_auth"), (names.APP_TOKEN, "not_allowed_token_type")]
)
async def test_a_wrong_token_is_refused(slack: SandboxSlack, token: str, expected: str) -> None:
    assert await error_of(client_of(slack, token).auth_test()) == expected


async def test_no_token_is_refused(slack: SandboxSlack) -> None:
    async with httpx.AsyncClient(base_url=slack.api_url, timeout=PATIENCE_SECONDS) as http:
        answer = await http.post("auth.test")

    assert answer.json() == {"ok": False, "error": "not_authed"}


async def test_the_token_may_come_as_an_argument_and_is_not_logged(slack: SandboxSlack) -> None:
    async with httpx.AsyncClient(base_url=slack.api_url, timeout=PATIENCE_SECONDS) as http:
        answer = await http.post("auth.test", data={"token": names.BOT_TOKEN})

    assert answer.json()["ok"] is True
    assert "token" not in slack.calls[-1].params


async def test_a_missing_scope_is_named() -> None:
    async with running_slack(scopes=["chat:write"]) as slack:
        with pytest.raises(SlackApiError) as failed:
            await client_of(slack).users_info(user="U0SENA")

    assert failed.value.response["error"] == "missing_scope"
    assert failed.value.response["needed"] == "users:read"
    assert failed.value.response["provided"] == "chat:write"
    assert failed.value.response.headers["x-accepted-oauth-scopes"] == "users:read"


async def test_an_unknown_method_is_named(client: AsyncWebClient) -> None:
    assert await error_of(client.api_call("chat.shout")) == "unknown_method"


async def test_json_bodies_are_read_like_forms(slack: SandboxSlack) -> None:
    body = {"channel": CRITICAL, "text": "json", "blocks": [section()]}
    headers = {"Authorization": f"Bearer {names.BOT_TOKEN}"}

    async with httpx.AsyncClient(base_url=slack.api_url, headers=headers, timeout=PATIENCE_SECONDS) as http:
        answer = await http.post("chat.postMessage", json=body)

    assert answer.json()["ok"] is True
    assert slack.messages(CRITICAL)[0]["text"] == "json"


async def test_wrong_blocks_are_refused_with_every_fault(client: AsyncWebClient) -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}

    with pytest.raises(SlackApiError) as failed:
        await client.chat_postMessage(channel=CRITICAL, text="x", blocks=[header, {"type": "nonsense"}])

    response = failed.value.response
    assert response["error"] == "invalid_blocks"
    assert response["errors"] == [
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        "unsupported type: nonsense [json-pointer:/blocks/1/type]",
    ]
    assert response["response_metadata"]["messages"][0].startswith("[ERROR] must be less than 151")


async def test_blocks_that_are_not_json_are_refused(client: AsyncWebClient) -> None:
    call = client.api_call("chat.postMessage", data={"channel": CRITICAL, "text": "x", "blocks": "[{"})

    assert await error_of(call) == "invalid_blocks_format"


async def test_a_message_needs_a_content(client: AsyncWebClient) -> None:
    assert await error_of(client.api_call("chat.postMessage", data={"channel": CRITICAL})) == "no_text"


async def test_a_very_long_text_is_cut(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=CRITICAL, text="x" * 40_001)

    assert len(posted["message"]["text"]) == 40_000
    assert posted["response_metadata"]["warnings"] == ["message_truncated"]


async def test_an_edit_with_text_alone_takes_the_blocks_away(
    slack: SandboxSlack, client: AsyncWebClient
) -> None:
    metadata = {"event_type": "backout", "event_payload": {}}
    posted = await client.chat_postMessage(channel=CRITICAL, text="x", blocks=[section()], metadata=metadata)

    await client.chat_update(channel=CRITICAL, ts=posted["ts"], text="y")

    message = slack.messages(CRITICAL)[0]
    assert message["text"] == "y"
    assert "blocks" not in message
    assert message["metadata"] == metadata


async def test_an_edit_takes_no_more_than_4000_characters(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=CRITICAL, text="x")

    await client.chat_update(channel=CRITICAL, ts=posted["ts"], text="x" * 4000)
    call = client.chat_update(channel=CRITICAL, ts=posted["ts"], text="x" * 4001)
    assert await error_of(call) == "msg_too_long"


async def test_only_own_messages_can_be_edited_or_deleted(
    slack: SandboxSlack, client: AsyncWebClient
) -> None:
    await slack.say("U0SENA", CRITICAL, "mine")
    ts = slack.messages(CRITICAL)[0]["ts"]

    assert await error_of(client.chat_update(channel=CRITICAL, ts=ts, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel=CRITICAL, ts=ts)) == "cant_delete_message"
    assert await error_of(client.chat_delete(channel=CRITICAL, ts="1.0")) == "message_not_found"


async def test_a_deleted_message_is_gone(slack: SandboxSlack, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=CRITICAL, text="x")

    await client.chat_delete(channel=CRITICAL, ts=posted["ts"])

    assert slack.messages(CRITICAL) == []


async def test_an_ephemeral_is_seen_by_one_person_and_is_not_in_the_history(
    slack: SandboxSlack, client: AsyncWebClient
) -> None:
    await client.chat_postEphemeral(channel=CRITICAL, user="U0SENA", text="only you")

    history = await client.conversations_history(channel=CRITICAL)
    assert history["messages"] == []
    assert [message["ephemeral_for"] for message in slack.messages(CRITICAL, user="U0SENA")] == ["U0SENA"]
    assert slack.messages(CRITICAL, user="U0GITCO") == []
    assert slack.messages(CRITICAL) == []


async def test_an_ephemeral_needs_both_in_the_channel(client: AsyncWebClient) -> None:
    outside = client.chat_postEphemeral(channel=CRITICAL, user="U0NOBODY", text="x")
    elsewhere = client.chat_postEphemeral(channel=BACKEND, user="U0SENA", text="x")

    assert await error_of(outside) == "user_not_in_channel"
    assert await error_of(elsewhere) == "not_in_channel"


async def test_an_ephemeral_cannot_be_edited(client: AsyncWebClient) -> None:
    sent = await client.chat_postEphemeral(channel=CRITICAL, user="U0SENA", text="x")

    call = client.chat_update(channel=CRITICAL, ts=sent["message_ts"], text="y")
    assert await error_of(call) == "message_not_found"


async def test_replies_stand_in_their_thread_and_not_in_the_channel(
    slack: SandboxSlack, client: AsyncWebClient
) -> None:
    root = await client.chat_postMessage(channel=CRITICAL, text="root")
    await client.chat_postMessage(channel=CRITICAL, text="reply", thread_ts=root["ts"])

    history = await client.conversations_history(channel=CRITICAL)
    thread = await client.conversations_replies(channel=CRITICAL, ts=root["ts"])
    assert [message["text"] for message in history["messages"]] == ["root"]
    assert history["messages"][0]["reply_count"] == 1
    assert [message["text"] for message in thread["messages"]] == ["root", "reply"]
    assert [message["text"] for message in slack.messages(CRITICAL, thread_ts=root["ts"])] == ["reply"]


async def test_a_thread_needs_a_message_to_start_it(client: AsyncWebClient) -> None:
    call = client.chat_postMessage(channel=CRITICAL, text="x", thread_ts="1.000000")

    assert await error_of(call) == "thread_not_found"


async def test_the_history_comes_in_pages_newest_first(client: AsyncWebClient) -> None:
    for text in "abc":
        await client.chat_postMessage(channel=CRITICAL, text=text)

    first = await client.conversations_history(channel=CRITICAL, limit=2)
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_history(channel=CRITICAL, limit=2, cursor=cursor)
    assert [message["text"] for message in first["messages"]] == ["c", "b"]
    assert [message["text"] for message in second["messages"]] == ["a"]
    assert (first["has_more"], second["has_more"]) == (True, False)


async def test_one_message_can_be_fetched_by_its_ts(client: AsyncWebClient) -> None:
    posts = [await client.chat_postMessage(channel=CRITICAL, text=text) for text in "abc"]

    found = await client.conversations_history(
        channel=CRITICAL, latest=posts[1]["ts"], inclusive=True, limit=1
    )

    assert [message["text"] for message in found["messages"]] == ["b"]


async def test_the_history_of_a_channel_without_the_bot_is_closed_until_it_joins(
    client: AsyncWebClient,
) -> None:
    before = await error_of(client.conversations_history(channel=BACKEND))

    await client.conversations_join(channel=BACKEND)

    assert before == "not_in_channel"
    assert (await client.conversations_history(channel=BACKEND))["messages"] == []


async def test_channels_know_their_members(client: AsyncWebClient) -> None:
    listed = await client.conversations_list(types="public_channel", limit=200)
    info = await client.conversations_info(channel="C0PARTNER")
    partner = await client.conversations_members(channel="C0PARTNER")
    backend = await client.conversations_members(channel="C0BACKEND")

    assert {channel["id"]: channel["is_member"] for channel in listed["channels"]} == {
        channel.id: channel.id in names.BOT_CHANNELS for channel in names.CHANNELS
    }
    assert info["channel"]["is_ext_shared"] is True
    assert {"U0GUEST", "U0OUTSIDE"} <= set(partner["members"])
    assert not {"U0GUEST", "U0OUTSIDE"} & set(backend["members"])


async def test_people_are_described_with_their_standing(client: AsyncWebClient) -> None:
    sena = (await client.users_info(user="U0SENA", include_locale=True))["user"]
    guest = (await client.users_info(user="U0GUEST"))["user"]
    outsider = (await client.users_info(user="U0OUTSIDE"))["user"]
    robot = (await client.users_info(user=names.BOT_USER_ID))["user"]

    assert (sena["locale"], sena["tz"], sena["is_restricted"]) == ("ko-KR", "Asia/Seoul", False)
    assert guest["is_restricted"] is True
    assert "locale" not in guest
    assert outsider["team_id"] == names.OTHER_TEAM_ID
    assert robot["is_bot"] is True
    assert await error_of(client.users_info(user="U0NOBODY")) == "user_not_found"
    assert len((await client.users_list())["members"]) == len(names.PEOPLE) + 1


async def test_user_groups_are_listed(client: AsyncWebClient) -> None:
    groups = await client.usergroups_list(include_users=True)
    users = await client.usergroups_users_list(usergroup="S0DEVOPS")

    assert groups["usergroups"][0]["users"] == ["U0LUBIT"]
    assert users["users"] == ["U0LUBIT"]
    assert await error_of(client.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"


async def test_a_file_is_uploaded_by_the_official_client(slack: SandboxSlack, client: AsyncWebClient) -> None:
    root = await client.chat_postMessage(channel=CRITICAL, text="root")

    answer = await client.files_upload_v2(
        channel=CRITICAL,
        thread_ts=root["ts"],
        filename="기록.md",
        title="Record",
        content="# 기록",
        initial_comment="here",
    )

    (stored,) = slack.files()
    (message,) = slack.messages(CRITICAL, thread_ts=root["ts"])
    info = await client.files_info(file=answer["file"]["id"])
    assert stored["content"].decode() == "# 기록"
    assert (stored["channel"], stored["initial_comment"]) == (CRITICAL, "here")
    assert message["files"][0]["name"] == "기록.md"
    assert info["file"]["shares"]["public"][CRITICAL][0]["thread_ts"] == root["ts"]


async def test_an_upload_of_another_length_is_refused(slack: SandboxSlack, client: AsyncWebClient) -> None:
    promised = await client.files_getUploadURLExternal(filename="a.txt", length=3)

    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        uploaded = await http.post(promised["upload_url"], content=b"four")

    completed = client.files_completeUploadExternal(files=[{"id": promised["file_id"], "title": "a"}])
    assert uploaded.status_code == 400
    assert await error_of(completed) == "file_not_found"
    assert slack.files() == []


async def test_a_file_cannot_go_where_the_bot_is_not(client: AsyncWebClient) -> None:
    call = client.files_upload_v2(channel=BACKEND, filename="a.txt", content="abc")

    assert await error_of(call) == "not_in_channel"


async def test_a_message_can_be_pinned_reacted_to_and_linked(
    slack: SandboxSlack, client: AsyncWebClient
) -> None:
    ts = (await client.chat_postMessage(channel=CRITICAL, text="x"))["ts"]

    await client.pins_add(channel=CRITICAL, timestamp=ts)
    await client.reactions_add(channel=CRITICAL, timestamp=ts, name="eyes")
    link = await client.chat_getPermalink(channel=CRITICAL, message_ts=ts)
    await client.bookmarks_add(channel_id=CRITICAL, title="Runbook", type="link", link="https://example.com")

    message = slack.messages(CRITICAL)[0]
    assert message["pinned_to"] == [CRITICAL]
    assert message["reactions"] == [{"name": "eyes", "users": [names.BOT_USER_ID], "count": 1}]
    assert link["permalink"].endswith(f"/archives/{CRITICAL}/p{ts.replace('.', '')}")
    assert await error_of(client.pins_add(channel=CRITICAL, timestamp=ts)) == "already_pinned"
    again = client.reactions_add(channel=CRITICAL, timestamp=ts, name="eyes")
    assert await error_of(again) == "already_reacted"


async def test_blocks_can_be_checked_without_a_token(slack: SandboxSlack) -> None:
    wrong = '[{"type": "section", "text": {"type": "invalid", "text": "x"}}]'

    async with httpx.AsyncClient(base_url=slack.api_url, timeout=PATIENCE_SECONDS) as http:
        answer = (await http.post("blocks.validate", data={"blocks": wrong})).json()
        fine = (await http.post("blocks.validate", json={"blocks": [section()]})).json()

    assert answer["error"] == "invalid_blocks"
    assert answer["errors"][0]["pointer"] == "/0/text/type"
    assert answer["errors"][0]["constraint"]["expected"] == ["mrkdwn", "plain_text"]
    assert fine == {"ok": True}


async def test_posts_in_one_channel_are_limited_to_one_a_second_after_a_burst(
    client: AsyncWebClient, clock: Clock
) -> None:
    clock.stand_still()
    for _ in range(5):
        await client.chat_postMessage(channel=CRITICAL, text="x")

    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(channel="#critical-incidents", text="x")
    await client.chat_postMessage(channel=OPERATIONS, text="another channel is another limit")
    clock.ahead_seconds += int(limited.value.response.headers["Retry-After"])
    await client.chat_postMessage(channel=CRITICAL, text="x")

    assert limited.value.response.status_code == 429
    assert limited.value.response["error"] == "ratelimited"
    assert limited.value.response.headers["Retry-After"] == "1"


async def test_other_methods_are_limited_by_the_minute(client: AsyncWebClient, clock: Clock) -> None:
    clock.stand_still()
    for _ in range(20):
        await client.usergroups_list()

    with pytest.raises(SlackApiError) as limited:
        await client.usergroups_list()
    clock.ahead_seconds += int(limited.value.response.headers["Retry-After"])
    await client.usergroups_list()

    assert limited.value.response.status_code == 429


async def test_the_next_call_fails_as_asked_and_the_one_after_works(
    slack: SandboxSlack, client: AsyncWebClient
) -> None:
    slack.fail_next("chat.postMessage", error="fatal_error", times=2)

    first = await error_of(client.chat_postMessage(channel=CRITICAL, text="x"))
    second = await error_of(client.chat_postMessage(channel=CRITICAL, text="x"))
    await client.chat_postMessage(channel=CRITICAL, text="x")

    assert (first, second) == ("fatal_error", "fatal_error")
    assert len(slack.messages(CRITICAL)) == 1


async def test_a_call_can_be_limited_on_request(slack: SandboxSlack, client: AsyncWebClient) -> None:
    slack.fail_next("views.open", retry_after=7)

    with pytest.raises(SlackApiError) as limited:
        await client.views_open(trigger_id="x", view={"type": "modal"})

    assert limited.value.response.status_code == 429
    assert limited.value.response.headers["Retry-After"] == "7"


async def test_an_answer_can_be_lost_after_the_effect(slack: SandboxSlack, client: AsyncWebClient) -> None:
    slack.fail_next("chat.postMessage", after_effect=True, drop_connection=True)

    with pytest.raises(ClientError):
        await client.chat_postMessage(channel=CRITICAL, text="it landed")

    assert [message["text"] for message in slack.messages(CRITICAL)] == ["it landed"]
    assert slack.calls[-1].response is None


async def test_a_connection_can_be_cut_before_the_effect(slack: SandboxSlack, client: AsyncWebClient) -> None:
    slack.fail_next("chat.postMessage", drop_connection=True)

    with pytest.raises(ClientError):
        await client.chat_postMessage(channel=CRITICAL, text="it did not land")

    assert slack.messages(CRITICAL) == []


async def test_a_call_can_answer_500(slack: SandboxSlack, client: AsyncWebClient) -> None:
    slack.fail_next("auth.test", status=500)

    with pytest.raises(SlackApiError) as failed:
        await client.auth_test()

    assert failed.value.response.status_code == 500


async def test_every_call_is_written_down(slack: SandboxSlack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=CRITICAL, text="x")

    call = slack.calls[-1]
    assert call.method == "chat.postMessage"
    assert call.params["channel"] == CRITICAL
    assert call.response is not None
    assert call.response["ok"] is True


async def test_a_reset_forgets_everything(slack: SandboxSlack, client: AsyncWebClient) -> None:
    slack.fail_next("auth.test", error="fatal_error")
    await client.chat_postMessage(channel=CRITICAL, text="x")

    slack.reset()

    assert slack.messages(CRITICAL) == []
    assert slack.calls == []
    await client.auth_test()


async def test_timestamps_are_unique_and_in_order(slack: SandboxSlack) -> None:
    await asyncio.gather(*(slack.say("U0SENA", OPERATIONS, str(number)) for number in range(20)))

    stamps = [message["ts"] for message in slack.messages(OPERATIONS)]
    assert len(set(stamps)) == 20
    assert stamps == sorted(stamps)
