"""One change of a canary in one message: the question, then its progress, then how it ended."""

from datetime import datetime

from bot.domain.by_hand import change_lines
from bot.domain.change import ENDED_CHANGE, Change, ChangeKind, ChangePlan, ChangeState
from bot.domain.ids import incident_label
from bot.domain.playbook import Playbook, Topology
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.change_words import kind_name, steps_of, why_not
from bot.slack.views.parts import Block, actions, button, confirm, context, header, section
from bot.slack.views.progress import progress_line
from bot.slack.views.rollback_message import Message


def change_message(change: Change, playbook: Playbook, words: Words, *, now: datetime) -> Message:
    """Render a change as it stands."""
    if change.state is ChangeState.ASKED and change.plan is not None:
        return _question(change, change.plan, playbook, words)
    if change.state is ChangeState.ASKED:
        return _one_line(words.say("Looking at {target} …", target=words.bold(change.target)))
    if change.state in (ChangeState.CANCELLED, ChangeState.EXPIRED):
        return _one_line(_withdrawn(change, words))
    if change.plan is None:
        return _impossible(change, playbook, words)
    return _progress(change, change.plan, playbook, words, now=now)


def _one_line(text: Markup) -> Message:
    return Message(text=text, blocks=[section(text)])


def _question(change: Change, plan: ChangePlan, playbook: Playbook, words: Words) -> Message:
    title = _title(change, words)
    return Message(
        text=words.say("{title} {steps}", title=title, steps=steps_of(change, words)),
        blocks=[
            header(title),
            section(_who_and_what(change, plan, words)),
            section(_what_will_happen(change, plan, words)),
            _buttons(change, plan, words),
            context(_by_hand(change, playbook, words)),
        ],
    )


def _title(change: Change, words: Words) -> str:
    if change.kind is ChangeKind.REDUCE_TRAFFIC:
        return words.plain("Reduce the canary's traffic on {target}?", target=change.target)
    return words.plain("Add resources to the canary of {target}?", target=change.target)


def _who_and_what(change: Change, plan: ChangePlan, words: Words) -> str:
    lines = [
        words.say(
            "{who} asks to {what}, {canary}: {steps}.",
            who=words.person(change.asked_by),
            what=kind_name(change.kind, words),
            canary=words.code(plan.canary),
            steps=words.bold(steps_of(change, words)),
        )
    ]
    if change.incident is not None:
        lines.append(words.say("Incident {label}.", label=words.bold(incident_label(change.incident))))
    return "\n".join(lines)


def _what_will_happen(change: Change, plan: ChangePlan, words: Words) -> Markup:
    if change.kind is ChangeKind.ADD_RESOURCES:
        return _what_resources_do(plan, words)
    if plan.topology is Topology.SERVICES:
        return words.say(
            "What will happen: {variable} of the router {service} is set to {percent} on a new revision, and "
            "Cloud Run is watched until that revision serves. The rest goes to {stable}.",
            variable=words.code(plan.variable or ""),
            service=words.code(plan.service),
            percent=change.percent or 0,
            stable=words.code(plan.stable),
        )
    return words.say(
        "What will happen: {canary} gets {percent} % of {service} by name and {stable} gets {rest} %; tags "
        "are kept, and Cloud Run is watched until it serves that. Any other revision gets nothing.",
        canary=words.code(plan.canary),
        percent=change.percent or 0,
        service=words.code(plan.service),
        stable=words.code(plan.stable),
        rest=100 - (change.percent or 0),
    )


def _what_resources_do(plan: ChangePlan, words: Words) -> Markup:
    if plan.by_name:
        return words.say(
            "What will happen: {service} gets a new revision of the same image with these limits. At first "
            "nothing moves; when it is ready, it takes over the {percent} % of {old} by name. Tags stay "
            "where they are. The instances start afresh, so what they hold in memory is lost.",
            service=words.code(plan.service),
            percent=plan.percent,
            old=words.code(plan.replaces or ""),
        )
    return words.say(
        "What will happen: {service} gets a new revision of the same image with these limits. When it is "
        "ready, the {percent} % of {old} follow to it, as the service is configured. The instances start "
        "afresh, so what they hold in memory is lost.",
        service=words.code(plan.service),
        percent=plan.percent,
        old=words.code(plan.replaces or ""),
    )


def _buttons(change: Change, plan: ChangePlan, words: Words) -> Block:
    sure = confirm(
        title=_title(change, words),
        text=words.say("{canary}: {steps}.", canary=plan.canary, steps=steps_of(change, words)),
        yes=words.plain("Do it"),
        no=words.plain("Not yet"),
    )
    return actions(
        button(
            words.plain("Do it"), action=ActionId.CHANGE_GO, value=change.id, style="primary", confirm=sure
        ),
        button(words.plain("Cancel"), action=ActionId.CHANGE_CANCEL, value=change.id),
    )


def _by_hand(change: Change, playbook: Playbook, words: Words) -> Markup:
    target = playbook.target(change.target)
    if target is None:
        return words.say("This target is no longer in the playbook.")
    lines = change_lines(target, change, project=target.project)
    return words.say("By hand: {line}", line=Markup(" · ".join(words.code(line) for line in lines)))


def _withdrawn(change: Change, words: Words) -> Markup:
    what, target = kind_name(change.kind, words), words.bold(change.target)
    if change.state is ChangeState.EXPIRED:
        return words.say(
            "The question whether to {what} on {target} is more than 15 minutes old, so it no longer counts. "
            "Nothing was changed. Ask again from the incident.",
            what=what,
            target=target,
        )
    return words.say(
        "The question whether to {what} on {target} was withdrawn by {who}. Nothing was changed.",
        what=what,
        target=target,
        who=words.person(change.decided_by or change.asked_by),
    )


def _impossible(change: Change, playbook: Playbook, words: Words) -> Message:
    title = {
        ChangeKind.REDUCE_TRAFFIC: words.plain(
            "The canary's traffic on {target} stays", target=change.target
        ),
        ChangeKind.ADD_RESOURCES: words.plain(
            "The canary's resources on {target} stay", target=change.target
        ),
    }[change.kind]
    asked = words.say(
        "{who} asked to {what}: {steps}.",
        who=words.person(change.asked_by),
        what=kind_name(change.kind, words),
        steps=steps_of(change, words),
    )
    lines = [asked, why_not(change.problem, words, target=change.target), words.say("Nothing was changed.")]
    blocks = [header(title), section("\n".join(lines))]
    if change.state is ChangeState.FAILED:
        blocks.append(context(_by_hand(change, playbook, words)))
    return Message(text=title, blocks=blocks)


def _progress(
    change: Change, plan: ChangePlan, playbook: Playbook, words: Words, *, now: datetime
) -> Message:
    title = change_headline(change, words)
    blocks = [
        header(title),
        section(_decided(change, plan, words)),
        section(_steps(change, words, now=now)),
    ]
    if change.problem:
        blocks.append(section(why_not(change.problem, words, target=change.target)))
    if change.state in (ChangeState.FAILED, ChangeState.NOT_VERIFIED, ChangeState.UNKNOWN):
        look = words.code(f"/canary status {change.target}")
        blocks.append(section(words.say("Look at it with {command}.", command=look)))
        blocks.append(context(_by_hand(change, playbook, words)))
    if change.state is ChangeState.DONE and _is_pinned(change, plan):
        blocks.append(section(_pinned(plan, words)))
    return Message(text=words.say("{title} ({target})", title=title, target=change.target), blocks=blocks)


def change_headline(change: Change, words: Words) -> str:
    """Return where a change stands, in a few plain words; "done" only where it was seen."""
    if change.kind is ChangeKind.REDUCE_TRAFFIC:
        return _traffic_headline(change, words)
    return _resources_headline(change, words)


def _traffic_headline(change: Change, words: Words) -> str:
    target = change.target
    running = words.plain("Reducing the canary's traffic on {target} …", target=target)
    return {
        ChangeState.DONE: words.plain("The canary's traffic on {target} is reduced", target=target),
        ChangeState.NOTHING_TO_DO: words.plain(
            "The canary's traffic on {target} was low enough already", target=target
        ),
        ChangeState.NOT_VERIFIED: words.plain(
            "The canary's traffic on {target}: written, but NOT verified", target=target
        ),
        ChangeState.FAILED: words.plain("Reducing the canary's traffic on {target} FAILED", target=target),
        ChangeState.OVERTAKEN: words.plain("{target}: overtaken by a rollback", target=target),
        ChangeState.UNKNOWN: words.plain("{target}: outcome unknown, still checking", target=target),
    }.get(change.state, running)


def _resources_headline(change: Change, words: Words) -> str:
    target = change.target
    running = words.plain("Adding resources to the canary of {target} …", target=target)
    return {
        ChangeState.DONE: words.plain("The canary of {target} has more resources", target=target),
        ChangeState.NOTHING_TO_DO: words.plain(
            "The canary of {target} had these resources already", target=target
        ),
        ChangeState.NOT_VERIFIED: words.plain(
            "Resources of the canary of {target}: written, but NOT verified", target=target
        ),
        ChangeState.FAILED: words.plain("Adding resources to the canary of {target} FAILED", target=target),
        ChangeState.OVERTAKEN: words.plain("{target}: overtaken by a rollback", target=target),
        ChangeState.UNKNOWN: words.plain("{target}: outcome unknown, still checking", target=target),
    }.get(change.state, running)


def _decided(change: Change, plan: ChangePlan, words: Words) -> Markup:
    text = words.say(
        "{who}: {canary}: {steps}.",
        who=words.person(change.decided_by or change.asked_by),
        canary=words.code(plan.canary),
        steps=words.bold(steps_of(change, words)),
    )
    if change.incident is None:
        return text
    return words.say("{text} Incident {label}.", text=text, label=words.bold(incident_label(change.incident)))


def _steps(change: Change, words: Words, *, now: datetime) -> str:
    steps = (
        (words.say("requested"), change.requested_at),
        (words.say("applied"), change.applied_at),
        (words.say("seen to serve"), change.settled_at),
    )
    began, over = change.requested_at or change.asked_at, change.ended_at is not None
    lines = [progress_line(name, at, words, began=began, now=now, over=over) for name, at in steps]
    if change.state in ENDED_CHANGE and change.state is not ChangeState.DONE:
        reached = sum(1 for _, at in steps if at is not None)
        return "\n".join(lines[: reached + (change.state is not ChangeState.NOTHING_TO_DO)])
    return "\n".join(lines)


def _is_pinned(change: Change, plan: ChangePlan) -> bool:
    """True where shares were given by name, so that a later deployment gets none."""
    if change.kind is ChangeKind.ADD_RESOURCES:
        return plan.by_name
    return plan.topology is Topology.REVISIONS


def _pinned(plan: ChangePlan, words: Words) -> Markup:
    # No `--to-latest` here: the newest revision is the canary, and it would get everything.
    return words.say(
        ":pushpin: Traffic is given by name: later deployments of {service} get 0 % until somebody gives "
        "them a share.",
        service=words.code(plan.service),
    )
