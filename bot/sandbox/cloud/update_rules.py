"""What Cloud Run refuses in an UpdateService, and what it makes of the rest."""

import re
from typing import Any

import grpc
from google.protobuf.field_mask_pb2 import FieldMask

from bot.sandbox.cloud.limits import check_limits
from bot.sandbox.cloud.rejection import Rejection, invalid
from bot.sandbox.cloud.resources import TO_LATEST, TO_REVISION, ServiceMessage, to_latest

#: What a whole-object update (no mask, or ``*``) replaces; everything else is output only.
WRITABLE = (
    "description",
    "labels",
    "annotations",
    "client",
    "client_version",
    "ingress",
    "launch_stage",
    "binary_authorization",
    "template",
    "traffic",
    "scaling",
    "invoker_iam_disabled",
    "default_uri_disabled",
    "iap_enabled",
    "custom_audiences",
)
_TAG = re.compile(r"^[a-z]([a-z0-9-]{0,44}[a-z0-9])?$")


def merged(current: Any, sent: Any, mask: FieldMask) -> tuple[Any, frozenset[str]]:
    """Return `current` with the masked fields of `sent`, and the top-level fields that were touched.

    Raises:
        Rejection: INVALID_ARGUMENT for a mask path that does not exist.
    """
    paths = tuple(mask.paths)
    if not paths or paths == ("*",):
        paths = WRITABLE
    effective = FieldMask(paths=[path for path in paths if path.split(".")[0] in WRITABLE])
    _check_mask(FieldMask(paths=paths))
    source = ServiceMessage()
    source.CopyFrom(sent)
    if any(path.startswith("template.") for path in paths):
        source.template.SetInParent()
    candidate = ServiceMessage()
    candidate.CopyFrom(current)
    effective.MergeMessage(source, candidate, replace_message_field=True, replace_repeated_field=True)
    return candidate, frozenset(path.split(".")[0] for path in effective.paths)


def check_traffic(service: str, candidate: Any) -> None:
    """Check the traffic list of `candidate`; an empty one becomes 100 % to LATEST, as at Google.

    Raises:
        Rejection: INVALID_ARGUMENT.
    """
    if not candidate.traffic:
        candidate.traffic.append(to_latest(100))
    for line in candidate.traffic:
        _check_line(service, line)
    total = sum(line.percent for line in candidate.traffic)
    if total != 100:
        raise invalid(f"spec.traffic: Traffic targets sum to {total}, want 100.")
    tags = [line.tag for line in candidate.traffic if line.tag]
    if len(tags) != len(set(tags)):
        raise invalid("spec.traffic: Each tag may be used only once.")


def check_template(service: str, candidate: Any) -> None:
    """Check the template of `candidate`.

    Raises:
        Rejection: INVALID_ARGUMENT.
    """
    if not candidate.template.containers:
        raise invalid("template.containers: Expected at least one container.")
    for position, container in enumerate(candidate.template.containers):
        if not container.image:
            raise invalid(f"template.containers[{position}].image: Must be set.")
        names = [variable.name for variable in container.env]
        if "" in names or len(names) != len(set(names)):
            raise invalid(f"template.containers[{position}].env: Names must be set and different.")
    check_limits(candidate.template)
    name = candidate.template.revision
    if name and not name.startswith(f"{service}-"):
        raise invalid(f"template.revision: Expected a revision prefixed with '{service}-'.")


def check_etag(current: Any, sent: Any) -> None:
    """Refuse an update that was made from an older reading.

    Raises:
        Rejection: ABORTED.
    """
    if sent.etag and sent.etag != current.etag:
        raise Rejection(
            grpc.StatusCode.ABORTED,
            f"Conflict for resource '{current.name.rpartition('/')[2]}': "
            f"version '{sent.etag}' was specified but current version is '{current.etag}'.",
        )


def _check_mask(mask: FieldMask) -> None:
    if not mask.IsValidForDescriptor(ServiceMessage.DESCRIPTOR):
        raise invalid(f"update_mask: Not fields of Service: {', '.join(mask.paths)}")


def _check_line(service: str, line: Any) -> None:
    if not 0 <= line.percent <= 100:
        raise invalid(f"spec.traffic: Expected 0 <= {line.percent} <= 100.")
    if line.tag and not _TAG.match(line.tag):
        raise invalid(f"spec.traffic: Invalid tag '{line.tag}'.")
    if line.type_ == TO_LATEST:
        if line.revision:
            raise invalid("spec.traffic: Revision must not be set for allocation type LATEST.")
    elif line.type_ != TO_REVISION:
        raise invalid("spec.traffic: Expected an allocation type.")
    elif not line.revision.startswith(f"{service}-"):
        raise invalid(f"spec.traffic: Expected a revision prefixed with '{service}-'.")
