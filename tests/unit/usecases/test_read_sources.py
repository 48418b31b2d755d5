"""Where both sides are probed, what their answers mean, and whose canary it is."""

from dataclasses import replace

import pytest

from bot.domain.ids import RevisionName
from bot.domain.watch import EndedWhy, what_became
from bot.usecases.look_at_target import look_at_target
from bot.usecases.read_sources import Addresses, addresses, well
from bot.usecases.see_canary import has_part_of_it, see_canary, share_of
from tests.fakes import FakeCloud, HeldClock
from tests.unit.domain.test_watch import a_watch
from tests.unit.usecases.watch_world import split
from tests.values import (
    CANARY,
    STABLE,
    a_probe,
    a_services_state,
    a_services_target,
    a_state,
    a_target,
    share,
)


def test_a_revision_under_a_tag_is_probed_at_its_own_address() -> None:
    found = addresses(a_target(), split(10), canary=CANARY, stable=STABLE)

    assert found == Addresses(
        canary="https://canary.example.com/health", stable="https://stable.example.com/health", shared=False
    )


def test_without_a_tag_the_canary_has_no_address_and_stables_leads_to_both() -> None:
    found = addresses(a_target(), a_state(), canary=CANARY, stable=STABLE)

    assert found == Addresses(canary=None, stable="https://ion-api.example.com/health", shared=True)


def test_the_configured_address_is_stables_and_its_path_the_canarys_too() -> None:
    target = a_target(health_url="https://www.example.com/alive")

    found = addresses(target, split(10), canary=CANARY, stable=STABLE)

    assert found == Addresses(
        canary="https://canary.example.com/alive", stable="https://www.example.com/alive", shared=True
    )


def test_a_canary_service_is_probed_at_its_own_address() -> None:
    found = addresses(a_services_target(), a_services_state(), canary="ion-chat-canary", stable="ion-chat")

    assert found == Addresses(
        canary="https://ion-chat-canary.example.com/health",
        stable="https://ion-chat.example.com/health",
        shared=False,
    )


def test_a_canary_service_that_is_gone_has_no_address() -> None:
    state = replace(a_services_state(), canary=None)

    found = addresses(a_services_target(), state, canary="ion-chat-canary", stable="ion-chat")

    assert found.canary is None


@pytest.mark.parametrize(
    ("sent", "failures", "throttled", "answer"),
    [(1, 0, 0, True), (1, 1, 0, False), (1, 0, 1, None), (0, 0, 0, None)],
)
def test_only_a_failure_is_a_failure(sent: int, failures: int, throttled: int, answer: bool | None) -> None:
    assert well(a_probe(sent=sent, failures=failures, throttled=throttled)) is answer


def test_what_was_not_asked_is_unknown() -> None:
    assert well(None) is None


@pytest.mark.parametrize(("written", "percent"), [("0", 0), ("7", 7), ("100", 100), ("many", None)])
def test_a_routers_variable_says_what_the_canary_service_gets(written: str, percent: int | None) -> None:
    assert share_of("ion-chat-canary", a_services_target(), a_services_state(written)) == percent


def test_a_revision_gets_what_is_observed_and_nothing_once_it_is_gone() -> None:
    state = a_state(share(STABLE, 80), share(CANARY, 20))

    assert share_of(CANARY, a_target(), state) == 20
    assert share_of("ion-api-00001-old", a_target(), state) == 0


async def test_a_new_revision_of_the_canary_service_is_a_new_canary() -> None:
    target, state = a_services_target(), a_services_state("10")
    assert state.canary is not None
    before = see_canary(target, await look_at_target(target, cloud=FakeCloud(state, HeldClock())))
    newer = RevisionName("ion-chat-canary-00008-new")
    deployed = replace(state, canary=replace(state.canary, latest_ready=newer))

    after = see_canary(target, await look_at_target(target, cloud=FakeCloud(deployed, HeldClock())))

    assert before is not None
    assert after is not None
    assert what_became(a_watch(of=before), before, share=10) is None
    assert what_became(a_watch(of=before), after, share=10) is EndedWhy.NEW_CANARY


@pytest.mark.parametrize(("percent", "part"), [(0, False), (1, True), (99, True), (100, False)])
async def test_a_revision_with_part_of_the_traffic_can_be_compared(percent: int, part: bool) -> None:
    target = a_target(stable_revision=STABLE)
    lines = [line for line in (share(STABLE, 100 - percent), share(CANARY, percent)) if line.percent]
    sight = await look_at_target(target, cloud=FakeCloud(a_state(*lines), HeldClock()))

    seen = see_canary(target, sight)

    assert (seen is not None and has_part_of_it(seen, target)) is part
