"""Carrying out what a person did in an incident: once, by somebody who may, on the newest state.

A listener writes the act down and acks. A workflow asks who it was, locks the incident, and calls
the verb's function; two people who click at once come one after the other and both count.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from bot.domain.acts import Act, Verb
from bot.domain.ids import ChannelId, PersonId
from bot.domain.incident import Incident, IncidentState
from bot.domain.people import Refusal
from bot.domain.playbook import Permission, Playbook
from bot.domain.timeline import Event
from bot.usecases.authorize import Acting, authorize, refusal_facts
from bot.usecases.editions import playbook_of
from bot.usecases.journal import Line, audit, write_lines
from bot.usecases.ports import (
    Clock,
    Notice,
    NotKept,
    Said,
    Steps,
    Store,
    Transaction,
    Workflow,
)
from bot.usecases.show_incident import show_incident

_ACT = TypeAdapter(Act)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A line to the person who acted; `facts` (JSON) fill it in."""

    what: Said
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Doing:
    """One act being carried out, in its transaction.

    `incident` is as stored now, locked. `playbook` is the edition the incident began with; who may
    do what was decided by the playbook in force. `at` is aware, UTC.
    """

    tx: Transaction
    act: Act
    incident: Incident
    playbook: Playbook
    at: datetime

    @property
    def channel(self) -> ChannelId:
        """Where the incident's messages go."""
        return ChannelId(self.playbook.channels.incidents)

    def save(self, incident: Incident) -> None:
        """Store the incident's new state and bring its cards up to date."""
        self.tx.save_incident(incident)
        show_incident(self.tx, incident.number, channel=self.channel)

    def write(self, event: Event, **facts: Any) -> None:
        """Add a line by this person to the timeline; an act writes one line of a kind at most."""
        line = Line(event=event, key=f"{event}:{self.act.key}", actor=self.act.person, facts=facts)
        write_lines(self.tx, self.incident.number, [line], at=self.at, channel=self.channel)

    def tell(self, person: PersonId, what: Said, **facts: Any) -> None:
        """Send somebody else a line of their own, directly."""
        known = {"incident": self.incident.number, "by": self.act.person} | facts
        notice = Notice(what=what, person=person, channel=ChannelId(person), facts=known)
        self.tx.tell(notice, key=f"{what}:{person}:{self.act.key}")


#: Reads, decides, changes; a reply that says "nothing was changed" must come before any change.
Do = Callable[[Doing], Reply | None]


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What a verb does and who may: holders of `permission`, every member where it is None.

    `commander_may` lets the incident's commander, whatever their roles are. `names` is the word of
    the act that names somebody else, who must be a human member as well.
    """

    do: Do
    permission: Permission | None = None
    commander_may: bool = False
    names: str | None = None
    when_closed: bool = False


async def accept_act(act: Act, *, store: Store, clock: Clock) -> None:
    """Write an act down, once per key, and let a workflow carry it out."""
    now = clock()

    def remember(tx: Transaction) -> None:
        if tx.first_time(act.key, at=now):
            start_act(tx, act)

    await store.change(remember)


def start_act(tx: Transaction, act: Act) -> None:
    """Let a workflow carry out an act whose request is remembered already."""
    written = _ACT.dump_json(act).decode()
    tx.start(Workflow.ACT, f"{act.incident}:{act.verb}:{act.key}", act=written)


async def carry_out_act(
    arguments: Mapping[str, str], *, steps: Steps, use: Acting, deeds: Mapping[Verb, Deed]
) -> None:
    """Carry out an accepted act, or say kindly why not."""
    act = _ACT.validate_json(arguments["act"])
    await steps.step("act", lambda: _carry_out(act, deeds[act.verb], use), into=str)


async def _carry_out(act: Act, deed: Deed, use: Acting) -> str:
    no = await authorize(
        act.person,
        deed.permission,
        acting_team=act.acting_team,
        playbook=use.playbooks.current(),
        people=use.people,
    )
    if no is not None and deed.commander_may:
        no = await _unless_commander(act, no, use)
    stranger = await _stranger(act, deed, use) if no is None else None
    now, current = use.clock(), use.playbooks.current()

    def carry_out(tx: Transaction) -> str:
        # The same step may run twice; the first time's effects must not be taken for somebody else's.
        if not tx.first_time(f"done:{act.key}", at=now):
            return "done before"
        reply = stranger or _weigh(tx, act, deed, no, current, at=now)
        if reply is not None:
            facts = {"incident": act.incident} | dict(reply.facts)
            notice = Notice(what=reply.what, person=act.person, channel=act.channel, facts=facts)
            tx.tell(notice, key=f"{act.verb}:{act.key}")
        return reply.what if reply else "done"

    return await use.store.change(carry_out)


async def _unless_commander(act: Act, no: Refusal, use: Acting) -> Refusal | None:
    """Return the refusal, unless this is the commander and one of us."""
    try:
        incident = await use.store.look(lambda tx: tx.incident(act.incident))
    except NotKept:
        return no
    if incident.commander != act.person:
        return no
    playbook = use.playbooks.current()
    return await authorize(
        act.person, None, acting_team=act.acting_team, playbook=playbook, people=use.people
    )


async def _stranger(act: Act, deed: Deed, use: Acting) -> Reply | None:
    """Say why the person an act names cannot be meant: a bot, a guest, or not one of us."""
    if deed.names is None:
        return None
    named = PersonId(act.words[deed.names])
    playbook = use.playbooks.current()
    no = await authorize(named, None, acting_team=None, playbook=playbook, people=use.people)
    if no is None:
        return None
    return Reply(what=Said.NOT_ONE_OF_US, facts={"person": named, "why": no.why.value})


def _weigh(
    tx: Transaction, act: Act, deed: Deed, no: Refusal | None, current: Playbook, *, at: datetime
) -> Reply | None:
    if no is not None:
        facts = refusal_facts(no) | {"incident": act.incident, "verb": act.verb.value}
        key = f"refused:{act.key}"
        audit(tx, Line(event=Event.ACT_REFUSED, key=key, actor=act.person, facts=facts), at=at)
        return Reply(what=Said.REFUSED, facts=facts)
    try:
        incident = tx.incident(act.incident)
    except NotKept:
        return Reply(what=Said.NO_SUCH_INCIDENT)
    if incident.state is IncidentState.CLOSED and not deed.when_closed:
        show_incident(tx, incident.number, channel=ChannelId(current.channels.incidents))
        return Reply(what=Said.ALREADY_CLOSED)
    playbook = playbook_of(tx, incident, current)
    return deed.do(Doing(tx=tx, act=act, incident=incident, playbook=playbook, at=at))
