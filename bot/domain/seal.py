"""Seals: the hash of a stored value, written into the timeline, so that a changed row shows later.

The timeline's own lines are chained (`bot.domain.timeline`); a seal ties everything else to that chain.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bot.domain.exhibit import Exhibit
from bot.domain.incident import Incident
from bot.domain.post_mortem import PostMortem

Sealed = TypeVar("Sealed")

#: What no database keeps, as JSON writes it: a NUL, and lone surrogates.
_UNSTORABLE = re.compile(r"\\u0000|[\ud800-\udfff]")


def seal(value: Any) -> str:
    """Return the SHA-256 (hex) of a domain value's content, whatever database it was read from.

    What may change without being touched by anybody is left out: when retention took a file's content
    away, where the record's canvas and its newest edition are, how often people were reminded. What has its
    default is left out as well, so that a field that a later release adds breaks no older seal.
    """
    plain = TypeAdapter[Any](type(value)).dump_python(_lasting(value), mode="json", exclude_defaults=True)
    written = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(_UNSTORABLE.sub("\ufffd", written).encode()).hexdigest()


def seals(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the seal of each value, by its name."""
    return {name: seal(value) for name, value in values.items()}


def _lasting(value: Sealed) -> Sealed:
    if isinstance(value, Exhibit):
        return replace(value, dropped_at=None)
    if isinstance(value, PostMortem):
        return replace(value, reminded=0)
    if isinstance(value, Incident):
        return replace(value, canvas="", edition=0)
    return value
