"""Canvases, asked of a Slack that answers as Slack does: where it does not let us there is none."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.adapters.slack_canvases import SlackCanvases, canvas_address
from bot.domain.ids import ChannelId
from bot.sandbox.slack import SandboxSlack
from bot.sandbox.slack.workspace import CanvasPlan
from tests.fakes import FakePeople
from tests.integration.sandbox.slack_workspace import CRITICAL, SCOPES, client_of, running_slack

CHANNEL = ChannelId(CRITICAL)
WITH_CANVASES = [*SCOPES, "canvases:write"]


@pytest_asyncio.fixture(loop_scope="session")
async def slack() -> AsyncIterator[SandboxSlack]:
    """A fresh workspace on a paid plan."""
    async with running_slack(scopes=WITH_CANVASES) as running:
        yield running


async def put(slack: SandboxSlack, text: str = "# One", *, canvas: str = "") -> str:
    async def no_time(seconds: float) -> None:
        """Wait for nothing."""

    canvases = SlackCanvases(client_of(slack), pause=no_time)
    return await canvases.put("Record of INC-1", text, channel=CHANNEL, canvas=canvas)


async def test_a_new_canvas_can_be_read_in_the_channel(slack: SandboxSlack) -> None:
    id = await put(slack)
    address = await canvas_address(FakePeople(), id)

    canvas = slack.workspace.contents.canvases[id]
    assert (canvas.title, canvas.markdown, canvas.access) == ("Record of INC-1", "# One", {CRITICAL: "read"})
    assert address == f"https://home.slack.example/docs/T0HOME/{id}"


async def test_writing_again_replaces_all_of_it(slack: SandboxSlack) -> None:
    id = await put(slack)

    again = await put(slack, "# Two", canvas=id)

    assert again == id
    assert {c.markdown for c in slack.workspace.contents.canvases.values()} == {"# Two"}


async def test_a_canvas_that_somebody_deleted_is_made_anew(slack: SandboxSlack) -> None:
    id = await put(slack)
    del slack.workspace.contents.canvases[id]

    again = await put(slack, canvas=id)

    assert again != id
    assert again in slack.workspace.contents.canvases


@pytest.mark.parametrize("plan", [CanvasPlan.FREE, CanvasPlan.OFF])
async def test_where_the_workspace_has_none_there_is_none(slack: SandboxSlack, plan: CanvasPlan) -> None:
    slack.workspace.contents.canvas_plan = plan

    assert await put(slack) == ""
    assert slack.workspace.contents.canvases == {}


async def test_without_the_scope_there_is_none() -> None:
    async with running_slack(scopes=SCOPES) as blind:
        assert await put(blind) == ""


async def test_without_a_token_nothing_is_asked(slack: SandboxSlack) -> None:
    client = client_of(slack)
    client.token = None

    assert await SlackCanvases(client).put("t", "x", channel=CHANNEL, canvas="") == ""


async def test_a_limit_is_waited_for(slack: SandboxSlack) -> None:
    slack.fail_next("canvases.create", retry_after=1)

    assert await put(slack) != ""


async def test_more_than_a_canvas_can_hold_makes_none(slack: SandboxSlack) -> None:
    assert await put(slack, "#### too deep") == ""
    assert await put(slack, "| a | b |\n" * 151) == ""
