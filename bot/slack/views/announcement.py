"""Texts for people in Slack: as they are posted, as they wait for approval, and when the next one is due."""

import re
from collections.abc import Iterable
from datetime import datetime

from bot.domain.announcement import Announcement, AnnouncementState, fingerprint, in_fields
from bot.domain.guide import NoticePlan
from bot.domain.ids import incident_label
from bot.domain.incident import Incident
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words, clean, escape
from bot.slack.views.parts import (
    SECTION_LIMIT,
    Block,
    actions,
    button,
    context,
    fit,
    header,
    section,
)
from bot.slack.views.rollback_message import Message

#: Longest a text can be: `MOST_FIELDS` fields of `FIELD_LIMIT`, and room for what a template gives.
LONGEST_TEXT = 12_000
#: Every character escaped is at most five times as long ("&amp;").
_SURELY_FITS = SECTION_LIMIT // 5
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,20}")


def text_blocks(text: str) -> list[Block]:
    """Return a text for people as sections: emphasis and lists work, and nothing rings or links."""
    pieces: list[str] = []
    for piece in in_fields(clean(text, limit=LONGEST_TEXT), limit=SECTION_LIMIT):
        fits = len(escape(piece)) <= SECTION_LIMIT
        pieces += [piece] if fits else in_fields(piece, limit=_SURELY_FITS)
    return [section(escape(piece.strip())) for piece in pieces if piece.strip()]


def channel_names(channels: Iterable[str]) -> Markup:
    """Return channels as people know them; Slack shows the name of one given by its id."""
    return Markup(", ".join(f"<#{c}>" if _CHANNEL_ID.fullmatch(c) else escape(c) for c in channels))


def announcement_message(announcement: Announcement, words: Words) -> Message:
    """Render a text as it is posted, in its own language."""
    line = words.say("{label} · posted by Backout", label=incident_label(announcement.incident))
    if announcement.next_due_at is not None:
        due = words.clock(announcement.next_due_at)
        line = words.say("{text} · next update by {due}", text=line, due=due)
    blocks = text_blocks(announcement.text)
    return Message(
        text=fit(escape(clean(announcement.text, limit=LONGEST_TEXT)), SECTION_LIMIT),
        blocks=[*blocks, context(line)],
    )


def approval_card(announcement: Announcement, plan: NoticePlan | None, words: Words) -> Message:
    """Render a text that waits for somebody to agree, or what became of it."""
    notice = plan.title.in_(words.locale) if plan else announcement.notice
    label = incident_label(announcement.incident)
    title = words.plain("{label} · {notice}: may this be posted?", label=label, notice=notice)
    if announcement.state is AnnouncementState.POSTED:
        title = words.plain("{label} · {notice}: posted", label=label, notice=notice)
    elif announcement.state is AnnouncementState.DROPPED:
        title = words.plain("{label} · {notice}: dropped", label=label, notice=notice)
    blocks = [header(title), section(_who(announcement, words)), *text_blocks(announcement.text)]
    if announcement.state is AnnouncementState.WAITING:
        blocks.append(_buttons(announcement, words))
    return Message(text=escape(title), blocks=blocks)


def _who(announcement: Announcement, words: Words) -> Markup:
    text = words.say(
        "Written by {who}, for {channels}.",
        who=words.person(announcement.written_by),
        channels=channel_names(announcement.channels),
    )
    if announcement.approved_by is None:
        return text
    by = words.person(announcement.approved_by)
    if announcement.state is AnnouncementState.DROPPED:
        return words.say("{text} Dropped by {who}; the reason stands in the timeline.", text=text, who=by)
    return words.say("{text} Approved by {who}.", text=text, who=by)


def _buttons(announcement: Announcement, words: Words) -> Block:
    value = f"{announcement.incident}:{announcement.id}"
    seen = f"{value}:{fingerprint(announcement.text)}"
    return actions(
        button(words.plain("Approve and post"), action=ActionId.TELL_APPROVE, value=seen, style="primary"),
        button(words.plain("Edit"), action=ActionId.TELL_EDIT, value=value),
        button(words.plain("Drop …"), action=ActionId.TELL_DROP, value=value),
    )


def update_due_message(
    announcement: Announcement, incident: Incident, plan: NoticePlan | None, words: Words, *, now: datetime
) -> Message:
    """Remind whoever has command, or else the author of the last text, that people wait for the next."""
    who = words.person(incident.commander or announcement.written_by)
    posted = announcement.posted_at or announcement.created_at
    text = words.say(
        ":bell: {who}, the next update is due: people last heard of {label} {ago} ago ({notice}).",
        who=who,
        label=incident_label(incident.number),
        ago=words.duration(max(now - posted, now - now)),
        notice=plan.title.in_(words.locale) if plan else announcement.notice,
    )
    press = button(
        words.plain("Write the update"), action=ActionId.TELL, value=str(incident.number), style="primary"
    )
    return Message(text=text, blocks=[section(text), actions(press)])
