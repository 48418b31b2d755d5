"""Every emoji that the bot writes is one that the page can draw; Slack draws them all."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import bot

ROOT = Path(bot.__file__).parent
SHORTCODE = re.compile(r"(?<![\w:]):([a-z0-9_+-]*[a-z][a-z0-9_+-]*):(?![\w:])")


def written_texts(path: Path) -> Iterator[str]:
    """Yield the texts of a module, but for docstrings."""
    tree = ast.parse(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_the_page_draws_every_emoji_that_the_bot_writes() -> None:
    drawn = set(
        re.findall(r'^  "?([^":]+)"?: "', (ROOT / "sandbox/slack/page/emoji.js").read_text(), re.MULTILINE)
    )

    modules = [path for part in ("slack", "drill") for path in (ROOT / part).rglob("*.py")]
    written = {name for path in modules for text in written_texts(path) for name in SHORTCODE.findall(text)}

    assert "rotating_light" in written
    assert written - drawn == set()
