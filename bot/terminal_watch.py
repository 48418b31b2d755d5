"""``backout watch``: the same watch as the bot's, in a terminal. It tells nobody else and keeps nothing."""

import asyncio
import getpass
import signal

from rich.console import Group
from rich.live import Live
from rich.text import Text

from bot.bootstrap import House, utc_now
from bot.domain.alarm import WEIGHT, Alarm, Level
from bot.domain.faults import CloudFault
from bot.domain.ids import PersonId, TargetName
from bot.domain.judge import judge
from bot.domain.last_hour import hour_of_watch
from bot.domain.people import COMMAND_LINE
from bot.domain.playbook import Target
from bot.domain.tick import ticked
from bot.domain.watch import EndedWhy, Watch, begun, what_became
from bot.slack.commands import Answer, parse_target
from bot.slack.text import Words
from bot.slack.views.plain_text import unmarked
from bot.slack.views.watch_lines import alarm_sentences
from bot.slack.views.watch_message import judged_lines, source_problems
from bot.slack.views.watch_words import why_ended
from bot.terminal import UNKNOWN, USAGE, console, put, words_of
from bot.terminal_looks import metrics_table
from bot.usecases.look_at_target import look_at_target
from bot.usecases.ports import Playbooks
from bot.usecases.read_sources import Reading, Sources
from bot.usecases.rollback_progress import Pause
from bot.usecases.see_canary import has_part_of_it, see_canary

#: A rollback was recommended.
RECOMMENDED = 1
_STOPPING = (signal.SIGINT, signal.SIGTERM)


async def watch(house: House, target: str) -> int:
    """Watch until Ctrl-C or until the canary has all or nothing; 1 where a rollback was recommended."""
    words, playbook = words_of(house), house.playbooks.current()
    name = parse_target("watch", target, targets=playbook.targets, words=words)
    if isinstance(name, Answer):
        put(name.text)
        return USAGE
    found = playbook.targets[name]
    try:
        watching = await _begin(house, name, found)
    except CloudFault as fault:
        put(words.say("Could not look at {target}: {why}", target=name, why=str(fault)))
        return UNKNOWN
    if watching is None:
        put(words.say("{target} has no canary with a part of the traffic: nothing to watch.", target=name))
        return 0
    here = Here(watching, found, _reading(house), words, playbooks=house.playbooks)
    await _until_stopped(asyncio.create_task(here.go_on()))
    return RECOMMENDED if here.recommended else 0


async def _until_stopped(watching: asyncio.Task[None]) -> None:
    """Wait for its end; Ctrl-C is one, and no error."""
    loop = asyncio.get_running_loop()
    for stopping in _STOPPING:
        loop.add_signal_handler(stopping, watching.cancel)
    try:
        await asyncio.wait([watching])
    finally:
        for stopping in _STOPPING:
            loop.remove_signal_handler(stopping)
    if not watching.cancelled():
        watching.result()


async def _begin(house: House, name: TargetName, target: Target) -> Watch | None:
    sight = await look_at_target(target, cloud=house.cloud)
    seen = see_canary(target, sight)
    if seen is None or not has_part_of_it(seen, target):
        return None
    who = PersonId(f"{COMMAND_LINE}{getpass.getuser()}")
    return begun(name, seen, last=None, by=who, channel="", at=utc_now())


def _reading(house: House) -> Reading:
    return Reading(
        cloud=house.cloud, stream=house.stream, metrics=house.metrics, prober=house.prober, clock=utc_now
    )


class Here:
    """A watch in a terminal: a table that is drawn anew, and a line above it for each alarm."""

    def __init__(
        self,
        watch: Watch,
        target: Target,
        use: Reading,
        words: Words,
        *,
        playbooks: Playbooks,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._watch = watch
        self._sources = Sources(watch, target, use)
        self._clock = use.clock
        self._words = words
        self._playbooks = playbooks
        self._pause = pause
        self.recommended = False

    async def go_on(self) -> None:
        """Tick by tick until the watch ends."""
        with Live(self._shown(), console=console, auto_refresh=False) as live:
            while (why := await self._tick()) is None:
                live.update(self._shown(), refresh=True)
                probes = self._playbooks.current().watch.probe
                await self._pause(self._sources.wait_seconds(self._watch, probes=probes))
            live.update(self._shown(), refresh=True)
        put(why_ended(why, self._words))

    async def _tick(self) -> EndedWhy | None:
        """Read what is due and tell what it means; return why the watch has ended, None while it has not."""
        playbook = self._playbooks.current()
        looked = await self._sources.read(self._watch, probes=playbook.watch.probe)
        after = ticked(self._watch, looked, playbook, judge=judge)
        self._watch = after.watch
        for alarm in after.alarms:
            self._tell(alarm)
        if looked.cloud is None:
            return None
        return what_became(self._watch, looked.cloud.seen, share=looked.cloud.share)

    def _tell(self, alarm: Alarm) -> None:
        self.recommended |= WEIGHT[alarm.level] >= WEIGHT[Level.RECOMMEND]
        facts = {**alarm.facts, "kind": alarm.kind, "level": alarm.level, "revision": alarm.revision}
        now, words = self._clock(), self._words
        told = alarm_sentences(facts, words, at=now)
        put(words.say("{at}: {what}", at=words.clock(now), what=told))

    def _shown(self) -> Group:
        watch, words, playbook, now = self._watch, self._words, self._playbooks.current(), self._clock()
        about = {"target": watch.id, "percent": watch.percent}
        title = words.plain("Watching {target}: canary at {percent} %", **about)
        below = [*judged_lines(watch, playbook, words, now=now), *source_problems(watch, words)]
        below.append(words.say("Ctrl-C ends it. Nobody else is told, and nothing is kept."))
        return Group(
            Text(title, style="bold"),
            metrics_table(watch.readings, hour_of_watch(watch, until=now), playbook, words, now=now),
            Text(unmarked("\n".join(below))),
        )
