"""Telling people: a text is posted at once, or waits until somebody with the right to it agrees.

Everybody may write, for the text cannot ring anybody and goes only where the playbook says; where
it says ``needs_approval``, the commander or a holder of `Permission.TELL_USERS` agrees first.
"""

from dataclasses import replace

from bot.domain.announcement import (
    Announcement,
    AnnouncementState,
    fingerprint,
    may_approve,
    placeholders,
)
from bot.domain.guide import NoticePlan
from bot.domain.ids import ChannelId
from bot.domain.playbook import Permission
from bot.domain.timeline import Event
from bot.usecases.act import Deed, Doing, Reply
from bot.usecases.ports import NotKept, Said, Showing
from bot.usecases.remind_update import remind_of_next


def _tell(doing: Doing) -> Reply | None:
    words = doing.act.words
    plan = doing.playbook.notices.get(words["notice"])
    if plan is None:
        return Reply(what=Said.NO_SUCH_NOTICE, facts={"notice": words["notice"], "text": words["text"]})
    left = placeholders(words["text"])
    if left:
        return Reply(what=Said.PLACEHOLDER_LEFT, facts={"left": list(left), "text": words["text"]})
    edited = _waiting(doing) if "announcement" in words else None
    if edited is not None:
        return _edit(doing, edited)
    written = _written(doing, plan)
    if not plan.needs_approval and "announcement" not in words:
        doing.tx.keep(written)
        _post(doing, written)
        return Reply(what=Said.ANNOUNCEMENT_POSTED, facts={"channels": list(written.channels)})
    doing.tx.keep(written)
    doing.write(Event.ANNOUNCEMENT_WRITTEN, notice=written.notice, **_titles(plan))
    _show_card(doing, written)
    # The text that was to be edited has been posted or dropped meanwhile: what was typed is kept.
    what = Said.ANNOUNCEMENT_KEPT if "announcement" in words else Said.ANNOUNCEMENT_WAITS
    return Reply(what=what, facts={"channels": list(written.channels)})


def _written(doing: Doing, plan: NoticePlan) -> Announcement:
    words = doing.act.words
    return Announcement(
        id=f"{doing.incident.number}-{fingerprint(doing.act.key)}",
        incident=doing.incident.number,
        notice=words["notice"],
        locale=words["locale"],
        text=words["text"],
        state=AnnouncementState.WAITING,
        created_at=doing.at,
        written_by=doing.act.person,
        channels=plan.channels,
    )


def _titles(plan: NoticePlan) -> dict[str, dict[str, str]]:
    return {"title": {"en": plan.title.en, "ko": plan.title.ko}}


def _known(doing: Doing) -> Announcement | None:
    """Return the text an act is about, locked."""
    try:
        found = doing.tx.kept(Announcement, doing.act.words["announcement"])
    except NotKept:
        return None
    return found if found.incident == doing.incident.number else None


def _waiting(doing: Doing) -> Announcement | None:
    found = _known(doing)
    return found if found is not None and found.state is AnnouncementState.WAITING else None


def _edit(doing: Doing, before: Announcement) -> Reply:
    """Put the new text in place of the old one; its last editor is its author, and so may not agree."""
    words = doing.act.words
    after = replace(
        before,
        text=words["text"],
        locale=words["locale"],
        written_by=doing.act.person,
    )
    doing.tx.keep(after)
    doing.write(Event.ANNOUNCEMENT_EDITED, notice=after.notice, **_plan_titles(doing, after))
    _show_card(doing, after)
    return Reply(what=Said.ANNOUNCEMENT_WAITS, facts={"channels": list(after.channels)})


def _plan_titles(doing: Doing, announcement: Announcement) -> dict[str, dict[str, str]]:
    plan = doing.playbook.notices.get(announcement.notice)
    return _titles(plan) if plan else {"title": {"en": announcement.notice, "ko": announcement.notice}}


def _show_card(doing: Doing, announcement: Announcement) -> None:
    doing.tx.show(Showing.APPROVAL, announcement.id, channel=doing.channel)


def _post(doing: Doing, announcement: Announcement) -> None:
    """Post it in each of its channels, write the line, and see to the reminder of the next one."""
    after = remind_of_next(doing, replace(announcement, state=AnnouncementState.POSTED, posted_at=doing.at))
    doing.tx.keep(after)
    for channel in after.channels:
        doing.tx.show(Showing.ANNOUNCEMENT, f"{after.id}:{channel}", channel=ChannelId(channel))
    facts = {"notice": after.notice, "channels": list(after.channels), "by": after.written_by}
    doing.write(Event.ANNOUNCEMENT_POSTED, **facts, **_plan_titles(doing, after))


def _approve(doing: Doing) -> Reply | None:
    found = _known(doing)
    if found is None or found.state is not AnnouncementState.WAITING:
        return _decided(doing, found)
    if fingerprint(found.text) != doing.act.words["seen"]:
        _show_card(doing, found)
        return Reply(what=Said.ANNOUNCEMENT_CHANGED, facts={"by": found.written_by})
    if not may_approve(found, doing.act.person, commander=doing.incident.commander):
        return Reply(what=Said.NOT_YOUR_OWN, facts={"commander": doing.incident.commander})
    _post(doing, replace(found, approved_by=doing.act.person))
    _show_card(doing, found)
    return None


def _drop(doing: Doing) -> Reply | None:
    found = _known(doing)
    if found is None or found.state is not AnnouncementState.WAITING:
        return _decided(doing, found)
    doing.tx.keep(replace(found, state=AnnouncementState.DROPPED, approved_by=doing.act.person))
    why = doing.act.words["why"]
    doing.write(Event.ANNOUNCEMENT_DROPPED, notice=found.notice, why=why, **_plan_titles(doing, found))
    _show_card(doing, found)
    return None


def _decided(doing: Doing, found: Announcement | None) -> Reply:
    if found is None:
        return Reply(what=Said.ANNOUNCEMENT_DECIDED, facts={"state": None, "by": None})
    _show_card(doing, found)
    return Reply(what=Said.ANNOUNCEMENT_DECIDED, facts={"state": found.state, "by": found.approved_by})


TELL = Deed(do=_tell, when_closed=True)
APPROVE = Deed(do=_approve, permission=Permission.TELL_USERS, commander_may=True, when_closed=True)
#: Everybody may hold a text back: nothing goes out by it, and the timeline says who did and why.
DROP = Deed(do=_drop, when_closed=True)
