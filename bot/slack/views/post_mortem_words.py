"""A post-mortem in words: when it is, its lines in the timeline, and what people are told of it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Severity
from bot.domain.post_mortem import MeetingState, PostMortem, Reminder
from bot.slack.text import Markup, Words
from bot.slack.views.incident_words import severity_name

Facts = Mapping[str, Any]
Notice = Callable[[Facts, Words, datetime], Markup]


def weekday_name(at: datetime, words: Words) -> str:
    """Return a day's name, short, of a moment in its own zone."""
    return (
        words.plain("Mon"),
        words.plain("Tue"),
        words.plain("Wed"),
        words.plain("Thu"),
        words.plain("Fri"),
        words.plain("Sat"),
        words.plain("Sun"),
    )[at.weekday()]


def offset_name(local: datetime) -> str:
    """Return a moment's distance from UTC: ``UTC+09:00``."""
    offset = f"{local:%z}"
    return "UTC" if local.utcoffset() == timedelta() else f"UTC{offset[:3]}:{offset[3:]}"


def zone_time(starts_at: datetime, minutes: int, zone: str, words: Words) -> str:
    """Return a meeting's time in the zone it was planned in, with its offset: no reader can mistake it."""
    local = starts_at.astimezone(ZoneInfo(zone))
    over = (starts_at + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone))
    offset = offset_name(local)
    named = zone if zone == offset else f"{offset}, {zone}"
    return f"{weekday_name(local, words)} {local:%Y-%m-%d %H:%M}–{over:%H:%M} ({named})"


def when(facts: Facts, words: Words) -> Markup:
    """Return when a meeting is: in the reader's own zone by Slack, and in the zone it was planned in."""
    starts_at = datetime.fromisoformat(facts["starts_at"])
    planned = words.safe(zone_time(starts_at, facts["minutes"], facts["zone"], words))
    if not words.style.slack_dates:
        return planned
    return words.say("{yours}, that is {planned}", yours=readers_time(starts_at), planned=planned)


def readers_time(at: datetime) -> Markup:
    """Return a moment as Slack shows it in the reader's own zone, without seconds."""
    utc = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Markup(f"<!date^{int(at.timestamp())}^{{date_long}} {{time}}|{utc}>")


def place_name(place: str, words: Words) -> Markup:
    """Return where it is, as somebody wrote it; an address can be followed."""
    return words.link(place, place) if place else words.say("not said yet")


def standing_of(meeting: PostMortem, words: Words) -> Markup:
    """Return how a meeting stands, in a few words: when it is, or what became of it."""
    if meeting.state is MeetingState.HELD:
        return words.say("held")
    if meeting.state is MeetingState.CALLED_OFF:
        return words.say("cancelled")
    return readers_time(meeting.starts_at)


# The timeline's lines.


def set_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return the line of a meeting that was scheduled, moved, or changed at its time."""
    place, owner = place_name(facts["place"], words), words.person(facts["owner"])
    if facts.get("before"):
        return words.say(
            "{who} moved the post-mortem from {before} to {when}; place: {place}; {owner} sees to it",
            who=who,
            before=words.moment(datetime.fromisoformat(facts["before"])),
            when=words.bold(when(facts, words)),
            place=place,
            owner=owner,
        )
    if facts.get("changed"):
        return words.say(
            "{who} changed the post-mortem, still at {when}; place: {place}; {owner} sees to it",
            who=who,
            when=words.bold(when(facts, words)),
            place=place,
            owner=owner,
        )
    return words.say(
        "{who} scheduled the post-mortem for {when}; place: {place}; {owner} sees to it",
        who=who,
        when=words.bold(when(facts, words)),
        place=place,
        owner=owner,
    )


def held_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return the line of a meeting that was held."""
    return words.say("The post-mortem was held, says {who}", who=who)


def called_off_line(facts: Facts, who: Markup, words: Words) -> Markup:
    """Return the line of a meeting that was called off."""
    if facts.get("into"):
        return words.say(
            "The post-mortem is called off: that of {into} is about this as well",
            into=incident_label(IncidentNumber(facts["into"])),
        )
    return words.say("{who} called the post-mortem off: {why}", who=who, why=facts["why"])


def seen_scheduled(facts: Facts, words: Words) -> Markup:
    """Return what the tick of the checklist's step rests on."""
    return words.say(
        "scheduled by {who}, at first for {at}",
        who=words.person(facts["by"]),
        at=words.moment(datetime.fromisoformat(facts["starts_at"])),
    )


# Lines to one person.


def _label(facts: Facts, words: Words) -> Markup:
    return words.bold(incident_label(IncidentNumber(facts["incident"])))


def _set(facts: Facts, words: Words, now: datetime) -> Markup:
    state, who = MeetingState(facts["state"]), words.person(facts["by"])
    if state is MeetingState.HELD:
        return words.say(
            ":white_check_mark: The post-mortem of {label} was held, says {who}. Nobody is reminded any "
            "more.",
            label=_label(facts, words),
            who=who,
        )
    if state is MeetingState.CALLED_OFF:
        return words.say(
            ":heavy_minus_sign: {who} called the post-mortem of {label} off. The calendar's file says so "
            "too.",
            label=_label(facts, words),
            who=who,
        )
    return words.say(
        ":calendar: The post-mortem of {label}: {when}. Place: {place}. Set by {who}; {owner} sees to it.",
        label=_label(facts, words),
        when=words.bold(when(facts, words)),
        place=place_name(facts["place"], words),
        who=who,
        owner=words.person(facts["owner"]),
    )


def _stands(facts: Facts, words: Words, now: datetime) -> Markup:
    label = _label(facts, words)
    if facts["state"] is None:
        return words.say(
            ":information_source: No post-mortem of {label} is scheduled. Nothing was changed.", label=label
        )
    state = MeetingState(facts["state"])
    if state is MeetingState.HELD:
        return words.say(
            ":information_source: The post-mortem of {label} was held. Nothing was changed.", label=label
        )
    if state is MeetingState.CALLED_OFF:
        return words.say(
            ":information_source: The post-mortem of {label} is called off. Nothing was changed; {command} "
            "schedules it anew.",
            label=label,
            command=words.code(f"/incident postmortem {facts['incident']}"),
        )
    return words.say(
        ":information_source: The post-mortem of {label} is scheduled: {when}, by {who}. Nothing was "
        "changed.",
        label=label,
        when=words.bold(when(facts, words)),
        who=words.person(facts["by"]) if facts.get("by") else words.say("Backout"),
    )


def _due(facts: Facts, words: Words, now: datetime) -> Markup:
    reminder = Reminder(facts["reminder"])
    if reminder is Reminder.NONE_SET:
        return none_set_text(IncidentNumber(facts["incident"]), Severity(facts["severity"]), words)
    if reminder is Reminder.SOON:
        return words.say(
            ":bell: The post-mortem of {label} begins soon: {when}. Place: {place}. You see to it; the "
            "document is in its thread.",
            label=_label(facts, words),
            when=words.bold(when(facts, words)),
            place=place_name(facts["place"], words),
        )
    if reminder is Reminder.HELD:
        return words.say(
            ":grey_question: Was the post-mortem of {label} held? It was to be: {when}.",
            label=_label(facts, words),
            when=when(facts, words),
        )
    return words.say(
        ":grey_question: Nobody says whether the post-mortem of {label} was held ({when}); {owner} was asked "
        "and has not answered. Say what became of it, move it, or call it off.",
        label=_label(facts, words),
        when=when(facts, words),
        owner=words.person(facts["owner"]),
    )


def none_set_text(number: IncidentNumber, severity: Severity, words: Words) -> Markup:
    """Say that a grave incident is closed without a post-mortem."""
    return words.say(
        ":calendar: {label} is closed and has no post-mortem yet. Its severity was {severity}: others can "
        "learn from it.",
        label=words.bold(incident_label(number)),
        severity=severity_name(severity, words),
    )


POST_MORTEM_NOTICES: Mapping[str, Notice] = {
    "meeting_set": _set,
    "meeting_stands": _stands,
    "meeting_due": _due,
}
