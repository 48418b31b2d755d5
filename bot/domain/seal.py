"""Seals: the hash of a stored value, written into the timeline, so that a changed row shows later.

The timeline's own lines are chained (`bot.domain.timeline`); a seal ties everything else to that chain.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.domain.exhibit import Exhibit
from bot.domain.incident import Incident

Sealed = TypeVar("Sealed")


def seal(value: Any) -> str:
    """Return the SHA-256 (hex) of a domain value's content, whatever database it was read from.

    What may change without being touched by anybody is left out: when retention took a file's content
    away, and where the record's canvas and its newest edition are.
    """
    plain = TypeAdapter[Any](type(value)).dump_python(_lasting(value), mode="json")
    written = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def seals(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the seal of each value, by its name."""
    return {name: seal(value) for name, value in values.items()}


def _lasting(value: Sealed) -> Sealed:
    if isinstance(value, Exhibit):
        return replace(value, dropped_at=None)
    if isinstance(value, Incident):
        return replace(value, canvas="", edition=0)
    return value
