"""``/canary watch``, ``unwatch``, ``auto`` and ``disarm``, and the buttons of a watch and of automatics."""

from collections.abc import Mapping
from typing import Any

from bot.domain.ids import TargetName
from bot.slack.ids import ActionId
from bot.slack.listeners.table import Request, Table
from bot.slack.listeners.targets import on_target
from bot.usecases.arm_automatics import Arming, ArmRequest, accept_arming, ask_to_arm
from bot.usecases.ask_for_rollback import AskForRollback, ask_for_rollback
from bot.usecases.ask_for_watch import Wanted, ask_for_watch
from bot.usecases.ports import Clock, Playbooks, Store
from bot.usecases.report_status import ask_for_status


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""
    _watching(table, store=store, playbooks=playbooks, clock=clock)
    _automatics(table, store=store, playbooks=playbooks, clock=clock)


def _watching(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    async def wish(request: Request, target: TargetName, wanted: Wanted) -> None:
        sender = request.sender
        await ask_for_watch(
            request.key,
            target,
            sender.person,
            sender.channel,
            wanted=wanted,
            acting_team=sender.team,
            store=store,
            clock=clock,
        )

    async def watch(request: Request, target: TargetName) -> str:
        await wish(request, target, Wanted.WATCH)
        return request.words.say("Looking at {target} …", target=request.words.bold(target))

    async def unwatch(request: Request, target: TargetName) -> str:
        await wish(request, target, Wanted.UNWATCH)
        return request.words.say("Ending the watch of {target} …", target=request.words.bold(target))

    async def press_stop(request: Request, action: Mapping[str, Any]) -> None:
        target, _, _ = str(action["value"]).partition(":")
        await wish(request, TargetName(target), Wanted.UNWATCH)

    async def press_status(request: Request, action: Mapping[str, Any]) -> None:
        sender, target = request.sender, TargetName(action["value"])
        await ask_for_status(request.key, target, sender.person, sender.channel, store=store, clock=clock)

    async def press_roll_back(request: Request, action: Mapping[str, Any]) -> None:
        """Ask as ``/rollback TARGET`` does: the card with the numbers comes first."""
        asked = AskForRollback(
            key=request.key,
            target=TargetName(action["value"]),
            person=request.sender.person,
            acting_team=request.sender.team,
            channel=request.sender.channel,
        )
        await ask_for_rollback(asked, store=store, clock=clock, playbook=playbooks.current())

    on_target(table, "watch", watch, store=store, playbooks=playbooks, clock=clock)
    on_target(table, "unwatch", unwatch, store=store, playbooks=playbooks, clock=clock)
    table.presses[ActionId.WATCH_STOP] = press_stop
    table.presses[ActionId.WATCH_ROLL_BACK] = press_roll_back
    table.presses[ActionId.CANARY_STATUS] = press_status


def _automatics(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    async def auto(request: Request, target: TargetName) -> str:
        sender = request.sender
        await ask_to_arm(
            request.key,
            target,
            sender.person,
            acting_team=sender.team,
            channel=sender.channel,
            store=store,
            clock=clock,
        )
        return request.words.say(
            "Testing {target} on what has been; that takes a few seconds …", target=request.words.bold(target)
        )

    async def switch(request: Request, target: str, arming: Arming) -> None:
        wanted = ArmRequest(
            key=request.key,
            target=TargetName(target),
            arming=arming,
            person=request.sender.person,
            acting_team=request.sender.team,
            channel=request.sender.channel,
        )
        await accept_arming(wanted, store=store, clock=clock)

    async def disarm(request: Request, target: TargetName) -> str:
        await switch(request, target, Arming.DISARM)
        return request.words.say(
            "Switching the automatics of {target} off …", target=request.words.bold(target)
        )

    async def press_arm(request: Request, action: Mapping[str, Any]) -> None:
        await switch(request, action["value"], Arming.ARM)

    async def press_disarm(request: Request, action: Mapping[str, Any]) -> None:
        await switch(request, action["value"], Arming.DISARM)

    on_target(table, "auto", auto, store=store, playbooks=playbooks, clock=clock)
    on_target(table, "disarm", disarm, store=store, playbooks=playbooks, clock=clock)
    table.presses[ActionId.ARM] = press_arm
    table.presses[ActionId.DISARM] = press_disarm
