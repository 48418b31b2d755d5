"""A process that dies at any moment: whoever comes after it goes on, and nothing happens twice."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.rollback import RollbackState
from tests.journeys.kept import all_evidence_taken, assert_rolled_back_once, everything_told, kept, records
from tests.journeys.killed_bot import KILL_AT, LEASE, PASSED
from tests.journeys.world import PATIENCE_SECONDS, PLAYBOOK, Bot, World, running_bot, until
from tests.postgres import PostgresServer

KILLED = ("-m", "tests.journeys.killed_bot")
#: The moments are dealt out to this many tests, so that they run side by side.
SHARES = 4
#: Visiting all of them takes half an hour, which a change of the workflows is worth: with
#: ``EVERY_MOMENT=1`` in the environment all are visited, on both databases.
ALL = bool(os.environ.get("EVERY_MOMENT"))
#: Otherwise every sixth on SQLite and every twelfth on PostgreSQL, others than there: the code above
#: the database is the same.
VISITED = {
    "sqlite": slice(0, None, 1 if ALL else 6),
    "postgresql": slice(0 if ALL else 3, None, 1 if ALL else 12),
}
#: Calls to Google around which the bot is killed as well: the method, its turn, before or after its effect.
GOOGLE_MOMENTS = [
    f"{method} {turn} {when}"
    for method, turn in (("GetService", 2), ("UpdateService", 1), ("GetService", 4))
    for when in ("before", "after")
]


@pytest.fixture(scope="session")
def quick_playbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journeys' playbook with the shortest waits: what is looked at here is not the proof."""
    file = tmp_path_factory.mktemp("playbook") / "playbook.yaml"
    file.write_text(PLAYBOOK.read_text().replace("in_flight_seconds: 0.5", "in_flight_seconds: 0"))
    return file


@pytest.fixture
def new_database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Return a function that makes an empty database of a kind."""
    made: list[str] = []

    def new(kind: str) -> str:
        if kind == "sqlite":
            made.append("")
            return f"sqlite:///{tmp_path / f'backout-{len(made)}.db'}"
        server: PostgresServer = request.getfixturevalue("postgres_server")
        made.append(server.create_database())
        return made[-1]

    yield new
    for url in filter(None, made):
        request.getfixturevalue("postgres_server").drop_database(url)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def moments(
    shared_world: World, quick_playbook: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """Every moment that one rollback passes through, from a run without a kill."""
    directory = tmp_path_factory.mktemp("moments")
    passed, url = directory / "passed", f"sqlite:///{directory / 'backout.db'}"
    shared_world.reset()
    extra = {PASSED: str(passed)}
    async with running_bot(shared_world, url, command=KILLED, playbook=quick_playbook, extra=extra):
        await shared_world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary force errors")
        await everything_told(shared_world, url)
    return sorted(set(passed.read_text().splitlines()))


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("database", sorted(VISITED))
async def test_killed_at_any_moment_it_goes_on_and_does_nothing_twice(
    world: World,
    moments: list[str],
    quick_playbook: Path,
    new_database: Callable[[str], str],
    database: str,
    share: int,
) -> None:
    points = [*moments, *GOOGLE_MOMENTS][VISITED[database]]

    for moment in points[share::SHARES]:
        world.reset()
        await _die_and_go_on(world, new_database(database), moment, quick_playbook)


def _is_over(world: World, url: str) -> bool:
    return bool(records(world)) and all_evidence_taken(kept(url))


async def _die_and_go_on(world: World, url: str, moment: str, playbook: Path) -> None:
    died = Bot(
        world=world,
        database_url=url,
        playbook=playbook,
        command=KILLED,
        extra={KILL_AT: moment, LEASE: "1.5"},
    )
    await died.start()
    _kill_at_google(world, died, moment)
    await world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary force errors")
    # A moment that has to do with waiting may not come again: then it dies at the end.
    await until(lambda: _is_dead(died) or _is_over(world, url), what=moment)
    await died.kill()
    world.cloud.hook = None

    async with running_bot(world, url, playbook=playbook, command=KILLED, extra={LEASE: "1.5"}):
        if not kept(url).rollbacks:
            # It died before the request was accepted, and Slack said so: people type it again.
            await world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary force errors")
        left = await everything_told(world, url)

    assert left.rollbacks[0].state is RollbackState.VERIFIED, moment
    assert_rolled_back_once(world, left, moment)


def _is_dead(bot: Bot) -> bool:
    return bot.process is not None and bot.process.returncode is not None


def _kill_at_google(world: World, bot: Bot, moment: str) -> None:
    """Kill the bot around a call to Google: the call is in flight, and its answer has nobody to go to."""
    seen: Counter[str] = Counter()

    async def hook(method: str, when: str) -> None:
        seen[f"{method} {when}"] += 1
        if f"{method} {seen[f'{method} {when}']} {when}" == moment:
            await bot.kill()

    world.cloud.hook = hook


async def test_stopped_politely_in_the_middle_it_goes_on_after_the_restart(
    world: World, database_url: str, quick_playbook: Path
) -> None:
    reached = asyncio.Event()

    async def hook(method: str, when: str) -> None:
        if (method, when) == ("UpdateService", "before"):
            reached.set()
            await asyncio.sleep(1)

    world.cloud.hook = hook
    bot = Bot(world=world, database_url=database_url, playbook=quick_playbook)
    await bot.start()
    await world.slack.slash("U0SENA", "C0OPERATIONS", "/rollback canary force errors")
    await asyncio.wait_for(reached.wait(), PATIENCE_SECONDS)
    await bot.stop()
    world.cloud.hook = None
    await bot.start()
    left = await everything_told(world, database_url)
    await bot.stop()

    assert left.rollbacks[0].state is RollbackState.VERIFIED
    assert left.rollbacks[0].problem is None
    assert_rolled_back_once(world, left, "SIGTERM")
