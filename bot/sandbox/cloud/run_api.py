"""``google.cloud.run.v2`` and ``google.longrunning``: the RPCs of Cloud Run the bot uses, and lists."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from google.cloud import run_v2
from google.iam.v1 import iam_policy_pb2
from google.longrunning import operations_pb2

from bot.sandbox.cloud.audit import DELETE, UPDATE, ChangeAsked
from bot.sandbox.cloud.behaviour import Behaviour
from bot.sandbox.cloud.operations import Operations
from bot.sandbox.cloud.paging import page
from bot.sandbox.cloud.permissions import demand, demand_act_as, holds
from bot.sandbox.cloud.rejection import Rejection, denied, invalid, not_found
from bot.sandbox.cloud.resources import BACKOUT, LOCATION
from bot.sandbox.cloud.rpc import Gate
from bot.sandbox.cloud.service import Service
from bot.sandbox.cloud.update_rules import check_etag
from bot.sandbox.names import PROJECT

ListServicesAnswer: Any = run_v2.ListServicesResponse.pb()
ListRevisionsAnswer: Any = run_v2.ListRevisionsResponse.pb()

#: Google's own limit for WaitOperation without a time-out is not documented; ours is short.
LONGEST_WAIT_SECONDS = 60.0


class RunApi:
    """Cloud Run over `services`. `audit` is told of every change that is asked for."""

    def __init__(
        self,
        services: Mapping[str, Service],
        *,
        operations: Operations,
        behaviour: Behaviour,
        audit: Callable[[ChangeAsked], None],
    ) -> None:
        self.updates: list[Any] = []
        self._services = services
        self._operations = operations
        self._behaviour = behaviour
        self._audit = audit

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
                    "DeleteService": unary(
                        "DeleteService", self._delete_service, run_v2.DeleteServiceRequest
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
        return self._find(request.name, "run.services.get").read()

    async def _list_services(self, request: Any) -> Any:
        if request.parent != LOCATION:
            raise denied("run.services.list", request.parent)
        demand(self._behaviour, "run.services.list", request.parent)
        there = [s.read() for s in self._services.values() if request.show_deleted or not s.deleted]
        shown, token = page(there, request, default=100, most=1000)
        return ListServicesAnswer(services=shown, next_page_token=token)

    async def _update_service(self, request: Any) -> Any:
        raw = run_v2.UpdateServiceRequest.pb(request)
        if raw.validate_only:
            return await self._update(request, raw)
        return await self._audited(UPDATE, raw.service.name, self._update(request, raw))

    async def _update(self, request: Any, raw: Any) -> Any:
        if raw.allow_missing and raw.service.name.rpartition("/")[2] not in self._services:
            raise Rejection(grpc.StatusCode.UNIMPLEMENTED, "The sandbox does not create services.")
        service = self._find(raw.service.name, "run.services.update")
        demand_act_as(self._behaviour, service.message.template.service_account)
        candidate, creates = service.propose(raw.service, raw.update_mask)
        if raw.validate_only:
            return _finished(candidate)
        self.updates.append(request)
        return await service.accept(candidate, creates, by=BACKOUT)

    async def _delete_service(self, request: Any) -> Any:
        if request.validate_only:
            return await self._delete(request)
        return await self._audited(DELETE, request.name, self._delete(request))

    async def _delete(self, request: Any) -> Any:
        service = self._find(request.name, "run.services.delete")
        if self._behaviour.enforce_etag:
            check_etag(service.message, request)
        return _finished(service.read()) if request.validate_only else service.delete(by=BACKOUT)

    async def _audited(self, method: str, name: str, change: Awaitable[Any]) -> Any:
        try:
            operation = await change
        except Rejection as no:
            code = int(no.code.value[0])
            self._audit(
                ChangeAsked(method=method, resource=name, principal=BACKOUT, code=code, message=no.detail)
            )
            raise
        self._audit(ChangeAsked(method=method, resource=name, principal=BACKOUT, operation=operation.name))
        return operation

    async def _test(self, request: Any) -> Any:
        if any("*" in name for name in request.permissions):
            raise invalid("permissions: Permissions with wildcards are not allowed.")
        # A resource that does not exist has "an empty set of permissions, not a NOT_FOUND error".
        # Source: google.iam.v1.IAMPolicy, comment on TestIamPermissions.
        there = self._named(request.resource) is not None
        held = [name for name in request.permissions if there and holds(self._behaviour, name)]
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=held)

    async def _get_revision(self, request: Any) -> Any:
        parent, _, name = request.name.partition("/revisions/")
        service = self._find(parent, "run.revisions.get", of=request.name)
        for revision in service.read_revisions():
            if revision.name == request.name:
                return revision
        raise not_found(f"Resource '{name}' of kind 'REVISION' does not exist.")

    async def _list_revisions(self, request: Any) -> Any:
        revisions = self._find(request.parent, "run.revisions.list").read_revisions()
        shown, token = page(revisions, request, default=100, most=1000)
        return ListRevisionsAnswer(revisions=shown, next_page_token=token)

    async def _get_operation(self, request: Any) -> Any:
        if self._behaviour.forbid_operations:
            raise denied("run.operations.get", request.name)
        demand(self._behaviour, "run.operations.get", request.name)
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

    def _find(self, path: str, permission: str, *, of: str = "") -> Service:
        """Return the service at `path` to somebody who has `permission` on it, or on the resource `of`.

        Raises:
            Rejection: NOT_FOUND; PERMISSION_DENIED, whatever there is, in a project that is not ours.
        """
        if path.startswith("projects/") and path.split("/")[1] != PROJECT:
            raise denied(permission, path)
        service = self._named(path)
        if service is None:
            name = path.rpartition("/services/")[2]
            raise not_found(f"Resource '{name or path}' of kind 'SERVICE' in region does not exist.")
        demand(self._behaviour, permission, of or path)
        return service

    def _named(self, path: str) -> Service | None:
        parent, _, name = path.rpartition("/services/")
        service = self._services.get(name) if parent == LOCATION else None
        return None if service is None or service.deleted else service


def _finished(candidate: Any) -> Any:
    operation = operations_pb2.Operation(name=f"{LOCATION}/operations/validate-only", done=True)
    operation.metadata.Pack(candidate)
    operation.response.Pack(candidate)
    return operation
