"""What two Slacks hold after the same story, as lines that can be laid side by side.

A line says where it stands and what stands there. Times, ids, addresses and measured numbers are taken out:
both stories have their own. What is left is what a person would call the same, or not.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.names import BOT_USER_ID
from tests.conformance.stage import Json, Seen
from tests.conformance.story import Played, key_of

#: Slack fills these in where an app leaves them out, so both ways are the same block.
_DEFAULTS = {"emoji": True, "verbatim": False}
#: What a person sees of a view; the rest are Slack's own names for it.
_OF_A_VIEW = ("type", "callback_id", "title", "submit", "close", "clear_on_close", "notify_on_close")
_ADDRESS = re.compile(r"https?://[^\s|>\"]+")
#: With what belongs to it: a rounded time span is "42 seconds" once and "1 minute" another time.
_NUMBER = re.compile(r"\d+(?:[.,:–-]\d+)*")
_HEX = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|\+00:00)?)?")
#: A rounded measure is "980 bytes" once and "1 kB" another time.
_UNIT = re.compile(r"# ?(?:bytes?|kB|MB|ms|s|seconds?|m|min|minutes?)\b")
_PLURAL = re.compile(r"(# \w+?)s\b")
#: What was measured in the cloud reads differently each time, down to which lines there are.
_MEASURED_MESSAGES = re.compile(r"^(first_reading|finding|exhibits):")
_MEASURED_BLOCKS = re.compile(r"\* · read #|Evidence at the ")


@dataclass(frozen=True, order=True)
class Line:
    """`place`: for example ``message board:1 in C0CRITICAL``; `text`: one thing that stands there."""

    place: str
    text: str


def lines(played: Played) -> Counter[Line]:
    """Return all of it."""
    end = played.end
    found = [
        *_messages(end),
        *_whispers(end),
        *(
            Line(f"modal {name}", text)
            for name, view in played.modals.items()
            for text in (*_view(view), *_blocks(view))
        ),
        *(
            Line(f"home of {user}", text)
            for user, view in end.homes.items()
            for text in (*_view(view), *_blocks(view))
        ),
        *(Line("open at the end", f"{view['callback_id']} before {view['user']}") for view in end.views),
        *_files(end),
        *(Line("pins", f"{channel}") for channel, _ in end.pins),
    ]
    return Counter(found)


def _messages(seen: Seen) -> Iterator[Line]:
    names = {message["ts"]: _name(message) for message in seen.messages}
    for message in seen.messages:
        thread = message.get("thread_ts")
        under = f" under {names.get(thread, 'nothing')}" if thread and thread != message["ts"] else ""
        place = f"message {_name(message)} in {_channel(message)}{under}"
        yield Line(place, "is there")
        if not _MEASURED_MESSAGES.match(key_of(message)):
            yield Line(place, f"text: {plain(message['text'])}")
            for text in _blocks(message):
                yield Line(place, text)
        for file in message.get("files") or ():
            yield Line(place, f"file: {plain(file['name'])}")


def _name(message: Mapping[str, Any]) -> str:
    if key := key_of(dict(message)):
        return plain(key)
    who = "the bot" if message["user"] == BOT_USER_ID else message["user"]
    return f"of {who} with {len(message.get('files') or ())} files"


def _channel(message: Mapping[str, Any]) -> str:
    # Direct messages have ids of their own everywhere.
    channel = str(message["channel"])
    return "direct messages" if channel.startswith("D") else channel


def _whispers(seen: Seen) -> Iterator[Line]:
    for one in seen.whispers:
        place = f"whisper to {one['for']} in {_channel(one)}"
        yield Line(place, f"text: {plain(one.get('text', ''))}")
        for text in _blocks(one):
            yield Line(place, text)


def _view(view: Json) -> Iterator[str]:
    for key in _OF_A_VIEW:
        yield f"{key}: {_canonical(view.get(key))}"


def _blocks(holder: Mapping[str, Any]) -> Iterator[str]:
    for block in holder.get("blocks") or ():
        said = _canonical(block)
        yield f"block: {'measured' if _MEASURED_BLOCKS.search(said) else said}"


def _files(seen: Seen) -> Iterator[Line]:
    names = {message["ts"]: _name(message) for message in seen.messages}
    for file in seen.files:
        under = names.get(file["thread_ts"], "nothing")
        place = f"file {plain(file['name'])} in {file['channel']} under {under}"
        yield Line(place, f"title: {plain(file['title'])}")
        yield Line(place, f"type: {file['mimetype']}")
        yield Line(place, f"begins: {plain(file['content'][:20].decode(errors='replace'))}")


def _canonical(value: Any) -> str:
    return json.dumps(_stripped(value), ensure_ascii=False, sort_keys=True)


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stripped(inner) for key, inner in value.items() if not _is_slacks_own(key, inner)}
    if isinstance(value, list):
        return [_stripped(inner) for inner in value]
    return plain(value) if isinstance(value, str) else value


def _is_slacks_own(key: str, value: Any) -> bool:
    # The ids that Slack gives to blocks are short and random; an app's have a dot or a colon.
    is_short = key == "block_id" and bool(re.fullmatch(r"[A-Za-z0-9]{5}", str(value)))
    return is_short or _DEFAULTS.get(key) == value


def plain(text: str) -> str:
    """Return a text without its times, addresses and numbers."""
    text = _ADDRESS.sub("ADDRESS", text)
    text = _STAMP.sub("#", text)
    text = _HEX.sub("#", text)
    text = _UNIT.sub("# UNIT", _NUMBER.sub("#", text))
    return _PLURAL.sub(r"\1", text)


@dataclass(frozen=True)
class Known:
    """A difference that is known, and why it is there. `place` and `text` are regular expressions."""

    place: str
    text: str
    why: str

    def fits(self, line: Line) -> bool:
        """True when it explains the line."""
        return bool(re.search(self.place, line.place) and re.search(self.text, line.text))


@dataclass(frozen=True)
class Comparison:
    """What is left: lines that only one side has, and known differences that were not met."""

    only_ours: list[Line]
    only_theirs: list[Line]
    unmet: list[Known]

    @property
    def agrees(self) -> bool:
        """True when nothing is left."""
        return not (self.only_ours or self.only_theirs or self.unmet)

    def __str__(self) -> str:
        return "\n".join(
            [
                *(f"only ours:   {line.place} | {line.text}" for line in self.only_ours),
                *(f"only theirs: {line.place} | {line.text}" for line in self.only_theirs),
                *(f"not met:     {known.place} | {known.text} ({known.why})" for known in self.unmet),
            ]
        )


def compared(ours: Counter[Line], theirs: Counter[Line], known: Iterable[Known]) -> Comparison:
    """Lay two stories side by side."""
    known = list(known)
    differing = {"ours": sorted((ours - theirs).elements()), "theirs": sorted((theirs - ours).elements())}
    left = {
        side: [line for line in found if not any(one.fits(line) for one in known)]
        for side, found in differing.items()
    }
    every = [line for found in differing.values() for line in found]
    unmet = [one for one in known if not any(one.fits(line) for line in every)]
    return Comparison(left["ours"], left["theirs"], unmet)
