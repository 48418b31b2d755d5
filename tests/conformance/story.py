"""One incident from the first alarm to its end, as people play it on a `Stage` with a real bot behind it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.names import CHANNELS
from tests.conformance.stage import Json, Seen, Stage
from tests.journeys.world import PATIENCE_SECONDS, PLAYBOOK, texts

CRITICAL, OPERATIONS = "C0CRITICAL", "C0OPERATIONS"
#: Both read English, which is all that `emulate` can say of anybody.
LUBIT, GITCO = "U0LUBIT", "U0GITCO"
PAUSE_SECONDS = 0.2
#: After so long without a change nothing more is on its way, even where the bot stood still for seconds.
QUIET_SECONDS = 10.0


def playbook() -> str:
    """Return the journeys' playbook for this story.

    With channels by their ids, and Lubit by name instead of through a group: `emulate` knows no ``#name`` and
    no groups.
    """
    text = PLAYBOOK.read_text()
    for channel in CHANNELS:
        text = text.replace(f'"#{channel.name}"', channel.id)
    text = text.replace("groups: [S0DEVOPS]", "users: [U0LUBIT]").replace("    group: S0DEVOPS\n", "")
    return f"{text}\nchannels:\n  incidents: {CRITICAL}\n"


def key_of(message: Json) -> str:
    """Return what a message of the bot's is, such as ``board:1``; empty for others."""
    return str(((message.get("metadata") or {}).get("event_payload") or {}).get("key") or "")


@dataclass(frozen=True)
class Played:
    """What a story leaves: everything at its end, and the modals as they were when they were open."""

    end: Seen
    modals: dict[str, Json] = field(default_factory=dict)


class Story:
    """Plays the incident on one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._modals: dict[str, Json] = {}

    async def play(self) -> Played:
        """Play all of it."""
        await self._declare()
        await self._note()
        await self._correct()
        await self._roll_back()
        await self._export()
        await self._close()
        await self._look_at_home()
        return Played(await self._quiet(), self._modals)

    async def _declare(self) -> None:
        await self._stage.slash(GITCO, OPERATIONS, "/incident new")
        modal = await self._modal(GITCO, "incident.declare")
        refused = await self._stage.submit(GITCO, modal["id"], {"declare.seen": "   "})
        assert refused["response_action"] == "errors"
        answer = await self._stage.submit(
            GITCO, modal["id"], {"declare.seen": "Users cannot pay", "declare.scenario": "error_rate"}
        )
        assert not answer
        await self._posted("board:1")
        await self._posted("diagnosis:1")

    async def _note(self) -> None:
        await self._stage.slash(GITCO, OPERATIONS, "/incident note 340 users affected")
        await self._said("340 users affected")
        by_reaction = await self._stage.say(GITCO, CRITICAL, "It began with the deployment <here> & now")
        await self._stage.react(LUBIT, CRITICAL, by_reaction, "pushpin")
        await self._said("wrote: It began with")
        by_menu = await self._stage.say(GITCO, CRITICAL, "The old revision is healthy")
        await self._stage.press_message_shortcut(LUBIT, CRITICAL, by_menu, "add_to_timeline")
        await self._said("wrote: The old revision")
        await self._stage.press_message_shortcut(LUBIT, CRITICAL, by_menu, "add_to_timeline")
        await self._said("has that message already")

    async def _correct(self) -> None:
        await self._stage.slash(GITCO, OPERATIONS, "/incident show")
        timeline = await self._modal(GITCO, "timeline.show", keep=False)
        await self._stage.click_view(GITCO, timeline["id"], "timeline.correct", beside="340 users")
        modal = await self._modal(GITCO, "timeline.correct")
        assert not await self._stage.submit(
            GITCO, modal["id"], {"timeline.correct_text": "304 users affected"}
        )
        await self._said("corrected by <@U0GITCO>")

    async def _roll_back(self) -> None:
        await self._stage.slash(LUBIT, OPERATIONS, "/rollback canary errors after the deployment")
        question = await self._posted("rollback:", having="rollback.go")
        await self._stage.click(LUBIT, question["channel"], question["ts"], "rollback.go")
        await self._posted("rollback:", having="is rolled back and verified")
        await self._posted("record:", having="Deployment failure record")
        await self._until(lambda seen: _files(seen, "INC-1-record-"), what="the record's files")

    async def _export(self) -> None:
        await self._stage.slash(GITCO, OPERATIONS, "/incident export")
        await self._until(lambda seen: _files(seen, ".csv") and _files(seen, ".json"), what="the export")

    async def _close(self) -> None:
        board = await self._posted("board:1", having="incident.close")
        await self._stage.click(LUBIT, CRITICAL, board["ts"], "incident.close")
        modal = await self._modal(LUBIT, "incident.close")
        assert not await self._stage.submit(LUBIT, modal["id"], {})
        await self._posted("board:1", having="incident.reopen")

    async def _look_at_home(self) -> None:
        await self._stage.open_home(LUBIT)
        await self._until(lambda seen: LUBIT in seen.homes, what="a Home")

    # Waiting ------------------------------------------------------------------------------------

    async def _until(self, look: Callable[[Seen], object], *, what: str) -> Seen:
        now = asyncio.get_running_loop().time
        deadline, looked_at = now() + PATIENCE_SECONDS, now()
        while not look(seen := await self._stage.seen()):
            assert now() < deadline, f"waited in vain for {what}"
            # Where looking takes long, it looks less often.
            await asyncio.sleep(max(PAUSE_SECONDS, 5 * (now() - looked_at)))
            looked_at = now()
        return seen

    async def _quiet(self) -> Seen:
        """Return what there is once nothing changes any more."""
        now = asyncio.get_running_loop().time
        before, since = await self._stage.seen(), now()
        while now() - since < QUIET_SECONDS:
            await asyncio.sleep(PAUSE_SECONDS)
            seen = await self._stage.seen()
            if seen != before:
                before, since = seen, now()
        return before

    async def _said(self, having: str) -> None:
        await self._until(
            lambda seen: any(having in texts(one) for one in (*seen.messages, *seen.whispers)),
            what=f"“{having}”",
        )

    async def _posted(self, key: str, *, having: str = "") -> Json:
        def look(seen: Seen) -> list[Json]:
            return [one for one in seen.messages if key_of(one).startswith(key) and having in str(one)]

        return look(await self._until(look, what=f"{having!r} in {key}"))[-1]

    async def _modal(self, user: str, callback: str, *, keep: bool = True) -> Json:
        def look(seen: Seen) -> list[Json]:
            return [view for view in seen.views if (view["user"], view["callback_id"]) == (user, callback)]

        modal = look(await self._until(look, what=f"the modal {callback}"))[-1]
        if keep:
            self._modals[callback] = modal
        return modal


def _files(seen: Seen, part: str) -> list[str]:
    return [file["name"] for file in seen.files if part in file["name"]]
