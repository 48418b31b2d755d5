"""What the timeline and the lines to one person say about texts for people."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.domain.announcement import AnnouncementState
from bot.domain.ids import IncidentNumber, incident_label
from bot.slack.text import Markup, Words, clean
from bot.slack.views.announcement import channel_names

Facts = Mapping[str, Any]

#: As much of a text as a line to one person can give back; whole texts are at most five times as long
#: once they are escaped, and what is cut says so.
_GIVEN_BACK = 2400


def _title(facts: Facts, words: Words) -> Markup:
    titles = facts.get("title") or {}
    return words.bold(titles.get(words.locale) or facts.get("notice") or "?")


def written_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """A text waits for somebody to agree."""
    return words.say("{who} wrote {notice}; it waits for approval", who=who, notice=_title(facts, words))


def edited_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """A waiting text was changed."""
    return words.say("{who} edited {notice}; it waits for approval", who=who, notice=_title(facts, words))


def posted_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """People were told."""
    channels = channel_names(facts["channels"])
    return words.say(
        "{who} posted {notice} in {channels}", who=who, notice=_title(facts, words), channels=channels
    )


def dropped_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """A text was held back."""
    return words.say(
        "{who} dropped {notice}: {why}",
        who=who,
        notice=_title(facts, words),
        why=clean(str(facts["why"]), limit=500),
    )


def refused_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """A channel did not take a text."""
    return words.say(
        "{channel} did not take the notice {notice}: {why}",
        channel=channel_names([facts["channel"]]),
        notice=_title(facts, words),
        why=words.code(str(facts["why"])),
    )


def due_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """The next update is due."""
    return words.say("Reminded: the next update is due (last: {notice})", notice=_title(facts, words))


def _label(facts: Facts) -> str:
    return incident_label(IncidentNumber(facts["incident"]))


def _text(facts: Facts) -> str:
    return clean(str(facts.get("text", "")), limit=_GIVEN_BACK)


def _no_such(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: The playbook of {label} has no notice {notice}. Nothing was posted; this is your text:\n{text}",
        label=_label(facts),
        notice=words.code(facts["notice"]),
        text=_text(facts),
    )


def _left(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: Nothing was posted: {left} is still to be filled in. This is your text:\n{text}",
        left=" · ".join(facts["left"])[:500],
        text=_text(facts),
    )


def _waits(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":hourglass_flowing_sand: Your text for {label} waits for approval. It is then posted in {channels}.",
        label=_label(facts),
        channels=channel_names(facts["channels"]),
    )


def _posted(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":white_check_mark: Your text for {label} goes to {channels}.",
        label=_label(facts),
        channels=channel_names(facts["channels"]),
    )


def _kept(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":information_source: The text you edited was decided on meanwhile. Yours is kept as a new one that "
        "waits for approval."
    )


def _changed(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":information_source: {who} edited this text meanwhile, so nothing was posted. Read it as it stands "
        "now, then approve it.",
        who=words.person(facts["by"]),
    )


def _decided(facts: Facts, words: Words, now: datetime) -> Markup:
    if facts["by"] is None and facts["state"] is None:
        return words.say(":information_source: There is no such text any more. Nothing was changed.")
    state = {
        AnnouncementState.POSTED: words.say("posted"),
        AnnouncementState.DROPPED: words.say("dropped"),
    }[AnnouncementState(facts["state"])]
    if facts["by"] is None:
        return words.say(
            ":information_source: This text is {state} already. Nothing was done twice.", state=state
        )
    return words.say(
        ":information_source: {who} was faster: this text is {state} already. Nothing was done twice.",
        who=words.person(facts["by"]),
        state=state,
    )


def _own(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":no_entry: Nothing was posted: whoever wrote a text does not approve it. Please ask {who}.",
        who=words.person(facts["commander"]),
    )


def _channel(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":x: {channel} did not take your text for {label}: {why}. Invite the bot to it or correct the "
        "playbook, and post it there yourself meanwhile:\n{text}",
        channel=channel_names([facts["channel"]]),
        label=_label(facts),
        why=words.code(facts["why"]),
        text=_text(facts),
    )


#: For `bot.slack.views.notices`, by the value of `bot.usecases.ports.Said`.
TELLING_NOTICES: Mapping[str, Callable[[Facts, Words, datetime], Markup]] = {
    "no_such_notice": _no_such,
    "placeholder_left": _left,
    "announcement_waits": _waits,
    "announcement_posted": _posted,
    "announcement_decided": _decided,
    "announcement_changed": _changed,
    "announcement_kept": _kept,
    "not_your_own": _own,
    "channel_refused": _channel,
}
