"""A drill ends: its milestones are written down, and the team sees how it did."""

from dataclasses import replace
from datetime import datetime

from bot.domain.alert import Alert
from bot.domain.announcement import Announcement
from bot.domain.drill import Drill, Milestone, Scoreboard, milestones, notices_to_users, scoreboard
from bot.domain.ids import ChannelId
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.usecases.drill_incidents import clear_up, incidents_of
from bot.usecases.ports import Showing, Transaction


def end_drill(tx: Transaction, id: str, *, playbook: Playbook, at: datetime) -> Drill:
    """End a drill at `at` (aware, UTC), post its scoreboard where incidents are, and return it as it ended.

    Its incidents are closed: nothing that happens later belongs to it. One that has ended stays as it ended.

    Raises:
        NotKept: there is no such drill.
    """
    drill = tx.kept(Drill, id)
    if drill.ended_at is not None:
        return drill
    incidents = incidents_of(tx, drill)
    ended = replace(
        drill,
        ended_at=min(at, drill.until),
        incident=incidents[0].number if incidents else None,
        reached=_reached(tx, drill, incidents, playbook),
    )
    tx.keep(ended)
    clear_up(tx, ended, playbook, at=at)
    tx.show(Showing.SCOREBOARD, ended.id, channel=ChannelId(playbook.channels.incidents))
    return ended


def _reached(
    tx: Transaction, drill: Drill, incidents: tuple[Incident, ...], playbook: Playbook
) -> dict[Milestone, datetime]:
    numbers = tuple(incident.number for incident in incidents)
    return milestones(
        drill,
        incidents,
        [rollback for number in numbers for rollback in tx.rollbacks_of(number)],
        tx.find(Alert, target=drill.target),
        tx.find(Announcement, incident=numbers),
        to_users=notices_to_users(playbook.scenario(drill.scenario), playbook),
    )


def reached_so_far(tx: Transaction, drill: Drill, playbook: Playbook) -> dict[Milestone, datetime]:
    """Return when each milestone of a drill that is under way was reached (aware, UTC)."""
    return _reached(tx, drill, incidents_of(tx, drill), playbook)


def read_scoreboard(tx: Transaction, id: str, playbook: Playbook) -> Scoreboard:
    """Return a drill's scoreboard: the same whenever it is read after the end. Raises `NotKept`."""
    drill = tx.kept(Drill, id)
    return scoreboard(drill, tx.find(Drill, scenario=drill.scenario), playbook)
