"""What a text may hold that must not be kept, and where it stands: the words the finders share."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """What was found. Its value, in square brackets, stands where it stood."""

    SLACK_TOKEN = "Slack token"  # noqa: S105
    SLACK_ADDRESS = "Slack address"
    GOOGLE_KEY = "Google key"
    PRIVATE_KEY = "private key"
    WEB_TOKEN = "web token"  # noqa: S105
    BEARER = "bearer token"
    LOGIN = "login"
    COOKIE = "cookie"
    AWS_KEY = "AWS key"
    AZURE_KEY = "Azure key"
    CODE_HOST_TOKEN = "code host token"  # noqa: S105
    PAYMENT_KEY = "payment key"
    MODEL_KEY = "model key"
    REGISTRY_TOKEN = "registry token"  # noqa: S105
    MAIL_KEY = "mail key"
    CHAT_TOKEN = "chat token"  # noqa: S105
    SERVICE_TOKEN = "service token"  # noqa: S105
    PASSWORD = "password"  # noqa: S105
    TOKEN = "token"  # noqa: S105
    KEY = "key"
    SECRET = "secret"  # noqa: S105
    SESSION = "session id"
    EMAIL = "e-mail"
    PHONE = "telephone number"
    RESIDENT = "resident number"
    CARD = "card number"


@dataclass(frozen=True, slots=True)
class Find:
    """One find: ``text[start:end]`` is it."""

    start: int
    end: int
    what: What


@dataclass(frozen=True, slots=True)
class Search:
    """How one family of things is found.

    `find` yields its finds from left to right, without overlaps, and reads no stretch of text over
    and over, whatever stands there. It is only asked where one of `marks` (lower case) occurs in the
    lower-cased text; without marks always.
    """

    marks: tuple[str, ...]
    find: Callable[[str], Iterator[Find]]


#: What stands where something stood.
REPLACED = re.compile(r"\[(?:" + "|".join(map(re.escape, What)) + r")\]")


def begins(literal: str) -> str:
    """Return a pattern for `literal` where a word begins, in JSON (``\\n…``) and in addresses (``%3D…``) too.

    The literal comes first, because a pattern that begins with one is searched for ten times faster,
    and only the first place in a run of letters counts, so that no run is read over and over.
    """
    plain = re.escape(literal)
    return rf"{plain}(?:(?<![A-Za-z0-9_-]{plain})|(?<=\\[nrtbf]{plain})|(?<=%[0-9A-Fa-f]{{2}}{plain}))"
