"""Who may do what: closed by default."""

from typing import Any

import pytest

from bot.domain.ids import PersonId
from bot.domain.people import Person, Refusal, RefusedWhy, at_command_line, nobody_can_say, refusal
from bot.domain.playbook import Permission, Playbook
from tests.values import DEVOPS, GITCO, HOME, LUBIT, SENA, a_person, a_playbook

PLAYBOOK = a_playbook()


def asked(
    person: Person,
    permission: Permission = Permission.ROLL_BACK,
    *,
    acting_team: str | None = HOME,
    playbook: Playbook = PLAYBOOK,
    members: frozenset[PersonId] = frozenset({LUBIT}),
) -> RefusedWhy | None:
    no = refusal(
        person,
        permission,
        playbook=playbook,
        members={DEVOPS: members},
        home_team=HOME,
        acting_team=acting_team,
    )
    return no.why if no else None


@pytest.mark.parametrize(
    ("person", "may_roll_back", "may_complete"),
    [(SENA, True, True), (LUBIT, True, False), (GITCO, False, True), ("U0NOBODY", False, False)],
)
def test_a_role_allows_what_it_says_and_no_more(person: str, may_roll_back: bool, may_complete: bool) -> None:
    permissions = (Permission.ROLL_BACK, Permission.COMPLETE_RECORD)
    answers = [asked(a_person(person), permission) for permission in permissions]

    assert [answer is None for answer in answers] == [may_roll_back, may_complete]
    assert {answer for answer in answers if answer} <= {RefusedWhy.NO_ROLE}


def test_whoever_left_the_user_group_may_no_longer_act() -> None:
    assert asked(a_person(LUBIT), members=frozenset()) is RefusedWhy.NO_ROLE


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"guest": True}, RefusedWhy.GUEST),
        ({"bot": True}, RefusedWhy.BOT),
        ({"deactivated": True}, RefusedWhy.DEACTIVATED),
        ({"stranger": True}, RefusedWhy.OUTSIDER),
        ({"team_id": "T0PARTNER"}, RefusedWhy.OUTSIDER),
        ({"team_id": ""}, RefusedWhy.OUTSIDER),
        ({"team_id": "T0PARTNER", "guest": True, "bot": True, "deactivated": True}, RefusedWhy.OUTSIDER),
        ({"deactivated": True, "bot": True, "guest": True}, RefusedWhy.DEACTIVATED),
        ({"bot": True, "guest": True}, RefusedWhy.BOT),
    ],
)
@pytest.mark.parametrize("person", [SENA, LUBIT, "U0NOBODY"])
def test_a_role_does_not_help_who_is_not_one_of_us(
    person: str, about: dict[str, Any], why: RefusedWhy
) -> None:
    assert asked(a_person(person, **about)) is why


def test_a_click_from_another_workspace_is_an_outsiders() -> None:
    assert asked(a_person(SENA), acting_team="T0PARTNER") is RefusedWhy.OUTSIDER


def test_a_request_that_names_no_workspace_is_judged_by_the_person() -> None:
    assert asked(a_person(SENA), acting_team=None) is None


def test_without_roles_nobody_may_act() -> None:
    assert asked(a_person(SENA), playbook=a_playbook(roles={})) is RefusedWhy.NO_ROLE


def test_a_refusal_names_each_who_could_once_and_the_named_ones_first() -> None:
    no = refusal(
        a_person(GITCO),
        Permission.ROLL_BACK,
        playbook=PLAYBOOK,
        members={DEVOPS: frozenset({LUBIT, SENA})},
        home_team=HOME,
        acting_team=HOME,
    )

    assert no == Refusal(why=RefusedWhy.NO_ROLE, allowed=(SENA, LUBIT))


def test_when_slack_cannot_say_nobody_may_and_the_playbooks_people_are_named() -> None:
    no = nobody_can_say(Permission.ROLL_BACK, playbook=PLAYBOOK)

    assert no == Refusal(why=RefusedWhy.SLACK_CANNOT_SAY, allowed=(SENA,))


@pytest.mark.parametrize(
    ("person", "there"), [("cli:sena", True), ("cli:", True), ("U0SENA", False), ("", False)]
)
def test_people_at_the_command_line_are_known_by_their_id(person: str, there: bool) -> None:
    assert at_command_line(PersonId(person)) is there
