"""Secrets that are known by their own shape, wherever they stand: the vendors' tokens, keys, addresses."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator

from bot.domain.finds import Find, Search, What, begins

#: White space as it stands in a text, in an address, and in JSON.
_SPACE = r"(?:\s|%20|\+|\\t)"
_SLASH = r"(?:\\?/|%2[Ff])"
_COLON = r"(?::|%3[Aa])"
_WORD = "[A-Za-z0-9_-]"


def _has_digit(text: str) -> bool:
    return any(letter in "0123456789" for letter in text)


def _is_bearer(text: str) -> bool:
    """Tell a token from the next word of a sentence."""
    return len(text) >= 20 or _has_digit(text)


def _is_login(text: str) -> bool:
    """True for the base64 of ``user:password``, which a word of a sentence is not."""
    plain = text.replace("%3D", "=").replace("%3d", "=").rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return b":" in base64.b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError):
        return False


def _shape(what: What, marks: str, pattern: str, check: Callable[[str], bool] = bool) -> Search:
    """Search for `pattern`; its group ``it``, else all of it, is the secret, where `check` agrees."""
    compiled = re.compile(pattern)
    group: int | str = "it" if "it" in compiled.groupindex else 0

    def find(text: str) -> Iterator[Find]:
        for found in compiled.finditer(text):
            if check(found[group]):
                yield Find(*found.span(group), what)

    return Search(marks=tuple(marks.split()), find=find)


_SHAPES = (
    _shape(What.SLACK_TOKEN, "xox", r"xox[abceoprs](?:\.xox[a-z])?-[A-Za-z0-9.-]{3,}"),
    _shape(What.SLACK_TOKEN, "xoxd-", r"xoxd-(?:[A-Za-z0-9+/=_-]|%2[BbFf]|%3[Dd]){3,}"),
    _shape(What.SLACK_TOKEN, "xapp-", r"xapp-[A-Za-z0-9-]{3,}"),
    _shape(
        What.SLACK_ADDRESS, "hooks.slack", rf"hooks\.slack(?:-gov)?\.com(?:{_SLASH}[A-Za-z0-9_.~-]+){{2,20}}"
    ),
    _shape(
        What.SLACK_ADDRESS,
        "wss:// wss%3a",
        rf"wss{_COLON}{_SLASH}{{2}}[a-z0-9.-]{{0,99}}slack\.com[^\s\"'<>\\]*",
    ),
    _shape(What.GOOGLE_KEY, "aiza", r"AIza[A-Za-z0-9_-]{30,}"),
    _shape(What.GOOGLE_KEY, "ya29.", r"ya29\.[A-Za-z0-9_.-]{10,}"),
    _shape(What.GOOGLE_KEY, "gocspx-", r"GOCSPX-[A-Za-z0-9_-]{10,}"),
    _shape(What.GOOGLE_KEY, "1//0", r"1//0[A-Za-z0-9_-]{20,}"),
    # OAuth's code, which is exchanged for a token: ``code=4/0A…``.
    _shape(What.GOOGLE_KEY, r"4/0a 4\/0a 4%2f0a", rf"4{_SLASH}0A[A-Za-z0-9_-]{{20,}}"),
    _shape(
        What.WEB_TOKEN, "eyj", begins("eyJ") + rf"{_WORD}{{5,}}(?:\.|%2E){_WORD}{{5,}}(?:\.{_WORD}*){{0,4}}"
    ),
    _shape(
        What.BEARER,
        "bearer",
        rf"(?i:bearer):?{_SPACE}{{1,4}}(?P<it>(?:[A-Za-z0-9._~+/=-]|%2[BbFf]|%3[Dd]){{8,}})",
        _is_bearer,
    ),
    _shape(
        What.LOGIN,
        "basic",
        rf"(?i:basic){_SPACE}{{1,4}}(?P<it>[A-Za-z0-9+/_-]{{6,}}(?:=|%3[Dd]){{0,2}})",
        _is_login,
    ),
    # The last @ before the host ends a password: one inside it was not written as %40.
    _shape(What.LOGIN, "://", r"(?<=://)[^/\s:@\"'<>]*:[^/\s\"'<>]+(?=@)"),
    _shape(What.LOGIN, r":\/\/", r"(?<=:\\/\\/)[^/\s:@\"'<>\\]*:[^/\s\"'<>\\]+(?=@)"),
    # A password with a slash in it, where no host with a port (C:/ neither) stands in front of a path.
    _shape(
        What.LOGIN,
        "://",
        r"(?<=://)(?![A-Za-z]:/)[^/\s:@\"'<>\[?#]*:(?!//|[0-9]{1,5}[/?#,])"
        r"(?:(?!://)[^\s\"'<>]){1,1024}(?=@)",
    ),
    _shape(
        What.LOGIN,
        r":\/\/",
        r"(?<=:\\/\\/)(?![A-Za-z]:\\/)[^/\s:@\"'<>\\\[?#]*:(?!\\/\\/|[0-9]{1,5}(?:\\/|[?#,]))"
        r"(?:(?!:\\/\\/)(?:\\/|[^\s\"'<>\\])){1,1024}(?=@)",
    ),
    _shape(
        What.LOGIN,
        "%3a%2f%2f %3a//",
        r"(?:(?<=%3[Aa]%2[Ff]%2[Ff])|(?<=%3[Aa]//))(?P<it>(?:(?!%2[Ff]|%3[Ff]|%26|%3[Aa])[^\s\"'<>&@/]){0,256}%3[Aa]"
        r"(?:(?!%2[Ff]|%3[Ff]|%26)[^\s\"'<>&@/]){1,1024})(?=%40)",
    ),
    _shape(What.LOGIN, "curl", r"\s(?:-u|--user)[\s=]{1,4}[\"']?(?P<it>[^\s:\"']{1,256}:[^\s\"']{1,256})"),
    # The key of a Sentry address: it may write, not read, but anybody may write with it.
    _shape(What.LOGIN, "://", r"(?<=://)[0-9a-f]{32}(?=@)"),
    _shape(What.AWS_KEY, "akia asia abia acca", r"A(?:KI|SI|BI|CC)A[A-Z0-9]{16,}"),
    _shape(What.AZURE_KEY, "sig=", r"[?&]sig=(?P<it>(?:[A-Za-z0-9+/=_-]|%[0-9A-Fa-f]{2}){20,})"),
    _shape(What.CODE_HOST_TOKEN, "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{16,}"),
    _shape(What.CODE_HOST_TOKEN, "github_pat_", r"github_pat_[A-Za-z0-9_]{16,}"),
    _shape(What.CODE_HOST_TOKEN, "gl", r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt)-[A-Za-z0-9_.-]{16,}"),
    _shape(What.CODE_HOST_TOKEN, "atatt3 atctt3", r"AT[AC]TT3[A-Za-z0-9_=-]{20,}"),
    _shape(What.PAYMENT_KEY, "k_live_ k_test_", r"[rs]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    _shape(What.PAYMENT_KEY, "live_ test_", r"(?:live|test)_g?sk_[A-Za-z0-9]{16,}"),
    _shape(What.PAYMENT_KEY, "whsec_", r"whsec_[A-Za-z0-9+/=]{16,}"),
    _shape(What.PAYMENT_KEY, "sq0", r"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{20,}"),
    _shape(What.MODEL_KEY, "sk-", begins("sk-") + rf"{_WORD}{{20,}}", _has_digit),
    _shape(What.MODEL_KEY, "hf_", begins("hf_") + r"[A-Za-z0-9]{30,}"),
    _shape(What.MODEL_KEY, "gsk_ r8_ pplx-", r"(?:gsk_|r8_|pplx-)[A-Za-z0-9]{30,}"),
    _shape(What.REGISTRY_TOKEN, "npm_", r"npm_[A-Za-z0-9]{30,}"),
    _shape(What.REGISTRY_TOKEN, "pypi-", r"pypi-[A-Za-z0-9_-]{40,}"),
    _shape(What.REGISTRY_TOKEN, "dckr_pat_", r"dckr_pat_[A-Za-z0-9_-]{20,}"),
    _shape(What.MAIL_KEY, "sg.", begins("SG") + rf"\.{_WORD}{{16,}}\.{_WORD}{{16,}}"),
    _shape(What.MAIL_KEY, "key-", r"key-[0-9a-f]{32}(?![0-9A-Za-z])"),
    _shape(What.MAIL_KEY, "xkeysib-", r"xkeysib-[A-Za-z0-9-]{30,}"),
    _shape(What.MAIL_KEY, "-us", r"(?<![0-9A-Za-z])[0-9a-f]{32}-us[0-9]{1,2}(?![0-9A-Za-z])"),
    _shape(What.SERVICE_TOKEN, "sk", r"SK[0-9a-fA-F]{32}(?![0-9A-Za-z])"),
    _shape(What.CHAT_TOKEN, ":aa %3aaa", rf"(?<=[0-9]{{8}}){_COLON}AA{_WORD}{{30,}}"),
    _shape(
        What.CHAT_TOKEN,
        ".",
        r"(?:(?<![A-Za-z0-9_.-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
        rf"[MNO]{_WORD}{{22,27}}\.{_WORD}{{6}}\.{_WORD}{{27,}}",
    ),
    _shape(
        What.CHAT_TOKEN,
        "api/webhooks api%2fwebhooks",
        rf"api{_SLASH}webhooks{_SLASH}(?P<it>[0-9]{{5,20}}{_SLASH}{_WORD}{{20,}})",
    ),
    _shape(What.SERVICE_TOKEN, "hvs. hvb.", begins("hv") + rf"[sb]\.{_WORD}{{20,}}"),
    _shape(What.SERVICE_TOKEN, "dop_v1_ doo_v1_", r"do[op]_v1_[0-9a-f]{32,}"),
    _shape(What.SERVICE_TOKEN, "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,}"),
    _shape(What.SERVICE_TOKEN, "dapi", begins("dapi") + r"[0-9a-f]{32}"),
    _shape(What.SERVICE_TOKEN, "nrak-", r"NRAK-[A-Z0-9]{20,}"),
    _shape(What.SERVICE_TOKEN, "glsa_ glc_", r"gl(?:sa|c)_[A-Za-z0-9_+/=]{20,}"),
    _shape(What.SERVICE_TOKEN, "lin_api_", r"lin_api_[A-Za-z0-9]{20,}"),
    _shape(What.SERVICE_TOKEN, "ntn_", begins("ntn_") + r"[A-Za-z0-9]{30,}"),
    _shape(What.SERVICE_TOKEN, "pmak-", r"PMAK-[A-Za-z0-9-]{30,}"),
    _shape(What.SERVICE_TOKEN, "dp.pt. dp.st.", r"dp\.[ps]t\.[A-Za-z0-9_.-]{20,}"),
    _shape(What.PRIVATE_KEY, "age-secret-key-1", r"AGE-SECRET-KEY-1[A-Z0-9]{30,}"),
)  # fmt: skip

_KEY_BEGINS = re.compile(r"-----BEGIN[A-Z0-9 %+]{1,60}PRIVATE(?: |%20|\+)KEY[A-Z0-9 %+]{0,12}-----")
_KEY_ENDS = "-----END"
_KEY_END_LINE = re.compile(r"-----END[A-Z0-9 %+]{0,60}-----")
#: Longer ones are no keys: two markers that have nothing to do with each other.
_LONGEST_KEY = 20_000
#: A key whose end was cut off goes on as long as this does, line breaks of JSON included.
_KEY_BODY = re.compile(
    r"(?:[A-Za-z0-9+/=\s]++|\\++[nr]|%[0-9A-Fa-f]{2}|(?:-Type|-Info|:|,|-)[^\n\\]{0,99})*+"
)
#: One line of a key, where a log took it apart: base64 of 64 or 76 letters and nothing else.
_KEY_LINE = re.compile(r"^[ \t]*(?P<it>[A-Za-z0-9+/]{64}(?:[A-Za-z0-9+/]{12})?)[ \t]*\r?$", re.MULTILINE)


def _private_keys(text: str) -> Iterator[Find]:
    """Find private keys in PEM: whole, cut off, with escaped line breaks, and single lines of one."""
    if "PRIVATE" in text and "-----BEGIN" in text:
        yield from _whole_keys(text)
    else:
        for found in _KEY_LINE.finditer(text):
            if _is_mixed(found["it"]):
                yield Find(*found.span("it"), What.PRIVATE_KEY)


def _whole_keys(text: str) -> Iterator[Find]:
    at = 0
    while (begin := _KEY_BEGINS.search(text, at)) is not None:
        end = text.find(_KEY_ENDS, begin.end(), begin.end() + _LONGEST_KEY)
        line = _KEY_END_LINE.match(text, end) if end >= 0 else None
        body = _KEY_BODY.match(text, begin.end())
        assert body is not None
        at = line.end() if line else body.end()
        yield Find(begin.start(), at, What.PRIVATE_KEY)


def _is_mixed(text: str) -> bool:
    """Tell base64 from a hash in hexadecimal digits, and from a word that is very long."""
    return (
        _has_digit(text)
        and any("G" <= letter <= "Z" for letter in text)
        and any("g" <= letter <= "z" for letter in text)
    )


#: Whole keys first: their letters may look like anything.
TOKENS: tuple[Search, ...] = (Search(marks=(), find=_private_keys), *_SHAPES)
