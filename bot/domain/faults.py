"""Trouble with Google Cloud, sorted by what a person would do about it."""

from enum import StrEnum


class FaultKind(StrEnum):
    """Kinds of trouble. Source: reference/cloud-run-and-canary.md, B.3."""

    CONFLICT = "conflict"
    INVALID = "invalid"
    PERMISSION = "permission"
    LOGIN = "login"
    NOT_FOUND = "not_found"
    QUOTA = "quota"
    UNREACHABLE = "unreachable"
    OTHER = "other"


#: A write that ended so may have landed all the same: read the world before anything else.
#: Measured: eight of eight codes look the same whether the write landed or not. Left out are the
#: kinds after which trying again is of no use; what can pass is read for and, if need be, retried.
OUTCOME_UNKNOWN = frozenset({FaultKind.UNREACHABLE, FaultKind.OTHER, FaultKind.QUOTA, FaultKind.CONFLICT})


class CloudFault(Exception):
    """Something Google answered, or did not answer.

    Attributes:
        doing: what was tried, as a short English phrase ("read service ion-api").
        kind: which kind of trouble it is.
        detail: Google's own sentence, raw: escape before showing.
        permission: the IAM permission that is missing, where `kind` is PERMISSION and it is known.
    """

    def __init__(self, *, doing: str, kind: FaultKind, detail: str, permission: str | None = None) -> None:
        super().__init__(f"{doing}: {kind}: {detail}")
        self.doing = doing
        self.kind = kind
        self.detail = detail
        self.permission = permission
