"""What severities, failure types and outcomes are called. Source: guide, "The failure record"."""

from bot.domain.incident import FailureType, Severity
from bot.domain.rollback import RollbackState
from bot.slack.text import Words


def severity_name(severity: Severity, words: Words) -> str:
    """Return a severity's name, as plain text."""
    return {
        Severity.CRITICAL: words.plain("Critical"),
        Severity.HIGH: words.plain("High"),
        Severity.MEDIUM: words.plain("Medium"),
        Severity.LOW: words.plain("Low"),
    }[severity]


def failure_name(failure: FailureType, words: Words) -> str:
    """Return a failure type's name, as plain text."""
    return {
        FailureType.ERROR_RATE: words.plain("Error-rate jump"),
        FailureType.RESPONSE_TIME: words.plain("Response-time jump"),
        FailureType.MEMORY: words.plain("Memory explosion"),
        FailureType.DATA_LOSS: words.plain("Data loss"),
        FailureType.OTHER: words.plain("Other"),
    }[failure]


def outcome_name(state: RollbackState, words: Words) -> str:
    """Return where a rollback stands in one or two words, as plain text."""
    return {
        RollbackState.ASKED: words.plain("asked for"),
        RollbackState.REQUESTED: words.plain("requested"),
        RollbackState.APPLIED: words.plain("applied"),
        RollbackState.SETTLED: words.plain("settled"),
        RollbackState.VERIFIED: words.plain("verified"),
        RollbackState.NOT_VERIFIED: words.plain("applied, not verified"),
        RollbackState.FAILED: words.plain("failed"),
        RollbackState.NOTHING_TO_DO: words.plain("nothing to roll back"),
        RollbackState.UNKNOWN: words.plain("unknown, still checking"),
        RollbackState.CANCELLED: words.plain("cancelled"),
        RollbackState.EXPIRED: words.plain("expired"),
        RollbackState.REFUSED: words.plain("refused"),
    }[state]
