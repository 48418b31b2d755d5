"""Paragraphs for people, from `templates/`: variables only, and a missing one is an error."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from bot.beside import beside
from bot.slack.text import LOCALES

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = beside("templates")


@cache
def _environment() -> "Environment":
    # Imported with the first record: no command waits for it.
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # No autoescape: the values are `Markup` of ours, made safe for Markdown and not for HTML.
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def render_template(name: str, locale: str, values: Mapping[str, Any]) -> str:
    """Fill in the template `name` of `locale`."""
    return _environment().get_template(f"{locale}/{name}").render(values)


def template_names() -> dict[str, frozenset[str]]:
    """Return the file names of the templates there are, by language."""
    return {locale: frozenset(file.name for file in (TEMPLATES / locale).glob("*.md")) for locale in LOCALES}
