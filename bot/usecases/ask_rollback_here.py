"""Somebody asks for a rollback from an incident's card: the ordinary request, the scenario as its reason.

Whether they may is decided where every rollback is prepared.
"""

from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ask_for_rollback import AskForRollback, ask
from bot.usecases.before_rollback import safety_facts, safety_in
from bot.usecases.ports import Said
from bot.usecases.show_incident import show_incident

#: How an act says yes.
YES = "yes"


def _ask(doing: Doing) -> Reply | None:
    no = held_back(doing)
    if no is not None:
        show_incident(doing.tx, doing.incident.number, channel=doing.channel)
        return no
    ask_here(doing, forced=doing.act.words.get("forced") == YES)
    return None


def held_back(doing: Doing) -> Reply | None:
    """Say what has to be answered before a rollback, or thought about twice; None when nothing has."""
    safety = safety_in(doing.incident, doing.playbook)
    if safety is None or (safety.holds_back and doing.act.words.get("all_the_same") == YES):
        return None
    if safety.open:
        return Reply(what=Said.SAFETY_FIRST, facts=safety_facts(safety))
    return Reply(what=Said.HELD_BACK, facts=safety_facts(safety)) if safety.holds_back else None


def ask_here(doing: Doing, *, forced: bool) -> None:
    """Ask for the rollback of the incident's target."""
    request = AskForRollback(
        key=doing.act.key,
        target=doing.incident.target,
        person=doing.act.person,
        acting_team=doing.act.acting_team,
        channel=doing.act.channel,
        reason=doing.act.words.get("reason", ""),
        forced=forced,
    )
    ask(doing.tx, request, playbook=doing.playbook, at=doing.at)


ASK_ROLLBACK = Deed(do=_ask)
