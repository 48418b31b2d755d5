"""One alert: the rule in one sentence, what the bot did or would have done, and what people can answer."""

from datetime import datetime
from math import floor
from typing import Any

from bot.domain.alarm import AlarmKind
from bot.domain.alert import FULL_WITHIN, UNANSWERED, Alert, AlertState, waits_for_the_score, way_of
from bot.domain.automatics import HOLD_FOR, NotByItself
from bot.domain.guide import Mode
from bot.domain.ids import incident_label
from bot.domain.playbook import Playbook
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Markup, Words
from bot.slack.views.alarm_words import (
    Facts,
    beside_lines,
    number,
    rule_sentence,
    verdict_word,
    what_happens,
    why_not_by_itself,
)
from bot.slack.views.modals import LONGEST_WHY, long_text, modal
from bot.slack.views.paragraphs import paragraphs
from bot.slack.views.parts import (
    SECTION_LIMIT,
    Block,
    actions,
    button,
    confirm,
    context,
    fit,
    header,
    section,
)
from bot.slack.views.rollback_message import Message

#: How many later alarms of the same canary are shown; the watch's thread holds all of them.
ALSO_SHOWN = 8
#: As much of somebody's reason as an alert shows.
WHY_SHOWN = 1000


def alert_message(alert: Alert, playbook: Playbook, words: Words, *, now: datetime) -> Message:
    """Render an alert as it stands; `now` (aware, UTC) decides whether a countdown is still running."""
    title = _title(alert, playbook, words)
    told = _sentence(alert, alert.kind, alert.facts, playbook, words)
    lines = [
        told,
        *_guide(alert, playbook, words),
        *beside_lines(alert.facts, words),
        *_also(alert, playbook, words),
        *_stands(alert, playbook, words, now=now),
    ]
    blocks: list[Block] = [header(title), *(section(text) for text in paragraphs(lines))]
    blocks.append(context(_foot(alert, words)))
    text = fit(words.say("{title}: {what}", title=title, what=told), SECTION_LIMIT)
    return Message(text=text, blocks=blocks + _buttons(alert, words))


def _sentence(alert: Alert, kind: AlarmKind, facts: Facts, playbook: Playbook, words: Words) -> Markup:
    at = _raised_at(alert, facts)
    return rule_sentence(kind, facts, words, canary=alert.canary, at=at, thresholds=playbook.thresholds)


def _raised_at(alert: Alert, facts: Facts) -> datetime:
    """When an alarm was raised; the data it goes by is never younger."""
    at = facts.get("at")
    return max(datetime.fromisoformat(at), alert.created_at) if isinstance(at, str) else alert.created_at


def _title(alert: Alert, playbook: Playbook, words: Words) -> str:
    verdict = verdict_word(alert.kind, playbook, words)
    what = what_happens(alert.kind, alert.facts, words)
    if alert.state in UNANSWERED:
        return words.plain(
            ":rotating_light: {verdict} · {target}: {what}", verdict=verdict, target=alert.target, what=what
        )
    return words.plain(
        "{verdict} · {target}: {what} · {state}",
        verdict=verdict,
        target=alert.target,
        what=what,
        state=alert_state_name(alert.state, words),
    )


def alert_state_name(state: AlertState, words: Words) -> str:
    """Return how an alert stands in a word or two, as plain text."""
    return {
        AlertState.TOLD: words.plain("told"),
        AlertState.OPEN: words.plain("waiting for an answer"),
        AlertState.COUNTDOWN: words.plain("about to roll back by itself"),
        AlertState.ROLLED_BACK: words.plain("rolling back"),
        AlertState.STOPPED: words.plain("stopped"),
        AlertState.NOT_THE_CANARY: words.plain("not the canary"),
        AlertState.OVER: words.plain("over"),
    }[state]


def _guide(alert: Alert, playbook: Playbook, words: Words) -> list[Markup]:
    rule = playbook.rule(alert.kind)
    if rule is None:
        return []
    return [
        words.say(
            ":scales: The guide: {situation} → {verdict}: {action}",
            situation=rule.situation.in_(words.locale),
            verdict=words.bold(rule.verdict.in_(words.locale)),
            action=words.bold(rule.action.in_(words.locale)),
        )
    ]


def _also(alert: Alert, playbook: Playbook, words: Words) -> list[Markup]:
    lines = []
    for facts in alert.also[-ALSO_SHOWN:]:
        named = facts.get("kind")
        kind = AlarmKind(named) if named in set(AlarmKind) else alert.kind
        told = _sentence(alert, kind, facts, playbook, words)
        lines.append(words.say("Also, at {at}: {what}", at=words.clock(_raised_at(alert, facts)), what=told))
    left = len(alert.also) - len(lines)
    return [words.say("… {rest} more in the watch's thread", rest=left), *lines] if left else lines


def _stands(alert: Alert, playbook: Playbook, words: Words, *, now: datetime) -> list[Markup]:
    """What the bot did or would have done in the other mode, or how the alert ended."""
    told = {
        AlertState.TOLD: _told,
        AlertState.OPEN: _recommended,
        AlertState.COUNTDOWN: _counting,
        AlertState.ROLLED_BACK: _rolled_back,
        AlertState.STOPPED: _stopped,
        AlertState.NOT_THE_CANARY: _not_the_canary,
        AlertState.OVER: _over,
    }[alert.state](alert, playbook, words, now)
    why = alert.why.strip()
    if not why or alert.state in UNANSWERED:
        return [told]
    return [told, words.say("Reason: {reason}", reason=why[:WHY_SHOWN])]


def _told(alert: Alert, playbook: Playbook, words: Words, now: datetime) -> Markup:
    if alert.kind is AlarmKind.SHARED:
        return words.say(
            ":warning: *It is not the canary's fault*, so nothing is rolled back, in no mode: stable would "
            "be as bad with all of the traffic. Look for what both share, and get more people."
        )
    text = words.say("In mode {mode} it only tells; nothing was changed.", mode=words.code(Mode.TELL))
    return words.say("{text} {other}", text=text, other=_in_mode_auto(alert, playbook, words))


def _recommended(alert: Alert, playbook: Playbook, words: Words, now: datetime) -> Markup:
    if alert.kind is AlarmKind.SHARED:
        return _told(alert, playbook, words, now)
    why = _because(alert.not_by_itself, alert.mode, words)
    text = words.say(
        ":point_right: *Recommended: roll back.* The bot only recommends it, because {why}.", why=why
    )
    return words.say("{text} {other}", text=text, other=_in_mode_auto(alert, playbook, words))


def _in_mode_auto(alert: Alert, playbook: Playbook, words: Words) -> Markup:
    """Say what would have happened in mode ``auto``; where that is the mode, without what held it back."""
    within = _within(alert, playbook, words)
    if alert.mode == Mode.AUTO:
        return words.say("Otherwise it would roll back by itself {within}.", within=within)
    auto, held_back = words.code(Mode.AUTO), str(alert.gravest.get("held_back") or "")
    if held_back in set(NotByItself):
        return words.say(
            "In mode {auto} it would not roll back by itself either, because {why}.",
            auto=auto,
            why=_because(held_back, Mode.AUTO, words),
        )
    return words.say("In mode {auto} it would roll back by itself {within}.", auto=auto, within=within)


def _within(alert: Alert, playbook: Playbook, words: Words) -> Markup:
    named = alert.gravest.get("kind")
    kind = AlarmKind(named) if named in set(AlarmKind) else alert.kind
    seconds = way_of(playbook, kind).stop_seconds
    return words.say("within {seconds} s", seconds=seconds) if seconds else words.say("at once")


def _counting(alert: Alert, playbook: Playbook, words: Words, now: datetime) -> Markup:
    at = alert.fires_at or now
    other = words.say("In mode {mode} it would only ask.", mode=words.code(Mode.RECOMMEND))
    waits = waits_for_the_score(alert)
    if at <= now and waits is None:
        return words.say(":hourglass: *Backout is rolling back by itself.* {other}", other=other)
    if at <= now:
        return words.say(
            ":hourglass: The score is not full yet. *Backout waits up to {seconds:.0f} s more*, and rolls "
            "back by itself only if it fills. {other}",
            seconds=FULL_WITHIN.total_seconds(),
            other=other,
        )
    text = words.say(
        ":hourglass: *Backout rolls back by itself* at {at} unless somebody presses Stop. {other}",
        at=words.clock(at),
        other=other,
    )
    if waits is None:
        return text
    return words.say(
        "{text} The score is {percent:.0f} % full; it rolls back only if it is full by then.",
        text=text,
        # Rounded down: nothing is called full that is not.
        percent=floor(number(waits, "trigger_percent") or 0.0),
    )


def _rolled_back(alert: Alert, playbook: Playbook, words: Words, now: datetime) -> Markup:
    at = words.clock(alert.at or alert.created_at)
    if not _by_a_person(alert):
        return words.say(
            ":arrow_right_hook: Backout asked for the rollback by itself, {at}. In mode {mode} it would have "
            "asked first. Automatics are off now until somebody arms them anew.",
            at=at,
            mode=words.code(Mode.RECOMMEND),
        )
    return words.say(
        ":arrow_right_hook: {who} asked for the rollback, {at}.", who=words.person(alert.by or ""), at=at
    )


def _stopped(alert: Alert, playbook: Playbook, words: Words, now: datetime) -> Markup:
    return words.say(
        ":no_entry_sign: {who} stopped the automatic rollback, {at}. Nothing was changed, and automatics "
        "are off until somebody arms them anew. A person can still roll back.",
        who=_who(alert, words),
        at=words.clock(alert.at or alert.created_at),
    )


def _not_the_canary(alert: Alert, playbook: Playbook, words: Words, now: datetime) -> Markup:
    return words.say(
        ":no_entry_sign: {who} says that it is not the canary, {at}. Nothing was changed, and this canary is "
        "not rolled back by itself.",
        who=_who(alert, words),
        at=words.clock(alert.at or alert.created_at),
    )


def _over(alert: Alert, playbook: Playbook, words: Words, now: datetime) -> Markup:
    return words.say(
        ":white_circle: Over since {at}: the canary has no traffic any more, or nobody watches it.",
        at=words.clock(alert.at or alert.created_at),
    )


def _by_a_person(alert: Alert) -> bool:
    return alert.by is not None and alert.by != "backout"


def _who(alert: Alert, words: Words) -> Markup:
    return words.person(alert.by) if alert.by else words.say("Somebody")


def _because(why: str, mode: str, words: Words) -> Markup:
    if why not in set(NotByItself):
        return words.say("a person should decide")
    return why_not_by_itself(NotByItself(why), words, mode=mode)


def _foot(alert: Alert, words: Words) -> Markup:
    text = words.say(
        "{canary} has {percent} % of the traffic, {stable} the rest. Alert of {at}.",
        canary=words.code(alert.canary[:200]),
        percent=alert.percent,
        stable=words.code(alert.stable[:200]),
        at=words.moment(alert.created_at),
    )
    minutes = number({"minutes": alert.minutes}, "minutes")
    if minutes is not None:
        text = words.say("{text} Deployed {minutes:.0f} min before.", text=text, minutes=max(minutes, 0.0))
    if alert.incident is None:
        return text
    return words.say("{text} Incident {label}.", text=text, label=words.bold(incident_label(alert.incident)))


def _buttons(alert: Alert, words: Words) -> list[Block]:
    if alert.state is AlertState.STOPPED:
        return [actions(_roll_back(alert, words))]
    if alert.state not in UNANSWERED:
        return []
    not_it = button(words.plain("Not the canary…"), action=ActionId.ALERT_NOT_THE_CANARY, value=alert.id)
    hold = button(
        words.plain("Hold automatics for {minutes} min", minutes=int(HOLD_FOR.total_seconds() // 60)),
        action=ActionId.ALERT_HOLD,
        value=alert.id,
    )
    if alert.kind is AlarmKind.SHARED:
        return [actions(hold)]
    if alert.state is AlertState.TOLD:
        return [actions(not_it, hold)]
    go = _roll_back(alert, words)
    if alert.state is AlertState.OPEN:
        return [actions(go, not_it, hold)]
    stop = button(words.plain("Stop"), action=ActionId.ALERT_STOP, value=alert.id, style="primary")
    return [actions(stop, go, not_it, hold)]


def _roll_back(alert: Alert, words: Words) -> Block:
    sure = confirm(
        title=words.plain("Roll back {target}?", target=alert.target),
        text=words.say(
            "100 % of the traffic goes to {stable}; {canary} gets none.",
            stable=alert.stable,
            canary=alert.canary,
        ),
        yes=words.plain("Roll back"),
        no=words.plain("Not yet"),
        danger=True,
    )
    go = words.plain("Roll back now")
    return button(go, action=ActionId.ALERT_ROLL_BACK, value=alert.id, style="danger", confirm=sure)


def not_the_canary_modal(alert_id: str, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask why it is not the canary; it stands in the timeline."""
    told = words.say(
        "The alert ends, a countdown stops, and this canary is not rolled back by itself. A person can still "
        "roll it back."
    )
    asked = long_text(
        ActionId.ALERT_WHY,
        words.plain("Why is it not the canary?"),
        hint=words.plain("It stands in the timeline."),
        limit=LONGEST_WHY,
    )
    return modal(
        callback=CallbackId.ALERT_NOT_THE_CANARY,
        title=words.plain("Not the canary"),
        blocks=[asked, section(told)],
        memory=remember(channel, alert_id),
        words=words,
        submit=words.plain("It is not"),
    )
