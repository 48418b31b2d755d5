"""Texts for people, readiness and App Home in every state, with texts put wherever people's texts go."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.adapters.notice_texts import TemplateNotices
from bot.domain.announcement import Announcement, AnnouncementState, NoticeFacts
from bot.domain.follow_up import FollowUp, FollowUpState
from bot.domain.guide import Contact, NoticePlan, Short
from bot.domain.home import Home, Todo
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.paging import Page, PageState
from bot.domain.playbook import Playbook
from bot.domain.readiness import Answer, Finding, Found, Readiness, Standing
from bot.domain.readings import Metric
from bot.domain.status import Status
from bot.domain.timeline import Event
from bot.slack.text import Words
from bot.slack.views.announcement import announcement_message, approval_card, update_due_message
from bot.slack.views.home import closed_home, home_view
from bot.slack.views.readiness import readiness_message
from bot.slack.views.rollback_message import Message
from bot.slack.views.tell_modal import TellDraft, drop_modal, tell_modal
from bot.slack.views.telling_words import TELLING_NOTICES
from tests.values import (
    CANARY_TARGET,
    CHAT_TARGET,
    LUBIT,
    NOON,
    SENA,
    SICK,
    a_decided_rollback,
    a_playbook,
    a_reading,
    an_incident,
    seconds,
)

CHANNEL = ChannelId("C0OPERATIONS")
PLAN = NoticePlan(
    title=Short(en="Incident opened", ko="장애 발생 안내"),
    template="incident_opened.md",
    channels=("#critical-incidents", "#status"),
    next_update_minutes=30,
)
PLANS: Mapping[str, NoticePlan] = {
    "incident_opened": PLAN,
    "data_loss": PLAN.model_copy(update={"template": "data_loss.md", "needs_approval": True}),
}


def notice_facts(plan: NoticePlan = PLAN, **more: Any) -> NoticeFacts:
    """Return what is known of incident 12 half an hour after it was opened."""
    facts = NoticeFacts(
        incident=an_incident(seen="errors <!channel>"),
        scenario=None,
        plan=plan,
        rollback=a_decided_rollback(),
        playbook_name="Phase 4",
        time_zone="Asia/Seoul",
        at=NOON + timedelta(minutes=30),
        names={SENA: "Sena"},
    )
    return replace(facts, **more)


def an_announcement(text: str = "We are on it.", **more: Any) -> Announcement:
    """Return Sena's text about incident 12, waiting."""
    announcement = Announcement(
        id="12-f00d",
        incident=IncidentNumber(12),
        notice="incident_opened",
        locale="en",
        text=text,
        state=AnnouncementState.WAITING,
        created_at=NOON,
        written_by=SENA,
        channels=PLAN.channels,
    )
    return replace(announcement, **more)


def telling_event_facts(event: Event, text: str) -> dict[str, Any]:
    """Return the facts of an event about telling people or readiness, {} for any other."""
    texts = {"en": text, "ko": text}
    told = {"notice": "incident_opened", "title": texts}
    known: dict[Event, dict[str, Any]] = {
        Event.ANNOUNCEMENT_WRITTEN: told,
        Event.ANNOUNCEMENT_EDITED: told,
        Event.ANNOUNCEMENT_POSTED: told | {"channels": ["#status", text or "#x"], "by": SENA},
        Event.ANNOUNCEMENT_DROPPED: told | {"why": text},
        Event.ANNOUNCEMENT_REFUSED: {"notice": text, "channel": "#nowhere", "why": "channel_not_found"},
        Event.UPDATE_DUE: {"notice": text},
        Event.POINT_CONFIRMED: {"point": "backups", "titles": texts},
    }
    return known.get(event, {})


def telling_notices(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the facts of every notice about telling people, and of a confirmed point."""
    facts = {
        "incident": 12, "notice": text, "text": text, "left": [text], "channels": ["#status", text],
        "channel": text, "why": text, "by": SENA, "commander": SENA, "state": "posted",
    }  # fmt: skip
    for what in TELLING_NOTICES:
        yield what, {"what": what} | facts
    for state, by in (("dropped", SENA), ("posted", None), (None, None)):
        yield f"decided {state} {by}", facts | {"what": "announcement_decided", "state": state, "by": by}
    for reading in (True, False):
        titles = {"en": text, "ko": text}
        confirmed = {"point": "backups", "titles": titles, "until": NOON.isoformat(), "reading": reading}
        yield f"confirmed {reading}", {"what": "point_confirmed"} | confirmed


def findings(text: str) -> tuple[Finding, ...]:
    """Return every finding, with every fact that one of them needs."""
    facts = {
        "kind": "permission", "doing": "look at ion-api", "detail": text, "permission": text,
        "changed": False, "by_hand": f"gcloud {text}", "stable": text, "canary": text, "percent": 10,
        "serving": text, "service": text, "well": 3, "sent": 5, "url": text, "missing": [text],
        "why": text, "contact": "manager", "role": {"en": text, "ko": text}, "name": text, "group": text,
        "channels": ["#status", text], "template": text, "templates": [text], "at": NOON.isoformat(),
        "hours": 27.5, "limit_hours": 26.0, "people": [SENA] * 50, "by": SENA, "until": NOON.isoformat(),
    }  # fmt: skip
    return tuple(
        Finding(standing=list(Standing)[n % 4], found=found, facts=facts) for n, found in enumerate(Found)
    )


def readinesses(text: str) -> Iterator[Readiness]:
    """Yield readiness with nothing, with every finding, with too many points, and all well."""
    titles = {"en": text[:1000], "ko": text[:1000]}
    every = tuple(
        Answer(point=f"p{n}", titles=titles, findings=(one,), confirmable=n % 2 == 0, reading=n % 3 == 0)
        for n, one in enumerate(findings(text))
    )
    long = replace(every[0], findings=findings(text))
    well = replace(every[0], findings=(Finding(standing=Standing.READY, found=Found.PERMISSIONS_HELD),))
    for answers in ((), every, (long,), every * 3, (well,)):
        yield Readiness(target=CANARY_TARGET, at=NOON, answers=answers)


def telling_messages(text: str, words: Words) -> Iterator[tuple[str, Message]]:
    """Yield every message about telling people and readiness."""
    now = NOON + seconds(90)
    for state in AnnouncementState:
        for by in (None, LUBIT if text else SENA):
            due = NOON + timedelta(minutes=30) if by else None
            one = an_announcement(
                text or "x", state=state, approved_by=SENA if by else None, posted_at=NOON, next_due_at=due
            )
            for plan in (PLAN, None):
                yield f"approval {state} {by} {plan is None}", approval_card(one, plan, words)
                due_now = update_due_message(one, an_incident(commander=SENA), plan, words, now=now)
                yield f"due {state} {by}", due_now
            yield f"announcement {state} {by}", announcement_message(one, words)
    for number, readiness in enumerate(readinesses(text)):
        yield f"readiness {number}", readiness_message(readiness, words)


def telling_modals(text: str, words: Words) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every modal about telling people."""
    for notice, plan in PLANS.items():
        written = TemplateNotices().written(notice_facts(plan), words.locale)
        for content in (text, written, (text or "x") * 3):
            draft = TellDraft(
                number=IncidentNumber(12),
                notice=notice,
                locale="ko",
                text=content[:12_000],
                version="f00d",
                template="beef",
                channel=CHANNEL,
            )
            says = words.say("Text")
            yield f"tell {notice} {len(content)}", tell_modal(draft, PLANS, words)
            yield f"preview {notice}", tell_modal(draft, PLANS, words, preview=True, says=says)
            editing = replace(draft, announcement="12-f00d")
            yield f"edit {notice}", tell_modal(editing, PLANS, words, preview=True)
    yield "drop", drop_modal(IncidentNumber(12), "12-f00d", CHANNEL, words)


def homes(text: str, *, many: int = 25) -> Iterator[tuple[str, Home]]:
    """Yield a Home with nothing on it, and one with more of everything than is listed."""
    empty = Home(
        person=SENA,
        incidents=(),
        next_todos={},
        todos=(),
        pages=(),
        contacts={},
        follow_ups=(),
        statuses={},
        readiness=None,
    )
    yield "empty", empty
    todo = Todo(
        incident=IncidentNumber(12),
        title=Short(en=text[:75].strip() or "x", ko=text[:75].strip() or "x"),
        due_at=NOON,
        owner=SENA,
        shown_by="checklist:12",
    )
    page = Page(
        id="p1",
        incident=IncidentNumber(12),
        contact="backend",
        state=PageState.WAITING,
        asked_by=SENA,
        created_at=NOON,
        due_at=NOON,
        channel="#backend",
        origin="p1",
    )
    follow_up = FollowUp(
        id="f1",
        incident=IncidentNumber(12),
        target=CANARY_TARGET,
        key="x",
        titles={"en": text, "ko": text},
        state=FollowUpState.OPEN,
        created_at=NOON,
        due_at=NOON + timedelta(days=3),
        owner=SENA,
    )
    troubled = Status(target=CHAT_TARGET, read_at=NOON, problem=text)
    known = Status(
        target=CANARY_TARGET, read_at=NOON, readings=(*SICK, a_reading(Metric.CPU, None, problem=text))
    )
    incident = an_incident(commander=SENA)
    full = replace(
        empty,
        incidents=(incident, an_incident()) * many,
        next_todos={incident.number: todo},
        todos=(todo, replace(todo, due_at=None), replace(todo, due_at=NOON + timedelta(hours=1))) * many,
        pages=(page,) * many,
        contacts={"p1": Contact(role=Short(en="Backend", ko="백엔드"), name="Gitco", within_minutes=2)},
        follow_ups=(follow_up,) * many,
        statuses={CANARY_TARGET: known, CHAT_TARGET: troubled},
        readiness=list(readinesses(text))[1],
        places={"board:12": (CHANNEL, "1.000001"), "checklist:12": (CHANNEL, "2.000002")},
    )
    yield "full", full
    unread = dict.fromkeys((CANARY_TARGET, CHAT_TARGET))
    yield "unread", replace(full, statuses=unread, readiness=list(readinesses(text))[-1])


def home_views(
    text: str, words: Words, playbook: Playbook | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every Home as Slack gets it."""
    for title, home in homes(text):
        for url in (None, "https://home.slack.example/"):
            view = home_view(
                home, playbook or a_playbook(), words, now=NOON + timedelta(minutes=2), slack_url=url
            )
            yield f"home {title} {url}", view
    yield "closed home", closed_home(words)
