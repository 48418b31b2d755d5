"""What answers one person in a drill, a form or a line, says so; and nothing else does."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.drill import ECHO, LONGEST
from bot.domain.follow_up import FollowUp
from bot.domain.ids import IncidentNumber
from bot.slack.listeners import canary, canary_looks, follow_up, rollback
from bot.slack.listeners.table import Request
from bot.slack.text import Words
from bot.slack.views.drill_marks import marked_message, marked_modal
from bot.slack.views.parts import Block, section
from bot.slack.views.rollback_message import Message
from tests.drills import a_drill
from tests.fakes import FakePlaybooks, HeldClock
from tests.unit.domain.test_follow_up import a_follow_up
from tests.unit.slack.markup import all_texts
from tests.unit.slack.test_table import Slack
from tests.unit.slack.views.watch_views import a_watch
from tests.values import NOON, an_incident, seconds

EN = Words(locale="en")
MARK = "*DRILL* · This is practice: nothing is really broken."
FORM: dict[str, Any] = {
    "type": "modal", "callback_id": "a.form", "private_metadata": "", "blocks": [section("Why?")],
}  # fmt: skip
CARD = Message(text="card", blocks=[section("line")])
FULL = Message(text="full", blocks=[section(f"line {n}") for n in range(50)])


# Forms.


class Asking(Slack):
    """Slack with a button and a submission that are answered by a form."""

    def __init__(self) -> None:
        super().__init__()
        self.table.presses["ask"] = self._ask
        self.table.submissions["a.form"] = self._again

    async def _ask(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        return FORM

    async def _again(self, request: Request) -> Mapping[str, Any]:
        return FORM

    async def pressed(self, **where: Any) -> tuple[str, list[Block]]:
        """Press the button there; return Slack's method and the blocks of the form."""
        action = {"type": "button", "action_id": "ask", "block_id": "b", "value": "1"}
        answer = await self.interaction(type="block_actions", actions=[action], **where)
        assert answer.status == 200
        ((method, asked),) = self.client.asked
        view = asked["view"]
        return method, (json.loads(view) if isinstance(view, str) else view)["blocks"]


def says_drill(blocks: list[Block]) -> bool:
    """Return whether blocks carry the mark: once, and first, or nowhere."""
    found = [n for n, text in enumerate(all_texts(blocks)) if text == MARK]
    assert found in ([], [0])
    return bool(found)


@pytest.mark.parametrize("message", [CARD, FULL])
@pytest.mark.parametrize("drill", [True, False])
async def test_a_form_says_what_the_message_says_in_which_it_was_asked_for(
    message: Message, drill: bool
) -> None:
    shown = marked_message(message, EN) if drill else message

    method, blocks = await Asking().pressed(message={"ts": "1.1", "blocks": shown.blocks})

    assert (method, says_drill(blocks)) == ("views.open", drill)


@pytest.mark.parametrize(("callback", "method"), [("a.form", "views.update"), ("another", "views.push")])
@pytest.mark.parametrize("drill", [True, False])
async def test_a_form_that_continues_a_form_says_the_same(callback: str, method: str, drill: bool) -> None:
    before = FORM | {"id": "V1", "callback_id": callback}
    shown = marked_modal(before, EN) if drill else before

    done, blocks = await Asking().pressed(view=shown)

    assert (done, says_drill(blocks)) == (method, drill)


@pytest.mark.parametrize("drill", [True, False])
async def test_a_form_that_comes_back_says_the_same(drill: bool) -> None:
    before = FORM | {"id": "V1", "state": {"values": {}}}
    shown = marked_modal(before, EN) if drill else before

    answer = await Asking().interaction(type="view_submission", view=shown)

    assert says_drill(json.loads(answer.body)["view"]["blocks"]) is drill


async def test_what_was_replaced_in_a_drills_form_is_said_as_the_drills() -> None:
    async def takes(request: Request) -> None: ...

    slack = Asking()
    slack.table.submissions["a.form"] = takes
    field = {"type": "plain_text_input", "value": "password=hunter2hunter2"}
    typed = FORM | {"id": "V1", "state": {"values": {"b": {"a": field}}}}

    answer = await slack.interaction(type="view_submission", view=marked_modal(typed, EN))

    assert says_drill(json.loads(answer.body)["view"]["blocks"])


@pytest.mark.parametrize("where", [{}, {"view": {"type": "home", "id": "V1", "blocks": [section("x")]}}])
async def test_a_form_asked_for_elsewhere_is_not_marked(where: dict[str, Any]) -> None:
    _, blocks = await Asking().pressed(**where)

    assert not says_drill(blocks)


def test_a_form_is_marked_once() -> None:
    once = marked_modal(FORM, EN)

    assert marked_modal(once, EN) == once


@pytest.mark.parametrize("card", [True, False])
@pytest.mark.parametrize("drill", ["d1", ""])
@pytest.mark.parametrize("action", ["follow_up.assign", "follow_up.move", "follow_up.drop"])
async def test_forms_of_a_follow_up_are_marked_even_if_only_one_person_sees_its_card(
    action: str, drill: str, card: bool
) -> None:
    slack = Slack()
    follow_up.register(slack.table, store=slack.store, playbooks=FakePlaybooks(), clock=HeldClock())
    kept: FollowUp = replace(a_follow_up(), id="1-add_tests", incident=IncidentNumber(1))
    await slack.store.change(lambda tx: tx.keep(kept))
    await slack.store.change(lambda tx: tx.add_incident(an_incident(drill=drill)))
    shown = marked_message(CARD, EN) if drill else CARD

    await slack.interaction(
        type="block_actions",
        actions=[{"type": "button", "action_id": action, "block_id": "b", "value": kept.id}],
        **({"message": {"ts": "1.1", "blocks": shown.blocks}} if card else {}),
    )

    ((_, asked),) = slack.client.asked
    view = asked["view"]
    blocks = (json.loads(view) if isinstance(view, str) else view)["blocks"]
    assert says_drill(blocks) is bool(drill)


# Lines about a target.


class Typed(Slack):
    """Slack with ``/canary`` and ``/rollback``; the clock is held `after` so many seconds after noon."""

    def __init__(self, after: float) -> None:
        super().__init__()
        known: dict[str, Any] = {
            "store": self.store, "playbooks": FakePlaybooks(), "clock": HeldClock(NOON + seconds(after)),
        }  # fmt: skip
        for listeners in (canary, canary_looks, rollback):
            listeners.register(self.table, **known)

    async def says_drill(self, command: str, text: str) -> bool:
        """Return whether the answer says so: its blocks, where it has any, as its text."""
        answer = json.loads((await self.command(command, text)).body)
        marked = str(answer["text"]).startswith("DRILL: ")
        blocks = answer.get("blocks") or []
        assert says_drill(blocks) == (marked and bool(blocks))
        return marked


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("/rollback", "canary"),
        ("/rollback", "canary force errors"),
        ("/canary", "status"),
        ("/canary", "metrics"),
        ("/canary", "logs"),
        ("/canary", "probe 5 0"),
    ],
)
@pytest.mark.parametrize(("after", "drill"), [(-1.0, False), (0.0, True), (LONGEST.total_seconds(), False)])
async def test_what_answers_a_command_about_a_target_says_whether_it_is_drilled(
    command: str, text: str, after: float, drill: bool
) -> None:
    slack = Typed(after)
    await slack.store.change(lambda tx: tx.keep(a_drill()))

    assert await slack.says_drill(command, text) is drill


@pytest.mark.parametrize(("later", "drill"), [(timedelta(0), True), (ECHO, False)])
async def test_so_long_after_a_drill_machines_still_see_its_failure(later: timedelta, drill: bool) -> None:
    slack = Typed(60 + later.total_seconds())
    await slack.store.change(lambda tx: tx.keep(a_drill(ended_at=NOON + seconds(60))))

    assert await slack.says_drill("/canary", "status") is drill


async def test_what_the_watch_knows_is_marked_above_its_blocks_too() -> None:
    slack = Typed(12)
    await slack.store.change(lambda tx: tx.keep(a_drill()))
    await slack.store.change(lambda tx: tx.keep(a_watch()))

    answer = json.loads((await slack.command("/canary", "status")).body)

    assert str(answer["text"]).startswith("DRILL: ")
    assert says_drill(answer["blocks"])


async def test_a_command_about_another_target_is_not_marked() -> None:
    slack = Typed(12)
    await slack.store.change(lambda tx: tx.keep(a_drill()))

    assert not await slack.says_drill("/rollback", "chat")


async def test_a_command_that_nobody_understands_is_not_marked() -> None:
    slack = Typed(12)
    await slack.store.change(lambda tx: tx.keep(a_drill()))

    assert not await slack.says_drill("/canary", "probe 20 requests")


async def test_without_a_database_a_command_in_a_drill_was_not_accepted_and_says_so() -> None:
    slack = Typed(12)
    slack.store.down = True

    answer = json.loads((await slack.command("/rollback", "canary")).body)

    assert "*nothing will be done*" in answer["text"]
    assert not slack.store.kept.rollbacks
