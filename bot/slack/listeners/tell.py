"""``/incident update`` and the modal, the card and the buttons by which people are told."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import structlog

from bot.domain.acts import Act, Verb
from bot.domain.announcement import (
    FIELD_LIMIT,
    MOST_FIELDS,
    Announcement,
    NoticeFacts,
    fingerprint,
    placeholders,
)
from bot.domain.guide import NoticePlan
from bot.domain.ids import ChannelId, IncidentNumber, incident_label
from bot.domain.incident import Incident
from bot.domain.notices import likely_notice
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.table import Request, Table
from bot.slack.text import LOCALES, Markup, clean
from bot.slack.views.tell_modal import (
    LONGEST_WHY,
    TellDraft,
    drop_modal,
    first_field,
    read_draft,
    tell_modal,
    unedited,
)
from bot.usecases.act import accept_act
from bot.usecases.draft_notice import notice_facts
from bot.usecases.editions import playbook_of
from bot.usecases.ports import BadTemplate, Clock, NoticeTexts, Playbooks, Store, Transaction

log = structlog.get_logger()

#: As much as all fields hold.
LONGEST_TEXT = FIELD_LIMIT * MOST_FIELDS

Plans = Mapping[str, NoticePlan]


class Telling:
    """What the functions below share; `locale` is the channels' language."""

    def __init__(
        self, *, store: Store, playbooks: Playbooks, texts: NoticeTexts, clock: Clock, locale: str
    ) -> None:
        self._store = store
        self._playbooks = playbooks
        self._texts = texts
        self._clock = clock
        self._locale = locale

    async def update(self, request: Request, incident: Incident, rest: str) -> str | dict[str, Any]:
        """``/incident update [N] [notice]``."""
        plans = await self._plans(incident.number)
        wanted = rest.strip().lower()
        if wanted and wanted not in plans:
            near = get_close_matches(wanted, plans, n=1, cutoff=0.3) or list(plans)[:1]
            return request.words.say(
                ":x: There is no notice {wanted}. Try {fixed}. Notices: {known}.",
                wanted=request.words.code(clean(wanted, limit=60)),
                fixed=request.words.code(f"/incident update {incident.number} {(near or [''])[0]}".strip()),
                known=", ".join(plans) or "–",
            )
        modal = await self._opened(request, incident.number, wanted)
        return modal or request.words.say(":x: The playbook has no notices.")

    async def open(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any] | None:
        """Open it for the button's incident and notice."""
        number, _, notice = str(action["value"]).partition(":")
        return await self._opened(request, IncidentNumber(int(number)), notice)

    async def _opened(self, request: Request, number: IncidentNumber, notice: str) -> dict[str, Any] | None:
        plans = await self._plans(number)
        if not plans:
            return None
        if notice not in plans:
            notice = await self._store.look(lambda tx: self._likely(tx, number))
        empty = TellDraft(
            number=number,
            notice=notice,
            locale=self._locale,
            text="",
            version="",
            template="",
            channel=request.sender.channel,
        )
        return await self._from_template(request, empty, plans)

    def _likely(self, tx: Transaction, number: IncidentNumber) -> str:
        incident = tx.incident(number)
        told = {one.notice for one in tx.find(Announcement, incident=number)}
        return likely_notice(incident, playbook_of(tx, incident, self._playbooks.current()), told=told)

    async def _plans(self, number: IncidentNumber) -> Plans:
        current = self._playbooks.current()
        return await self._store.look(lambda tx: playbook_of(tx, tx.incident(number), current).notices)

    async def _facts(self, number: IncidentNumber, notice: str) -> NoticeFacts:
        current, now = self._playbooks.current(), self._clock()

        def read(tx: Transaction) -> NoticeFacts:
            incident = tx.incident(number)
            playbook = playbook_of(tx, incident, current)
            return notice_facts(tx, incident, notice, playbook=playbook, at=now)

        return await self._store.look(read)

    async def _from_template(self, request: Request, draft: TellDraft, plans: Plans) -> dict[str, Any]:
        facts = await self._facts(draft.number, draft.notice)
        says: Markup | None = None
        try:
            text = self._texts.written(facts, draft.locale)
            if len(text) > LONGEST_TEXT:
                raise BadTemplate(f"{facts.plan.template}: {len(text)} characters, {LONGEST_TEXT} fit")
        except BadTemplate as bad:
            log.error("template_unusable", why=str(bad))
            text, says = (
                "",
                request.words.say(
                    ":warning: The template cannot be used ({why}). Write the text yourself.",
                    why=str(bad)[:300],
                ),
            )
        fresh = replace(draft, text=text, template=fingerprint(text), version=facts.version)
        return tell_modal(fresh, plans, request.words, says=says)

    async def change(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        """Another notice or language was chosen: a text nobody has touched follows, any other is kept."""
        before = read_draft(request.body["view"])
        plans = await self._plans(before.number)
        if unedited(before) or not before.text:
            return await self._from_template(request, before, plans)
        says = request.words.say(
            ":information_source: Your text was kept. {again} replaces it.",
            again=request.words.bold(request.words.plain("Start again from the template")),
        )
        return tell_modal(before, plans, request.words, says=says)

    async def again(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        """Throw the typed text away for the template's."""
        before = read_draft(request.body["view"])
        return await self._from_template(request, before, await self._plans(before.number))

    async def preview(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        """Show beneath the fields how it will stand in the channel."""
        draft = read_draft(request.body["view"])
        return tell_modal(draft, await self._plans(draft.number), request.words, preview=True)

    async def submit(self, request: Request) -> dict[str, Any] | None:
        """Take a text, unless something is to be filled in, or the incident has changed since."""
        view, words = request.body["view"], request.words
        draft = read_draft(view)
        text = clean(draft.text, limit=LONGEST_TEXT)
        left = placeholders(text)
        if not text or left:
            error = words.plain("Write a text.")
            if left:
                error = words.plain("Fill this in first: {left}", left=" · ".join(left)[:1500])
            return {first_field(view): error}
        facts = await self._facts(draft.number, draft.notice)
        if facts.version != draft.version:
            says = words.say(
                ":warning: {label} has changed since this text was drawn up. Nothing was posted and your "
                "text is kept: read it once more, then send it again.",
                label=incident_label(draft.number),
            )
            plans = await self._plans(draft.number)
            return tell_modal(replace(draft, version=facts.version), plans, words, preview=True, says=says)
        await self._accept(request, draft, text)
        return None

    async def _accept(self, request: Request, draft: TellDraft, text: str) -> None:
        more = {"announcement": draft.announcement} if draft.announcement else {}
        act = act_of(
            request, Verb.TELL, draft.number, notice=draft.notice, locale=draft.locale, text=text, **more
        )
        await self._do(replace(act, channel=draft.channel))

    async def _do(self, act: Act) -> None:
        await accept_act(act, store=self._store, clock=self._clock)

    async def approve(self, request: Request, action: Mapping[str, Any]) -> None:
        """Agree to the text as it was seen."""
        number, id, seen = str(action["value"]).split(":")
        incident = IncidentNumber(int(number))
        await self._do(act_of(request, Verb.APPROVE_ANNOUNCEMENT, incident, announcement=id, seen=seen))

    async def edit(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        """Open the waiting text for editing."""
        number, _, id = str(action["value"]).partition(":")
        found = await self._store.look(lambda tx: tx.kept(Announcement, id))
        facts = await self._facts(IncidentNumber(int(number)), found.notice)
        draft = TellDraft(
            number=found.incident,
            notice=found.notice,
            locale=found.locale if found.locale in LOCALES else self._locale,
            text=found.text,
            version=facts.version,
            template="edit",
            channel=request.sender.channel,
            announcement=found.id,
        )
        return tell_modal(draft, await self._plans(found.incident), request.words)

    async def ask_why(self, request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        """Ask why it is dropped."""
        number, _, id = str(action["value"]).partition(":")
        return drop_modal(IncidentNumber(int(number)), id, request.sender.channel, request.words)

    async def drop(self, request: Request) -> dict[str, Any] | None:
        """Take the reason."""
        view = request.body["view"]
        number, id, channel = view["private_metadata"].split(":")
        values = {name: one for block in view["state"]["values"].values() for name, one in block.items()}
        why = clean(values[ActionId.TELL_WHY].get("value") or "", limit=LONGEST_WHY)
        if not why:
            return {ActionId.TELL_WHY: request.words.plain("Say why in a few words.")}
        incident = IncidentNumber(int(number))
        act = act_of(request, Verb.DROP_ANNOUNCEMENT, incident, announcement=id, why=why)
        await self._do(replace(act, channel=ChannelId(channel)))
        return None


def register(
    table: Table, *, store: Store, playbooks: Playbooks, texts: NoticeTexts, clock: Clock, locale: str
) -> None:
    """Add them to the table; `locale` is the channels' language."""
    telling = Telling(store=store, playbooks=playbooks, texts=texts, clock=clock, locale=locale)
    table.incident_verbs["update"] = telling.update
    table.presses[ActionId.TELL] = telling.open
    table.presses[ActionId.TELL_NOTICE] = telling.change
    table.presses[ActionId.TELL_LANGUAGE] = telling.change
    table.presses[ActionId.TELL_AGAIN] = telling.again
    table.presses[ActionId.TELL_PREVIEW] = telling.preview
    table.presses[ActionId.TELL_APPROVE] = telling.approve
    table.presses[ActionId.TELL_EDIT] = telling.edit
    table.presses[ActionId.TELL_DROP] = telling.ask_why
    table.submissions[CallbackId.TELL] = telling.submit
    table.submissions[CallbackId.TELL_DROP] = telling.drop
