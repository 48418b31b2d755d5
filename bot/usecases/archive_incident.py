"""One incident as files for an archive that can be read, and checked, without Backout."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from bot.domain.edition import Edition
from bot.domain.ids import IncidentNumber, PersonId
from bot.domain.timeline import Entry
from bot.usecases.ports import NotKept, Store, Transaction, Vault, VaultDown
from bot.usecases.read_case import Case, case_of

_ENTRY = TypeAdapter(Entry)


async def files_of(number: IncidentNumber, *, store: Store, vault: Vault) -> dict[str, bytes]:
    """Return every file of an incident's archive by its path. Raises `NotKept` when there is no incident.

    ``incident.json`` holds the stored values by name, ``timeline.jsonl`` a line of the chain each, as it was
    hashed, ``playbook.json`` the edition the incident went by, ``people.json`` names by id, ``evidence/``
    the files. What is gone or cannot be read is said in ``missing.json``.
    """
    case, people, playbook = await store.look(lambda tx: _read(tx, number))
    files = {
        "incident.json": _json({name: _plain(value) for name, value in case.values.items()}),
        "timeline.jsonl": "".join(f"{_line(entry)}\n" for entry in case.entries).encode(),
        "people.json": _json(people),
        "playbook.json": _json(playbook),
    }
    missing = {}
    for exhibit in case.exhibits:
        if exhibit.problem or exhibit.dropped_at:
            missing[exhibit.id] = exhibit.problem or f"taken away at {exhibit.dropped_at}"
            continue
        try:
            content = await vault.get(exhibit.place)
        except (NotKept, VaultDown) as error:
            missing[exhibit.id] = str(error)
        else:
            files[f"evidence/{exhibit.folder}/{exhibit.name}"] = content
    return files | {"missing.json": _json(missing)}


def _read(tx: Transaction, number: IncidentNumber) -> tuple[Case, dict[PersonId, str], Mapping[str, Any]]:
    case = case_of(tx, number)
    edition = case.incident.playbook
    playbook = tx.kept(Edition, edition).document if edition else {}
    return case, _people_in(case, tx.names()), playbook


def _people_in(case: Case, names: Mapping[PersonId, str]) -> dict[PersonId, str]:
    """Return the names of those whom anything stored of the incident mentions, and of nobody else."""
    written = b"".join(
        [*(_json(_plain(v)) for v in case.values.values()), *map(_ENTRY.dump_json, case.entries)]
    )
    return {person: name for person, name in sorted(names.items()) if str(person).encode() in written}


def _line(entry: Entry) -> str:
    plain = _ENTRY.dump_python(entry, mode="json") | {"at": entry.at.isoformat()}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    return TypeAdapter[Any](type(value)).dump_python(value, mode="json")


def _json(content: Any) -> bytes:
    return f"{json.dumps(content, ensure_ascii=False, sort_keys=True, indent=2)}\n".encode()
