"""The fonts that pictures and PDFs are made with: files that come with packages, never those of the machine.

NanumGothic (Open Font License) is carried by a package for matplotlib, which is never imported: importing
it would change matplotlib's settings.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path


class NoFont(RuntimeError):
    """A font's file is not where its package keeps it."""


@cache
def korean_font(*, bold: bool = False) -> Path:
    """Return NanumGothic's file: Latin and Korean letters. Raises `NoFont`."""
    return _file("koreanize_matplotlib", "fonts", "NanumGothicBold.ttf" if bold else "NanumGothic.ttf")


@cache
def symbol_font(*, bold: bool = False) -> Path:
    """Return DejaVu Sans' file, for arrows, check marks and other letters that NanumGothic lacks."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return _file("matplotlib", "mpl-data", "fonts", "ttf", name)


def _file(package: str, *parts: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise NoFont(f"{package} is not installed")
    path = Path(spec.origin).parent.joinpath(*parts)
    if not path.is_file():
        raise NoFont(f"{package} has no {parts[-1]}")
    return path
