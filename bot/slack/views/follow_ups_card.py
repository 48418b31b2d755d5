"""An incident's follow-ups: who does what until when, with buttons, in the channel and for one reader."""

from collections.abc import Sequence

from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.playbook import Playbook
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.contact_words import contact_name
from bot.slack.views.parts import SECTION_LIMIT, Block, actions, button, context, fit, header, section
from bot.slack.views.rollback_message import Message

#: As much of a title as a card shows; an escaped character may take five.
TITLE_SHOWN = 300
#: As much of what people wrote as a card shows; the incident's thread holds all of it.
WHY_SHOWN = 200
_MARKS = {
    FollowUpState.OPEN: ":white_large_square:",
    FollowUpState.DONE: ":white_check_mark:",
    FollowUpState.DROPPED: ":heavy_minus_sign:",
}


def follow_ups_card(
    number: IncidentNumber,
    shown: Sequence[FollowUp],
    playbook: Playbook,
    words: Words,
    *,
    page: int = 1,
    pages: int = 1,
) -> Message:
    """Render one card of an incident's follow-ups; `page` of `pages`."""
    title = words.plain("{label} · follow-ups", label=incident_label(number))
    if pages > 1:
        title = words.plain("{title} ({page} of {pages})", title=title, page=page, pages=pages)
    left = sum(follow_up.state is FollowUpState.OPEN for follow_up in shown)
    blocks: list[Block] = [header(title)]
    for follow_up in shown:
        blocks.append(section(follow_up_line(follow_up, playbook, words)))
        blocks.append(follow_up_buttons(follow_up, words))
    if not shown:
        blocks.append(section(words.say("There are no follow-ups yet: they come with the scenario.")))
    else:
        blocks.append(context(_standing(left, words)))
    return Message(text=title, blocks=blocks)


def _standing(left: int, words: Words) -> Markup:
    if not left:
        return words.say("Everything here is done or dropped.")
    return words.say("Still open here: {count}. They stay after the incident is closed.", count=left)


def follow_up_line(follow_up: FollowUp, playbook: Playbook, words: Words) -> Markup:
    """Return one follow-up with who has it, when it is due, and how it ended."""
    title = fit(follow_up.title_in(words.locale), TITLE_SHOWN)
    lines: list[Markup] = [Markup(f"{_MARKS[follow_up.state]} {words.bold(title)}")]
    if follow_up.state is FollowUpState.OPEN:
        lines.append(_open_line(follow_up, playbook, words))
    else:
        lines.append(ended_line(follow_up, words))
    if follow_up.postpones_deployment and follow_up.state is FollowUpState.OPEN:
        lines.append(
            words.say(":no_entry: The next deployment is postponed until this is done; it blocks nothing.")
        )
    return Markup("\n".join(lines))


def _open_line(follow_up: FollowUp, playbook: Playbook, words: Words) -> Markup:
    text = words.say(
        "{who} · due {due}", who=owner_name(follow_up, playbook, words), due=words.moment(follow_up.due_at)
    )
    if not follow_up.why:
        return text
    return words.say("{text} · {reason}", text=text, reason=fit(follow_up.why, WHY_SHOWN))


def owner_name(follow_up: FollowUp, playbook: Playbook, words: Words) -> Markup:
    """Return who has it, else whose part it is, else that nobody has it yet."""
    if follow_up.owner is not None:
        return words.person(follow_up.owner)
    contact = playbook.contacts.get(follow_up.owner_role or "")
    if contact is not None:
        return words.say("nobody yet, meant for {name}", name=contact_name(contact, words))
    return words.say("nobody yet")


def ended_line(follow_up: FollowUp, words: Words) -> Markup:
    """Return how a follow-up ended, by whom and why."""
    if follow_up.scenario_changed:
        return words.say("Left out: the incident has another scenario now")
    who = words.person(follow_up.by) if follow_up.by else words.say("Backout")
    at = words.moment(follow_up.ended_at or follow_up.due_at)
    if follow_up.state is FollowUpState.DONE:
        text = words.say("Done by {who}, {at}", who=who, at=at)
    else:
        text = words.say("Dropped by {who}, {at}", who=who, at=at)
    return (
        words.say("{text}: {reason}", text=text, reason=fit(follow_up.why, WHY_SHOWN))
        if follow_up.why
        else text
    )


def follow_up_buttons(follow_up: FollowUp, words: Words) -> Block:
    """Return what can be done with a follow-up as it stands."""
    return {**actions(*_buttons(follow_up, words)), "block_id": f"follow_up:{follow_up.id}"}


def _buttons(follow_up: FollowUp, words: Words) -> list[Block]:
    id = follow_up.id
    if follow_up.state is not FollowUpState.OPEN:
        return [button(words.plain("Open again"), action=ActionId.FOLLOW_UP_REOPEN, value=id)]
    return [
        button(words.plain("Done"), action=ActionId.FOLLOW_UP_DONE, value=id, style="primary"),
        button(words.plain("I'll do it"), action=ActionId.FOLLOW_UP_TAKE, value=id),
        button(words.plain("Give to…"), action=ActionId.FOLLOW_UP_ASSIGN, value=id),
        button(words.plain("Move the date…"), action=ActionId.FOLLOW_UP_MOVE, value=id),
        button(words.plain("Drop…"), action=ActionId.FOLLOW_UP_DROP, value=id),
    ]


def follow_up_due_message(follow_up: FollowUp, playbook: Playbook, words: Words) -> Message:
    """Bring one follow-up up in the channel, with its buttons."""
    label = incident_label(follow_up.incident)
    if follow_up.state is not FollowUpState.OPEN:
        text = words.say("{label}: {line}", label=label, line=follow_up_line(follow_up, playbook, words))
        return Message(text=fit(text, SECTION_LIMIT), blocks=[section(text)])
    text = words.say(
        ":calendar: A follow-up of {label} is due: {line}",
        label=words.bold(label),
        line=follow_up_line(follow_up, playbook, words),
    )
    return Message(text=fit(text, SECTION_LIMIT), blocks=[section(text), follow_up_buttons(follow_up, words)])
