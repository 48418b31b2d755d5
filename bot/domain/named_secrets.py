"""Secrets that are known by the name in front of them: ``password=…``, ``"token": "…"``, ``비밀번호는 …``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.finds import REPLACED, Find, Search, What

#: A quotation mark as it stands in a text, in JSON within JSON, in an address and in HTML.
_QUOTE = r"(?:\\*[\"'`]|%22|%27|&quot;|\\u0022)"
_SPACE = r"(?:\s|%20|\+|\\[nrt])"
_EQUALS = r"(?:=>|:=|[:=]|%3[AaDd])"

#: Names that tell, in lower case, each from its first letters on: alternatives that begin with plain
#: letters are searched for many times faster. ``page token`` and its like are no secrets.
_NAME = re.compile(
    r"password|passwd|passphrase|passcode|pass(?<=[_-]pass)(?![a-z])|pwd|pswd|비밀\s?번호|비번|패스워드|암호"
    r"|cookie|authorization|session[_-]?id|session[_-]?key|sessid|sid(?<![a-z0-9_]sid)(?![a-z])"
    r"|세션\s?아이디|세션\s?id|secret|credentials?|시크릿|signature(?<=[_-]signature)"
    r"|token(?<!page.token)(?<!pagetoken)(?<!sync.token)(?<!synctoken)|토큰|key|키"
)
#: By their first letters, what they tell.
_WHAT = {
    "pas": What.PASSWORD, "pwd": What.PASSWORD, "psw": What.PASSWORD, "비밀": What.PASSWORD,
    "비번": What.PASSWORD, "패스": What.PASSWORD, "암호": What.PASSWORD, "coo": What.COOKIE,
    "aut": What.LOGIN, "ses": What.SESSION, "sid": What.SESSION, "세션": What.SESSION,
    "sec": What.SECRET, "cre": What.SECRET, "시크": What.SECRET, "sig": What.SECRET,
    "tok": What.TOKEN, "토큰": What.TOKEN, "key": What.KEY, "키": What.KEY,
}  # fmt: skip
#: Not every key is a secret: what must stand in front of the word.
_OF_KEY = re.compile(
    r"(?:api|access|private|secret|signing|encryption|account|auth|service|master|license"
    r"|인증|접속|액세스|비밀|서비스)[_\s-]?\Z"
)
_LONGEST_OF_KEY = 12

#: What may stand between a name and its value, the most certain first.
_BETWEEN = (
    rf"(?P<list>{_QUOTE}?(?:\s|,|\\n){{0,20}}{_QUOTE}?value{_QUOTE}?{_SPACE}{{0,4}}{_EQUALS}{_SPACE}{{0,4}})"
    rf"|(?P<sign>{_QUOTE}?{_SPACE}{{0,4}}{_EQUALS}{_SPACE}{{0,4}})"
    r"|(?P<element>>)"
    r"|(?P<prose>(?:\s?(?:은|는|이|가|을|를|로)\s{0,3}|\s(?:is|was)\s{1,3}):?\s{0,3})"
    rf"|(?P<option>{_QUOTE}?,?\s{{1,4}})"
)
_BEHIND = re.compile(rf"(?:{_BETWEEN})(?P<quote>{_QUOTE})?")
#: A name of the environment that ends so holds a key where its value looks like one.
_SOME_KEY = re.compile(r"(?i:[_-]key)\Z")

#: ``Authorization: Bearer …`` keeps its first word.
_SCHEME = re.compile(
    rf"(?i:bearer|basic|digest|token|negotiate|apikey|kakaoak|aws4-hmac-sha256|key)(?:{_SPACE}){{1,4}}(?=[^\s])"
)
#: Up to where a value without quotes goes, in a text and in an address.
_BARE = re.compile(r"(?:(?!%26|%22|%3[Bb]|%7[Dd]|%0[AaDd]|&quot;)[^\s,;&\"'`<>)\]}\\\u3131-\ud7a3])++")
#: A cookie, and the cookies and attributes behind it.
_BARE_COOKIES = re.compile(
    r"[^\s;=\"'`\\&]{1,256}(?:=|%3[Dd])[^\s;\"'`\\]*+(?:;(?:\s|%20|\+)?[^\s;\"'`\\]++)*+"
)
#: A value in quotes whose end is not found within so many characters has lost it.
_LONGEST_VALUE = 4096
_LINE_END = re.compile(r"[\n\r<>]|\\[nr]|\Z")

#: What stands behind a name and is no secret: nothing, a sentence, something that stands for a value.
_NOTHING = re.compile(
    r"(?i:null|none|nil|true|false|undefined|empty|required|invalid|incorrect|expired|missing|mismatch|"
    r"must|not|is|was|are|has|had|for|and|or|of|in|on|to|the|too|a|an|no|yes|wrong|changed|reset|failed|"
    r"unset|set|ok|error|hidden|masked|redacted|removed|found|bearer|basic|string|str|bytes|projects/.*|"
    r"[*•x.#_-]*|\$.*|%[sdr(].*|\{.*|\[.*|<.*)[.:!?]*",
    re.DOTALL,
)
#: Behind these names a single word of letters is a secret too; behind the others it may be a sentence.
_ALWAYS = (What.PASSWORD, What.LOGIN, What.COOKIE)
#: How the name of an option on a command line begins.
_OPTION = re.compile(r"--[A-Za-z0-9-]{0,40}\Z")


@dataclass(frozen=True, slots=True)
class _Value:
    start: int
    end: int
    quoted: bool


def telling(name: str) -> What | None:
    """Return what stands under `name` (of a field, of a variable of the environment) if it tells a secret."""
    lowered = _lowered(name.strip())
    return next((what for _, end, what in _names(lowered) if end == len(lowered)), None)


def _lowered(text: str) -> str:
    """Return it in lower case, letter for letter: İ alone would become two."""
    return text.replace("İ", "i").lower()


def _names(lowered: str) -> Iterator[tuple[int, int, What]]:
    for found in _NAME.finditer(lowered):
        start, end = found.span()
        what = _WHAT.get(found[0][:3]) or _WHAT[found[0][:2].strip()]
        before = lowered[max(0, start - _LONGEST_OF_KEY) : start]
        if what is not What.KEY or _OF_KEY.search(before):
            yield start, end, what


def is_secret(name: str, value: str) -> What | None:
    """Return what `value` is, as a whole, if the name it stands under tells that it is a secret."""
    what = telling(name)
    if what is not None:
        return what if _could_be(what, value.strip()) else None
    return What.KEY if _SOME_KEY.search(name) and _looks_random(value) and len(value) >= 16 else None


def _find(text: str) -> Iterator[Find]:
    done = 0
    for start, end, what in _names(_lowered(text)):
        behind = _BEHIND.match(text, end) if start >= done else None
        if behind is None:
            continue
        value = _value(text, behind, what)
        if value is not None and _is_meant(text, start, behind, what, value):
            yield Find(value.start, value.end, what)
            done = value.end


def _value(text: str, behind: re.Match[str], what: What) -> _Value | None:
    """Return where the value is, None where there is none."""
    start, quote = behind.end(), behind["quote"]
    scheme = _SCHEME.match(text, start) if what is What.LOGIN else None
    start = scheme.end() if scheme else start
    if quote:
        return _Value(start, _closing(text, start, quote), quoted=True)
    if behind["element"]:
        end = text.find("<", start, start + _LONGEST_VALUE)
        return _Value(start, end, quoted=True) if end > start else None
    bare = (_BARE_COOKIES if what is What.COOKIE else _BARE).match(text, start)
    return _Value(start, bare.end(), quoted=False) if bare else None


def _closing(text: str, start: int, quote: str) -> int:
    """Return where the quoted value ends: at the same mark, which no backslash stands before."""
    at = start
    while (at := text.find(quote, at, start + _LONGEST_VALUE)) >= 0:
        slashes = len(text[start:at]) - len(text[start:at].rstrip("\\"))
        if slashes % 2 == 0:
            return at
        at += 1
    end = _LINE_END.search(text, start)
    assert end is not None
    return end.start()


def _is_meant(text: str, start: int, behind: re.Match[str], what: What, value: _Value) -> bool:
    written = text[value.start : value.end]
    if not _could_be(what, written):
        return False
    if behind["option"] is not None:
        # Two words after each other mean nothing, unless it is ``--password hunter2``.
        return _OPTION.search(text[max(0, start - 43) : start]) is not None
    if behind["prose"] is not None:
        return _looks_chosen(written)
    if what in _ALWAYS or value.quoted or behind["list"] is not None:
        return True
    in_a_sentence = behind["sign"] is not None and behind["sign"].endswith((": ", ":  "))
    return _looks_chosen(written) if in_a_sentence else True


def _could_be(what: What, written: str) -> bool:
    left = REPLACED.sub("", written).strip()
    if not left or _NOTHING.fullmatch(left) or _is_replaced_in_part(written, left):
        return False
    return what is What.PASSWORD or len(left) >= 4


def _is_replaced_in_part(written: str, left: str) -> bool:
    """True for the first half of ``[web token]``, which ends at its blank."""
    return written.startswith("[") and any(f"[{what}]".startswith(left) for what in What)


def _looks_chosen(written: str) -> bool:
    """Tell what somebody chose for a password from the next word of a sentence."""
    return len(written) >= 4 and any(not letter.isalpha() for letter in written.rstrip(".:!?"))


def _looks_random(written: str) -> bool:
    return any(letter.isdigit() for letter in written) and " " not in written


NAMED: tuple[Search, ...] = (
    Search(
        marks=(
            "pass", "pwd", "pswd", "cookie", "authorization", "session", "sid", "key", "token", "secret",
            "credential", "signature", "비밀", "비번", "암호", "패스워드", "세션", "키", "토큰", "시크릿",
        ),
        find=_find,
    ),
)  # fmt: skip
