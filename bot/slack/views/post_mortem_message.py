"""The invitation to a post-mortem, edited in place, and the reminders in its thread."""

from typing import Any

from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Incident
from bot.domain.post_mortem import MeetingState, PostMortem, Reminder
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.announcement import text_blocks
from bot.slack.views.parts import Block, actions, button, confirm, context, fields, header, section
from bot.slack.views.post_mortem_words import none_set_text, place_name, readers_time, when, zone_time
from bot.slack.views.rollback_message import Message


def invitation(meeting: PostMortem, facts: dict[str, Any], text: str, words: Words) -> Message:
    """Render the invitation.

    Args:
        facts: the meeting's, as the timeline keeps them.
        text: the playbook's notice, filled in; raw, empty where it could not be.
    """
    label = incident_label(meeting.incident)
    title = _title(meeting, label, words)
    blocks: list[Block] = [header(title), fields(_fields(meeting, facts, words))]
    if meeting.state is MeetingState.SCHEDULED:
        blocks += text_blocks(text)
        blocks.append(
            context(words.say("The calendar's file and the document to fill in are in this thread."))
        )
    ended = _ended(meeting, words)
    if ended is not None:
        blocks.append(section(ended))
    blocks += meeting_buttons(meeting, words)
    return Message(text=words.safe(title), blocks=blocks)


def _title(meeting: PostMortem, label: str, words: Words) -> str:
    if meeting.state is MeetingState.HELD:
        return words.plain("{label} · post-mortem: held", label=label)
    if meeting.state is MeetingState.CALLED_OFF:
        return words.plain("{label} · post-mortem: called off", label=label)
    return words.plain("{label} · post-mortem", label=label)


def _fields(meeting: PostMortem, facts: dict[str, Any], words: Words) -> list[str]:
    planned = zone_time(meeting.starts_at, meeting.minutes, meeting.zone, words)
    return [
        words.say("*When*\n{yours}\n{planned}", yours=readers_time(meeting.starts_at), planned=planned),
        words.say("*Where*\n{place}", place=place_name(meeting.place, words)),
        words.say("*Sees to it*\n{who}", who=words.person(meeting.owner)),
    ]


def _ended(meeting: PostMortem, words: Words) -> Markup | None:
    by = words.person(meeting.by) if meeting.by else words.say("Backout")
    if meeting.state is MeetingState.HELD:
        return words.say(
            ":white_check_mark: Held, says {who}. What came of it belongs into the follow-ups: {command}.",
            who=by,
            command=words.code(f"/incident followups {meeting.incident}"),
        )
    if meeting.state is MeetingState.CALLED_OFF and meeting.by is None:
        return words.say(
            ":heavy_minus_sign: Called off: the incident was joined to another, whose post-mortem is about "
            "both."
        )
    if meeting.state is MeetingState.CALLED_OFF:
        return words.say(":heavy_minus_sign: Called off by {who}: {why}", who=by, why=meeting.why)
    return None


def meeting_buttons(meeting: PostMortem, words: Words) -> list[Block]:
    """Return what can be done with a meeting as it stands; nothing once it was held."""
    if meeting.state is MeetingState.HELD:
        return []
    if meeting.state is MeetingState.CALLED_OFF:
        return [schedule_button(meeting.incident, words)]
    value = f"{meeting.incident}:{meeting.sequence}"
    sure = confirm(
        title=words.plain("Was it held?"),
        text=words.say("Then nobody is reminded of it any more."),
        yes=words.plain("It was held"),
        no=words.plain("Not yet"),
    )
    held = button(
        words.plain("It was held"),
        action=ActionId.POST_MORTEM_HELD,
        value=value,
        style="primary",
        confirm=sure,
    )
    move = button(words.plain("Move…"), action=ActionId.POST_MORTEM_MOVE, value=value)
    off = button(words.plain("Call off…"), action=ActionId.POST_MORTEM_CALL_OFF, value=value)
    return [actions(held, move, off)]


def schedule_button(number: IncidentNumber, words: Words) -> Block:
    """Return the row with the button that schedules an incident's post-mortem."""
    return actions(schedule_press(number, words))


def schedule_press(number: IncidentNumber, words: Words) -> Block:
    """Return that button by itself, for a row with others."""
    text = words.plain("Schedule the post-mortem")
    return button(text, action=ActionId.SCHEDULE_POST_MORTEM, value=str(number))


def reminder_message(
    reminder: Reminder, incident: Incident, meeting: PostMortem | None, facts: dict[str, Any], words: Words
) -> Message:
    """Render a reminder for everybody; one that is overtaken says how the meeting stands."""
    number = incident.number
    if meeting is None or reminder is Reminder.NONE_SET:
        text = none_set_text(number, incident.severity, words)
        return Message(text=text, blocks=[section(text), schedule_button(number, words)])
    label = words.bold(incident_label(number))
    if reminder is Reminder.SOON:
        text = words.say(
            ":bell: {owner}, the post-mortem of {label} begins soon: {when}. Place: {place}",
            owner=words.person(meeting.owner),
            label=label,
            when=words.bold(when(facts, words)),
            place=place_name(meeting.place, words),
        )
        return Message(text=text, blocks=[section(text)])
    text = words.say(
        ":grey_question: Nobody says whether the post-mortem of {label} was held ({when}); {owner} was asked "
        "and has not answered. Say what became of it, move it, or call it off.",
        label=label,
        when=when(facts, words),
        owner=words.person(meeting.owner),
    )
    return Message(text=text, blocks=[section(text), *meeting_buttons(meeting, words)])
