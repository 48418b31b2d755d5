"""Evidence as files in one directory, for whoever takes it along with the tools they know."""

import asyncio
import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from bot.adapters.vault_place import parts_of
from bot.usecases.ports import NotKept, Vault, VaultDown

#: Evidence is read by whoever runs Backout, and by nobody else on the machine.
FILE_MODE, FOLDER_MODE = 0o600, 0o700
#: No symbolic link is followed below the directory: nobody can lead us out of it.
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Without O_NONBLOCK a named pipe in a file's place would hold us for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class DirectoryVault(Vault):
    """`Vault` over the directory `root`, which is made when the first file comes."""

    def __init__(self, root: str) -> None:
        self._root = Path(root).expanduser().absolute()

    async def put(self, place: str, content: bytes) -> None:
        """See `Vault.put`. Written beside it and renamed, so that no half of a file is ever there."""
        *folders, name = parts_of(place)
        await asyncio.to_thread(self._put, folders, name, content)

    async def get(self, place: str) -> bytes:
        """See `Vault.get`."""
        *folders, name = parts_of(place)
        return await asyncio.to_thread(self._get, folders, name)

    async def drop(self, place: str) -> None:
        """See `Vault.drop`. Folders that become empty go, too."""
        *folders, name = parts_of(place)
        await asyncio.to_thread(self._drop, folders, name)

    def _put(self, folders: list[str], name: str, content: bytes) -> None:
        with self._said("write"), self._opened(folders, make=True) as opened:
            folder, beside = opened[-1], f".{secrets.token_hex(8)}.new"
            try:
                with open(os.open(beside, _NEW, FILE_MODE, dir_fd=folder), "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(beside, dir_fd=folder)
                raise
            for one in opened:
                os.fsync(one)

    def _get(self, folders: list[str], name: str) -> bytes:
        try:
            with (
                self._said("read"),
                self._opened(folders) as opened,
                open(os.open(name, _READ, dir_fd=opened[-1]), "rb") as file,
            ):
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise VaultDown(f"cannot read evidence in {self._root}: {name} is not a file")
                return file.read()
        except FileNotFoundError as error:
            raise NotKept(f"nothing is kept at {'/'.join([*folders, name])}") from error

    def _drop(self, folders: list[str], name: str) -> None:
        with (
            contextlib.suppress(FileNotFoundError),
            self._said("drop"),
            self._opened(folders) as opened,
        ):
            os.unlink(name, dir_fd=opened[-1])
            for parent, folder in zip(opened[-2::-1], folders[::-1], strict=False):
                try:
                    os.rmdir(folder, dir_fd=parent)
                except OSError:  # It is not empty.
                    break

    @contextlib.contextmanager
    def _opened(self, folders: list[str], *, make: bool = False) -> Iterator[list[int]]:
        """Open the directory and, one below the other, `folders`; the last one is where the file is."""
        with contextlib.ExitStack() as stack:
            if make:
                self._root.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            # The directory itself may be a link: whoever runs Backout has chosen it.
            opened = [os.open(self._root, _FOLDER & ~os.O_NOFOLLOW)]
            stack.callback(os.close, opened[-1])
            for folder in folders:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(folder, FOLDER_MODE, dir_fd=opened[-1])
                opened.append(os.open(folder, _FOLDER, dir_fd=opened[-1]))
                stack.callback(os.close, opened[-1])
            yield opened

    @contextlib.contextmanager
    def _said(self, doing: str) -> Iterator[None]:
        """Say in one sentence what the machine does not let us do; a missing file is for the caller."""
        try:
            yield
        except FileNotFoundError:
            if doing == "write":
                raise VaultDown(f"cannot write evidence in {self._root}: it vanished meanwhile") from None
            raise
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise VaultDown(f"cannot {doing} evidence in {self._root}: {why}") from error
