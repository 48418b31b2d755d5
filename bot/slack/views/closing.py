"""Closing an incident: what is still open, asked about before; and what the channel is told after."""

from collections.abc import Iterable
from typing import Any

from bot.domain.follow_up import FollowUp
from bot.domain.ids import incident_label
from bot.domain.incident import Incident
from bot.domain.paging import Page
from bot.domain.playbook import Playbook
from bot.domain.record import Record
from bot.domain.still_open import StillOpen
from bot.slack.ids import CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Markup, Words
from bot.slack.views.incident_words import failure_name, outcome_name, severity_name
from bot.slack.views.modals import modal
from bot.slack.views.parts import Block, context, pieces, section
from bot.slack.views.post_mortem_message import schedule_button
from bot.slack.views.rollback_message import Message

#: How many lines of a kind the modal lists; it says how many more there are.
LINES_SHOWN = 25


def closing_modal(
    incident: Incident, left: StillOpen, playbook: Playbook, words: Words, *, channel: str
) -> dict[str, Any]:
    """Show what is still open and ask whether to close all the same; only show where that cannot be."""
    blocks: list[Block] = []
    if left.running:
        blocks.append(
            section(
                words.say(":x: *It stays open*: its rollback or change is still running. Close it after.")
            )
        )
    if left.needed:
        must = words.say(":x: *It stays open until this is done:*")
        blocks += _listed(must, (line.title.in_(words.locale) for line in left.needed), words)
    blocks += _open_lists(left, playbook, words)
    missing = missing_in_record(incident, words)
    blocks += _listed(words.say("*Missing in the record*"), missing, words)
    if not blocks:
        blocks.append(
            section(words.say(":white_check_mark: Everything is done, and the record is complete."))
        )
    if not left.keeps_it_open:
        blocks.append(
            context(
                words.say(
                    "The next rollback of {target} then opens a new incident. Within a day this one can be "
                    "reopened from its board.",
                    target=incident.target,
                )
            )
        )
    return modal(
        callback=CallbackId.CLOSE,
        title=words.plain("Close {label}?", label=incident_label(incident.number)),
        blocks=blocks,
        memory=remember(channel, str(incident.number)),
        words=words,
        submit=None if left.keeps_it_open else words.plain("Close it"),
    )


def _open_lists(left: StillOpen, playbook: Playbook, words: Words) -> list[Block]:
    steps = [line.title.in_(words.locale) for line in left.clock]
    steps += [step.plan.title.in_(words.locale) for step in left.steps]
    return [
        *_listed(words.say("*Open steps*"), steps, words),
        *_listed(
            words.say("*Calls nobody has answered; they are called off*"),
            (_page(page, playbook, words) for page in left.pages),
            words,
        ),
        *_listed(
            words.say("*Open follow-ups; they live on*"),
            (_task(one, words) for one in left.follow_ups),
            words,
        ),
    ]


def _page(page: Page, playbook: Playbook, words: Words) -> str:
    contact = playbook.contacts.get(page.contact)
    return contact.role.in_(words.locale) if contact else page.contact


def _task(follow_up: FollowUp, words: Words) -> str:
    title = follow_up.titles.get(words.locale) or follow_up.titles.get("en", follow_up.key)
    owner = words.person(follow_up.owner) if follow_up.owner else words.say("nobody has it")
    return words.say(
        "{title} ({owner}, due {day})", title=title, owner=owner, day=f"{follow_up.due_at:%Y-%m-%d}"
    )


def _listed(title: Markup, lines: Iterable[str], words: Words) -> list[Block]:
    known = [words.say("• {line}", line=line) for line in lines]
    if not known:
        return []
    shown = known[:LINES_SHOWN]
    if len(known) > LINES_SHOWN:
        shown.append(words.say("… and {count} more", count=len(known) - LINES_SHOWN))
    return [section(piece) for piece in pieces("\n".join([title, *shown]))]


def missing_in_record(incident: Incident, words: Words) -> list[str]:
    """Return what only people know and nobody has filled in yet."""
    people = incident.people
    asked = {
        words.plain("Root cause"): bool(people.cause),
        words.plain("Users affected"): people.users_affected is not None,
        words.plain("Data loss"): people.data_loss is not None,
        words.plain("Service down, minutes"): people.down_minutes is not None,
        words.plain("Improvements: how to prevent it next time"): bool(people.improvements),
    }
    return [name for name, known in asked.items() if not known]


def closed_message(
    record: Record, words: Words, *, follow_ups: int, link: str, offer_meeting: bool = False
) -> Message:
    """Tell the channel that an incident is over; `link` leads to its final record.

    `offer_meeting` is True where no post-mortem is scheduled yet.
    """
    incident, at = record.incident, record.incident.closed_at or record.incident.opened_at
    label = incident_label(incident.number)
    title = words.plain("{label} · {target} is closed", label=label, target=incident.target)
    lines = [
        words.say(
            ":checkered_flag: {title}: {failure}, {severity}, after {took}.",
            title=words.bold(title),
            failure=failure_name(incident.failure_type, words),
            severity=severity_name(incident.severity, words),
            took=words.duration(at - incident.opened_at),
        )
    ]
    if record.outcome is not None:
        lines.append(
            words.say("Rollback: {outcome}.", outcome=words.bold(outcome_name(record.outcome, words)))
        )
    record_name = words.plain("failure record")
    lines.append(words.say("The final record: {link}.", link=words.link(record_name, link)))
    if not record.complete:
        lines.append(words.say("The record still lacks what only people know."))
    if follow_ups:
        lines.append(words.say("Follow-ups that live on: {count}.", count=follow_ups))
    offer = [schedule_button(incident.number, words)] if offer_meeting else []
    return Message(text=title, blocks=[section(" ".join(lines)), *offer])
