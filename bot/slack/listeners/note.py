"""Adding to a timeline: a line by command or modal, a message by its menu or by a reaction, a correction."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from bot.domain.acts import Verb
from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.incident import Incident
from bot.domain.when import looks_like_a_time, read_when
from bot.slack.commands import first_word
from bot.slack.ids import NOTE_REACTION, ActionId, CallbackId, ShortcutId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import from_modal
from bot.slack.listeners.table import Request, Table
from bot.slack.text import Words, clean
from bot.slack.views.modals import LONGEST_INPUT
from bot.slack.views.note_modals import note_modal
from bot.slack.written import LONGEST_MESSAGE, message_of
from bot.usecases.act import accept_act
from bot.usecases.add_message import accept_message
from bot.usecases.ports import Clock, Playbooks, Store, Transaction, Written

#: Returns somebody's time zone (an IANA name) as Slack last told it, None when it never did.
ZoneOf = Callable[[str], Awaitable[str | None]]


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock, zone_of: ZoneOf) -> None:
    """Add them to the table."""
    answers = _Notes(store=store, playbooks=playbooks, clock=clock, zone_of=zone_of)
    table.incident_verbs["note"] = answers.note
    table.presses[ActionId.WRITE_NOTE] = answers.open_note
    table.presses[ActionId.WHICH_INCIDENT] = answers.add_to_chosen
    table.submissions[CallbackId.NOTE] = answers.save_note
    table.submissions[CallbackId.CORRECT] = answers.correct
    table.shortcuts[ShortcutId.ADD_TO_TIMELINE] = answers.add_from_menu
    table.events["reaction_added"] = answers.add_by_reaction


class _Notes:
    """What is answered to whoever adds to a timeline."""

    def __init__(self, *, store: Store, playbooks: Playbooks, clock: Clock, zone_of: ZoneOf) -> None:
        self._store = store
        self._playbooks = playbooks
        self._clock = clock
        self._zone_of = zone_of

    async def note(self, request: Request, incident: Incident, rest: str) -> str | dict[str, Any]:
        words = request.words
        if not rest:
            return note_modal(incident, words, channel=request.sender.channel)
        first, text = first_word(rest)
        when = None
        if looks_like_a_time(first):
            when = await self._when(request.sender.person, first)
            if when is None:
                return _no_time(first, words)
            if not text:
                return words.say(":x: Write what happened, too: {line}", line=words.code(f"{first} …"))
        else:
            text = rest
        await self._note(request, incident.number, text, when)
        return words.say("Adding it to the timeline …")

    async def _when(self, person: PersonId, written: str) -> datetime | None:
        zone = await self._zone_of(person) or self._playbooks.current().time_zone
        return read_when(written, zone=zone, now=self._clock())

    async def _note(self, request: Request, number: IncidentNumber, text: str, when: datetime | None) -> None:
        written = clean(text, limit=LONGEST_MESSAGE)
        happened_at = when.isoformat() if when else ""
        act = act_of(request, Verb.NOTE, number, text=written, happened_at=happened_at)
        await accept_act(act, store=self._store, clock=self._clock)

    async def open_note(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        number = IncidentNumber(int(action["value"]))
        incident = await self._store.look(lambda tx: tx.incident(number))
        return note_modal(incident, request.words, channel=request.sender.channel)

    async def save_note(self, request: Request) -> Mapping[str, Any] | None:
        there, (number,), fields = from_modal(request)
        text = fields.text(ActionId.NOTE_TEXT, limit=LONGEST_INPUT)
        written = fields.text(ActionId.NOTE_WHEN, limit=20)
        when = await self._when(request.sender.person, written) if written else None
        if not text:
            return {ActionId.NOTE_TEXT: request.words.plain("Write what happened.")}
        if written and when is None:
            return {ActionId.NOTE_WHEN: request.words.plain("Write it as 14:05, or as -10m.")}
        await self._note(there, IncidentNumber(int(number)), text, when)
        return None

    async def correct(self, request: Request) -> Mapping[str, Any] | None:
        there, (number, line), fields = from_modal(request)
        text = fields.text(ActionId.CORRECT_TEXT, limit=LONGEST_INPUT)
        if not text:
            return {ActionId.CORRECT_TEXT: request.words.plain("Write what is right.")}
        act = act_of(there, Verb.CORRECT, IncidentNumber(int(number)), line=line, text=text)
        await accept_act(act, store=self._store, clock=self._clock)
        return None

    async def add_from_menu(self, request: Request) -> None:
        await self._add(request, written=message_of(request.body))

    async def add_by_reaction(self, request: Request, event: Mapping[str, Any]) -> None:
        item = event["item"]
        if event["reaction"] == NOTE_REACTION and item.get("type") == "message":
            await self._add(request, channel=ChannelId(item["channel"]), ts=item["ts"])

    async def add_to_chosen(self, request: Request, action: Mapping[str, Any]) -> None:
        _, channel, ts = action["block_id"].split(":")
        number = IncidentNumber(int(action["selected_option"]["value"]))
        await self._add(request, channel=ChannelId(channel), ts=ts, incident=number)

    async def _add(
        self,
        request: Request,
        *,
        written: Written | None = None,
        channel: ChannelId | None = None,
        ts: str = "",
        incident: IncidentNumber | None = None,
    ) -> None:
        now, sender = self._clock(), request.sender

        def remember(tx: Transaction) -> None:
            if tx.first_time(request.key, at=now):
                accept_message(
                    tx,
                    request.key,
                    channel=written.channel if written else channel or sender.channel,
                    ts=written.ts if written else ts,
                    person=sender.person,
                    acting_team=sender.team,
                    incident=incident,
                    written=written,
                )

        await self._store.change(remember)


def _no_time(written: str, words: Words) -> str:
    return words.say(
        ":x: {written} is no time. Write {clock} for today by your own clock, or {ago} for ten minutes ago. "
        "Nothing was added.",
        written=words.code(written),
        clock=words.code("14:05"),
        ago=words.code("-10m"),
    )
