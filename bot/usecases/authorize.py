"""May this person do that? Asked at the click and again before the act; closed when Slack cannot say."""

from dataclasses import dataclass
from typing import Any

from bot.domain.ids import PersonId
from bot.domain.people import AUTOMATICS, Refusal, at_command_line, nobody_can_say, refusal
from bot.domain.playbook import Permission, Playbook
from bot.usecases.ports import Clock, People, PeopleUnknown, Playbooks, Store


@dataclass(frozen=True, kw_only=True)
class Acting:
    """What a use-case in which a person acts may touch."""

    store: Store
    people: People
    playbooks: Playbooks
    clock: Clock


async def authorize(
    person: PersonId,
    permission: Permission | None,
    *,
    acting_team: str | None,
    playbook: Playbook,
    people: People,
) -> Refusal | None:
    """Return why `person` may not use `permission` (None: what every member may), None when they may.

    Whoever is at the command line has passed the machine's own access control and holds its Google
    credentials, so they may; what they do is recorded under their login. The bot itself may roll back,
    by the word of whoever armed the target, and nothing else.
    """
    if at_command_line(person) or (person == AUTOMATICS and permission is Permission.ROLL_BACK):
        return None
    try:
        return refusal(
            await people.person(person),
            permission,
            playbook=playbook,
            members=await _members(permission, playbook=playbook, people=people),
            home_team=await people.home_team(),
            acting_team=acting_team,
        )
    except PeopleUnknown:
        return nobody_can_say(permission, playbook=playbook)


async def _members(
    permission: Permission | None, *, playbook: Playbook, people: People
) -> dict[str, frozenset[PersonId]]:
    groups = playbook.groups_with(permission) if permission else ()
    return {group: await people.members(group) for group in groups}


def refusal_facts(no: Refusal) -> dict[str, Any]:
    """Return a refusal as JSON facts."""
    return {"why": no.why.value, "people": list(no.allowed)}
