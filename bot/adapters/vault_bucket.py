"""Evidence in a Cloud Storage bucket, where the team's own rules of keeping and locking hold as well."""

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from bot.adapters.vault_place import parts_of
from bot.usecases.ports import NotKept, Vault, VaultDown

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket

T = TypeVar("T")

#: For one try, and for all tries of one call, seconds: whoever waits for a file has others to wait for.
TRY_SECONDS, CALL_SECONDS = 10.0, 20.0
#: How the service tells a missing bucket from a missing object: both are a 404.
_NO_BUCKET = "bucket does not exist"


class BucketVault(Vault):
    """`Vault` over one folder (empty: the top) of a bucket.

    The library is imported at the first call, and runs in threads: it knows no other way.
    ``STORAGE_EMULATOR_HOST`` leads it elsewhere.
    """

    def __init__(self, bucket: str, *, folder: str, project: str) -> None:
        self._name = bucket
        self._folder = f"{folder}/" if folder else ""
        self._project = project
        self._opening = threading.Lock()
        self._opened: Bucket | None = None

    async def put(self, place: str, content: bytes) -> None:
        """See `Vault.put`. The service refuses what was changed on its way: a checksum goes along."""

        def put(blob: "Blob", common: dict[str, Any]) -> None:
            blob.upload_from_string(
                content, content_type="application/octet-stream", checksum="crc32c", **common
            )

        await self._call("write", place, put)

    async def get(self, place: str) -> bytes:
        """See `Vault.get`."""

        def get(blob: "Blob", common: dict[str, Any]) -> bytes:
            content: bytes = blob.download_as_bytes(raw_download=True, checksum="crc32c", **common)
            return content

        return await self._call("read", place, get)

    async def drop(self, place: str) -> None:
        """See `Vault.drop`."""

        def drop(blob: "Blob", common: dict[str, Any]) -> None:
            blob.delete(**common)

        try:
            await self._call("drop", place, drop)
        except NotKept:
            return

    async def _call(self, doing: str, place: str, work: "Callable[[Blob, dict[str, Any]], T]") -> T:
        parts_of(place)
        return await asyncio.to_thread(self._called, doing, place, work)

    def _called(self, doing: str, place: str, work: "Callable[[Blob, dict[str, Any]], T]") -> T:
        from google.api_core.exceptions import Forbidden, GoogleAPIError, NotFound, Unauthorized
        from google.auth.exceptions import GoogleAuthError
        from google.cloud.storage.exceptions import DataCorruption
        from google.cloud.storage.retry import DEFAULT_RETRY

        # Writing the same file twice is writing it once, so every call may be tried again.
        common = {"timeout": TRY_SECONDS, "retry": DEFAULT_RETRY.with_timeout(CALL_SECONDS)}
        try:
            return work(self._bucket().blob(self._folder + place), common)
        except NotFound as error:
            if doing == "write" or _NO_BUCKET in str(error).lower():
                raise self._down(doing, "there is no such bucket") from error
            raise NotKept(f"nothing is kept at {place}") from error
        except (Forbidden, Unauthorized) as error:
            raise self._down(doing, "Backout's service account has no permission for it") from error
        except GoogleAuthError as error:
            raise self._down(doing, f"there are no Google credentials: {_one_line(error)}") from error
        except (GoogleAPIError, DataCorruption, OSError, ValueError) as error:
            raise self._down(doing, _one_line(error)) from error

    def _bucket(self) -> "Bucket":
        with self._opening:
            if self._opened is None:
                from google.cloud.storage import Client

                self._opened = Client(project=self._project or None).bucket(self._name)
            return self._opened

    def _down(self, doing: str, why: str) -> VaultDown:
        return VaultDown(f"cannot {doing} evidence in gs://{self._name}: {why}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
