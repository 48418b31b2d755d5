"""The addresses of pages to open, filled in for one target."""

from urllib.parse import quote

from bot.domain.guide import Link
from bot.domain.playbook import Target


def address(link: Link, target: Target, *, canary: str | None = None, project: str = "") -> str:
    """Return the address of `link` for `target`.

    Args:
        canary: the canary's revision where it is known (topology revisions); else its service stands in.
        project: Google Cloud project of targets that name none.
    """
    known = {
        "project": target.project or project,
        "region": target.region,
        "service": target.service,
        "canary": target.canary_service or canary or target.service,
    }
    filled = link.url
    for name, value in known.items():
        # Not str.format: an address may hold braces of its own.
        filled = filled.replace("{" + name + "}", quote(value, safe=""))
    return filled
