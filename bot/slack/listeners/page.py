"""Calling people: the command, the board's button, and the buttons of a page."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from bot.domain.acts import Verb
from bot.domain.ids import IncidentNumber, incident_in, incident_label
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.slack.commands import first_word
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import from_modal
from bot.slack.listeners.table import Request, Table
from bot.slack.text import Words, clean
from bot.slack.views.modals import LONGEST_WHY
from bot.slack.views.page_modals import cant_modal, page_modal
from bot.usecases.act import accept_act
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Clock, Playbooks, Store, Transaction


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""

    async def command(request: Request, incident: Incident, rest: str) -> str | dict[str, Any]:
        playbook = await _playbook_of(incident)
        if not rest.strip():
            return page_modal(incident, playbook, request.words, channel=request.sender.channel)
        contact, reason = read_contact(rest, playbook)
        if contact is None:
            return _unknown(rest, incident, playbook, request.words)
        await _page(request, incident.number, contact, reason)
        return request.words.say(
            "Calling for {label} …", label=request.words.bold(incident_label(incident.number))
        )

    async def _playbook_of(incident: Incident) -> Playbook:
        current = playbooks.current()
        return await store.look(lambda tx: playbook_of(tx, incident, current))

    async def _page(request: Request, number: IncidentNumber, contact: str, reason: str) -> None:
        cleaned = clean(reason, limit=LONGEST_WHY)
        act = act_of(request, Verb.PAGE, number, contact=contact, reason=cleaned)
        await accept_act(act, store=store, clock=clock)

    async def open_modal(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        number, current = IncidentNumber(int(action["value"])), playbooks.current()

        def read(tx: Transaction) -> tuple[Incident, Playbook]:
            incident = tx.incident(number)
            return incident, playbook_of(tx, incident, current)

        incident, playbook = await store.look(read)
        return page_modal(incident, playbook, request.words, channel=request.sender.channel)

    async def call(request: Request) -> dict[str, str] | None:
        there, (number,), fields = from_modal(request)
        contact = fields.chosen(ActionId.PAGE_CONTACT)
        if contact is None:
            return {ActionId.PAGE_CONTACT: request.words.plain("Choose somebody.")}
        reason = fields.text(ActionId.PAGE_REASON, limit=LONGEST_WHY)
        await _page(there, IncidentNumber(int(number)), contact, reason)
        return None

    async def _answer(request: Request, verb: Verb, page: str, **words: str) -> None:
        act = act_of(request, verb, incident_in(page), page=page, **words)
        await accept_act(act, store=store, clock=clock)

    async def take(request: Request, action: Mapping[str, Any]) -> None:
        await _answer(request, Verb.ANSWER_PAGE, action["value"])

    async def no_answer(request: Request, action: Mapping[str, Any]) -> None:
        await _answer(request, Verb.NO_ANSWER, action["value"])

    async def ask_why(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        return cant_modal(action["value"], request.words, channel=request.sender.channel)

    async def decline(request: Request) -> None:
        there, (page,), fields = from_modal(request)
        why = fields.text(ActionId.PAGE_WHY, limit=LONGEST_WHY)
        await _answer(there, Verb.DECLINE_PAGE, page, why=why)

    table.incident_verbs["page"] = command
    table.presses[ActionId.PAGE] = open_modal
    table.submissions[CallbackId.PAGE] = call
    table.presses[ActionId.PAGE_TAKE] = take
    table.presses[ActionId.PAGE_NO_ANSWER] = no_answer
    table.presses[ActionId.PAGE_CANT] = ask_why
    table.submissions[CallbackId.PAGE_CANT] = decline


def read_contact(text: str, playbook: Playbook) -> tuple[str | None, str]:
    """Return which contact a line begins with (a key, a name, a role or an @mention), and the rest.

    The longest one counts, so that "Backend engineer" is not taken for somebody called Backend.
    """
    meant = text.strip().removeprefix("@")
    names: dict[str, str] = {}
    for key, contact in playbook.contacts.items():
        for name in (key, contact.name, contact.role.en, contact.role.ko, contact.user or ""):
            names.setdefault(name.lower(), key)
    for name in sorted(filter(None, names), key=len, reverse=True):
        rest = meant[len(name) :]
        if meant.lower().startswith(name) and (not rest or not (rest[0].isalnum() or rest[0] in "_-")):
            return names[name], rest.strip().removeprefix(":").strip()
    return None, text


def _unknown(text: str, incident: Incident, playbook: Playbook, words: Words) -> str:
    first, _ = first_word(text)
    known = list(playbook.contacts)
    near = get_close_matches(first.lower(), known, n=1, cutoff=0.3) or known[:1]
    return words.say(
        ":x: The playbook has no contact {word}, so nobody was called. Did you mean {nearest}? "
        "There are: {known}.",
        word=words.code(clean(first, limit=60)),
        nearest=words.code(f"/incident page {incident.number} {near[0] if near else ''}".strip()),
        known=", ".join(known) or "–",
    )
