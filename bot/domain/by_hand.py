"""The plain ``gcloud`` line that does the same by hand, for when the bot cannot."""

import shlex

from bot.domain.change import Change, ChangeKind, ChangePlan
from bot.domain.playbook import Target, Topology
from bot.domain.resources import Resource, Resources, written_as


def gcloud_line(target: Target, *, project: str, stable: str | None) -> str:
    """Return one shell line that takes the canary out of traffic.

    Args:
        project: the target's project, or the default one; empty leaves the flag out.
        stable: the stable revision (topology revisions) where it is known.
    """
    where = [f"--region={target.region}", *([f"--project={project}"] if project else [])]
    if target.topology is Topology.SERVICES:
        assert target.router is not None
        change = [target.router.service, f"--update-env-vars={target.router.variable}=0"]
        words = ["gcloud", "run", "services", "update", *change, *where]
        return shlex.join(words)
    share = f"--to-revisions={stable or target.stable_revision or 'STABLE_REVISION'}=100"
    return shlex.join(["gcloud", "run", "services", "update-traffic", target.service, share, *where])


def change_lines(target: Target, change: Change, *, project: str) -> tuple[str, ...]:
    """Return the shell lines that make `change` by hand, in order.

    Args:
        project: the target's project, or the default one; empty leaves the flag out.
    """
    where = [f"--region={target.region}", *([f"--project={project}"] if project else [])]
    if change.kind is ChangeKind.REDUCE_TRAFFIC:
        return (_less_traffic(target, change, where),)
    plan = change.plan
    service = plan.service if plan else target.canary_service or target.service
    flags = [f"--{_FLAGS[r]}={written_as(r, n)}" for r, n in (change.resources or Resources()).said()]
    lines = [["gcloud", "run", "services", "update", service, *flags, *where]]
    if plan is not None and plan.by_name:
        lines.append(["gcloud", "run", "services", "update-traffic", service, _handed_over(plan), *where])
    return tuple(map(shlex.join, lines))


_FLAGS = {
    Resource.MEMORY: "memory",
    Resource.CPU: "cpu",
    Resource.MIN_INSTANCES: "min-instances",
    Resource.MAX_INSTANCES: "max-instances",
}


def _less_traffic(target: Target, change: Change, where: list[str]) -> str:
    percent, plan = change.percent or 0, change.plan
    if target.router is not None:
        setting = f"--update-env-vars={target.router.variable}={percent}"
        return shlex.join(["gcloud", "run", "services", "update", target.router.service, setting, *where])
    canary, stable = (plan.canary, plan.stable) if plan else ("CANARY_REVISION", "STABLE_REVISION")
    shares = f"--to-revisions={canary}={percent},{stable}={100 - percent}"
    return shlex.join(["gcloud", "run", "services", "update-traffic", target.service, shares, *where])


def _handed_over(plan: ChangePlan) -> str:
    """Name both sides: gcloud scales down whatever it is not told about."""
    rest = f",{plan.stable}={100 - plan.percent}" if plan.topology is Topology.REVISIONS else ""
    return f"--to-revisions=NEW_REVISION={plan.percent}{rest}"
