"""An incident's files as one ZIP: the same files make the same bytes."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

#: ZIP knows no zone and nothing before 1980; the real times are inside.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
#: Checks the archive without Backout.
CHECK = "check.py"


def archive(files: Mapping[str, bytes], *, folder: str, read_me: str) -> bytes:
    """Return a ZIP: one `folder` with `files`, a `read_me`, their hashes, and a script that checks them."""
    whole = {**files, "README.md": read_me.encode(), CHECK: _script()}
    sums = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(whole.items())
    )
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted({**whole, "SHA256SUMS": sums.encode()}.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", _LONG_AGO)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, content)
    return written.getvalue()


def _script() -> bytes:
    return Path(__file__).with_name("archive_check.py").read_bytes()
