"""What every change of a follow-up has in common: read it, say kindly what stands, keep it, show it."""

from typing import Any

from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.timeline import Event
from bot.usecases.act import Doing, Reply
from bot.usecases.plan_follow_ups import title_facts
from bot.usecases.ports import Said
from bot.usecases.show_follow_ups import show_follow_ups


def follow_up_of(doing: Doing) -> FollowUp:
    """Return the follow-up that an act is about."""
    return doing.tx.kept(FollowUp, doing.act.words["follow_up"])


def how_it_stands(doing: Doing, follow_up: FollowUp) -> Reply:
    """Tell whoever presses on an older card how it stands now; nothing is changed."""
    show_follow_ups(doing.tx, doing.incident.number, channel=doing.channel)
    return Reply(what=Said.FOLLOW_UP_STANDS, facts=state_facts(follow_up))


def state_facts(follow_up: FollowUp) -> dict[str, Any]:
    """Return how a follow-up stands, as JSON facts."""
    return title_facts(follow_up) | {
        "state": follow_up.state.value,
        "owner": follow_up.owner,
        "by": follow_up.by,
        "due_at": follow_up.due_at.isoformat(),
    }


def save(doing: Doing, follow_up: FollowUp, event: Event, **facts: Any) -> Reply:
    """Store, write down and show a change, and tell the person who made it."""
    doing.tx.keep(follow_up)
    doing.write(event, **title_facts(follow_up) | facts)
    show_follow_ups(doing.tx, doing.incident.number, channel=doing.channel)
    return Reply(what=Said.FOLLOW_UP_SAVED, facts=state_facts(follow_up))


def is_open(follow_up: FollowUp) -> bool:
    """True while there is something to do."""
    return follow_up.state is FollowUpState.OPEN
