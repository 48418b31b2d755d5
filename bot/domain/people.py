"""Who may do what. Closed by default: no role, no action."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.ids import PersonId
from bot.domain.playbook import Permission, Playbook

#: Prefix of people at the command line. Whoever holds the database and Google credentials there
#: could run ``gcloud`` as well, so the shell's own access control is the one that counts.
COMMAND_LINE = "cli:"
#: Who asks for an automatic rollback; Slack's ids never look like it. It may do so because a person who
#: may roll back has armed the target, and every other condition of `bot.domain.automatics` holds.
AUTOMATICS = PersonId("backout")


@dataclass(frozen=True, kw_only=True)
class Person:
    """A Slack member as Slack describes them. `locale` is such as ``ko-KR``, `time_zone` an IANA name."""

    id: PersonId
    name: str
    team_id: str
    locale: str
    time_zone: str
    guest: bool = False
    bot: bool = False
    deactivated: bool = False
    stranger: bool = False


class RefusedWhy(StrEnum):
    """Why somebody may not act."""

    NO_ROLE = "no_role"
    GUEST = "guest"
    OUTSIDER = "outsider"
    BOT = "bot"
    DEACTIVATED = "deactivated"
    SLACK_CANNOT_SAY = "slack_cannot_say"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why not, and who could instead, as far as that is known."""

    why: RefusedWhy
    allowed: tuple[PersonId, ...]


def at_command_line(person: PersonId) -> bool:
    """True for somebody at the command line."""
    return person.startswith(COMMAND_LINE)


def refusal(
    person: Person,
    permission: Permission | None,
    *,
    playbook: Playbook,
    members: Mapping[str, frozenset[PersonId]],
    home_team: str,
    acting_team: str | None,
) -> Refusal | None:
    """Say why `person` may not use `permission`, None when they may.

    Without a permission every human member of this workspace may: to declare an incident, to answer
    a page or to tick a step nobody should have to look for somebody else.

    Args:
        members: user group id to its members, for the groups of the playbook.
        home_team: our workspace.
        acting_team: the workspace the click came from by ``body.user.team_id``; Bolt's own context
            names our workspace even for outsiders.
    """
    able = _able(permission, playbook=playbook, members=members)
    why = _not_one_of_us(person, home_team=home_team, acting_team=acting_team)
    if why is None and (permission is None or person.id in able):
        return None
    return Refusal(why=why or RefusedWhy.NO_ROLE, allowed=able)


def _able(
    permission: Permission | None, *, playbook: Playbook, members: Mapping[str, frozenset[PersonId]]
) -> tuple[PersonId, ...]:
    """Everybody with a role that holds `permission`: those named first, then the groups' members."""
    if permission is None:
        return ()
    grouped = (p for group in playbook.groups_with(permission) for p in sorted(members.get(group, ())))
    return tuple(dict.fromkeys([*playbook.people_with(permission), *grouped]))


def nobody_can_say(permission: Permission | None, *, playbook: Playbook) -> Refusal:
    """Refuse because Slack could not say who somebody is; names those the playbook itself names."""
    allowed = playbook.people_with(permission) if permission else ()
    return Refusal(why=RefusedWhy.SLACK_CANNOT_SAY, allowed=allowed)


def _not_one_of_us(person: Person, *, home_team: str, acting_team: str | None) -> RefusedWhy | None:
    outside = person.stranger or person.team_id != home_team
    if outside or (acting_team is not None and acting_team != home_team):
        return RefusedWhy.OUTSIDER
    if person.deactivated:
        return RefusedWhy.DEACTIVATED
    if person.bot:
        return RefusedWhy.BOT
    return RefusedWhy.GUEST if person.guest else None
