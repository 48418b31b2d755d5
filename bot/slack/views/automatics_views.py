"""A target's automatics: what they would have done, what arming means, and the buttons for it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain.alarm import AlarmKind
from bot.domain.automatics import Automatics, NotByItself
from bot.domain.guide import Mode
from bot.domain.ids import PersonId, TargetName
from bot.domain.playbook import Permission, Playbook
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.alarm_words import rule_sentence, why_not_by_itself
from bot.slack.views.paragraphs import paragraphs
from bot.slack.views.parts import SECTION_LIMIT, Block, actions, button, confirm, fit, header, section
from bot.slack.views.rollback_message import Message
from bot.slack.views.watch_words import automatics_line

Facts = Mapping[str, Any]

#: As many times of the back-test as one message lists; the newest ones.
TIMES_SHOWN = 10
#: As much of a source's own words as a line shows.
PROBLEM_SHOWN = 300


def back_test_message(facts: Facts, playbook: Playbook, words: Words, *, now: datetime) -> Message:
    """Render the first step of arming: what would have happened, what it means, and the second step.

    `facts` are those of `Said.BACK_TEST`: how the automatics stand, and what the back-test found.
    """
    title = words.plain("Automatic rollback of {target}", target=facts["target"])
    lines = [_stands(facts, playbook, words, now=now), *_now(facts, words)]
    lines += [_fired(facts, words), *_caveats(facts, words), *_times(facts, playbook, words)]
    lines += [_what_it_means(playbook, words), _who_may(playbook, words)]
    return _message(title, lines, facts, words)


def automatics_message(facts: Facts, playbook: Playbook, words: Words, *, now: datetime) -> Message:
    """Render how a target's automatics stand, after somebody has switched them; see `Said.AUTOMATICS`."""
    title = words.plain("Automatic rollback of {target}", target=facts["target"])
    lines = [_stands(facts, playbook, words, now=now), *_now(facts, words)]
    if not facts.get("changed", True):
        lines.insert(0, words.say(":information_source: It was so already. Nothing was changed."))
    return _message(title, lines, facts, words)


def _message(title: str, lines: list[Markup], facts: Facts, words: Words) -> Message:
    blocks: list[Block] = [header(title), *(section(text) for text in paragraphs(lines))]
    text = fit("\n".join([words.safe(title), *lines]), SECTION_LIMIT)
    return Message(text=text, blocks=[*blocks, actions(_switch(facts, words))])


def _stands(facts: Facts, playbook: Playbook, words: Words, *, now: datetime) -> Markup:
    at, held_until = facts.get("at"), facts.get("held_until")
    known = Automatics(
        id=TargetName(facts["target"]),
        created_at=now,
        armed=bool(facts["armed"]),
        by=PersonId(facts["by"]) if facts.get("by") else None,
        at=datetime.fromisoformat(at) if at else None,
        off_why=facts.get("off_why") or "",
        held_until=datetime.fromisoformat(held_until) if held_until else None,
        held_by=PersonId(facts["held_by"]) if facts.get("held_by") else None,
    )
    return automatics_line(known, facts["target"], playbook, words, now=now)


def _now(facts: Facts, words: Words) -> list[Markup]:
    """Say what would keep the bot from rolling back the canary of this moment, arming aside."""
    why = facts.get("not_by_itself")
    if why not in set(NotByItself) or why == NotByItself.NOT_ARMED:
        return []
    return [
        words.say(
            ":warning: The canary that is watched now, {canary}, would not be rolled back by itself all the "
            "same, because {why}.",
            canary=words.code(facts["canary"]),
            why=why_not_by_itself(NotByItself(why), words, mode=Mode.RECOMMEND),
        )
    ]


def _fired(facts: Facts, words: Words) -> Markup:
    text = words.say(
        ":scales: *Back-test*: it would have fired {times} in the last {days} days, over {minutes} minutes "
        "with a canary ({kinds} canaries).",
        times=words.bold(_so_often(facts["count"], words)),
        days=facts["days"],
        minutes=facts["minutes"],
        kinds=facts["canaries"],
    )
    if facts["would_count"] > facts["count"]:
        text = words.say(
            "{text} With every rule in mode {auto}: {times}.",
            text=text,
            auto=words.code(Mode.AUTO),
            times=_so_often(facts["would_count"], words),
        )
    return words.say(
        "{text} A rollback would have been recommended for {count} of them.",
        text=text,
        count=facts["recommended"],
    )


def _so_often(count: int, words: Words) -> Markup:
    return words.say("once") if count == 1 else words.say("{count} times", count=count)


def _caveats(facts: Facts, words: Words) -> list[Markup]:
    lines = [
        words.say(
            "It goes by Cloud Monitoring's minutes alone. The watch also reads the request log and probes, "
            "and is faster."
        )
    ]
    if facts["problem"]:
        lines.append(
            words.say(
                ":warning: Not all of it could be read, so it may have fired more often: {why}",
                why=str(facts["problem"])[:PROBLEM_SHOWN],
            )
        )
    if not facts["minutes"]:
        lines.append(
            words.say(":warning: There was no minute with a canary to test it on: this says nothing.")
        )
    return lines


def _times(facts: Facts, playbook: Playbook, words: Words) -> list[Markup]:
    times = facts["times"][-TIMES_SHOWN:]
    lines = []
    for hit in times:
        at = datetime.fromisoformat(hit["at"])
        told = rule_sentence(
            AlarmKind(hit["kind"]), hit, words, canary=hit["canary"], at=at, thresholds=playbook.thresholds
        )
        lines.append(
            words.say(
                "• {at}, mode {mode}: {what}", at=words.moment(at), mode=words.code(hit["mode"]), what=told
            )
        )
    left = facts["would_count"] - len(times)
    return [*lines, words.say("… {rest} more", rest=left)] if left > 0 else lines


def _what_it_means(playbook: Playbook, words: Words) -> Markup:
    return words.say(
        "*What arming means*: Backout may roll this target back by itself, once, where a rule with {auto} "
        "applies. It says so first, with a Stop button as long as the rule allows; it goes the way every "
        "rollback goes, calls whoever leads the deployment, and is off afterwards. At most {hour:d} an "
        "hour and {day:d} a day. It never undoes what a person did, and never leaves a revision it went to "
        "itself.",
        auto=words.code("mode: auto"),
        hour=playbook.watch.most_automatic_per_hour,
        day=playbook.watch.most_automatic_per_day,
    )


def _who_may(playbook: Playbook, words: Words) -> Markup:
    roles = [words.code(name) for name in playbook.roles_with(Permission.ROLL_BACK)]
    if not roles:
        return words.say("Nobody may arm it: no role of the playbook may roll back.")
    return words.say(
        "Whoever may roll back may arm it (roles {roles}); everybody may switch it off.",
        roles=Markup(", ".join(roles)),
    )


def _switch(facts: Facts, words: Words) -> Block:
    target = facts["target"]
    if facts["armed"]:
        return button(words.plain("Disarm"), action=ActionId.DISARM, value=target)
    sure = confirm(
        title=words.plain("Arm {target}?", target=target),
        text=words.say("Backout may then roll {target} back by itself, once.", target=target),
        yes=words.plain("Arm it"),
        no=words.plain("Not yet"),
        danger=True,
    )
    return button(words.plain("Arm…"), action=ActionId.ARM, value=target, style="danger", confirm=sure)
