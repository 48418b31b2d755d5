"""Errors from Google in words: what failed, what state things are in, what to do."""

from collections.abc import Mapping
from typing import Any

from bot.domain.faults import FaultKind
from bot.domain.rollback import Rollback
from bot.slack.text import Markup, Words


def advice(kind: FaultKind, words: Words, *, permission: str | None = None) -> Markup:
    """Return what a person should do about a kind of trouble."""
    return {
        FaultKind.PERMISSION: words.say(
            "Give the bot's service account the permission {permission} on this service (and "
            "iam.serviceAccounts.actAs on its runtime account), then ask again.",
            permission=words.code(permission or "run.services.update"),
        ),
        FaultKind.LOGIN: words.say(
            "The bot has no valid Google credentials: check its service account, then ask again."
        ),
        FaultKind.NOT_FOUND: words.say(
            "Check project, region and service name of this target in the playbook: Google knows none such."
        ),
        FaultKind.INVALID: words.say(
            "Google refused the change as written. Please report this, and use the line by hand."
        ),
        FaultKind.CONFLICT: words.say(
            "Somebody else changed the service at the same moment. Look at it, then ask again."
        ),
        FaultKind.QUOTA: words.say(
            "Google's quota for this project is used up for the moment. Ask again in a minute."
        ),
        FaultKind.UNREACHABLE: words.say(
            "Google Cloud does not answer. Ask again, or use the line by hand from another network."
        ),
        FaultKind.OTHER: words.say(
            "Google answered something unexpected. Look at the service, then ask again."
        ),
    }[kind]


def attempt(doing: str, words: Words) -> Markup:
    """Return what was tried (`CloudFault.doing`) in the reader's language, what is unknown as it is."""
    verb, _, what = doing.rpartition(" ")
    return {
        "look at": words.say("look at {what}", what=what),
        "read service": words.say("read service {what}", what=what),
        "list the revisions of": words.say("list the revisions of {what}", what=what),
        "write service": words.say("write service {what}", what=what),
        "dry run of a write to service": words.say(
            "try a write to service {what} without making it", what=what
        ),
        "test permissions on service": words.say("test permissions on service {what}", what=what),
        "find the project of": words.say("find the project of {what}", what=what),
    }.get(verb, words.safe(doing))


def fault_text(facts: Mapping[str, Any], words: Words) -> Markup:
    """Return a fault from its facts (see `bot.usecases.faults.fault_facts`)."""
    kind = FaultKind(facts["kind"])
    state = {
        False: words.say("Nothing was changed."),
        True: words.say("The change was written."),
        None: words.say("Whether the change was written is not known."),
    }[facts["changed"]]
    return words.say(
        ":x: Could not {doing}. {state}\n{advice}\nGoogle said: {detail}\nBy hand: {line}",
        doing=attempt(facts["doing"], words),
        state=state,
        advice=advice(kind, words, permission=facts.get("permission")),
        detail=str(facts["detail"])[:500],
        line=words.code(facts["by_hand"]),
    )


def what_to_do(rollback: Rollback, words: Words) -> Markup:
    """Return why a rollback is in trouble and what to do, from its stored problem."""
    kind, _, rest = (rollback.problem or "").partition(":")
    if kind == "fighting":
        return words.say(
            "Somebody keeps changing the traffic ({who}). Talk to them, then ask again.", who=rest
        )
    if kind == "changed":
        return words.say(
            "The deployment was changed ({who}) after you approved this, so nothing was done. A fresh "
            "question follows.",
            who=rest,
        )
    return stored_problem(rollback.problem, words)


def stored_problem(problem: str | None, words: Words) -> Markup:
    """Return a fault of Google's or an error of ours as it was stored; anything else as it is."""
    kind, _, rest = (problem or "").partition(":")
    if kind in set(FaultKind):
        doing, _, detail = rest.partition(":")
        return words.say(
            "Could not {doing}. {advice}\nGoogle said: {detail}",
            doing=attempt(doing, words),
            advice=advice(FaultKind(kind), words),
            detail=detail[:500],
        )
    if kind == "broken":
        return words.say(
            "The bot broke off with an error of its own (reference {reference}).", reference=words.code(rest)
        )
    return words.safe(problem or "")
