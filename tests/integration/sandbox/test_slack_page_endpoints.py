"""The endpoints the sandbox's browser page lives on."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from slack_bolt.async_app import AsyncAck
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.sandbox import names
from bot.sandbox.slack import SandboxSlack, http_server
from tests.integration.sandbox.slack_workspace import (
    CRITICAL,
    OPERATIONS,
    PATIENCE_SECONDS,
    Receiver,
    a_manifest,
    buttons,
    client_of,
    modal,
    running_bot,
    running_slack,
)


@pytest.fixture
async def slack() -> AsyncIterator[SandboxSlack]:
    async with running_slack() as served:
        yield served


@pytest.fixture
async def bot(slack: SandboxSlack) -> AsyncIterator[Receiver]:
    async with running_bot(slack) as receiver:
        yield receiver


@pytest.fixture
async def http(slack: SandboxSlack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=slack.base_url, timeout=PATIENCE_SECONDS) as client:
        yield client


async def test_the_state_shows_the_workspace(slack: SandboxSlack, http: httpx.AsyncClient) -> None:
    await client_of(slack).chat_postMessage(channel=CRITICAL, text="x", blocks=[buttons("go")])

    state = (await http.get("/sandbox/state?user=U0SENA")).json()

    assert state["team"] == {"name": names.TEAM_NAME}
    assert {person["id"] for person in state["people"]} == {
        *(person.id for person in names.PEOPLE),
        names.BOT_USER_ID,
    }
    assert state["commands"][0] == {
        "command": "/rollback",
        "description": "Roll back",
        "usage_hint": "TARGET",
    }
    assert {"id": "D0SENA", "name": "Backout", "topic": "", "is_im": True, "shared": False} in state[
        "channels"
    ]
    (message,) = state["messages"][CRITICAL]
    assert (message["username"], message["text"], message["ephemeral_for"]) == ("Backout", "x", None)
    assert {"ts", "user", "bot_id", "blocks", "thread_ts", "edited", "files", "reactions"} <= set(message)


async def test_people_see_only_what_is_theirs(slack: SandboxSlack, http: httpx.AsyncClient) -> None:
    await client_of(slack).chat_postEphemeral(channel=CRITICAL, user="U0SENA", text="only you")

    sena = (await http.get("/sandbox/state?user=U0SENA")).json()
    guest = (await http.get("/sandbox/state?user=U0GUEST")).json()

    assert [message["text"] for message in sena["messages"][CRITICAL]] == ["only you"]
    assert guest["messages"][CRITICAL] == []
    assert {channel["id"] for channel in guest["channels"]} == {CRITICAL, "C0PARTNER", "D0GUEST"}
    assert OPERATIONS in sena["messages"]
    assert (await http.get("/sandbox/state?user=U0NOBODY")).status_code == 404


async def test_changes_are_told_at_once(slack: SandboxSlack, http: httpx.AsyncClient) -> None:
    async with http.stream("GET", "/sandbox/events?user=U0SENA") as stream:
        lines = (line async for line in stream.aiter_lines() if line.startswith("data: "))
        first = json.loads((await anext(lines)).removeprefix("data: "))
        await slack.say("U0SENA", CRITICAL, "x")
        second = json.loads((await anext(lines)).removeprefix("data: "))

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert second["version"] > first["version"]


async def test_a_stop_ends_the_streams_of_the_page_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    # A stream that did not end would be cut off only then, and the test with it.
    monkeypatch.setattr(http_server, "_SECONDS_TO_FINISH", 2 * PATIENCE_SECONDS)
    slack = SandboxSlack(manifest=a_manifest(), events_url="http://127.0.0.1:9/")
    await slack.start()
    async with (
        httpx.AsyncClient(base_url=slack.base_url, timeout=PATIENCE_SECONDS) as http,
        http.stream("GET", "/sandbox/events?user=U0SENA") as stream,
    ):
        lines = stream.aiter_lines()
        await anext(lines)

        async with asyncio.timeout(PATIENCE_SECONDS):
            await slack.stop()
            rest = [line async for line in lines if line]

    assert rest == []


async def test_a_stopped_workspace_can_start_again() -> None:
    slack = SandboxSlack(manifest=a_manifest(), events_url="http://127.0.0.1:9/")
    await slack.start()
    await slack.stop()
    await slack.start()
    answer = await client_of(slack).auth_test()
    await slack.stop()

    assert answer["ok"] is True


async def test_the_page_sends_commands_and_is_told_what_slack_would_show(
    slack: SandboxSlack, bot: Receiver, http: httpx.AsyncClient
) -> None:
    async def answer(ack: AsyncAck) -> None:
        await ack("done")

    bot.app.command("/rollback")(answer)
    typed = {"user": "U0SENA", "channel": CRITICAL}

    fine = await http.post("/sandbox/slash", json={**typed, "text": "/rollback canary"})
    unknown = await http.post("/sandbox/slash", json={**typed, "text": "/foo"})

    assert fine.json() == {"ok": True, "error": None, "errors": None}
    assert unknown.json() == {"ok": False, "error": "/foo is not a valid command", "errors": None}
    assert slack.messages(CRITICAL, user="U0SENA")[0]["text"] == "done"


async def test_the_page_clicks_and_fills_in_modals(
    slack: SandboxSlack, bot: Receiver, http: httpx.AsyncClient
) -> None:
    async def opens(ack: AsyncAck, body: dict[str, str]) -> None:
        await bot.client.views_open(trigger_id=body["trigger_id"], view=modal(notify_on_close=True))
        await ack()

    cleared: list[bool] = []

    async def closed(ack: AsyncAck, body: dict[str, bool]) -> None:
        cleared.append(body["is_cleared"])
        await ack()

    bot.app.action("go")(opens)
    bot.app.view_closed("asked")(closed)
    posted = await client_of(slack).chat_postMessage(channel=CRITICAL, text="x", blocks=[buttons("go")])
    where = {"channel": CRITICAL, "ts": posted["ts"], "block_id": "row", "action_id": "go"}

    clicked = await http.post("/sandbox/action", json={"user": "U0SENA", **where})
    view_id = slack.views("U0SENA")[0]["id"]
    view = {"user": "U0SENA", "view_id": view_id}
    submitted = await http.post("/sandbox/submit", json={**view, "values": {"why": ""}})
    closing = await http.post("/sandbox/close", json={**view, "clear": True})

    assert clicked.json()["ok"] is True
    assert submitted.json() == {
        "ok": False,
        "error": None,
        "errors": {"why": "Please complete this required field."},
    }
    assert closing.json()["ok"] is True
    assert cleared == [True]
    assert slack.views("U0SENA") == []


async def test_the_page_writes_messages(slack: SandboxSlack, http: httpx.AsyncClient) -> None:
    body = {"user": "U0SENA", "channel": OPERATIONS, "text": "hi #backend"}
    await http.post("/sandbox/message", json=body)
    root = slack.messages(OPERATIONS)[0]

    await http.post("/sandbox/message", json={**body, "text": "more", "thread_ts": root["ts"]})

    assert root["text"] == "hi <#C0BACKEND|backend>"
    assert [message["text"] for message in slack.messages(OPERATIONS, thread_ts=root["ts"])] == ["more"]


async def test_the_page_presses_shortcuts_reacts_and_opens_the_home(
    slack: SandboxSlack, bot: Receiver, http: httpx.AsyncClient
) -> None:
    bot.answer = (200, "")
    await slack.say("U0GITCO", CRITICAL, "look")
    where = {"user": "U0SENA", "channel": CRITICAL, "ts": slack.messages(CRITICAL)[0]["ts"]}

    answers = [
        await http.post("/sandbox/shortcut", json={"user": "U0SENA", "callback_id": "declare"}),
        await http.post("/sandbox/shortcut", json={**where, "callback_id": "keep"}),
        await http.post("/sandbox/reaction", json={**where, "name": "pushpin", "on": True}),
        await http.post("/sandbox/reaction", json={**where, "name": "pushpin", "on": False}),
        await http.post("/sandbox/home", json={"user": "U0SENA", "tab": "home"}),
    ]
    again = await http.post("/sandbox/reaction", json={**where, "name": "pushpin", "on": False})

    assert [answer.json()["ok"] for answer in answers] == [True] * 5
    assert len(bot.received) == 5
    assert (again.status_code, again.json()["ok"]) == (409, False)


async def test_the_page_shares_files(slack: SandboxSlack, http: httpx.AsyncClient) -> None:
    file = {"user": "U0SENA", "channel": OPERATIONS, "name": "a.txt", "content": "7JWI64WV", "text": "see"}

    shared = await http.post("/sandbox/file", json=file)
    broken = await http.post("/sandbox/file", json={**file, "content": "?"})
    state = (await http.get("/sandbox/state?user=U0SENA")).json()
    fetched = await http.get(state["files"][0]["url"])

    assert (shared.json()["ok"], broken.status_code) == (True, 400)
    assert (state["files"][0]["user"], fetched.text) == ("U0SENA", "안녕")
    assert state["messages"][OPERATIONS][0]["text"] == "see"


async def test_the_page_knows_the_apps_shortcuts_and_tabs(http: httpx.AsyncClient) -> None:
    state = (await http.get("/sandbox/state?user=U0SENA")).json()

    assert [(row["type"], row["callback_id"]) for row in state["shortcuts"]] == [
        ("global", "declare"),
        ("message", "keep"),
    ]
    assert state["tabs"] == {"home": True, "messages": True, "read_only": False}


async def test_what_is_no_longer_there_is_a_conflict(http: httpx.AsyncClient) -> None:
    answer = await http.post("/sandbox/close", json={"user": "U0SENA", "view_id": "V0"})

    assert answer.status_code == 409
    assert answer.json()["ok"] is False


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"user": "U0SENA"}'])
async def test_a_malformed_request_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await http.post("/sandbox/slash", content=body, headers=headers)

    assert answer.status_code == 400


async def test_a_form_of_a_foreign_page_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/sandbox/message", data={"user": "U0SENA"})

    assert answer.status_code == 415


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
async def test_another_host_name_is_refused(http: httpx.AsyncClient, host: str) -> None:
    answer = await http.get("/sandbox/state?user=U0SENA", headers={"Host": host})

    assert answer.status_code == 421


async def test_localhost_is_this_machine(http: httpx.AsyncClient) -> None:
    answer = await http.get("/sandbox/state?user=U0SENA", headers={"Host": "localhost:1234"})

    assert answer.status_code == 200


async def test_only_loopback_is_served(slack: SandboxSlack) -> None:
    elsewhere = SandboxSlack(manifest=a_manifest(), events_url="http://127.0.0.1:9/")

    with pytest.raises(ValueError, match="loopback only"):
        await elsewhere.start(host="0.0.0.0")


async def test_files_are_shown_or_downloaded_and_never_run(
    slack: SandboxSlack, http: httpx.AsyncClient
) -> None:
    client = client_of(slack)
    await client.files_upload_v2(channel=CRITICAL, filename="기록.md", content="# 기록")
    await client.files_upload_v2(channel=CRITICAL, filename="a.bin", content=b"\x00\x01")
    state = (await http.get("/sandbox/state?user=U0SENA")).json()

    text, binary = [await http.get(file["url"]) for file in state["files"]]

    assert text.text == "# 기록"
    assert text.headers["content-type"] == "text/markdown; charset=utf-8"
    assert text.headers["content-disposition"].startswith("inline;")
    assert text.headers["content-security-policy"].startswith("sandbox;")
    assert binary.headers["content-disposition"].startswith("attachment;")
    assert (await http.get("/files/F0/none")).status_code == 404


async def test_the_page_is_served(http: httpx.AsyncClient) -> None:
    index = await http.get("/")
    same = await http.get("/static/index.html")

    assert index.status_code == 200
    assert index.text == same.text


async def test_the_caller_may_add_routes() -> None:
    async def cloud(request: Request) -> Response:
        return PlainTextResponse("panel")

    slack = SandboxSlack(manifest=a_manifest(), events_url="http://127.0.0.1:9/")
    slack.extra_routes.append(Route("/sandbox/cloud", cloud))
    await slack.start()
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        answer = await http.get(f"{slack.base_url}/sandbox/cloud")
    await slack.stop()

    assert answer.text == "panel"
