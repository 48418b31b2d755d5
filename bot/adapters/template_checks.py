"""Trying out a team's own templates with samples before anybody needs them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.notice_texts import TemplateNotices
from bot.adapters.record_rendering import HTML_TEMPLATE, MARKDOWN_TEMPLATE, page_values
from bot.adapters.templates import TEMPLATES, filled_in, is_the_teams
from bot.domain.alarm import AlarmKind, Level
from bot.domain.alert import Alert, AlertState
from bot.domain.checklist import Mark, StepState
from bot.domain.exhibit import Exhibit, ExhibitKind, Moment
from bot.domain.first_reading import Clients, FirstReading
from bot.domain.guide import Scenario
from bot.domain.ids import IncidentNumber, PersonId, RollbackId, ServiceName, TargetName
from bot.domain.incident import FailureType, FromPeople, Incident, IncidentState, Severity
from bot.domain.observation import Point, SideValues
from bot.domain.playbook import Playbook, Topology
from bot.domain.record import Record, make_record
from bot.domain.rollback import Evidence, Plan, Proof, Rollback, RollbackState, Verdict
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import GENESIS, Entry, Event, incident_chain
from bot.slack.text import HTML, LOCALES, MARKDOWN, Words
from bot.slack.views.record_values import record_values
from bot.usecases.ports import BadTemplate

#: Any moment will do for a sample: the guide's.
_THEN = datetime(2025, 10, 22, 14, 5, tzinfo=UTC)
_DEPLOYED, _ENDED = _THEN - timedelta(minutes=5), _THEN + timedelta(minutes=2)
_NUMBER, _PERSON = IncidentNumber(1), PersonId("U0SAMPLE")
_MINUTE = timedelta(minutes=1)


def template_faults(playbook: Playbook, team: Path | None) -> tuple[str, ...]:
    """Return what is wrong with the team's own templates: file, line, and what, each once.

    They are filled in for every scenario of `playbook`, for every way a rollback can stand, and with
    nothing known, in both languages.
    """
    if team is None:
        return ()
    if not team.is_dir():
        return (f"{team}: this is no directory",)
    return tuple(dict.fromkeys([*_stray(team), *_of_notices(playbook, team), *_of_records(playbook, team)]))


def _stray(team: Path) -> Iterator[str]:
    """Yield the files that nothing would ever use, such as those of a misspelt name."""
    for locale in LOCALES:
        ours = {file.name for file in (TEMPLATES / locale).iterdir()}
        for file in sorted((team / locale).glob("*.html")):
            if file.name not in ours:
                yield f"{locale}/{file.name}: there is no template of that name, so nothing uses it"
    if not any((team / locale).is_dir() for locale in LOCALES):
        yield f"{team}: there is neither a directory en nor ko in it, so nothing uses it"


def _of_notices(playbook: Playbook, team: Path) -> Iterator[str]:
    texts = TemplateNotices(team=team)
    for plan in playbook.notices.values():
        if any(is_the_teams(plan.template, locale, team) for locale in LOCALES):
            try:
                texts.try_all(plan, playbook)
            except BadTemplate as bad:
                yield str(bad)


def _of_records(playbook: Playbook, team: Path) -> Iterator[str]:
    for name in (MARKDOWN_TEMPLATE, HTML_TEMPLATE):
        for locale in LOCALES:
            if is_the_teams(name, locale, team):
                yield from _of_record(name, locale, playbook, team)


def _of_record(name: str, locale: str, playbook: Playbook, team: Path) -> Iterator[str]:
    is_page = name == HTML_TEMPLATE
    words = Words(locale=locale, style=HTML if is_page else MARKDOWN, zone=playbook.time_zone)
    for record in sample_records(playbook):
        values = page_values(record, words, b"\x89PNG") if is_page else record_values(record, words)
        try:
            if not filled_in(name, locale, values, team=team).strip():
                yield f"{locale}/{name}: it says nothing"
        except BadTemplate as bad:
            yield str(bad)


def sample_records(playbook: Playbook) -> Iterator[Record]:
    """Yield one record that nothing is known of, and one for each scenario and state of a rollback."""
    yield make_record(_incident(None), [], [], playbook=playbook, names={})
    for scenario in (None, *playbook.scenarios):
        for state in RollbackState:
            yield _full(playbook, scenario, state)


def _full(playbook: Playbook, scenario: Scenario | None, state: RollbackState) -> Record:
    people = FromPeople(
        cause="cause",
        users_affected=1,
        data_loss=False,
        down_minutes=1,
        actions="actions",
        improvements="improvements",
        by=_PERSON,
        at=_ENDED,
    )
    mark = Mark(state=StepState.DONE, by=_PERSON, at=_ENDED, why="why")
    marks = {step.key: mark for phase in playbook.checklist for step in phase.steps}
    # The people's own words stand in for the estimates once they are there: both are tried.
    told = (
        people if state is RollbackState.VERIFIED else replace(people, users_affected=None, down_minutes=None)
    )
    return make_record(
        replace(_incident(scenario), marks=marks, people=told, closed_at=_ENDED),
        [_rollback(state)],
        [_entry()],
        playbook=playbook,
        names={_PERSON: "Sample"},
        alerts=[_alert()],
        snapshots=[_snapshot()],
        exhibits=[_exhibit(problem=None), _exhibit(problem="it did not answer")],
    )


def _incident(scenario: Scenario | None) -> Incident:
    return Incident(
        number=_NUMBER,
        target=TargetName("canary"),
        state=IncidentState.OPEN,
        severity=scenario.severity if scenario else Severity.MEDIUM,
        failure_type=scenario.failure_type if scenario else FailureType.OTHER,
        opened_at=_THEN,
        opened_by=_PERSON,
        playbook_version="sample",
        scenario=scenario.key if scenario else None,
    )


def _rollback(state: RollbackState) -> Rollback:
    return Rollback(
        id=RollbackId("sample"),
        target=TargetName("canary"),
        state=state,
        asked_by=_PERSON,
        asked_at=_THEN,
        reason="reason",
        forced=False,
        channel="",
        playbook_version="sample",
        plan=Plan(
            topology=Topology.REVISIONS,
            service=ServiceName("sample"),
            canary="sample-00002",
            stable="sample-00001",
            canary_percent=10,
        ),
        decided_by=_PERSON,
        deployed_at=_DEPLOYED,
        requested_at=_THEN,
        settled_at=_THEN + _MINUTE,
        ended_at=_ENDED,
        evidence=tuple(_proof(proof) for proof in Proof),
    )


def _proof(proof: Proof) -> Evidence:
    return Evidence(
        proof=proof,
        verdict=Verdict.PROVEN,
        source="request_log",
        value=0.0,
        limit=1.0,
        sample=100,
        until=_ENDED,
    )


def _alert() -> Alert:
    facts = {"kind": AlarmKind.ERROR_RATE_IN_A_ROW.value, "level": Level.RECOMMEND.value, "value": 5.0}
    return Alert(
        id="sample",
        target=TargetName("canary"),
        state=AlertState.ROLLED_BACK,
        created_at=_THEN,
        kind=AlarmKind.ERROR_RATE_IN_A_ROW,
        mode="recommend",
        canary="sample-00002",
        stable="sample-00001",
        percent=10,
        facts=facts,
        by=_PERSON,
        at=_THEN,
    )


def _snapshot() -> Snapshot:
    sick = SideValues(error_rate=100.0, p95=800.0, memory=95.0, cpu=90.0, requests=100)
    well = SideValues(error_rate=0.0, p95=100.0, memory=40.0, cpu=30.0, requests=100)
    return Snapshot(
        id="1:decision-sample",
        incident=_NUMBER,
        moment=Moment.DECISION,
        created_at=_THEN,
        canary="sample-00002",
        stable="sample-00001",
        reading=FirstReading(since=_DEPLOYED, until=_THEN, clients=Clients(seen=10, failed=3)),
        points=(
            Point(at=_DEPLOYED + _MINUTE, canary=well, stable=well),
            Point(at=_DEPLOYED + 2 * _MINUTE, canary=sick, stable=well),
        ),
    )


def _exhibit(*, problem: str | None) -> Exhibit:
    return Exhibit(
        id="sample",
        incident=_NUMBER,
        snapshot="1:decision-sample",
        kind=ExhibitKind.ERROR_LOGS,
        name="error_logs_20251022_140500.txt",
        created_at=_THEN,
        source="severity=ERROR",
        size=1,
        sha256="" if problem else "0" * 64,
        redacted=1,
        problem=problem,
    )


def _entry() -> Entry:
    return Entry(
        chain=incident_chain(_NUMBER),
        sequence=1,
        key="sample",
        at=_THEN,
        actor=_PERSON,
        event=Event.INCIDENT_OPENED,
        facts={"target": "canary"},
        previous=GENESIS,
        hash="0" * 64,
    )
