"""Before somebody arms a target: what the bot would have done there within the last days."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.back_test import BackTest, Hit, back_test
from bot.domain.observation import Minute
from bot.domain.playbook import Playbook, Target
from bot.usecases.ports import Metrics

#: "Would have fired N times in the last 7 days". Source: the issue's own words.
DAYS = 7
#: How much is asked for at once: a day's minutes of a few revisions are one answer's worth.
AT_ONCE = timedelta(days=1)
#: A notice of more lines is no notice; the count says how many there were.
TIMES_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Past:
    """What a back-test found in ``since`` < t <= ``until``; `problem`: part of it could not be read."""

    since: datetime
    until: datetime
    found: BackTest
    problem: str = ""


async def test_the_past(target: Target, playbook: Playbook, *, metrics: Metrics, now: datetime) -> Past:
    """Read a target's last days from Cloud Monitoring and judge them. Never raises.

    Days that cannot be read are left out, and the answer says so: fewer minutes are fewer chances to fire.
    """
    until = now.replace(second=0, microsecond=0)
    since = until - timedelta(days=DAYS)
    minutes: list[Minute] = []
    problem = ""
    for day in range(DAYS):
        begins = since + day * AT_ONCE
        read = await metrics.minutes(target, since=begins, until=begins + AT_ONCE)
        minutes += read.minutes
        problem = problem or read.problem or ""
    # Ten thousand minutes take a second or two: elsewhere, so that nobody who presses Stop waits for it.
    found = await asyncio.to_thread(back_test, minutes, playbook, canary_name=target.canary_service)
    return Past(since=since, until=until, found=found, problem=problem)


def back_test_facts(past: Past, playbook: Playbook) -> dict[str, Any]:
    """Return what a back-test found as JSON facts; the newest times last."""
    found = past.found
    return {
        "days": DAYS,
        "since": past.since.isoformat(),
        "until": past.until.isoformat(),
        "problem": past.problem,
        "minutes": found.minutes,
        "canaries": found.canaries,
        "count": len(found.fired),
        "would_count": len(found.would_fire),
        "recommended": found.recommended,
        "would_act": playbook.acts_by_itself(),
        "times": [_hit_facts(hit) for hit in found.would_fire[-TIMES_SHOWN:]],
    }


def _hit_facts(hit: Hit) -> dict[str, Any]:
    alarm = hit.alarm
    return dict(alarm.facts) | {
        "at": alarm.at.isoformat(),
        "kind": alarm.kind.value,
        "level": alarm.level.value,
        "mode": hit.mode.value,
        "canary": hit.canary,
    }
