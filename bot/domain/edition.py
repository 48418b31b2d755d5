"""Editions of the playbook: what an incident began with stays readable, whatever the file says later."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.playbook import Playbook


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One playbook as it was. `id` is the SHA-256 (hex) of its canonical JSON."""

    id: str
    version: str
    document: Mapping[str, Any]
    created_at: datetime


def document(playbook: Playbook) -> dict[str, Any]:
    """Return the playbook as plain JSON values, which `from_document` reads back."""
    return playbook.model_dump(mode="json", by_alias=True)


def from_document(content: Mapping[str, Any]) -> Playbook:
    """Return the playbook of a document. Raises pydantic's `ValidationError` when it is none."""
    return Playbook.model_validate_json(json.dumps(content))


def digest(playbook: Playbook) -> str:
    """Return the SHA-256 (hex) of the playbook's canonical JSON."""
    canonical = json.dumps(document(playbook), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def edition_of(playbook: Playbook, *, at: datetime) -> Edition:
    """Return the edition to keep, first seen `at` (aware, UTC)."""
    return Edition(id=digest(playbook), version=playbook.version, document=document(playbook), created_at=at)
