"""Cloud Run's resources as protocol messages: names, conditions, revisions, traffic lines."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.cloud import run_v2
from google.protobuf.timestamp_pb2 import Timestamp

from bot.sandbox.names import PROJECT, REGION

#: The raw message classes. The wrappers around them cost ten times as much per field.
ServiceMessage: Any = run_v2.Service.pb()
RevisionMessage: Any = run_v2.Revision.pb()
TemplateMessage: Any = run_v2.RevisionTemplate.pb()
ConditionMessage: Any = run_v2.Condition.pb()
TrafficMessage: Any = run_v2.TrafficTarget.pb()
StatusMessage: Any = run_v2.TrafficTargetStatus.pb()

TO_LATEST = int(run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST)
TO_REVISION = int(run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION)

_State = run_v2.Condition.State
RECONCILING = int(_State.CONDITION_RECONCILING)
FAILED = int(_State.CONDITION_FAILED)
SUCCEEDED = int(_State.CONDITION_SUCCEEDED)
_RETIRED = int(run_v2.Condition.RevisionReason.RETIRED)
_UNHEALTHY = int(run_v2.Condition.RevisionReason.HEALTH_CHECK_CONTAINER_ERROR)
_NO_MINIMUM = int(run_v2.Condition.RevisionReason.MIN_INSTANCES_NOT_PROVISIONED)
UNKNOWN = int(run_v2.Condition.CommonReason.UNKNOWN)
REVISION_FAILED = int(run_v2.Condition.CommonReason.REVISION_FAILED)
_INFO = int(run_v2.Condition.Severity.INFO)
_ERROR = int(run_v2.Condition.Severity.ERROR)

_SECOND_GENERATION = int(run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2)
_PRIVATE_RANGES_ONLY = int(run_v2.VpcAccess.VpcEgress.PRIVATE_RANGES_ONLY)
#: To everybody, from everywhere.
INGRESS_ALL = int(run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL)

LOCATION = f"projects/{PROJECT}/locations/{REGION}"

#: Who the bot is, who deploys.
BACKOUT = f"backout@{PROJECT}.iam.gserviceaccount.com"
DEPLOYER = f"deployer@{PROJECT}.iam.gserviceaccount.com"
#: The person who deployed the canaries by hand.
BACKEND_ENGINEER = "gitco@ion.example"
OTHER_PIPELINE = f"nightly@{PROJECT}.iam.gserviceaccount.com"


def service_path(service: str) -> str:
    """Return the full resource name of a service."""
    return f"{LOCATION}/services/{service}"


def revision_path(service: str, revision: str) -> str:
    """Return the full resource name of a revision."""
    return f"{service_path(service)}/revisions/{revision}"


def stamp(at: datetime) -> Timestamp:
    """Return an aware time as a protocol message."""
    message = Timestamp()
    message.FromDatetime(at)
    return message


def etag(*parts: object) -> str:
    """Return a quoted fingerprint of `parts`."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:24]
    return f'"{digest}"'


def condition(kind: str, state: int, *, at: datetime, message: str = "", reason: int = 0) -> Any:
    """Return one condition, such as ``Ready``; `reason` is a Condition.CommonReason, 0 for none."""
    made = ConditionMessage(type_=kind, state=state, message=message, last_transition_time=stamp(at))
    if reason:
        made.reason = reason
    if state == FAILED:
        made.severity = _ERROR
    return made


def to_revision(revision: str, percent: int, tag: str = "") -> Any:
    """Return a traffic line that names a revision."""
    return TrafficMessage(type_=TO_REVISION, revision=revision, percent=percent, tag=tag)


def to_latest(percent: int, tag: str = "") -> Any:
    """Return a traffic line that follows the latest ready revision."""
    return TrafficMessage(type_=TO_LATEST, percent=percent, tag=tag)


def new_template(
    image: str,
    environment: Mapping[str, str],
    *,
    secrets: Mapping[str, tuple[str, str]] | None = None,
    labels: Mapping[str, str] | None = None,
    concurrency: int = 80,
) -> Any:
    """Return a template with one container; `secrets` are name and version in Secret Manager by variable."""
    template = TemplateMessage(
        max_instance_request_concurrency=concurrency,
        service_account=f"runtime@{PROJECT}.iam.gserviceaccount.com",
        labels=dict(labels or {}),
        execution_environment=_SECOND_GENERATION,
    )
    template.timeout.FromSeconds(300)
    template.scaling.max_instance_count = 5
    template.vpc_access.egress = _PRIVATE_RANGES_ONLY
    template.vpc_access.network_interfaces.add(network="ion", subnetwork="ion-us-central1")
    container = template.containers.add(image=image)
    container.ports.add(name="http1", container_port=8080)
    container.resources.limits.update({"cpu": "1", "memory": "512Mi"})
    container.resources.cpu_idle = True
    container.resources.startup_cpu_boost = True
    _default_probe(container.startup_probe)
    for name, value in environment.items():
        container.env.add(name=name, value=value)
    for name, (secret, version) in (secrets or {}).items():
        reference = container.env.add(name=name).value_source.secret_key_ref
        reference.secret, reference.version = secret, version
    return template


def _default_probe(probe: Any) -> None:
    """Cloud Run's own, where nobody sets one (Cloud Run, "Configure container health checks")."""
    probe.tcp_socket.port = 8080
    probe.timeout_seconds = probe.period_seconds = 240
    probe.failure_threshold = 1


def environment_of(template: Any) -> dict[str, str]:
    """Return the plain environment variables of the first container."""
    return {variable.name: variable.value for variable in template.containers[0].env}


def new_revision(service: str, name: str, template: Any, *, at: datetime, creator: str) -> Any:
    """Return the revision made from `template`, not yet ready."""
    revision = RevisionMessage(
        name=revision_path(service, name),
        uid=etag("uid", name).strip('"'),
        generation=1,
        service=service,
        service_account=template.service_account,
        max_instance_request_concurrency=template.max_instance_request_concurrency,
        creator=creator,
        etag=etag(name, 1),
        create_time=stamp(at),
        update_time=stamp(at),
        reconciling=True,
    )
    revision.containers.extend(template.containers)
    revision.timeout.CopyFrom(template.timeout)
    revision.scaling.CopyFrom(template.scaling)
    revision.vpc_access.CopyFrom(template.vpc_access)
    revision.execution_environment = template.execution_environment
    revision.labels.update(template.labels)
    revision.conditions.append(condition("Ready", RECONCILING, at=at))
    return revision


def settle_revision(revision: Any, *, at: datetime, problem: str = "") -> None:
    """Mark `revision` Ready, or failed for the reason in `problem`."""
    state = FAILED if problem else SUCCEEDED
    del revision.conditions[:]
    for kind in ("Ready", "ContainerHealthy", "ContainerReady", "ResourcesAvailable"):
        said = condition(kind, state, at=at, message=problem)
        if problem:
            said.revision_reason = _UNHEALTHY
        revision.conditions.append(said)
    revision.reconciling = False
    revision.observed_generation = revision.generation
    revision.update_time.CopyFrom(stamp(at))


def is_ready(revision: Any) -> bool:
    """Return whether `revision` can serve."""
    return any(c.type_ == "Ready" and c.state == SUCCEEDED for c in revision.conditions)


def with_activity(revision: Any, *, active: bool, at: datetime) -> Any:
    """Return a copy of `revision` with the conditions that follow its traffic.

    Without traffic it is retired, which is normal, and has no instances: a minimum is not kept for it.
    """
    shown = RevisionMessage()
    shown.CopyFrom(revision)
    shown.conditions.append(_resting("Active", active, at, message="Revision retired.", reason=_RETIRED))
    least = revision.scaling.min_instance_count
    if least:
        message = f"Without traffic the minimum of {least} instances is not provisioned."
        shown.conditions.append(
            _resting("MinInstancesProvisioned", active, at, message=message, reason=_NO_MINIMUM)
        )
    return shown


def _resting(kind: str, active: bool, at: datetime, *, message: str, reason: int) -> Any:
    if active:
        return condition(kind, SUCCEEDED, at=at)
    said = condition(kind, FAILED, at=at, message=message)
    said.severity = _INFO
    said.revision_reason = reason
    return said
