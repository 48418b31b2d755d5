"""The modals of paging: whom to call and why, and why somebody can't come."""

from typing import Any

from bot.domain.guide import Contact
from bot.domain.ids import incident_in, incident_label
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Markup, Words
from bot.slack.views.contact_words import contact_name, how_reached
from bot.slack.views.modals import LONGEST_WHY, choice, long_text, modal
from bot.slack.views.parts import Block, context, section

#: As many contacts as a drop-down offers.
MOST_CONTACTS = 100
#: Lines about contacts in one block.
LINES_A_BLOCK = 10


def page_modal(incident: Incident, playbook: Playbook, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask whom to call, with who they are, how fast they answer and how they are reached."""
    contacts = dict(list(playbook.contacts.items())[:MOST_CONTACTS])
    nobody = section(words.say("The playbook names no contacts. Add them under `contacts`."))
    return modal(
        callback=CallbackId.PAGE,
        title=words.plain("Call for {label}", label=incident_label(incident.number)),
        blocks=[_whom(contacts, words), *_lines(contacts, words), _reason(words)] if contacts else [nobody],
        memory=remember(channel, str(incident.number)),
        words=words,
        submit=words.plain("Call") if contacts else None,
    )


def _whom(contacts: dict[str, Contact], words: Words) -> Block:
    names = {key: _plain_name(contact, words) for key, contact in contacts.items()}
    return choice(ActionId.PAGE_CONTACT, words.plain("Whom?"), names, initial=None, words=words)


def _plain_name(contact: Contact, words: Words) -> str:
    return f"{contact.role.in_(words.locale)} ({contact.name or '[TBD]'})"


def _lines(contacts: dict[str, Contact], words: Words) -> list[Block]:
    """Say of each contact within how many minutes they answer, where, and who is next."""
    lines = [_line(contact, contacts, words) for contact in contacts.values()]
    firsts = range(0, len(lines), LINES_A_BLOCK)
    return [context("\n".join(lines[first : first + LINES_A_BLOCK])) for first in firsts]


def _line(contact: Contact, contacts: dict[str, Contact], words: Words) -> Markup:
    following = contacts.get(contact.then or "")
    text = words.say(
        "• {name}: within {minutes:g} min, {how}",
        name=contact_name(contact, words),
        minutes=contact.within_minutes,
        how=how_reached(contact, words),
    )
    if following is None:
        return text
    return words.say("{text}; then {name}", text=text, name=following.role.in_(words.locale))


def _reason(words: Words) -> Block:
    label = words.plain("Why? What do you need?")
    return long_text(ActionId.PAGE_REASON, label, optional=True, limit=LONGEST_WHY)


def cant_modal(page_id: str, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask why somebody can't come; the next in line is called at once."""
    label = incident_label(incident_in(page_id))
    told = words.say("{label}: the next in line is called at once.", label=words.bold(label))
    asked = long_text(ActionId.PAGE_WHY, words.plain("Why?"), optional=True, limit=LONGEST_WHY)
    return modal(
        callback=CallbackId.PAGE_CANT,
        title=words.plain("Can't come"),
        blocks=[asked, section(told)],
        memory=remember(channel, page_id),
        words=words,
        submit=words.plain("Can't come"),
    )
