"""A team's own templates are tried out before anybody needs them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.adapters.playbook_file import DEFAULT, read_playbook
from bot.adapters.template_checks import sample_records, template_faults
from bot.adapters.templates import TEMPLATES
from bot.cli import app
from bot.domain.rollback import RollbackState

GUIDE = read_playbook(DEFAULT)


def own(team: Path, name: str, content: str, locale: str = "en") -> Path:
    (team / locale).mkdir(exist_ok=True)
    (team / locale / name).write_text(content, "utf-8")
    return team


def test_without_own_templates_nothing_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()

    assert template_faults(GUIDE, None) == ()
    assert template_faults(GUIDE, tmp_path) == ()


@pytest.mark.parametrize(
    "name", ["failure_record.md", "failure_record.html", "resolved.md", "rolled_back.md"]
)
@pytest.mark.parametrize("locale", ["en", "ko"])
def test_a_copy_of_ours_is_good(tmp_path: Path, locale: str, name: str) -> None:
    team = own(tmp_path, name, (TEMPLATES / locale / name).read_text("utf-8"), locale)

    assert template_faults(GUIDE, team) == ()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("failure_record.md", "\n{{ nobody }}", "en/failure_record.md, line 2: 'nobody' is undefined"),
        ("failure_record.html", "{% for %}", "en/failure_record.html, line 1: "),
        ("failure_record.md", " \n", "en/failure_record.md: it says nothing"),
        ("resolved.md", "a\nb\n{{ nobody }}", "en/resolved.md, line 3: 'nobody' is undefined"),
        ("failure_recrd.html", "x", "en/failure_recrd.html: there is no template of that name"),
        ("failure_record.md", b"\xff".decode("latin-1"), ""),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(
    tmp_path: Path, name: str, content: str, expected: str
) -> None:
    faults = template_faults(GUIDE, own(tmp_path, name, content))

    assert len(faults) == (1 if expected else 0)
    assert "".join(faults).startswith(expected)


def test_what_breaks_only_sometimes_is_found(tmp_path: Path) -> None:
    # A symptom without a figure has an empty origin; the worst minute is known in some samples only.
    content = "{% if outcome == 'failed' %}{{ nobody }}{% endif %}x"

    assert template_faults(GUIDE, own(tmp_path, "failure_record.md", content)) != ()


def test_a_text_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    own(tmp_path, "failure_record.md", "x")
    (tmp_path / "en" / "failure_record.md").write_bytes(b"\xff\xfe")

    (fault,) = template_faults(GUIDE, tmp_path)

    assert fault.startswith("en/failure_record.md: ")


def test_a_place_without_templates_is_named(tmp_path: Path) -> None:
    assert template_faults(GUIDE, tmp_path / "nowhere") == (f"{tmp_path / 'nowhere'}: this is no directory",)
    assert "neither a directory en nor ko" in "".join(template_faults(GUIDE, tmp_path))


def test_every_scenario_and_state_is_tried_and_nothing_known() -> None:
    records = list(sample_records(GUIDE))

    assert {record.outcome for record in records} == {None, *RollbackState}
    assert {record.incident.scenario for record in records} == {
        None, *(scenario.key for scenario in GUIDE.scenarios),
    }  # fmt: skip
    assert (records[0].symptoms, records[0].timeline) == ((), ())


def test_the_check_of_a_playbook_checks_the_templates(tmp_path: Path) -> None:
    team = own(tmp_path, "failure_record.md", "{{ nobody }}")

    good = CliRunner().invoke(app, ["playbook", "check", str(DEFAULT)])
    bad = CliRunner().invoke(app, ["playbook", "check", str(DEFAULT)], env={"BACKOUT_TEMPLATES": str(team)})

    assert good.exit_code == 0, good.output
    assert bad.exit_code == 1
    assert "en/failure_record.md, line 1: 'nobody' is undefined" in bad.output
    assert "no faults" in bad.output


def test_a_playbook_may_name_a_text_of_the_teams_own(tmp_path: Path) -> None:
    for locale in ("en", "ko"):
        own(tmp_path, "our_notice.md", "{{ label }}", locale)
    written = DEFAULT.read_text("utf-8").replace("resolved.md", "our_notice.md")
    file = tmp_path / "playbook.yaml"
    file.write_text(written, "utf-8")

    playbook = read_playbook(file, templates=tmp_path)

    assert "our_notice.md" in {plan.template for plan in playbook.notices.values()}
    assert template_faults(playbook, tmp_path) == ()
