"""What Cloud Run says about a target: who serves, with what share, and whether it has settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.ids import RevisionName, ServiceName
from bot.domain.resources import Resources


@dataclass(frozen=True, kw_only=True)
class TrafficShare:
    """One line of a service's traffic list.

    ``revision`` is the bare name; a LATEST line carries the revision it resolves to (the latest
    *ready* one; None while there is none) and ``latest=True``. ``percent`` is 0 to 100. ``uri`` is
    the tag's own address, known only for observed lines that carry a tag.
    """

    revision: RevisionName | None
    percent: int
    tag: str | None = None
    latest: bool = False
    uri: str | None = None


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One revision of a service, as Cloud Run lists it."""

    name: RevisionName
    created_at: datetime
    ready: bool


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One of a service's conditions: `well` is None while Cloud Run is still at it. `message` is its own."""

    kind: str
    well: bool | None
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """One Cloud Run service as it was read at ``read_at`` (aware, UTC).

    ``wanted`` is the traffic list of the specification, ``observed`` the one in ``traffic_statuses``.
    While ``reconciling`` the observed fields are in motion. ``environment`` holds the plain
    environment variables of the first container. ``resources`` are the limits of the template's
    container that takes the requests, and how many instances it may have; ``images`` are what its
    containers run. ``conditions`` begin with the terminal one. ``problem`` is Cloud Run's own
    sentence when its terminal condition is not well, else None.
    """

    name: ServiceName
    uri: str
    generation: int
    observed_generation: int
    reconciling: bool
    etag: str
    wanted: tuple[TrafficShare, ...]
    observed: tuple[TrafficShare, ...]
    latest_ready: RevisionName | None
    latest_created: RevisionName | None
    last_modifier: str
    updated_at: datetime
    read_at: datetime
    environment: Mapping[str, str] = field(default_factory=dict)
    resources: Resources = field(default_factory=Resources)
    images: tuple[str, ...] = ()
    revisions: tuple[Revision, ...] = ()
    conditions: tuple[Condition, ...] = ()
    problem: str | None = None

    @property
    def settled(self) -> bool:
        """True when Cloud Run says that what it serves is what was last asked for."""
        return not self.reconciling and self.observed_generation >= self.generation

    def wanted_percent(self, revision: RevisionName) -> int:
        """Return the share the specification gives `revision`, percent."""
        return sum(s.percent for s in self.wanted if s.revision == revision)

    def observed_percent(self, revision: RevisionName) -> int:
        """Return the share `revision` is observed to serve, percent."""
        return sum(s.percent for s in self.observed if s.revision == revision)

    def revision(self, name: RevisionName) -> Revision | None:
        """Return the listed revision of that name, None when it is gone."""
        return next((r for r in self.revisions if r.name == name), None)


@dataclass(frozen=True, kw_only=True)
class TargetState:
    """A target's services at one moment.

    ``switch`` is the service a rollback writes to: the service itself on topology ``revisions``,
    the router on ``services``. ``stable`` and ``canary`` are the two services of topology
    ``services`` and None on ``revisions``; ``canary`` is also None when that service does not exist.
    """

    switch: ServiceState
    stable: ServiceState | None = None
    canary: ServiceState | None = None

    def service(self, name: ServiceName) -> ServiceState | None:
        """Return that one of them that is called `name`, None when none was read."""
        known = (self.switch, self.stable, self.canary)
        return next((service for service in known if service and service.name == name), None)


@dataclass(frozen=True, kw_only=True)
class SideAddress:
    """Where one side's metrics and logs are found: a service, or one `revision` of it."""

    service: ServiceName
    revision: RevisionName | None = None

    @property
    def name(self) -> str:
        """What this side is called: its revision, or the service where it is all of one."""
        return self.revision or self.service


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The two halves of a split. `canary` is None when nothing but stable serves."""

    stable: SideAddress
    canary: SideAddress | None
