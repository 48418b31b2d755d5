"""Where evidence is kept: every vault keeps the same promises, and a directory lets nobody out of it."""

import asyncio
import contextlib
import http.server
import json
import os
import stat
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.adapters.database.engine import Database, database_url
from bot.adapters.database.migrate import migrate
from bot.adapters.vault import make_vault
from bot.adapters.vault_bucket import BucketVault
from bot.adapters.vault_database import DatabaseVault
from bot.adapters.vault_directory import DirectoryVault
from bot.usecases.ports import NotKept, StoreDown, Vault, VaultDown
from tests.fakes import FakeVault
from tests.postgres import PostgresServer

PLACE = "INC-12/decision-k3v9/error_logs_20251022_140512.txt"
OTHER = "INC-12/decision-k3v9/probe_20251022_140512.json"
CONTENT = "# \uc5d0\ub7ec \ub85c\uadf8\n".encode() + bytes(range(256))
BUCKET = "evidence-of-ours"
#: Paths that leave the vault, or that no row of ours ever held.
TRAVERSALS = [
    "../outside", "INC-1/../../outside", "/etc/passwd", "INC-1//file", "", ".", "..", "INC-1/.", "INC-1/..",
    "INC-1/.hidden", "~/file", "INC-1/file\x00.txt", "INC-1/file\n", "INC-1\\..\\file", "INC-1/f\u00efle",
    "INC-1/%2e%2e/file", "C:/file", "INC-1/" + "a" * 300,
]  # fmt: skip


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    """A server that speaks Cloud Storage's protocol, with one bucket; its address."""
    from gcp_storage_emulator.server import create_server  # type: ignore[import-untyped]

    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    server.start()
    yield f"http://127.0.0.1:{server._api._httpd.socket.getsockname()[1]}"
    server.stop()


@pytest.fixture
def bucket(storage: str, monkeypatch: pytest.MonkeyPatch) -> BucketVault:
    """A vault in the bucket's folder ``team/evidence``."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage)
    return BucketVault(BUCKET, folder="team/evidence", project="a-project")


@pytest_asyncio.fixture(params=["fake", "sqlite", "postgresql", "directory", "bucket"], loop_scope="session")
async def vault(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Vault]:
    """Each vault, the database's on both databases."""
    kind = str(request.param)
    if kind == "fake":
        yield FakeVault()
    elif kind == "directory":
        yield DirectoryVault(str(tmp_path / "evidence"))
    elif kind == "bucket":
        yield request.getfixturevalue("bucket")
    elif kind == "sqlite":
        async with migrated(f"sqlite:///{tmp_path / 'backout.db'}") as database:
            yield DatabaseVault(database)
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
        async with migrated(url) as database:
            yield DatabaseVault(database)
        server.drop_database(url)


@contextlib.asynccontextmanager
async def migrated(url: str) -> AsyncIterator[Database]:
    """A migrated database."""
    made = Database(database_url(url))
    await asyncio.to_thread(migrate, made.engine)
    try:
        yield made
    finally:
        made.close()


async def test_what_was_put_is_got_byte_for_byte(vault: Vault) -> None:
    await vault.put(PLACE, CONTENT)
    await vault.put(OTHER, b"{}")

    assert await vault.get(PLACE) == CONTENT
    assert await vault.get(OTHER) == b"{}"


async def test_what_is_put_again_takes_the_place_of_what_was_there(vault: Vault) -> None:
    await vault.put(PLACE, CONTENT)
    await vault.put(PLACE, b"shorter")

    assert await vault.get(PLACE) == b"shorter"


async def test_what_was_dropped_is_gone_and_its_neighbour_is_not(vault: Vault) -> None:
    await vault.put(PLACE, CONTENT)
    await vault.put(OTHER, b"{}")

    await vault.drop(PLACE)
    await vault.drop(PLACE)

    with pytest.raises(NotKept):
        await vault.get(PLACE)
    assert await vault.get(OTHER) == b"{}"


async def test_where_nothing_was_put_nothing_is_kept(vault: Vault) -> None:
    with pytest.raises(NotKept):
        await vault.get("INC-999/decision-none/probe.json")

    await vault.drop("INC-999/decision-none/probe.json")


@pytest.mark.parametrize("place", TRAVERSALS)
async def test_a_path_that_leads_elsewhere_is_refused(
    bucket: BucketVault, tmp_path: Path, place: str
) -> None:
    (tmp_path / "outside").write_text("somebody else's")
    for vault in (DirectoryVault(str(tmp_path / "evidence")), bucket):
        with pytest.raises(VaultDown, match="is no place for evidence"):
            await vault.put(place, b"mine")
        with pytest.raises(VaultDown):
            await vault.get(place)
        with pytest.raises(VaultDown):
            await vault.drop(place)

    assert (tmp_path / "outside").read_text() == "somebody else's"


async def test_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    root = tmp_path / "a" / "evidence"

    await DirectoryVault(str(root)).put(PLACE, CONTENT)

    assert stat.S_IMODE((root / PLACE).stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in ((root / PLACE).parent, root)} == {0o700}
    assert [file.name for file in (root / PLACE).parent.iterdir()] == [Path(PLACE).name]


async def test_no_link_leads_out_of_the_directory(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "evidence"
    outside.mkdir()
    (outside / "secret.txt").write_text("somebody else's")
    (root / "INC-1").mkdir(parents=True)
    (root / "INC-1" / "linked").symlink_to(outside)
    (root / "INC-1" / "file.txt").symlink_to(outside / "secret.txt")
    vault = DirectoryVault(str(root))

    with pytest.raises(VaultDown):
        await vault.get("INC-1/linked/secret.txt")
    with pytest.raises(VaultDown):
        await vault.put("INC-1/linked/secret.txt", b"mine")
    with pytest.raises(VaultDown):
        await vault.drop("INC-1/linked/secret.txt")
    with pytest.raises(VaultDown):
        await vault.get("INC-1/file.txt")
    await vault.put("INC-1/file.txt", b"mine")

    assert (outside / "secret.txt").read_text() == "somebody else's"
    assert await vault.get("INC-1/file.txt") == b"mine"


async def test_the_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "evidence").symlink_to(tmp_path / "disk")

    await DirectoryVault(str(tmp_path / "evidence")).put(PLACE, CONTENT)

    assert (tmp_path / "disk" / PLACE).read_bytes() == CONTENT


async def test_what_is_no_file_is_not_read_and_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "INC-1" / "folder").mkdir(parents=True)
    os.mkfifo(tmp_path / "INC-1" / "pipe")
    vault = DirectoryVault(str(tmp_path))

    for name in ("folder", "pipe"):
        with pytest.raises(VaultDown):
            await asyncio.wait_for(vault.get(f"INC-1/{name}"), 60)


async def test_folders_that_become_empty_go_and_the_directory_stays(tmp_path: Path) -> None:
    vault = DirectoryVault(str(tmp_path))
    await vault.put(PLACE, CONTENT)

    await vault.drop(PLACE)

    assert os.listdir(tmp_path) == []


async def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(VaultDown, match=r"^cannot write evidence in .*taken: "):
        await DirectoryVault(str(tmp_path / "taken")).put(PLACE, CONTENT)


async def test_a_file_that_was_not_finished_leaves_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = DirectoryVault(str(tmp_path))
    await vault.put(PLACE, CONTENT)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(VaultDown, match="No space left on device"):
        await vault.put(PLACE, b"shorter")

    assert await vault.get(PLACE) == CONTENT
    assert [file.name for file in (tmp_path / PLACE).parent.iterdir()] == [Path(PLACE).name]


async def test_a_bucket_that_is_not_there_is_said(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage)
    vault = BucketVault("no-such-bucket", folder="", project="")

    with pytest.raises(
        VaultDown, match=r"^cannot write evidence in gs://no-such-bucket: there is no such bucket$"
    ):
        await vault.put(PLACE, CONTENT)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "Backout's service account has no permission for it"),
        (400, "a sentence of the service"),
        (404, "there is no such bucket"),
    ],
)
async def test_what_the_service_refuses_is_said(
    monkeypatch: pytest.MonkeyPatch, status: int, said: str
) -> None:
    with refusing(status) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        vault = BucketVault("a-bucket", folder="", project="")

        for doing, call in (
            ("write", vault.put(PLACE, CONTENT)),
            ("read", vault.get(PLACE)),
            ("drop", vault.drop(PLACE)),
        ):
            with pytest.raises(VaultDown, match=f"^cannot {doing} evidence in gs://a-bucket: .*{said}"):
                await call


@contextlib.contextmanager
def refusing(status: int) -> Iterator[str]:
    """Run a server that answers everything with `status`, as Cloud Storage words it; its address."""
    message = "The specified bucket does not exist." if status == 404 else "a sentence of the service"
    answer = json.dumps({"error": {"code": status, "message": message}}).encode()

    class Refusing(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


async def test_a_service_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr("bot.adapters.vault_bucket.CALL_SECONDS", 0.1)

    with pytest.raises(VaultDown, match=r"^cannot write evidence in gs://a-bucket: "):
        await BucketVault("a-bucket", folder="", project="").put(PLACE, CONTENT)


async def test_a_database_that_is_gone_is_waited_for_as_always(tmp_path: Path) -> None:
    empty = Database(database_url(f"sqlite:///{tmp_path / 'not-migrated.db'}"))
    try:
        with pytest.raises(StoreDown):
            await DatabaseVault(empty).put(PLACE, CONTENT)
    finally:
        empty.close()


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        ("database", DatabaseVault),
        ("./evidence", DirectoryVault),
        ("gs://bucket", BucketVault),
        ("gs://bucket/a/b", BucketVault),
    ],
)
async def test_the_setting_chooses(tmp_path: Path, setting: str, kind: type[Vault]) -> None:
    unused = Database(database_url(f"sqlite:///{tmp_path / 'unused.db'}"))
    try:
        assert isinstance(make_vault(setting, database=unused, project=""), kind)
    finally:
        unused.close()
