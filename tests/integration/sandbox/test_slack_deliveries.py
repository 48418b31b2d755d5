"""What people do in the sandbox, delivered to a real Bolt app over signed HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from slack_bolt.async_app import AsyncAck, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import names
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.deliveries import ANSWER_WITHIN_SECONDS
from bot.sandbox.slack.inputs import REQUIRED
from tests.integration.sandbox.slack_workspace import (
    CRITICAL,
    OPERATIONS,
    PATIENCE_SECONDS,
    Clock,
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
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SandboxSlack]:
    async with running_slack(clock=clock) as served:
        yield served


@pytest.fixture
async def bot(slack: SandboxSlack) -> AsyncIterator[Receiver]:
    async with running_bot(slack) as receiver:
        yield receiver


def fields_of(bot: Receiver) -> dict[str, str]:
    """Return the last form the bot was sent."""
    form = parse_qs(bot.received[-1][0], keep_blank_values=True)
    return {key: values[0] for key, values in form.items()}


def payload_of(bot: Receiver) -> Any:
    """Return the last interaction the bot was sent."""
    return json.loads(fields_of(bot)["payload"])


async def a_message(slack: SandboxSlack, *blocks: Json, **more: Any) -> str:
    posted = await client_of(slack).chat_postMessage(
        channel=CRITICAL, text="x", blocks=list(blocks) or [buttons("go")], **more
    )
    return str(posted["ts"])


async def open_modal(slack: SandboxSlack, bot: Receiver, view: Json, user: str = "U0SENA") -> str:
    """Let somebody type a command, open a modal with its trigger, and return the view's id."""
    await slack.slash(user, CRITICAL, "/canary ask")
    opened = await client_of(slack).views_open(trigger_id=fields_of(bot)["trigger_id"], view=view)
    return str(opened["view"]["id"])


# Commands


async def test_a_command_arrives_signed_and_with_all_of_slacks_keys(
    slack: SandboxSlack, bot: Receiver
) -> None:
    delivery = await slack.slash("U0SENA", OPERATIONS, "/canary  status now ")

    raw, headers = bot.received[-1]
    fields = fields_of(bot)
    assert SignatureVerifier(names.SIGNING_SECRET).is_valid_request(raw, headers)
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert set(fields) == {
        "token",
        "team_id",
        "team_domain",
        "channel_id",
        "channel_name",
        "user_id",
        "user_name",
        "command",
        "text",
        "api_app_id",
        "is_enterprise_install",
        "response_url",
        "trigger_id",
    }
    assert (fields["command"], fields["text"], fields["user_id"]) == ("/canary", "status now", "U0SENA")
    assert (fields["channel_id"], fields["channel_name"]) == (OPERATIONS, "operations")
    assert (delivery.status, delivery.shown) == (404, "dispatch_failed")


async def test_a_command_in_direct_messages_says_so(slack: SandboxSlack, bot: Receiver) -> None:
    await slack.slash("U0SENA", "D0SENA", "/canary")

    assert fields_of(bot)["channel_name"] == "directmessage"


async def test_an_unknown_command_is_not_sent(slack: SandboxSlack, bot: Receiver) -> None:
    delivery = await slack.slash("U0SENA", CRITICAL, "/foo bar")

    assert (delivery.status, delivery.shown) == (0, "/foo is not a valid command")
    assert bot.received == []


async def test_mentions_are_escaped_where_the_manifest_asks_for_it(
    slack: SandboxSlack, bot: Receiver
) -> None:
    text = "@sena #backend @devops @nobody a<b & c https://example.com/?a=1"
    await slack.slash("U0SENA", CRITICAL, f"/rollback {text}")
    escaped = fields_of(bot)["text"]
    await slack.slash("U0SENA", CRITICAL, f"/canary {text}")

    assert escaped == (
        "<@U0SENA|sena> <#C0BACKEND|backend> <!subteam^S0DEVOPS|@devops> @nobody a&lt;b &amp; c "
        "<https://example.com/?a=1>"
    )
    assert fields_of(bot)["text"] == text


async def test_the_text_of_an_ack_is_shown_to_the_person_alone(slack: SandboxSlack, bot: Receiver) -> None:
    async def answer(ack: AsyncAck) -> None:
        await ack("working on it")

    bot.app.command("/rollback")(answer)

    delivery = await slack.slash("U0SENA", CRITICAL, "/rollback canary")

    (message,) = slack.messages(CRITICAL, user="U0SENA")
    assert (delivery.status, delivery.shown, delivery.text) == (200, None, "working on it")
    assert (message["text"], message["ephemeral_for"]) == ("working on it", "U0SENA")


async def test_an_ack_in_the_channel_is_shown_to_everybody(slack: SandboxSlack, bot: Receiver) -> None:
    async def answer(ack: AsyncAck) -> None:
        await ack(text="x", blocks=[section("done")], response_type="in_channel")

    bot.app.command("/rollback")(answer)

    await slack.slash("U0SENA", CRITICAL, "/rollback canary")

    (message,) = slack.messages(CRITICAL)
    assert message["blocks"][0]["text"]["text"] == "done"


async def test_an_ack_with_wrong_blocks_is_not_shown(slack: SandboxSlack, bot: Receiver) -> None:
    async def answer(ack: AsyncAck) -> None:
        await ack(text="x", blocks=[{"type": "nonsense"}])

    bot.app.command("/rollback")(answer)

    delivery = await slack.slash("U0SENA", CRITICAL, "/rollback canary")

    assert delivery.shown == "invalid_blocks"
    assert slack.messages(CRITICAL, user="U0SENA") == []


async def test_an_app_that_is_down_or_fails_is_a_failed_dispatch(slack: SandboxSlack, bot: Receiver) -> None:
    bot.answer = (500, "oops")
    failed = await slack.slash("U0SENA", CRITICAL, "/rollback canary")
    slack.events_url = "http://127.0.0.1:9/slack/events"
    down = await slack.slash("U0SENA", CRITICAL, "/rollback canary")

    assert (failed.status, failed.shown) == (500, "dispatch_failed")
    assert (down.status, down.shown) == (0, "dispatch_failed")


async def test_an_app_that_takes_longer_than_3_seconds_timed_out() -> None:
    patient = running_slack(patience_seconds=ANSWER_WITHIN_SECONDS)
    async with patient as slack, running_bot(slack) as bot:
        bot.answering.clear()
        delivery = await slack.slash("U0SENA", CRITICAL, "/rollback canary")
        bot.answering.set()

    assert ANSWER_WITHIN_SECONDS == 3.0
    assert delivery.shown == "operation_timeout"
    assert delivery.took_seconds >= 3.0


async def test_nobody_acts_where_they_are_not(slack: SandboxSlack, bot: Receiver) -> None:
    with pytest.raises(LookupError, match="U0GUEST is not in C0BACKEND"):
        await slack.slash("U0GUEST", "C0BACKEND", "/rollback")


# Clicks


async def test_a_click_arrives_with_the_message_and_the_action(slack: SandboxSlack, bot: Receiver) -> None:
    ts = await a_message(slack, section(), buttons("go", "stay"))

    await slack.click("U0SENA", CRITICAL, ts, "stay")

    payload = payload_of(bot)
    (action,) = payload["actions"]
    assert payload["type"] == "block_actions"
    assert payload["user"] == {
        "id": "U0SENA",
        "username": "sena",
        "name": "sena",
        "team_id": names.TEAM_ID,
    }
    assert payload["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": CRITICAL,
        "is_ephemeral": False,
    }
    assert payload["channel"] == {"id": CRITICAL, "name": "critical-incidents"}
    assert payload["message"]["ts"] == ts
    assert payload["message"]["bot_id"] == names.BOT_ID
    assert (payload["enterprise"], payload["is_enterprise_install"]) == (None, False)
    assert action == {
        "type": "button",
        "action_id": "stay",
        "block_id": "row",
        "text": {"type": "plain_text", "text": "stay", "emoji": True},
        "value": "value of stay",
        "action_ts": action["action_ts"],
    }


async def test_a_click_by_somebody_of_another_workspace_says_so(slack: SandboxSlack, bot: Receiver) -> None:
    ts = await a_message(slack)

    await slack.click("U0OUTSIDE", CRITICAL, ts, "go")

    payload = payload_of(bot)
    assert payload["team"]["id"] == names.TEAM_ID
    assert payload["user"]["team_id"] == names.OTHER_TEAM_ID


async def test_a_click_in_an_ephemeral_brings_no_message(slack: SandboxSlack, bot: Receiver) -> None:
    sent = await client_of(slack).chat_postEphemeral(
        channel=CRITICAL, user="U0SENA", text="x", blocks=[buttons("go")]
    )

    await slack.click("U0SENA", CRITICAL, sent["message_ts"], "go")

    assert payload_of(bot)["container"]["is_ephemeral"] is True
    assert "message" not in payload_of(bot)
    with pytest.raises(LookupError):
        await slack.click("U0GITCO", CRITICAL, sent["message_ts"], "go")


async def test_a_choice_brings_the_option_and_the_state(slack: SandboxSlack, bot: Receiver) -> None:
    options = [
        {"text": {"type": "plain_text", "text": text}, "value": text.lower()} for text in ("High", "Low")
    ]
    select = {"type": "static_select", "action_id": "severity", "options": options}
    ts = await a_message(slack, {"type": "actions", "block_id": "b", "elements": [select]})

    await slack.click("U0SENA", CRITICAL, ts, "severity", selected="low")

    payload = payload_of(bot)
    assert payload["actions"][0]["selected_option"]["value"] == "low"
    assert payload["state"]["values"]["b"]["severity"]["selected_option"]["text"]["text"] == "Low"
    with pytest.raises(LookupError, match="no option 'none'"):
        await slack.click("U0SENA", CRITICAL, ts, "severity", selected="none")


async def test_a_button_that_is_gone_cannot_be_clicked(slack: SandboxSlack, bot: Receiver) -> None:
    ts = await a_message(slack)
    await client_of(slack).chat_update(channel=CRITICAL, ts=ts, text="done")

    with pytest.raises(LookupError, match="nothing here has the action_id go"):
        await slack.click("U0SENA", CRITICAL, ts, "go")


async def test_a_button_pressed_a_moment_after_its_message_was_edited_counts(
    slack: SandboxSlack, bot: Receiver
) -> None:
    ts = await a_message(slack)
    seen = slack.messages(CRITICAL)[0]["blocks"][0]["block_id"]
    edited = [buttons("go", "stop", block_id="another")]
    await client_of(slack).chat_update(channel=CRITICAL, ts=ts, text="again", blocks=edited)

    await slack.click("U0SENA", CRITICAL, ts, "go", block_id=seen)

    assert payload_of(bot)["actions"][0]["action_id"] == "go"


# response_url


async def test_an_app_answers_a_click_through_its_response_url(slack: SandboxSlack, bot: Receiver) -> None:
    async def answer(ack: AsyncAck, respond: AsyncRespond) -> None:
        await ack()
        await respond("seen")
        await respond(text="replaced", blocks=[section("new")], replace_original=True)

    bot.app.action("go")(answer)
    ts = await a_message(slack)

    await slack.click("U0SENA", CRITICAL, ts, "go")

    original, private = slack.messages(CRITICAL, user="U0SENA")
    assert (private["text"], private["ephemeral_for"]) == ("seen", "U0SENA")
    assert (original["text"], original["ts"]) == ("replaced", ts)


async def test_a_response_url_reaches_ephemerals_and_deletes_them(slack: SandboxSlack, bot: Receiver) -> None:
    sent = await client_of(slack).chat_postEphemeral(
        channel=CRITICAL, user="U0SENA", text="x", blocks=[buttons("go")]
    )
    await slack.click("U0SENA", CRITICAL, sent["message_ts"], "go")
    url = payload_of(bot)["response_url"]

    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        await http.post(url, json={"text": "y", "replace_original": True})
        replaced = slack.messages(CRITICAL, user="U0SENA")
        await http.post(url, json={"delete_original": True})

    assert [message["text"] for message in replaced] == ["y"]
    assert slack.messages(CRITICAL, user="U0SENA") == []


async def test_a_response_url_works_five_times(slack: SandboxSlack, bot: Receiver) -> None:
    await slack.slash("U0SENA", OPERATIONS, "/canary")
    url = fields_of(bot)["response_url"]

    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        body = {"text": "x", "response_type": "in_channel"}
        answers = [await http.post(url, json=body) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert answers[-1].json()["error"] == "used_url"
    assert len(slack.messages(OPERATIONS)) == 5


async def test_a_response_url_works_for_half_an_hour(
    slack: SandboxSlack, bot: Receiver, clock: Clock
) -> None:
    await slack.slash("U0SENA", OPERATIONS, "/canary")
    clock.ahead_seconds = 30 * 60 + 1

    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        answer = await http.post(fields_of(bot)["response_url"], json={"text": "x"})

    assert answer.json() == {"ok": False, "error": "expired_url"}


async def test_a_response_url_refuses_wrong_blocks(slack: SandboxSlack, bot: Receiver) -> None:
    await slack.slash("U0SENA", OPERATIONS, "/canary")

    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        answer = await http.post(fields_of(bot)["response_url"], json={"blocks": [{"type": "nonsense"}]})

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_blocks"


# Modals


async def test_a_modal_is_opened_filled_in_and_closed_by_an_empty_ack(
    slack: SandboxSlack, bot: Receiver
) -> None:
    seen: list[Json] = []

    async def submitted(ack: AsyncAck, view: Json) -> None:
        seen.append(view)
        await ack()

    bot.app.view("asked")(submitted)
    view = modal(
        text_input("why", block_id="why"),
        text_input("note", block_id="note", optional=True),
        private_metadata="m",
    )
    view_id = await open_modal(slack, bot, view)

    delivery = await slack.submit("U0SENA", view_id, {"why": "because"})

    assert delivery.shown is None
    assert slack.views("U0SENA") == []
    assert seen[0]["state"]["values"] == {
        "why": {"why": {"type": "plain_text_input", "value": "because"}},
        "note": {"note": {"type": "plain_text_input", "value": None}},
    }
    assert set(seen[0]) == {
        "id",
        "team_id",
        "type",
        "blocks",
        "private_metadata",
        "callback_id",
        "state",
        "hash",
        "title",
        "clear_on_close",
        "notify_on_close",
        "close",
        "submit",
        "submit_disabled",
        "previous_view_id",
        "root_view_id",
        "app_id",
        "external_id",
        "app_installed_team_id",
        "bot_id",
    }
    assert (seen[0]["id"], seen[0]["root_view_id"], seen[0]["private_metadata"]) == (view_id, view_id, "m")


async def test_a_listener_opens_a_modal_before_it_acks(slack: SandboxSlack, bot: Receiver) -> None:
    async def opens(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal())
        await ack()

    bot.app.command("/canary")(opens)

    delivery = await slack.slash("U0GUEST", CRITICAL, "/canary ask")

    assert delivery.shown is None
    assert [view["callback_id"] for view in slack.views("U0GUEST")] == ["asked"]
    assert slack.views("U0SENA") == []


async def test_every_kind_of_input_reports_in_its_own_shape(slack: SandboxSlack, bot: Receiver) -> None:
    def option(text: str) -> Json:
        return {"text": {"type": "plain_text", "text": text, "emoji": True}, "value": text}

    options = [option("a"), option("b")]
    elements: Json = {
        "static_select": ({"options": options}, "b", {"selected_option": options[1]}),
        "multi_static_select": ({"options": options}, ["a", "b"], {"selected_options": options}),
        "radio_buttons": ({"options": options}, "a", {"selected_option": options[0]}),
        "checkboxes": ({"options": options}, ["a"], {"selected_options": [options[0]]}),
        "users_select": ({}, "U0SENA", {"selected_user": "U0SENA"}),
        "multi_users_select": ({}, ["U0SENA"], {"selected_users": ["U0SENA"]}),
        "channels_select": ({}, CRITICAL, {"selected_channel": CRITICAL}),
        "conversations_select": ({}, CRITICAL, {"selected_conversation": CRITICAL}),
        "datepicker": ({}, "2026-11-22", {"selected_date": "2026-11-22"}),
        "timepicker": ({}, "09:30", {"selected_time": "09:30"}),
        "datetimepicker": ({}, 1_790_000_000, {"selected_date_time": 1_790_000_000}),
        "number_input": ({"is_decimal_allowed": False}, "5", {"value": "5"}),
        "email_text_input": ({}, "a@example.com", {"value": "a@example.com"}),
        "url_text_input": ({}, "https://example.com", {"value": "https://example.com"}),
    }
    blocks = [
        text_input(kind, block_id=kind, element={"type": kind, "action_id": kind, **more})
        for kind, (more, _, _) in elements.items()
    ]
    view_id = await open_modal(slack, bot, modal(*blocks))

    await slack.submit("U0SENA", view_id, {kind: plain for kind, (_, plain, _) in elements.items()})

    assert payload_of(bot)["view"]["state"]["values"] == {
        kind: {kind: {"type": kind, **expected}} for kind, (_, _, expected) in elements.items()
    }


async def test_slacks_client_does_not_send_a_form_with_holes(slack: SandboxSlack, bot: Receiver) -> None:
    view_id = await open_modal(slack, bot, modal())
    sent = len(bot.received)

    delivery = await slack.submit("U0SENA", view_id, {"why": ""})

    assert delivery.body == {"response_action": "errors", "errors": {"why": REQUIRED}}
    assert len(bot.received) == sent


async def test_errors_keep_the_modal_open(slack: SandboxSlack, bot: Receiver) -> None:
    bot.app.view("asked")(acks(response_action="errors", errors={"why": "say more"}))
    view_id = await open_modal(slack, bot, modal())

    delivery = await slack.submit("U0SENA", view_id, {"why": "x"})

    assert (delivery.shown, delivery.body["errors"]) == (None, {"why": "say more"})
    assert [view["id"] for view in slack.views("U0SENA")] == [view_id]


async def test_errors_that_name_no_input_are_trouble(slack: SandboxSlack, bot: Receiver) -> None:
    bot.app.view("asked")(acks(response_action="errors", errors={"other": "say more"}))
    view_id = await open_modal(slack, bot, modal())

    delivery = await slack.submit("U0SENA", view_id, {"why": "x"})

    assert delivery.shown == "We had some trouble connecting. Try again?"


async def test_an_answer_updates_pushes_and_clears(slack: SandboxSlack, bot: Receiver) -> None:
    second = modal(callback_id="second", private_metadata="2")
    bot.app.view("asked")(acks(response_action="push", view=second))
    bot.app.view("second")(acks(response_action="update", view=modal(callback_id="third")))
    bot.app.view("third")(acks(response_action="clear"))
    first_id = await open_modal(slack, bot, modal())

    await slack.submit("U0SENA", first_id, {"why": "x"})
    pushed = slack.views("U0SENA")
    await slack.submit("U0SENA", pushed[1]["id"], {"why": "x"})
    updated = slack.views("U0SENA")
    await slack.submit("U0SENA", pushed[1]["id"], {})

    assert (pushed[1]["root_view_id"], pushed[1]["previous_view_id"]) == (first_id, first_id)
    assert (updated[1]["callback_id"], updated[1]["id"]) == ("third", pushed[1]["id"])
    assert updated[1]["hash"] != pushed[1]["hash"]
    assert updated[1]["state"]["values"]["why"]["why"]["value"] == "x"
    assert slack.views("U0SENA") == []


def acks(**answer: Any) -> Any:
    """Return a listener that answers so."""

    async def listener(ack: AsyncAck) -> None:
        await ack(**answer)

    return listener


async def test_an_answer_with_a_wrong_view_is_trouble(slack: SandboxSlack, bot: Receiver) -> None:
    wrong = modal(title={"type": "plain_text", "text": "x" * 25})
    bot.app.view("asked")(acks(response_action="update", view=wrong))
    view_id = await open_modal(slack, bot, modal())

    delivery = await slack.submit("U0SENA", view_id, {"why": "x"})

    assert delivery.shown == "We had some trouble connecting. Try again?"
    assert slack.views("U0SENA")[0]["title"]["text"] == "Question"


async def test_closing_is_told_only_where_the_view_asks_for_it(slack: SandboxSlack, bot: Receiver) -> None:
    quiet = await open_modal(slack, bot, modal())
    sent = len(bot.received)
    untold = await slack.close_view("U0SENA", quiet)
    after_quiet = len(bot.received)
    asking = await open_modal(slack, bot, modal(notify_on_close=True))
    await slack.close_view("U0SENA", asking)

    assert (untold.status, after_quiet) == (0, sent)
    assert (payload_of(bot)["type"], payload_of(bot)["is_cleared"]) == ("view_closed", False)
    assert slack.views("U0SENA") == []


async def test_something_used_in_a_modal_is_told_and_remembered(slack: SandboxSlack, bot: Receiver) -> None:
    options = [{"text": {"type": "plain_text", "text": "A"}, "value": "a"}]
    select = {"type": "static_select", "action_id": "pick", "options": options}
    view = modal(
        {"type": "section", "block_id": "s", "text": {"type": "mrkdwn", "text": "x"}, "accessory": select},
        text_input("why", block_id="why"),
    )
    view_id = await open_modal(slack, bot, view)

    await slack.click_view("U0SENA", view_id, "pick", selected="a")
    clicked = payload_of(bot)
    await slack.submit("U0SENA", view_id, {"why": "x"})

    assert clicked["container"] == {"type": "view", "view_id": view_id}
    assert "response_url" not in clicked
    assert clicked["view"]["id"] == view_id
    values = payload_of(bot)["view"]["state"]["values"]
    assert values["s"]["pick"]["selected_option"]["value"] == "a"


async def test_an_update_keeps_what_was_typed_and_guards_by_hash(slack: SandboxSlack, bot: Receiver) -> None:
    client = client_of(slack)
    view_id = await open_modal(slack, bot, modal())
    old_hash = slack.views("U0SENA")[0]["hash"]
    bot.app.view("asked")(acks(response_action="errors", errors={"why": "no"}))
    await slack.submit("U0SENA", view_id, {"why": "typed"})

    await client.views_update(view_id=view_id, view=modal(), hash=old_hash)

    assert slack.views("U0SENA")[0]["state"]["values"]["why"]["why"]["value"] == "typed"
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view_id, view=modal(), hash=old_hash)


async def test_a_trigger_works_once_and_for_as_long_as_an_app_has_to_answer(
    slack: SandboxSlack, bot: Receiver, clock: Clock
) -> None:
    clock.stand_still()
    client = client_of(slack)
    await slack.slash("U0SENA", CRITICAL, "/canary")
    trigger = fields_of(bot)["trigger_id"]
    await client.views_open(trigger_id=trigger, view=modal())

    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=trigger, view=modal())
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await client.views_open(trigger_id="1.2.3", view=modal())
    await slack.slash("U0SENA", CRITICAL, "/canary")
    clock.ahead_seconds += PATIENCE_SECONDS + 0.1
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=fields_of(bot)["trigger_id"], view=modal())


async def test_a_wrong_view_does_not_use_up_the_trigger(slack: SandboxSlack, bot: Receiver) -> None:
    await slack.slash("U0SENA", CRITICAL, "/canary")
    trigger = fields_of(bot)["trigger_id"]
    wrong = {key: value for key, value in modal().items() if key != "submit"}

    with pytest.raises(SlackApiError, match="invalid_arguments") as failed:
        await client_of(slack).views_open(trigger_id=trigger, view=wrong)
    await client_of(slack).views_open(trigger_id=trigger, view=modal())

    lines = failed.value.response["response_metadata"]["messages"]
    assert lines == ["[ERROR] missing required field: submit [json-pointer:/view]"]


async def test_a_stack_holds_three_views(slack: SandboxSlack, bot: Receiver) -> None:
    client = client_of(slack)
    await open_modal(slack, bot, modal(text_input("why", block_id="why"), buttons("more")))

    async def push() -> None:
        top = slack.views("U0SENA")[-1]["id"]
        await slack.click_view("U0SENA", top, "more")
        view = modal(text_input("why", block_id="why"), buttons("more"))
        await client.views_push(trigger_id=payload_of(bot)["trigger_id"], view=view)

    await push()
    await push()
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await push()


async def test_a_home_is_published_and_used(slack: SandboxSlack, bot: Receiver) -> None:
    view = {"type": "home", "blocks": [buttons("go")]}
    await client_of(slack).views_publish(user_id="U0SENA", view=view)
    home = slack.home("U0SENA")
    assert home is not None

    await slack.click_view("U0SENA", home["id"], "go")

    assert payload_of(bot)["view"]["type"] == "home"
    assert slack.views("U0SENA") == []


# Events


async def test_a_mention_reaches_an_app_that_subscribed(slack: SandboxSlack, bot: Receiver) -> None:
    heard: list[Json] = []

    async def mentioned(event: Json) -> None:
        heard.append(event)

    bot.app.event("app_mention")(mentioned)

    await slack.say("U0SENA", CRITICAL, "hey @backout, look")
    await slack.say("U0SENA", CRITICAL, "not you")

    assert [event["text"] for event in heard] == [f"hey <@{names.BOT_USER_ID}>, look"]
    assert heard[0]["channel"] == CRITICAL


async def test_an_event_that_failed_comes_again() -> None:
    async with running_slack(sleep=at_once) as slack, running_bot(slack) as bot:
        bot.answer = (500, "")

        await slack.say("U0SENA", "D0SENA", "hello")
        await bot.until_received(2)

    first, second = (json.loads(raw) for raw, _ in bot.received[:2])
    assert first["event"]["type"] == "message"
    assert first["event_id"] == second["event_id"]
    assert bot.received[1][1]["x-slack-retry-num"] == "1"
