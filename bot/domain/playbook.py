"""The team's playbook as values: targets, roles, channels, thresholds.

The models are pydantic's, the one library the domain leans on, so that the file, its checks and
its published JSON Schema can never disagree. Reading the file is the adapter's work
(`bot.adapters.playbook_file`).
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from bot.domain.guide import (
    About,
    Analysis,
    Backups,
    BasedOn,
    ChannelName,
    Contact,
    Key,
    Link,
    Mode,
    NoticePlan,
    Part,
    PhasePlan,
    ReadinessPoint,
    Rule,
    Scenario,
    SlackGroup,
    SlackUser,
    StepPlan,
    Text,
    WatchPlan,
)
from bot.domain.ids import PersonId, TargetName
from bot.domain.readings import Metric

#: RFC 1035 label, as Cloud Run service and revision names are.
RFC1035 = r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"

ServiceLabel = Annotated[str, StringConstraints(pattern=RFC1035), Field(examples=["ion-api"])]
HealthUrl = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[^\s@]+$", max_length=2000),
    Field(examples=["https://ion-api.example.com/health"]),
]


class Topology(StrEnum):
    """How a target splits its traffic, because the proof differs."""

    REVISIONS = "revisions"
    SERVICES = "services"


class Permission(StrEnum):
    """What a role can be allowed to do. Whoever is in no role may do none of it."""

    ROLL_BACK = "roll_back"
    CHANGE_CANARY = "change_canary"
    TELL_USERS = "tell_users"
    COMPLETE_RECORD = "complete_record"


class Role(Part):
    """People and user groups, and what they may do."""

    users: tuple[SlackUser, ...] = Field((), description="Slack user ids, such as U024BE7LH.")
    groups: tuple[SlackGroup, ...] = Field((), description="Slack user group ids, such as S0614TZR7.")
    may: tuple[Permission, ...] = Field((), description="What this role is allowed to do.")


class Limits(Part):
    """Where a metric turns yellow and red; on the line it is still the calmer colour.

    Percent for error rate, memory and CPU; milliseconds for P95.
    Source: guide, "Metrics to watch during a deployment".
    """

    yellow_above: float = Field(
        ge=0, description="Yellow above this: percent (0.5 is half a percent), or milliseconds for P95."
    )
    red_above: float = Field(gt=0, description="Red above this: percent, or milliseconds for P95.")
    yellow: Text | None = Field(None, description="What yellow asks for, such as: find the cause.")
    red: Text | None = Field(None, description="What red asks for, such as: consider a rollback.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.red_above <= self.yellow_above:
            raise ValueError(
                f"red_above ({self.red_above:g}) must be greater than yellow_above ({self.yellow_above:g})"
            )
        return self


class Thresholds(Part):
    """The guide's red, yellow and green, one pair a metric, and how much data a colour needs."""

    error_rate_percent: Limits = Limits(yellow_above=0.5, red_above=1.0)
    p95_ms: Limits = Limits(yellow_above=200, red_above=500)
    memory_percent: Limits = Limits(yellow_above=70, red_above=85)
    cpu_percent: Limits = Limits(yellow_above=70, red_above=90)
    min_requests: int = Field(
        50, ge=1, description="Below this many requests a reading is inconclusive, never green."
    )
    stale_after_seconds: int = Field(
        300, ge=30, description="Data older than this is shown as stale, never green."
    )
    check_every_minutes: float = Field(5, gt=0, le=60, description="How often a deployment is looked at.")
    service_down: Text | None = Field(None, description="What a service that is down asks for.")
    also_green: Text | None = Field(None, description="What people must see as well, such as good feedback.")

    @model_validator(mode="after")
    def _percentages(self) -> Self:
        for name in ("error_rate_percent", "memory_percent", "cpu_percent"):
            if getattr(self, name).red_above > 100:
                raise ValueError(f"{name}.red_above is a percentage: write a number up to 100")
        return self

    def limits(self, metric: Metric) -> Limits:
        """Return the limits of `metric`."""
        return {
            Metric.ERROR_RATE: self.error_rate_percent,
            Metric.P95: self.p95_ms,
            Metric.MEMORY: self.memory_percent,
            Metric.CPU: self.cpu_percent,
        }[metric]


class Verification(Part):
    """What a rollback must show on *stable* before it is called verified.

    Source: guide, "The rollback checklist", phase 2: error rate < 0.5 %, P95 < 200 ms. How long
    Cloud Run may take to settle (90 s) is the design's, as are the probe's numbers.
    """

    error_rate_below_percent: float = Field(
        0.5, gt=0, le=100, description="Stable's error rate must be below this, percent."
    )
    p95_below_ms: float = Field(200, gt=0, description="Stable's P95 must be below this, milliseconds.")
    probe_requests: int = Field(5, ge=1, le=50, description="Requests sent to stable's health address.")
    probe_pause_ms: int = Field(100, ge=0, le=5000, description="Pause between them, milliseconds.")
    settle_within_seconds: int = Field(
        90, ge=5, le=600, description="How long Cloud Run may take to move the traffic."
    )
    confirm_within_seconds: int = Field(
        120, ge=5, le=900, description="How long to gather enough requests on stable for a verdict."
    )
    in_flight_seconds: float = Field(
        2, ge=0, le=60, description="Requests under way when the traffic moved may still end at the canary."
    )
    silence_seconds: float = Field(
        5, ge=1, le=120, description="How long nobody may have reached the canary; less would be chance."
    )


class RouterVariable(Part):
    """The router service, and the environment variable that holds the canary's share."""

    service: ServiceLabel = Field(description="The Cloud Run service that splits the traffic.")
    variable: str = Field(
        "CANARY_TRAFFIC_PERCENTAGE",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$",
        description="The environment variable that holds the canary's share, percent.",
        examples=["CANARY_TRAFFIC_PERCENTAGE"],
    )


class Target(Part):
    """One thing that can be rolled back."""

    topology: Topology
    project: str = Field("", description="Google Cloud project id; empty: GOOGLE_CLOUD_PROJECT.")
    region: str = Field(
        pattern=r"^[a-z]+-[a-z]+[0-9]+$",
        description="Google Cloud region of the services.",
        examples=["us-central1"],
    )
    service: ServiceLabel = Field(description="The service that stays: the guide calls it legacy.")
    canary_service: ServiceLabel | None = Field(
        None, description="Topology services: the canary's own service."
    )
    router: RouterVariable | None = Field(None, description="Topology services: who splits the traffic.")
    stable_revision: ServiceLabel | None = Field(
        None, description="Topology revisions: the revision to go back to, when it should be fixed."
    )
    stable_tag: ServiceLabel | None = Field(
        None, description="Topology revisions: the traffic tag that marks the stable revision."
    )
    health_url: HealthUrl | None = Field(
        None, description="What to probe; default: the stable service's own address plus /health."
    )

    @model_validator(mode="after")
    def _fits_its_topology(self) -> Self:
        if self.topology is Topology.SERVICES:
            if self.canary_service is None or self.router is None:
                raise ValueError("topology services needs canary_service and router")
            if len({self.service, self.canary_service, self.router.service}) != 3:
                raise ValueError("service, canary_service and router.service must be three services")
        elif self.canary_service is not None or self.router is not None:
            raise ValueError("canary_service and router belong to topology services only")
        if self.stable_revision and self.stable_tag:
            raise ValueError("write stable_revision or stable_tag, not both")
        if self.stable_revision and not self.stable_revision.startswith(f"{self.service}-"):
            raise ValueError(f"stable_revision must begin with '{self.service}-'")
        return self


class Channels(Part):
    """Where the bot speaks. Source: guide, "Emergency Slack channel"."""

    incidents: ChannelName = "#critical-incidents"
    watch: ChannelName | None = Field(
        None, description="Where deployments are watched; without it where incidents are."
    )


class Playbook(Part):
    """The whole file. `version` is the team's own word for this edition, kept with each incident.

    A file that is ``based_on`` the built-in playbook takes every section it does not write from there.
    """

    schema_: Literal[1] = Field(1, alias="schema", description="Format of this file; always 1.")
    version: str = Field(
        min_length=1,
        max_length=64,
        description="Your own word for this edition; each incident keeps the one it began with.",
    )
    based_on: BasedOn | None = Field(
        None, description="Take every section that is not written here from the built-in playbook."
    )
    name: str = Field(
        "Phase 4", min_length=1, max_length=80, description="Heads the failure record: [Phase 4]."
    )
    time_zone: str = Field("UTC", description="Zone for records, such as Asia/Seoul; UTC is shown beside it.")
    about: About | None = None
    channels: Channels = Channels()
    roles: dict[Key, Role] = Field(default_factory=dict)
    thresholds: Thresholds = Thresholds()
    verification: Verification = Verification()
    rules: tuple[Rule, ...] = ()
    watch: WatchPlan = WatchPlan()
    scenarios: tuple[Scenario, ...] = ()
    checklist: tuple[PhasePlan, ...] = ()
    analysis: Analysis = Analysis()
    contacts: dict[Key, Contact] = Field(default_factory=dict)
    notices: dict[Key, NoticePlan] = Field(default_factory=dict)
    readiness: tuple[ReadinessPoint, ...] = ()
    backups: Backups | None = None
    links: dict[Key, Link] = Field(default_factory=dict)
    targets: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")], Target] = Field(
        min_length=1
    )

    def scenario(self, key: str | None) -> Scenario | None:
        """Return the scenario called `key`, None when the playbook has none of that name."""
        return next((scenario for scenario in self.scenarios if scenario.key == key), None)

    def steps(self) -> tuple[StepPlan, ...]:
        """Return the checklist's steps in order."""
        return tuple(step for phase in self.checklist for step in phase.steps)

    def target(self, name: TargetName) -> Target | None:
        """Return the target called `name`, None when the playbook has none of that name."""
        return self.targets.get(name)

    def rule(self, when: str) -> Rule | None:
        """Return the rule for a situation; without one nothing is decided about it."""
        return next((rule for rule in self.rules if rule.when == when), None)

    def acts_by_itself(self) -> bool:
        """True when any rule, or the score, may roll back by itself on an armed target."""
        return Mode.AUTO in (*(rule.mode for rule in self.rules), self.watch.early_warning.mode)

    def roles_with(self, permission: Permission) -> dict[str, Role]:
        """Return the roles that hold `permission`, by name."""
        return {name: role for name, role in self.roles.items() if permission in role.may}

    def people_with(self, permission: Permission) -> tuple[PersonId, ...]:
        """Return the users named directly in roles with `permission`, in file order."""
        roles = self.roles_with(permission).values()
        return tuple(dict.fromkeys(PersonId(user) for role in roles for user in role.users))

    def groups_with(self, permission: Permission) -> tuple[str, ...]:
        """Return the Slack user groups of roles with `permission`, in file order."""
        roles = self.roles_with(permission).values()
        return tuple(dict.fromkeys(group for role in roles for group in role.groups))
