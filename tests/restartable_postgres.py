"""A PostgreSQL server of a test's own, that can be stopped in the middle and started again."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import _as, _binaries, _connect, _initialize, _server_owner, database_address

#: Nothing is flushed to the disk, but what was committed survives the server's own death.
SETTINGS = {"listen_addresses": "", "fsync": "off", "shared_buffers": "32MB", "max_connections": "100"}


class RestartablePostgres:
    """One server with one empty database, ``postgres``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._owner = _server_owner()
        self._binaries = _binaries(directory, self._owner)
        self._server: subprocess.Popen[bytes] | None = None
        _initialize(directory, self._binaries, self._owner)
        self.url = database_address("postgres", directory)

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {**SETTINGS, "unix_socket_directories": str(self._directory)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self._directory / "log").open("ab") as log:
            self._server = subprocess.Popen(
                (*_as(self._owner), self._binaries / "postgres", "-D", self._directory / "data", *options),
                cwd="/",
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _connect(self._directory, self._server).close()

    def stop(self) -> None:
        """Stop it as a crash would: connections are cut and nothing is tidied up."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(60)
            self._server = None


@contextmanager
def restartable_postgres() -> Iterator[RestartablePostgres]:
    """Start one, and remove every trace of it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="backout-pg-"))
    server: RestartablePostgres | None = None
    try:
        server = RestartablePostgres(directory)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(directory, ignore_errors=True)
