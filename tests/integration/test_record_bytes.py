"""The same rows make the same record: on both databases, after a restart, in another process."""

import asyncio
import hashlib
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.adapters.charts import ProcessCharts
from bot.adapters.database.engine import Database
from bot.adapters.database.engine import database_url as parsed
from bot.adapters.database.store import SqlStore
from bot.adapters.record_rendering import RecordRendering
from bot.domain.ids import IncidentNumber
from bot.domain.timeline import incident_chain
from bot.slack.text import LOCALES
from bot.usecases.ports import Transaction, Workflow
from tests.fakes import FakePlaybooks
from tests.unit.adapters.records import (
    CANARY,
    FACTS,
    SENA,
    a_playbook,
    a_rollback,
    a_snapshot,
    an_alert,
    an_exhibit,
    an_incident,
    entries,
    from_people,
)

ONE = IncidentNumber(1)
#: Whoever draws has the lowest priority, and the machine is full of tests.
DRAW_WITHIN_SECONDS = 300.0


def fill(tx: Transaction) -> None:
    """Store one incident with everything a record tells."""
    incident = tx.add_incident(an_incident(from_people("cache <b>42</b>")))
    tx.add_rollback(replace(a_rollback(), incident=incident.number))
    for entry in entries(FACTS):
        tx.write_down(
            incident_chain(incident.number),
            entry.event,
            key=entry.key,
            at=entry.at,
            actor=SENA,
            **entry.facts,
        )
    tx.keep(an_alert(incident=incident.number, canary=CANARY))
    tx.keep(a_snapshot(incident=incident.number))
    tx.keep(an_exhibit(incident=incident.number))


def store_of(database: Database) -> SqlStore:
    def start(_: Session, workflow: Workflow, id: str, arguments: dict[str, str], lane: str | None) -> None:
        """Start nothing."""

    return SqlStore(database, start)


async def bytes_of(database: Database, locale: str, charts: ProcessCharts) -> dict[str, bytes]:
    """Return every form of the record, drawn and printed by `charts`."""
    made = RecordRendering(
        store_of(database), FakePlaybooks(a_playbook()), charts=charts, printer=charts, locale=locale
    )
    rendered = await made.render(ONE, 1)
    assert [file.problem for file in rendered.files] == [None] * 3
    record = await made.record(ONE)
    return {file.name: file.content for file in rendered.files} | {"json": made.json(record).encode()}


#: What the first database made, by language: the second one has to make the same.
_SEEN: dict[str, dict[str, str]] = {}


# In one test process, or there would be nothing to compare with.
@pytest.mark.xdist_group("record bytes")
@pytest.mark.parametrize("locale", LOCALES)
async def test_a_record_is_the_same_bytes_wherever_and_whenever_it_is_made(
    database: Database, database_url: str, locale: str
) -> None:
    await store_of(database).change(fill)
    charts = ProcessCharts(within_seconds=DRAW_WITHIN_SECONDS)
    first = await bytes_of(database, locale, charts)
    await charts.close()

    restarted = Database(parsed(database_url))
    others = ProcessCharts(within_seconds=DRAW_WITHIN_SECONDS)
    again = await bytes_of(restarted, locale, others)
    restarted.close()
    await others.close()

    assert again == first
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in first.items()}
    assert _SEEN.setdefault(locale, hashes) == hashes


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("form", ["md", "html", "pdf", "json"])
async def test_the_command_line_prints_it_byte_for_byte(
    database: Database, database_url: str, form: str, tmp_path: Any
) -> None:
    await store_of(database).change(fill)

    printed = await printed_by(database_url, form)
    out = tmp_path / f"record.{form}"
    await printed_by(database_url, form, "--out", str(out))

    assert printed == out.read_bytes()
    assert printed.startswith({"md": b"# [", "html": b"<!DOCTYPE html>", "pdf": b"%PDF", "json": b"{"}[form])


async def printed_by(database_url: str, form: str, *more: str) -> bytes:
    command = [sys.executable, "-m", "bot.cli", "record", "INC-1", "--format", form, *more]
    ran = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, env={"DATABASE_URL": database_url}, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout
