"""The post-mortem: the command, its buttons, and its modals."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain.acts import Verb
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Incident
from bot.domain.post_mortem import LENGTHS, MeetingState, NotThen, PostMortem, not_then, proposals
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import Fields, from_modal
from bot.slack.listeners.table import Request, Table
from bot.slack.text import Words
from bot.slack.views.modals import LONGEST_WHY
from bot.slack.views.post_mortem_modal import LONGEST_PLACE, call_off_modal, meeting_modal
from bot.usecases.act import accept_act
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Clock, Playbooks, Store, Transaction
from bot.usecases.show_post_mortem import meeting_facts, meeting_of


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""
    answers = _PostMortems(store=store, playbooks=playbooks, clock=clock)
    table.incident_verbs["postmortem"] = answers.by_command
    table.presses |= {
        ActionId.SCHEDULE_POST_MORTEM: answers.by_button,
        ActionId.POST_MORTEM_MOVE: answers.by_button,
        ActionId.POST_MORTEM_HELD: answers.hold,
        ActionId.POST_MORTEM_CALL_OFF: answers.ask_why,
    }
    table.submissions |= {
        CallbackId.POST_MORTEM: answers.schedule,
        CallbackId.POST_MORTEM_CALL_OFF: answers.call_off,
    }


class _PostMortems:
    """What is answered to whoever schedules, moves or ends a meeting."""

    def __init__(self, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
        self._store = store
        self._playbooks = playbooks
        self._clock = clock

    async def by_command(self, request: Request, incident: Incident, rest: str) -> str | dict[str, Any]:
        asked = await self._ask(request, incident.number)
        if asked is not None:
            return asked
        label = request.words.bold(incident_label(incident.number))
        return request.words.say("The post-mortem of {label} …", label=label)

    async def by_button(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any] | None:
        number, _ = _pressed(action)
        return await self._ask(request, number)

    async def _ask(self, request: Request, number: IncidentNumber) -> dict[str, Any] | None:
        """Return the modal; where there is nothing to ask, the act answers with how it stands."""
        now, sender = self._clock(), request.sender

        def look(tx: Transaction) -> dict[str, Any] | None:
            incident, meeting = tx.incident(number), meeting_of(tx, number)
            zone = playbook_of(tx, incident, self._playbooks.current()).time_zone
            if not _can_be_asked(incident, meeting):
                return None
            before = meeting if meeting and meeting.state is MeetingState.SCHEDULED else None
            return meeting_modal(
                number,
                before,
                meeting_facts(before) if before else None,
                proposals(since=incident.closed_at or now, now=now, zone=zone),
                request.words,
                zone=zone,
                owner=incident.commander or sender.person,
                channel=sender.channel,
            )

        modal = await self._store.look(look)
        if modal is None:
            await self._act(request, Verb.SCHEDULE_POST_MORTEM, number, owner=sender.person)
        return modal

    async def schedule(self, request: Request) -> dict[str, str] | None:
        there, (number, seen), fields = from_modal(request)
        words, chosen = request.words, _chosen(fields)
        wrong = self._wrong(chosen, fields, words)
        if wrong or chosen is None:
            return wrong
        verb = Verb.MOVE_POST_MORTEM if seen else Verb.SCHEDULE_POST_MORTEM
        plan = {
            "seen": seen,
            "starts_at": chosen.isoformat(),
            "minutes": fields.chosen(ActionId.POST_MORTEM_MINUTES) or str(LENGTHS[0]),
            "place": fields.text(ActionId.POST_MORTEM_PLACE, limit=LONGEST_PLACE),
            "owner": fields.person(ActionId.POST_MORTEM_OWNER) or "",
        }
        await self._act(there, verb, IncidentNumber(int(number)), **plan)
        return None

    def _wrong(self, chosen: datetime | None, fields: Fields, words: Words) -> dict[str, str] | None:
        own = fields.moment(ActionId.POST_MORTEM_AT)
        where = ActionId.POST_MORTEM_AT if own else ActionId.POST_MORTEM_PROPOSED
        if chosen is None:
            return {where: words.plain("Choose when.")}
        why = not_then(chosen, now=self._clock())
        if why is NotThen.PAST:
            return {where: words.plain("That has passed. Choose a later time.")}
        if why is NotThen.FAR:
            return {where: words.plain("That is more than a year away. Choose an earlier day.")}
        if not fields.person(ActionId.POST_MORTEM_OWNER):
            return {ActionId.POST_MORTEM_OWNER: words.plain("Choose somebody.")}
        return None

    async def hold(self, request: Request, action: Mapping[str, Any]) -> None:
        number, seen = _pressed(action)
        await self._act(request, Verb.HOLD_POST_MORTEM, number, seen=seen)

    async def ask_why(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        number, seen = _pressed(action)
        return call_off_modal(number, seen, request.words, channel=request.sender.channel)

    async def call_off(self, request: Request) -> dict[str, str] | None:
        there, (number, seen), fields = from_modal(request)
        why = fields.text(ActionId.POST_MORTEM_WHY, limit=LONGEST_WHY)
        if not why:
            words = request.words
            return {ActionId.POST_MORTEM_WHY: words.plain("Write a reason; it stands in the timeline.")}
        verb, incident = Verb.CALL_OFF_POST_MORTEM, IncidentNumber(int(number))
        await self._act(there, verb, incident, seen=seen, why=why)
        return None

    async def _act(self, request: Request, verb: Verb, number: IncidentNumber, **words: str) -> None:
        act = act_of(request, verb, number, **words)
        await accept_act(act, store=self._store, clock=self._clock)


def _can_be_asked(incident: Incident, meeting: PostMortem | None) -> bool:
    """False once it was held, and where another incident's meeting is about this one as well."""
    if meeting is not None and meeting.state is MeetingState.SCHEDULED:
        return True
    return incident.merged_into is None and (meeting is None or meeting.state is not MeetingState.HELD)


def _pressed(action: Mapping[str, Any]) -> tuple[IncidentNumber, str]:
    """Return the incident that a button is about, and which sequence of its meeting was shown."""
    number, _, seen = action["value"].partition(":")
    return IncidentNumber(int(number)), seen


def _chosen(fields: Fields) -> datetime | None:
    """Return when: the time of one's own where it is filled in, else what was proposed."""
    own = fields.moment(ActionId.POST_MORTEM_AT)
    proposed = fields.chosen(ActionId.POST_MORTEM_PROPOSED)
    return own or (datetime.fromisoformat(proposed) if proposed else None)
