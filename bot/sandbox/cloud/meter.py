"""Memory, CPU and instance counts: modelled from the traffic that each container really had."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.sandbox.cloud.behaviour import Behaviour, Fault
from bot.sandbox.cloud.container import Container
from bot.sandbox.cloud.ledger import LineWritten, RequestSeen
from bot.sandbox.cloud.limits import Limits
from bot.sandbox.cloud.samples import Owner, Sample, Samples
from bot.sandbox.cloud.strips import PIECE_SECONDS, Strips

#: One instance is added for each ten requests a second, as for a container of one CPU.
REQUESTS_PER_SECOND_PER_INSTANCE = 10.0
#: Idle instances are kept for up to 15 minutes (Cloud Run, "Instance autoscaling").
IDLE_SECONDS = 900.0
#: What an instance uses: CPUs, and MiB. How much of its limits that is depends on the limits: 60 % of
#: 512 MiB, where the guide's scenario 3 begins.
_CPUS_IDLE, _CPUS_PER_REQUEST = 0.05, 0.02
_MEMORY_IDLE_MIB, _MEMORY_PER_REQUEST_MIB = 305.0, 1.0
#: Above so much of its limit a leaking container fills up at a fifth of its pace: it clears up all the time,
#: and finds ever less. So the guide's 95 % and 99 % are both to be seen.
_FULL, _PACE_WHEN_FULL = 0.95, 0.2


@dataclass(slots=True)
class _Busy:
    requests: int = 0
    last_at: float = 0.0


class Meter:
    """Takes a measurement of every living container a few times in each sample."""

    def __init__(
        self,
        samples: Samples,
        *,
        containers: Callable[[], Iterable[Container]],
        behaviour: Behaviour,
        rng: random.Random,
        strips: Strips | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._samples = samples
        self._strips = strips
        self._clock = clock
        self._containers = containers
        self._behaviour = behaviour
        self._rng = rng
        self._busy: dict[Owner, _Busy] = {}
        #: How much of its memory limit each container has leaked, 0 to 1.
        self._leaked: dict[Owner, float] = {}
        self._since = self._clock()

    def saw_request(self, seen: RequestSeen) -> None:
        """Remember that the container was busy."""
        busy = self._busy.setdefault((seen.service, seen.revision), _Busy())
        busy.requests += seen.reached
        busy.last_at = self._clock()

    def saw_line(self, line: LineWritten) -> None:
        """Lines cost nothing."""

    def clear(self) -> None:
        """Forget how busy the containers were, and what they leaked."""
        self._busy.clear()
        self._leaked.clear()
        self._since = self._clock()

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await asyncio.sleep(min(max(self._behaviour.sample_seconds / 4, 0.05), PIECE_SECONDS))
            self.measure()

    def measure(self) -> None:
        """Measure every container that is alive: not down, and busy in the last `IDLE_SECONDS`."""
        now = self._clock()
        elapsed, self._since = max(now - self._since, 0.001), now
        for container in self._containers():
            owner = (container.service, container.revision)
            busy = self._busy.get(owner)
            if busy is None or Fault.DOWN in container.faults or busy.last_at < now - IDLE_SECONDS:
                continue
            rate, busy.requests = busy.requests / elapsed, 0
            self._leak(owner, container, minutes=elapsed / 60)
            sample = self._samples.current(owner)
            memory, cpu = measure(
                sample,
                rate,
                in_flight=container.in_flight,
                limits=container.limits,
                rng=self._rng,
                leaked=self._leaked.get(owner, 0.0),
            )
            if self._strips is not None:
                self._strips.measured(owner, memory=memory, cpu=cpu)
            self._kill_if_full(owner, container, instances=sum(sample.instances.values()))

    def _kill_if_full(self, owner: Owner, container: Container, *, instances: int) -> None:
        """Kill every instance once idling and leaking alone need the whole limit: all leak alike."""
        limit_mib = container.limits.memory_mib
        used_mib = _MEMORY_IDLE_MIB + self._leaked.get(owner, 0.0) * limit_mib
        if owner in self._leaked and used_mib >= limit_mib:
            container.run_out_of_memory(used_mib, instances=instances)
            self._leaked[owner] = 0.0

    def _leak(self, owner: Owner, container: Container, *, minutes: float) -> None:
        """Let it leak; once mended, its instances are new ones."""
        if Fault.LEAK not in container.faults:
            self._leaked.pop(owner, None)
            return
        idle = _MEMORY_IDLE_MIB / container.limits.memory_mib
        leaked = self._leaked.get(owner, 0.0)
        self._leaked[owner] = filled(idle + leaked, self._behaviour.leak_per_minute * minutes) - idle


def filled(used: float, leak: float) -> float:
    """Return how full memory is, 1 its limit, after `leak` more of it was lost.

    See `Behaviour.leak_per_minute`.
    """
    freely = min(leak, max(_FULL - used, 0.0))
    return used + freely + (leak - freely) * _PACE_WHEN_FULL


def measure(
    sample: Sample,
    requests_per_second: float,
    *,
    in_flight: float,
    limits: Limits,
    rng: random.Random,
    leaked: float = 0.0,
) -> tuple[float, float]:
    """Add one measurement of each instance to `sample`, with `requests_per_second` over all of them.

    Every instance has `leaked` so much of its memory limit, 0 to 1. Returns the means of memory
    and CPU over the instances, 0 to 1.
    """
    needed = math.ceil(requests_per_second / (REQUESTS_PER_SECOND_PER_INSTANCE * max(limits.cpu, 1)))
    active = min(needed, limits.max_instances)
    instances = max(active, limits.min_instances, 1)
    sample.instances = {"active": active, "idle": instances - active}
    memories, cpus = [], []
    for number in range(instances):
        share = requests_per_second / active if number < active else 0.0
        held = in_flight / active if number < active else 0.0
        cpus.append(_ratio((_CPUS_IDLE + _CPUS_PER_REQUEST * share) / limits.cpu, rng))
        used_mib = _MEMORY_IDLE_MIB + _MEMORY_PER_REQUEST_MIB * held
        memories.append(min(_ratio(used_mib / limits.memory_mib, rng) + leaked, 1.0))
        sample.cpu.add(cpus[-1])
        sample.memory.add(memories[-1])
    return sum(memories) / instances, sum(cpus) / instances


def _ratio(value: float, rng: random.Random) -> float:
    return min(max(value * rng.uniform(0.95, 1.05), 0.0), 1.0)
