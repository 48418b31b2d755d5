"""``google.cloud.run.v2`` and ``google.longrunning``: the RPCs of Cloud Run the bot uses, and lists."""

from collections.abc import Mapping
from typing import Any

import grpc
from google.cloud import run_v2
from google.iam.v1 import iam_policy_pb2
from google.longrunning import operations_pb2

from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.operations import Operations
from bot.sandbox.cloud.paging import page
from bot.sandbox.cloud.rejection import Rejection, denied, not_found
from bot.sandbox.cloud.resources import BACKOUT, LOCATION
from bot.sandbox.cloud.rpc import Gate
from bot.sandbox.cloud.service import Service

ListServicesAnswer: Any = run_v2.ListServicesResponse.pb()
ListRevisionsAnswer: Any = run_v2.ListRevisionsResponse.pb()

#: Google's own limit for WaitOperation without a time-out is not documented; ours is short.
LONGEST_WAIT_SECONDS = 60.0


class RunApi:
    """Cloud Run over `services`."""

    def __init__(
        self, services: Mapping[str, Service], *, operations: Operations, behaviour: Behaviour
    ) -> None:
        self.updates: list[Any] = []
        self._services = services
        self._operations = operations
        self._behaviour = behaviour

    def handlers(self, gate: Gate) -> tuple[Any, ...]:
        """Return the gRPC handlers."""
        generic = grpc.method_handlers_generic_handler
        unary = gate.unary
        request = operations_pb2
        return (
            generic(
                "google.cloud.run.v2.Services",
                {
                    "GetService": unary("GetService", self._get_service, run_v2.GetServiceRequest),
                    "ListServices": unary("ListServices", self._list_services, run_v2.ListServicesRequest),
                    "UpdateService": unary(
                        "UpdateService", self._update_service, run_v2.UpdateServiceRequest
                    ),
                    "TestIamPermissions": unary(
                        "TestIamPermissions", self._test, iam_policy_pb2.TestIamPermissionsRequest
                    ),
                },
            ),
            generic(
                "google.cloud.run.v2.Revisions",
                {
                    "GetRevision": unary("GetRevision", self._get_revision, run_v2.GetRevisionRequest),
                    "ListRevisions": unary(
                        "ListRevisions", self._list_revisions, run_v2.ListRevisionsRequest
                    ),
                },
            ),
            generic(
                "google.longrunning.Operations",
                {
                    "GetOperation": unary("GetOperation", self._get_operation, request.GetOperationRequest),
                    "WaitOperation": unary(
                        "WaitOperation", self._wait_operation, request.WaitOperationRequest
                    ),
                },
            ),
        )

    async def _get_service(self, request: Any) -> Any:
        service = self._find(request.name)
        self._demand("run.services.get", request.name)
        return service.read()

    async def _list_services(self, request: Any) -> Any:
        if request.parent != LOCATION:
            raise denied(f"Permission 'run.services.list' denied on resource '{request.parent}'.")
        shown, token = page([s.read() for s in self._services.values()], request, default=100, most=1000)
        return ListServicesAnswer(services=shown, next_page_token=token)

    async def _update_service(self, request: Any) -> Any:
        raw = run_v2.UpdateServiceRequest.pb(request)
        if raw.allow_missing and raw.service.name.rpartition("/")[2] not in self._services:
            raise Rejection(grpc.StatusCode.UNIMPLEMENTED, "The sandbox does not create services.")
        service = self._find(raw.service.name)
        self._demand("run.services.update", raw.service.name)
        candidate, creates = service.propose(raw.service, raw.update_mask)
        if raw.validate_only:
            return _finished(candidate)
        self.updates.append(request)
        return await service.accept(candidate, creates, by=BACKOUT)

    async def _test(self, request: Any) -> Any:
        self._find(request.resource)
        held = [name for name in request.permissions if name in self._behaviour.granted_permissions]
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=held)

    async def _get_revision(self, request: Any) -> Any:
        parent, _, name = request.name.partition("/revisions/")
        service = self._find(parent)
        self._demand("run.revisions.get", request.name)
        for revision in service.read_revisions():
            if revision.name == request.name:
                return revision
        raise not_found(f"Resource '{name}' of kind 'REVISION' does not exist.")

    async def _list_revisions(self, request: Any) -> Any:
        revisions = self._find(request.parent).read_revisions()
        shown, token = page(revisions, request, default=100, most=1000)
        return ListRevisionsAnswer(revisions=shown, next_page_token=token)

    async def _get_operation(self, request: Any) -> Any:
        if self._behaviour.forbid_operations:
            raise denied(f"Permission 'run.operations.get' denied on resource '{request.name}'.")
        operation = self._operations.find(request.name)
        if operation is None:
            raise not_found(f"Resource '{request.name}' of kind 'OPERATION' does not exist.")
        return operation

    async def _wait_operation(self, request: Any) -> Any:
        await self._get_operation(request)
        asked = request.timeout.ToTimedelta().total_seconds() if request.HasField("timeout") else 0.0
        await self._operations.wait(
            request.name, timeout_seconds=min(asked or LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)
        )
        return await self._get_operation(request)

    def _find(self, path: str) -> Service:
        parent, _, name = path.rpartition("/services/")
        if parent != LOCATION or name not in self._services:
            raise not_found(f"Resource '{name or path}' of kind 'SERVICE' in region does not exist.")
        return self._services[name]

    def _demand(self, permission: str, path: str) -> None:
        if permission not in self._behaviour.granted_permissions:
            raise denied(f"Permission '{permission}' denied on resource '{path}' (or it may not exist).")


def _finished(candidate: Any) -> Any:
    operation = operations_pb2.Operation(name=f"{LOCATION}/operations/validate-only", done=True)
    operation.metadata.Pack(candidate)
    operation.response.Pack(candidate)
    return operation
