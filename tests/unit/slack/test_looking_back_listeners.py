"""``/incident list`` and ``/incident stats`` as they are typed, and their buttons."""

import json
from collections.abc import AsyncIterator
from socket import socket
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.incident import IncidentState
from bot.domain.looking_back import WANTED, Wanted, read_written, written
from bot.slack.listeners import incident, looking_back
from bot.slack.listeners.looking_back import search_text
from bot.usecases.ports import Showing, Transaction, Workflow
from tests.fakes import FakePlaybooks, HeldClock
from tests.unit.slack.test_table import Slack
from tests.values import GITCO, NOON, an_incident

URL = "https://acme.example.com/"


class Typed(Slack):
    """Slack with the listeners of looking back, and eleven incidents, the newest one open."""

    def __init__(self) -> None:
        super().__init__()
        self.zone: str | None = None
        incident.register(self.table, store=self.store)
        looking_back.register(
            self.table,
            store=self.store,
            playbooks=FakePlaybooks(),
            clock=HeldClock(NOON),
            zone_of=self._zone_of,
            slack_url=lambda: URL,
        )

    async def _zone_of(self, person: str) -> str | None:
        return self.zone

    async def filled(self) -> "Typed":
        def fill(tx: Transaction) -> None:
            for number in range(1, 12):
                state = IncidentState.OPEN if number == 11 else IncidentState.CLOSED
                seen = "결제 실패" if number == 3 else ""
                who = {"opened_by": GITCO} if number == 4 else {}
                tx.add_incident(an_incident(number=IncidentNumber(number), state=state, seen=seen, **who))

        await self.store.change(fill)
        self.store.kept.names[PersonId(GITCO)] = "gitco"
        return self

    async def answered(self, text: str) -> dict[str, Any]:
        answer = await self.command("/incident", text)
        assert answer.status == 200
        body: dict[str, Any] = json.loads(answer.body)
        assert body["response_type"] == "ephemeral"
        return body


def numbers(body: dict[str, Any]) -> list[int]:
    lines = (block["text"]["text"] for block in body["blocks"] if block["type"] == "section")
    return [int(line.partition("INC-")[2].partition("*")[0]) for line in lines]


async def test_the_newest_ten_come_first_with_a_button_to_the_rest() -> None:
    slack = await Typed().filled()

    answer = await slack.answered("list")

    assert numbers(answer) == list(range(11, 1, -1))
    (older,) = answer["blocks"][-1]["elements"]
    assert (older["action_id"], older["value"]) == ("incident.list_page#older", "2|")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("list open", [11]),
        ("list 결제", [3]),
        ("list by:@gitco", [4]),
        ("list by:<@U0GITCO|gitco>", [4]),
        ("list <@U0GITCO>", [4]),
        ("list INC-7", [7]),
        ("LIST closed by:<@U0GITCO>", [4]),
    ],
)
async def test_a_search_is_answered_at_once(text: str, found: list[int]) -> None:
    slack = await Typed().filled()

    assert numbers(await slack.answered(text)) == found


async def test_without_incidents_it_says_so_and_asks_nobody() -> None:
    slack = Typed()

    assert (await slack.answered("list"))["text"] == "There is no incident yet."
    assert slack.client.asked == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("list since:2026-13-01", "Try `/incident list since:2026-10-01`"),
        ("list target:canry", "Try `/incident list target:canary`"),
        ("list by:@nobody", "called `nobody`"),
        ("list target:a&amp;b", "There is no target `a&amp;b`"),
        ("stats everything", "Try `/incident stats last 90 days`"),
        ("stats scenario:nine", "There is no scenario `nine`"),
    ],
)
async def test_what_cannot_be_read_is_answered_with_what_to_write(text: str, said: str) -> None:
    slack = await Typed().filled()

    answer = await slack.answered(text)

    assert answer["text"].startswith(":x:")
    assert said in answer["text"]
    assert slack.store.started(Workflow.STATS) == []


async def test_a_day_of_a_search_begins_where_the_reader_lives() -> None:
    slack = await Typed().filled()

    here = await slack.answered("list since:2026-03-03")
    slack.zone = "Pacific/Kiritimati"
    there = await slack.answered("list since:2026-03-03")

    # Noon of the second of March, UTC, is the third already on Kiritimati, and not yet in Seoul.
    assert here["text"].startswith("No incident fits")
    assert len(numbers(there)) == 10


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("list by:<@U0LEMUN|lemun> open", "by:U0LEMUN open"),
        ("list <@W0LEMUN> &lt;b&gt;", "by:W0LEMUN <b>"),
        ("list", ""),
        ("", ""),
    ],
)
def test_people_are_known_by_their_ids(typed: str, kept: str) -> None:
    assert search_text({"text": typed}) == kept


# Statistics.


async def test_statistics_are_asked_for_in_the_teams_own_zone() -> None:
    slack = Typed()
    slack.zone = "Pacific/Kiritimati"

    answer = await slack.answered("stats 2026-03")

    (asked,) = slack.store.started(Workflow.STATS)
    wanted = WANTED.validate_json(asked["wanted"])
    assert wanted.zone == "Asia/Seoul"
    assert answer["text"] == "Looking back: 2026-03-01 to 2026-03-31 …"
    assert (asked["person"], asked["channel"]) == ("U0SENA", "C0OPERATIONS")


async def test_the_button_sends_the_file_of_the_very_same_span() -> None:
    slack, wanted = Typed(), Wanted(since=NOON.replace(day=1), until=NOON, zone="Asia/Seoul")

    await slack.press("stats.file", written(wanted))

    file = next(m for m in slack.store.kept.messages.values() if m.what is Showing.STATS_FILE)
    assert read_written(file.subject.partition("|")[2]) == wanted
    assert file.channel == "U0SENA"


# Another page takes the place of the one that was pressed in.


class ResponseUrl:
    """Where a message is replaced; keeps what is posted there, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[dict[str, Any]] = []
        app = web.Application()
        app.router.add_post("/replace", self._take)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/replace"))

    async def _take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.Response(status=self.status, text="ok")


@pytest_asyncio.fixture(loop_scope="session")
async def there() -> AsyncIterator[ResponseUrl]:
    made = ResponseUrl()
    await made.server.start_server()
    yield made
    await made.server.close()


async def turned(slack: Typed, there: ResponseUrl, value: str) -> Any:
    action = {"type": "button", "action_id": "incident.list_page#older", "block_id": "b", "value": value}
    return await slack.interaction(type="block_actions", actions=[action], response_url=there.url)


async def test_another_page_takes_the_place_of_the_one_that_was_pressed_in(there: ResponseUrl) -> None:
    slack = await Typed().filled()

    answer = await turned(slack, there, "2|")

    (body,) = there.bodies
    assert answer.status == 200
    assert body["replace_original"] is True
    assert numbers(body) == [1]
    assert [e["value"] for e in body["blocks"][-1]["elements"]] == ["1|"]
    assert slack.client.asked == []


async def test_a_page_goes_on_with_the_same_search(there: ResponseUrl) -> None:
    slack = await Typed().filled()

    await turned(slack, there, "9|closed")

    assert numbers(there.bodies[0]) == list(range(10, 0, -1))
    assert "`closed`" in str(there.bodies[0]["blocks"])


async def test_a_page_whose_words_are_gone_from_the_playbook_says_so(there: ResponseUrl) -> None:
    slack = await Typed().filled()

    await turned(slack, there, "2|target:gone")

    assert "There is no target `gone`" in there.bodies[0]["text"]
    assert there.bodies[0]["blocks"][0]["type"] == "section"


async def test_where_slack_does_not_replace_it_the_press_is_answered_all_the_same(there: ResponseUrl) -> None:
    slack = await Typed().filled()
    there.status = 404

    answer = await turned(slack, there, "2|")

    assert answer.status == 200


async def test_where_slack_cannot_be_reached_the_person_is_told(silent_port: socket) -> None:
    slack = await Typed().filled()
    action = {"type": "button", "action_id": "incident.list_page", "block_id": "b", "value": "2|"}

    url = f"http://127.0.0.1:{silent_port.getsockname()[1]}/replace"

    answer = await slack.interaction(type="block_actions", actions=[action], response_url=url)

    assert answer.status == 200
    assert [method for method, _ in slack.client.asked] == ["chat.postMessage"]
