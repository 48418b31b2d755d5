"""Texts for people, from `templates/`, a team's own first: variables only, and a missing one is an error."""

import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.beside import beside
from bot.slack.text import LOCALES, Markup
from bot.usecases.ports import BadTemplate

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = beside("templates")
#: What a template can do wrong while it is filled in, beside Jinja's own errors.
WRONG = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)


@cache
def _environment(team: Path | None) -> "Environment":
    # Imported with the first record: no command waits for it.
    from jinja2 import FileSystemLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        # The first place that has a template counts: the team's stands before ours.
        loader=FileSystemLoader([*([team] if team else []), TEMPLATES]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown's values are `Markup` of ours, made safe for Markdown and not for HTML.
        autoescape=_is_html,
    )


def _is_html(name: str | None) -> bool:
    return name is not None and name.endswith(".html")


def render_template(name: str, locale: str, values: Mapping[str, Any], *, team: Path | None = None) -> str:
    """Fill in the template `name` of `locale`; `team` is a directory whose templates come before ours.

    In HTML whatever is not `Markup` is escaped once more.
    """
    filled = _trusted(values) if _is_html(name) else values
    return _environment(team).get_template(f"{locale}/{name}").render(filled)


class _Trusted(str):
    """A `Markup` for HTML, as Jinja asks whether it is safe; it escapes everything else once more."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def _trusted(value: Any) -> Any:
    if isinstance(value, Markup):
        return _Trusted(value)
    if isinstance(value, Mapping):
        return {name: _trusted(one) for name, one in value.items()}
    return [_trusted(one) for one in value] if isinstance(value, list) else value


def filled_in(name: str, locale: str, values: Mapping[str, Any], *, team: Path | None = None) -> str:
    """Return the template filled in. Raises `BadTemplate` with file, line and what is wrong."""
    # Imported with the first record: no command waits for it.
    from jinja2 import TemplateError

    try:
        return render_template(name, locale, values, team=team)
    except (TemplateError, *WRONG) as error:
        raise BadTemplate(_complaint(f"{locale}/{name}", error)) from error


def _complaint(template: str, error: Exception) -> str:
    from jinja2 import TemplateNotFound, TemplateSyntaxError

    if isinstance(error, TemplateNotFound):
        missing = str(error.name or template)
        return (
            f"{template}: there is no template {missing}" if missing != template else f"{template}: missing"
        )
    line = error.lineno if isinstance(error, TemplateSyntaxError) else _line_of(template, error)
    place = f"{template}, line {line}" if line else template
    return f"{place}: {str(error) or type(error).__name__}"


def _line_of(template: str, error: Exception) -> int | None:
    """Return the template's line that was being filled in: Jinja puts its own lines into the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename.replace("\\", "/").endswith(template)]
    return lines[-1] if lines else None


def is_the_teams(name: str, locale: str, team: Path | None) -> bool:
    """True where a team has a template of its own by that name."""
    return team is not None and (team / locale / name).is_file()


def template_names(team: Path | None = None) -> dict[str, frozenset[str]]:
    """Return the file names of the texts there are, ours and the team's, by language."""
    places = [TEMPLATES, *([team] if team else [])]
    return {
        locale: frozenset(file.name for place in places for file in (place / locale).glob("*.md"))
        for locale in LOCALES
    }
