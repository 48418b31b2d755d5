"""``/incident list``: a page of incidents for one reader, and what to write where a search cannot be read."""

from collections.abc import Mapping
from datetime import datetime

from bot.domain.ids import incident_label
from bot.domain.incident import IncidentState, Severity
from bot.domain.incident_search import LONGEST_SEARCH, BadSearch, BadWhy, Known, Listed, Listing
from bot.domain.rollback import RollbackState
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words, clean
from bot.slack.views.drill_marks import marked_if
from bot.slack.views.incident_words import outcome_name, severity_name
from bot.slack.views.parts import SECTION_LIMIT, Block, actions, button, context, fit, section
from bot.slack.views.rollback_message import Message

#: As much of what somebody typed as is said back.
TYPED_SHOWN = 80


def incident_list_message(
    listing: Listing, words: Words, *, now: datetime, typed: str = "", slack_url: str = ""
) -> Message:
    """Render one page.

    Args:
        now: up to when an open incident counts (aware, UTC).
        typed: the search as it was typed, which the buttons carry.
        slack_url: our workspace's address, for links to boards; empty while it is not known.
    """
    if not listing.total:
        text = nothing_found(words, typed=typed)
        return Message(text=text, blocks=[section(text)])
    lines = [listed_line(one, words, now=now, slack_url=slack_url) for one in listing.listed]
    blocks = [section(line) for line in lines]
    blocks.append(context(_standing(listing, words, typed=typed)))
    turns = _turns(listing, typed, words)
    return Message(
        text=fit("\n".join(lines), SECTION_LIMIT), blocks=[*blocks, *([actions(*turns)] if turns else [])]
    )


def nothing_found(words: Words, *, typed: str) -> Markup:
    """Say that there is no incident, or none of that kind."""
    if not typed:
        return words.say("There is no incident yet.")
    return words.say(
        "No incident fits {search}. {command} shows them all.",
        search=words.code(clean(typed, limit=TYPED_SHOWN)),
        command=words.code("/incident list"),
    )


def listed_line(one: Listed, words: Words, *, now: datetime, slack_url: str = "") -> Markup:
    """Return one incident in two lines, with the address of its board."""
    incident = one.incident
    board = _board(one, slack_url)
    first = words.say(
        "{label} · {target} · {scenario} · {severity}",
        label=words.bold(incident_label(incident.number)),
        target=incident.target,
        scenario=scenario_in(one.scenario, words),
        severity=severity_name(incident.severity, words),
    )
    first = marked_if(incident.drill, first, words)
    if board:
        link = words.link(words.plain("board"), board)
        first = words.say("{line} · {link}", line=first, link=link)
    second = words.say(
        "{at} · {state} · {verdict}",
        at=words.moment(incident.opened_at),
        state=state_text(one, words, now=now),
        verdict=verdict_text(one.verdict, words),
    )
    return Markup(f"{first}\n{second}")


def scenario_in(names: Mapping[str, str], words: Words) -> str:
    """Return a scenario's name in the reader's language, or that none was chosen."""
    return names.get(words.locale) or names.get("en") or words.plain("no scenario")


def state_text(one: Listed, words: Words, *, now: datetime) -> Markup:
    """Return whether it is open, and for how long it is or was."""
    incident = one.incident
    if incident.state is IncidentState.OPEN:
        length = max(now - incident.opened_at, now - now)
        return words.say("open for {length}", length=words.duration(length))
    ended = incident.closed_at or incident.opened_at
    length = max(ended - incident.opened_at, ended - ended)
    if incident.merged_into is not None:
        return words.say(
            "joined to {other} after {length}",
            other=incident_label(incident.merged_into),
            length=words.duration(length),
        )
    return words.say("closed after {length}", length=words.duration(length))


def verdict_text(verdict: RollbackState | None, words: Words) -> Markup:
    """Return how the newest rollback ended."""
    if verdict is None:
        return words.say("no rollback")
    return words.say("rollback: {state}", state=outcome_name(verdict, words))


def _board(one: Listed, slack_url: str) -> str:
    if one.board is None or not slack_url:
        return ""
    channel, ts = one.board
    return f"{slack_url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"


def _standing(listing: Listing, words: Words, *, typed: str) -> Markup:
    standing = words.say(
        "{count} incidents, page {page} of {pages}",
        count=listing.total,
        page=listing.page,
        pages=listing.pages,
    )
    if not typed:
        return standing
    search = words.code(clean(typed, limit=TYPED_SHOWN))
    return words.say("{standing} · {search}", standing=standing, search=search)


def _turns(listing: Listing, typed: str, words: Words) -> list[Block]:
    turns = []
    if listing.page > 1:
        newer = words.plain("← Newer")
        turns.append(
            button(newer, action=f"{ActionId.LIST_PAGE}#newer", value=_value(listing.page - 1, typed))
        )
    if listing.page < listing.pages:
        older = words.plain("Older →")
        turns.append(
            button(older, action=f"{ActionId.LIST_PAGE}#older", value=_value(listing.page + 1, typed))
        )
    return turns


def _value(page: int, typed: str) -> str:
    return f"{page}|{typed}"


def read_value(value: str) -> tuple[int, str]:
    """Return the page and the search that a button carries."""
    page, _, typed = value.partition("|")
    return int(page), typed


# What to write instead.


def bad_search_text(
    bad: BadSearch, known: Known, words: Words, *, command: str, help: str = "/incident help"
) -> Markup:
    """Say what is wrong with a search, and what to write; `command` is such as ``/incident list``."""
    what = _WRONG[bad.why](bad, known, words)
    example = bad_search_example(bad, known, command=command)
    return words.say(
        ":x: {what} Try {example}; {help} explains all.",
        what=what,
        example=words.code(example),
        help=words.code(help),
    )


def bad_search_example(bad: BadSearch, known: Known, *, command: str) -> str:
    """Return a line that works, as near as can be told to what was meant."""
    scenario = next(iter(known.scenarios.values()), "")
    part = {
        BadWhy.NOT_A_DAY: "since:2026-10-01",
        BadWhy.ENDS_BEFORE: "since:2026-10-01 until:2026-10-31",
        BadWhy.NO_SCENARIO: f"scenario:{bad.near or scenario}" if bad.near or scenario else "open",
        BadWhy.NO_TARGET: f"target:{bad.near or next(iter(known.targets), '')}",
        BadWhy.NO_SEVERITY: f"severity:{bad.near or Severity.HIGH.value}",
        BadWhy.NO_STATE: f"state:{bad.near or IncidentState.OPEN.value}",
        BadWhy.NO_PERSON: f"by:@{bad.near}" if bad.near else "by:me",
        BadWhy.NO_VALUE: f"{bad.word}{_SAMPLES.get(bad.word.rstrip(':'), '2026-10-01')}",
        BadWhy.NO_KEY: bad.near,
        BadWhy.NOT_UNDERSTOOD: bad.near or "last 90 days",
        BadWhy.TWICE: bad.word,
        BadWhy.TOO_LONG: "open",
    }[bad.why]
    return f"{command} {clean(part, limit=TYPED_SHOWN)}"


#: What may stand behind a key, where it is no day.
_SAMPLES = {"by": "me", "severity": "high", "state": "open", "scenario": "1", "target": "canary"}


def _word(bad: BadSearch, words: Words) -> Markup:
    return words.code(clean(bad.word, limit=TYPED_SHOWN))


def _too_long(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say("A search has at most {limit} characters.", limit=LONGEST_SEARCH)


def _not_a_day(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say("There is no such time: {word}. A day is written as 2026-10-01.", word=_word(bad, words))


def _ends_before(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say("It ends before it begins ({word}).", word=_word(bad, words))


def _no_scenario(bad: BadSearch, known: Known, words: Words) -> Markup:
    listed = ", ".join(f"{number} {key}" for number, key in sorted(known.scenarios.items()))
    return words.say(
        "There is no scenario {word}. Scenarios: {listed}.", word=_word(bad, words), listed=listed or "-"
    )


def _no_target(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say(
        "There is no target {word}. Targets: {listed}.",
        word=_word(bad, words),
        listed=", ".join(known.targets),
    )


def _no_severity(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say(
        "There is no severity {word}. Severities: {listed}.",
        word=_word(bad, words),
        listed=", ".join(severity.value for severity in Severity),
    )


def _no_state(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say("An incident is open or closed, and not {word}.", word=_word(bad, words))


def _no_person(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say(
        "I know nobody, or more than one person, called {word}. Mention them with @.", word=_word(bad, words)
    )


def _no_value(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say("Something has to stand behind {word}, without a space.", word=_word(bad, words))


def _no_key(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say(
        "I don't know {word}. To look for it as a text, write it in quotation marks.", word=_word(bad, words)
    )


def _twice(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say(
        "{word} says something that was said differently before. To look for it as a text, write it in "
        "quotation marks.",
        word=_word(bad, words),
    )


def _not_understood(bad: BadSearch, known: Known, words: Words) -> Markup:
    return words.say("I don't understand {word}.", word=_word(bad, words))


_WRONG = {
    BadWhy.TOO_LONG: _too_long,
    BadWhy.NOT_A_DAY: _not_a_day,
    BadWhy.ENDS_BEFORE: _ends_before,
    BadWhy.NO_SCENARIO: _no_scenario,
    BadWhy.NO_TARGET: _no_target,
    BadWhy.NO_SEVERITY: _no_severity,
    BadWhy.NO_STATE: _no_state,
    BadWhy.NO_PERSON: _no_person,
    BadWhy.NO_VALUE: _no_value,
    BadWhy.NO_KEY: _no_key,
    BadWhy.TWICE: _twice,
    BadWhy.NOT_UNDERSTOOD: _not_understood,
}
