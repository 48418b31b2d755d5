"""How one side is configured, and in what canary and stable differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.ids import RevisionName, ServiceName


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One revision as Cloud Run describes it. Times are aware, UTC.

    `environment` holds values with secrets replaced; a variable that Secret Manager fills is shown as
    ``secret:<name>:<version>``. `settings` is everything else that can differ, in words of Google's own
    (``memory``, ``cpu``, ``image``, ``concurrency``, ``timeout``, ``min_instances``, ``max_instances``,
    ``service_account``, ``vpc_access``, ``ingress`` …), each as ``gcloud`` would print it. `creator` is who
    made the revision, or changed the service last. `document` is all of it as Google gives it, as plain
    JSON values with secrets replaced; `redacted` says how many were.
    """

    service: ServiceName
    revision: RevisionName | None
    read_at: datetime
    created_at: datetime | None = None
    creator: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    redacted: int = 0


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that canary and stable have set differently; None: not set there.

    `about` is ``environment`` or ``settings``.
    """

    about: str
    name: str
    stable: str | None
    canary: str | None


def differences(stable: Configuration, canary: Configuration) -> tuple[Difference, ...]:
    """Return everything that differs, environment first, each by name."""
    found = []
    for about in ("environment", "settings"):
        old: Mapping[str, str] = getattr(stable, about)
        new: Mapping[str, str] = getattr(canary, about)
        found += [
            Difference(about=about, name=name, stable=old.get(name), canary=new.get(name))
            for name in sorted({*old, *new})
            if old.get(name) != new.get(name)
        ]
    return tuple(found)
