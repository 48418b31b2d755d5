"""Cloud Run's messages in and out: a service as domain values, a write as a minimal request."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.domain.change import SetResources, SplitTraffic
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.playbook import RFC1035
from bot.domain.redaction import redact, redact_named
from bot.domain.resources import (
    DEFAULT_CPU_MILLI,
    DEFAULT_MAX_INSTANCES,
    DEFAULT_MEMORY_MIB,
    Resource,
    Resources,
    written_as,
)
from bot.domain.rollback import PinTraffic, SetVariable
from bot.domain.traffic import Condition, Revision, ServiceState, TrafficShare

if TYPE_CHECKING:
    from google.cloud import run_v2

#: Cloud Run leaves a time unset only where nothing ever happened.
NEVER = datetime.fromtimestamp(0, UTC)


def bare(path: str) -> str:
    """Return the last part of a resource path: ``ion-api-00041-kim``."""
    return path.rpartition("/")[2]


def service_state(
    service: "run_v2.Service", revisions: Iterable["run_v2.Revision"] = (), *, read_at: datetime
) -> ServiceState:
    """Return what Cloud Run said about `service`, read at `read_at` (aware, UTC), in domain values."""
    latest_ready = _revision_name(service.latest_ready_revision)
    return ServiceState(
        name=ServiceName(bare(service.name)),
        uri=service.uri,
        generation=service.generation,
        observed_generation=service.observed_generation,
        reconciling=service.reconciling,
        etag=service.etag,
        wanted=_wanted(service, latest_ready),
        observed=tuple(_share(line, latest_ready, uri=line.uri) for line in service.traffic_statuses),
        latest_ready=latest_ready,
        latest_created=_revision_name(service.latest_created_revision),
        last_modifier=service.last_modifier,
        updated_at=_utc(service.update_time),
        read_at=read_at,
        environment=_environment(service),
        resources=_resources(service),
        images=tuple(container.image for container in service.template.containers),
        revisions=tuple(revision_state(revision) for revision in revisions),
        conditions=_conditions(service),
        problem=_problem(service.terminal_condition),
    )


def revision_state(revision: "run_v2.Revision") -> Revision:
    """Return a listed revision in domain values."""
    return Revision(
        name=RevisionName(bare(revision.name)),
        created_at=_utc(revision.create_time),
        ready=_is_ready(revision),
    )


def _revision_name(path: str) -> RevisionName | None:
    return RevisionName(bare(path)) if path else None


def _wanted(service: "run_v2.Service", latest_ready: RevisionName | None) -> tuple[TrafficShare, ...]:
    if not service.traffic:
        # Cloud Run's own default: "100% traffic to the latest Ready Revision".
        return (TrafficShare(revision=latest_ready, percent=100, latest=True),)
    return tuple(_share(line, latest_ready) for line in service.traffic)


def _share(line: Any, latest_ready: RevisionName | None, *, uri: str = "") -> TrafficShare:
    from google.cloud.run_v2 import TrafficTargetAllocationType

    latest = line.type_ == TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
    named = _revision_name(line.revision)
    return TrafficShare(
        revision=(named or latest_ready) if latest else named,
        percent=line.percent,
        tag=line.tag or None,
        latest=latest,
        uri=uri or None,
    )


def _environment(service: "run_v2.Service") -> dict[str, str]:
    """Plain variables only: a secret's value is not in the message, and those that are go here."""
    containers = service.template.containers
    if not containers:
        return {}
    plain = (variable for variable in containers[0].env if "value_source" not in variable)
    return {variable.name: redact_named(variable.name, variable.value).text for variable in plain}


#: Bytes in one unit of Kubernetes' quantities, as Cloud Run writes memory.
_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]{0,2})")


def _resources(service: "run_v2.Service") -> Resources:
    """Return the template's limits; what is not set is Cloud Run's default, what is not understood None."""
    scaling, place = service.template.scaling, serving_container(service)
    limits = service.template.containers[place].resources.limits if place is not None else {}
    return Resources(
        memory_mib=_memory_mib(limits["memory"]) if "memory" in limits else DEFAULT_MEMORY_MIB,
        cpu_milli=_cpu_milli(limits["cpu"]) if "cpu" in limits else DEFAULT_CPU_MILLI,
        min_instances=scaling.min_instance_count,
        max_instances=scaling.max_instance_count or DEFAULT_MAX_INSTANCES,
    )


def serving_container(service: "run_v2.Service") -> int | None:
    """Return the place of the container that takes the requests: the one with a port, or the only one."""
    containers = service.template.containers
    with_port = [place for place, container in enumerate(containers) if container.ports]
    return with_port[0] if with_port else (0 if containers else None)


def _memory_mib(written: str) -> int | None:
    """Return MiB, rounded down: a limit that is a little more than a choice may still be raised to it."""
    found = _QUANTITY.fullmatch(written)
    if found is None or found[2] not in _BYTES:
        return None
    return int(float(found[1]) * _BYTES[found[2]] / 2**20)


def _cpu_milli(written: str) -> int | None:
    found = _QUANTITY.fullmatch(written)
    if found is None or found[2] not in ("", "m"):
        return None
    return round(float(found[1]) * (1 if found[2] else 1000))


def _is_ready(revision: "run_v2.Revision") -> bool:
    """A revision without traffic is put to rest (reserve, retired); it is ready to be woken."""
    from google.cloud.run_v2 import Condition

    resting = {Condition.RevisionReason.RESERVE, Condition.RevisionReason.RETIRED}
    resting.add(Condition.RevisionReason.RETIRING)
    ready = next((c for c in revision.conditions if c.type_ == "Ready"), None)
    if ready is None or revision.delete_time:
        return False
    return ready.state == Condition.State.CONDITION_SUCCEEDED or ready.revision_reason in resting


def _conditions(service: "run_v2.Service") -> tuple[Condition, ...]:
    terminal = [service.terminal_condition] if service.terminal_condition.type_ else []
    return tuple(
        Condition(kind=one.type_, well=_is_well(one), message=redact(one.message).text)
        for one in (*terminal, *service.conditions)
    )


def _is_well(condition: "run_v2.Condition") -> bool | None:
    from google.cloud.run_v2 import Condition as Wire

    ended = {Wire.State.CONDITION_SUCCEEDED: True, Wire.State.CONDITION_FAILED: False}
    return ended.get(condition.state)


def _problem(condition: "run_v2.Condition") -> str | None:
    from google.cloud.run_v2 import Condition

    if condition.state != Condition.State.CONDITION_FAILED:
        return None
    return redact(condition.message).text or condition.reason.name


def _utc(moment: datetime | None) -> datetime:
    """Google's datetime is a subclass with nanoseconds; the domain gets the plain one."""
    if moment is None:
        return NEVER
    return datetime.fromtimestamp(moment.timestamp(), UTC)


def pin_traffic(write: PinTraffic, *, name: str, etag: str) -> "run_v2.UpdateServiceRequest":
    """Return the request that gives 100 % to one revision and keeps the tags at 0 %.

    Only the service's `name` (full path), `etag` and traffic go along: sending the fetched service
    back fails with "Revision named … with different configuration already exists".

    Raises:
        ValueError: the traffic would not be pinned (see `refuse_unless_pinned`).
    """
    return _traffic_request([(write.revision, 100)], write.tags, name=name, etag=etag)


def split_traffic(write: SplitTraffic, *, name: str, etag: str) -> "run_v2.UpdateServiceRequest":
    """Return the request that gives each revision its share, as `pin_traffic` does with one.

    Raises:
        ValueError: the traffic would not be pinned (see `refuse_unless_pinned`).
    """
    return _traffic_request(write.shares, write.tags, name=name, etag=etag)


def _traffic_request(
    shares: Iterable[tuple[RevisionName, int]],
    tags: Iterable[tuple[str, RevisionName]],
    *,
    name: str,
    etag: str,
) -> "run_v2.UpdateServiceRequest":
    from google.cloud import run_v2
    from google.protobuf.field_mask_pb2 import FieldMask

    # Cloud Run replaces the whole list, so a tag that is not repeated disappears. A tag on the
    # stable revision gets its own line too: one line cannot carry two tags.
    lines = [
        *((revision, percent, "") for revision, percent in shares),
        *((revision, 0, tag) for tag, revision in tags),
    ]
    pinned = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
    traffic = [
        run_v2.TrafficTarget(type_=pinned, revision=revision, percent=percent, tag=tag)
        for revision, percent, tag in lines
    ]
    refuse_unless_pinned(traffic)
    return run_v2.UpdateServiceRequest(
        service=run_v2.Service(name=name, etag=etag, traffic=traffic),
        update_mask=FieldMask(paths=["traffic"]),
    )


def refuse_unless_pinned(traffic: Iterable["run_v2.TrafficTarget"]) -> None:
    """Let only whole, pinned traffic lists through: an empty one means 100 % to the canary itself.

    Raises:
        ValueError: the shares do not add to 100 %, or a line names LATEST or no bare revision.
    """
    from google.cloud.run_v2 import TrafficTargetAllocationType

    lines = list(traffic)
    for line in lines:
        if line.type_ != TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION:
            raise ValueError("refused to send traffic to LATEST: it may be the canary")
        if not re.fullmatch(RFC1035, line.revision):
            raise ValueError(f"refused to send traffic to {line.revision!r}: not a bare revision name")
    total = sum(line.percent for line in lines)
    if total != 100:
        raise ValueError(f"refused to send traffic shares that add to {total} %, not 100 %")


def set_variable(write: SetVariable, service: "run_v2.Service") -> "run_v2.UpdateServiceRequest":
    """Return the request that sets one variable of the first container of the just-read `service`.

    Cloud Run replaces the container list as a whole, so all of it goes along; the template's
    revision name is cleared, or the new revision would clash with the one it came from.
    """
    from google.cloud import run_v2
    from google.protobuf.field_mask_pb2 import FieldMask

    template = run_v2.RevisionTemplate(containers=service.template.containers)
    if not template.containers:
        raise ValueError(f"refused to write {service.name}: it was read without a container")
    variables = template.containers[0].env
    changed = run_v2.EnvVar(name=write.variable, value=write.value)
    places = [place for place, variable in enumerate(variables) if variable.name == write.variable]
    for place in places:
        variables[place] = changed
    if not places:
        variables.append(changed)
    return run_v2.UpdateServiceRequest(
        service=run_v2.Service(name=service.name, etag=service.etag, template=template),
        update_mask=FieldMask(paths=["template.containers", "template.revision"]),
    )


def set_resources(write: SetResources, service: "run_v2.Service") -> "run_v2.UpdateServiceRequest":
    """Return the request that puts new limits into the template of the just-read `service`.

    As with `set_variable` all containers go along whole, and the revision's name is cleared. The
    scaling goes along only where a number of instances is said.
    """
    from google.cloud import run_v2
    from google.protobuf.field_mask_pb2 import FieldMask

    template = run_v2.RevisionTemplate(
        containers=service.template.containers, scaling=service.template.scaling
    )
    place = serving_container(service)
    if place is None:
        raise ValueError(f"refused to write {service.name}: it was read without a container")
    limits, paths = template.containers[place].resources.limits, ["template.revision"]
    for resource, amount in write.resources.said():
        if resource in _LIMITS:
            limits[_LIMITS[resource]] = written_as(resource, amount)
            paths.append("template.containers")
        else:
            setattr(template.scaling, _SCALING[resource], amount)
            paths.append("template.scaling")
    return run_v2.UpdateServiceRequest(
        service=run_v2.Service(name=service.name, etag=service.etag, template=template),
        update_mask=FieldMask(paths=sorted(set(paths))),
    )


#: What Cloud Run calls them in a container's limits, and in the template's scaling.
_LIMITS = {Resource.MEMORY: "memory", Resource.CPU: "cpu"}
_SCALING = {Resource.MIN_INSTANCES: "min_instance_count", Resource.MAX_INSTANCES: "max_instance_count"}
