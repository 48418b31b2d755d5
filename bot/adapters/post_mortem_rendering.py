"""A post-mortem as messages and files: reads the stored facts and hands them to a view."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from bot.adapters.calendar_file import calendar_file
from bot.adapters.message_files import File
from bot.adapters.notice_texts import TemplateNotices
from bot.adapters.templates import filled_in
from bot.domain.calendar_entry import CalendarEntry, meeting_uid
from bot.domain.follow_up import FollowUp
from bot.domain.guide import NoticePlan, Short
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from bot.domain.post_mortem import PostMortem, Reminder
from bot.domain.record import Record
from bot.domain.review import found_in_review
from bot.domain.timeline import Entry, Event, incident_chain
from bot.slack.text import MARKDOWN, PLAIN, Words
from bot.slack.views.drill_marks import marked
from bot.slack.views.incident_words import failure_name
from bot.slack.views.post_mortem_document import PostMortemFacts, document_name, document_values
from bot.slack.views.post_mortem_message import (
    invitation,
    meeting_buttons,
    reminder_message,
    schedule_button,
)
from bot.slack.views.post_mortem_words import zone_time
from bot.slack.views.rollback_message import Message
from bot.usecases.draft_notice import notice_facts
from bot.usecases.editions import playbook_of
from bot.usecases.ports import BadTemplate, NoticeTexts, NotKept, Transaction
from bot.usecases.show_post_mortem import meeting_facts, meeting_of

log = structlog.get_logger()

#: The playbook's key of the invitation's text.
NOTICE = "post_mortem"
#: Where the template of the document is, in each language.
DOCUMENT = "post_mortem.md"
#: What a playbook without that notice says.
_USUAL_NOTICE = "post_mortem_invitation.md"


def meeting_message(
    tx: Transaction, subject: str, *, current: Playbook, words: Words, team: Path | None = None
) -> Message:
    """Return the invitation (subject ``12``), or a reminder (``12:soon-0``). Raises `NotKept`.

    `team` is a directory whose templates come before ours.
    """
    number, _, reminder = subject.partition(":")
    incident = tx.incident(IncidentNumber(int(number)))
    meeting = meeting_of(tx, incident.number)
    facts = meeting_facts(meeting) if meeting else {}
    if reminder:
        what = Reminder(reminder.partition("-")[0])
        return reminder_message(what, incident, meeting, facts, words)
    if meeting is None:
        raise NotKept(f"no post-mortem of {incident.number}")
    text = _invitation_text(tx, incident, meeting, current, words, TemplateNotices(team=team))
    return invitation(meeting, facts, text, words)


def _invitation_text(
    tx: Transaction,
    incident: Incident,
    meeting: PostMortem,
    current: Playbook,
    words: Words,
    texts: NoticeTexts,
) -> str:
    """Return the playbook's notice with the meeting's time and place; empty where its template is broken."""
    playbook = playbook_of(tx, incident, current)
    if NOTICE not in playbook.notices:
        playbook = playbook.model_copy(update={"notices": {**playbook.notices, NOTICE: _usual(playbook)}})
    facts = notice_facts(tx, incident, NOTICE, playbook=playbook, at=meeting.created_at)
    try:
        return texts.written(replace(facts, meeting=meeting), words.locale)
    except BadTemplate:
        return ""


def _usual(playbook: Playbook) -> NoticePlan:
    title = Short(en="Post-mortem invitation", ko="Post-Mortem 회의 안내")
    return NoticePlan(title=title, template=_USUAL_NOTICE, channels=(playbook.channels.incidents,))


def with_place(tx: Transaction, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notice's facts with the place of its meeting, as it stands now."""
    meeting = meeting_of(tx, IncidentNumber(int(facts["incident"])))
    return {**facts, "place": meeting.place if meeting else ""}


def with_meeting_buttons(tx: Transaction, told: Message, facts: Mapping[str, Any], words: Words) -> Message:
    """Return a reminder to one person with the buttons of its meeting as it stands now."""
    number = IncidentNumber(int(facts["incident"]))
    meeting = meeting_of(tx, number)
    buttons = meeting_buttons(meeting, words) if meeting else [schedule_button(number, words)]
    return Message(text=told.text, blocks=[*told.blocks, *buttons])


def calendar_of(
    tx: Transaction, number: IncidentNumber, sequence: int, *, current: Playbook, words: Words
) -> File:
    """Return the calendar's file of a meeting's change number `sequence`, as the timeline keeps it.

    Whatever happened since, the same change makes the same file; only the newest has the password of a
    link, which the timeline does not keep. Raises `NotKept`.
    """
    incident, meeting = tx.incident(number), meeting_of(tx, number)
    changed = _change(tx.timeline(incident_chain(number)), sequence)
    entry = _calendar_entry(incident, changed, playbook_of(tx, incident, current), words)
    if meeting is not None and meeting.sequence == sequence:
        entry = replace(entry, place=meeting.place)
    label = incident_label(number)
    return File(
        name=f"{label}-post-mortem-{sequence}.ics",
        title=words.plain("Post-mortem of {label}, for the calendar", label=label),
        content=calendar_file(entry),
        comment=_comment(entry, words, same_time=bool(changed.facts.get("changed"))),
    )


def _comment(entry: CalendarEntry, words: Words, *, same_time: bool) -> str:
    when = zone_time(entry.starts_at, entry.minutes, entry.zone, words)
    if entry.cancelled:
        return words.say("Called off. Opened in a calendar, this file strikes the meeting out there.")
    if same_time:
        return words.say(
            "Still: {when}. Opened in a calendar, this file brings the meeting up to date there.", when=when
        )
    if entry.sequence:
        return words.say("Now: {when}. Opened in a calendar, this file moves the meeting there.", when=when)
    return words.say("For the calendar: {when}.", when=when)


def _change(entries: tuple[Entry, ...], sequence: int) -> Entry:
    made = (Event.POST_MORTEM_SET, Event.POST_MORTEM_CALLED_OFF)
    for entry in entries:
        if entry.event in made and entry.facts["sequence"] == sequence:
            return entry
    raise NotKept(f"no change {sequence} of a post-mortem")


def _calendar_entry(incident: Incident, changed: Entry, playbook: Playbook, words: Words) -> CalendarEntry:
    facts, plain = changed.facts, replace(words, style=PLAIN)
    label = incident_label(incident.number)
    scenario = playbook.scenario(incident.scenario)
    what = scenario.name.in_(words.locale) if scenario else failure_name(incident.failure_type, plain)
    about = plain.plain(
        "Incident {label} on {target}: {what}.", label=label, target=incident.target, what=what
    )
    blameless = plain.plain(
        "We look for causes, not for culprits. The document to fill in is in the invitation's thread in "
        "Slack."
    )
    title = plain.plain("Post-mortem of {label} ({target})", label=label, target=incident.target)
    return CalendarEntry(
        uid=meeting_uid(incident),
        sequence=facts["sequence"],
        changed_at=changed.at,
        starts_at=datetime.fromisoformat(facts["starts_at"]),
        minutes=facts["minutes"],
        zone=facts["zone"],
        title=marked(title, plain) if incident.drill else title,
        description=f"{about}\n{blameless}",
        place=facts["place"],
        cancelled=changed.event is Event.POST_MORTEM_CALLED_OFF,
    )


def document_of(
    tx: Transaction,
    record: Record,
    edition: str,
    *,
    current: Playbook,
    words: Words,
    team: Path | None = None,
) -> File:
    """Return the document to fill in, with everything that is known by now. Raises `NotKept`.

    `team` is a directory whose templates come before ours.
    """
    incident = record.incident
    meeting = meeting_of(tx, incident.number)
    if meeting is None:
        raise NotKept(f"no post-mortem of {incident.number}")
    playbook = playbook_of(tx, incident, current)
    names = {str(person): name for person, name in record.names.items()}
    written = Words(locale=words.locale, style=MARKDOWN, zone=meeting.zone, names=names)
    facts = PostMortemFacts(
        meeting=meeting,
        record=record,
        playbook=playbook,
        found=found_in_review(incident, playbook),
        follow_ups=tx.find(FollowUp, incident=incident.number),
    )
    label = incident_label(incident.number)
    return File(
        name=document_name(meeting, edition),
        title=words.plain("Post-mortem of {label}, to fill in", label=label),
        content=_document(words.locale, document_values(facts, written), team),
        comment=words.say("The document to fill in, as far as it is known by now."),
    )


def _document(locale: str, values: Mapping[str, Any], team: Path | None) -> str:
    """Fill in the team's template, or ours where theirs is broken: whoever meets soon needs a document."""
    try:
        return filled_in(DOCUMENT, locale, values, team=team)
    except BadTemplate as bad:
        if team is None:
            raise
        log.error("template_broken", template=DOCUMENT, why=str(bad))
        return filled_in(DOCUMENT, locale, values)
