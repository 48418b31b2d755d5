"""Reminding of a follow-up: its owner when it is due, then owner and channel every three days."""

from collections.abc import Mapping
from datetime import timedelta

from bot.domain.follow_up import REMIND_EVERY, FollowUp, FollowUpState
from bot.domain.ids import ChannelId, PersonId, incident_in
from bot.domain.incident import Incident
from bot.usecases.change_follow_up import state_facts
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

#: How far the clocks of two replicas may be apart before a reminder is taken for one that was moved.
CLOCKS_APART = timedelta(seconds=30)


async def remind_follow_up(
    arguments: Mapping[str, str], *, steps: Steps, store: Store, playbooks: Playbooks, clock: Clock
) -> None:
    """Bring a follow-up up that is due, and come back in three days; the row decides whether it still is."""
    id, begun, turn = arguments["follow_up"], arguments["begun"], int(arguments["turn"])
    now, current = clock(), playbooks.current()

    def remind(tx: Transaction) -> str:
        incident = tx.incident(incident_in(id))
        follow_up = tx.kept(FollowUp, id)
        if follow_up.state is not FollowUpState.OPEN:
            return follow_up.state
        if now < follow_up.due_at - CLOCKS_APART:
            return "moved"  # Whoever moved it has set the timer anew.
        stamp = f"{id}@{begun}-{turn}"
        # The same step may run twice; it must not set the timer twice.
        if not tx.first_time(f"remind:{stamp}", at=now):
            return "reminded before"
        incidents = ChannelId(playbook_of(tx, incident, current).channels.incidents)
        _remind(tx, follow_up, incident, incidents, stamp, again=turn > 0)
        following = str(turn + 1)
        tx.wake(Workflow.FOLLOW_UP, id, at=now + REMIND_EVERY, follow_up=id, begun=begun, turn=following)
        return "reminded"

    await steps.step("remind", lambda: store.change(remind), into=str)


def _remind(
    tx: Transaction,
    follow_up: FollowUp,
    incident: Incident,
    incidents: ChannelId,
    stamp: str,
    *,
    again: bool,
) -> None:
    """Tell the owner, or the commander while nobody has it; the channel too, `again` or without an owner."""
    person = follow_up.owner or incident.commander
    if person is not None:
        _tell(tx, follow_up, person, f"due:{stamp}")
    if again or follow_up.owner is None:
        tx.show(Showing.FOLLOW_UP_DUE, stamp, channel=incidents)


def _tell(tx: Transaction, follow_up: FollowUp, person: PersonId, key: str) -> None:
    facts = state_facts(follow_up) | {"incident": follow_up.incident}
    notice = Notice(what=Said.FOLLOW_UP_DUE, person=person, channel=ChannelId(person), facts=facts)
    tx.tell(notice, key=key)
