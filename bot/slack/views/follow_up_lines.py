"""Sentences about follow-ups: in the timeline, and to whoever has just pressed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain.follow_up import FollowUpState
from bot.domain.ids import incident_in, incident_label
from bot.slack.text import Markup, Words

Facts = Mapping[str, Any]


# The timeline: facts, who did it, words.


def planned_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """The scenario's follow-ups are tasks now."""
    return words.say("Follow-ups to do: {titles}", titles=_titles(facts, words))


def left_out_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Those of another scenario are not needed."""
    return words.say(
        "Follow-ups left out, because the scenario has changed: {titles}", titles=_titles(facts, words)
    )


def taken_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Somebody does it."""
    return words.say("{who} does the follow-up {title}", who=who, title=_title(facts, words))


def given_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Somebody gets it."""
    return words.say(
        "{who} gave the follow-up {title} to {owner}",
        who=who,
        title=_title(facts, words),
        owner=words.person(facts["owner"]),
    )


def moved_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """The due day is another one."""
    text = words.say(
        "{who} moved the follow-up {title} from {before} to {due}",
        who=who,
        title=_title(facts, words),
        before=words.moment(datetime.fromisoformat(facts["before"])),
        due=words.moment(datetime.fromisoformat(facts["due_at"])),
    )
    return _with_reason(text, facts, words)


def done_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """It is done."""
    return words.say("{who} has done the follow-up {title}", who=who, title=_title(facts, words))


def dropped_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """It need not be done."""
    text = words.say("{who} dropped the follow-up {title}", who=who, title=_title(facts, words))
    return _with_reason(text, facts, words)


def reopened_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """It is to be done after all."""
    return words.say("{who} opened the follow-up {title} again", who=who, title=_title(facts, words))


def _with_reason(text: Markup, facts: Facts, words: Words) -> Markup:
    why = facts.get("why")
    return words.say("{text}: {reason}", text=text, reason=why) if why else text


def _titles(facts: Facts, words: Words) -> Markup:
    return Markup(", ".join(words.bold(_in(titles, words)) for titles in facts["titles"]))


def _title(facts: Facts, words: Words) -> Markup:
    return words.bold(_in(facts["title"], words))


def _in(titles: Any, words: Words) -> str:
    if not isinstance(titles, Mapping):
        return str(titles)
    return str(titles.get(words.locale) or titles.get("en") or "")


# To one person: facts, words, now.


def saved_notice(facts: Facts, words: Words, now: datetime) -> Markup:
    """What they pressed has been done."""
    return words.say(":white_check_mark: {how}", how=_stands(facts, words))


def stands_notice(facts: Facts, words: Words, now: datetime) -> Markup:
    """They pressed on an older card."""
    return words.say(
        ":information_source: Nothing was changed. This is how it stands: {how}", how=_stands(facts, words)
    )


def given_notice(facts: Facts, words: Words, now: datetime) -> Markup:
    """Somebody gave them a follow-up."""
    return words.say(
        ":inbox_tray: {who} gave you a follow-up of {label}: {title}, due {due}. See {command}.",
        who=words.person(facts["by"]),
        label=_label(facts),
        title=_title(facts, words),
        due=_due(facts, words),
        command=_command(facts, words),
    )


def due_notice(facts: Facts, words: Words, now: datetime) -> Markup:
    """A follow-up of theirs is due."""
    late = now - datetime.fromisoformat(facts["due_at"])
    text = words.say(
        ":calendar: A follow-up of {label} is due: {title}.", label=_label(facts), title=_title(facts, words)
    )
    if late.days:
        text = words.say(
            ":calendar: A follow-up of {label} is {days} days overdue: {title}.",
            label=_label(facts),
            days=late.days,
            title=_title(facts, words),
        )
    return words.say(
        "{text} Say with {command} that it is done, move the date, or drop it.",
        text=text,
        command=_command(facts, words),
    )


def _stands(facts: Facts, words: Words) -> Markup:
    title, state = _title(facts, words), FollowUpState(facts["state"])
    by = words.person(facts["by"]) if facts.get("by") else words.say("Backout")
    if state is FollowUpState.DONE:
        return words.say("{title} is done ({who}).", title=title, who=by)
    if state is FollowUpState.DROPPED:
        return words.say("{title} is dropped ({who}).", title=title, who=by)
    owner = words.person(facts["owner"]) if facts.get("owner") else words.say("nobody yet")
    return words.say("{title} is open: {who}, due {due}.", title=title, who=owner, due=_due(facts, words))


def _due(facts: Facts, words: Words) -> Markup:
    return words.moment(datetime.fromisoformat(facts["due_at"]))


def _label(facts: Facts) -> str:
    return incident_label(incident_in(facts["follow_up"]))


def _command(facts: Facts, words: Words) -> Markup:
    return words.code(f"/incident followups {incident_in(facts['follow_up'])}")
