"""App Home: rendered from what is stored when somebody opens it, and again when the targets are read.

For an hour it follows what happens; see `Transaction.refresh_homes`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.alert import Alert, AlertState
from bot.domain.drill import Drill, any_concerns
from bot.domain.follow_up import FollowUp
from bot.domain.guide import Contact
from bot.domain.home import Home, Todo, todos
from bot.domain.ids import ChannelId, IncidentNumber, PersonId, TargetName
from bot.domain.incident import Incident
from bot.domain.last_seen import HOME_FOLLOWS_FOR, LastSeen, SeenKind, seen_id
from bot.domain.paging import Page
from bot.domain.playbook import Playbook
from bot.domain.readiness import Readiness
from bot.domain.rollback import RollbackState
from bot.domain.status import Status
from bot.usecases.check_readiness import READINESS
from bot.usecases.editions import playbook_of
from bot.usecases.my_tasks import my_open_follow_ups, my_waiting_pages
from bot.usecases.ports import Clock, Playbooks, Showing, Steps, Store, Transaction, Workflow
from bot.usecases.report_status import STATUS, Reporting, keep_status, read_status
from bot.usecases.whose_drill import made_in_drill

#: A status younger than this is not read again because somebody opens their Home.
FRESH_FOR = timedelta(seconds=30)


async def open_home(key: str, person: PersonId, *, store: Store, clock: Clock) -> None:
    """Show `person` their Home as it is stored now, once per `key`, and have the targets read for it."""
    now = clock()

    def show(tx: Transaction) -> None:
        if tx.first_time(key, at=now):
            tx.keep(LastSeen(id=seen_id(SeenKind.HOME, person), kind=SeenKind.HOME, created_at=now))
            show_home(tx, person)
            tx.start(Workflow.HOME, key, person=person)

    await store.change(show)


def show_home(tx: Transaction, person: PersonId) -> None:
    """Publish somebody's Home anew once committed."""
    tx.show(Showing.HOME, person, channel=ChannelId(person))


async def read_for_home(arguments: Mapping[str, str], *, steps: Steps, use: Reporting) -> None:
    """Read every target that was not read just now, and show the Home again."""
    person = PersonId(arguments["person"])
    await steps.step("read", lambda: _read_targets(person, use), into=str)


async def _read_targets(person: PersonId, use: Reporting) -> str:
    for name in use.playbooks.current().targets:
        target = TargetName(name)
        known = await use.store.look(lambda tx, target=target: last_status(tx, target))  # type: ignore[misc]
        if known is not None and use.clock() - known.read_at < FRESH_FOR:
            continue
        status = await read_status(target, use=use)
        await use.store.change(lambda tx, status=status: keep_status(tx, status))  # type: ignore[misc]
    await use.store.change(lambda tx: show_home(tx, person))
    return "read"


def last_status(tx: Transaction, target: TargetName) -> Status | None:
    """Return how a target was last seen, None when it never was."""
    seen = _seen(tx, SeenKind.STATUS, target)
    return STATUS.validate_python(seen.content) if seen else None


def last_readiness(tx: Transaction, target: TargetName) -> Readiness | None:
    """Return how ready the team last was, None when nobody ever asked."""
    seen = _seen(tx, SeenKind.READINESS, target)
    return READINESS.validate_python(seen.content) if seen else None


def _seen(tx: Transaction, kind: SeenKind, target: TargetName) -> LastSeen | None:
    found = tx.find(LastSeen, id=seen_id(kind, target))
    return found[0] if found else None


async def refresh_homes(arguments: Mapping[str, str], *, steps: Steps, store: Store, clock: Clock) -> None:
    """Publish anew every Home that was opened within the last hour."""
    since = clock() - HOME_FOLLOWS_FOR

    def refresh(tx: Transaction) -> str:
        visits = [visit for visit in tx.find(LastSeen, kind=SeenKind.HOME) if visit.created_at > since]
        for visit in visits:
            show_home(tx, PersonId(visit.id.removeprefix(f"{SeenKind.HOME}:")))
        return f"{len(visits)} homes"

    await steps.step("refresh", lambda: store.change(refresh), into=str)


def read_home(tx: Transaction, person: PersonId, playbooks: Playbooks, *, now: datetime) -> Home:
    """Return what `person` sees on their Home at `now` (aware, UTC)."""
    current = playbooks.current()
    incidents = tx.open_incidents()
    waiting = {incident.number: _todos(tx, incident, current) for incident in incidents}
    mine = [todo for found in waiting.values() for todo in found if todo.owner == person]
    pages, follow_ups = my_waiting_pages(tx, person, playbooks), my_open_follow_ups(tx, person)
    targets = [TargetName(name) for name in current.targets]
    home = Home(
        person=person,
        incidents=incidents[::-1],
        next_todos={number: found[0] for number, found in waiting.items() if found},
        todos=tuple(sorted(mine, key=lambda todo: (todo.due_at is None, todo.due_at))),
        pages=pages,
        contacts=_contacts(tx, pages, current),
        follow_ups=follow_ups,
        statuses={target: last_status(tx, target) for target in targets},
        readiness=last_readiness(tx, targets[0]),
    )
    drills = tx.find(Drill)
    if drills:
        home = replace(home, drills=_drills(tx, home), drilled=_drilled(tx, home, drills, now=now))
    return replace(home, places=_places(tx, home))


def _drills(tx: Transaction, home: Home) -> frozenset[IncidentNumber]:
    """Return which of the incidents that a Home shows anything of belong to a drill."""
    shown = {one.number for one in home.incidents} | {page.incident for page in home.pages}
    shown |= {follow_up.incident for follow_up in home.follow_ups}
    return frozenset(number for number in shown if tx.incident(number).drill)


def _drilled(tx: Transaction, home: Home, drills: Sequence[Drill], *, now: datetime) -> frozenset[TargetName]:
    """Return the targets of which a drill is shown.

    One is under way there, the numbers were read in one, or what still runs there belongs to one.
    """
    return frozenset(
        target
        for target, status in home.statuses.items()
        if any_concerns(target, now, drills)
        or (status is not None and any_concerns(target, status.read_at, drills))
        or any(made_in_drill(tx, number, target, at, drills) for number, at in _running(tx, target))
    )


def _running(tx: Transaction, target: TargetName) -> Iterator[tuple[IncidentNumber | None, datetime]]:
    """Yield the incident, if any, and the beginning (aware, UTC) of what changes a target, or is about to.

    An alert that only waits for an answer may wait long after its drill: by then the numbers are real.
    """
    rollback = tx.running_rollback(target)
    if rollback is not None:
        yield rollback.incident, rollback.asked_at
    for alert in tx.find(Alert, target=target, state=AlertState.COUNTDOWN):
        yield alert.incident, alert.created_at


def _todos(tx: Transaction, incident: Incident, current: Playbook) -> tuple[Todo, ...]:
    rolled_back = any(r.state is RollbackState.VERIFIED for r in tx.rollbacks_of(incident.number))
    return todos(incident, playbook_of(tx, incident, current), rolled_back=rolled_back)


def _contacts(tx: Transaction, pages: Iterable[Page], current: Playbook) -> dict[str, Contact]:
    found = {}
    for page in pages:
        contact = playbook_of(tx, tx.incident(page.incident), current).contacts.get(page.contact)
        if contact is not None:
            found[page.id] = contact
    return found


def board_of(number: IncidentNumber) -> str:
    """Return the key of an incident's board."""
    return f"{Showing.BOARD}:{number}"


def page_of(page: Page) -> str:
    """Return the key of a page's message."""
    return f"{Showing.PAGE}:{page.id}"


def card_of(follow_up: FollowUp) -> str:
    """Return the key of the card a follow-up stands on, the first one where there are several."""
    return f"{Showing.FOLLOW_UPS}:{follow_up.incident}:1"


def _places(tx: Transaction, home: Home) -> dict[str, tuple[ChannelId, str]]:
    keys = {board_of(incident.number) for incident in home.incidents}
    keys |= {todo.shown_by for todo in home.todos}
    keys |= {page_of(page) for page in home.pages} | {card_of(one) for one in home.follow_ups}
    places = {key: tx.standing(key) for key in sorted(keys)}
    return {key: place for key, place in places.items() if place is not None}
