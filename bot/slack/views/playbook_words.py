"""Words that several parts of the printed playbook share."""

from collections.abc import Iterable

from bot.slack.text import Words


def noted(text: str, notes: Iterable[str | None]) -> str:
    """Return `text` with the notes there are in brackets behind it."""
    there = ", ".join(note for note in notes if note)
    return f"{text} [{there}]" if there else text


def span_text(first: float, last: float, words: Words) -> str:
    """Return from how many minutes to how many, in hours where both are whole hours."""
    if first % 60 == 0 and last % 60 == 0:
        return words.plain("{hours:g}–{most:g} hours", hours=first / 60, most=last / 60)
    return words.plain("{minutes:g}–{most:g} min", minutes=first, most=last)


def log_query(filter: str | None, limit: int | None, words: Words) -> list[str]:
    """Return what is looked for in Cloud Logging, nothing where it is no log."""
    if filter is None or limit is None:
        return [filter] if filter else []
    return [words.plain("{filter}, at most {limit} lines", filter=filter, limit=limit)]
