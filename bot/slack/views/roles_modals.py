"""Who has which part in an incident: handing over command, and taking the contacts' parts."""

from typing import Any

from bot.domain.ids import PersonId, incident_label
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Markup, Words
from bot.slack.views.modals import modal
from bot.slack.views.parts import Block, option, plain, question, section


def hand_over_modal(incident: Incident, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask to whom command goes."""
    label = words.bold(incident_label(incident.number))
    if incident.commander is None:
        stands = words.say("Nobody has command of {label} yet.", label=label)
    else:
        stands = words.say("{who} has command of {label}.", who=words.person(incident.commander), label=label)
    element: Block = {"type": "users_select", "action_id": ActionId.HAND_OVER_TO}
    return modal(
        callback=CallbackId.HAND_OVER,
        title=words.plain("Hand over command"),
        blocks=[
            section(stands),
            question(
                label=words.plain("To whom?"), element=element, block=ActionId.HAND_OVER_TO, optional=False
            ),
        ],
        memory=remember(channel, str(incident.number), incident.commander or ""),
        words=words,
        submit=words.plain("Hand over"),
    )


def roles_modal(
    incident: Incident, playbook: Playbook, words: Words, *, person: PersonId, channel: str
) -> dict[str, Any]:
    """Show who has which part, and ask which of them this person has."""
    mine = [key for key, holder in incident.roles.items() if holder == person and key in playbook.contacts]
    return modal(
        callback=CallbackId.ROLES,
        title=words.plain("Parts in {label}", label=incident_label(incident.number)),
        blocks=[section(roles_lines(incident, playbook, words)), *_mine(playbook, mine, words)],
        memory=remember(channel, str(incident.number), ",".join(mine)),
        words=words,
        submit=words.plain("Save") if playbook.contacts else None,
    )


def _mine(playbook: Playbook, mine: list[str], words: Words) -> list[Block]:
    if not playbook.contacts:
        return []
    options = {key: option(contact.role.in_(words.locale), key) for key, contact in playbook.contacts.items()}
    element: Block = {
        "type": "multi_static_select",
        "action_id": ActionId.MY_ROLES,
        "placeholder": plain(words.plain("None"), limit=150),
        "options": list(options.values())[:100],
    }
    if mine:
        element["initial_options"] = [options[key] for key in mine]
    hint = words.plain("Take a part, or give one up. Who had it before is told.")
    return [question(label=words.plain("Your parts"), element=element, block=ActionId.MY_ROLES, hint=hint)]


def roles_lines(incident: Incident, playbook: Playbook, words: Words) -> Markup:
    """Return who has which part, a line each."""
    lines = [
        words.say("{role}: {who}", role=contact.role.in_(words.locale), who=_holder(incident, key, words))
        for key, contact in playbook.contacts.items()
    ]
    return Markup("\n".join(lines)) or words.say("The playbook names no contacts.")


def _holder(incident: Incident, key: str, words: Words) -> Markup:
    holder = incident.roles.get(key)
    return words.person(holder) if holder else words.say("nobody yet")
