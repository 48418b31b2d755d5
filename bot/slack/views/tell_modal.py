"""The modal in which people write what others are told: which notice, language, text, and a preview."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.announcement import FIELD_LIMIT, fingerprint, in_fields, placeholders
from bot.domain.guide import NoticePlan
from bot.domain.ids import ChannelId, IncidentNumber, incident_label
from bot.slack.ids import ActionId, CallbackId
from bot.slack.text import Markup, Words
from bot.slack.views.announcement import channel_names, text_blocks
from bot.slack.views.parts import (
    DIVIDER,
    Block,
    actions,
    button,
    context,
    option,
    plain,
    question,
    section,
    select,
)

#: What the languages call themselves.
LANGUAGES = {"en": "English", "ko": "한국어"}
LONGEST_WHY = 500
#: How many notices a select offers; a playbook has a handful.
MOST_NOTICES = 100


@dataclass(frozen=True, kw_only=True)
class TellDraft:
    """A text being written. `version` is of the incident's state it was drawn from.

    `template` is the fingerprint of the text the template gave, `turn` changes when the fields get a
    new text from us, `announcement` is the waiting text that is being edited, `channel` where the
    person stands.
    """

    number: IncidentNumber
    notice: str
    locale: str
    text: str
    version: str
    template: str
    channel: ChannelId
    announcement: str = ""

    @property
    def turn(self) -> str:
        """A word in the fields' ids: Slack keeps what was typed where an id stays."""
        return f"{self.template}.{self.locale}.{self.notice}"


def tell_modal(
    draft: TellDraft,
    plans: Mapping[str, NoticePlan],
    words: Words,
    *,
    preview: bool = False,
    says: Markup | None = None,
) -> dict[str, Any]:
    """Return the modal; `says` stands on top of it."""
    blocks: list[Block] = [section(says)] if says else []
    blocks += [_choices(draft, plans, words), section(_where(plans[draft.notice], words))]
    left = placeholders(draft.text)
    if left:
        blocks.append(context(_fill_in(left, words)))
    blocks += _fields(draft, words)
    blocks.append(_buttons(words))
    if preview:
        blocks += _preview(draft, plans[draft.notice], words)
    waits = plans[draft.notice].needs_approval or draft.announcement
    return {
        "type": "modal",
        "callback_id": CallbackId.TELL,
        "private_metadata": _metadata(draft),
        "title": plain(words.plain("Tell people"), limit=24),
        "submit": plain(words.plain("Ask for approval") if waits else words.plain("Post it"), limit=24),
        "close": plain(words.plain("Cancel"), limit=24),
        "blocks": blocks,
    }


def _choices(draft: TellDraft, plans: Mapping[str, NoticePlan], words: Words) -> Block:
    notices = {
        key: option(plan.title.in_(words.locale), key) for key, plan in list(plans.items())[:MOST_NOTICES]
    }
    languages = {key: option(name, key) for key, name in LANGUAGES.items()}
    language = select(
        action=ActionId.TELL_LANGUAGE,
        placeholder=words.plain("Language"),
        options=languages.values(),
        initial=languages[draft.locale],
    )
    if draft.announcement:
        return actions(language)
    notice = select(
        action=ActionId.TELL_NOTICE,
        placeholder=words.plain("Notice"),
        options=notices.values(),
        initial=notices.get(draft.notice),
    )
    return actions(notice, language)


def _where(plan: NoticePlan, words: Words) -> Markup:
    text = words.say("It goes to {channels}.", channels=channel_names(plan.channels))
    if not plan.needs_approval:
        return text
    return words.say("{text} The incident commander agrees before it is posted.", text=text)


def _fill_in(left: tuple[str, ...], words: Words) -> Markup:
    return words.say(":pencil2: Still to be filled in: {left}", left=" · ".join(left)[:1500])


def _fields(draft: TellDraft, words: Words) -> list[Block]:
    pieces = [piece.removesuffix("\n") for piece in in_fields(draft.text)]
    return [
        question(
            label=_label(number, len(pieces), words),
            element=_input(number, piece),
            block=f"{ActionId.TELL_TEXT}.{number}.{draft.turn}",
            hint=None if number else words.plain("Nothing in it can ring anybody: @here stays a word."),
            optional=number > 0,
        )
        for number, piece in enumerate(pieces)
    ]


def _label(number: int, count: int, words: Words) -> str:
    if count == 1:
        return words.plain("Text")
    return words.plain("Text, part {number} of {count}", number=number + 1, count=count)


def _input(number: int, text: str) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": f"{ActionId.TELL_TEXT}.{number}",
        "multiline": True,
        "max_length": FIELD_LIMIT,
    }
    return element | ({"initial_value": text} if text else {})


def _buttons(words: Words) -> Block:
    return actions(
        button(words.plain("Preview"), action=ActionId.TELL_PREVIEW, value="preview"),
        button(words.plain("Start again from the template"), action=ActionId.TELL_AGAIN, value="again"),
    )


def _preview(draft: TellDraft, plan: NoticePlan, words: Words) -> list[Block]:
    where = channel_names(plan.channels)
    return [
        DIVIDER,
        context(words.say("Preview: this is how it will stand in {channels}.", channels=where)),
        *text_blocks(draft.text),
    ]


def _metadata(draft: TellDraft) -> str:
    kept = {
        "number": draft.number, "notice": draft.notice, "locale": draft.locale, "version": draft.version,
        "template": draft.template, "channel": draft.channel, "announcement": draft.announcement,
    }  # fmt: skip
    return json.dumps(kept)


def read_draft(view: Mapping[str, Any]) -> TellDraft:
    """Return what an open or submitted modal holds, `text` as it was typed."""
    kept = json.loads(view["private_metadata"])
    values = {id: one for block in view["state"]["values"].values() for id, one in block.items()}
    fields = sorted(
        (int(id.rpartition(".")[2]), str(one.get("value") or ""))
        for id, one in values.items()
        if id.startswith(f"{ActionId.TELL_TEXT}.")
    )
    text = "\n".join(piece for _, piece in fields).strip()
    return TellDraft(
        number=IncidentNumber(kept["number"]),
        notice=_chosen(values, ActionId.TELL_NOTICE) or kept["notice"],
        locale=_chosen(values, ActionId.TELL_LANGUAGE) or kept["locale"],
        text=text,
        version=kept["version"],
        template=kept["template"],
        channel=ChannelId(kept["channel"]),
        announcement=kept["announcement"],
    )


def unedited(draft: TellDraft) -> bool:
    """True when the text is still the template's own."""
    return fingerprint(draft.text) == draft.template


def first_field(view: Mapping[str, Any]) -> str:
    """Return the block id of the first text field, where an error is shown."""
    ids = (str(block.get("block_id", "")) for block in view["blocks"])
    return next(id for id in ids if id.startswith(ActionId.TELL_TEXT))


def _chosen(values: Mapping[str, Any], action: ActionId) -> str | None:
    found = (values.get(action) or {}).get("selected_option")
    return str(found["value"]) if found else None


def drop_modal(number: IncidentNumber, announcement: str, channel: ChannelId, words: Words) -> dict[str, Any]:
    """Return the modal that asks why a text is not posted."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": ActionId.TELL_WHY,
        "multiline": True,
        "max_length": LONGEST_WHY,
    }
    why = question(label=words.plain("Why?"), element=element, block=ActionId.TELL_WHY, optional=False)
    label = incident_label(number)
    return {
        "type": "modal",
        "callback_id": CallbackId.TELL_DROP,
        "private_metadata": f"{number}:{announcement}:{channel}",
        "title": plain(words.plain("Drop the text"), limit=24),
        "submit": plain(words.plain("Drop it"), limit=24),
        "close": plain(words.plain("Keep it"), limit=24),
        "blocks": [
            why,
            context(words.say("It is not posted; the timeline of {label} says who and why.", label=label)),
        ],
    }
