"""Why a service does not come to serve what is wanted of it, and the conditions that say so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.sandbox.cloud.resources import FAILED, REVISION_FAILED, UNKNOWN, condition

#: Types of a service's conditions.
READY, ROUTES, CONFIGURATIONS = "Ready", "RoutesReady", "ConfigurationsReady"
#: google.rpc.Code
FAILED_PRECONDITION = 9
INTERNAL = 13


@dataclass(frozen=True)
class Problem:
    """A google.rpc.Code, a sentence, and a Condition.CommonReason."""

    code: int
    message: str
    reason: int

    def condition(self, kind: str, at: datetime) -> Any:
        """Return the failed condition of type `kind`."""
        return condition(kind, FAILED, at=at, message=self.message, reason=self.reason)


def no_such_revision(name: str) -> Problem:
    """Return what an operation ends with that gave traffic to a revision that is not there."""
    said = (
        f"Revision '{name}' does not exist or is deleted. "
        "Update all traffic to route to currently available revisions."
    )
    return Problem(INTERNAL, said, UNKNOWN)


def not_ready(name: str) -> Problem:
    """Return what an operation ends with whose revision did not start."""
    said = f"Revision '{name}' is not ready and cannot serve traffic."
    return Problem(FAILED_PRECONDITION, said, REVISION_FAILED)
