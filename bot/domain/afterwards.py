"""After a rollback: has going back cured anything?"""

from dataclasses import replace
from datetime import datetime

from bot.domain.judge import Alarm, AlarmKind, Level
from bot.domain.playbook import Playbook
from bot.domain.readings import Metric, Side, Source
from bot.domain.watch import SPLIT_TAKES, Watch
from bot.domain.watch_numbers import tally_of


def stable_afterwards(watch: Watch, playbook: Playbook, *, at: datetime) -> tuple[Watch, tuple[Alarm, ...]]:
    """Say once that stable is red after a rollback: then going back has cured nothing."""
    kind = AlarmKind.SHARED
    since = (watch.rolled_back_at or at) + SPLIT_TAKES
    own = [bucket for bucket in watch.carried.recent if bucket.since >= since]
    tally = tally_of(own, Side.STABLE)
    seconds = sum((bucket.until - bucket.since).total_seconds() for bucket in own)
    if kind in watch.judge.said or tally is None or seconds < playbook.watch.reading_seconds:
        return watch, ()
    limit = playbook.thresholds.error_rate_percent.red_above
    enough = tally.requests >= playbook.thresholds.min_requests and tally.errors >= playbook.watch.min_errors
    if not enough or 100 * tally.errors / tally.requests <= limit:
        return watch, ()
    value = round(100 * tally.errors / tally.requests, 2)
    facts = {
        "afterwards": True,
        "metric": Metric.ERROR_RATE.value,
        "limit": limit,
        "stable_value": value,
        "stable_requests": tally.requests,
        "stable_is_bad": round(tally.errors / tally.requests, 4),
        "source": Source.REQUEST_LOG.value,
        "until": own[-1].until.isoformat(),
    }
    said = {**watch.judge.said, kind.value: Level.TELL.value}
    alarm = Alarm(kind=kind, level=Level.TELL, at=own[-1].until, revision=watch.canary, facts=facts)
    return replace(watch, judge=replace(watch.judge, said=said)), (alarm,)
