"""``/sandbox/drill``: what the page's drill panel shows, and its two buttons."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.bootstrap import utc_now
from bot.domain.drill import Drill, Milestone, Score, Scoreboard, limit_of
from bot.domain.playbook import Playbook
from bot.drill.director import Director
from bot.drill.refused import Refused, why
from bot.drill.story import stories
from bot.slack.text import LOCALES, Words
from bot.usecases.begin_drill import RealIncidentOpen

log = structlog.get_logger()

Json = dict[str, Any]


class DrillDesk:
    """Begins and ends drills for whoever presses the page's buttons. Its routes serve before it is staffed.

    Phases: ``starting`` (not staffed yet), ``idle``, ``preparing`` (the canary is still well), ``running``,
    ``ending``, ``ended``.
    """

    def __init__(self) -> None:
        self.director: Director | None = None
        self._phase = "idle"
        self._scenario = ""
        self._board: Scoreboard | None = None
        self._problem: Mapping[str, str] | None = None
        self._play: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    def routes(self) -> list[Route]:
        """Return ``GET`` and ``POST /sandbox/drill``."""
        return [
            Route("/sandbox/drill", self._show, methods=["GET"]),
            Route("/sandbox/drill", self._act, methods=["POST"]),
        ]

    def begin(self, scenario: str) -> None:
        """Begin a drill, unless one is under way; what goes wrong with it is shown on the page."""
        if self._play is None or self._play.done():
            self._scenario, self._board, self._problem = scenario, None, None
            self._stop.clear()
            self._phase = "preparing"
            self._play = asyncio.create_task(self._run(scenario))

    def stop(self) -> None:
        """End the drill that is under way; its scoreboard follows."""
        self._stop.set()

    async def close(self) -> None:
        """End what is under way without waiting for its scoreboard."""
        if self._play is not None:
            self._play.cancel()
            await asyncio.gather(self._play, return_exceptions=True)
        if self.director is not None:
            await self.director.close()

    async def _run(self, scenario: str) -> None:
        assert self.director is not None
        try:
            await self.director.begin(scenario)
            self._phase = "running"
            await self.director.over(self._stop)
            self._phase = "ending"
            self._board = await self.director.end()
            self._phase = "ended"
        except (Refused, RealIncidentOpen) as refused:
            self._problem = {one: why(refused, Words(locale=one)) for one in LOCALES}
        except Exception as problem:
            # Nobody awaits this task: whoever pressed the button reads it on the page.
            log.exception("drill_broke_off")
            self._problem = dict.fromkeys(LOCALES, f"{type(problem).__name__}: {problem}"[:300])
        finally:
            # Whatever went wrong, the next drill can be begun.
            if self._phase != "ended":
                self._phase = "idle"

    # The page -----------------------------------------------------------------------------------

    async def _show(self, _: Request) -> JSONResponse:
        starting: Json = {"phase": "starting", "scenarios": [], "scores": []}
        shown = starting if self.director is None else self.state(self.director)
        return JSONResponse(shown, headers={"cache-control": "no-store"})

    async def _act(self, request: Request) -> JSONResponse:
        # A foreign page can send a form or plain text without asking; JSON it cannot.
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return JSONResponse({"ok": False, "error": "application/json expected"}, status_code=415)
        match await _object(request):
            case {"begin": str(scenario)} if self.director and scenario in stories():
                self.begin(scenario)
            case {"stop": True} if self.director:
                self.stop()
            case _:
                return JSONResponse({"ok": False, "error": "invalid_arguments"}, status_code=400)
        return JSONResponse({"ok": True, "error": None})

    def state(self, director: Director) -> Json:
        """Return what the panel shows. Times are seconds since the failure began."""
        playbook = director.playbook
        shown: Json = {
            "phase": self._phase,
            "scenarios": [_scenario(playbook, key) for key in _in_order(playbook)],
            "scenario": self._scenario,
            "problem": self._problem,
            "drill": None,
            "scores": [],
        }
        if director.drill is not None:
            shown["drill"] = running(director.drill, director.reached, playbook, at=utc_now())
        if self._board is not None:
            shown["scores"] = [_score(score, self._board.drill, playbook) for score in self._board.scores]
        return shown


def running(drill: Drill, reached: Mapping[Milestone, datetime], playbook: Playbook, *, at: datetime) -> Json:
    """Return how a drill stands at `at` (aware, UTC): what was reached, and until when what is next."""
    seconds = {key: (moment - drill.created_at).total_seconds() for key, moment in reached.items()}
    ahead = [
        milestone
        for milestone in Milestone
        if milestone not in reached and _is_asked_for(milestone, drill.scenario, playbook)
    ]
    return {
        "seconds": (at - drill.created_at).total_seconds(),
        "reached": [{"milestone": key, "at": took} for key, took in seconds.items()],
        "next": _next(ahead[0], drill, seconds, playbook) if ahead else None,
    }


def _is_asked_for(milestone: Milestone, scenario: str, playbook: Playbook) -> bool:
    """Users are told where the playbook says by when; everything else belongs to every drill."""
    return milestone is not Milestone.USERS_TOLD or limit_of(milestone, scenario, playbook) is not None


def _next(milestone: Milestone, drill: Drill, reached: Mapping[Milestone, float], playbook: Playbook) -> Json:
    return {"milestone": milestone, "by": _due(milestone, drill.scenario, reached, playbook)}


def _due(
    milestone: Milestone, scenario: str, reached: Mapping[Milestone, float], playbook: Playbook
) -> float | None:
    """Return by when the guide wants a milestone, seconds after the failure, going by what was `reached`."""
    limit = limit_of(milestone, scenario, playbook)
    if limit is None:
        return None
    since = reached.get(limit.since, reached.get(Milestone.DETECTED, 0.0)) if limit.since else 0.0
    return since + limit.minutes * 60


def _score(score: Score, drill: Drill, playbook: Playbook) -> Json:
    reached = {key: took for key in drill.reached if (took := drill.took(key)) is not None}
    return {
        "milestone": score.milestone,
        "result": score.result,
        "reached": score.reached,
        "by": _due(score.milestone, drill.scenario, reached, playbook),
        "last": score.last,
    }


def _in_order(playbook: Playbook) -> list[str]:
    told = stories()
    return [scenario.key for scenario in playbook.scenarios if scenario.key in told]


def _scenario(playbook: Playbook, key: str) -> Json:
    found = playbook.scenario(key)
    assert found is not None
    return {"key": key, "number": found.number, "name": found.name.model_dump()}


async def _object(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        return None
