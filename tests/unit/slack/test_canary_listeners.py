"""``/canary`` as it is typed: what is answered at once, and what is asked for."""

import json
from typing import Any

import pytest

from bot.slack.listeners import canary, canary_looks
from bot.usecases.ports import Workflow
from tests.fakes import FakePlaybooks, HeldClock
from tests.unit.slack.test_table import Slack
from tests.unit.slack.views.watch_views import a_watch
from tests.values import NOON, seconds


class Typed(Slack):
    """Slack with the listeners of ``/canary``, twelve seconds after noon."""

    def __init__(self) -> None:
        super().__init__()
        known: dict[str, Any] = {
            "store": self.store,
            "playbooks": FakePlaybooks(),
            "clock": HeldClock(NOON + seconds(12)),
        }
        canary.register(self.table, **known)
        canary_looks.register(self.table, **known)

    async def answered(self, text: str) -> dict[str, Any]:
        """Return the answer to ``/canary TEXT``."""
        answer = await self.command("/canary", text)
        assert answer.status == 200
        body: dict[str, Any] = json.loads(answer.body)
        return body


@pytest.mark.parametrize(
    ("verb", "title"), [("status", "Status of canary"), ("metrics", "Metrics of canary")]
)
async def test_what_the_watch_knows_is_the_answer(verb: str, title: str) -> None:
    slack = Typed()
    await slack.store.change(lambda tx: tx.keep(a_watch()))

    answer = await slack.answered(verb)

    assert answer["response_type"] == "ephemeral"
    assert answer["blocks"][0]["text"]["text"] == title
    assert "12 s old" in str(answer["blocks"][-1])
    assert slack.store.started(Workflow.STATUS) == []


@pytest.mark.parametrize(
    ("text", "workflow", "asked"),
    [
        ("status chat", Workflow.STATUS, {"target": "chat"}),
        ("metrics", Workflow.CANARY_LOOK, {"target": "canary", "does": "metrics"}),
        ("logs slow chat", Workflow.CANARY_LOOK, {"target": "chat", "does": "logs", "log": "slow"}),
        ("probe 5 0", Workflow.CANARY_LOOK, {"does": "probe", "requests": "5", "pause_ms": "0"}),
    ],
)
async def test_what_nobody_knows_yet_is_asked_for(
    text: str, workflow: Workflow, asked: dict[str, str]
) -> None:
    slack = Typed()

    answer = await slack.answered(text)

    (arguments,) = slack.store.started(workflow)
    assert asked.items() <= arguments.items()
    assert answer["text"].endswith("…")


@pytest.mark.parametrize("text", ["status canry", "metrics canry", "logs canry", "probe 20 requests", "lgos"])
async def test_what_cannot_be_read_starts_nothing(text: str) -> None:
    slack = Typed()

    answer = await slack.answered(text)

    assert answer["text"].startswith(":x:")
    assert all(not slack.store.started(workflow) for workflow in Workflow)
