"""Checks the folder it lies in: is this incident's archive as it was written? Python 3 alone, no packages.

It goes into every archive of Backout, so it imports nothing of Backout.
"""

import hashlib
import json
import sys
from pathlib import Path

GENESIS = "0" * 64
FIELDS = ("chain", "sequence", "key", "at", "actor", "event", "facts", "previous")


def changed_files(folder: Path) -> list[str]:
    """Return the files whose content is not what SHA256SUMS says, or that are not there."""
    wrong = []
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        wanted, _, name = line.partition("  ")
        file = folder / name
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != wanted:
            wrong.append(name)
    return wrong


def first_broken_line(folder: Path) -> int | None:
    """Return the first line of the timeline that does not fit the chain, None when all do."""
    previous = GENESIS
    # Not by `splitlines`: a text may hold one of the other characters that begin a line somewhere.
    lines = (folder / "timeline.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    for expected, line in enumerate(lines, start=1):
        entry = json.loads(line)
        content = json.dumps(
            [entry[name] for name in FIELDS], ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        fits = entry["sequence"] == expected and entry["previous"] == previous
        if not fits or hashlib.sha256(content.encode()).hexdigest() != entry["hash"]:
            return expected
        previous = entry["hash"]
    return None


def main() -> int:
    """Say what is wrong; 0 only when nothing is."""
    folder = Path(__file__).resolve().parent
    wrong, broken = changed_files(folder), first_broken_line(folder)
    for name in wrong:
        print(f"changed or missing: {name}")
    if broken is not None:
        print(f"timeline.jsonl: line {broken} does not fit the chain")
    if not wrong and broken is None:
        print("Everything is as it was written.")
    return 1 if wrong or broken is not None else 0


if __name__ == "__main__":
    sys.exit(main())
