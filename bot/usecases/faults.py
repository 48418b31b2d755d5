"""Errors from Google as facts: what failed, what state things are in, what to do, the line by hand."""

from typing import Any

from bot.domain.by_hand import gcloud_line
from bot.domain.faults import CloudFault
from bot.domain.playbook import Target


def fault_facts(
    fault: CloudFault, target: Target, *, changed: bool | None, stable: str | None = None
) -> dict[str, Any]:
    """Return `fault` as JSON facts for a view.

    Args:
        changed: whether traffic was changed; None when that cannot be told.
        stable: the stable revision, for the ``gcloud`` line.
    """
    return {
        "doing": fault.doing,
        "kind": fault.kind.value,
        "detail": fault.detail,
        "permission": fault.permission,
        "changed": changed,
        "by_hand": gcloud_line(target, project=target.project, stable=stable),
    }


def fault_problem(fault: CloudFault) -> str:
    """Return `fault` as a rollback keeps it: kind, what was tried, Google's sentence."""
    return f"{fault.kind}:{fault.doing}:{fault.detail[:1000]}"
