"""A playbook with contacts and follow-ups, and acts on them, for tests of paging and of follow-ups."""

from typing import Any

from bot.domain.acts import Act, Verb
from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.playbook import Playbook
from tests.values import HOME, SENA, a_playbook

CONTACTS: dict[str, Any] = {
    "deployment_lead": {
        "role": {"en": "Deployment lead", "ko": "배포 리더"},
        "name": "Sena", "user": "U0SENA", "channel": "#operations", "within_minutes": 1, "then": "backend",
    },
    "backend": {
        "role": {"en": "Backend engineer", "ko": "백엔드 엔지니어"},
        "name": "Gitco", "user": "U0GITCO", "channel": "#backend", "within_minutes": 2, "then": "devops",
    },
    "devops": {
        "role": {"en": "DevOps engineer", "ko": "DevOps 엔지니어"},
        "name": "Lubit", "group": "S0DEVOPS", "channel": "#devops", "within_minutes": 2, "then": "nobody",
    },
    "nobody": {"role": {"en": "Monitoring", "ko": "모니터링 담당"}, "within_minutes": 3, "then": "manager"},
    "manager": {
        "role": {"en": "Manager", "ko": "매니저"},
        "name": "Mina", "phone": "+82 2 1234 5678", "within_minutes": 5,
    },
}  # fmt: skip


def a_follow_up_plan(key: str, **more: Any) -> dict[str, Any]:
    """Return one follow-up of a scenario, as the file says it."""
    return {"key": key, "title": {"en": f"Do {key}", "ko": f"{key} 하기"}} | more


def a_scenario(key: str, number: int, *follow_ups: dict[str, Any]) -> dict[str, Any]:
    """Return a scenario with these follow-ups, as the file says it."""
    return {
        "key": key,
        "number": number,
        "name": {"en": key, "ko": key},
        "failure_type": "error_rate",
        "severity": "high",
        "symptom": {"en": "errors", "ko": "에러"},
        "seen_after_minutes": 5,
        "causes": [{"en": "a bug", "ko": "버그"}],
        "actions": [{"key": "look", "title": {"en": "Look", "ko": "확인"}}],
        "recovery": {"from_minutes": 2, "to_minutes": 3},
        "follow_ups": list(follow_ups),
    }


SCENARIOS = [
    a_scenario(
        "errors",
        1,
        a_follow_up_plan("analyse_logs", owner="backend"),
        a_follow_up_plan("add_tests"),
        a_follow_up_plan("postpone", postpones_deployment=True, due_days=1),
    ),
    a_scenario("slow", 2, a_follow_up_plan("add_tests"), a_follow_up_plan("tune_queries", owner="devops")),
    a_scenario("quiet", 3),
]


def a_playbook_with_contacts(contacts: dict[str, Any] | None = None, **more: Any) -> Playbook:
    """Return a playbook with the line lead, backend, devops, an empty slot, and the manager's telephone."""
    return a_playbook(contacts=CONTACTS if contacts is None else contacts, scenarios=SCENARIOS, **more)


def contact(key: str, **more: Any) -> dict[str, Any]:
    """Return the contacts with one of them changed."""
    return CONTACTS | {key: CONTACTS[key] | more}


def an_act(verb: Verb, by: PersonId = SENA, *, key: str, number: int = 1, **words: str) -> Act:
    """Return what somebody of our workspace did."""
    return Act(
        verb=verb,
        incident=IncidentNumber(number),
        person=by,
        acting_team=HOME,
        channel=ChannelId("C0OPERATIONS"),
        key=key,
        words=words,
    )
