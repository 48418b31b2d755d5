"""What belongs to a person: e-mail addresses, telephone, resident registration and card numbers."""

import re
from collections.abc import Iterator
from datetime import date
from itertools import cycle

from bot.domain.finds import Find, Search, What

_AT = re.compile(r"(?:@|%40)((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![A-Za-z0-9-])")
#: Before the @, read backwards; a local part has at most 64 characters.
_LOCAL = re.compile(r"[A-Za-z0-9._+-]{1,64}")
_ENCODED = re.compile(r"[0-9A-F]{2}")
#: Machines' own accounts: the timeline needs them to say who did something.
_MACHINES = (".gserviceaccount.com",)
#: ``icon@2x.png``, ``index@v1.js``: a file, not somebody's address.
_FILES = frozenset(
    {
        "class", "css", "gif", "go", "htm", "html", "ico", "jar", "java", "jpeg", "jpg", "js", "json",
        "map", "mjs", "png", "py", "rs", "sh", "svg", "ts", "txt", "webp", "yaml", "yml",
    }
)  # fmt: skip

#: A word begins here, also behind ``\\n`` in JSON and ``%3D`` in an address.
_BEGINS = r"(?:(?<![0-9A-Za-z_])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))"
#: Not within a longer number or a word, nor behind a decimal point.
_ALONE = rf"{_BEGINS}(?<![0-9][.,])(?<![0-9]-)"
_ENDS = r"(?![0-9A-Za-z_]|[.,-][0-9])"
_GAP = r"(?:[-–.+\s]|%20|%2D)"
_PLUS = r"(?:\+|%2B)"

#: Korean numbers as people write them. Switchboards (1588-…) are nobody's own and stay.
_KOREAN = re.compile(
    rf"{_ALONE}(?:"
    rf"01[016789]{_GAP}?[0-9]{{3,4}}{_GAP}?[0-9]{{4}}"
    rf"|\(?0(?:2|[3-6][0-9]|70|50[0-9]|80)\)?{_GAP}[0-9]{{3,4}}{_GAP}[0-9]{{4}}"
    rf"){_ENDS}"
)
_BRACKETED = re.compile(rf"\((?:0[0-9]{{1,2}}|[2-9][0-9]{{2}})\)\s?[0-9]{{3,4}}[-.\s][0-9]{{4}}{_ENDS}")
_INTERNATIONAL = re.compile(
    rf"{_BEGINS}(?<!\.){_PLUS}[1-9][0-9]{{0,2}}(?:{_GAP}?\(?[0-9]{{1,5}}\)?){{2,6}}{_ENDS}"
)
_PHONE_DIGITS = range(9, 16)

_RESIDENT = re.compile(
    rf"{_ALONE}([0-9]{{2}})([0-9]{{2}})([0-9]{{2}})(\s?[-–]\s?|%2D)?([1-8])([0-9]{{6}}){_ENDS}"
)
_NAMED_RESIDENT = re.compile(r"(?i:주민|resident|rrn|jumin|ssn)\D{0,12}\Z")
#: The first seven digits' first digit, by which a resident number says the century of birth.
_CENTURY = {1: 1900, 2: 1900, 5: 1900, 6: 1900, 3: 2000, 4: 2000, 7: 2000, 8: 2000}
_RESIDENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)

_CARD_GAP = r"(?P<gap>[- .+]|%20|%2D)"
_CARD = re.compile(
    rf"{_ALONE}(?:[0-9]{{4}}{_CARD_GAP}[0-9]{{4}}(?P=gap)[0-9]{{4}}(?P=gap)[0-9]{{4}}(?:(?P=gap)[0-9]{{3}})?"
    r"|[0-9]{4}(?P<gap2>[- .+]|%20|%2D)[0-9]{6}(?P=gap2)[0-9]{4,5}"
    rf"|[0-9]{{14,19}}){_ENDS}"
)
#: Beginnings that card companies have: Visa, Mastercard, JCB, Amex, Diners, Discover and UnionPay, and
#: Korean cards (9). The time in micro- or nanoseconds begins with 1.
_CARD_BEGINS = re.compile(r"4|5[1-5]|2[2-7]|3[04-689]|6|9")


def _emails(text: str) -> Iterator[Find]:
    done = 0
    for found in _AT.finditer(text):
        before = text[max(done, found.start() - 64) : found.start()]
        local = _LOCAL.match(before[::-1])
        if local is None:
            continue
        start = found.start() - local.end()
        start += _escaped(text, start)
        domain = found[1].lower()
        own = text[start : found.start()].strip(".")
        if not own or own == "git" or domain.endswith(_MACHINES) or domain.rpartition(".")[2] in _FILES:
            continue
        yield Find(start, found.end(), What.EMAIL)
        done = found.end()


def _escaped(text: str, start: int) -> int:
    """Return how many letters from `start` on belong to what stands before: ``%3Da@…``, ``\\na@…``."""
    before = text[start - 1 : start]
    if before == "%" and _ENCODED.match(text, start):
        return 2
    return 1 if before == "\\" and text[start] in "nrtbf" else 0


def _phones(text: str) -> Iterator[Find]:
    for found in _KOREAN.finditer(text):
        yield Find(*found.span(), What.PHONE)


def _bracketed_phones(text: str) -> Iterator[Find]:
    for found in _BRACKETED.finditer(text):
        yield Find(*found.span(), What.PHONE)


def _international_phones(text: str) -> Iterator[Find]:
    for found in _INTERNATIONAL.finditer(text):
        if len(_digits(found[0].removeprefix("%2B"))) in _PHONE_DIGITS:
            yield Find(*found.span(), What.PHONE)


def _residents(text: str) -> Iterator[Find]:
    for found in _RESIDENT.finditer(text):
        if _is_resident(found) or _NAMED_RESIDENT.search(text[max(0, found.start() - 40) : found.start()]):
            yield Find(*found.span(), What.RESIDENT)


def _is_resident(found: re.Match[str]) -> bool:
    """Weigh six digits and seven: a date of birth first, and then a sign of what the number is.

    Numbers given out since October 2020 have no check digit, so a hyphen in the right place is sign
    enough. Without one, thirteen digits may be the time in milliseconds: those need the check digit.
    """
    year, month, day, hyphen, born, _ = found.groups()
    try:
        date(_CENTURY[int(born)] + int(year), int(month), int(day))
    except ValueError:
        return False
    return bool(hyphen) or year[0] not in "12" or _resident_checks(found[0])


def _resident_checks(number: str) -> bool:
    *body, last = (int(digit) for digit in number)
    return (11 - sum(w * d for w, d in zip(_RESIDENT_WEIGHTS, body, strict=True)) % 11) % 10 == last


def _cards(text: str) -> Iterator[Find]:
    for found in _CARD.finditer(text):
        gap = found["gap"] or found["gap2"]
        number = found[0].replace(gap, "") if gap else found[0]
        if _CARD_BEGINS.match(number) and luhn(number):
            yield Find(*found.span(), What.CARD)


def luhn(number: str) -> bool:
    """Return True when the last digit is right. Source: ISO/IEC 7812-1, annex B."""
    doubled = (int(d) * factor for d, factor in zip(reversed(number), cycle((1, 2))))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _digits(text: str) -> str:
    return "".join(letter for letter in text.replace("%20", " ").replace("%2D", "-") if "0" <= letter <= "9")


#: Numbers that nobody writes down on purpose.
NUMBERS: tuple[Search, ...] = (Search(marks=(), find=_cards), Search(marks=(), find=_residents))
#: Where somebody is reached. After the numbers: a part of a card's must not be taken for a telephone's.
ADDRESSES: tuple[Search, ...] = (
    Search(marks=("@", "%40"), find=_emails),
    Search(marks=("0",), find=_phones),
    Search(marks=("(",), find=_bracketed_phones),
    Search(marks=("+", "%2b"), find=_international_phones),
)
