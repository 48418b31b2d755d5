"""Nobody can touch what is stored of an incident without `backout record verify` finding it."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Column, Engine, Table, create_engine, delete, event, select, text, update
from sqlalchemy.orm import Session

from bot.adapters.archive import archive
from bot.adapters.database.engine import Database
from bot.adapters.database.store import SqlStore
from bot.adapters.database.tables import Base, UtcDateTime
from bot.adapters.vault_database import DatabaseVault
from bot.domain.alert import AlertState
from bot.domain.exhibit import Exhibit, ExhibitKind, Moment, sha256_of, snapshot_id
from bot.domain.first_reading import FirstReading
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident import IncidentState
from bot.domain.post_mortem import MeetingState, PostMortem
from bot.domain.rollback import RollbackState
from bot.domain.seal import seal, seals
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import Event, incident_chain
from bot.usecases.archive_incident import files_of
from bot.usecases.journal import Line, write_lines
from bot.usecases.ports import Store, Transaction, Workflow
from bot.usecases.retire_evidence import Retiring, expired, retire_now
from bot.usecases.show_record import show_record
from bot.usecases.verify_record import verify_record
from tests.alerts import an_alert
from tests.values import NOON, SENA, a_decided_rollback, an_incident, evidence

ONE = IncidentNumber(1)
CHANNEL = ChannelId("#critical-incidents")
#: Rows that belong to the incident, by table.
TABLES = (
    "incident", "rollback", "alert", "exhibit", "exhibit_content", "snapshot", "timeline_entry",
    "timeline_chain",
)  # fmt: skip
#: What changes without anybody's doing, or says nothing that another column does not say as well.
LEFT_OUT = {
    ("incident", "canvas"), ("incident", "edition"), ("exhibit", "dropped_at"), ("rollback", "running"),
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def store(database: Database) -> Store:
    """A store with one closed incident: rolled back, evidence taken, and its last record posted."""

    def start(_: Session, workflow: Workflow, id: str, arguments: dict[str, str], lane: str | None) -> None:
        pass

    kept = SqlStore(database, start)
    await kept.change(lambda tx: fill(tx))
    await DatabaseVault(database).put(FILE.place, CONTENT)
    return kept


CONTENT = "ERROR KeyError: 'turn_id' 한글".encode()
SNAPSHOT = snapshot_id(ONE, Moment.DECISION, "k3v9")
FILE = Exhibit(
    id=f"{SNAPSHOT}:error_logs_20260302_120000.txt", incident=ONE, snapshot=SNAPSHOT,
    kind=ExhibitKind.ERROR_LOGS, name="error_logs_20260302_120000.txt", created_at=NOON,
    source="severity=ERROR", size=len(CONTENT), sha256=sha256_of(CONTENT),
)  # fmt: skip


def fill(tx: Transaction) -> None:
    """Write one incident down, from its beginning to its end."""
    incident = tx.add_incident(replace(an_incident(), state=IncidentState.CLOSED, closed_at=NOON))
    rollback = a_decided_rollback(RollbackState.VERIFIED, incident=incident.number, evidence=(evidence(),))
    tx.add_rollback(rollback)
    tx.keep(an_alert(AlertState.ROLLED_BACK, incident=incident.number, rollback=rollback.id))
    tx.keep(FILE)
    tx.keep(
        Snapshot(
            id=SNAPSHOT, incident=ONE, moment=Moment.DECISION, created_at=NOON, canary="ion-api-00042-lee",
            stable="ion-api-00041-kim", reading=FirstReading(since=NOON - timedelta(hours=1), until=NOON),
        )
    )  # fmt: skip
    lines = [
        Line(event=Event.INCIDENT_OPENED, key="opened"),
        Line(event=Event.NOTED, key="before", facts={"text": "a line\u2028and another"}),
    ]
    write_lines(tx, ONE, lines, at=NOON, channel=CHANNEL)
    show_record(tx, ONE, channel=CHANNEL, at=NOON)


def something_else(value: Any, column: Column[Any]) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1000
    if isinstance(value, bytes):
        return value + b"!"
    if isinstance(value, datetime):
        return value + timedelta(seconds=1)
    if isinstance(value, dict | list):
        return with_another_leaf(value)
    if value is None:
        return NOON if isinstance(column.type, UtcDateTime) else FORGED.get(column.name, "1000")
    return FORGED.get(column.name, f"{value[:-1]}~" if value else "~")


def with_another_leaf(value: Any) -> Any:
    """Return JSON values with the first text or number in them changed."""
    if isinstance(value, dict):
        for name, part in value.items():
            changed = with_another_leaf(part)
            if changed != part:
                return {**value, name: changed}
        return {**value, "forged": "forged"}
    if isinstance(value, list):
        return [with_another_leaf(value[0]), *value[1:]] if value else ["forged"]
    if isinstance(value, str):
        return FORGED_LEAVES.get(value, f"{value}~")
    return value if value is None or isinstance(value, bool) else value + 1


#: Where only certain words make sense to whoever reads the row.
FORGED = {
    "state": "open", "severity": "low", "failure_type": "other", "moment": "asked", "kind": "slow_requests",
    "event": "verdict", "people": {"cause": "forged"}, "minutes": 7,
}  # fmt: skip
FORGED_LEAVES = {"revisions": "services"}


@pytest.fixture
def owner(database: Database) -> Iterator[Engine]:
    """Whoever owns the database: no trigger and no foreign key stops them."""
    engine = create_engine(database.url)
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            for name in found.scalars().all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
    else:

        @event.listens_for(engine, "connect")
        def unguarded(connection: Any, _: object) -> None:
            connection.execute("SET session_replication_role = replica")
            connection.commit()

    yield engine
    engine.dispose()


def put(owner: Engine, table: Table, row: Mapping[Any, Any], **values: Any) -> None:
    """Write columns of one row behind the bot's back."""
    key = [one == row[one.name] for one in table.primary_key.columns]
    with owner.begin() as connection:
        connection.execute(update(table).where(*key).values(values))


async def is_whole(store: Store, database: Database, *heads: str) -> bool:
    """True when nothing is found; a row that cannot even be read is found as well."""
    try:
        checked = await verify_record(ONE, store=store, vault=DatabaseVault(database), heads=heads)
    except (LookupError, ValueError):
        return False
    return checked.whole


async def test_what_nobody_touched_is_whole(store: Store, database: Database) -> None:
    checked = await verify_record(ONE, store=store, vault=DatabaseVault(database))

    assert checked.flaws == ()
    assert (checked.lines, checked.files, checked.unsealed) == (3, 1, ())


@pytest.mark.parametrize("name", TABLES)
async def test_a_changed_column_is_found(store: Store, database: Database, owner: Engine, name: str) -> None:
    table = Base.metadata.tables[name]
    with owner.connect() as connection:
        where = table.c.chain == incident_chain(ONE) if "chain" in table.c else text("1 = 1")
        row = connection.execute(select(table).where(where)).mappings().first()
    assert row is not None

    missed = []
    for column in table.columns:
        if (name, column.name) in LEFT_OUT:
            continue
        forged = {column.name: something_else(row[column], column)}
        put(owner, table, row, **forged)
        missed += [column.name] if await is_whole(store, database) else []
        put(owner, table, {**row, **forged}, **{column.name: row[column]})

    assert missed == []
    assert await is_whole(store, database)


@pytest.mark.parametrize("name", TABLES)
async def test_a_row_that_is_gone_is_found(
    store: Store, database: Database, owner: Engine, name: str
) -> None:
    with owner.begin() as connection:
        connection.execute(delete(Base.metadata.tables[name]))

    assert not await is_whole(store, database)


async def test_a_forged_file_that_no_line_knows_is_found(store: Store, database: Database) -> None:
    forged = replace(FILE, id=f"{SNAPSHOT}:forged.txt", name="forged.txt")
    await store.change(lambda tx: tx.keep(forged))
    await DatabaseVault(database).put(forged.place, CONTENT)

    assert not await is_whole(store, database)


async def test_an_end_that_was_cut_off_is_found_by_a_head_kept_elsewhere(
    store: Store, database: Database, owner: Engine
) -> None:
    _, head = await store.look(lambda tx: tx.chain_head(incident_chain(ONE)))
    entries = Base.metadata.tables["timeline_entry"]
    chains = Base.metadata.tables["timeline_chain"]
    with owner.begin() as connection:
        left = connection.execute(select(entries.c.hash).where(entries.c.sequence == 2)).scalar_one()
        connection.execute(delete(entries).where(entries.c.sequence == 3))
        connection.execute(update(chains).values(length=2, head=left))

    assert not await is_whole(store, database, head)


async def test_what_changes_by_rights_after_the_record_is_not_taken_for_a_flaw(
    store: Store, database: Database
) -> None:
    def note(tx: Transaction) -> None:
        tx.save_incident(replace(tx.incident(ONE), seen="more was seen"))
        write_lines(tx, ONE, [Line(event=Event.NOTED, key="noted")], at=NOON, channel=CHANNEL)

    await store.change(note)
    checked = await verify_record(ONE, store=store, vault=DatabaseVault(database))

    assert checked.whole
    assert checked.unsealed == ("incident",)


async def test_what_ends_by_itself_after_the_record_is_not_taken_for_a_flaw(
    store: Store, database: Database
) -> None:
    def go_on(tx: Transaction) -> None:
        tx.keep(an_alert(AlertState.OPEN, id="canary-3-9", incident=ONE))
        tx.keep(a_meeting())
        show_record(tx, ONE, channel=CHANNEL, at=NOON)

    await store.change(go_on)
    await store.change(lambda tx: tx.keep(an_alert(AlertState.OVER, id="canary-3-9", incident=ONE)))
    await store.change(lambda tx: tx.keep(replace(a_meeting(), reminded=3)))

    assert await is_whole(store, database)


def a_meeting() -> PostMortem:
    """Return the incident's post-mortem meeting."""
    return PostMortem(
        id="1", incident=ONE, state=MeetingState.SCHEDULED, created_at=NOON,
        starts_at=NOON + timedelta(days=1), minutes=60, zone="UTC", place="Room 5", owner=SENA,
    )  # fmt: skip


async def test_what_no_database_keeps_does_not_break_a_seal(store: Store, database: Database) -> None:
    odd = Snapshot(
        id=snapshot_id(ONE, Moment.ASKED, "odd"), incident=ONE, moment=Moment.ASKED, created_at=NOON,
        canary="bad\x00byte", stable="ion", reading=FirstReading(since=NOON, until=NOON),
    )  # fmt: skip

    def keep(tx: Transaction) -> None:
        tx.keep(odd)
        facts = {"seals": seals({f"snapshot:{odd.id}": odd})}
        line = Line(event=Event.EVIDENCE_TAKEN, key="odd", facts=facts)
        write_lines(tx, ONE, [line], at=NOON, channel=CHANNEL)

    await store.change(keep)

    assert await is_whole(store, database)


def test_a_seal_of_an_older_release_still_fits() -> None:
    assert seal(FILE) == "9923a0360d6693b8cae2420f8a37cb914b64d54da84e901458592c75dcf25e8c"


async def test_a_file_whose_time_is_over_goes_and_leaves_its_hash(store: Store, database: Database) -> None:
    vault = DatabaseVault(database)
    use = Retiring(
        store=store, vault=vault, keep_for=timedelta(days=90), clock=lambda: NOON + timedelta(days=91)
    )

    assert [one.id for one in await expired(use)] == [FILE.id]
    assert [one.id for one in await retire_now(use)] == [FILE.id]

    assert await expired(use) == ()
    checked = await verify_record(ONE, store=store, vault=vault)
    assert (checked.whole, checked.files, checked.dropped) == (True, 0, 1)
    kept = await store.look(lambda tx: tx.kept(Exhibit, FILE.id))
    assert kept.sha256 == FILE.sha256


@pytest.mark.parametrize(("days", "gone"), [(89, 0), (90, 0), (90.001, 1)])
async def test_a_file_is_kept_for_as_long_as_the_setting_says(
    store: Store, database: Database, days: float, gone: int
) -> None:
    use = Retiring(
        store=store,
        vault=DatabaseVault(database),
        keep_for=timedelta(days=90),
        clock=lambda: NOON + timedelta(days=days),
    )

    assert len(await retire_now(use)) == gone


async def test_a_record_is_kept_for_good(store: Store, database: Database) -> None:
    await store.change(lambda tx: tx.keep(replace(FILE, kind=ExhibitKind.RECORD)))
    use = Retiring(
        store=store,
        vault=DatabaseVault(database),
        keep_for=timedelta(days=90),
        clock=lambda: NOON + timedelta(days=9000),
    )

    assert await retire_now(use) == ()


async def unpacked(store: Store, database: Database, folder: Path) -> Path:
    """Return the unpacked archive of the incident."""
    files = await files_of(ONE, store=store, vault=DatabaseVault(database))
    with zipfile.ZipFile(BytesIO(archive(files, folder="INC-1", read_me="# INC-1\n"))) as packed:
        packed.extractall(folder)
    return folder / "INC-1"


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the archive's own script, with nothing of ours to import."""
    return subprocess.run(
        [sys.executable, "-I", str(folder / "check.py")], capture_output=True, text=True, check=False, cwd="/"
    )


async def test_an_archive_checks_itself_without_backout(
    store: Store, database: Database, tmp_path: Path
) -> None:
    folder = await unpacked(store, database, tmp_path)

    told = check(folder)
    assert (told.returncode, told.stderr) == (0, "")
    assert (folder / "evidence" / "decision-k3v9" / FILE.name).read_bytes() == CONTENT
    assert len((folder / "timeline.jsonl").read_text(encoding="utf-8").split("\n")) == 4
    assert json.loads((folder / "incident.json").read_text(encoding="utf-8"))["incident"]["number"] == 1


@pytest.mark.parametrize("name", ["incident.json", "timeline.jsonl", f"evidence/decision-k3v9/{FILE.name}"])
async def test_an_archive_that_was_touched_says_what(
    store: Store, database: Database, tmp_path: Path, name: str
) -> None:
    folder = await unpacked(store, database, tmp_path)
    touched = folder / name
    touched.write_bytes(touched.read_bytes().replace(b"1", b"2", 1) + b"\n")

    told = check(folder)

    assert told.returncode == 1
    assert name in told.stdout


async def test_a_line_changed_with_its_sum_in_an_archive_is_found_by_the_chain(
    store: Store, database: Database, tmp_path: Path
) -> None:
    folder = await unpacked(store, database, tmp_path)
    timeline = folder / "timeline.jsonl"
    timeline.write_text(
        timeline.read_text(encoding="utf-8").replace("backout", "nobody", 1), encoding="utf-8"
    )
    sums = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    known = [line for line in sums if not line.endswith("timeline.jsonl")]
    (folder / "SHA256SUMS").write_text("\n".join(known) + "\n", encoding="utf-8")

    told = check(folder)

    assert told.returncode == 1
    assert "line 1" in told.stdout


async def test_the_same_incident_makes_the_same_archive(store: Store, database: Database) -> None:
    first, second = [await files_of(ONE, store=store, vault=DatabaseVault(database)) for _ in range(2)]

    assert archive(first, folder="INC-1", read_me="") == archive(second, folder="INC-1", read_me="")
