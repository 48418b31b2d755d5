"""A look by command: read once, told to the person who asked."""

from typing import Any

import pytest

from bot.domain.canary_looks import CanaryLook, LogKind
from bot.domain.guide import Does
from bot.domain.ids import ChannelId
from bot.domain.readings import Side
from bot.usecases.find_out import FINDING, Looking
from bot.usecases.look_at_canary import AskForLook, LookingAtCanary, ask_for_look, look_at_canary
from bot.usecases.ports import Said, Workflow
from tests.fakes import FakeLogs, FakeSteps, KeptMessage
from tests.unit.usecases.world import World
from tests.values import CHAT_TARGET, SENA, a_person, a_services_state

CHANNEL = ChannelId("C0OPERATIONS")


class Looked(World):
    """Somebody asks, twice with the same key, and the workflow answers."""

    def __init__(self) -> None:
        super().__init__(a_services_state())
        self.logs = FakeLogs()

    async def told(self, look: CanaryLook, *, team: str | None = "T0HOME") -> KeptMessage:
        """Return the notice."""
        asked = AskForLook(
            key="k", look=look, target=CHAT_TARGET, person=SENA, channel=CHANNEL, acting_team=team
        )
        for _ in range(2):
            await ask_for_look(asked, store=self.store, clock=self.clock)
        (arguments,) = self.store.started(Workflow.CANARY_LOOK)
        looking = Looking(reporting=self.reporting, logs=self.logs, prober=self.prober)
        use = LookingAtCanary(looking=looking, people=self.people)
        await look_at_canary(arguments, steps=FakeSteps(), use=use)
        return self.store.kept.messages["notice:look:k"]


def finding(notice: KeptMessage) -> Any:
    assert notice.facts["what"] == Said.CANARY_FINDING
    return FINDING.validate_python(notice.facts["finding"])


@pytest.mark.parametrize(
    ("kind", "limit", "part"),
    [
        (LogKind.ERRORS, 100, "severity>=ERROR"),
        (LogKind.SLOW, 10, '(httpRequest.latency>"0.5s" OR jsonPayload.latency_ms>500)'),
        (LogKind.CANARY, 50, 'resource.labels.service_name="ion-chat-canary"'),
    ],
)
async def test_a_log_is_read_with_the_guides_filter_and_limit(kind: LogKind, limit: int, part: str) -> None:
    notice = await Looked().told(CanaryLook(does=Does.LOGS, log=kind))

    found = finding(notice)
    assert (notice.person, notice.channel) == (SENA, CHANNEL)
    assert found.log.limit == limit
    assert part in found.log.filter
    assert found.target == CHAT_TARGET


async def test_both_sides_are_probed_as_often_as_was_asked_for() -> None:
    notice = await Looked().told(CanaryLook(does=Does.PROBE, requests=7, pause_ms=3))

    found = finding(notice)
    assert {(probe.side, probe.sent) for probe in found.probes} == {(Side.CANARY, 7), (Side.STABLE, 7)}
    assert found.pause_ms == 3


async def test_a_picture_follows_the_metrics_and_nothing_else() -> None:
    metrics, probe = Looked(), Looked()

    await metrics.told(CanaryLook(does=Does.METRICS))
    await probe.told(CanaryLook(does=Does.PROBE))

    assert [asked["target"] for asked in metrics.store.started(Workflow.PICTURE)] == [CHAT_TARGET]
    assert probe.store.started(Workflow.PICTURE) == []


async def test_who_is_not_one_of_us_is_told_so_and_nothing_is_sent() -> None:
    world = Looked()
    world.people.people[SENA] = a_person(SENA, guest=True)

    notice = await world.told(CanaryLook(does=Does.PROBE))

    assert notice.facts["what"] == Said.REFUSED
    assert world.prober.urls == []
