"""``backout drill``: on the sandbox's page, headless with an operator, or in a channel of a real Slack."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from slack_sdk.errors import SlackApiError
from starlette.routing import Route

from bot.adapters.playbook_file import read_playbook
from bot.adapters.printed_pages import print_pages
from bot.adapters.slack_errors import NO_ANSWER
from bot.bootstrap import House, build, utc_now
from bot.domain.drill import Milestone, Result, Scoreboard
from bot.domain.guide import Scenario
from bot.domain.playbook import Playbook
from bot.drill.desk import DrillDesk
from bot.drill.director import Director, Past
from bot.drill.numbers import begin_numbers_at
from bot.drill.operator import Operator
from bot.drill.past import DEFAULT_URL, NothingKept, PastDrills
from bot.drill.refused import CannotPlay, Refused, why
from bot.drill.rehearsal import for_drill, write_playbook
from bot.drill.screen import Screen, Stuck
from bot.drill.setting import Setting, check_target
from bot.drill.stage import ChannelStage, HeardStage, SandboxStage, Stage
from bot.drill.story import stories
from bot.drill.way_in import alone_on_the_way_in
from bot.sandbox.cloud import SandboxCloud
from bot.sandbox.run import (
    BEHAVIOUR,
    PLAYBOOK,
    BotDidNotStart,
    Sandbox,
    free_port,
    run_sandbox,
    running_bot,
    running_sandbox,
    simulated_environment,
)
from bot.settings import Settings, read_settings
from bot.slack.text import N_, PLAIN, Words
from bot.slack.views.drill_board import scoreboard_text
from bot.usecases.begin_drill import RealIncidentOpen

console = Console(highlight=False, markup=False, emoji=False)

#: Nobody sits before a headless drill, and where it runs beside much else Slack's 3 s are soon over: then a
#: form would not open, and the drill would be red though nothing is wrong.
HEADLESS_PATIENCE_SECONDS = 60.0
#: Exit codes of a headless drill: everything was done, or something was not.
DONE, NOT_DONE, USAGE = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Wished:
    """What somebody typed: see ``backout drill --help``."""

    scenario: str | None
    locale: str
    target: str
    headless: bool
    channel: str | None
    database: str | None
    playbook: Path | None
    speed: float
    port: int


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A drill that can be played. `scenario` is a key of the playbook; in a channel that is the team's."""

    scenario: str
    target: str
    locale: str
    past: Past
    speed: float = 1.0
    playbook: Path = PLAYBOOK


def show(wished: Wished) -> int:
    """Play a drill in the way that was wished for, and return the exit code.

    Raises:
        BadPlaybook, BadSettings: as the names say.
    """
    words = Words(locale=wished.locale, style=PLAIN)
    if wished.headless and wished.channel:
        text = words.plain("A drill is either headless or in a channel: leave one of the two out.")
        console.print(text, soft_wrap=True)
        return USAGE
    file = wished.playbook or (read_settings(needs_slack=True).playbook if wished.channel else PLAYBOOK)
    playbook = read_playbook(file)
    key = scenario_key(wished.scenario or "", playbook)
    if key is None:
        list_scenarios(playbook)
        return USAGE if wished.scenario else DONE
    wish = Wish(
        scenario=key,
        target=wished.target,
        locale=wished.locale,
        past=_past(wished),
        speed=wished.speed,
        playbook=file,
    )
    try:
        check_target(wish.target)
        if wished.channel:
            return drill_in_channel(wish, wished.channel)
        return drill_headless(wish) if wished.headless else drill_on_page(wish, port=wished.port)
    except (Refused, RealIncidentOpen) as refused:
        console.print(why(refused, words), soft_wrap=True)
    except BotDidNotStart as problem:
        console.print(str(problem), soft_wrap=True)
    return USAGE


def _past(wished: Wished) -> Past:
    """Return what the drill is compared with: a team never with a script, unless somebody wants that."""
    if wished.headless and wished.database is None:
        return NothingKept()
    return PastDrills(wished.database or DEFAULT_URL)


def scenario_key(written: str, playbook: Playbook) -> str | None:
    """Return the key of the scenario with that number or key, None where no story tells it."""
    for scenario in playbook.scenarios:
        if written in (scenario.key, str(scenario.number)) and scenario.key in stories():
            return scenario.key
    return None


def list_scenarios(playbook: Playbook) -> None:
    """Print every scenario that can be drilled, with its name in both languages."""
    for scenario in playbook.scenarios:
        if scenario.key in stories():
            line = f"  {scenario.number}  {scenario.key:14}  {scenario.name.en} · {scenario.name.ko}"
            console.print(line, soft_wrap=True)


# On the page ------------------------------------------------------------------------------------


class DrillGuest:
    """Drills in a sandbox: the page's panel, and the first one at once where somebody asked for it."""

    def __init__(self, past: Past, *, locale: str, wish: Wish | None = None) -> None:
        self._past = past
        self._locale = locale
        self._wish = wish
        self._desk = DrillDesk()

    def routes(self) -> Sequence[Route]:
        """See `bot.sandbox.run.Guest`."""
        return self._desk.routes()

    @asynccontextmanager
    async def at_work(self, sandbox: Sandbox) -> AsyncIterator[None]:
        """See `bot.sandbox.run.Guest`."""
        async with opened_house(sandbox.settings) as house:
            self._desk.director = Director(
                setting=Setting(cloud=sandbox.cloud, target=self._wish.target if self._wish else "canary"),
                stage=SandboxStage(slack=sandbox.slack),
                store=house.store,
                playbooks=house.playbooks,
                past=self._past,
                locale=self._locale,
                speed=self._wish.speed if self._wish else 1.0,
            )
            if self._wish is not None:
                self._desk.begin(self._wish.scenario)
            try:
                yield
            finally:
                await self._desk.close()


def drill_on_page(wish: Wish, *, port: int) -> int:
    """Begin the drill in a sandbox with its page, and run until Ctrl-C."""
    guest = DrillGuest(wish.past, locale=wish.locale, wish=wish)
    return run_sandbox(port=port, locale=wish.locale, playbook=wish.playbook, guest=guest)


@asynccontextmanager
async def opened_house(settings: Mapping[str, str]) -> AsyncIterator[House]:
    """Wire the director's house on the bot's own database, with the bot's settings."""
    # The bot itself draws; the director only reads and writes rows.
    house = build(Settings.model_validate({**settings, "BACKOUT_DRAWS": "no"}))
    try:
        yield house
    finally:
        await house.close()


# Headless ---------------------------------------------------------------------------------------


def drill_headless(wish: Wish) -> int:
    """Play the drill with an operator, print story and scoreboard; 0 only when everything was done."""
    return asyncio.run(_headless(wish))


async def _headless(wish: Wish) -> int:
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(
            running_sandbox(
                locale=wish.locale, playbook=wish.playbook, patience_seconds=HEADLESS_PATIENCE_SECONDS
            )
        )
        house = await stack.enter_async_context(opened_house(sandbox.settings))
        director = _director(
            wish, house, sandbox.cloud, HeardStage(behind=SandboxStage(slack=sandbox.slack), tell=_put)
        )
        operator = Operator(
            screen=Screen(slack=sandbox.slack, since=sandbox.slack.workspace.next_ts()),
            scenario=wish.scenario,
            target=wish.target,
            locale=wish.locale,
            tell=lambda text: _put(f"  → {text}"),
        )
        board, stuck = await play(director, operator, wish.scenario)
        put_scoreboard(board, house)
        if stuck:
            words = Words(locale=wish.locale, style=PLAIN)
            console.print(words.say("The drill was not finished: {problem}", problem=stuck), soft_wrap=True)
    return DONE if is_done(board) and not stuck else NOT_DONE


async def play(director: Director, operator: Operator, scenario: str) -> tuple[Scoreboard, str]:
    """Play one drill to its end; return its scoreboard, and where the operator got stuck, if so."""
    stuck = ""
    try:
        await director.begin(scenario)
        try:
            await operator.play()
        except Stuck as problem:
            stuck = str(problem)
        return await director.end(), stuck
    finally:
        await director.close()


def is_done(board: Scoreboard) -> bool:
    """True when it was verified and whatever else the scenario asks for was done, in time or not."""
    missed = {score.milestone for score in board.scores if score.result is Result.MISSED}
    return not missed and Milestone.VERIFIED in board.drill.reached


def _director(wish: Wish, house: House, cloud: SandboxCloud, stage: Stage) -> Director:
    return Director(
        setting=Setting(cloud=cloud, target=wish.target),
        stage=stage,
        store=house.store,
        playbooks=house.playbooks,
        past=wish.past,
        locale=wish.locale,
        speed=wish.speed,
    )


def put_scoreboard(board: Scoreboard, house: House) -> None:
    """Print how a drill went."""
    zone = house.playbooks.current().time_zone
    print_pages(scoreboard_text(board, Words(locale=house.settings.locale, style=PLAIN, zone=zone)), console)


def _put(text: str) -> None:
    console.print(text, soft_wrap=True)
    sys.stdout.flush()


# In a real Slack ----------------------------------------------------------------------------------


def drill_in_channel(wish: Wish, channel: str) -> int:
    """Play the drill in a channel of the Slack that the settings name, with the cloud simulated."""
    return asyncio.run(play_in_channel(wish, channel))


async def play_in_channel(wish: Wish, channel: str) -> int:
    """See `drill_in_channel`.

    Raises:
        NotSafe: somebody else could hear what people press.
    """
    settings = read_settings(needs_slack=True)
    await alone_on_the_way_in(settings)
    async with AsyncExitStack() as stack:
        cloud = SandboxCloud(behaviour=replace(BEHAVIOUR))
        await cloud.start()
        stack.push_async_callback(cloud.stop)
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="backout-drill-"))
        environment = drill_environment(
            cloud, Path(directory), team=wish.playbook, channel=channel, locale=wish.locale
        )
        house = await stack.enter_async_context(opened_house({**os.environ, **environment}))
        await asyncio.to_thread(house.migrate)
        await asyncio.to_thread(begin_numbers_at, house.database.engine, utc_now())
        await stack.enter_async_context(running_bot(environment, port=int(environment["PORT"])))
        stage = HeardStage(behind=ChannelStage(client=house.slack, channel=channel), tell=_put)
        director = _director(wish, house, cloud, stage)
        await _announce(house, director.scenario(wish.scenario), wish, channel)
        board = await _until_over_or_stopped(director, wish.scenario)
        put_scoreboard(board, house)
    return DONE if is_done(board) else NOT_DONE


def drill_environment(
    cloud: SandboxCloud, directory: Path, *, team: Path, channel: str, locale: str
) -> dict[str, str]:
    """Return what the bot's settings differ in from the environment's: everything but Slack.

    Its cloud is simulated, its database and evidence are its own, and its playbook, the team's otherwise,
    speaks in one channel and knows no service of the team's.
    """
    rehearsed = for_drill(read_playbook(team), simulated=read_playbook(PLAYBOOK), channel=channel)
    playbook = directory / "playbook.yaml"
    write_playbook(rehearsed, playbook)
    database_url = f"sqlite:///{directory}/backout.db"
    return simulated_environment(
        cloud, port=free_port(), database_url=database_url, playbook=playbook, locale=locale
    )


async def _announce(house: House, scenario: Scenario, wish: Wish, channel: str) -> None:
    """Say, before anything else, that it is a drill. Raises `CannotPlay` where Slack does not take it."""
    words = Words(locale=wish.locale)
    text = words.say(
        ":performing_arts: *This is a drill.* Scenario: {scenario}. The cloud is simulated, and nothing real "
        "can be changed by it. Whoever speaks here with a mask is played by Backout. Everything that Backout "
        "says, calls for help included, is marked as a drill; nobody has to be telephoned. Act as you would: "
        "{command}. Closing the incident ends the drill, so complete the record first.",
        scenario=scenario.name.in_(wish.locale),
        command=words.code(f"/rollback {wish.target}"),
    )
    try:
        await house.slack.chat_postMessage(channel=channel, text=text, unfurl_links=False)
    except (SlackApiError, *NO_ANSWER) as problem:
        raise CannotPlay(
            N_("Slack did not take the first message in {channel}. Is the bot invited there? {problem}"),
            channel=channel,
            problem=str(problem),
        ) from problem


async def _until_over_or_stopped(director: Director, scenario: str) -> Scoreboard:
    """Play until the incident is closed, an hour has passed, or Ctrl-C."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await director.begin(scenario)
        await director.over(stopped)
        return await director.end()
    finally:
        await director.close()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
