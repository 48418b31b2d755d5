"""Somebody presses "show the metrics", "read the logs" and the like: one look, posted for everybody.

Who presses while the same look is under way is written down and gets that one.
"""

from datetime import datetime, timedelta

from bot.domain.finding import READS
from bot.domain.guide import Action, ClockStep, Does, Option, Scenario
from bot.domain.timeline import Event, incident_chain
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ports import Said, Workflow
from bot.usecases.show_incident import show_incident

#: A look that has found nothing by then has broken off; the next press begins another.
LONGEST_LOOK = timedelta(minutes=3)


def _look(doing: Doing) -> Reply | None:
    where = doing.act.words["where"]
    action = action_at(doing.playbook.scenario(doing.incident.scenario), where)
    if action is None or action.does not in READS:
        show_incident(doing.tx, doing.incident.number, channel=doing.channel)
        return Reply(what=Said.OLDER_STATE)
    under_way = _under_way(doing, where)
    look = under_way or doing.act.key
    doing.write(
        Event.LOOK_ASKED, look=look, where=where, titles=action.title.model_dump(), joined=bool(under_way)
    )
    if under_way is None:
        number = str(doing.incident.number)
        about = {"incident": number, "scenario": doing.incident.scenario or "", "where": where}
        person = {"person": doing.act.person, "channel": doing.act.channel}
        doing.tx.start(Workflow.LOOK, f"{number}:{look}", look=look, **about, **person)
    return None


def _under_way(doing: Doing, where: str) -> str | None:
    """Return the id of the same look that was begun and has not found anything yet."""
    entries = doing.tx.timeline(incident_chain(doing.incident.number))
    found = {entry.facts["look"] for entry in entries if entry.event is Event.FINDING}
    begun = [
        (entry.facts["look"], entry.at)
        for entry in entries
        if entry.event is Event.LOOK_ASKED and entry.facts["where"] == where and not entry.facts["joined"]
    ]
    return next((look for look, at in reversed(begun) if look not in found and _is_fresh(at, doing.at)), None)


def _is_fresh(begun: datetime, now: datetime) -> bool:
    return now - begun < LONGEST_LOOK


def action_at(scenario: Scenario | None, where: str) -> Action | None:
    """Return what a button looks at: ``action:…``, ``option:…`` or ``clock:…`` of the scenario.

    Options and steps of the clock have no filter and no numbers of their own: the usual ones hold.
    """
    kind, _, key = where.partition(":")
    if scenario is None:
        return None
    if kind == "action":
        return next((action for action in scenario.actions if action.key == key), None)
    plans: tuple[Option | ClockStep, ...] = scenario.options if kind == "option" else scenario.clock
    plan = next((one for one in plans if one.key == key), None) if kind in ("option", "clock") else None
    if plan is None:
        return None
    usual = 'resource.type="cloud_run_revision"' if plan.does is Does.LOGS else None
    return Action.model_construct(key=plan.key, title=plan.title, does=plan.does, filter=usual)


LOOK = Deed(do=_look)
