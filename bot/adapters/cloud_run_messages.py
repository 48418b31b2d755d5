"""Cloud Run's messages in and out: a service as domain values, a write as a minimal request."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.domain.ids import RevisionName, ServiceName
from bot.domain.playbook import RFC1035
from bot.domain.rollback import PinTraffic, SetVariable
from bot.domain.traffic import Revision, ServiceState, TrafficShare

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
        revisions=tuple(revision_state(revision) for revision in revisions),
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
    """Plain variables only: a secret's value is not in the message, and we do not want it."""
    containers = service.template.containers
    if not containers:
        return {}
    return {variable.name: variable.value for variable in containers[0].env if "value_source" not in variable}


def _is_ready(revision: "run_v2.Revision") -> bool:
    """A revision without traffic is put to rest (reserve, retired); it is ready to be woken."""
    from google.cloud.run_v2 import Condition

    resting = {Condition.RevisionReason.RESERVE, Condition.RevisionReason.RETIRED}
    resting.add(Condition.RevisionReason.RETIRING)
    ready = next((c for c in revision.conditions if c.type_ == "Ready"), None)
    if ready is None or revision.delete_time:
        return False
    return ready.state == Condition.State.CONDITION_SUCCEEDED or ready.revision_reason in resting


def _problem(condition: "run_v2.Condition") -> str | None:
    from google.cloud.run_v2 import Condition

    if condition.state != Condition.State.CONDITION_FAILED:
        return None
    return condition.message or condition.reason.name


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
    from google.cloud import run_v2
    from google.protobuf.field_mask_pb2 import FieldMask

    # Cloud Run replaces the whole list, so a tag that is not repeated disappears. A tag on the
    # stable revision gets its own line too: one line cannot carry two tags.
    lines = [(write.revision, 100, ""), *((revision, 0, tag) for tag, revision in write.tags)]
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
