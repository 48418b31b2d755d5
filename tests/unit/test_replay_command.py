"""``backout replay``: what is printed, and with which exit code."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app

SAMPLE = Path(__file__).parents[2] / "docs" / "recorded-canary.csv"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BACKOUT_PLAYBOOK", "BACKOUT_LOCALE", "DATABASE_URL", "PORT", "SLACK_API_URL"):
        monkeypatch.delenv(name, raising=False)


def backout_replay(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["replay", *map(str, words)])


def test_a_series_prints_when_each_rule_would_have_fired() -> None:
    ran = backout_replay(SAMPLE)

    assert ran.exit_code == 0
    assert "- Canary: ion-api-00042-lee" in ran.output.splitlines()
    assert "| the error rate stays red |" in ran.output
    assert "Armed: rolled back by itself at 14:06:50 +09:00 (after 6 min 50 s)" in ran.output


def test_it_speaks_korean() -> None:
    ran = backout_replay(SAMPLE, "--lang", "ko")

    assert ran.exit_code == 0
    assert "## 규칙별 발동 시점" in ran.output.splitlines()


def test_another_playbook_can_be_tried(tmp_path: Path) -> None:
    calm = tmp_path / "calm.yaml"
    calm.write_text(
        "schema: 1\nversion: calm-1\nbased_on: phase4-canary\n"
        "thresholds: {error_rate_percent: {yellow_above: 10, red_above: 20}}\nrules: []\n"
    )

    ran = backout_replay(SAMPLE, "--playbook", calm)

    assert ran.exit_code == 0
    assert "No rule would have fired." in ran.output


def test_what_is_odd_is_named_with_its_lines(tmp_path: Path) -> None:
    odd = tmp_path / "odd.csv"
    text = SAMPLE.read_text().splitlines()
    odd.write_text("\n".join([*text[:8], text[7], *text[8:]]))

    ran = backout_replay(odd)

    assert ran.exit_code == 0
    assert "- line 9: the same window as in line 8: left out" in ran.output.splitlines()


@pytest.mark.parametrize("words", [["nowhere.csv"], [str(SAMPLE), "--canary", "nobody"]])
def test_a_file_that_cannot_be_used_is_exit_code_two(words: list[str]) -> None:
    ran = backout_replay(*words)

    assert ran.exit_code == 2
    assert ran.stderr.strip()
    assert not ran.stdout


def test_a_playbook_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("schema: 1\n")

    ran = backout_replay(SAMPLE, "--playbook", bad)

    assert ran.exit_code != 0
    assert "bad.yaml" in ran.output
