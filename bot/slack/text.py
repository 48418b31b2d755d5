"""Words in the reader's language, and text from people and logs made harmless."""

import gettext
import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

LOCALES = ("en", "ko")
_CATALOGS = Path(__file__).resolve().parents[1] / "locale"

#: Format characters that words in some scripts and emoji need: ZWNJ, ZWJ, variation selectors.
_KEPT_FORMAT = frozenset("\u200c\u200d\ufe0e\ufe0f")
_JOINER = "\u200d"
_SKIN_COLOURS = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


class Markup(str):
    """Text that is safe where it goes: authored by us, or escaped already."""

    __slots__ = ()


def clean(text: str, *, limit: int) -> str:
    """Return `text` as NFC without control, bidi and lone-surrogate characters, cut to `limit` characters.

    A cut is shown as "… (+N)", N being the characters left out, and never splits what is read as one
    character: a letter with its marks, an emoji with its colour or its joined companions.
    """
    normal = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
    # Once more: a character that went may have stood between a letter and its mark.
    kept = unicodedata.normalize("NFC", "".join(c for c in normal if _may_stay(c))).strip()
    return kept if len(kept) <= limit else _cut(kept, limit)


def _may_stay(character: str) -> bool:
    if character in _KEPT_FORMAT or character == "\n":
        return True
    return unicodedata.category(character) not in _DROPPED


def _cut(text: str, limit: int) -> str:
    end = max(limit - len(f"… (+{len(text)})"), 0)
    while end > 0 and _belongs_before(text[end], text[end - 1]):
        end -= 1
    return f"{text[:end]}… (+{len(text) - end})"[:limit]


def _belongs_before(character: str, previous: str) -> bool:
    if previous == _JOINER or character in _KEPT_FORMAT or character in _SKIN_COLOURS:
        return True
    return unicodedata.category(character).startswith("M")


def escape(text: str) -> Markup:
    """Escape the three characters Slack gives a meaning; nothing in the result can ring or link."""
    return Markup(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~&])")
#: "- ", "12. " and "---" begin a list or draw a line, but only where a line begins.
_LINE_BEGINS = re.compile(r"^(\d{0,9})([-.])(?=[ -]|$)")


def escape_markdown(text: str) -> Markup:
    """Escape what Markdown and HTML give a meaning, so that a text stays a text in the record."""
    flat = " ".join(text.split())
    return Markup(_LINE_BEGINS.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", flat)))


def escape_html(text: str) -> Markup:
    """Escape what HTML gives a meaning, in a text and in an attribute; the text is on one line."""
    return Markup(html.escape(" ".join(text.split()), quote=True))


def one_line(text: str) -> Markup:
    """Return `text` on one line, for a terminal."""
    return Markup(" ".join(text.split()))


def N_(message: str) -> str:
    """Mark a message for the catalogs where it is not translated on the spot."""
    return message


#: A link's text beyond this says nothing more, characters.
LONGEST_LINK_TEXT = 120


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one medium writes emphasis, code, people and moments.

    `escape_code` is for text in a fixed-width face: Markdown shows its escapes there as they are.
    """

    escape: Callable[[str], Markup]
    escape_code: Callable[[str], Markup]
    bold: str
    code: str
    person: str
    struck: str
    link: str
    slack_dates: bool = False


SLACK = Style(
    escape=escape, escape_code=escape, bold="*{}*", code="`{}`", person="<@{}>", struck="~{}~",
    link="<{url}|{text}>", slack_dates=True,
)  # fmt: skip
MARKDOWN = Style(
    escape=escape_markdown, escape_code=one_line, bold="**{}**", code="`{}`", person="{}", struck="~~{}~~",
    link="[{text}]({url})",
)  # fmt: skip
PLAIN = Style(
    escape=one_line, escape_code=one_line, bold="{}", code="{}", person="{}", struck="[{}]",
    link="{text} ({url})",
)  # fmt: skip
HTML = Style(
    escape=escape_html, escape_code=escape_html, bold="<strong>{}</strong>", code="<code>{}</code>",
    person="{}", struck="<del>{}</del>", link='<a href="{url}" rel="noreferrer">{text}</a>',
)  # fmt: skip


@cache
def _catalog(locale: str) -> gettext.NullTranslations:
    """Load a catalog; English is the source language, so it needs none."""
    if locale == "en":
        return gettext.NullTranslations()
    return gettext.translation("backout", _CATALOGS, languages=[locale])


def locale_of(slack_locale: str) -> str:
    """Return ``ko`` for Korean readers and ``en`` for everybody else."""
    return "ko" if slack_locale.lower().startswith("ko") else "en"


@dataclass(frozen=True, kw_only=True)
class Words:
    """Speaks one language in one medium. `names` are display names, where the medium needs them."""

    locale: str
    style: Style = SLACK
    zone: str = "UTC"
    names: Mapping[str, str] = field(default_factory=dict)

    def say(self, message: str, **values: Any) -> Markup:
        """Translate `message` and fill it in; every value that is not `Markup` is escaped."""
        filled = {name: self._safe(value) for name, value in values.items()}
        return Markup(_catalog(self.locale).gettext(message).format(**filled))

    def plain(self, message: str, **values: Any) -> str:
        """Translate `message` for a place that takes plain text only, such as a button."""
        return _catalog(self.locale).gettext(message).format(**values)

    def safe(self, text: str) -> Markup:
        """Return somebody's text made harmless for this medium."""
        return text if isinstance(text, Markup) else self.style.escape(text)

    def _safe(self, value: Any) -> Any:
        return self.safe(value) if isinstance(value, str) else value

    def bold(self, text: str) -> Markup:
        """Return `text` emphasised."""
        return Markup(self.style.bold.format(self.safe(text)))

    def struck(self, text: str) -> Markup:
        """Return `text` struck through, line by line: Slack ends the stroke where a line ends."""
        lines = self.safe(text).splitlines()
        return Markup("\n".join(self.style.struck.format(line) if line.strip() else line for line in lines))

    def link(self, text: str, url: str) -> Markup:
        """Return `text`, cut where it is long, leading to `url`; the bare text without an address."""
        safe = self.safe(text if isinstance(text, Markup) else clean(text, limit=LONGEST_LINK_TEXT))
        if not re.fullmatch(r"https?://[^\s<>|()\[\]]+", url):
            return safe
        if self.style.slack_dates:
            safe = Markup(safe.replace("|", "/"))  # Slack splits a reference there.
        return Markup(self.style.link.format(text=safe, url=self.style.escape_code(url)))

    def code(self, text: str) -> Markup:
        """Return `text` in a fixed-width face; backquotes inside would end it, so they go."""
        return Markup(self.style.code.format(self.style.escape_code(text.replace("`", "'"))))

    def person(self, id: str) -> Markup:
        """Return how `id` is called here: a mention in Slack, a name in a record; ``backout`` is the bot."""
        if id.startswith("google:"):
            return self.say("{account} (Google Cloud)", account=id.removeprefix("google:"))
        if id.startswith("cli:"):
            return self.say("{login} (command line)", login=id.removeprefix("cli:"))
        if id == "backout":
            return self.say("Backout")
        if self.style.slack_dates and re.fullmatch(r"[UW][A-Z0-9]+", id):
            return Markup(self.style.person.format(id))
        return self.style.escape(self.names.get(id, id))

    def moment(self, at: datetime) -> Markup:
        """Return date and time: in the reader's own zone by Slack, else in `zone` with its offset."""
        if self.style.slack_dates:
            utc = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            return Markup(f"<!date^{int(at.timestamp())}^{{date_num}} {{time_secs}}|{utc}>")
        local = at.astimezone(ZoneInfo(self.zone))
        return Markup(f"{local:%Y-%m-%d %H:%M:%S} {_offset(local)}")

    def clock(self, at: datetime) -> Markup:
        """Return the time of day, as `moment` does."""
        if self.style.slack_dates:
            return Markup(f"<!date^{int(at.timestamp())}^{{time_secs}}|{at.astimezone(UTC):%H:%M:%S} UTC>")
        local = at.astimezone(ZoneInfo(self.zone))
        return Markup(f"{local:%H:%M:%S} {_offset(local)}")

    def duration(self, length: timedelta) -> Markup:
        """Return a length of time in its two largest units: "2 min 05 s"."""
        seconds = round(length.total_seconds())
        if seconds < 60:
            return self.say("{seconds} s", seconds=seconds)
        if seconds < 3600:
            return self.say("{minutes} min {seconds:02d} s", minutes=seconds // 60, seconds=seconds % 60)
        if seconds < 86400:
            return self.say("{hours} h {minutes:02d} min", hours=seconds // 3600, minutes=seconds // 60 % 60)
        return self.say("{days} d {hours} h", days=seconds // 86400, hours=seconds // 3600 % 24)


def _offset(local: datetime) -> str:
    offset = f"{local:%z}"
    return "UTC" if local.utcoffset() == timedelta() else f"{offset[:3]}:{offset[3:]}"
