"""Every view in every state it has, with texts to be put wherever people's or Google's texts go."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.domain.faults import FaultKind
from bot.domain.ids import IncidentNumber, PersonId, RevisionName
from bot.domain.incident import FailureType, FromPeople, Incident, IncidentState, Severity
from bot.domain.people import RefusedWhy
from bot.domain.readings import Metric
from bot.domain.record import make_record
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
from bot.slack.views.notices import notice_message
from bot.slack.views.record import record_message
from bot.slack.views.record_modal import LONGEST_TEXT, record_modal
from bot.slack.views.rollback_message import Message, rollback_message
from bot.slack.views.status import status_message
from bot.slack.views.timeline import log_message
from tests.values import (
    HEALTHY,
    NOON,
    SENA,
    SICK,
    a_chain,
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


def entries(hostile: str, name: str) -> list[Entry]:
    """Return an entry of every event, with `hostile` in every fact that is free."""
    common = {
        "rollback": "f00d", "target": name, "reason": hostile, "forced": True, "healthy": True,
        "canary": name, "stable": name, "canary_percent": 10, "why": "guest", "people": [SENA],
        "metric": "p95", "side": "canary", "value": 812.5, "sample": 200, "source": "request_log",
        "until": NOON.isoformat(), "service": name, "revision": name, "percent": 100, "generation": 7,
        "doing": hostile, "detail": hostile, "kind": "other", "proof": "p95", "verdict": "disproven",
        "limit": 200.0, "note": hostile, "outcome": "verified", "took_seconds": 12.5, "edition": 2,
    }  # fmt: skip
    found: list[Entry] = []
    for event in Event:
        facts = common | ({"variable": name, "value": hostile} if event is Event.WRITE_SENT else {})
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
    ended = a_decided_rollback(RollbackState.VERIFIED, **fill(hostile, name))
    told = entries(hostile, name)
    playbook = a_playbook(name=hostile[:80] or "x")
    for title, incident in incidents(hostile):
        for known in ([], [ended], [ended] * 30):
            yield f"board {title} {len(known)}", board(incident, known, words, now=LATER)
            record = make_record(incident, known, told, playbook=playbook, names={PersonId(SENA): hostile})
            yield f"record {title} {len(known)}", record_message(record, words)
    yield "log", log_message(told, words)
    for title, facts in notices(hostile, name):
        yield f"notice {title}", notice_message(facts, words, now=LATER)
    for title, status in statuses(hostile, name):
        yield f"status {title}", status_message(status, PLAYBOOK, words)


def modals(hostile: str, words: Words) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every modal."""
    for title, incident in incidents(hostile):
        yield f"modal {title}", record_modal(incident, words, channel="C0OPERATIONS")
