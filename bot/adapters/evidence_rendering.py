"""The first reading of the evidence, and the review, as messages: reads the stored facts for a view."""

from bot.domain.exhibit import Exhibit, Moment
from bot.domain.first_reading import Ending
from bot.domain.ids import IncidentNumber
from bot.domain.incident import FailureType
from bot.domain.playbook import Playbook
from bot.domain.snapshot import Snapshot
from bot.slack.text import Words
from bot.slack.views.first_reading import first_reading_message
from bot.slack.views.review_card import Configured, review_card
from bot.slack.views.rollback_message import Message
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Showing, Transaction

#: What this module renders.
READINGS = frozenset({Showing.FIRST_READING, Showing.REVIEW})
#: How the problems of a first reading begin that are about how a side is configured.
CONFIGURATION = "configuration_"


def reading_rendering(
    tx: Transaction, what: Showing, subject: str, *, current: Playbook, words: Words, project: str
) -> Message:
    """Return what `what` of `subject` looks like now; `project` is that of targets that name none."""
    if what is Showing.REVIEW:
        return _review(tx, IncidentNumber(int(subject)), current, words, project)
    snapshot = tx.kept(Snapshot, subject)
    files = tx.find(Exhibit, snapshot=snapshot.id)
    before, profile = _decided(tx, snapshot), _memory(tx, snapshot)
    return first_reading_message(snapshot, words, files=files, before=before, profile=profile)


def _decided(tx: Transaction, snapshot: Snapshot) -> Snapshot | None:
    """Return what was taken at the decision that led to this verdict."""
    if snapshot.moment is not Moment.VERIFICATION:
        return None
    taken = tx.find(Snapshot, incident=snapshot.incident, moment=Moment.DECISION)
    earlier = [one for one in taken if one.created_at <= snapshot.created_at]
    same = [one for one in earlier if one.rollback == snapshot.rollback]
    return next(iter(reversed(same or earlier)), None)


def _review(
    tx: Transaction, number: IncidentNumber, current: Playbook, words: Words, project: str
) -> Message:
    incident = tx.incident(number)
    playbook = playbook_of(tx, incident, current)
    taken = sorted(tx.find(Snapshot, incident=number), key=lambda one: one.created_at)
    return review_card(incident, playbook, words, configured=_configured(taken), project=project)


def _configured(taken: list[Snapshot]) -> Configured:
    """Return the newest configurations that could be read, or why the newest could not."""
    if not taken:
        return Configured()
    read = [one for one in taken if one.reading.differences is not None]
    newest = (read or taken)[-1]
    unread = (p for p in newest.reading.problems if p.startswith(CONFIGURATION))
    return Configured(
        at=newest.created_at,
        differences=newest.reading.differences,
        problem=next(unread, "").partition(": ")[2],
        canary=newest.canary or None,
    )


def _memory(tx: Transaction, snapshot: Snapshot) -> bool:
    """Say whether a memory profile may help: the guide looks at it where memory is what failed."""
    ended = snapshot.reading.endings or ()
    if any(end.why is Ending.OUT_OF_MEMORY for end in ended):
        return True
    return tx.incident(snapshot.incident).failure_type is FailureType.MEMORY
