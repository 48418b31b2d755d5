"""What people type reaches no listener with a secret in it, and they are told."""

import json
from typing import Any

import pytest

from bot.slack.commands import typed
from bot.slack.ids import CallbackId
from bot.slack.listeners.free_text import without_secrets
from bot.slack.listeners.table import Request
from bot.slack.text import Words
from tests.unit.slack.test_table import Slack

SECRET = "xo" + "xb-1111-2222-abcDEF"


def a_command(text: str) -> dict[str, Any]:
    """A slash command as Slack sends it."""
    return {"command": "/incident", "text": text}


def a_view(fields: dict[str, Any], *, given: dict[str, str] | None = None) -> dict[str, Any]:
    """A submission with `fields` by action id; `given` is what we had put into them."""
    inputs = [
        {"type": "input", "element": {"action_id": action, "initial_value": text}}
        for action, text in (given or {}).items()
    ]
    return {"view": {"blocks": inputs, "state": {"values": {name: {name: f} for name, f in fields.items()}}}}


def typed_in(text: str) -> dict[str, Any]:
    """A field with a text in it."""
    return {"type": "plain_text_input", "value": text}


@pytest.mark.parametrize(
    ("sent", "read", "count"),
    [
        ("note all is well &amp; quiet", "note all is well & quiet", 0),
        ("note a &lt;b&gt; &amp;lt; c", "note a <b> &lt; c", 0),
        ("note <mailto:a@example.com|a@example.com> called", "note [e-mail] called", 1),
        ("note '&lt;' password='a&amp;b' &amp;lt;", "note '<' password='[password]' &lt;", 1),
        (f"page <@U0LUBIT|lubit> {SECRET}", "page @lubit [Slack token]", 1),
    ],
)
def test_a_command_is_read_as_before_without_its_secrets(sent: str, read: str, count: int) -> None:
    body, found = without_secrets(a_command(sent))

    assert (typed(body["text"]), found) == (read, count)


def test_a_payload_without_secrets_is_the_very_same() -> None:
    bodies: list[dict[str, Any]] = [
        a_command("x"),
        a_view({"a": typed_in("x")}),
        {"actions": []},
        {"view": {}},
    ]
    for body in bodies:
        assert without_secrets(body)[0] is body


def test_texts_of_a_modal_are_redacted_and_nothing_else() -> None:
    fields = {
        "text": typed_in(f"{SECRET} and a@example.com"),
        "empty": {"type": "plain_text_input", "value": None},
        "users": {"type": "number_input", "value": "01012345678"},
        "chosen": {"type": "static_select", "selected_option": {"value": "token=12345678"}},
    }
    sent = a_view(fields)
    before = json.dumps(sent)

    body, count = without_secrets(sent)

    values = {name: block[name] for name, block in body["view"]["state"]["values"].items()}
    assert values == fields | {"text": typed_in("[Slack token] and [e-mail]")}
    assert count == 2
    assert json.dumps(sent) == before


def test_what_a_template_says_is_meant_to_be_read() -> None:
    given = {"text": "Questions: help@example.com"}
    text = "Questions: help@example.com, or me: a@example.com"

    body, count = without_secrets(a_view({"text": typed_in(text)}, given=given))

    assert body["view"]["state"]["values"]["text"]["text"]["value"].endswith(
        "help@example.com, or me: [e-mail]"
    )
    assert count == 1


async def test_whoever_sends_a_command_is_told_how_many_were_replaced() -> None:
    slack, seen = Slack(), []

    async def note(request: Request) -> str:
        seen.append(request)
        return "Adding it …"

    slack.table.commands["/incident"] = note
    answer = await slack.command("/incident", f"note {SECRET}")

    assert seen[0].body["text"] == "note [Slack token]"
    assert seen[0].redacted == 1
    assert "Secrets or personal data in what you wrote: 1." in answer.body
    assert SECRET not in answer.body


async def test_whoever_submits_a_modal_is_told_in_its_place() -> None:
    slack, seen = Slack(), []

    async def save(request: Request) -> None:
        seen.append(request)

    slack.table.submissions[CallbackId.NOTE] = save
    answer = await slack.submit(CallbackId.NOTE, {"text": {"text": typed_in(SECRET)}})

    shown = json.loads(answer.body)
    assert shown["response_action"] == "update"
    assert "what you wrote: 1." in json.dumps(shown["view"])
    assert seen[0].body["view"]["state"]["values"]["text"]["text"]["value"] == "[Slack token]"


def test_both_languages_say_it() -> None:
    said = {locale: Words(locale=locale).plain("Taken, with a change") for locale in ("en", "ko")}

    assert len(set(said.values())) == 2
