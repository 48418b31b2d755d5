"""Users come as often as was asked for, on a clock that we hold."""

import asyncio
import random
import selectors
from collections.abc import Iterator

import pytest

from bot.sandbox.cloud.http_client import HttpClient
from bot.sandbox.cloud.http_messages import HttpRequest, HttpResponse
from bot.sandbox.cloud.load import LONGEST_ARREARS_SECONDS, Load


class HeldTime(asyncio.SelectorEventLoop):
    """An event loop that waits for nothing: where it would, its clock is further on instead."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_AtOnce(self))

    def time(self) -> float:
        return self.now


class _AtOnce(selectors.DefaultSelector):
    def __init__(self, loop: HeldTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.now += timeout or 0.0
        return super().select(0)


class Asked(HttpClient):
    """A service that answers after `takes_seconds`; `times` is when it was asked."""

    def __init__(self, loop: HeldTime) -> None:
        super().__init__("127.0.0.1")
        self.takes_seconds = 0.1
        self.times: list[float] = []
        self._loop = loop

    async def send(self, request: HttpRequest, *, port: int, timeout_seconds: float) -> HttpResponse:
        self.times.append(self._loop.time())
        await asyncio.sleep(self.takes_seconds)
        return HttpResponse(status=200)


@pytest.fixture
def loop() -> Iterator[HeldTime]:
    held = HeldTime()
    yield held
    held.close()


@pytest.fixture
def service(loop: HeldTime) -> Asked:
    return Asked(loop)


@pytest.fixture
def load(service: Asked) -> Load:
    return Load(port=1, client=service, rng=random.Random(1))


def test_the_load_is_what_was_asked_for_however_long_an_answer_takes(
    loop: HeldTime, service: Asked, load: Load
) -> None:
    service.takes_seconds = 2.0

    async def users() -> None:
        load.start(50)
        await asyncio.sleep(20)
        await load.stop()

    loop.run_until_complete(users())

    assert len(service.times) == pytest.approx(1000, rel=0.02)
    assert load.answers[("", 200)] == pytest.approx(900, rel=0.02)


def test_another_rate_counts_at_once_and_none_pauses(loop: HeldTime, service: Asked, load: Load) -> None:
    async def users() -> None:
        for rate in (10, 100, 0):
            load.start(rate)
            await asyncio.sleep(10)
        await load.stop()

    loop.run_until_complete(users())

    slow, fast, none = (sum(begin <= at < begin + 10 for at in service.times) for begin in (0.0, 10.0, 20.0))
    assert slow == pytest.approx(100, rel=0.1)
    assert fast == pytest.approx(1000, rel=0.05)
    assert none == 0


def test_it_is_over_when_the_last_one_was_answered(loop: HeldTime, service: Asked, load: Load) -> None:
    async def users() -> list[bool]:
        load.start(50)
        await asyncio.sleep(1)
        asking = load.is_over
        load.start(0)
        waiting = load.is_over
        await asyncio.sleep(service.takes_seconds + 0.01)
        over = load.is_over
        await load.stop()
        return [asking, waiting, over]

    assert loop.run_until_complete(users()) == [False, False, True]


def test_a_machine_that_stood_still_sends_little_in_arrears(
    loop: HeldTime, service: Asked, load: Load
) -> None:
    async def users() -> None:
        load.start(20)
        await asyncio.sleep(1)
        loop.now += 60
        await asyncio.sleep(0.01)
        await load.stop()

    loop.run_until_complete(users())

    arrears = sum(at > 60 for at in service.times)
    assert 0 < arrears <= LONGEST_ARREARS_SECONDS * 20 * 2
