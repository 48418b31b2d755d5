"""One page to one contact, and what is said when nobody is left to call."""

from collections.abc import Sequence

from bot.domain.guide import Contact
from bot.domain.ids import incident_label
from bot.domain.incident import Incident, IncidentState
from bot.domain.paging import Page, PageState, Reach, next_contact, reach
from bot.domain.playbook import Playbook
from bot.domain.timeline import BACKOUT
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.contact_words import contact_name, ringing
from bot.slack.views.incident_words import failure_name, severity_name
from bot.slack.views.parts import SECTION_LIMIT, Block, actions, button, context, fields, fit, header, section
from bot.slack.views.rollback_message import Message

#: As much of what people wrote as a page shows; the incident's thread holds all of it.
REASON_SHOWN = 1500
#: A section for each contact that was tried; an escalation calls nobody twice.
MOST_TRIED = 40


def page_message(
    page: Page,
    line: Sequence[Page],
    incident: Incident,
    playbook: Playbook,
    words: Words,
    *,
    board: str | None = None,
) -> Message:
    """Render a page as it stands. `line` are the escalation's pages; `board` is the address of the board."""
    contact = playbook.contacts[page.contact]
    title = _title(page, incident, contact, words)
    blocks = [
        header(title),
        section(_call(page, contact, incident, words)),
        *_about(page, incident, playbook, words),
    ]
    blocks.append(context(*_small_print(page, line, incident, playbook, words, board=board)))
    if incident.state is IncidentState.OPEN:
        blocks += _buttons(page, contact, words)
    call = _call(page, contact, incident, words)
    return Message(text=fit(f"{words.safe(title)}: {call}", SECTION_LIMIT), blocks=blocks)


def _title(page: Page, incident: Incident, contact: Contact, words: Words) -> str:
    label = incident_label(incident.number)
    if page.state is not PageState.WAITING:
        return words.plain("{label} · {target} · call", label=label, target=incident.target)
    if reach(contact) is Reach.TELEPHONE:
        return words.plain(
            ":telephone_receiver: {label} · {target}: call {name}",
            label=label,
            target=incident.target,
            name=contact.name,
        )
    return words.plain(":pager: {label} · {target}: you are needed", label=label, target=incident.target)


def _call(page: Page, contact: Contact, incident: Incident, words: Words) -> Markup:
    if page.state is PageState.WAITING:
        return _waiting(page, contact, incident, words)
    name = contact_name(contact, words)
    if page.state is PageState.ANSWERED or page.late:
        return _answered(page, contact, name, words)
    if page.state is PageState.DECLINED:
        text = words.say(":no_entry_sign: {name} can't", name=name)
        return (
            words.say("{text}: {reason}", text=text, reason=fit(page.why, REASON_SHOWN)) if page.why else text
        )
    if page.state is PageState.CALLED_OFF:
        return words.say(":white_circle: {name}: called off, no answer is needed any more", name=name)
    return words.say(
        ":hourglass: {name}: nobody answered within {within}",
        name=name,
        within=words.duration(page.due_at - page.created_at),
    )


def _waiting(page: Page, contact: Contact, incident: Incident, words: Words) -> Markup:
    due = words.bold(words.clock(page.due_at))
    if reach(contact) is Reach.TELEPHONE:
        return words.say(
            "{caller}: call {name} now, {phone}, and say here by {due} whether they are on it.",
            caller=_who(_in_charge(page, incident), words),
            name=contact_name(contact, words),
            phone=words.code(contact.phone or ""),
            due=due,
        )
    return words.say(
        "{name}: please answer by {due}.",
        name=Markup(f"{ringing(contact)}{contact_name(contact, words)}"),
        due=due,
    )


def _answered(page: Page, contact: Contact, name: Markup, words: Words) -> Markup:
    who = _who(page.answered_by or "", words)
    at = words.clock(page.answered_at or page.due_at)
    if reach(contact) is Reach.TELEPHONE:
        return words.say(
            ":white_check_mark: {name} is on it, called by {who} at {at}", name=name, who=who, at=at
        )
    if page.late:
        return words.say(
            ":white_check_mark: {who} answered for {name} at {at}, after the time was up, and is on it",
            who=who,
            name=name,
            at=at,
        )
    return words.say(":white_check_mark: {who} is on it since {at} ({name})", who=who, at=at, name=name)


def _in_charge(page: Page, incident: Incident) -> str:
    """Who has to see to it while nobody has come: the commander, else whoever asked for the call."""
    return incident.commander or (incident.opened_by if page.asked_by == BACKOUT else page.asked_by)


def _who(id: str, words: Words) -> Markup:
    return words.say("Backout") if id == BACKOUT else words.person(id)


def _about(page: Page, incident: Incident, playbook: Playbook, words: Words) -> list[Block]:
    scenario = playbook.scenario(incident.scenario)
    what = scenario.name.in_(words.locale) if scenario else failure_name(incident.failure_type, words)
    facts = [
        words.say("*What*\n{what}", what=what),
        words.say("*Severity*\n{severity}", severity=severity_name(incident.severity, words)),
        words.say("*Asked by*\n{who}", who=_who(page.asked_by, words)),
        words.say("*Answer by*\n{due}", due=words.clock(page.due_at)),
    ]
    why = page.reason or incident.seen
    told = [section(words.say("*Why*\n{why}", why=fit(why, REASON_SHOWN)))] if why.strip() else []
    return [fields(facts), *told]


def _small_print(
    page: Page,
    line: Sequence[Page],
    incident: Incident,
    playbook: Playbook,
    words: Words,
    *,
    board: str | None,
) -> list[str]:
    label = incident_label(incident.number)
    found: list[str] = []
    following = next((p for p in line if p.attempt == page.attempt + 1), None)
    if page.state is PageState.WAITING:
        found.append(_what_then(page, line, playbook, words))
    elif following is not None:
        name = contact_name(playbook.contacts[following.contact], words)
        found.append(words.say("{name} was called next.", name=name))
    incidents = playbook.channels.incidents
    planned = playbook.contacts[page.contact].channel
    if planned and planned != page.channel and page.channel == incidents:
        found.append(
            words.say(
                ":warning: This should be in {channel}, but Slack does not let me post there.",
                channel=planned,
            )
        )
    if board:
        found.append(words.say("Everything about it: {board}", board=Markup(f"<{board}|{label}>")))
    else:
        found.append(words.say("Everything about it: {label} in {channel}", label=label, channel=incidents))
    return found


def _what_then(page: Page, line: Sequence[Page], playbook: Playbook, words: Words) -> Markup:
    turn = next_contact(playbook, page, tried={p.contact for p in line})
    if turn.contact is None:
        return words.say(
            "Without an answer nobody else is called; {channel} is told.", channel=playbook.channels.incidents
        )
    name = contact_name(playbook.contacts[turn.contact], words)
    return words.say("Without an answer {name} is called next.", name=name)


def _buttons(page: Page, contact: Contact, words: Words) -> list[Block]:
    by_phone = reach(contact) is Reach.TELEPHONE
    take = words.plain("I called, they are on it") if by_phone else words.plain("I'm on it")
    taking = button(take, action=ActionId.PAGE_TAKE, value=page.id, style="primary")
    if page.state is PageState.UNANSWERED and not page.late:
        return [actions(taking)]
    if page.state is not PageState.WAITING:
        return []
    if by_phone:
        return [
            actions(taking, button(words.plain("No answer"), action=ActionId.PAGE_NO_ANSWER, value=page.id))
        ]
    return [actions(taking, button(words.plain("Can't…"), action=ActionId.PAGE_CANT, value=page.id))]


def page_end_message(line: Sequence[Page], incident: Incident, playbook: Playbook, words: Words) -> Message:
    """Say that the end of the line was reached, who was tried, and what to do now. `line` in its order."""
    label = incident_label(incident.number)
    came = next((page for page in line if page.answered_by is not None), None)
    title = (
        words.plain("{label} · {target}: somebody came late", label=label, target=incident.target)
        if came
        else words.plain(
            ":rotating_light: {label} · {target}: nobody answered", label=label, target=incident.target
        )
    )
    tried = [f"• {_call(p, playbook.contacts[p.contact], incident, words)}" for p in line]
    tried += [_nobody_there(playbook.contacts[key], words) for key in _empty(line, playbook)]
    blocks = [header(title), *(section(told) for told in tried[:MOST_TRIED])]
    if came is None:
        blocks.append(section(_what_to_do(line, incident, playbook, words)))
        again = button(words.plain("Call somebody…"), action=ActionId.PAGE, value=str(incident.number))
        blocks += [actions(again)] if incident.state is IncidentState.OPEN else []
    return Message(text=title, blocks=blocks)


def _empty(line: Sequence[Page], playbook: Playbook) -> tuple[str, ...]:
    last = line[-1]
    return next_contact(playbook, last, tried={p.contact for p in line}).empty


def _nobody_there(contact: Contact, words: Words) -> str:
    return "• " + words.say(
        ":grey_question: {name}: nobody is entered in the playbook ([TBD])", name=contact_name(contact, words)
    )


def _what_to_do(line: Sequence[Page], incident: Incident, playbook: Playbook, words: Words) -> Markup:
    numbers = [
        words.say("{name}: {phone}", name=contact_name(c, words), phone=words.code(c.phone))
        for c in playbook.contacts.values()
        if c.name and c.phone
    ]
    called = words.say(
        "*What to do now* {who}, nobody else is called by itself: call somebody you know, or call again with "
        "{command}.",
        who=_who(_in_charge(line[0], incident), words),
        command=words.code(f"/incident page {incident.number}"),
    )
    if not numbers:
        return words.say("{text} The playbook holds no telephone number.", text=called)
    return words.say(
        "{text}\nTelephone numbers:\n{numbers}", text=called, numbers=Markup("\n".join(numbers[:20]))
    )
