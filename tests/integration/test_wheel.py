"""The installed package holds everything the bot reads at run time, not only its code."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Folders of files that are not Python, and where they are in the wheel.
CARRIED = {
    "templates": "bot/templates",
    "migrations": "bot/migrations",
    "bot/locale": "bot/locale",
    "bot/playbooks": "bot/playbooks",
    "bot/sandbox/slack/page": "bot/sandbox/slack/page",
}


def test_the_wheel_holds_templates_migrations_catalogs_and_the_page(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("*.whl")

    held = set(zipfile.ZipFile(wheel).namelist())

    for folder, inside in CARRIED.items():
        files = [f for f in (ROOT / folder).rglob("*") if f.is_file() and "__pycache__" not in f.parts]
        wanted = {f"{inside}/{file.relative_to(ROOT / folder).as_posix()}" for file in files}
        assert wanted, folder
        assert wanted <= held
    assert "bot/sandbox/manifest.yml" in held
