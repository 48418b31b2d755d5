"""Setting an app up at our Slack: its address, its commands, its scopes, and what is not there."""

import json
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from bot.sandbox import names
from bot.sandbox.run import read_manifest
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.app_features import OWN_COMMANDS
from bot.sandbox.slack.web_api import METHODS
from tests.integration.sandbox.slack_workspace import (
    CRITICAL,
    PATIENCE_SECONDS,
    a_manifest,
    client_of,
    modal,
    running_bot,
    running_slack,
    text_input,
)

Json = dict[str, Any]


async def test_an_address_proves_itself_by_repeating_the_challenge_and_by_answering_the_probe() -> None:
    async with running_slack() as slack, running_bot(slack) as receiver:
        verified = await slack.verify_url()
        probed = await slack.check_certificate()
        receiver.answer = (200, "yes?")
        wrong = await slack.verify_url()

    asked, probe, _ = [body for body, _ in receiver.received]
    assert (verified.status, verified.shown) == (200, None)
    assert set(json.loads(asked)) == {"token", "challenge", "type"}
    assert (probed.status, probed.shown) == (200, None)
    assert parse_qs(probe)["ssl_check"] == ["1"]
    assert wrong.shown == "Your URL didn't respond with the value of the challenge parameter."


@pytest.mark.parametrize("name", ["/status", "/remind", "/invite"])
async def test_slacks_own_commands_are_neither_an_apps_to_have_nor_sent_to_it(name: str) -> None:
    manifest = a_manifest()
    manifest["features"]["slash_commands"][0]["command"] = name

    with pytest.raises(ValueError, match=f"reserved command: {name} is Slack's own"):
        SandboxSlack(manifest=manifest, events_url="http://127.0.0.1:9/")


async def test_slacks_own_commands_never_reach_the_app() -> None:
    async with running_slack() as slack:
        delivery = await slack.slash("U0SENA", CRITICAL, "/topic hello")

    assert delivery.shown == "/topic is Slack's own command; the sandbox does not have it"


def test_backouts_commands_are_none_of_slacks_own() -> None:
    commands = {row["command"] for row in read_manifest()["features"]["slash_commands"]}

    assert not commands & OWN_COMMANDS


async def test_every_method_that_needs_a_scope_names_it_and_what_the_app_has() -> None:
    async with (
        running_slack(scopes=["commands"]) as slack,
        httpx.AsyncClient(base_url=slack.api_url, timeout=PATIENCE_SECONDS) as http,
    ):
        slack.workspace.app_level_scopes = ("authorizations:read",)
        answers: dict[str, Json] = {}
        for name, registered in METHODS.items():
            token = names.APP_TOKEN if registered.app_level else names.BOT_TOKEN
            answered = await http.post(name, headers={"Authorization": f"Bearer {token}"})
            answers[name] = answered.json()

    for name, registered in METHODS.items():
        provided = "authorizations:read" if registered.app_level else "commands"
        needed = ",".join(registered.scopes)
        refusal = {"ok": False, "error": "missing_scope", "needed": needed, "provided": provided}
        assert (answers[name] == refusal) is bool(registered.scopes), (name, answers[name])


async def test_a_method_that_only_the_sandbox_lacks_says_so() -> None:
    async with (
        running_slack() as slack,
        httpx.AsyncClient(base_url=slack.api_url, timeout=PATIENCE_SECONDS) as http,
    ):
        lacking = (await http.post("admin.users.list")).json()
        unknown = (await http.post("chat.shout")).json()

    assert lacking["error"] == "not_implemented_in_the_sandbox"
    assert unknown["error"] == "unknown_method"


async def test_a_modal_can_ask_where_to_respond() -> None:
    where = {"type": "conversations_select", "action_id": "where", "response_url_enabled": True}
    async with running_slack() as slack, running_bot(slack) as receiver:
        receiver.answer = (200, "")
        await slack.press_shortcut("U0SENA", "declare")
        (trigger,) = [json.loads(parse_qs(body)["payload"][0])["trigger_id"] for body, _ in receiver.received]
        view = modal(text_input("where", block_id="place", element=where))
        opened = await client_of(slack).views_open(trigger_id=trigger, view=view)
        await slack.submit("U0SENA", opened["view"]["id"], {"where": CRITICAL})
        (chosen,) = json.loads(parse_qs(receiver.received[-1][0])["payload"][0])["response_urls"]
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
            await http.post(chosen["response_url"], json={"text": "here", "response_type": "in_channel"})
        said = slack.messages(CRITICAL)

    assert {key: chosen[key] for key in ("block_id", "action_id", "channel_id")} == {
        "block_id": "place",
        "action_id": "where",
        "channel_id": CRITICAL,
    }
    assert [message["text"] for message in said] == ["here"]
