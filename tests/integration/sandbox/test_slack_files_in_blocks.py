"""Pictures that a block shows without the file being shared: taken once Slack has looked at them."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.page_endpoints import page_state
from bot.sandbox.slack.web_api.files import READY_AFTER_SECONDS
from tests.integration.sandbox.slack_workspace import OPERATIONS, Clock, client_of, running_slack

PNG = b"\x89PNG\r\n\x1a\n and so on"
LINE = "invalid slack file [json-pointer:/blocks/0/slack_file]"


async def uploaded(client: AsyncWebClient, name: str = "hour.png") -> str:
    """Upload without a channel and return the file's id."""
    answer = await client.files_upload_v2(filename=name, title="The last hour", content=PNG)
    return str(answer["files"][0]["id"])


def showing(file: str) -> list[dict[str, object]]:
    return [{"type": "image", "slack_file": {"id": file}, "alt_text": "the last hour"}]


async def refusal(client: AsyncWebClient, file: str) -> tuple[str, list[str]]:
    """Return how Slack refuses to show the file."""
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=OPERATIONS, text="t", blocks=showing(file))
    return refused.value.response["error"], refused.value.response["errors"]


async def test_a_private_upload_is_shown_to_one_person_once_it_is_ready() -> None:
    clock = Clock()
    clock.stand_still()
    async with running_slack(clock=clock) as slack:
        client = client_of(slack)
        file = await uploaded(client)
        too_early = await refusal(client, file)
        clock.ahead_seconds += READY_AFTER_SECONDS

        await client.chat_postEphemeral(
            channel=OPERATIONS, user="U0SENA", text="The last hour", blocks=showing(file)
        )

        (seen,) = slack.messages(OPERATIONS, user="U0SENA")
        assert too_early == ("invalid_blocks", [LINE])
        assert seen["blocks"][0]["slack_file"] == {"id": file}
        assert slack.messages(OPERATIONS, user="U0LUBIT") == []


@pytest.mark.parametrize("name", ["hour.svg", "hour.txt"])
async def test_what_is_no_picture_is_never_shown(name: str) -> None:
    clock = Clock()
    async with running_slack(clock=clock) as slack:
        client = client_of(slack)
        file = await uploaded(client, name)
        clock.ahead_seconds += READY_AFTER_SECONDS

        assert await refusal(client, file) == ("invalid_blocks", [LINE])
        assert await refusal(client, "F0NOBODYS") == ("invalid_blocks", [LINE])


async def test_the_page_knows_the_file_of_a_picture_for_those_who_see_it() -> None:
    clock = Clock()
    async with running_slack(clock=clock) as slack:
        client = client_of(slack)
        file = await uploaded(client)
        clock.ahead_seconds += READY_AFTER_SECONDS
        await client.chat_postEphemeral(channel=OPERATIONS, user="U0SENA", text="t", blocks=showing(file))

        known = {
            user: [f["id"] for f in page_state(slack.workspace, user)["files"]]
            for user in ("U0SENA", "U0LUBIT")
        }

        assert known == {"U0SENA": [file], "U0LUBIT": []}
