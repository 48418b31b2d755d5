"""What changes, resources and the reasons against a change are called."""

from collections.abc import Mapping
from typing import Any

from bot.domain.change import CannotChange, CannotWhy, Change, ChangeKind, ChangeState, cannot_from
from bot.domain.resources import Resource, Resources
from bot.domain.rollback import UnsureWhy
from bot.slack.text import Markup, Words
from bot.slack.views.faults import stored_problem


def resource_name(resource: Resource, words: Words) -> Markup:
    """Return what a resource is called."""
    return {
        Resource.MEMORY: words.say("memory"),
        Resource.CPU: words.say("CPU"),
        Resource.MIN_INSTANCES: words.say("min instances"),
        Resource.MAX_INSTANCES: words.say("max instances"),
    }[resource]


def resource_amount(resource: Resource, amount: int) -> Markup:
    """Return an amount with its unit, the same in every language: "1 GiB", "2 CPU", "10"."""
    if resource is Resource.MEMORY:
        return Markup(f"{amount // 1024} GiB" if amount % 1024 == 0 else f"{amount} MiB")
    if resource is Resource.CPU:
        return Markup(f"{amount / 1000:g} CPU")
    return Markup(amount)


def percent_step(before: int | None, after: int, words: Words) -> Markup:
    """Return "10 % → 5 %"; without what was before, "5 %"."""
    if before is None:
        return words.say("{after} %", after=after)
    return words.say("{before} % → {after} %", before=before, after=after)


def resource_steps(before: Resources, after: Resources, words: Words) -> Markup:
    """Return "memory 512 MiB → 1 GiB, CPU 1 CPU → 2 CPU" for everything `after` says."""
    steps = [_step(resource, before.of(resource), amount, words) for resource, amount in after.said()]
    return Markup(", ".join(steps))


def _step(resource: Resource, before: int | None, after: int, words: Words) -> Markup:
    name, there = resource_name(resource, words), resource_amount(resource, after)
    if before is None:
        return words.say("{name} {there}", name=name, there=there)
    here = resource_amount(resource, before)
    return words.say("{name} {here} → {there}", name=name, here=here, there=there)


def steps_of(change: Change, words: Words) -> Markup:
    """Return from what to what a change goes, as far as it is known."""
    if change.kind is ChangeKind.REDUCE_TRAFFIC:
        return percent_step(change.plan.percent if change.plan else None, change.percent or 0, words)
    before = (change.plan.before if change.plan else None) or Resources()
    return resource_steps(before, change.resources or Resources(), words)


def steps_from(facts: Mapping[str, Any], words: Words) -> Markup:
    """Return the same from the facts of a timeline entry or notice (`change_facts`)."""
    if facts["kind_of_change"] == ChangeKind.REDUCE_TRAFFIC:
        return percent_step(facts.get("from_percent"), facts["to_percent"], words)
    return resource_steps(Resources(**facts.get("from", {})), Resources(**facts["to"]), words)


def kind_name(kind: ChangeKind, words: Words) -> Markup:
    """Return what a kind of change is called. Source: guide, scenario 2, options B and C."""
    if kind is ChangeKind.REDUCE_TRAFFIC:
        return words.say("reduce the canary's traffic")
    return words.say("add resources to the canary")


def change_state_name(state: ChangeState, words: Words) -> str:
    """Return where a change stands in one or two words, as plain text."""
    return {
        ChangeState.ASKED: words.plain("asked for"),
        ChangeState.REQUESTED: words.plain("requested"),
        ChangeState.APPLIED: words.plain("applied"),
        ChangeState.DONE: words.plain("done and seen"),
        ChangeState.NOT_VERIFIED: words.plain("applied, not verified"),
        ChangeState.FAILED: words.plain("failed"),
        ChangeState.NOTHING_TO_DO: words.plain("nothing left to do"),
        ChangeState.UNKNOWN: words.plain("unknown, still checking"),
        ChangeState.OVERTAKEN: words.plain("overtaken by a rollback"),
        ChangeState.CANCELLED: words.plain("cancelled"),
        ChangeState.EXPIRED: words.plain("expired"),
        ChangeState.REFUSED: words.plain("refused"),
    }[state]


def why_not(problem: str | None, words: Words, *, target: str) -> Markup:
    """Return why a change was refused or went wrong, and what to do, from what it keeps as its problem."""
    cannot = cannot_from(problem)
    if cannot is not None:
        return cannot_text(cannot, words, target=target)
    kind, _, rest = (problem or "").partition(":")
    if kind == "overtaken":
        return words.say(
            "A rollback by {who} goes first, so this was left where it was.", who=words.person(rest)
        )
    if kind == "slow":
        return words.say("Cloud Run took it, but was not seen to serve it in time.")
    if kind == "fighting":
        return words.say(
            "Somebody keeps changing the service ({who}). Talk to them, then ask again.", who=rest
        )
    return stored_problem(problem, words)


def cannot_text(cannot: CannotChange, words: Words, *, target: str) -> Markup:
    """Return why a change is not possible, and what to write instead."""
    if cannot.why in _ABOUT_RESOURCES:
        return _about_resources(cannot, words)
    if cannot.why is CannotWhy.UNSURE:
        return _unsure(cannot, words)
    return {
        CannotWhy.ROLLBACK_INSTEAD: words.say(
            "No traffic at all is a rollback: use {command}.", command=words.code(f"/rollback {target}")
        ),
        CannotWhy.NOT_LOWER: _not_lower(cannot, words),
        CannotWhy.NO_CANARY: words.say(
            "The canary gets no traffic; {serving} serves.", serving=words.code(cannot.about)
        ),
        CannotWhy.NO_CANARY_SERVICE: words.say(
            "There is no service {service}, so it cannot be changed.", service=words.code(cannot.about)
        ),
        CannotWhy.NOT_SERVING: words.say(
            "The newest revision of {service}, {revision}, is not the one that serves: a change would bring "
            "other code into traffic. Deploy or roll back first.",
            service=words.code(cannot.detail),
            revision=words.code(cannot.about or "?"),
        ),
        CannotWhy.NOTHING_ASKED: words.say("Nothing was asked for: choose at least one resource."),
        CannotWhy.CHANGED: words.say(
            "{service} was changed meanwhile ({who}), so the bot stopped. Look at it, then ask again.",
            service=words.code(cannot.about),
            who=cannot.detail,
        ),
        CannotWhy.TOO_LATE: words.say(
            "It could not be carried out for more than 15 minutes after the decision. Ask again if it is "
            "still wanted."
        ),
        CannotWhy.NO_TARGET: words.say(
            "The playbook has no target {target} any more.", target=words.code(cannot.about)
        ),
        CannotWhy.REVISION_FAILED: words.say(
            "The new revision {revision} does not start, so the old one goes on serving. "
            "Google said: {detail}",
            revision=words.code(cannot.about),
            detail=cannot.detail,
        ),
    }[cannot.why]


def _not_lower(cannot: CannotChange, words: Words) -> Markup:
    if not cannot.instead:
        return words.say(
            "The canary has {now} % now; less is a rollback. The share is never raised.", now=cannot.detail
        )
    return words.say(
        "The canary has {now} % now, and the share is never raised: write a number from 1 to {most}.",
        now=cannot.detail,
        most=cannot.instead,
    )


def _unsure(cannot: CannotChange, words: Words) -> Markup:
    known = {
        UnsureWhy.CANARY_HAS_EVERYTHING: words.say(
            "{detail} has 100 % of the traffic, so the traffic does not tell which revision is stable. "
            "Name it in the playbook (stable_revision), then ask again.",
            detail=words.code(cannot.detail),
        ),
        UnsureWhy.TIE: words.say(
            "Several revisions serve the same share ({detail}), so the traffic does not tell which one is "
            "stable. Name it in the playbook (stable_revision), then ask again.",
            detail=cannot.detail,
        ),
        UnsureWhy.STABLE_MISSING: words.say(
            "The stable revision of the playbook ({detail}) is not there.", detail=cannot.detail
        ),
        UnsureWhy.STABLE_NOT_READY: words.say(
            "The stable revision {detail} is not ready, so no traffic may go there.",
            detail=words.code(cannot.detail),
        ),
        UnsureWhy.VARIABLE_UNREADABLE: words.say(
            "The router's variable says {detail}, which is not a percentage from 0 to 100. Correct it by "
            "hand.",
            detail=words.code(cannot.detail),
        ),
    }
    return known[UnsureWhy(cannot.about)]


_ABOUT_RESOURCES = frozenset(
    {
        CannotWhy.UNREADABLE,
        CannotWhy.NOT_MORE,
        CannotWhy.TOO_MUCH,
        CannotWhy.NOT_ALLOWED,
        CannotWhy.NEEDS_CPU,
        CannotWhy.NEEDS_MEMORY,
        CannotWhy.MIN_ABOVE_MAX,
    }
)


def _about_resources(cannot: CannotChange, words: Words) -> Markup:
    def amount(resource: Resource, written: str) -> Markup:
        return resource_amount(resource, int(written))

    if cannot.why is CannotWhy.NEEDS_CPU:
        return words.say(
            "{memory} of memory need {cpu} at least: choose them together.",
            memory=amount(Resource.MEMORY, cannot.detail),
            cpu=amount(Resource.CPU, cannot.instead),
        )
    if cannot.why is CannotWhy.NEEDS_MEMORY:
        return words.say(
            "{cpu} need {memory} of memory at least: choose them together.",
            cpu=amount(Resource.CPU, cannot.detail),
            memory=amount(Resource.MEMORY, cannot.instead),
        )
    if cannot.why is CannotWhy.MIN_ABOVE_MAX:
        return words.say(
            "Min instances would be more than max instances ({most}): raise max instances to {instead} as "
            "well.",
            most=cannot.detail,
            instead=cannot.instead,
        )
    resource = Resource(cannot.about)
    name = resource_name(resource, words)
    if cannot.why is CannotWhy.UNREADABLE:
        return words.say("What {name} is now cannot be read, so it is not changed.", name=name)
    there = amount(resource, cannot.detail)
    if cannot.why is CannotWhy.NOT_MORE and not cannot.instead:
        return words.say("The canary has the most there is of {name} already: {now}.", name=name, now=there)
    values = {"given": there, "name": name, "instead": amount(resource, cannot.instead)}
    return {
        CannotWhy.NOT_MORE: words.say(
            "The canary has {given} ({name}) already, and only more is possible: {instead} or more.", **values
        ),
        CannotWhy.TOO_MUCH: words.say(
            "{given} ({name}) is more than Cloud Run has: {instead} at most.", **values
        ),
        CannotWhy.NOT_ALLOWED: words.say(
            "{given} ({name}) is not one of Cloud Run's sizes: the nearest is {instead}.", **values
        ),
    }[cannot.why]
