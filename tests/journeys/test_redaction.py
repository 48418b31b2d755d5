"""Secrets that an application logs and people paste: none is left in the database, in Slack, in our log."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from tests.journeys.incidents import board_of, declare, logged, opened
from tests.journeys.kept import everything_told
from tests.journeys.world import World, backout, running_bot, texts
from tests.planted import KINDS, SHAPES, Planted

#: As many as one look at the log shows, so that every one of them comes through.
IN_THE_LOG = 100


class Plants:
    """Secrets, each planted once and remembered."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.all: list[Planted] = []

    def one(self, kind: str) -> Planted:
        """Make one up."""
        secret = KINDS[kind](self._rng)
        self.all.append(secret)
        return secret

    def some(self, count: int) -> list[str]:
        """Return texts with secrets, of every kind in turn, in ever another shape."""
        kinds, shapes = list(KINDS), list(SHAPES.values())
        return [shapes[n % len(shapes)](self.one(kinds[n % len(kinds)])) for n in range(count)]

    def found_in(self, where: str, content: str) -> list[tuple[str, str, list[str]]]:
        """Return every secret of which something stands in `content`."""
        left = ((where, secret.kind, secret.left_in(content)) for secret in self.all)
        return [one for one in left if one[2]]


def dumped(database_url: str) -> dict[str, str]:
    """Return every row of every table, the engine's own too, as text by the table's name."""
    database = Database(parsed(database_url))
    try:
        with database.engine.connect() as connection:
            found = inspect(connection)
            schemas = [s for s in found.get_schema_names() if s not in ("information_schema", "pg_catalog")]
            tables = [(schema, name) for schema in schemas for name in found.get_table_names(schema=schema)]
            return {
                f"{schema}.{name}": "\n".join(
                    _plain(value)
                    for row in connection.execute(text(f'SELECT * FROM "{schema}"."{name}"'))
                    for value in row
                )
                for schema, name in tables
            }
    finally:
        database.close()


def _plain(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, int):
        # Counts and the engine's milliseconds since 1970, of whose thirteen digits any six may be planted.
        return ""
    # JSON in JSON holds its line breaks and quotation marks escaped; Korean stays Korean.
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


async def use_everything(world: World, plants: Plants) -> None:
    """Declare, look, note, add, correct, roll back: with secrets in whatever can be written."""
    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/incident new")
    view = await opened(world, "U0LUBIT", title="Declare")
    seen = f"Users cannot pay; I used {plants.one('JWT').written} to see it"
    answer = await world.slack.submit("U0LUBIT", view["id"], {"declare.seen": seen})
    assert "Secrets or personal data in what you wrote: 1." in json.dumps(answer.body)
    board = await board_of(world, 1)

    await world.slack.slash("U0LUBIT", "C0OPERATIONS", "/canary logs")
    log = await world.seen("C0OPERATIONS", having="Errors in the log", user="U0LUBIT")
    assert "secrets and personal data were replaced" in texts(log)

    told = await world.slack.slash(
        "U0LUBIT", "C0OPERATIONS", f"/incident note 비밀번호는 {plants.one('password').written}&x 입니다"
    )
    assert "Secrets or personal data in what you wrote: 1." in json.dumps(told.body, ensure_ascii=False)
    await logged(world, board, having="비밀번호는 [password]")

    await world.slack.click("U0LUBIT", "C0CRITICAL", board["ts"], "timeline.note")
    view = await opened(world, "U0LUBIT", title="Note")
    note = f"restarted with {plants.one('Stripe').written}"
    await world.slack.submit("U0LUBIT", view["id"], {"timeline.note_text": note})
    await logged(world, board, having="restarted with [payment key]")

    for number, written in enumerate(plants.some(len(KINDS))):
        if number % 8 == 0:
            ts = await world.say("U0LUBIT", "C0CRITICAL", f"number {number}: {written}")
            await world.slack.react("U0LUBIT", "C0CRITICAL", ts, "pushpin")
            await logged(world, board, having=f"number {number}:")
    ts = await world.say("U0LUBIT", "C0CRITICAL", f"by its menu: {plants.one('e-mail').written}")
    await world.slack.press_message_shortcut("U0LUBIT", "C0CRITICAL", ts, "add_to_timeline")
    await logged(world, board, having="by its menu: [e-mail]")

    reason = f"errors; see {plants.one('Slack xoxb').written}"
    await world.slack.slash("U0SENA", "C0OPERATIONS", f"/rollback canary force {reason}")
    await world.seen("C0OPERATIONS", having="is rolled back and verified")
    await world.seen("C0CRITICAL", having="Deployment failure record")


async def test_no_secret_is_left_anywhere(world: World, database_url: str, tmp_path: Path) -> None:
    plants, log = Plants(seed=7), tmp_path / "bot.log"
    await world.make_the_canary_fail()
    for number, line in enumerate(plants.some(IN_THE_LOG)):
        world.cloud.write_line("ion-api", line, structured=number % 2 == 0)

    async with running_bot(world, database_url, log=log, draws=True) as bot:
        await use_everything(world, plants)
        await everything_told(world, database_url)
        printed = await backout(bot.environment(), "logs", "errors")
    database = dumped(database_url)
    calls = [call for call in world.slack.calls if not call.method.startswith("conversations.")]

    # What was searched is all there: our tables and the engine's, what was said, and the files.
    assert any("workflow_status" in table for table in database)
    assert any("[password]" in rows for table, rows in database.items() if table.endswith(".timeline_entry"))
    assert any(call.method == "chat.postMessage" for call in calls)
    assert world.slack.files()
    assert [found for table, rows in database.items() for found in plants.found_in(table, rows)] == []
    said = [json.dumps(call.params, ensure_ascii=False) for call in calls]
    assert [found for one in said for found in plants.found_in("Slack", one)] == []
    files = [(file["name"], file["content"].decode("utf-8", "replace")) for file in world.slack.files()]
    assert [found for name, content in files for found in plants.found_in(name, content)] == []
    assert plants.found_in("the bot's log", log.read_text()) == []
    assert plants.found_in("the terminal", printed.said + printed.complained) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_same_search_finds_a_secret_where_there_is_one(world: World, database_url: str) -> None:
    plants = Plants(seed=8)
    secret = plants.one("GitHub")

    async with running_bot(world, database_url):
        await declare(world, "U0SENA", "Users cannot pay")
        await board_of(world, 1)
    # Nobody writes any more what was read before.
    database = Database(parsed(database_url))
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE incident SET seen = :seen"), {"seen": f"with {secret.value}"})
    database.close()

    found = [one for table, rows in dumped(database_url).items() for one in plants.found_in(table, rows)]
    assert [(where.rpartition(".")[2], kind) for where, kind, _ in found] == [("incident", "GitHub")]
