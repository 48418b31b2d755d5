"""Lines to one person about watches, alerts and automatics: facts, words, now."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.alert import AlertState
from bot.domain.rollback import UnsureWhy
from bot.domain.timeline import BACKOUT
from bot.slack.text import Markup, Words
from bot.slack.views.alert_message import alert_state_name

Facts = Mapping[str, Any]


def _begun(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":white_check_mark: {target} is watched now: {canary} with {percent} % of the traffic, compared with "
        "{stable}.",
        target=words.bold(facts["target"]),
        canary=words.code(facts["canary"]),
        percent=facts["percent"],
        stable=words.code(facts["stable"]),
    )


def _already(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":information_source: {target} is watched already ({canary}): {who} began it {ago} ago. Nothing was "
        "changed.",
        target=words.bold(facts["target"]),
        canary=words.code(facts["canary"]),
        who=words.person(facts["by"]),
        ago=words.duration(max(now - datetime.fromisoformat(facts["at"]), timedelta())),
    )


def _ended(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":white_check_mark: {target} is not watched any more ({canary}). {command} watches it again.",
        target=words.bold(facts["target"]),
        canary=words.code(facts["canary"]),
        command=words.code(f"/canary watch {facts['target']}"),
    )


def _not_watched(facts: Facts, words: Words, now: datetime) -> Markup:
    text = words.say(
        ":information_source: Nothing of {target} is being watched, so nothing was changed.",
        target=words.bold(facts["target"]),
    )
    if not facts.get("at") or not facts.get("canary"):
        return text
    return words.say(
        "{text} The last watch, of {canary}, ended at {at}.",
        text=text,
        canary=words.code(facts["canary"]),
        at=words.moment(datetime.fromisoformat(facts["at"])),
    )


def _no_canary(facts: Facts, words: Words, now: datetime) -> Markup:
    target, why, detail = words.bold(facts["target"]), facts.get("why"), str(facts.get("detail") or "")[:300]
    if why == "fault":
        return words.say(
            ":x: Cloud Run could not be read, so {target} is not watched: {detail}",
            target=target,
            detail=detail,
        )
    if why == "target_gone":
        return words.say(":x: {target} is not in the playbook any more.", target=target)
    if why == UnsureWhy.CANARY_HAS_EVERYTHING:
        return words.say(
            ":information_source: {serving} has all of the traffic of {target}: there is nothing to compare "
            "it with, so nothing is watched.",
            serving=words.code(detail),
            target=target,
        )
    if why in set(UnsureWhy):
        return words.say(
            ":x: Which revision of {target} is the canary cannot be told from its traffic, so nothing is "
            "watched ({detail}).",
            target=target,
            detail=detail or words.say("no detail"),
        )
    return words.say(
        ":information_source: {target} has no canary with traffic, so there is nothing to watch. The watch "
        "begins by itself when one gets traffic, where the playbook says so.",
        target=target,
    )


def _answered(facts: Facts, words: Words, now: datetime) -> Markup:
    target = words.bold(facts["target"])
    if facts["reply"] == "hold":
        return _held(facts, words, now)
    if facts["reply"] == "stop":
        return words.say(
            ":white_check_mark: Stopped: {target} is not rolled back by itself, and its automatics are off "
            "until somebody arms them anew.",
            target=target,
        )
    if facts["reply"] == "not_the_canary":
        return words.say(
            ":white_check_mark: Noted: not the canary. {target} is not rolled back by itself.", target=target
        )
    return words.say(":white_check_mark: The rollback of {target} is asked for.", target=target)


def _held(facts: Facts, words: Words, now: datetime) -> Markup:
    return words.say(
        ":white_check_mark: The automatics of {target} wait until {until}. Alerts still come.",
        target=words.bold(facts["target"]),
        until=words.clock(datetime.fromisoformat(facts["until"])),
    )


def _decided(facts: Facts, words: Words, now: datetime) -> Markup:
    state = alert_state_name(AlertState(facts["state"]), words)
    text = words.say(
        ":information_source: This alert is settled: {state}. Nothing was done twice.", state=state
    )
    by, at = facts.get("by"), facts.get("at")
    if by is None or at is None:
        return text
    ago = words.duration(max(now - datetime.fromisoformat(at), timedelta()))
    if by == BACKOUT:
        return words.say("{text} Backout was faster, {ago} ago.", text=text, ago=ago)
    return words.say("{text} {who} was faster, {ago} ago.", text=text, who=words.person(by), ago=ago)


WATCH_NOTICES: Mapping[str, Callable[[Facts, Words, datetime], Markup]] = {
    "watch_begun": _begun,
    "watched_already": _already,
    "watch_ended": _ended,
    "not_watched": _not_watched,
    "no_canary": _no_canary,
    "alert_answered": _answered,
    "alert_decided": _decided,
    "automatics_held": _held,
}
