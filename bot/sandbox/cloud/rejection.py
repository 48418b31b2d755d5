"""The way every part of the emulated Google says no."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

#: Where gRPC carries a google.rpc.Status, next to the code and the sentence.
STATUS_HEADER = "grpc-status-details-bin"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A google.rpc.ErrorInfo: the machine's half of an error."""

    reason: str
    domain: str
    metadata: Mapping[str, str] = field(default_factory=dict)


class Rejection(Exception):
    """An RPC answered with `code` and `detail`, and with a `cause` where Google gives one."""

    def __init__(self, code: grpc.StatusCode, detail: str, cause: Cause | None = None) -> None:
        super().__init__(f"{code.name}: {detail}")
        self.code = code
        self.detail = detail
        self.cause = cause

    def status(self) -> Any:
        """Return the error as a google.rpc.Status."""
        status = status_pb2.Status(code=int(self.code.value[0]), message=self.detail)
        if self.cause is not None:
            info = error_details_pb2.ErrorInfo(reason=self.cause.reason, domain=self.cause.domain)
            info.metadata.update(self.cause.metadata)
            packed = any_pb2.Any()
            packed.Pack(info)
            status.details.append(packed)
        return status

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """Return what goes along over gRPC."""
        return () if self.cause is None else ((STATUS_HEADER, self.status().SerializeToString()),)


def invalid(detail: str) -> Rejection:
    """Return an INVALID_ARGUMENT, for the caller to raise."""
    return Rejection(grpc.StatusCode.INVALID_ARGUMENT, detail)


def not_found(detail: str) -> Rejection:
    """Return a NOT_FOUND, for the caller to raise."""
    return Rejection(grpc.StatusCode.NOT_FOUND, detail)


def denied(permission: str, resource: str, *, kind: str = "resource") -> Rejection:
    """Return a PERMISSION_DENIED that names the permission, for the caller to raise."""
    return Rejection(
        grpc.StatusCode.PERMISSION_DENIED,
        f"Permission '{permission}' denied on {kind} '{resource}' (or it may not exist).",
        Cause(
            reason="IAM_PERMISSION_DENIED",
            domain="iam.googleapis.com",
            metadata={"permission": permission, "resource": resource},
        ),
    )
