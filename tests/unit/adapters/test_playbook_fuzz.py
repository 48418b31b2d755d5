"""Whatever happens to a playbook's file, reading it ends in a playbook or in faults with lines."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.playbook_file import DEFAULT, BadPlaybook, Fault, read_playbook

#: A small file that takes the guide over, and one section of each shape of the guide: quick to read.
BASED = """\
schema: 1
version: "1"
based_on: phase4-canary
contacts:
  manager: {role: {en: Manager, ko: 매니저}, name: "", within_minutes: 5}
checklist:
  - key: now
    name: {en: Now, ko: 즉시}
    from_minutes: 0
    to_minutes: 1
    steps:
      - {key: go, title: {en: "Go: 100 %", ko: 실행}, sees: traffic_stable, owner: manager, link: console}
thresholds:
  error_rate_percent: {yellow_above: 0.5, red_above: 1.0}
links:
  console: {title: {en: Console, ko: 콘솔}, url: "https://example.org/{project}?a={service}"}
  logs: {title: {en: Logs, ko: 로그}, url: "https://example.org/logs"}
  profiler: {title: {en: P, ko: 프}, url: "https://example.org/p"}
"""
GUIDE = DEFAULT.read_text("utf-8")
#: What breaks YAML, JSON, numbers and words.
PIECES = [
    "{", "}", "[", "]", ":", ": ", "- ", "? ", "#", "&a ", "*a", "!", "!!int ", "!!timestamp ", "!!set ",
    "!!binary ", "!!omap ", "|", ">", "'", '"', "\\", "\\ud800", "\\x00", "\n", "\t", "\r", "---", "...",
    "%YAML 1.1", "<<: ", "null", "~", "true", "yes", ".nan", ".inf", "1e999", "0x1F", "0o17", "1_000",
    "01:00", "2026-03-02", "9" * 400, "9" * 5000, "-", "\ufeff", "\u2028", "\x85", "é", "한",
    "🔥", "\x00", "\x07", "{canary}", "{x}", "based_on: phase4-canary", "schema", "key: key", "en", "ko",
]  # fmt: skip

changes = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.one_of(st.sampled_from(PIECES), st.text(max_size=8))),
    min_size=1,
    max_size=6,
)


def mangled(text: str, changes: list[tuple[float, int, str]]) -> str:
    """Return `text` with pieces put in at relative places, each instead of so many characters."""
    for place, length, piece in changes:
        start = int(place * len(text))
        text = text[:start] + piece + text[start + length :]
    return text


def faults(path: Path, raw: bytes) -> list[Fault]:
    path.write_bytes(raw)
    try:
        read_playbook(path)
    except BadPlaybook as bad:
        return list(bad.faults)
    return []


def check(path: Path, raw: bytes) -> None:
    lines = raw.count(b"\n") + raw.count(b"\r") + raw.count(b"\x85") + raw.count("\u2028".encode()) + 1
    for fault in faults(path, raw):
        assert 1 <= fault.line <= lines + 1
        assert len(str(fault).splitlines()) == 1, fault
        assert len(str(fault)) < 2000
        str(fault).encode()


@given(changes=changes)
def test_a_small_playbook_that_was_mangled_is_read_or_refused(
    tmp_path: Path, changes: list[tuple[float, int, str]]
) -> None:
    check(tmp_path / "playbook.yaml", mangled(BASED, changes).encode("utf-8", "surrogatepass"))


@settings(max_examples=15)
@given(changes=changes)
def test_the_guide_mangled_is_read_or_refused(tmp_path: Path, changes: list[tuple[float, int, str]]) -> None:
    check(tmp_path / "playbook.yaml", mangled(GUIDE, changes).encode("utf-8", "surrogatepass"))


@given(raw=st.binary(max_size=300))
def test_any_bytes_are_refused(tmp_path: Path, raw: bytes) -> None:
    assert faults(tmp_path / "playbook.yaml", raw)
