"""What the sandbox's page shows of the cloud, and the switch it offers."""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.sandbox.cloud.behaviour import Fault
from bot.sandbox.cloud.recent import RecentTraffic
from bot.sandbox.cloud.resources import TO_LATEST
from bot.sandbox.cloud.service import Service
from bot.sandbox.cloud.world import World

if TYPE_CHECKING:
    from bot.sandbox.cloud.sandbox_cloud import SandboxCloud


def snapshot(world: World, recent: RecentTraffic) -> dict[str, Any]:
    """Return every service with its traffic, revisions, live rates and faults."""
    return {"services": [_service(world, recent, service) for service in world.services.values()]}


def cloud_routes(cloud: "SandboxCloud") -> list[Route]:
    """Return ``GET /sandbox/cloud`` and ``POST /sandbox/cloud/fault``."""

    async def show(_: Request) -> JSONResponse:
        return JSONResponse(cloud.snapshot())

    async def switch(request: Request) -> JSONResponse:
        wanted = _fault_request(await _json_of(request))
        if wanted is None or not cloud.can_fail(wanted[0]):
            return JSONResponse({"error": "want {service, fault, on} of a service that can fail"}, 400)
        service, fault, on = wanted
        cloud.set_fault(service, fault, on)
        return JSONResponse(cloud.snapshot())

    return [Route("/sandbox/cloud", show), Route("/sandbox/cloud/fault", switch, methods=["POST"])]


def _service(world: World, recent: RecentTraffic, service: Service) -> dict[str, Any]:
    first = world.first[service.name]
    faults = service.containers[service.newest()].faults
    return {
        "name": service.name,
        "topology": first.topology,
        "role": first.role,
        "traffic": [{"name": line.revision, "percent": line.percent} for line in service.lines()],
        "wanted": [_wanted(line) for line in service.message.traffic],
        "reconciling": service.message.reconciling,
        "revisions": [_revision(recent, service.name, name) for name in service.revisions],
        "faults": {fault.value: fault in faults for fault in Fault},
        "can_fail": first.can_fail,
    }


def _wanted(line: Any) -> dict[str, Any]:
    return {"name": "LATEST" if line.type_ == TO_LATEST else line.revision, "percent": line.percent}


def _revision(recent: RecentTraffic, service: str, revision: str) -> dict[str, Any]:
    rates = recent.rates(service, revision)
    return {
        "name": revision,
        "requests_per_second": round(rates.requests_per_second, 1),
        "error_percent": round(rates.error_percent, 2),
        "p95_ms": None if rates.p95_ms is None else round(rates.p95_ms, 1),
    }


async def _json_of(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        return None


def _fault_request(body: Any) -> tuple[str, Fault, bool] | None:
    if not isinstance(body, dict) or body.get("fault") not in tuple(Fault):
        return None
    service, on = body.get("service"), body.get("on")
    if not isinstance(service, str) or not isinstance(on, bool):
        return None
    return service, Fault(body["fault"]), on
