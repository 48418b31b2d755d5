"""Every view in every state it has, with texts to be put wherever people's or Google's texts go."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.domain.change import (
    ENDED_CHANGE,
    RUNNING_CHANGE,
    CannotChange,
    CannotWhy,
    Change,
    ChangeKind,
    ChangePlan,
    ChangeState,
)
from bot.domain.faults import FaultKind
from bot.domain.finding import Finding
from bot.domain.guide import Does
from bot.domain.ids import IncidentNumber, PersonId, RevisionName, ServiceName, TargetName
from bot.domain.incident import FailureType, FromPeople, Incident, IncidentState, Severity
from bot.domain.people import RefusedWhy
from bot.domain.playbook import Topology
from bot.domain.readings import Metric
from bot.domain.record import make_record
from bot.domain.resources import Resource, Resources
from bot.domain.rollback import (
    ENDED,
    RUNNING,
    NothingWhy,
    Plan,
    Proof,
    Rollback,
    RollbackState,
    UnsureWhy,
    Verdict,
)
from bot.domain.status import RollbackLine, ServingLine, Status
from bot.domain.timeline import Entry, Event
from bot.domain.traffic import Revision
from bot.slack.text import Words
from bot.slack.views.board import board
from bot.slack.views.change_message import change_message
from bot.slack.views.change_modals import add_resources_modal, reduce_traffic_modal
from bot.slack.views.notices import notice_message
from bot.slack.views.record import record_message
from bot.slack.views.record_modal import LONGEST_TEXT, record_modal
from bot.slack.views.rollback_message import Message, rollback_message
from bot.slack.views.status import status_message
from bot.slack.views.timeline import FINDING, log_message
from tests.checklists import step_event_facts
from tests.guide import the_guide
from tests.unit.adapters.records import a_snapshot, an_alert, an_exhibit
from tests.unit.slack.views.drill_views import drill_event_facts, drill_messages
from tests.unit.slack.views.evidence_views import (
    evidence_event_facts,
    evidence_messages,
    evidence_modals,
)
from tests.unit.slack.views.exhibit_views import exhibit_messages, exhibit_modals
from tests.unit.slack.views.incident_views import (
    closed_messages,
    incident_event_facts,
    incident_modals,
    incident_notices,
)
from tests.unit.slack.views.paging_views import task_facts
from tests.unit.slack.views.post_mortem_views import (
    post_mortem_event_facts,
    post_mortem_messages,
    post_mortem_modals,
    post_mortem_notices,
)
from tests.unit.slack.views.telling_views import telling_event_facts, telling_notices
from tests.unit.slack.views.watch_views import (
    watch_event_facts,
    watch_messages,
    watch_modals,
    watch_notices,
)
from tests.values import (
    HEALTHY,
    NOON,
    SENA,
    SICK,
    a_chain,
    a_change,
    a_decided_rollback,
    a_playbook,
    a_reading,
    a_rollback,
    a_services_plan,
    an_incident,
    evidence,
    seconds,
)

LATER = NOON + seconds(90)
PLAYBOOK = a_playbook()


def fill(hostile: str, name: str) -> dict[str, Any]:
    """Return a rollback's fields in which every free text is `hostile` and every name `name`."""
    plan = Plan(
        topology=a_decided_rollback().plan.topology,  # type: ignore[union-attr]
        service=name,  # type: ignore[arg-type]
        canary=name,
        stable=name,
        canary_percent=10,
    )
    proofs = tuple(
        evidence(proof, verdict, note=hostile)
        for proof, verdict in zip(Proof, [*Verdict, *Verdict], strict=False)
    )
    readings = (*SICK, a_reading(Metric.CPU, None, problem=hostile))
    return {"reason": hostile, "plan": plan, "evidence": proofs, "before": readings}


def some_plans(name: str) -> Iterator[Plan | None]:
    """Yield no plan, one for revisions and one for services."""
    yield None
    yield fill("", name)["plan"]
    yield replace(a_services_plan(), canary=name, stable=name, variable=name)


def rollbacks(hostile: str, name: str) -> Iterator[tuple[str, Rollback]]:
    """Yield a rollback in every state, with and without a plan, with every kind of problem."""
    faults = [f"{kind}:{hostile}:{hostile}" for kind in FaultKind]
    problems = [None, f"fighting:{hostile}", f"changed:{hostile}", "broken:1a2b3c4d", hostile, *faults]
    for state in RollbackState:
        for number, plan in enumerate(some_plans(name)):
            for problem in problems if state in ENDED | RUNNING else [None]:
                known = fill(hostile, name) | {"plan": plan, "problem": problem, "forced": True}
                yield f"{state} {number} {problem}"[:60], a_decided_rollback(state, **known)
    for why in UnsureWhy:
        for state in (RollbackState.ASKED, RollbackState.FAILED):
            found = tuple(
                Revision(name=RevisionName(f"{name}{n}"[-63:]), created_at=NOON, ready=True)
                for n in range(120)
            )
            yield (
                f"unsure {why} {state}",
                a_rollback(state, problem=f"{why}:{hostile}", candidates=found, reason=hostile),
            )
    for before in ((), HEALTHY, SICK, (a_reading(value=0.7), *HEALTHY[1:])):
        for twice in (False, True):
            known = fill(hostile, name) | {"before": before, "twice": twice}
            yield f"question {len(before)} {twice}", a_rollback(deployed_at=NOON, **known)


def changes(hostile: str, name: str) -> Iterator[tuple[str, Change]]:
    """Yield a change of every kind in every state, on every topology, with every kind of problem."""
    reasons = [
        CannotChange(why, about=about, detail=detail, instead=instead)
        for why, about, detail, instead in all_reasons(hostile, name)
    ]
    troubles = [f"overtaken:{hostile}", "slow", f"fighting:{hostile}", "broken:1a2b3c4d", hostile]
    faults = [f"{kind}:{hostile}:{hostile}" for kind in FaultKind]
    problems = [None, *troubles, *faults, *(reason.as_problem() for reason in reasons)]
    everything = Resources(memory_mib=1536, cpu_milli=500, min_instances=1, max_instances=1000)
    for kind in ChangeKind:
        asked = a_change(kind, resources=everything if kind is ChangeKind.ADD_RESOURCES else None)
        for state in ChangeState:
            for plan in change_plans(name):
                for problem in problems if state in ENDED_CHANGE | RUNNING_CHANGE else [None]:
                    title = f"{kind} {state} {plan is not None} {problem}"[:70]
                    change = replace(asked, state=state, plan=plan, problem=problem)
                    if state in ENDED_CHANGE:
                        change = replace(change, requested_at=NOON, applied_at=NOON, ended_at=NOON)
                    yield title, change
        yield f"{kind} alone", replace(asked, incident=None, plan=change_plan(name))


def board_changes(hostile: str, name: str) -> list[Change]:
    """Return a change of every kind in every state: what a board's line says of one."""
    told = {"requested_at": NOON, "plan": change_plan(name), "problem": hostile}
    found = [a_change(kind, state=state, **told) for kind in ChangeKind for state in ChangeState]
    # A board shows the last ten, so all of them are seen on the first ten, the second and the last.
    assert 20 < len(found) <= 30
    return found


def all_reasons(hostile: str, name: str) -> Iterator[tuple[CannotWhy, str, str, str]]:
    """Yield why, about, detail and instead, for every reason against a change."""
    for why in CannotWhy:
        if why is CannotWhy.UNSURE:
            yield from ((why, unsure.value, hostile, "") for unsure in UnsureWhy)
        elif why in (CannotWhy.UNREADABLE, CannotWhy.NOT_MORE, CannotWhy.TOO_MUCH, CannotWhy.NOT_ALLOWED):
            yield from ((why, resource.value, "512", "1024") for resource in Resource)
            yield why, Resource.MEMORY.value, "512", "" if why is CannotWhy.NOT_MORE else "1024"
        elif why in (CannotWhy.NEEDS_CPU, CannotWhy.NEEDS_MEMORY, CannotWhy.MIN_ABOVE_MAX):
            yield why, "", "8192", "2000"
        elif why is CannotWhy.NOT_LOWER:
            yield from ((why, "", now, most) for now, most in (("10", "9"), ("1", "")))
        else:
            yield why, name, hostile, ""


def change_plan(name: str, **more: Any) -> ChangePlan:
    """Return a plan in which every name is `name`."""
    plan = ChangePlan(
        topology=Topology.REVISIONS,
        service=ServiceName(name),
        canary=name,
        stable=name,
        percent=10,
        before=Resources(memory_mib=512, cpu_milli=1000, min_instances=0, max_instances=5),
        replaces=RevisionName(name),
        by_name=True,
    )
    return replace(plan, **more)


def change_plans(name: str) -> Iterator[ChangePlan | None]:
    """Yield no plan, and one for each topology."""
    yield None
    yield change_plan(name)
    yield change_plan(name, topology=Topology.SERVICES, variable=name, by_name=False)


def a_finding(hostile: str) -> Finding:
    """Return what a look at nothing found."""
    titles = {"en": hostile, "ko": hostile}
    return Finding(does=Does.LOGS, titles=titles, target=a_rollback().target, read_at=NOON)


def entries(hostile: str, name: str) -> list[Entry]:
    """Return an entry of every event, with `hostile` in every fact that is free."""
    common = {
        "rollback": "f00d", "target": name, "reason": hostile, "forced": True, "healthy": True,
        "canary": name, "stable": name, "canary_percent": 10, "why": "guest", "people": [SENA],
        "metric": "p95", "side": "canary", "value": 812.5, "sample": 200, "source": "request_log",
        "until": NOON.isoformat(), "service": name, "revision": name, "percent": 100, "generation": 7,
        "doing": hostile, "detail": hostile, "kind": "other", "proof": "p95", "verdict": "disproven",
        "kind_of_change": "add_resources", "to": {"memory_mib": 1024}, "from": {"memory_mib": 512},
        "setting": hostile, "by": f"google:{hostile}", "state": "failed", "problem": hostile,
        "ask": {"en": hostile, "ko": hostile}, "say": {"en": hostile, "ko": hostile},
        "means": {"en": hostile, "ko": hostile}, "titles": {"en": hostile, "ko": hostile}, "done": True,
        "place": 3, "finding": FINDING.dump_python(a_finding(hostile), mode="json"),
        "limit": 200.0, "note": hostile, "outcome": "verified", "took_seconds": 12.5, "edition": 2,
    }  # fmt: skip
    found: list[Entry] = []
    for event in Event:
        facts = common | ({"variable": name, "value": hostile} if event is Event.WRITE_SENT else {})
        facts |= task_facts(event, hostile)
        facts |= incident_event_facts(event, hostile)
        facts |= telling_event_facts(event, hostile)
        facts |= step_event_facts(event, hostile)
        facts |= watch_event_facts(event, hostile)
        facts |= evidence_event_facts(event, hostile)
        facts |= post_mortem_event_facts(event, hostile)
        facts |= drill_event_facts(event, hostile)
        entry = a_chain(facts, event=event)[0]
        found.append(replace(entry, actor=f"google:{hostile}", sequence=len(found) + 1))
    return found


def incidents(hostile: str) -> Iterator[tuple[str, Incident]]:
    """Yield an incident of every kind, filled in by people and not."""
    filled = FromPeople(
        cause=hostile[:LONGEST_TEXT], users_affected=10**9, data_loss=True, down_minutes=100_000,
        actions=hostile[:LONGEST_TEXT], improvements=hostile[:LONGEST_TEXT], by=SENA, at=NOON,
    )  # fmt: skip
    for people in (FromPeople(), filled):
        for state in IncidentState:
            for severity in Severity:
                closed = NOON if state is IncidentState.CLOSED else None
                yield (
                    f"{state} {severity} {bool(people.cause)}",
                    an_incident(
                        state=state,
                        severity=severity,
                        failure_type=list(FailureType)[len(severity) % 5],
                        people=people,
                        closed_at=closed,
                        opened_by=PersonId(f"cli:{hostile[:50]}"),
                        playbook_version=hostile[:64],
                    ),
                )


def notices(hostile: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the facts of every notice."""
    who = {"target": name, "by": f"google:{hostile}", "at": NOON.isoformat(), "incident": 12}
    for refused in RefusedWhy:
        for people in ([], [SENA, f"cli:{hostile}", hostile]):
            yield f"refused {refused}", {"what": "refused", "why": refused.value, "people": people}
    for nothing in NothingWhy:
        yield f"nothing {nothing}", {"what": "nothing_to_roll_back", "why": nothing.value, "serving": name}
    for what in ("already_decided", "already_running"):
        for state in RollbackState:
            yield f"{what} {state}", {"what": what, "state": state.value} | who
    changing = who | {"kind_of_change": "reduce_traffic", "to_percent": 5, "from_percent": 10}
    for what in ("change_decided", "change_running", "change_expired"):
        for stands in ChangeState:
            yield f"{what} {stands}", {"what": what, "state": stands.value} | changing
    yield from incident_notices(hostile)
    yield from telling_notices(hostile)
    yield from watch_notices(hostile, name)
    yield from post_mortem_notices(hostile)
    for what in ("card_expired", "incident_closed", "no_such_incident", "still_running", "record_saved"):
        yield what, {"what": what} | who
    for kind in FaultKind:
        for changed in (True, False, None):
            yield (
                f"fault {kind} {changed}",
                {
                    "what": "fault", "kind": kind.value, "doing": hostile, "detail": hostile,
                    "changed": changed, "permission": name, "by_hand": f"gcloud {name}",
                },
            )  # fmt: skip
    texts = {"en": hostile, "ko": hostile}
    told = {"ask": texts, "say": texts, "means": texts, "titles": texts, "better": texts, "place": 27}
    for what in ("safety_first", "held_back", "older_state", "answered_meanwhile", "by_hand"):
        yield what, {"what": what} | who | told
    for done in (True, False):
        yield f"step_stands {done}", {"what": "step_stands", "done": done} | who | told
    step = {"state": "done", "why": hostile, "owner": SENA, "wrote": hostile, "step": hostile}
    for what in ("step_faster", "step_changed", "step_why_needed", "step_taken", "no_such_step"):
        yield what, {"what": what} | who | told | step
    yield "step_stands yet", {"what": "step_stands", "titles": texts, "done": False}
    yield "broken", {"what": "broken", "reference": "1a2b3c4d", "by_hand": f"gcloud {name}"}
    yield "broken without a line", {"what": "broken", "reference": "1a2b3c4d", "by_hand": ""}


def statuses(hostile: str, name: str) -> Iterator[tuple[str, Status]]:
    """Yield how a target may stand."""
    lines = tuple(
        ServingLine(name=name, percent=p, role=r) for p, r in ((90, "stable"), (9, "canary"), (1, ""))
    )
    known = Status(
        target=a_rollback().target,
        read_at=NOON,
        serving=lines,
        last_modifier=hostile,
        readings=fill(hostile, name)["before"],
        incident=IncidentNumber(12),
        rollback=RollbackLine(state=RollbackState.VERIFIED, by=PersonId(f"cli:{hostile}"), at=NOON),
    )
    yield "moving", known
    yield "settled", replace(known, settled=True)
    yield "quiet", replace(known, settled=True, readings=(), incident=None, rollback=None)
    yield "unreadable", replace(known, problem=hostile, serving=(), readings=())


def messages(hostile: str, name: str, words: Words) -> Iterator[tuple[str, Message]]:
    """Yield every message, by a name for the test's report."""
    for title, rollback in rollbacks(hostile, name):
        yield f"rollback {title}", rollback_message(rollback, PLAYBOOK, words, now=LATER)
    for title, change in changes(hostile, name):
        yield f"change {title}", change_message(change, PLAYBOOK, words, now=LATER)
    ended = a_decided_rollback(RollbackState.VERIFIED, **fill(hostile, name))
    told = entries(hostile, name)
    playbook = a_playbook(name=hostile[:80] or "x")
    made = board_changes(hostile, name)
    for title, incident in incidents(hostile):
        for known, changed in (([], made[:10]), ([ended], made[10:20]), ([ended] * 30, made)):
            shown = board(incident, known, words, now=LATER, playbook=playbook, changes=changed)
            yield f"board {title} {len(known)}", shown
            record = make_record(
                incident,
                known,
                told,
                playbook=playbook,
                names={PersonId(SENA): hostile},
                alerts=[an_alert(why=hostile, canary=name)] * 3,
                snapshots=[a_snapshot()],
                exhibits=[an_exhibit(source=hostile), an_exhibit(problem=hostile)],
            )
            yield (
                f"record {title} {len(known)}",
                record_message(record, words, canvas="https://backout.slack.com/docs/T0HOME/F0CANVAS"),
            )
    yield "log", log_message(told, words)
    yield from watch_messages(hostile, name, PLAYBOOK, words)
    yield from closed_messages(hostile, told, words)
    yield from evidence_messages(hostile, name, words)
    yield from exhibit_messages(hostile, words)
    yield from post_mortem_messages(hostile, words)
    yield from drill_messages(words)
    for title, facts in notices(hostile, name):
        yield f"notice {title}", notice_message(facts, words, now=LATER)
    for title, status in statuses(hostile, name):
        yield f"status {title}", status_message(status, PLAYBOOK, words)


def modals(hostile: str, words: Words) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every modal."""
    target = TargetName("canary")
    for number in (None, IncidentNumber(12)):
        for percent in (None, 1, 10):
            modal = reduce_traffic_modal(target, number, percent, words, channel="C0OPERATIONS")
            yield f"reduce {number} {percent}", modal
        yield f"add {number}", add_resources_modal(target, number, words, channel="C0OPERATIONS")
    for title, incident in incidents(hostile):
        yield f"modal {title}", record_modal(incident, words, channel="C0OPERATIONS")
    for playbook in (PLAYBOOK, the_guide()):
        yield from incident_modals(hostile, entries(hostile, "x"), playbook, words)
    yield from watch_modals(words)
    yield from evidence_modals(hostile, words)
    yield from exhibit_modals(hostile, words)
    yield from post_mortem_modals(hostile, words)
