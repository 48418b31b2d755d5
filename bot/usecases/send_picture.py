"""A picture of a target's last hour, to the person who asked for its metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.faults import CloudFault
from bot.domain.ids import PersonId, TargetName
from bot.domain.last_hour import HOUR, LastHour, completed, hour_of_minutes, is_whole
from bot.domain.playbook import Target
from bot.domain.traffic import SideAddress
from bot.usecases.known_status import read_known
from bot.usecases.look_at_target import look_at_target
from bot.usecases.ports import (
    Clock,
    Cloud,
    Metrics,
    NotDrawn,
    Pictures,
    Playbooks,
    Said,
    Steps,
    Store,
)
from bot.usecases.tell_who_asked import tell_who_asked


@dataclass(frozen=True, kw_only=True)
class Picturing:
    """What sending a picture may touch."""

    store: Store
    playbooks: Playbooks
    cloud: Cloud
    metrics: Metrics
    pictures: Pictures
    clock: Clock


async def send_picture(arguments: Mapping[str, str], *, steps: Steps, use: Picturing) -> None:
    """Draw the last hour and send it, visible to the person who asked; where that fails, say why."""
    # An upload that is done twice, after a crash, leaves a file that nobody sees.
    facts = await steps.step("draw", lambda: _draw(arguments, use), into=dict[str, Any])
    await steps.step(
        "tell",
        lambda: use.store.change(lambda tx: tell_who_asked(tx, arguments, Said.PICTURE, facts)),
        into=str,
    )


async def _draw(arguments: Mapping[str, str], use: Picturing) -> dict[str, Any]:
    target = TargetName(arguments["target"])
    facts: dict[str, Any] = {"target": target}
    try:
        hour = await read_hour(target, use)
        if not hour.points:
            return facts
        thresholds = use.playbooks.current().thresholds
        file = await use.pictures.upload(hour, thresholds, person=PersonId(arguments["person"]))
    except (CloudFault, NotDrawn) as error:
        return facts | {"why": str(error)[:500]}
    return facts | {"file": file}


async def read_hour(name: TargetName, use: Picturing) -> LastHour:
    """Return the last hour of `name` from its watch, and from Cloud Monitoring what that has not seen.

    Without a watch raises `CloudFault`, and `NotDrawn` where Monitoring cannot be read.
    """
    known = await read_known(name, store=use.store, clock=use.clock)
    target = use.playbooks.current().targets[name]
    if known is None:
        return await _official(name, target, use, now=use.clock())
    hour = known.hour
    if is_whole(hour):
        return hour
    read = await use.metrics.minutes(target, since=hour.until - HOUR, until=hour.until)
    return completed(hour, read)


async def _official(name: TargetName, target: Target, use: Picturing, *, now: datetime) -> LastHour:
    sight = await look_at_target(target, cloud=use.cloud)
    read = await use.metrics.minutes(target, since=now - HOUR, until=now)
    if read.problem is not None:
        raise NotDrawn(read.problem)
    return hour_of_minutes(
        name,
        read,
        canary=_name(sight.sides.canary),
        stable=_name(sight.sides.stable),
        until=now,
        deployed_at=sight.deployed_at,
    )


def _name(side: SideAddress | None) -> str:
    return side.name if side is not None else ""
