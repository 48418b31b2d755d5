"""What the sandbox's page shows of the cloud, and what its panel switches there."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.sandbox.cloud.behaviour import Fault
from bot.sandbox.cloud.pipeline import STAGES, Pipeline, Refused
from bot.sandbox.cloud.recent import RecentTraffic
from bot.sandbox.cloud.resources import TO_LATEST
from bot.sandbox.cloud.service import Service
from bot.sandbox.cloud.strips import PIECE_SECONDS, PIECES, Piece, Strips
from bot.sandbox.cloud.troubles import Trouble, Troubles
from bot.sandbox.cloud.world import World

if TYPE_CHECKING:
    from bot.sandbox.cloud.sandbox_cloud import SandboxCloud

Json = dict[str, Any]
Act = Callable[[Json], Awaitable[None]]

#: What is drawn of each piece of a revision's strip.
_FIGURES = ("requests_per_second", "error_percent", "p95_ms", "memory_percent", "cpu_percent")


def snapshot(
    world: World,
    *,
    recent: RecentTraffic,
    strips: Strips,
    pipeline: Pipeline,
    troubles: Troubles,
    can_report: bool,
) -> Json:
    """Return every service with its traffic, stages, revisions, live figures and faults, and the troubles.

    Times are ISO 8601, UTC. A revision's `strip` holds for each figure what it was in the last
    `strip_pieces` pieces of `strip_seconds`, oldest first, None where nobody measured.
    """
    shown = []
    for service in world.services.values():
        one = _service(world, service)
        one["revisions"] = [
            _revision(service, name, recent=recent, strips=strips) for name in _of_interest(service)
        ]
        one["stage"] = _stage(pipeline, service.name)
        shown.append(one)
    return {
        "services": shown,
        "troubles": troubles.shown(),
        "can_report": can_report,
        "strip_seconds": PIECE_SECONDS,
        "strip_pieces": PIECES,
    }


def cloud_routes(cloud: "SandboxCloud") -> list[Route]:
    """Return ``GET /sandbox/cloud`` and the ``POST``\\ s below it; each answers with the snapshot.

    A body that does not say what it must is answered 400, what cannot be done now 409, both with an `error`.
    """

    async def show(_: Request) -> JSONResponse:
        return JSONResponse(cloud.snapshot())

    async def fault(body: Json) -> None:
        service, on = _text(body, "service"), _flag(body, "on")
        if body.get("fault") not in tuple(Fault):
            raise ValueError(f"fault is one of {', '.join(Fault)}")
        if not cloud.can_fail(service):
            raise ValueError(f"{service} cannot fail: only a canary can")
        cloud.set_fault(service, Fault(body["fault"]), on)

    async def stage(body: Json) -> None:
        percent = body.get("percent")
        if not isinstance(percent, int) or isinstance(percent, bool):
            raise ValueError("percent is a whole number")
        await cloud.move(_text(body, "service"), percent)

    async def deploy(body: Json) -> None:
        await cloud.deploy_canary(_text(body, "service"))

    async def report(body: Json) -> None:
        await cloud.let_a_user_report(locale=_text(body, "locale"))

    async def restore(body: Json) -> None:
        service = _text(body, "service")
        if not cloud.can_fail(service):
            raise ValueError(f"{service} has no conversations to restore")
        cloud.restore_conversations(service)

    async def trouble(body: Json) -> None:
        if body.get("trouble") not in tuple(Trouble):
            raise ValueError(f"trouble is one of {', '.join(Trouble)}")
        cloud.trouble(Trouble(body["trouble"]), _flag(body, "on"))

    async def normal(_: Json) -> None:
        cloud.calm()

    acts: dict[str, Act] = {
        "fault": fault,
        "stage": stage,
        "deploy": deploy,
        "report": report,
        "restore": restore,
        "trouble": trouble,
        "normal": normal,
    }
    posts = [
        Route(f"/sandbox/cloud/{name}", _endpoint(cloud, act), methods=["POST"]) for name, act in acts.items()
    ]
    return [Route("/sandbox/cloud", show), *posts]


def _endpoint(cloud: "SandboxCloud", act: Act) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def answer(request: Request) -> JSONResponse:
        # A foreign page can send a form or plain text without asking; JSON it cannot.
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return _error("application/json expected", 415)
        try:
            body = await request.json()
            if not isinstance(body, dict):
                raise ValueError("a JSON object expected")
            await act(body)
        except ValueError as bad:
            return _error(str(bad), 400)
        except (Refused, LookupError) as refused:
            return _error(str(refused), 409)
        return JSONResponse({"ok": True, **cloud.snapshot()})

    return answer


def _error(what: str, status: int) -> JSONResponse:
    return JSONResponse({"ok": False, "error": what}, status)


def _text(body: Json, key: str) -> str:
    if not isinstance(body.get(key), str):
        raise ValueError(f"{key} is a text")
    return str(body[key])


def _flag(body: Json, key: str) -> bool:
    if not isinstance(body.get(key), bool):
        raise ValueError(f"{key} is true or false")
    return bool(body[key])


def _service(world: World, service: Service) -> Json:
    first = world.first[service.name]
    message = service.message
    faults = service.containers[service.newest()].faults
    return {
        "name": service.name,
        "topology": first.topology,
        "role": first.role,
        "traffic": [{"name": line.revision, "percent": line.percent} for line in service.lines()],
        "wanted": [_wanted(line) for line in message.traffic],
        "reconciling": message.reconciling,
        "changed_at": _iso(message.update_time),
        "changed_by": message.last_modifier,
        "faults": {fault.value: fault in faults for fault in Fault},
        "can_fail": first.can_fail,
        "lost_conversations": world.conversations(service.name).lost if first.can_fail else 0,
    }


def _of_interest(service: Service) -> list[str]:
    """Return the revisions that serve or are to serve somebody, and the two newest, oldest first."""
    serving = {line.revision for line in service.lines() if line.percent}
    serving |= {line.revision for line in service.message.traffic if line.percent}
    return [name for name in service.revisions if name in serving or name in list(service.revisions)[-2:]]


def _wanted(line: Any) -> Json:
    return {"name": "LATEST" if line.type_ == TO_LATEST else line.revision, "percent": line.percent}


def _stage(pipeline: Pipeline, service: str) -> Json | None:
    if not pipeline.drives(service):
        return None
    stable, canary = pipeline.sides(service)
    return {
        "stages": list(STAGES),
        "stable": stable,
        "canary": canary,
        "percent": pipeline.share(service),
        "wanted": pipeline.wanted_share(service),
    }


def _revision(service: Service, name: str, *, recent: RecentTraffic, strips: Strips) -> Json:
    owner = (service.name, name)
    rates = recent.rates(*owner)
    memory, cpu = strips.usage(owner)
    revision = service.revisions[name]
    return {
        "name": name,
        "image": revision.containers[0].image,
        "deployed_at": _iso(revision.create_time),
        "deployed_by": revision.creator,
        "requests_per_second": round(rates.requests_per_second, 1),
        "error_percent": _rounded(rates.error_percent),
        "p95_ms": _rounded(rates.p95_ms),
        "memory_percent": _rounded(memory),
        "cpu_percent": _rounded(cpu),
        "strip": _columns(strips.pieces(owner)),
    }


def _columns(pieces: tuple[Piece, ...]) -> dict[str, list[float | None]]:
    return {figure: [_rounded(getattr(piece, figure)) for piece in pieces] for figure in _FIGURES}


def _iso(stamp: Any) -> str:
    return str(stamp.ToJsonString())


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
