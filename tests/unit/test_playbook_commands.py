"""``backout playbook …``: what is printed, and with which exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import bot
from bot.cli import app

GUIDE = Path(bot.__file__).parent / "playbooks" / "phase4-canary.yaml"
SANDBOX = Path(bot.__file__).parent / "sandbox" / "playbook.yaml"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BACKOUT_PLAYBOOK", "BACKOUT_LOCALE", "DATABASE_URL", "PORT", "SLACK_API_URL"):
        monkeypatch.delenv(name, raising=False)


def backout(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["playbook", *map(str, words)])


def test_a_good_playbook_is_summed_up() -> None:
    ran = backout("check", GUIDE)

    assert ran.exit_code == 0
    assert ran.output.splitlines()[:2] == [
        "phase4-canary.yaml: version 2025-10-21, 1 target(s), no faults.",
        "  5 scenario(s), 12 checklist step(s), 5 decision rule(s), 5 contact(s), 5 notice(s), "
        "10 readiness point(s), 4 link(s)",
    ]


def test_what_was_taken_over_from_the_guide_is_named() -> None:
    ran = backout("check", SANDBOX)

    assert ran.exit_code == 0
    assert "  from phase4-canary: name, time_zone, about, channels, scenarios, " in ran.output


def test_an_empty_slot_is_a_warning_and_no_fault() -> None:
    ran = backout("check", SANDBOX)

    (warning,) = [line for line in ran.output.splitlines() if "contacts.manager" in line]
    line = SANDBOX.read_text("utf-8").splitlines().index("  manager:") + 1
    assert warning.startswith(f"warning: playbook.yaml:{line}: contacts.manager: an empty slot")


def test_every_fault_is_a_line_with_file_line_path_and_sentence(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    text = GUIDE.read_text("utf-8")
    bad.write_text(
        text.replace("link: grafana\n", "link: grafan\n").replace("p95_below_ms: 200", "p95_below_ms: 0.2")
    )

    ran = backout("check", bad)

    lines = text.splitlines()
    grafana, p95 = lines.index("        link: grafana") + 1, lines.index("  p95_below_ms: 200") + 1
    assert ran.exit_code == 1
    assert ran.output.splitlines() == [
        f"bad.yaml:{grafana}: checklist.2.steps.2.link: there is no link 'grafan'; did you mean 'grafana'?",
        f"bad.yaml:{p95}: verification.p95_below_ms: 0.2 ms looks like seconds: write 200 for milliseconds",
    ]


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    ran = backout("check", tmp_path / "nowhere.yaml")

    assert ran.exit_code == 1
    assert ran.output == "nowhere.yaml:1: the file cannot be read: No such file or directory\n"


def test_the_schema_is_json_for_editors() -> None:
    ran = backout("schema")

    assert ran.exit_code == 0
    assert json.loads(ran.output)["$schema"].startswith("https://json-schema.org/")


def test_the_playbook_in_force_is_shown_in_the_channels_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKOUT_PLAYBOOK", str(SANDBOX))
    monkeypatch.setenv("BACKOUT_LOCALE", "ko")

    ran = backout("show")

    assert ran.exit_code == 0
    assert ran.output.startswith("# Phase 4 배포 실패 대비 가이드\n\n- 버전: sandbox-1\n")


@pytest.mark.parametrize(("lang", "said"), [("ko", "## 긴급 연락처"), ("en", "## Emergency contacts")])
def test_a_file_is_shown_in_a_language(lang: str, said: str) -> None:
    ran = backout("show", "--lang", lang, GUIDE)

    assert ran.exit_code == 0
    assert said in ran.output


def test_a_bad_playbook_cannot_be_shown(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("schema: 1\n")

    ran = backout("show", bad)

    assert ran.exit_code == 2
    assert "The playbook cannot be used:" in ran.output
    assert "bad.yaml:1: version: is missing: write it" in ran.output
