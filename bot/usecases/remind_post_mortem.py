"""Reminding of a post-mortem until it is held: before it, after it, and where none is set."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.incident import Incident, IncidentState
from bot.domain.playbook import Playbook
from bot.domain.post_mortem import (
    REMIND_OF_NONE,
    MeetingState,
    PostMortem,
    Reminder,
    is_expected,
    next_asking,
    next_reminder,
)
from bot.usecases.editions import playbook_of
from bot.usecases.ports import (
    Clock,
    Notice,
    Playbooks,
    Said,
    Showing,
    Steps,
    Store,
    Transaction,
    Workflow,
)
from bot.usecases.show_post_mortem import invitation_key, meeting_facts, meeting_of, show_document


def set_reminder(tx: Transaction, meeting: PostMortem, *, now: datetime) -> None:
    """Set the timer of a meeting's next reminder, or none where nothing waits; `now` is aware, UTC."""
    tx.let_sleep(Workflow.POST_MORTEM, none_set_timer(meeting.incident))
    following = next_reminder(meeting, now=now)
    if following is None:
        tx.let_sleep(Workflow.POST_MORTEM, meeting.id)
        return
    what, at = following
    tx.wake(
        Workflow.POST_MORTEM,
        meeting.id,
        at=at,
        incident=meeting.id,
        what=what.value,
        sequence=str(meeting.sequence),
        turn=str(meeting.reminded),
    )


def expect_meeting(tx: Transaction, closed: Incident, playbook: Playbook, *, at: datetime) -> None:
    """Remind, from the next working day on, of a post-mortem that nobody has set for a grave incident."""
    if is_expected(closed) and meeting_of(tx, closed.number) is None:
        _wait_for_meeting(tx, closed, playbook, turn=0, at=at)


def none_set_timer(number: IncidentNumber) -> str:
    """Return the id of the timer that runs while an incident has no meeting."""
    return f"{number}:none"


def _wait_for_meeting(
    tx: Transaction, closed: Incident, playbook: Playbook, *, turn: int, at: datetime
) -> None:
    tx.wake(
        Workflow.POST_MORTEM,
        none_set_timer(closed.number),
        at=next_asking(at, playbook.time_zone),
        incident=str(closed.number),
        what=Reminder.NONE_SET.value,
        closed=_closed(closed),
        turn=str(turn),
    )


def _closed(incident: Incident) -> str:
    return incident.closed_at.isoformat() if incident.closed_at else ""


async def remind_post_mortem(
    arguments: Mapping[str, str], *, steps: Steps, store: Store, playbooks: Playbooks, clock: Clock
) -> None:
    """Bring a post-mortem up; the rows decide whether there is still something to bring up."""
    number, what = IncidentNumber(int(arguments["incident"])), Reminder(arguments["what"])
    now, current = clock(), playbooks.current()

    def remind(tx: Transaction) -> str:
        incident = tx.incident(number)
        playbook = playbook_of(tx, incident, current)
        reminding = _Reminding(tx, incident, playbook, arguments, what, now)
        return reminding.of_none() if what is Reminder.NONE_SET else reminding.of_meeting()

    await steps.step("remind", lambda: store.change(remind), into=str)


class _Reminding:
    """One reminder, in its transaction and with the incident's lock held."""

    def __init__(
        self,
        tx: Transaction,
        incident: Incident,
        playbook: Playbook,
        arguments: Mapping[str, str],
        what: Reminder,
        now: datetime,
    ) -> None:
        self._tx = tx
        self._incident = incident
        self._playbook = playbook
        self._channel = ChannelId(playbook.channels.incidents)
        self._arguments = arguments
        self._what = what
        self._now = now
        self._turn = int(arguments["turn"])

    def of_meeting(self) -> str:
        """Remind of a meeting, unless it was moved or has ended meanwhile, and set the next reminder."""
        meeting = meeting_of(self._tx, self._incident.number)
        if meeting is None or meeting.state is not MeetingState.SCHEDULED:
            return "not any more"
        if str(meeting.sequence) != self._arguments["sequence"]:
            return "moved"  # Whoever moved it has set the timer anew.
        if not self._first_time(f"{meeting.id}:{meeting.sequence}"):
            return "reminded before"
        if self._what is Reminder.SOON:
            self._soon(meeting)
        else:
            meeting = replace(meeting, reminded=meeting.reminded + 1)
            self._tx.keep(meeting)
            self._ask(meeting)
        set_reminder(self._tx, meeting, now=self._now)
        return "reminded"

    def of_none(self) -> str:
        """Remind the commander that no meeting is set, and come back on the next working day."""
        incident = self._incident
        again = incident.state is IncidentState.OPEN or self._arguments["closed"] != _closed(incident)
        if again or not is_expected(incident) or meeting_of(self._tx, incident.number) is not None:
            return "not any more"
        if not self._first_time(f"{incident.number}:none:{self._arguments['closed']}"):
            return "reminded before"
        if incident.commander is not None:
            self._tell(incident.commander, severity=incident.severity.value)
        else:
            self._show(f"{Reminder.NONE_SET}-{self._turn}", under=None)
        if self._turn + 1 < REMIND_OF_NONE:
            _wait_for_meeting(self._tx, incident, self._playbook, turn=self._turn + 1, at=self._now)
        return "reminded"

    def _first_time(self, about: str) -> bool:
        # The same step may run twice; it must not set the timer twice.
        return self._tx.first_time(f"remind:post_mortem:{about}:{self._what}:{self._turn}", at=self._now)

    def _soon(self, meeting: PostMortem) -> None:
        """Tell the thread and the owner, with the document as it can be filled in by now."""
        if self._now >= meeting.starts_at:
            return  # Nobody was there to say it in time; it is asked about after.
        self._show(f"soon-{meeting.sequence}", under=invitation_key(meeting.incident))
        edition = f"{meeting.sequence}-{Reminder.SOON}"
        show_document(self._tx, meeting, edition=edition, channel=self._channel)
        self._tell(meeting.owner, **meeting_facts(meeting))

    def _ask(self, meeting: PostMortem) -> None:
        """Ask the owner whether it was held; at last tell whoever has command, and the thread."""
        if self._what is Reminder.HELD:
            self._tell(meeting.owner, **meeting_facts(meeting))
            return
        if self._incident.commander is not None:
            self._tell(self._incident.commander, **meeting_facts(meeting))
        self._show(f"unanswered-{meeting.sequence}", under=invitation_key(meeting.incident))

    def _show(self, name: str, *, under: str | None) -> None:
        subject = f"{self._incident.number}:{name}"
        self._tx.show(Showing.POST_MORTEM, subject, channel=self._channel, under=under)

    def _tell(self, person: PersonId, **facts: Any) -> None:
        known = {"incident": self._incident.number, "reminder": self._what.value} | facts
        notice = Notice(what=Said.MEETING_DUE, person=person, channel=ChannelId(person), facts=known)
        stamp = f"{self._incident.number}:{self._what}:{facts.get('sequence', '')}:{self._turn}"
        self._tx.tell(notice, key=f"{Said.MEETING_DUE}:{stamp}:{self._arguments.get('closed', '')}")
