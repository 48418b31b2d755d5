"""What somebody looks for among incidents, as they type it; and over which time they look back.

Words can be written in any order; what is in quotation marks is looked for as it stands. See `parse_search`
and `parse_span`.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.incident import Incident, IncidentState, Severity
from bot.domain.looking_back import Wanted
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Entry, Event

#: Longer than anybody types; a button carries it.
LONGEST_SEARCH = 400
#: How far is looked back where nobody says how far: a quarter, as teams review it.
USUAL_DAYS = 90
#: Years that can be meant.
FIRST_YEAR, LAST_YEAR = 2000, 2200
#: The longest span that "last 90 days" may name, days.
MOST_DAYS = 36500

#: What is searched in a timeline: which facts of which lines were written by people.
SEARCHED_EVENTS = (
    Event.INCIDENT_OPENED,
    Event.DECLARED_AGAIN,
    Event.NOTED,
    Event.MESSAGE_ADDED,
    Event.CORRECTED,
    Event.ROLLBACK_ASKED,
    Event.ALERT_ANSWERED,
)
SEARCHED_FACTS = ("text", "seen", "reason", "why")
#: What is searched in what people have added to the record.
SEARCHED_RECORD = ("cause", "actions", "improvements")


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which incidents: all of what is given. Empty and None: any.

    `since` and `until` (aware, UTC; `until` is the first moment that is too late) are about when it was
    opened. `by` had a hand in it: a person's id, or a name that is still to be looked up. `drill` says
    whether it belongs to one. Each of `words` stands somewhere in what people wrote, in small or capital
    letters; see `matches`.
    """

    number: IncidentNumber | None = None
    state: IncidentState | None = None
    target: str = ""
    scenario: str = ""
    severity: Severity | None = None
    since: datetime | None = None
    until: datetime | None = None
    by: str = ""
    drill: bool | None = None
    words: tuple[str, ...] = ()


class BadWhy(StrEnum):
    """What is wrong with a search."""

    TOO_LONG = "too_long"
    NOT_A_DAY = "not_a_day"
    ENDS_BEFORE = "ends_before"
    NO_SCENARIO = "no_scenario"
    NO_TARGET = "no_target"
    NO_SEVERITY = "no_severity"
    NO_STATE = "no_state"
    NO_PERSON = "no_person"
    NO_VALUE = "no_value"
    TWICE = "twice"
    NO_KEY = "no_key"
    NOT_UNDERSTOOD = "not_understood"


class BadSearch(Exception):
    """A search that cannot be read: `why`, the `word` it is about, and what may be meant (or "")."""

    def __init__(self, why: BadWhy, word: str, *, near: str = "") -> None:
        super().__init__(f"{why}: {word}")
        self.why = why
        self.word = word
        self.near = near


@dataclass(frozen=True, kw_only=True)
class Known:
    """The team's own words: targets, and scenarios by their number in the guide. `me` is who asks.

    `zone` (an IANA name) says where a day begins, `now` is aware, UTC.
    """

    targets: Collection[str]
    scenarios: Mapping[int, str]
    zone: str
    now: datetime
    me: str = ""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One incident of a list: its scenario's names by language (empty: none was chosen), the newest decided
    rollback's state, and where its board stands (channel and ts; None: nowhere yet).
    """

    incident: Incident
    scenario: Mapping[str, str]
    verdict: RollbackState | None
    board: tuple[ChannelId, str] | None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Page `page` (from 1) of `pages`, of `total` incidents."""

    search: Search
    listed: tuple[Listed, ...]
    page: int
    pages: int
    total: int


def fold(text: str) -> str:
    """Return `text` as it is compared: composed, in small letters."""
    return unicodedata.normalize("NFC", text).lower()


def matches(incident: Incident, entries: Iterable[Entry], search: Search) -> bool:
    """True when an incident, with its timeline, is one of those that are looked for.

    The database does the same by itself; of letters outside ASCII and Korean it may tell small ones from
    capital ones.
    """
    told = list(entries)
    if search.by and search.by not in {incident.opened_by, *(entry.actor for entry in told)}:
        return False
    wanted: tuple[tuple[Any, Any], ...] = (
        (search.number, incident.number),
        (search.state, incident.state),
        (search.target, incident.target),
        (search.scenario, incident.scenario),
        (search.severity, incident.severity),
    )
    if any(value not in (None, "") and value != found for value, found in wanted):
        return False
    if search.drill is not None and search.drill is not bool(incident.drill):
        return False
    if search.since is not None and incident.opened_at < search.since:
        return False
    if search.until is not None and incident.opened_at >= search.until:
        return False
    texts = [fold(text) for text in _texts(incident, told)]
    return all(any(fold(word) in text for text in texts) for word in search.words)


def _texts(incident: Incident, entries: Iterable[Entry]) -> list[str]:
    people = [getattr(incident.people, name) for name in SEARCHED_RECORD]
    noted = [
        entry.facts.get(name)
        for entry in entries
        if entry.event in SEARCHED_EVENTS
        for name in SEARCHED_FACTS
    ]
    return [text for text in [incident.seen, *people, *noted] if isinstance(text, str)]


# Reading what was typed.

_WORD = re.compile(r'"([^"]*)"|(\S+)')
_KEYED = re.compile(r"([^\s:\"]+):(.*)", re.DOTALL)
_INCIDENT = re.compile(r"inc-?([0-9]{1,9})", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,9}")
_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{1,2})")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}|cli:.+")
#: What neither database can keep, so nobody can have written it.
_UNSTORABLE = re.compile("[\\0\ud800-\udfff]")

#: Words for one and the same thing, in both languages.
_KEYS = {
    "since": "since", "from": "since", "부터": "since",
    "until": "until", "to": "until", "까지": "until",
    "by": "by", "누가": "by",
    "target": "target", "대상": "target",
    "scenario": "scenario", "시나리오": "scenario",
    "severity": "severity", "심각도": "severity",
    "state": "state", "상태": "state",
}  # fmt: skip
_STATES = {
    "open": IncidentState.OPEN, "열림": IncidentState.OPEN, "진행중": IncidentState.OPEN,
    "closed": IncidentState.CLOSED, "닫힘": IncidentState.CLOSED, "종료": IncidentState.CLOSED,
}  # fmt: skip
_SEVERITIES = {severity.value: severity for severity in Severity} | {
    "심각": Severity.CRITICAL, "높음": Severity.HIGH, "중간": Severity.MEDIUM, "보통": Severity.MEDIUM,
    "낮음": Severity.LOW,
}  # fmt: skip
_DRILLS = {
    "drill": True,
    "drills": True,
    "훈련": True,
    "no-drill": False,
    "no-drills": False,
    "훈련제외": False,
}
_ME = frozenset({"me", "나"})
_UNITS = {
    "d": 1, "day": 1, "days": 1, "일": 1, "w": 7, "week": 7, "weeks": 7, "주": 7,
    "month": 30, "months": 30, "개월": 30, "달": 30, "year": 365, "years": 365, "년": 365,
}  # fmt: skip
_LENGTH = re.compile(r"([0-9]{1,5})([a-z]+|일|주|개월|달|년)")
_LAST = frozenset({"last", "the", "past", "최근", "지난"})
_THIS_MONTH = frozenset({"month", "this month", "이번달", "이번 달"})
_LAST_MONTH = frozenset({"last month", "지난달", "지난 달"})


def parse_search(text: str, known: Known) -> Search:
    """Read a search: ``open``, ``canary``, ``3``, ``high``, ``since:2026-10-01``, ``by:@lemun``, "any words".

    A number is a scenario's where the guide has one; ``2026-10`` is a month; ``drill`` and ``no-drill`` are
    drills and all the others.

    Raises:
        BadSearch: it cannot be read.
    """
    reader = _Reader(known)
    for word, quoted in _split(text):
        if quoted or not reader.read(word):
            reader.words.append(word)
    return reader.search()


def parse_span(text: str, known: Known) -> Wanted:
    """Read over what to look back: ``last 90 days``, ``month``, ``2026-10``, ``since:…``, scenario, target.

    Without a time it is the last 90 days, up to now.

    Raises:
        BadSearch: it cannot be read.
    """
    reader = _Reader(known)
    words = [word for word, _ in _split(text)]
    while words:
        if len(words) > 1 and words[0].lower() in _KEYS:
            # "scenario 3" is "scenario:3".
            words[:2] = [":".join(words[:2])]
        taken = reader.read_time(words)
        if not taken and not reader.read(words[0]):
            raise BadSearch(BadWhy.NOT_UNDERSTOOD, words[0], near=reader.near(words[0]))
        del words[: taken or 1]
    return reader.wanted()


def _split(text: str) -> Iterable[tuple[str, bool]]:
    """Yield each word, and whether it stood in quotation marks."""
    if len(text) > LONGEST_SEARCH:
        raise BadSearch(BadWhy.TOO_LONG, f"{text[:40]}…")
    plain = unicodedata.normalize("NFC", _UNSTORABLE.sub("", text))
    for found in _WORD.finditer(plain.replace("“", '"').replace("”", '"')):
        quoted = found[1] is not None
        word = (found[1] if quoted else found[2]).strip()
        if word and word != '"':
            yield word, quoted


class _Reader:
    """Collects what the words say; each thing can be said once."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._found: dict[str, Any] = {}
        self.words: list[str] = []

    def read(self, word: str) -> bool:
        """Take a word if it says something; False for a text that is to be looked for."""
        keyed = _KEYED.fullmatch(word)
        if keyed is not None:
            return self._read_keyed(keyed[1].lower(), keyed[2].strip(), word)
        low = word.lower()
        number = _INCIDENT.fullmatch(word)
        if number is not None:
            return self._take("number", IncidentNumber(int(number[1])), word)
        if _MONTH.fullmatch(word) or _DAY.fullmatch(word):
            return self._take_days(word)
        for name, value in (
            ("state", _STATES.get(low)),
            ("severity", _SEVERITIES.get(low)),
            ("drill", _DRILLS.get(low)),
            ("target", low if low in self._known.targets else None),
            ("scenario", self._scenario(low)),
        ):
            if value is not None:
                return self._take(name, value, word)
        return False

    def _read_keyed(self, key: str, value: str, word: str) -> bool:
        name = _KEYS.get(key)
        if name is None:
            near = get_close_matches(key, _KEYS, n=1, cutoff=0.75)
            if near:
                raise BadSearch(BadWhy.NO_KEY, word, near=f"{near[0]}:{value}")
            return False
        if not value:
            raise BadSearch(BadWhy.NO_VALUE, f"{key}:")
        return self._take(name, _VALUES[name](self, value), word)

    def _take(self, name: str, value: Any, word: str) -> bool:
        if name in self._found and self._found[name] != value:
            raise BadSearch(BadWhy.TWICE, word)
        self._found[name] = value
        return True

    # Values.

    def _scenario(self, value: str) -> str | None:
        if _NUMBER.fullmatch(value):
            return self._known.scenarios.get(int(value))
        return value if value in self._known.scenarios.values() else None

    def scenario(self, value: str) -> str:
        """Return the key of the scenario that a number or a key means."""
        found = self._scenario(value.lower())
        if found is None:
            near = _near(value.lower(), self._known.scenarios.values())
            raise BadSearch(BadWhy.NO_SCENARIO, value, near=near)
        return found

    def target(self, value: str) -> str:
        """Return a target's name."""
        if value.lower() not in self._known.targets:
            raise BadSearch(BadWhy.NO_TARGET, value, near=_near(value.lower(), self._known.targets))
        return value.lower()

    def severity(self, value: str) -> Severity:
        """Return a severity."""
        if value.lower() not in _SEVERITIES:
            raise BadSearch(BadWhy.NO_SEVERITY, value, near=_near(value.lower(), _SEVERITIES))
        return _SEVERITIES[value.lower()]

    def state(self, value: str) -> IncidentState:
        """Return a state."""
        if value.lower() not in _STATES:
            raise BadSearch(BadWhy.NO_STATE, value, near=_near(value.lower(), _STATES))
        return _STATES[value.lower()]

    def since(self, value: str) -> datetime:
        """Return when a day, or a month, begins."""
        return self._begins(_day(value)[0])

    def until(self, value: str) -> datetime:
        """Return when a day, or a month, is over."""
        return self._begins(_day(value)[1])

    def by(self, value: str) -> str:
        """Return a person's id, or the name that was typed."""
        if value.lower().removeprefix("@") in _ME and self._known.me:
            return self._known.me
        return value if _PERSON.fullmatch(value) else value.removeprefix("@")

    def _begins(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self._known.zone)).astimezone(UTC)

    # Times.

    def read_time(self, words: Sequence[str]) -> int:
        """Take a span such as ``last 90 days`` from the beginning of `words`; return how many it was."""
        two = " ".join(words[:2]).lower()
        if len(words) > 1 and two in _LAST_MONTH | _THIS_MONTH:
            return self._take_this_or_last(two, 2)
        if words[0].lower() in _THIS_MONTH | _LAST_MONTH:
            return self._take_this_or_last(words[0].lower(), 1)
        skipped = next((n for n, word in enumerate(words) if word.lower() not in _LAST), len(words))
        length = re.sub(r"\s+", "", "".join(words[skipped : skipped + 2])).lower()
        for taken, written in ((2, length), (1, "".join(words[skipped : skipped + 1]).lower())):
            found = _LENGTH.fullmatch(written)
            if found is not None and found[2] in _UNITS and len(words) >= skipped + taken:
                return self._take_last(found, skipped + taken, " ".join(words[: skipped + taken]))
        return 0

    def _take_last(self, found: re.Match[str], words: int, written: str) -> int:
        days = int(found[1]) * _UNITS[found[2]]
        if not 1 <= days <= MOST_DAYS:
            raise BadSearch(BadWhy.NOT_A_DAY, written)
        self._take("since", max(self._known.now - timedelta(days=days), _EARLIEST), written)
        return words

    def _take_this_or_last(self, written: str, words: int) -> int:
        here = self._known.now.astimezone(ZoneInfo(self._known.zone)).date().replace(day=1)
        if written in _LAST_MONTH:
            here = (here - timedelta(days=1)).replace(day=1)
        self._take_days(f"{here:%Y-%m}")
        return words

    def _take_days(self, written: str) -> bool:
        self._take("since", self.since(written), written)
        return self._take("until", self.until(written), written)

    # Results.

    def near(self, word: str) -> str:
        """Return what may have been meant by a word that means nothing."""
        return _near(word.lower(), [*self._known.targets, *self._known.scenarios.values(), "month"])

    def search(self) -> Search:
        """Return what was found as a search."""
        self._check()
        return Search(**self._found, words=tuple(self.words))

    def wanted(self) -> Wanted:
        """Return what was found as a span to look back on."""
        for name in ("number", "state", "severity", "by"):
            if name in self._found:
                raise BadSearch(BadWhy.NOT_UNDERSTOOD, str(self._found[name]))
        if "drill" in self._found:
            # Statistics never count drills, so there is nothing to choose.
            raise BadSearch(BadWhy.NOT_UNDERSTOOD, "drill")
        now, until = self._known.now, self._found.get("until")
        self._found.setdefault("since", min(until or now, now) - timedelta(days=USUAL_DAYS))
        # A moment more than now, so that what has just been opened counts.
        self._found.setdefault("until", max(now, self._found["since"]) + timedelta(seconds=1))
        self._check()
        return Wanted(
            since=self._found["since"],
            until=self._found["until"],
            zone=self._known.zone,
            scenario=self._found.get("scenario", ""),
            target=self._found.get("target", ""),
        )

    def _check(self) -> None:
        since, until = self._found.get("since"), self._found.get("until")
        if since is not None and until is not None and since >= until:
            first = since.astimezone(ZoneInfo(self._known.zone))
            raise BadSearch(BadWhy.ENDS_BEFORE, f"since:{first:%Y-%m-%d}")


_EARLIEST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_VALUES: Mapping[str, Callable[[_Reader, str], Any]] = {
    "since": _Reader.since,
    "until": _Reader.until,
    "by": _Reader.by,
    "target": _Reader.target,
    "scenario": _Reader.scenario,
    "severity": _Reader.severity,
    "state": _Reader.state,
}


def _near(word: str, known: Iterable[str]) -> str:
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.5)), "")


def _day(written: str) -> tuple[date, date]:
    """Return the day, or the first day of the month, that was written, and the first day after it."""
    day, month = _DAY.fullmatch(written), _MONTH.fullmatch(written)
    try:
        if day is not None and FIRST_YEAR <= int(day[1]) <= LAST_YEAR:
            first = date(int(day[1]), int(day[2]), int(day[3]))
            return first, first + timedelta(days=1)
        if month is not None and FIRST_YEAR <= int(month[1]) <= LAST_YEAR:
            first = date(int(month[1]), int(month[2]), 1)
            return first, (first + timedelta(days=31)).replace(day=1)
    except ValueError:
        pass
    raise BadSearch(BadWhy.NOT_A_DAY, written)


def as_person(search: Search, names: Mapping[PersonId, str]) -> Search:
    """Return the search with the name of `by` looked up: the name itself, or its beginning where one has it.

    Raises:
        BadSearch: nobody is called that, or more than one person.
    """
    if not search.by or _PERSON.fullmatch(search.by):
        return search
    wanted = fold(search.by)
    called = {id: fold(name) for id, name in names.items()}
    found = [id for id, name in called.items() if name == wanted]
    found = found or [id for id, name in called.items() if name.startswith(wanted)]
    if len(found) != 1:
        near = _near(wanted, called.values())
        raise BadSearch(BadWhy.NO_PERSON, search.by, near=near)
    return Search(**{**search.__dict__, "by": found[0]})
