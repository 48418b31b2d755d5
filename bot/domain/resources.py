"""What one instance of a Cloud Run service may use, how many there may be, and what Google allows.

Sources: Google Cloud, "Configure memory limits", "Configure CPU limits", "Set maximum instances" and
"Set minimum instances" for Cloud Run services (read 2026-03).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

#: Sizes a person may choose from. Cloud Run takes any number in between, but nobody needs 3.7 GiB at 3 a.m.
MEMORY_CHOICES_MIB = (512, 1024, 2048, 4096, 8192, 16384, 24576, 32768)
#: What Cloud Run takes from one whole CPU upwards, in thousandths of a CPU.
CPU_CHOICES_MILLI = (1000, 2000, 4000, 6000, 8000)
#: Most instances of one revision; the quota of a region may be lower, and then Google says so.
MOST_INSTANCES = 1000
#: What Cloud Run does where nothing is set.
DEFAULT_MEMORY_MIB, DEFAULT_CPU_MILLI, DEFAULT_MAX_INSTANCES = 512, 1000, 100

#: CPU (thousandths) to the least and the most memory (MiB) that goes with it.
#: Source: Google Cloud, "Configure CPU limits for services", table "vCPU and memory".
MEMORY_WITH_CPU_MIB: Mapping[int, tuple[int, int]] = {
    1000: (128, 4096),
    2000: (128, 8192),
    4000: (2048, 16384),
    6000: (4096, 24576),
    8000: (4096, 32768),
}


class Resource(StrEnum):
    """What can be added."""

    MEMORY = "memory_mib"
    CPU = "cpu_milli"
    MIN_INSTANCES = "min_instances"
    MAX_INSTANCES = "max_instances"


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Limits of one instance, and how many instances there are. None: not said, or not readable."""

    memory_mib: int | None = None
    cpu_milli: int | None = None
    min_instances: int | None = None
    max_instances: int | None = None

    def of(self, resource: Resource) -> int | None:
        """Return one of them by its name."""
        found: int | None = getattr(self, resource)
        return found

    def said(self) -> Iterator[tuple[Resource, int]]:
        """Yield those that are said, in the order people read them."""
        for resource in Resource:
            amount = self.of(resource)
            if amount is not None:
                yield resource, amount

    def with_more(self, wanted: "Resources") -> "Resources":
        """Return these with everything that `wanted` says put in its place."""
        values = {r.value: self.of(r) if wanted.of(r) is None else wanted.of(r) for r in Resource}
        return Resources(**values)


def cpu_for_memory(memory_mib: int) -> int | None:
    """Return the smallest CPU choice (thousandths) that takes so much memory, None when none does."""
    return next((cpu for cpu in CPU_CHOICES_MILLI if memory_mib <= MEMORY_WITH_CPU_MIB[cpu][1]), None)


def memory_range_mib(cpu_milli: int) -> tuple[int, int]:
    """Return the least and the most memory that goes with `cpu_milli`.

    Below one CPU 512 MiB is the most, and from half a CPU 1 GiB.
    """
    if cpu_milli < 1000:
        return 128, 1024 if cpu_milli >= 500 else 512
    known = [cpu for cpu in CPU_CHOICES_MILLI if cpu <= cpu_milli]
    return MEMORY_WITH_CPU_MIB[known[-1]]


def written_as(resource: Resource, amount: int) -> str:
    """Return an amount as Cloud Run and ``gcloud`` write it: ``512Mi``, ``2``, ``500m``."""
    if resource is Resource.MEMORY:
        return f"{amount // 1024}Gi" if amount % 1024 == 0 else f"{amount}Mi"
    if resource is Resource.CPU:
        return str(amount // 1000) if amount % 1000 == 0 else f"{amount}m"
    return str(amount)
