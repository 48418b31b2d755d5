"""The small parts of the sandbox's Slack that need no server."""

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.slack.conversations import the_conversations
from bot.sandbox.slack.deliveries import sign
from bot.sandbox.slack.inputs import client_errors, filled_state, initial_state
from bot.sandbox.slack.mentions import escaped_mentions, message_text
from bot.sandbox.slack.rate_limits import PER_MINUTE, RateLimits
from bot.sandbox.slack.triggers import TriggerRefused, Triggers
from bot.sandbox.slack.web_api import METHODS

NOON = 1_790_000_000.0


def test_the_signature_is_the_one_in_slacks_documentation() -> None:
    raw = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )

    signature = sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", raw)

    assert signature == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def test_the_official_verifier_agrees_about_text_that_is_not_ascii() -> None:
    raw = "text=롤백".encode()

    signature = SignatureVerifier("secret").generate_signature(timestamp="1", body=raw)

    assert sign("secret", "1", raw) == signature


def test_every_method_has_a_rate_limit() -> None:
    assert set(PER_MINUTE) == set(METHODS)


def test_a_burst_of_five_posts_passes_and_then_one_a_second() -> None:
    limits = RateLimits()
    burst = [limits.retry_after("chat.postMessage", "C1", now=NOON) for _ in range(6)]

    steady = [limits.retry_after("chat.postMessage", "C1", now=NOON + second) for second in range(1, 10)]

    assert burst == [None] * 5 + [1]
    assert steady == [None] * 9


def test_a_tier_counts_the_last_sixty_seconds() -> None:
    limits = RateLimits()
    for second in range(20):
        assert limits.retry_after("pins.add", None, now=NOON + second) is None

    assert limits.retry_after("pins.add", None, now=NOON + 20) == 40
    assert limits.retry_after("pins.add", None, now=NOON + 59.5) == 1
    assert limits.retry_after("pins.add", None, now=NOON + 60) is None


@pytest.mark.parametrize(("later", "works"), [(3.0, True), (3.01, False)])
def test_a_trigger_lives_three_seconds(later: float, works: bool) -> None:
    triggers = Triggers()
    trigger = triggers.make("U0SENA", now=NOON)

    if works:
        assert triggers.exchange(trigger, now=NOON + later) == "U0SENA"
    else:
        with pytest.raises(TriggerRefused, match="expired_trigger_id"):
            triggers.exchange(trigger, now=NOON + later)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("@sena", "<@U0SENA|sena>"),
        ("sena@example.com", "sena@example.com"),
        ("(@sena)", "(<@U0SENA|sena>)"),
        ("#operations.", "<#C0OPERATIONS|operations>."),
        ("#nowhere", "#nowhere"),
        ("a & b < c", "a &amp; b &lt; c"),
        ("<@U0LUBIT|lubit> stays", "<@U0LUBIT|lubit> stays"),
        ("https://example.com/a?b=1&c=2", "<https://example.com/a?b=1&amp;c=2>"),
        ("<script>", "&lt;script&gt;"),
    ],
)
def test_typed_text_is_escaped_as_slack_does(typed: str, sent: str) -> None:
    assert escaped_mentions(typed, the_conversations(), "backout") == sent


def test_a_message_mentions_people_by_id_alone() -> None:
    assert message_text("hey @sena", the_conversations(), "backout") == "hey <@U0SENA>"


def an_input(action_id: str, block_id: str, **element: object) -> dict[str, object]:
    kind = {"type": "plain_text_input", "action_id": action_id, **element}
    return {"type": "input", "block_id": block_id, "element": kind}


def test_inputs_that_are_not_filled_in_keep_what_they_hold() -> None:
    blocks = [an_input("a", "1", initial_value="first"), an_input("b", "2")]
    before = initial_state(blocks)

    after = filled_state(blocks, before, {"b": "typed"})

    assert after["1"]["a"]["value"] == "first"
    assert after["2"]["b"]["value"] == "typed"
    assert before["2"]["b"]["value"] is None


def test_an_action_id_that_repeats_is_filled_in_by_block() -> None:
    blocks = [an_input("a", "1"), an_input("a", "2")]

    after = filled_state(blocks, initial_state(blocks), {"1": {"a": "one"}, "2": {"a": "two"}})

    assert (after["1"]["a"]["value"], after["2"]["a"]["value"]) == ("one", "two")


def test_an_input_that_is_not_there_cannot_be_filled_in() -> None:
    blocks = [an_input("a", "1")]

    with pytest.raises(LookupError, match="no input b"):
        filled_state(blocks, initial_state(blocks), {"b": "x"})


def a_choice(*values: str, kind: str = "multi_static_select", **more: object) -> dict[str, object]:
    options = [{"text": {"type": "plain_text", "text": value}, "value": value} for value in values]
    groups = [{"label": {"type": "plain_text", "text": "all"}, "options": options}]
    return an_input("pick", "1", type=kind, option_groups=groups, **more)


def test_a_choice_that_is_no_longer_offered_is_forgotten() -> None:
    before = filled_state([a_choice("a", "b")], {}, {"pick": ["b"]})

    kept = initial_state([a_choice("b", "c")], before)
    forgotten = initial_state([a_choice("c", "d")], before)

    assert [option["value"] for option in kept["1"]["pick"]["selected_options"]] == ["b"]
    assert forgotten["1"]["pick"]["selected_options"] == []


def test_nobody_chooses_more_than_a_menu_takes() -> None:
    menu = a_choice("a", "b", "c", max_selected_items=2)

    with pytest.raises(LookupError, match="pick takes 2 at most"):
        filled_state([menu], {}, {"pick": ["a", "b", "c"]})


@pytest.mark.parametrize(
    ("element", "value", "complaint"),
    [
        ({}, "", "Please complete this required field."),
        ({}, "x", None),
        ({"min_length": 2}, "x", "Please enter at least 2 characters."),
        ({"max_length": 1}, "xy", "Please enter no more than 1 characters."),
        ({"type": "number_input", "is_decimal_allowed": False}, "x", "Please enter a number."),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "Please enter a whole number."),
        ({"type": "number_input", "is_decimal_allowed": True}, "1.5", None),
        ({"type": "number_input", "is_decimal_allowed": True}, "inf", "Please enter a number."),
        (
            {"type": "number_input", "is_decimal_allowed": True, "max_value": "1"},
            "1.5",
            "Please enter a number within the allowed range.",
        ),
    ],
)
def test_slacks_client_complains_before_it_sends(
    element: dict[str, object], value: str, complaint: str | None
) -> None:
    blocks = [an_input("a", "1", **element)]
    state = filled_state(blocks, initial_state(blocks), {"a": value})

    assert client_errors(blocks, state) == ({} if complaint is None else {"1": complaint})
