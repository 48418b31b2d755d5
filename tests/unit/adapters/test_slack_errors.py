"""Slack's refusals, told apart by what may be done next."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.adapters.slack_errors import file_not_ready

LINE = "invalid slack file [json-pointer:/blocks/0/slack_file]"


@pytest.mark.parametrize(
    ("answer", "passes"),
    [
        ({"error": "invalid_blocks", "errors": [LINE]}, True),
        ({"error": "invalid_blocks", "errors": ["unsupported type [json-pointer:/blocks/0]", LINE]}, True),
        ({"error": "invalid_blocks", "errors": ["unsupported type [json-pointer:/blocks/0/type]"]}, False),
        ({"error": "invalid_blocks"}, False),
        ({"error": "invalid_blocks", "errors": LINE}, False),
        ({"error": "channel_not_found", "errors": [LINE]}, False),
    ],
)
def test_only_a_file_that_slack_has_not_looked_at_yet_is_waited_for(
    answer: dict[str, Any], passes: bool
) -> None:
    error = SlackApiError("refused", answer)  # type: ignore[no-untyped-call]

    assert file_not_ready(error) is passes


def test_an_answer_that_is_none_of_slacks_is_not_waited_for() -> None:
    error = SlackApiError("refused", object())  # type: ignore[no-untyped-call]

    assert not file_not_ready(error)
