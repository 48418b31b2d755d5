"""The modals of a post-mortem: when, how long, where and who sees to it; and why it is called off."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.ids import IncidentNumber, PersonId, incident_label
from bot.domain.people import COMMAND_LINE
from bot.domain.post_mortem import LENGTHS, USUAL_MINUTES, PostMortem
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Words
from bot.slack.views.modals import LONGEST_WHY, choice, long_text, modal
from bot.slack.views.parts import Block, question, section
from bot.slack.views.post_mortem_words import offset_name, weekday_name, when

#: A room's name, or a link with its password.
LONGEST_PLACE = 300


def meeting_modal(
    number: IncidentNumber,
    before: PostMortem | None,
    facts: dict[str, Any] | None,
    proposed: Sequence[datetime],
    words: Words,
    *,
    zone: str,
    owner: PersonId,
    channel: str,
) -> dict[str, Any]:
    """Ask for a meeting, or for another time of one.

    Args:
        before: the meeting that is to be moved, None for the first one.
        facts: its facts, None for the first one.
        proposed: moments to choose from, UTC; `before`'s own comes first, so that it stays unless changed.
        zone: what they are written in, an IANA name.
        owner: who sees to it unless somebody else is chosen.
    """
    offered = _offered(before, proposed, zone, words)
    minutes = before.minutes if before else USUAL_MINUTES
    blocks: list[Block] = [
        choice(
            ActionId.POST_MORTEM_PROPOSED,
            words.plain("When"),
            offered,
            initial=next(iter(offered)),
            words=words,
        ),
        _own_time(words),
        choice(
            ActionId.POST_MORTEM_MINUTES,
            words.plain("How long"),
            {str(length): words.plain("{minutes} min", minutes=length) for length in LENGTHS},
            initial=str(minutes if minutes in LENGTHS else USUAL_MINUTES),
            words=words,
        ),
        _place(before.place if before else "", words),
        _owner(before.owner if before else owner, words),
        section(_about(number, facts, words)),
    ]
    seen = str(before.sequence) if before else ""
    return modal(
        callback=CallbackId.POST_MORTEM,
        title=words.plain("Move the post-mortem") if before else words.plain("Schedule post-mortem"),
        blocks=blocks,
        memory=remember(channel, str(number), seen),
        words=words,
        submit=words.plain("Move") if before else words.plain("Schedule"),
    )


def _offered(
    before: PostMortem | None, proposed: Sequence[datetime], zone: str, words: Words
) -> dict[str, str]:
    new = {moment.isoformat(): _written(moment, zone, words) for moment in proposed}
    if before is None:
        return new
    stays = words.plain("as it is: {when}", when=_written(before.starts_at, zone, words))
    return {before.starts_at.isoformat(): stays} | {
        moment: text for moment, text in new.items() if moment != before.starts_at.isoformat()
    }


def _written(moment: datetime, zone: str, words: Words) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    return f"{weekday_name(local, words)} {local:%Y-%m-%d %H:%M} ({offset_name(local)})"


def _own_time(words: Words) -> Block:
    return question(
        label=words.plain("Or another time"),
        element={"type": "datetimepicker", "action_id": ActionId.POST_MORTEM_AT},
        block=ActionId.POST_MORTEM_AT,
        hint=words.plain("In your own time zone; where it is filled in, it counts."),
    )


def _place(initial: str, words: Words) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": ActionId.POST_MORTEM_PLACE,
        "max_length": LONGEST_PLACE,
    }
    if initial:
        element["initial_value"] = initial
    return question(
        label=words.plain("Where: a room or a link"), element=element, block=ActionId.POST_MORTEM_PLACE
    )


def _owner(initial: PersonId, words: Words) -> Block:
    element: Block = {"type": "users_select", "action_id": ActionId.POST_MORTEM_OWNER}
    if not initial.startswith(COMMAND_LINE):
        element["initial_user"] = initial
    return question(
        label=words.plain("Who sees to it"),
        element=element,
        block=ActionId.POST_MORTEM_OWNER,
        hint=words.plain("They are reminded until it is held."),
        optional=False,
    )


def _about(number: IncidentNumber, facts: dict[str, Any] | None, words: Words) -> str:
    label = words.bold(incident_label(number))
    if facts is None:
        return words.say(
            "{label}: the invitation is posted in the incident's channel, with a calendar file and a "
            "document that is filled in as far as it is known.",
            label=label,
        )
    return words.say(
        "{label}: it is scheduled now for {when}. Calendars that have it take the new file as a change.",
        label=label,
        when=when(facts, words),
    )


def call_off_modal(number: IncidentNumber, sequence: str, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask why a meeting is called off."""
    why = long_text(
        ActionId.POST_MORTEM_WHY,
        words.plain("Why is it called off?"),
        hint=words.plain("It stands in the timeline."),
        limit=LONGEST_WHY,
    )
    label = words.bold(incident_label(number))
    about = words.say("{label}: nobody is reminded of its post-mortem any more.", label=label)
    return modal(
        callback=CallbackId.POST_MORTEM_CALL_OFF,
        title=words.plain("Call the meeting off"),
        blocks=[why, section(about)],
        memory=remember(channel, str(number), sequence),
        words=words,
        submit=words.plain("Call it off"),
    )
