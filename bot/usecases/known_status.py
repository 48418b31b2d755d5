"""How the canary stands, from what its watch knows: one read of the database, and no call to anybody."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.canary_looks import CanaryLook
from bot.domain.guide import Does
from bot.domain.ids import ChannelId, PersonId, TargetName
from bot.domain.last_hour import LastHour, hour_of_watch, newest_data
from bot.domain.status import ServingLine, Status
from bot.domain.watch import Watch
from bot.usecases.look_at_canary import AskForLook, start_look
from bot.usecases.ports import Clock, Store, Transaction, Workflow
from bot.usecases.report_status import going_on

#: What the watch saw last is an answer while it is younger than this.
YOUNG_ENOUGH = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a watch knows: the status, and the hour before."""

    status: Status
    hour: LastHour


def known_now(tx: Transaction, name: TargetName, *, at: datetime) -> Known | None:
    """Return what the watch of `name` knows at `at`; None where none is going on, or its data is old."""
    watch = next(iter(tx.find(Watch, id=name)), None)
    newest = newest_data(watch) if watch is not None and watch.going_on else None
    if watch is None or newest is None or at - newest >= YOUNG_ENOUGH:
        return None
    status = replace(
        going_on(tx, name, at=at),
        serving=_serving(watch),
        readings=watch.readings,
        seen_at=newest,
        silent=tuple(
            (source.value, state.problem) for source, state in watch.sources.items() if state.problem
        ),
    )
    return Known(status=status, hour=hour_of_watch(watch, until=at))


def _serving(watch: Watch) -> tuple[ServingLine, ...]:
    both = (
        ServingLine(name=watch.stable, percent=100 - watch.percent, role="stable"),
        ServingLine(name=watch.canary, percent=watch.percent, role="canary"),
    )
    return tuple(sorted((line for line in both if line.percent), key=lambda line: -line.percent))


async def read_known(name: TargetName, *, store: Store, clock: Clock) -> Known | None:
    """Return what the watch of `name` knows now, if that is young enough for an answer."""
    now = clock()
    return await store.look(lambda tx: known_now(tx, name, at=now))


async def ask_for_metrics(
    key: str,
    target: TargetName,
    person: PersonId,
    channel: ChannelId,
    *,
    acting_team: str | None,
    store: Store,
    clock: Clock,
) -> Known | None:
    """Return what the watch knows, and let a picture follow; without it a workflow reads and tells all.

    Once per `key`: a redelivery starts nothing.
    """
    now = clock()
    look = CanaryLook(does=Does.METRICS)
    asked = AskForLook(
        key=key, look=look, target=target, person=person, channel=channel, acting_team=acting_team
    )

    def remember(tx: Transaction) -> Known | None:
        known = known_now(tx, target, at=now)
        if not tx.first_time(key, at=now):
            return known
        if known is None:
            start_look(tx, asked)
        else:
            tx.start(Workflow.PICTURE, key, key=key, target=target, person=person, channel=channel)
        return known

    return await store.change(remember)
