"""The contacts' parts in an incident: who has taken which."""

from dataclasses import replace
from typing import Any

from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ports import Said


def _take(doing: Doing) -> Reply | None:
    role, me = doing.act.words["role"], doing.act.person
    holder = doing.incident.roles.get(role)
    if role not in doing.playbook.contacts or holder == me:
        return Reply(what=Said.ROLE_AS_IT_IS)
    doing.save(replace(doing.incident, roles=dict(doing.incident.roles) | {role: me}))
    doing.write(Event.ROLE_TAKEN, **_named(doing, role), before=holder)
    if holder is not None:
        doing.tell(holder, Said.ROLE_TAKEN, **_named(doing, role))
    return None


def _give_up(doing: Doing) -> Reply | None:
    role = doing.act.words["role"]
    if doing.incident.roles.get(role) != doing.act.person:
        return Reply(what=Said.ROLE_AS_IT_IS)
    rest = {key: person for key, person in doing.incident.roles.items() if key != role}
    doing.save(replace(doing.incident, roles=rest))
    doing.write(Event.ROLE_GIVEN_UP, **_named(doing, role))
    return None


def _named(doing: Doing, role: str) -> dict[str, Any]:
    """Return the role with its name in both languages, so that the line needs no playbook."""
    return {"role": role, "role_name": doing.playbook.contacts[role].role.model_dump()}


TAKE_ROLE = Deed(do=_take)
GIVE_UP_ROLE = Deed(do=_give_up)
