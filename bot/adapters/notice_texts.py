"""The texts for people, from `templates/`, filled in with what is known of an incident."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bot.adapters.templates import filled_in, is_the_teams, template_names
from bot.domain.announcement import NoticeFacts
from bot.domain.guide import NoticePlan, Scenario
from bot.domain.ids import IncidentNumber, PersonId, RollbackId, TargetName
from bot.domain.incident import FailureType, Incident, IncidentState, Severity
from bot.domain.playbook import Playbook
from bot.domain.rollback import Rollback, RollbackState
from bot.slack.text import LOCALES, Words
from bot.slack.views.notice_values import notice_values
from bot.usecases.ports import BadTemplate, NoticeTexts

log = structlog.get_logger()

#: Any moment will do for a sample: the guide's.
_THEN = datetime(2025, 10, 21, 14, 0, tzinfo=UTC)


class TemplateNotices(NoticeTexts):
    """`NoticeTexts` over Jinja templates; `team` is a directory with the team's own."""

    def __init__(self, *, team: Path | None = None) -> None:
        self._team = team

    def written(self, facts: NoticeFacts, locale: str) -> str:
        """See `NoticeTexts.written`."""
        name, values = facts.plan.template, notice_values(facts, Words(locale=locale))
        try:
            return filled_in(name, locale, values, team=self._team).strip()
        except BadTemplate as bad:
            if not (is_the_teams(name, locale, self._team) and name in template_names()[locale]):
                raise
            # Whoever has to tell people now gets ours; the check says what is wrong with the team's.
            log.error("template_broken", template=name, why=str(bad))
            return filled_in(name, locale, values).strip()

    def try_all(self, plan: NoticePlan, playbook: Playbook) -> None:
        """See `NoticeTexts.try_all`."""
        for facts in _samples(plan, playbook):
            for locale in LOCALES:
                values = notice_values(facts, Words(locale=locale))
                if not filled_in(plan.template, locale, values, team=self._team).strip():
                    raise BadTemplate(f"{locale}/{plan.template}: it says nothing")


def _samples(plan: NoticePlan, playbook: Playbook) -> list[NoticeFacts]:
    """Return one incident that nothing is known of, and one of each scenario, rolled back in every way."""
    bare = NoticeFacts(
        incident=_incident(None),
        scenario=None,
        plan=plan,
        rollback=None,
        playbook_name=playbook.name,
        time_zone=playbook.time_zone,
        at=_THEN + timedelta(hours=1),
    )
    return [bare, *(_full(bare, scenario, state) for scenario in playbook.scenarios for state in _STATES)]


_STATES = (RollbackState.REQUESTED, RollbackState.VERIFIED)


def _full(bare: NoticeFacts, scenario: Scenario, state: RollbackState) -> NoticeFacts:
    return NoticeFacts(
        incident=_incident(scenario),
        scenario=scenario,
        plan=bare.plan,
        rollback=_rollback(state),
        playbook_name=bare.playbook_name,
        time_zone=bare.time_zone,
        at=bare.at,
        names={PersonId("U0SAMPLE"): "Sample"},
    )


def _incident(scenario: Scenario | None) -> Incident:
    return Incident(
        number=IncidentNumber(1),
        target=TargetName("canary"),
        state=IncidentState.OPEN,
        severity=scenario.severity if scenario else Severity.MEDIUM,
        failure_type=scenario.failure_type if scenario else FailureType.OTHER,
        opened_at=_THEN,
        opened_by=PersonId("U0SAMPLE"),
        playbook_version="sample",
        scenario=scenario.key if scenario else None,
        seen=scenario.symptom.en if scenario else "",
        commander=PersonId("U0SAMPLE") if scenario else None,
    )


def _rollback(state: RollbackState) -> Rollback:
    ended = _THEN + timedelta(minutes=2) if state is RollbackState.VERIFIED else None
    return Rollback(
        id=RollbackId("sample"),
        target=TargetName("canary"),
        state=state,
        asked_by=PersonId("U0SAMPLE"),
        asked_at=_THEN,
        reason="",
        forced=False,
        channel="",
        playbook_version="sample",
        requested_at=_THEN,
        ended_at=ended,
    )
