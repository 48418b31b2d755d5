"""Limits of an instance and numbers of instances: what Cloud Run refuses, and what a template comes to."""

import re
from dataclasses import dataclass
from typing import Any

from bot.sandbox.cloud.rejection import invalid

#: What an instance gets where nothing is set, and how many there may be.
DEFAULT_CPU, DEFAULT_MEMORY_MIB, DEFAULT_MAX_INSTANCES = 1.0, 512.0, 100
#: What the sandbox's project has in its region, in CPUs. A real project's quota varies.
REGION_CPUS = 2000
#: CPUs to the least and the most memory that goes with them, MiB.
#: Source: Google Cloud, "Configure CPU limits for services", table "vCPU and memory".
_MEMORY_MIB = {1: (128, 4096), 2: (128, 8192), 4: (2048, 16384), 6: (4096, 24576), 8: (4096, 32768)}
_SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]*)")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one instance of a revision may use, and how many instances there are."""

    cpu: float
    memory_mib: float
    min_instances: int
    max_instances: int


def limits_of(template: Any) -> Limits:
    """Return what `template` comes to; its first container counts.

    Raises:
        Rejection: INVALID_ARGUMENT where a limit is not a quantity.
    """
    limits = template.containers[0].resources.limits
    return Limits(
        cpu=_cpu(limits["cpu"]) if "cpu" in limits else DEFAULT_CPU,
        memory_mib=_memory_mib(limits["memory"]) if "memory" in limits else DEFAULT_MEMORY_MIB,
        min_instances=template.scaling.min_instance_count,
        max_instances=template.scaling.max_instance_count or DEFAULT_MAX_INSTANCES,
    )


def check_limits(template: Any) -> None:
    """Check limits and scaling of `template`, in Google's words where they are known.

    Raises:
        Rejection: INVALID_ARGUMENT.
    """
    found = limits_of(template)
    _check_memory(found, concurrency=template.max_instance_request_concurrency)
    most = int(REGION_CPUS / max(found.cpu, 1.0))
    if found.max_instances > most:
        raise invalid(
            "template.containers.resources.limits.cpu: Invalid value specified for cpu. "
            f"For the specified value, maxScale may not exceed {most}."
        )
    if found.min_instances > found.max_instances:
        raise invalid(
            "template.scaling: min_instance_count must be less than or equal to max_instance_count, "
            f"got {found.min_instances} and {found.max_instances}."
        )


def _check_memory(found: Limits, *, concurrency: int) -> None:
    if found.cpu < 1:
        least, most = 128, 1024 if found.cpu >= 0.5 else 512
        if concurrency > 1:
            raise invalid("template.max_instance_request_concurrency: Must be 1 with less than 1 CPU.")
    elif found.cpu in _MEMORY_MIB:
        least, most = _MEMORY_MIB[int(found.cpu)]
    else:
        raise invalid(
            "template.containers.resources.limits.cpu: Invalid value specified for cpu. "
            "The value must be below 1, or 1, 2, 4, 6 or 8."
        )
    if not least <= found.memory_mib <= most:
        raise invalid(
            "template.containers.resources.limits.memory: Invalid value specified for container memory. "
            f"For {found.cpu:g} CPU, memory must be between {least}Mi and {most}Mi inclusive."
        )


def _cpu(written: str) -> float:
    found = _QUANTITY.fullmatch(written)
    if found is None or found[2] not in ("", "m"):
        raise invalid(f"template.containers.resources.limits.cpu: Invalid quantity '{written}'.")
    return float(found[1]) / (1000 if found[2] else 1)


def _memory_mib(written: str) -> float:
    found = _QUANTITY.fullmatch(written)
    if found is None or found[2] not in _SIZES:
        raise invalid(f"template.containers.resources.limits.memory: Invalid quantity '{written}'.")
    return float(found[1]) * _SIZES[found[2]] / 2**20
