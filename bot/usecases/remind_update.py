"""The next update is due: its author's commander is reminded until one is posted or the incident closed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.announcement import Announcement, AnnouncementState
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import IncidentState
from bot.domain.timeline import BACKOUT, Event, incident_chain
from bot.usecases.act import Doing
from bot.usecases.editions import playbook_of
from bot.usecases.journal import board_key
from bot.usecases.ports import Clock, NotKept, Playbooks, Showing, Steps, Store, Transaction, Workflow


def remind_of_next(doing: Doing, posted: Announcement) -> Announcement:
    """Return `posted` with the time its successor is due, and set the timer; none for a closed incident.

    There is one timer an incident: whatever is posted last says when people expect to hear again.
    """
    plan = doing.playbook.notices.get(posted.notice)
    minutes = plan.next_update_minutes if plan else None
    doing.tx.let_sleep(Workflow.REMIND_UPDATE, str(doing.incident.number))
    if minutes is None or doing.incident.state is not IncidentState.OPEN:
        return posted
    due = doing.at + timedelta(minutes=minutes)
    _wake(doing.tx, posted, at=due, turn=1)
    return replace(posted, next_due_at=due)


def _wake(tx: Transaction, posted: Announcement, *, at: datetime, turn: int) -> None:
    number = str(posted.incident)
    tx.wake(Workflow.REMIND_UPDATE, number, at=at, announcement=posted.id, turn=str(turn))


async def remind_update(
    arguments: Mapping[str, str], *, steps: Steps, store: Store, playbooks: Playbooks, clock: Clock
) -> None:
    """Remind in the incident's thread, if that is still needed, and come back when as long has gone by."""
    id, turn = arguments["announcement"], int(arguments["turn"])

    def remind(tx: Transaction) -> str:
        try:
            posted = tx.kept(Announcement, id)
        except NotKept:
            return "gone"
        incident = tx.incident(posted.incident)
        if incident.state is not IncidentState.OPEN or newest_posted(tx, incident.number) != posted:
            return "not any more"
        playbook = playbook_of(tx, incident, playbooks.current())
        channel = ChannelId(playbook.channels.incidents)
        key = f"{Event.UPDATE_DUE}:{id}:{turn}"
        # The message itself stands in the thread with its button, so the line is not posted there again.
        new = tx.write_down(
            incident_chain(incident.number), Event.UPDATE_DUE, key=key, at=clock(), actor=BACKOUT,
            notice=posted.notice,
        )  # fmt: skip
        if new is None:
            return "reminded before"
        tx.show(Showing.UPDATE_DUE, f"{id}:{turn}", channel=channel, under=board_key(incident.number))
        if posted.next_due_at is not None and posted.posted_at is not None:
            _wake(tx, posted, at=clock() + (posted.next_due_at - posted.posted_at), turn=turn + 1)
        return "reminded"

    await steps.step("remind", lambda: store.change(remind), into=str)


def newest_posted(tx: Transaction, number: IncidentNumber) -> Announcement | None:
    """Return the text of an incident that was posted last."""
    posted = tx.find(Announcement, incident=number, state=AnnouncementState.POSTED)
    return max(posted, key=lambda one: (one.posted_at or one.created_at, one.id), default=None)
