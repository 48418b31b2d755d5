"""Whether the bot may roll a target back by itself: armed by a person, and never twice in a row."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.ids import PersonId, TargetName


class NotByItself(StrEnum):
    """Why the bot does not roll back by itself though a rule says so."""

    RULE_MODE = "rule_mode"
    NOT_ARMED = "not_armed"
    ON_HOLD = "on_hold"
    NOT_CONFIRMED = "not_confirmed"
    NO_BASELINE = "no_baseline"
    TOO_MANY_THIS_HOUR = "too_many_this_hour"
    TOO_MANY_TODAY = "too_many_today"
    ROLLED_TO = "rolled_to"
    PERSON_PUT_IT_BACK = "person_put_it_back"
    PERSON_SAID_NO = "person_said_no"
    ALREADY_RUNNING = "already_running"
    #: The scenario asks a question before a rollback, and nobody has said yet that it is safe.
    SAFETY_FIRST = "safety_first"
    #: A rollback was begun, and could not even be prepared.
    COULD_NOT = "could_not"


class OffWhy(StrEnum):
    """Why automatics are off."""

    FIRED = "fired"
    STOPPED = "stopped"
    PERSON = "person"


@dataclass(frozen=True, kw_only=True)
class Automatics:
    """One target's automatics. Off until somebody arms them, and off again after each time.

    `id` is the target's name. `fired_at` are the newest automatic rollbacks, oldest first; `rolled_to`
    the revisions they went to, `rolled_from` every revision that was ever rolled back, by whomever: with
    traffic again, somebody has put it there; `refused` those of which a person has said that they are
    not to be rolled back. Canaries go by `bot.domain.watch.Watch.identity`. All times are aware, UTC.
    """

    id: TargetName
    created_at: datetime
    armed: bool = False
    by: PersonId | None = None
    at: datetime | None = None
    off_why: str = ""
    held_until: datetime | None = None
    held_by: PersonId | None = None
    fired_at: tuple[datetime, ...] = ()
    rolled_to: tuple[str, ...] = ()
    rolled_from: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def on_hold(self, *, now: datetime) -> bool:
        """True while somebody has asked the automatics to wait."""
        return self.held_until is not None and now < self.held_until

    def fired_within(self, span: timedelta, *, now: datetime) -> int:
        """Count the automatic rollbacks of the last `span`; one exactly so long ago is over."""
        return sum(now - at < span for at in self.fired_at)


#: "Hold automatics for 15 min". Source: the issue's own words.
HOLD_FOR = timedelta(minutes=15)
#: How many revisions are remembered; a service keeps about a thousand, and people go back few steps.
REMEMBERED = 50


def not_by_itself(
    automatics: Automatics | None, *, canary: str, now: datetime, most_per_hour: int, most_per_day: int
) -> NotByItself | None:
    """Return why the bot may not roll `canary` back by itself now, None when it may.

    The rule's mode, its evidence and what else is running are the caller's to weigh. What a person
    has said of this very canary comes before what time alone will mend.
    """
    if automatics is None or not automatics.armed:
        return NotByItself.NOT_ARMED
    known = (
        (NotByItself.PERSON_SAID_NO, automatics.refused),
        (NotByItself.ROLLED_TO, automatics.rolled_to),
        (NotByItself.PERSON_PUT_IT_BACK, automatics.rolled_from),
    )
    for why, names in known:
        if canary in names:
            return why
    if automatics.on_hold(now=now):
        return NotByItself.ON_HOLD
    if automatics.fired_within(timedelta(hours=1), now=now) >= most_per_hour:
        return NotByItself.TOO_MANY_THIS_HOUR
    if automatics.fired_within(timedelta(days=1), now=now) >= most_per_day:
        return NotByItself.TOO_MANY_TODAY
    return None


def armed(automatics: Automatics, *, by: PersonId, at: datetime) -> Automatics:
    """Return them armed. What was said of single canaries, and a hold, stay as they are."""
    return replace(automatics, armed=True, by=by, at=at, off_why="")


def disarmed(automatics: Automatics, *, by: PersonId, at: datetime, why: OffWhy) -> Automatics:
    """Return them off until somebody arms them again."""
    return replace(automatics, armed=False, by=by, at=at, off_why=why.value)


def held(automatics: Automatics, *, by: PersonId, at: datetime) -> Automatics:
    """Return them on hold for `HOLD_FOR` from `at` on; armed or not stays as it is."""
    return replace(automatics, held_until=at + HOLD_FOR, held_by=by)


def fired(automatics: Automatics, *, by: PersonId, at: datetime, to: str) -> Automatics:
    """Return them as they are once the bot rolls back to revision `to`: off, and remembering it."""
    return replace(
        disarmed(automatics, by=by, at=at, why=OffWhy.FIRED),
        fired_at=(*automatics.fired_at, at)[-REMEMBERED:],
        rolled_to=_with(automatics.rolled_to, to),
    )


def rolled_back(automatics: Automatics, canary: str) -> Automatics:
    """Return them knowing that somebody has decided to roll `canary` back."""
    return replace(automatics, rolled_from=_with(automatics.rolled_from, canary))


def refused(automatics: Automatics, canary: str) -> Automatics:
    """Return them knowing that a person does not want `canary` rolled back by itself."""
    return replace(automatics, refused=_with(automatics.refused, canary))


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return `names` with `name` as the newest; the oldest are forgotten beyond `REMEMBERED`."""
    return (*(known for known in names if known != name), name)[-REMEMBERED:]
