"""Cloud Run: reads a target's services, and sends the one write that a rollback needs."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.adapters.cloud_run_configuration import configuration
from bot.adapters.cloud_run_messages import (
    bare,
    pin_traffic,
    service_state,
    set_resources,
    set_variable,
    split_traffic,
)
from bot.adapters.google import (
    GoogleConnection,
    GoogleEndpoint,
    faults_named,
    once_more,
    pages,
    project_of,
)
from bot.domain.change import ChangeWrite, SetResources, SplitTraffic
from bot.domain.configuration import Configuration
from bot.domain.faults import CloudFault, FaultKind
from bot.domain.playbook import Target, Topology
from bot.domain.rollback import PinTraffic
from bot.domain.traffic import ServiceState, SideAddress, TargetState
from bot.usecases.ports import Cloud

if TYPE_CHECKING:
    from google.cloud import run_v2

#: For one read. Somebody is waiting for the card, and a rollback polls twice a second.
READ_SECONDS = 3.0
#: For a whole look, however many pages of revisions there are.
LOOK_SECONDS = 10.0
#: Google's own default for `UpdateService`; it is accepted in about 1.3 s.
#: Source: reference/cloud-run-and-canary.md, A.4.
WRITE_SECONDS = 15.0
#: What a rollback cannot do without.
NEEDED = frozenset({"run.services.get", "run.services.update"})


def _services_client() -> "type[run_v2.ServicesAsyncClient]":
    from google.cloud.run_v2 import ServicesAsyncClient

    return ServicesAsyncClient


def _revisions_client() -> "type[run_v2.RevisionsAsyncClient]":
    from google.cloud.run_v2 import RevisionsAsyncClient

    return RevisionsAsyncClient


class CloudRun(Cloud):
    """The Cloud Run Admin API v2.

    Args:
        endpoint: the setting ``CLOUD_RUN_ENDPOINT``, see `GoogleEndpoint.parse`.
        project: Google Cloud project of targets that name none.
    """

    def __init__(self, endpoint: str, project: str) -> None:
        self._google = GoogleConnection(GoogleEndpoint.parse(endpoint, setting="CLOUD_RUN_ENDPOINT"))
        self._project = project

    async def close(self) -> None:
        """Close the connection."""
        await self._google.close()

    async def look(self, target: Target) -> TargetState:
        """See `Cloud.look`."""
        with faults_named(f"look at {target.service}"):
            # Importing and logging in, on first use, are not Google being slow.
            await self._google.client(_services_client)
            await self._google.client(_revisions_client)
            async with asyncio.timeout(LOOK_SECONDS):
                if target.topology is Topology.SERVICES:
                    return await self._look_at_services(target)
                return TargetState(switch=await self._read_with_revisions(target, target.service))

    async def _look_at_services(self, target: Target) -> TargetState:
        assert target.router is not None
        assert target.canary_service is not None
        async with asyncio.TaskGroup() as group:
            switch = group.create_task(self._read_with_revisions(target, target.router.service))
            stable = group.create_task(self._read(target, target.service))
            canary = group.create_task(self._read_if_there(target, target.canary_service))
        return TargetState(switch=switch.result(), stable=stable.result(), canary=canary.result())

    async def _read_with_revisions(self, target: Target, service: str) -> ServiceState:
        async with asyncio.TaskGroup() as group:
            fetched = group.create_task(self._get(target, service))
            revisions = group.create_task(self._revisions(target, service))
        return service_state(fetched.result(), revisions.result(), read_at=datetime.now(UTC))

    async def _read(self, target: Target, service: str) -> ServiceState:
        return service_state(await self._get(target, service), read_at=datetime.now(UTC))

    async def _read_if_there(self, target: Target, service: str) -> ServiceState | None:
        try:
            return await self._read(target, service)
        except CloudFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return None
            raise

    async def _get(self, target: Target, service: str) -> "run_v2.Service":
        with faults_named(f"read service {service}"):
            client = await self._google.client(_services_client)
            name = self._path(target, service)
            # Google's default retry hides a dead endpoint for 8.8 s; measured, reference B.1.
            return await once_more(
                lambda: client.get_service(name=name, retry=None, timeout=READ_SECONDS),
            )

    async def _revisions(self, target: Target, service: str) -> "list[run_v2.Revision]":
        with faults_named(f"list the revisions of {service}"):
            client = await self._google.client(_revisions_client)
            from google.cloud.run_v2 import ListRevisionsRequest

            request = ListRevisionsRequest(parent=self._path(target, service))
            found: list[run_v2.Revision] = []
            async for page in pages(client.list_revisions, request, timeout_seconds=READ_SECONDS):
                found.extend(page.revisions)
            return found

    async def write(self, target: Target, write: ChangeWrite, *, state: TargetState) -> None:
        """See `Cloud.write`. A `CloudFault` of the kinds in `OUTCOME_UNKNOWN` may have landed."""
        await self._update(target, write, state, doing=f"write service {write.service}")

    async def dry_run(self, target: Target, write: ChangeWrite, *, state: TargetState) -> None:
        """See `Cloud.dry_run`; by ``validate_only``, for which Google asks the same permission."""
        doing = f"dry run of a write to service {write.service}"
        await self._update(target, write, state, doing=doing, validate_only=True)

    async def _update(
        self,
        target: Target,
        write: ChangeWrite,
        state: TargetState,
        *,
        doing: str,
        validate_only: bool = False,
    ) -> None:
        seen = state.service(write.service)
        if seen is None:
            raise ValueError(f"refused to write {write.service}: what was read is {state.switch.name}")
        with faults_named(doing):
            client = await self._google.client(_services_client)
            request = await self._request(target, write, seen)
            request.validate_only = validate_only
            # The answer is a long-running operation, which we neither await nor trust: a role bound
            # on the service alone cannot even read it. The caller looks at the service instead.
            await client.update_service(request=request, retry=None, timeout=WRITE_SECONDS)

    async def _request(
        self, target: Target, write: ChangeWrite, seen: ServiceState
    ) -> "run_v2.UpdateServiceRequest":
        if isinstance(write, PinTraffic):
            # The emergency: what it does is right whoever wrote meanwhile.
            return pin_traffic(write, name=self._path(target, write.service), etag=seen.etag)
        fresh = await self._unchanged(target, write, seen)
        if isinstance(write, SplitTraffic):
            return split_traffic(write, name=fresh.name, etag=fresh.etag)
        if isinstance(write, SetResources):
            return set_resources(write, fresh)
        return set_variable(write, fresh)

    async def _unchanged(self, target: Target, write: ChangeWrite, seen: ServiceState) -> "run_v2.Service":
        """Read the service again for what goes along; nobody may have changed it since it was `seen`.

        The generation counts changes of the specification, so it is the one to compare: the etag
        also moves when only the status does. The fresh etag goes along with the write.
        """
        fresh = await self._get(target, write.service)
        if fresh.generation != seen.generation:
            raise CloudFault(
                doing=f"write service {write.service}",
                kind=FaultKind.CONFLICT,
                detail=f"{fresh.last_modifier or 'somebody'} changed the service meanwhile: "
                f"generation {fresh.generation}, not {seen.generation}",
            )
        return fresh

    async def missing_permissions(self, target: Target) -> frozenset[str]:
        """See `Cloud.missing_permissions`; asks about the service that a rollback writes to."""
        switch = target.router.service if target.router else target.service
        with faults_named(f"test permissions on service {switch}"):
            client = await self._google.client(_services_client)
            request = {"resource": self._path(target, switch), "permissions": sorted(NEEDED)}
            answer = await once_more(
                lambda: client.test_iam_permissions(request=request, retry=None, timeout=READ_SECONDS)
            )
            return NEEDED - frozenset(answer.permissions)

    async def configuration(self, target: Target, side: SideAddress) -> Configuration:
        """See `Cloud.configuration`. Without a ready revision it is the service's template."""
        with faults_named(f"read the configuration of {side.name}"):
            await self._google.client(_services_client)
            await self._google.client(_revisions_client)
            async with asyncio.timeout(LOOK_SECONDS):
                service = await self._get(target, side.service)
                name = side.revision or bare(service.latest_ready_revision)
                revision = await self._get_revision(target, side.service, name) if name else None
        return configuration(service, revision, read_at=datetime.now(UTC))

    async def _get_revision(self, target: Target, service: str, revision: str) -> "run_v2.Revision":
        with faults_named(f"read revision {revision}"):
            client = await self._google.client(_revisions_client)
            name = f"{self._path(target, service)}/revisions/{revision}"
            return await once_more(
                lambda: client.get_revision(name=name, retry=None, timeout=READ_SECONDS),
            )

    def _path(self, target: Target, service: str) -> str:
        project = project_of(target, self._project)
        return f"projects/{project}/locations/{target.region}/services/{service}"
