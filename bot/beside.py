"""Folders that stand beside the package in a checkout and inside it in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def beside(name: str) -> Path:
    """Return where the folder or file called `name` is."""
    checkout = _PACKAGE.parent / name
    return checkout if checkout.exists() else _PACKAGE / name
