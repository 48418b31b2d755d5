"""The playbook on disk: file, line and what to write for every mistake; the last good one keeps serving."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import bot
from bot.adapters.playbook_file import (
    LARGEST_BYTES,
    MOST_LOGGED,
    BadPlaybook,
    PlaybookShelf,
    read_playbook,
)
from bot.domain.playbook import Permission, Playbook, Topology

GOOD = """\
schema: 1
version: "1"
time_zone: Asia/Seoul
channels:
  incidents: "#critical-incidents"
roles:
  lead:
    users: [U0SENA]
    groups: [S0DEVOPS]
    may: [roll_back]
thresholds:
  error_rate_percent: {yellow_above: 0.5, red_above: 1.0}
  min_requests: 50
verification:
  p95_below_ms: 200
targets:
  canary:
    topology: revisions
    region: us-central1
    service: ion-api
"""


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "playbook.yaml"


def fault(path: Path, content: str | bytes) -> str:
    """Return the only fault of a playbook, as a person reads it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadPlaybook) as bad:
        read_playbook(path)
    assert len(bad.value.faults) == 1, str(bad.value)
    return str(bad.value)


def test_a_good_playbook_is_read(path: Path) -> None:
    path.write_text(GOOD)

    playbook = read_playbook(path)

    assert (playbook.version, set(playbook.targets)) == ("1", {"canary"})


BAD: list[tuple[str | bytes, int, str]] = [
    # Not YAML.
    ("targets: [", 1, "check the indentation and the quotes here"),
    (changed("  lead:\n", "  lead:\n   x: 1\n"), 9, "check the indentation and the quotes here"),
    (changed("time_zone: Asia/Seoul", "time_zone: x\n\tname: x"), 4, "check the indentation"),
    (changed("service: ion-api", 'service: "ion-api'), 21, "check the indentation and the quotes here"),
    (changed('version: "1"', 'version: "1"\nversion: "2"'), 3, "keep one of the two"),
    (changed("    service: ion-api\n", "    service: ion-api\n    service: x\n"), 21, "keep one of the two"),
    (GOOD + "---\n" + GOOD, 21, "check the indentation and the quotes here"),
    ("schema: 1\n\x00", 2, "not YAML that can be read"),
    # Not a playbook.
    ("", 1, "write 'schema: 1', 'version: …' and 'targets: …' here"),
    ("# nothing\n", 1, "write 'schema: 1'"),
    ("- a\n- b\n", 1, "write 'schema: 1'"),
    ("just words\n", 1, "write 'schema: 1'"),
    # Anchors and aliases, wherever they stand.
    (
        changed("{yellow_above: 0.5, red_above: 1.0}", "&x {yellow_above: 0.5, red_above: 1.0}"),
        12,
        "write the value out",
    ),
    (changed("[U0SENA]", "[&who U0SENA, *who]"), 8, "anchors and aliases"),
    (
        changed("    topology: revisions\n", "    <<: *base\n    topology: revisions\n"),
        18,
        "anchors and aliases",
    ),
    # Wrong keys and missing ones.
    (changed("thresholds:", "treshholds:"), 11, "treshholds: not a known key; did you mean 'thresholds'?"),
    (changed("  p95_below_ms: 200", "  p95_below: 200"), 15, "did you mean 'p95_below_ms'?"),
    (changed("schema: 1\n", "schema: 1\nzzzzzz: 1\n"), 2, "zzzzzz: not a known key: remove it"),
    (changed('version: "1"\n', ""), 1, "version: is missing: write it"),
    (changed("    region: us-central1\n", ""), 17, "targets.canary.region: is missing: write it"),
    (GOOD[: GOOD.index("targets:")], 1, "targets: is missing: write it"),
    (GOOD[: GOOD.index("targets:")] + "targets: {}\n", 16, "targets: dictionary should have at least 1 item"),
    # Wrong values.
    (changed("schema: 1", "schema: 2"), 1, "schema: input should be 1 (found 2)"),
    (changed('version: "1"', "version: 1"), 2, "version: write a text, in quotes (found 1)"),
    (changed('version: "1"', "version: 1.10"), 2, "version: write a text, in quotes"),
    (changed('version: "1"', "version: true"), 2, "version: write a text, in quotes (found True)"),
    (changed('version: "1"', 'version: ""'), 2, "version: string should have at least 1 character"),
    (changed('version: "1"', f'version: "{"x" * 65}"'), 2, "at most 64 characters"),
    (changed("Asia/Seoul", "Asia/Soul"), 3, "no zone is called 'Asia/Soul'; write one such as Asia/Seoul"),
    (changed("Asia/Seoul", "../../etc/passwd"), 3, "write one such as Asia/Seoul"),
    (
        changed('"#critical-incidents"', '"critical"'),
        5,
        "channels.incidents: 'critical' does not have the right form",
    ),
    (changed("[U0SENA]", '["@sena"]'), 8, "roles.lead.users.0: '@sena' does not have the right form"),
    (changed("[U0SENA]", "U0SENA"), 8, "roles.lead.users: input should be a valid array"),
    (
        changed("[roll_back]", "[roll_back, everything]"),
        10,
        "roles.lead.may.1: write 'roll_back', 'change_canary', 'tell_users' or 'complete_record' (found",
    ),
    (changed("  lead:", "  Lead Dev:"), 7, "roles.Lead Dev: 'Lead Dev' does not have the right form"),
    (
        changed("yellow_above: 0.5", "yellow_above: 2.0"),
        12,
        "red_above (1) must be greater than yellow_above (2)",
    ),
    (changed("red_above: 1.0", "red_above: 101"), 12, "101 is a percentage: write a number up to 100"),
    (changed("red_above: 1.0", "red_above: .nan"), 12, "red_above: input should be a finite number"),
    (changed("red_above: 1.0", "red_above: .inf"), 12, "red_above: input should be a finite number"),
    (changed("red_above: 1.0", "red_above: 1e999"), 12, "red_above"),
    (
        changed("red_above: 1.0", 'red_above: "1.0"'),
        12,
        "red_above: input should be a valid number (found '1.0')",
    ),
    (
        changed("red_above: 1.0", "red_above: true"),
        12,
        "red_above: input should be a valid number (found True)",
    ),
    (
        changed("min_requests: 50", "min_requests: yes"),
        13,
        "min_requests: input should be a valid integer (found 'yes')",
    ),
    (
        changed("min_requests: 50", "min_requests: true"),
        13,
        "min_requests: input should be a valid integer (found True)",
    ),
    (changed("min_requests: 50", "min_requests: 50.5"), 13, "min_requests: input should be a valid integer"),
    (
        changed("min_requests: 50", "min_requests: 0"),
        13,
        "min_requests: input should be greater than or equal to 1 (found 0)",
    ),
    (
        changed("min_requests: 50", "min_requests:"),
        13,
        "min_requests: input should be a valid integer (found None)",
    ),
    (changed("p95_below_ms: 200", "p95_below_ms: 0"), 15, "p95_below_ms: input should be greater than 0"),
    (
        changed("topology: revisions", "topology: both"),
        18,
        "topology: write 'revisions' or 'services' (found 'both')",
    ),
    (
        changed("topology: revisions", "topology: services"),
        17,
        "targets.canary: topology services needs canary_service and router",
    ),
    (
        changed("region: us-central1", "region: everywhere"),
        19,
        "targets.canary.region: 'everywhere' does not have the right form",
    ),
    (
        changed("service: ion-api", "service: Ion_API"),
        20,
        "targets.canary.service: 'Ion_API' does not have the right form",
    ),
    (GOOD + "    stable_revision: other-00001-abc\n", 17, "stable_revision must begin with 'ion-api-'"),
    # Not a document anybody wrote by hand.
    (b"schema: 1\nversion: \xff\n", 2, "not UTF-8: save the file as UTF-8"),
    (GOOD.encode("utf-16"), 1, "not UTF-8: save the file as UTF-8"),
    ("# " + "x" * LARGEST_BYTES, 1, "larger than 256 KiB: write less"),
    ("a: " + "[" * 30 + "]" * 30, 1, "nested more than 20 levels deep: write it flatter"),
    ("a: " + "[" * 200_000, 1, "nested more than 20 levels deep: write it flatter"),
    (changed("schema: 1\n", "schema: 1\n? [a, b]\n: 1\n"), 1, "a list or a mapping is no key: write a word"),
    (changed("schema: 1\n", "schema: 1\n1: x\n"), 1, "1: not a known key"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "line", "words"), BAD)
def test_a_mistake_is_shown_with_file_line_and_what_to_write(
    path: Path, content: str | bytes, line: int, words: str
) -> None:
    said = fault(path, content)

    assert said.startswith(f"playbook.yaml:{line}: ")
    assert words in said
    assert len(said.splitlines()) == 1


def test_several_mistakes_are_shown_in_file_order(path: Path) -> None:
    path.write_text(
        GOOD.replace('"1"', "1").replace("us-central1", "x").replace("min_requests: 50", "min_requests: 0")
    )

    with pytest.raises(BadPlaybook) as bad:
        read_playbook(path)

    assert [fault.line for fault in bad.value.faults] == [2, 13, 19]


def test_aliases_of_aliases_are_refused_before_they_grow(path: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]

    path.write_text("\n".join(rows))

    with pytest.raises(BadPlaybook) as bad:
        read_playbook(path)

    assert [fault.line for fault in bad.value.faults] == list(range(1, 21))
    assert all("anchors and aliases" in str(fault) for fault in bad.value.faults)


@pytest.mark.parametrize("text", ["*bold*", "&c", "Q: *bold* & more", "a # b: *c"])
def test_an_ampersand_or_a_star_in_a_text_is_no_alias(path: Path, text: str) -> None:
    path.write_text(changed('version: "1"', f'version: "1" # see: *this*\nname: "{text}"'))

    assert read_playbook(path).name == text


def test_a_date_is_a_fine_version(path: Path) -> None:
    path.write_text(changed('version: "1"', "version: 2026-03-02"))

    assert read_playbook(path).version == "2026-03-02"


def test_a_yaml_tag_builds_nothing(path: Path) -> None:
    said = changed('version: "1"', 'version: !!python/object/apply:os.system ["true"]')

    assert fault(path, said).startswith("playbook.yaml:2: ")


def test_a_file_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(BadPlaybook, match=r"playbook.yaml:1: the file cannot be read: No such file"):
        read_playbook(path)


# Reading it anew.


def rewrite(path: Path, content: str | bytes) -> None:
    """Write a file that is seen to be newer, however fast the test is."""
    before = path.stat().st_mtime_ns
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))


def test_a_changed_file_is_in_force_at_once(path: Path) -> None:
    path.write_text(GOOD)
    shelf = PlaybookShelf(path)

    rewrite(path, changed('version: "1"', 'version: "2"'))

    assert shelf.current().version == "2"


def test_while_slack_waits_the_older_one_serves_until_the_newer_is_read(path: Path) -> None:
    path.write_text(GOOD)
    shelf = PlaybookShelf(path)
    rewrite(path, changed('version: "1"', 'version: "2"'))

    async def current() -> str:
        return shelf.current().version

    first = asyncio.run(current())
    for thread in threading.enumerate():
        if thread.name == "playbook":
            # To its last line: what it logs shall not be taken for another test's.
            thread.join(60)

    # Again within a loop, where nothing is read on the spot.
    assert (first, asyncio.run(current())) == ("1", "2")


@pytest.mark.parametrize("broken", ["", "targets: [", b"\xff", changed("region: us-central1", "region: x")])
def test_the_last_good_one_keeps_serving_and_the_log_says_why(path: Path, broken: str | bytes) -> None:
    path.write_text(GOOD)
    shelf = PlaybookShelf(path)
    rewrite(path, broken)

    with capture_logs() as logs:
        playbooks = [shelf.current() for _ in range(3)]

    assert {p.version for p in playbooks} == {"1"}
    (said,) = logs
    assert (said["event"], said["serving"]) == ("playbook_refused", "1")
    assert said["faults"][0].startswith("playbook.yaml:")


def become_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_endless(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def become_a_circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def become_huge(path: Path) -> None:
    rewrite(path, b"x: y\n" * LARGEST_BYTES)


def become_binary(path: Path) -> None:
    rewrite(path, bytes(range(256)))


@pytest.mark.parametrize(
    "become",
    [become_a_directory, become_a_pipe, become_endless, become_a_circle, become_huge, become_binary],
    ids=lambda become: become.__name__,
)
def test_whatever_becomes_of_the_file_the_last_good_one_keeps_serving(
    path: Path, become: Callable[[Path], None]
) -> None:
    path.write_text(GOOD)
    shelf = PlaybookShelf(path)

    become(path)

    with capture_logs():
        assert [shelf.current().version for _ in range(3)] == ["1"] * 3


def test_a_file_that_takes_the_place_of_another_is_in_force(path: Path) -> None:
    path.write_text(GOOD)
    shelf, before = PlaybookShelf(path), path.stat()
    other = path.with_name("other.yaml")
    other.write_text(changed('version: "1"', 'version: "2"'))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))

    other.replace(path)

    assert shelf.current().version == "2"


def test_the_log_shows_so_many_faults_and_how_many_there_are(path: Path) -> None:
    path.write_text(GOOD)
    shelf = PlaybookShelf(path)
    rewrite(path, GOOD + "".join(f"wrong{n}: x\n" for n in range(200)))

    with capture_logs() as logs:
        shelf.current()

    assert (logs[0]["count"], len(logs[0]["faults"])) == (200, MOST_LOGGED)


def test_a_file_that_was_removed_leaves_the_last_good_one(path: Path) -> None:
    path.write_text(GOOD)
    shelf = PlaybookShelf(path)
    path.unlink()

    with capture_logs():
        assert shelf.current().version == "1"


def test_a_mended_file_is_in_force_again(path: Path) -> None:
    path.write_text(GOOD)
    shelf = PlaybookShelf(path)
    with capture_logs():
        rewrite(path, "broken: [")
        shelf.current()
        rewrite(path, changed('version: "1"', 'version: "3"'))

        assert shelf.current().version == "3"


def test_without_a_good_one_at_the_start_there_is_no_shelf(path: Path) -> None:
    path.write_text("broken: [")

    with pytest.raises(BadPlaybook):
        PlaybookShelf(path)


# The ones we ship.

HOME = Path(bot.__file__).parent
SHIPPED = ["playbooks/phase4-canary.yaml", "sandbox/playbook.yaml"]


def shipped(name: str) -> Playbook:
    return read_playbook(HOME / name)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_playbook_carries_the_guides_numbers(name: str) -> None:
    thresholds, proof = shipped(name).thresholds, shipped(name).verification

    limits = (
        thresholds.error_rate_percent,
        thresholds.p95_ms,
        thresholds.memory_percent,
        thresholds.cpu_percent,
    )
    assert [(limit.yellow_above, limit.red_above) for limit in limits] == [
        (0.5, 1),
        (200, 500),
        (70, 85),
        (70, 90),
    ]
    assert (proof.error_rate_below_percent, proof.p95_below_ms) == (0.5, 200)
    assert (shipped(name).name, shipped(name).channels.incidents) == ("Phase 4", "#critical-incidents")


def test_the_default_playbook_lets_nobody_act_before_people_are_named() -> None:
    default = shipped(SHIPPED[0])

    assert {(default.people_with(p), default.groups_with(p)) for p in Permission} == {((), ())}
    assert default.targets["canary"].topology is Topology.SERVICES


def test_the_sandboxs_playbook_has_a_target_of_each_topology() -> None:
    targets = shipped(SHIPPED[1]).targets.values()

    assert {target.topology for target in targets} == set(Topology)
