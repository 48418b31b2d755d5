"""Secrets and personal data in text from machines and people, replaced before anything keeps or shows it.

What stays, on purpose: the accounts of machines (``…gserviceaccount.com``), addresses of networks,
ids, hashes, and the numbers of switchboards. What a text says about itself decides, nothing else: it
is not known who reads it, nor what is true elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from bot.domain.finds import Find, Search
from bot.domain.named_secrets import NAMED, is_secret
from bot.domain.personal_data import ADDRESSES, NUMBERS
from bot.domain.tokens import TOKENS

#: Shapes before names, names before people: each leaves less to the next.
_SECRETS = (*TOKENS, *NAMED, *NUMBERS)
_SEARCHES = (*_SECRETS, *ADDRESSES)
#: Nothing shorter can hold anything.
_SHORTEST = 5
#: What was replaced can lay bare what stood beside it. Each turn leaves less, and more than two are rare.
_MOST_TURNS = 8


@dataclass(frozen=True, kw_only=True)
class Redacted:
    """A text without what was found in it; `count` says how many finds were replaced."""

    text: str
    count: int


def redact(text: str, *, spare: str = "") -> Redacted:
    """Return `text` with every secret and every personal number or address replaced by what it was.

    What is replaced stands as ``[e-mail]``, ``[Slack token]`` and so on. Redacting twice changes nothing.
    The time it takes grows with the length of the text, whatever stands in it. What `spare` holds, too,
    stays: somebody has decided that it is to be read.
    """
    return _redacted(text, _SEARCHES, spare)


def redact_named(name: str, text: str) -> Redacted:
    """Return `text`, which stands under `name`: all of it replaced where the name tells that it is a secret.

    For what is no longer one text: the fields of a log line, the variables of an environment.
    """
    what = is_secret(name, text)
    return redact(text) if what is None else Redacted(text=f"[{what}]", count=1)


def redact_facts(value: Any) -> Any:
    """Return a timeline's or a notice's facts (texts within mappings, lists and dataclasses) without secrets.

    The last net under what was redacted where it came in. Addresses stay here: who changed a service,
    and whom to call, is what such facts are for. The value itself is returned where there is nothing.
    """
    if isinstance(value, str):
        found = _redacted(value, _SECRETS)
        return found.text if found.count else value
    if isinstance(value, Mapping):
        return {key: redact_facts(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(redact_facts(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{field.name: redact_facts(getattr(value, field.name)) for field in fields(value)}
        )
    return value


def _redacted(text: str, searches: tuple[Search, ...], spare: str = "") -> Redacted:
    count = 0
    for _ in range(_MOST_TURNS if len(text) >= _SHORTEST else 0):
        text, found = _once(text, searches, spare)
        count += found
        if not found:
            break
    return Redacted(text=text, count=count)


def _once(text: str, searches: tuple[Search, ...], spare: str) -> tuple[str, int]:
    count, lowered = 0, text.lower()
    for search in searches:
        if _may_find(search, lowered):
            finds = [
                find for find in search.find(text) if not spare or text[find.start : find.end] not in spare
            ]
            if finds:
                text, count = _replaced(text, finds), count + len(finds)
    return text, count


def _may_find(search: Search, lowered: str) -> bool:
    # A loop: a generator for any() would take longer than all the looking.
    for mark in search.marks:
        if mark in lowered:
            return True
    return not search.marks


def _replaced(text: str, finds: Iterable[Find]) -> str:
    pieces, at = [], 0
    for find in finds:
        pieces += [text[at : find.start], f"[{find.what}]"]
        at = find.end
    return "".join((*pieces, text[at:]))
