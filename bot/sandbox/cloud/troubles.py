"""What can go wrong around a rollback: at Google, in Slack, and by other people. Until switched off."""

import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Protocol

import grpc

from bot.sandbox.cloud.behaviour import Behaviour, Fault
from bot.sandbox.cloud.container import Container
from bot.sandbox.cloud.pipeline import stable_beside
from bot.sandbox.cloud.rival import Rival
from bot.sandbox.cloud.rpc import Gate
from bot.sandbox.cloud.world import World


class Trouble(StrEnum):
    """One switch of the page."""

    #: Every call of Google's takes `SLOW_SECONDS` longer.
    GOOGLE_SLOW = "google_slow"
    #: UpdateService answers UNAVAILABLE.
    GOOGLE_UNAVAILABLE = "google_unavailable"
    #: The bot's account may not update services: UpdateService answers PERMISSION_DENIED.
    GOOGLE_FORBIDDEN = "google_forbidden"
    #: Slack's Web API answers 429 with a Retry-After.
    SLACK_LIMITED = "slack_limited"
    #: Slack's Web API answers 500.
    SLACK_FAILING = "slack_failing"
    #: Slack's Web API drops the connection.
    SLACK_SILENT = "slack_silent"
    #: Another pipeline deploys right after the bot's next change; that switches it off.
    COMPETING = "competing"
    #: Metrics are seen as late as Google's documentation allows.
    LATE_METRICS = "late_metrics"
    #: A stale etag is refused.
    STRICT_ETAG = "strict_etag"
    #: The stable side answers 5 % of its requests with a 500 as well.
    BROKEN_STABLE = "broken_stable"


SLACK_TROUBLES = frozenset({Trouble.SLACK_LIMITED, Trouble.SLACK_FAILING, Trouble.SLACK_SILENT})

#: Longer than a person likes to wait, shorter than the bot's deadlines: it gives a read of Cloud Run 3 s.
SLOW_SECONDS = 2.0
#: Metrics of Cloud Run may take so long (Google Cloud, "Google Cloud metrics", run.googleapis.com: 240 s).
LATEST_METRICS_SECONDS = 240.0
UPDATE_PERMISSION = "run.services.update"


class Chat(Protocol):
    """The Slack beside the cloud, as far as the cloud's panel reaches it."""

    async def report_lost_conversations(self, *, locale: str) -> None:
        """Let a user complain that their conversations are gone; `locale` is such as ``en`` or ``ko-KR``."""

    def suffer(self, trouble: Trouble | None) -> None:
        """Suffer from one of `SLACK_TROUBLES` until told otherwise; None ends it."""


class Troubles:
    """The switches. Slack's are there only while there is a `chat`, and exclude each other.

    Args:
        world: what there is to break.
        gate: where Google's calls come in.
        behaviour: how Google behaves now.
        usual: how it behaves without trouble.
        rival: who deploys at the wrong moment.
        chat: returns the Slack beside the cloud, None without one.
    """

    def __init__(
        self,
        world: World,
        *,
        gate: Gate,
        behaviour: Behaviour,
        usual: Behaviour,
        rival: Rival,
        chat: Callable[[], Chat | None],
    ) -> None:
        self._on: set[Trouble] = set()
        self._world = world
        self._gate = gate
        self._behaviour = behaviour
        self._usual = usual
        self._rival = rival
        self._chat = chat
        self._broken: list[Container] = []
        self._switches: dict[Trouble, Callable[[bool], None]] = {
            Trouble.GOOGLE_SLOW: self._slow,
            Trouble.GOOGLE_UNAVAILABLE: self._unavailable,
            Trouble.GOOGLE_FORBIDDEN: self._forbidden,
            Trouble.COMPETING: self._competing,
            Trouble.LATE_METRICS: self._late,
            Trouble.STRICT_ETAG: self._strict,
            Trouble.BROKEN_STABLE: self._break_stable,
        }

    def shown(self) -> dict[str, bool]:
        """Return every switch there is, and whether it is on."""
        return {one.value: self._is_on(one) for one in Trouble if self.can(one)}

    def can(self, trouble: Trouble) -> bool:
        """Return whether there is what `trouble` befalls."""
        return trouble not in SLACK_TROUBLES or self._chat() is not None

    def switch(self, trouble: Trouble, on: bool) -> None:
        """Let `trouble` begin or end; does nothing where it has already."""
        if on == self._is_on(trouble):
            return
        if trouble in SLACK_TROUBLES:
            self._suffer(trouble if on else None)
        else:
            self._switches[trouble](on)
        if on:
            self._on.add(trouble)
        else:
            self._on.discard(trouble)

    def clear(self) -> None:
        """End every trouble."""
        for trouble in Trouble:
            self.switch(trouble, False)

    def _is_on(self, trouble: Trouble) -> bool:
        # The rival ends this by itself.
        return self._rival.armed if trouble is Trouble.COMPETING else trouble in self._on

    def _suffer(self, trouble: Trouble | None) -> None:
        chat = self._chat()
        if chat is not None:
            chat.suffer(trouble)
        self._on -= SLACK_TROUBLES

    def _slow(self, on: bool) -> None:
        self._gate.slow_all(SLOW_SECONDS if on else 0.0)

    def _unavailable(self, on: bool) -> None:
        self._gate.fail(
            "UpdateService",
            grpc.StatusCode.UNAVAILABLE,
            detail="The service is currently unavailable.",
            times=sys.maxsize if on else 0,
            after_effect=False,
        )

    def _forbidden(self, on: bool) -> None:
        granted = self._usual.granted_permissions
        self._behaviour.granted_permissions = granted - {UPDATE_PERMISSION} if on else granted

    def _competing(self, on: bool) -> None:
        self._rival.armed = on

    def _late(self, on: bool) -> None:
        usual = self._usual.visible_after_seconds
        self._behaviour.visible_after_seconds = LATEST_METRICS_SECONDS if on else usual

    def _strict(self, on: bool) -> None:
        self._behaviour.enforce_etag = on or self._usual.enforce_etag

    def _break_stable(self, on: bool) -> None:
        if on:
            self._broken = list(self._stable_containers())
        for container in self._broken:
            container.set_fault(Fault.ERRORS, on)

    def _stable_containers(self) -> Iterator[Container]:
        for name, service in self._world.services.items():
            role = self._world.first[name].role
            if role == "revisions":
                yield service.containers[stable_beside(service, service.newest())]
            elif role == "stable":
                yield service.containers[service.newest()]
