"""What the contacts of the playbook are called, and how those in Slack are rung."""

from collections.abc import Mapping
from typing import Any

from bot.domain.guide import Contact
from bot.domain.paging import Reach, reach
from bot.slack.text import Markup, Words


def contact_name(contact: Contact, words: Words) -> Markup:
    """Return role and name, ringing nobody: "Backend engineer (Gitco)"."""
    return _named(contact.role.in_(words.locale), contact.name, words)


def contact_told(facts: Mapping[str, Any], words: Words) -> Markup:
    """Return role and name as they were written down; see `bot.usecases.send_page.contact_facts`."""
    written = facts["role"]
    role = written.get(words.locale) or written.get("en") or "" if isinstance(written, Mapping) else written
    return _named(str(role), str(facts.get("name") or ""), words)


def _named(role: str, name: str, words: Words) -> Markup:
    return Markup(f"{words.safe(role)} ({words.safe(name)})") if name else words.safe(role)


def ringing(contact: Contact) -> Markup:
    """Return what rings a contact in Slack; only ids that the playbook's check has passed get here."""
    if contact.user:
        return Markup(f"<@{contact.user}> ")
    return Markup(f"<!subteam^{contact.group}> ") if contact.group else Markup("")


def how_reached(contact: Contact, words: Words) -> str:
    """Return in a few plain words how a contact is reached."""
    way = reach(contact)
    if way is Reach.NOBODY_THERE:
        return words.plain("nobody is entered; the next one is called")
    if way is Reach.TELEPHONE:
        return words.plain("by telephone, {phone}", phone=contact.phone)
    if contact.channel and contact.channel.startswith("#"):
        return contact.channel
    return words.plain("in Slack")
