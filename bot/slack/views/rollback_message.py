"""One rollback in one message: the question, then its progress, then the verdict."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.by_hand import gcloud_line
from bot.domain.decision import applying
from bot.domain.diagnosis import Safety
from bot.domain.flags import Colour, Flag, flags, looks_healthy
from bot.domain.ids import incident_label
from bot.domain.playbook import Playbook, Topology
from bot.domain.rollback import ENDED, Plan, Proof, Rollback, RollbackState, UnsureWhy, Verdict
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.evidence import evidence_line
from bot.slack.views.faults import what_to_do
from bot.slack.views.numbers import reading_line
from bot.slack.views.paragraphs import CONTEXT_LIMIT, paragraphs
from bot.slack.views.parts import (
    Block,
    actions,
    button,
    confirm,
    context,
    header,
    option,
    section,
    select,
)
from bot.slack.views.progress import progress_line
from bot.slack.views.rules import rule_lines
from bot.slack.views.safety import all_the_same, safety_blocks


@dataclass(frozen=True, kw_only=True)
class Message:
    """What goes to Slack: `text` is what a screen reader and a notification say."""

    text: str
    blocks: list[Block]


def rollback_message(
    rollback: Rollback,
    playbook: Playbook,
    words: Words,
    *,
    now: datetime,
    safety: Safety | None = None,
) -> Message:
    """Render a rollback as it stands; `safety` is what the open incident's scenario asks before it."""
    if rollback.state is RollbackState.ASKED:
        return _question(rollback, playbook, words, safety)
    if rollback.state in (RollbackState.CANCELLED, RollbackState.EXPIRED):
        return _withdrawn(rollback, words)
    if rollback.plan is None:
        return _impossible(rollback, playbook, words)
    return _progress(rollback, rollback.plan, playbook, words, now=now)


def _question(rollback: Rollback, playbook: Playbook, words: Words, safety: Safety | None) -> Message:
    if rollback.plan is None:
        return _which_is_stable(rollback, words) if rollback.candidates else _looking(rollback, words)
    plan = rollback.plan
    coloured = flags(rollback.before, playbook.thresholds, now=rollback.asked_at)
    healthy = looks_healthy(coloured)
    title = words.plain("Roll back {target}?", target=rollback.target)
    return Message(
        text=words.say("{title} {canary} → {stable}", title=title, canary=plan.canary, stable=plan.stable),
        blocks=[
            header(title),
            section(_who_and_what(rollback, plan, words)),
            section(_numbers(rollback, coloured, words)),
            section(_health(coloured, rollback.twice, words)),
            *_rules(rollback, playbook, coloured, words),
            section(_what_will_happen(plan, words)),
            *(safety_blocks(safety, words, controls=True, rollback=rollback.id) if safety else ()),
            _buttons(rollback, plan, words, healthy=healthy, safety=safety),
            context(_by_hand(rollback, playbook, words)),
        ],
    )


def _who_and_what(rollback: Rollback, plan: Plan, words: Words) -> str:
    lines = [
        words.say(
            "{who} asks to take {canary} out of traffic ({percent} % now) and give everything to {stable}.",
            who=words.person(rollback.asked_by),
            canary=words.code(plan.canary),
            percent=plan.canary_percent,
            stable=words.code(plan.stable),
        )
    ]
    if rollback.reason:
        lines.append(words.say("Reason: {reason}", reason=rollback.reason))
    if rollback.deployed_at:
        since = rollback.asked_at - rollback.deployed_at
        lines.append(words.say("Deployed {since} before.", since=words.duration(max(since, timedelta()))))
    return "\n".join(lines)


def _numbers(rollback: Rollback, coloured: tuple[Flag, ...], words: Words) -> str:
    if not coloured:
        return words.say("No numbers could be read.")
    return "\n".join(reading_line(f, words, now=rollback.asked_at) for f in coloured)


def _health(coloured: tuple[Flag, ...], twice: bool, words: Words) -> str:
    if looks_healthy(coloured):
        if twice:
            return words.say(
                ":warning: *The canary looks healthy.* You asked to roll it back all the same. Really?"
            )
        return words.say(":information_source: *The canary looks healthy*: nothing is yellow or red.")
    if any(f.colour is Colour.RED for f in coloured):
        return words.say(":rotating_light: *The canary is red*: the guide says to consider a rollback.")
    if any(f.colour is Colour.YELLOW for f in coloured):
        return words.say(":warning: *The canary is yellow*: the guide says to find the cause.")
    return words.say(":grey_question: *Whether the canary is healthy cannot be told* from this data.")


def _rules(rollback: Rollback, playbook: Playbook, coloured: tuple[Flag, ...], words: Words) -> list[Block]:
    applied = applying(playbook.rules, coloured)
    lines = rule_lines(applied, words, now=rollback.asked_at)
    return [context(*paragraphs(lines, limit=CONTEXT_LIMIT))] if lines else []


def _what_will_happen(plan: Plan, words: Words) -> str:
    if plan.topology is Topology.SERVICES:
        return words.say(
            "What will happen: {variable} of the router {service} is set to 0 on a new revision, and "
            "stable is watched until it is proven well. The canary service stays, for evidence.",
            variable=words.code(plan.variable or ""),
            service=words.code(plan.service),
        )
    return words.say(
        "What will happen: 100 % of {service} is pinned to {stable}, tags are kept, and stable is "
        "watched until it is proven well. The canary revision stays, for evidence.",
        service=words.code(plan.service),
        stable=words.code(plan.stable),
    )


def _buttons(rollback: Rollback, plan: Plan, words: Words, *, healthy: bool, safety: Safety | None) -> Block:
    cancel = button(words.plain("Cancel"), action=ActionId.CANCEL, value=rollback.id)
    if safety is not None and safety.open:
        return actions(cancel)
    if safety is not None and safety.holds_back:
        action = ActionId.ROLL_BACK_ALL_THE_SAME
        return actions(all_the_same(safety, words, action=action, value=rollback.id), cancel)
    go = words.plain("Roll back")
    if healthy:
        go = words.plain("Yes, roll back") if rollback.twice else words.plain("Roll back all the same")
    sure = confirm(
        title=words.plain("Roll back {target}?", target=rollback.target),
        text=words.say(
            "100 % of the traffic goes to {stable}; {canary} gets none.",
            stable=plan.stable,
            canary=plan.canary,
        ),
        yes=words.plain("Roll back"),
        no=words.plain("Not yet"),
        danger=True,
    )
    return actions(
        button(go, action=ActionId.ROLL_BACK, value=rollback.id, style="danger", confirm=sure), cancel
    )


def _by_hand(rollback: Rollback, playbook: Playbook, words: Words) -> str:
    target = playbook.target(rollback.target)
    if target is None:
        return words.say("This target is no longer in the playbook.")
    stable = rollback.plan.stable if rollback.plan else None
    line = gcloud_line(target, project=target.project, stable=stable)
    return words.say("By hand: {line}", line=words.code(line))


def _looking(rollback: Rollback, words: Words) -> Message:
    """Render a rollback whose target is being read, at first or once stable was chosen."""
    text = words.say("Looking at {target} …", target=words.bold(rollback.target))
    return Message(text=text, blocks=[section(text)])


def _which_is_stable(rollback: Rollback, words: Words) -> Message:
    title = words.plain("Which revision is stable?")
    choices = [
        option(
            words.plain("{revision}, {when}", revision=r.name, when=f"{r.created_at:%Y-%m-%d %H:%M UTC}"),
            r.name,
        )
        for r in rollback.candidates
    ]
    return Message(
        text=title,
        blocks=[
            header(title),
            section(_unsure(rollback, words)),
            {
                **actions(
                    select(
                        action=ActionId.CHOOSE_STABLE,
                        placeholder=words.plain("Choose the stable revision"),
                        options=choices,
                    ),
                    button(words.plain("Cancel"), action=ActionId.CANCEL, value=rollback.id),
                ),
                "block_id": f"stable:{rollback.id}",
            },
        ],
    )


def _unsure(rollback: Rollback, words: Words) -> Markup:
    why, _, detail = (rollback.problem or "")[:1000].partition(":")
    known = {
        UnsureWhy.CANARY_HAS_EVERYTHING: words.say(
            "{detail} has 100 % of the traffic, so the traffic does not tell which revision was good. "
            "These are ready, newest first; choose the one to go back to.",
            detail=words.code(detail),
        ),
        UnsureWhy.TIE: words.say(
            "Several revisions serve the same share ({detail}), so the traffic does not tell which one "
            "is stable. Choose it.",
            detail=detail,
        ),
        UnsureWhy.STABLE_MISSING: words.say(
            "The stable revision of the playbook ({detail}) is not there. Choose another one.", detail=detail
        ),
        UnsureWhy.STABLE_NOT_READY: words.say(
            "The stable revision {detail} is not ready, so traffic must not go there. Choose another one.",
            detail=words.code(detail),
        ),
        UnsureWhy.VARIABLE_UNREADABLE: words.say(
            "The router's variable says {detail}, which is not a percentage from 0 to 100, so the "
            "canary's share is not known. Correct it by hand.",
            detail=words.code(detail),
        ),
    }
    other = words.say("Which revision is stable cannot be told.")
    return known.get(UnsureWhy(why), other) if why in set(UnsureWhy) else other


def _withdrawn(rollback: Rollback, words: Words) -> Message:
    if rollback.state is RollbackState.CANCELLED:
        text = words.say(
            "Rollback of {target} cancelled by {who}. Nothing was changed.",
            target=words.bold(rollback.target),
            who=words.person(rollback.decided_by or rollback.asked_by),
        )
    else:
        text = words.say(
            "The question whether to roll back {target} is more than 15 minutes old, so it no longer "
            "counts. Nothing was changed. Ask again with {command}.",
            target=words.bold(rollback.target),
            command=words.code(f"/rollback {rollback.target}"),
        )
    return Message(text=text, blocks=[section(text)])


def _impossible(rollback: Rollback, playbook: Playbook, words: Words) -> Message:
    title = words.plain("{target} cannot be rolled back by the bot", target=rollback.target)
    lines = [_unsure(rollback, words), words.say("Nothing was changed.")]
    return Message(
        text=title,
        blocks=[header(title), section("\n".join(lines)), context(_by_hand(rollback, playbook, words))],
    )


def _progress(rollback: Rollback, plan: Plan, playbook: Playbook, words: Words, *, now: datetime) -> Message:
    title = headline(rollback, words)
    blocks = [
        header(title),
        section(_decided(rollback, plan, words)),
        section(_steps(rollback, words, now=now)),
    ]
    if rollback.evidence:
        lines = [evidence_line(e, words, now=rollback.ended_at or now) for e in rollback.evidence]
        blocks.append(section("\n".join(lines)))
    blocks += [section(text) for text in _afterwards(rollback, plan, playbook, words)]
    return Message(text=words.say("{title} ({target})", title=title, target=rollback.target), blocks=blocks)


def headline(rollback: Rollback, words: Words) -> str:
    """Return where a rollback stands, in a few plain words; "done" only where it was seen."""
    target = rollback.target
    return {
        RollbackState.REQUESTED: words.plain("Rolling back {target} …", target=target),
        RollbackState.APPLIED: words.plain("Rolling back {target}: written, settling …", target=target),
        RollbackState.SETTLED: words.plain("Rolling back {target}: settled, proving …", target=target),
        RollbackState.UNKNOWN: words.plain("{target}: outcome unknown, still checking", target=target),
        RollbackState.VERIFIED: words.plain("{target} is rolled back and verified", target=target),
        RollbackState.NOT_VERIFIED: words.plain(
            "Rollback of {target} applied, but NOT verified", target=target
        ),
        RollbackState.FAILED: words.plain("The rollback of {target} FAILED", target=target),
        RollbackState.NOTHING_TO_DO: words.plain("{target}: nothing was left to roll back", target=target),
    }.get(rollback.state, rollback.state.value)


def _decided(rollback: Rollback, plan: Plan, words: Words) -> Markup:
    text = words.say(
        "{who}: {canary} ({percent} %) → {stable}.",
        who=words.person(rollback.decided_by or rollback.asked_by),
        canary=words.code(plan.canary),
        percent=plan.canary_percent,
        stable=words.code(plan.stable),
    )
    if rollback.incident is not None:
        label = words.bold(incident_label(rollback.incident))
        text = words.say("{text} Incident {label}.", text=text, label=label)
    if rollback.forced:
        text = words.say("{text} Forced: health was not asked about.", text=text)
    return (
        words.say("{text}\nReason: {reason}", text=text, reason=rollback.reason) if rollback.reason else text
    )


def _steps(rollback: Rollback, words: Words, *, now: datetime) -> str:
    steps = (
        (words.say("requested"), rollback.requested_at),
        (words.say("applied"), rollback.applied_at),
        (words.say("settled"), rollback.settled_at),
        (words.say("verified"), rollback.ended_at if rollback.state is RollbackState.VERIFIED else None),
    )
    began, over = rollback.requested_at or rollback.asked_at, rollback.ended_at is not None
    return "\n".join(
        progress_line(name, at, words, began=began, now=now, over=over)
        for name, at in _up_to_now(steps, rollback)
    )


def _up_to_now(
    steps: tuple[tuple[Markup, datetime | None], ...], rollback: Rollback
) -> list[tuple[Markup, datetime | None]]:
    """All steps while it runs; once ended, those that were reached and the first that was not."""
    if rollback.state not in ENDED:
        return list(steps)
    reached = [step for step in steps if step[1] is not None]
    return reached + [step for step in steps if step[1] is None][:1]


def _afterwards(rollback: Rollback, plan: Plan, playbook: Playbook, words: Words) -> list[str]:
    """What to know or do next, for the state it is in."""
    texts: list[str] = []
    if rollback.state in (RollbackState.FAILED, RollbackState.NOT_VERIFIED, RollbackState.UNKNOWN):
        texts.append(_trouble(rollback, playbook, words))
    if rollback.state in (RollbackState.VERIFIED, RollbackState.NOT_VERIFIED):
        texts.append(_what_is_not_proven(plan, words))
        if plan.topology is Topology.REVISIONS:
            texts.append(
                words.say(
                    ":pushpin: Traffic is now pinned: later deployments of {service} get 0 % until it is "
                    "released by hand with {line}.",
                    service=words.code(plan.service),
                    line=words.code(f"gcloud run services update-traffic {plan.service} --to-latest"),
                )
            )
    return texts


def _trouble(rollback: Rollback, playbook: Playbook, words: Words) -> str:
    lines: list[str] = [what_to_do(rollback, words)] if rollback.problem else []
    bad = [e for e in rollback.evidence if e.verdict is not Verdict.PROVEN]
    if any(
        e.verdict is Verdict.DISPROVEN and e.proof in (Proof.ERROR_RATE, Proof.P95, Proof.PROBE) for e in bad
    ):
        lines.append(
            words.say(
                "Stable itself is not well, so it may not be the canary's fault: get more people before "
                "anything else is changed."
            )
        )
    elif bad:
        lines.append(
            words.say("Look at it with {command}.", command=words.code(f"/canary status {rollback.target}"))
        )
    lines.append(_by_hand(rollback, playbook, words))
    return "\n".join(lines)


def _what_is_not_proven(plan: Plan, words: Words) -> str:
    if plan.topology is Topology.SERVICES:
        return words.say(
            "Not provable from here: callers that hold the address of {canary} itself. The silence above "
            "is what its request log shows.",
            canary=words.code(plan.canary),
        )
    return words.say(
        "Not provable from here: requests that were under way when the traffic moved, and callers of a "
        "tag's own address."
    )
