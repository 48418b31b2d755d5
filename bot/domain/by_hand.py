"""The plain ``gcloud`` line that does the same by hand, for when the bot cannot."""

import shlex

from bot.domain.playbook import Target, Topology


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
