"""What every listener reads from a payload."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.listeners.requests import command_sender, interaction_sender, request_key

COMMAND = {
    "command": "/rollback",
    "text": "canary",
    "user_id": "U0SENA",
    "team_id": "T0HOME",
    "channel_id": "C0OPERATIONS",
    "trigger_id": "1.2.abc",
}
PRESS: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U0SENA", "team_id": "T0PARTNER"},
    "team": {"id": "T0HOME"},
    "channel": {"id": "C0OPERATIONS"},
    "trigger_id": "3.4.def",
}


def test_who_typed_a_command_and_where() -> None:
    sender = command_sender(COMMAND)

    assert (sender.person, sender.team, sender.channel) == ("U0SENA", "T0HOME", "C0OPERATIONS")


def test_the_team_of_a_press_is_the_persons_own() -> None:
    assert interaction_sender(PRESS).team == "T0PARTNER"


@pytest.mark.parametrize(
    ("without", "team"),
    [({"user": {"id": "U0SENA"}}, "T0HOME"), ({"user": {"id": "U0SENA"}, "team": None}, None)],
)
def test_without_it_the_payloads_team_counts(without: dict[str, Any], team: str | None) -> None:
    assert interaction_sender(PRESS | without).team == team


@pytest.mark.parametrize(
    ("where", "channel"),
    [
        ({"channel": {"id": "C1"}}, "C1"),
        ({"channel": None, "container": {"channel_id": "C2"}}, "C2"),
        ({"channel": None, "container": {"type": "view"}}, "U0SENA"),
        ({"channel": None}, "U0SENA"),
    ],
)
def test_a_press_without_a_channel_is_answered_directly(where: dict[str, Any], channel: str) -> None:
    assert interaction_sender(PRESS | where).channel == channel


@given(st.permutations(list(COMMAND)))
def test_a_redelivery_has_the_same_key(order: list[str]) -> None:
    again = {name: COMMAND[name] for name in order}

    assert request_key("command", again) == request_key("command", COMMAND)


def test_a_redelivery_with_another_signature_time_has_the_same_key() -> None:
    assert request_key("press", PRESS | {"action_ts": "9"}) == request_key("press", PRESS)


@pytest.mark.parametrize("kind", ["command", "press", "submit"])
def test_another_press_has_another_key(kind: str) -> None:
    assert request_key(kind, PRESS | {"trigger_id": "3.4.xyz"}) != request_key(kind, PRESS)


def test_one_trigger_of_two_kinds_has_two_keys() -> None:
    assert request_key("press", PRESS) != request_key("submit", PRESS)


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4))
def test_without_a_trigger_the_content_is_the_key(body: dict[str, str]) -> None:
    bare = {name: value for name, value in body.items() if name != "trigger_id"}

    key = request_key("command", bare)

    assert key == request_key("command", dict(reversed(bare.items())))
    assert key != request_key("command", bare | {"one": "more than that"})
    assert len(key) <= 255
