"""The watch in journeys: its playbook, what is kept of it, and where people see it."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot.domain.alert import Alert
from bot.domain.automatics import Automatics
from bot.domain.watch import Watch
from tests.journeys.stored import stored
from tests.journeys.world import ENTRANCES, PATIENCE_SECONDS, PLAYBOOK, World, texts, until

WATCHING = Path(__file__).with_name("watching.yaml")
CHANNEL, INCIDENTS = "C0OPERATIONS", "C0CRITICAL"
SERVICE = ENTRANCES["canary"]
#: The service's revisions as the sandbox begins.
STABLE, CANARY = "ion-api-00041-kim", "ion-api-00042-lee"
#: A probe every ten seconds, then two more five seconds apart; and what the machine takes.
DOWN_WITHIN = 20.0 + PATIENCE_SECONDS
#: Three readings of ten seconds, or the score; and what the machine takes.
ERRORS_WITHIN = 40.0 + PATIENCE_SECONDS
#: Users a second. A canary with a tenth of them has more than enough for a reading of ten seconds: 120, of
#: whom six meet an error where one in twenty does.
WATCHED_LOAD = 120


def watching_playbook(folder: Path, *, red_p95_ms: float | None = None) -> Path:
    """Write the journeys' playbook with the sections of watching.yaml."""
    yaml = YAML(typ="rt", pure=True)
    document = yaml.load(PLAYBOOK.read_text())
    document |= yaml.load(WATCHING.read_text())
    if red_p95_ms is not None:
        document["thresholds"]["p95_ms"] |= {"yellow_above": red_p95_ms / 2, "red_above": red_p95_ms}
    file = folder / "watching.yaml"
    with file.open("w") as opened:
        yaml.dump(document, opened)
    return file


def the_watch(url: str) -> Watch:
    """Return the target's newest watch as it is kept."""
    (watch,) = stored(url, Watch)
    return watch


def the_alerts(url: str) -> list[Alert]:
    """Return every alert, oldest first."""
    return sorted(stored(url, Alert), key=lambda alert: alert.created_at)


def the_automatics(url: str) -> Automatics:
    """Return the target's automatics."""
    (automatics,) = stored(url, Automatics)
    return automatics


def shown(world: World, channel: str, key: str) -> list[dict[str, Any]]:
    """Return the top-level messages with this key in their metadata, oldest first."""
    return [m for m in world.slack.messages(channel) if key_of(m) == key]


def key_of(message: dict[str, Any]) -> str:
    """Return the key in a message's metadata."""
    return str(((message.get("metadata") or {}).get("event_payload") or {}).get("key", ""))


async def watch_shown(
    world: World, *, having: str = "", number: int = 1, within: float = PATIENCE_SECONDS
) -> dict[str, Any]:
    """Wait until the message of the target's watch says this."""
    return await _shown(world, CHANNEL, f"watch:canary:{number}", having, within)


async def alert_shown(
    world: World, id: str, *, having: str = "", within: float = PATIENCE_SECONDS
) -> dict[str, Any]:
    """Wait until an alert says this."""
    return await _shown(world, INCIDENTS, f"alert:{id}", having, within)


async def _shown(world: World, channel: str, key: str, having: str, within: float) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        return next((m for m in shown(world, channel, key) if having in texts(m)), None)

    try:
        return await until(look, within=within, what=f"{having!r} in {key}")
    except AssertionError as error:
        there = "\n---\n".join(map(texts, shown(world, channel, key)))
        raise AssertionError(f"{error}; there is:\n{there}") from None


def thread_of(world: World, message: dict[str, Any], *, channel: str = CHANNEL) -> str:
    """Return all that is said under a message."""
    replies = world.slack.messages(channel, thread_ts=message["ts"])
    return "\n".join(texts(reply | {"text": ""}) for reply in replies)


async def said_below(
    world: World, message: dict[str, Any], having: str, *, within: float = PATIENCE_SECONDS
) -> str:
    """Wait until the thread of a watch says this, and return all of it."""
    try:
        return await until(
            lambda: said if having in (said := thread_of(world, message)) else None,
            within=within,
            what=f"{having!r} below",
        )
    except AssertionError as error:
        raise AssertionError(f"{error}; there is:\n{thread_of(world, message)}") from None


async def probed_well(url: str) -> None:
    """Wait until the canary has answered a probe well: one that never did is not called down by probes."""
    await until(lambda: the_watch(url).judge.was_well, what="a probe that was answered")
