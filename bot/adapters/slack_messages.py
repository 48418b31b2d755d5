"""Sending our messages to Slack: once, in order, edited in place, whatever Slack does meanwhile.

A message is a row that says what it shows; it is rendered when it is sent, so ten changes in a
second are one edit. Slack knows no idempotency key: before a post that may have happened already
our own message is looked for by the key in its metadata (reference/durable-work.md, section 10).
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import ColumnElement, Engine, case, or_, select, update
from sqlalchemy.orm import Session

from bot.adapters.database.engine import Database
from bot.adapters.database.tables import MessageRow
from bot.adapters.message_files import File, Files
from bot.adapters.rendering import HomeView, Rendering
from bot.adapters.slack_errors import NO_ANSWER, code_of, file_not_ready, may_pass, retry_after_seconds
from bot.domain.ids import incident_in
from bot.slack.ids import METADATA_EVENT
from bot.slack.views.rollback_message import Message
from bot.usecases.ports import Showing, Steps

log = structlog.get_logger()

#: Slack takes about one message a second and channel, and short bursts.
PER_SECOND, BURST = 1.0, 4.0
#: First and longest pause after an answer that may pass; a 429 says itself how long.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
#: A Retry-After beyond this is cut: by then somebody reads the channel and wants to know.
LONGEST_RETRY_AFTER_SECONDS = 300.0
CALL_SECONDS = 15.0
#: An upload is two calls for each file and one for all of them.
UPLOAD_SECONDS = 60.0
#: How long a file that was just uploaded may take until a message can show it, and how often it is tried.
FILE_READY_WITHIN_SECONDS, FILE_PAUSE_SECONDS = 30.0, 1.0
#: How far back a message that may have been posted is looked for.
LOOK_BACK = 100

#: The channel does not take it, and will not later either: it goes to the person instead.
NOT_HERE = frozenset(
    {
        "channel_not_found", "not_in_channel", "is_archived", "user_not_in_channel", "restricted_action",
        "restricted_action_read_only_channel", "restricted_action_thread_only_channel", "no_permission",
        "restricted_action_non_threadable_channel", "ekm_access_denied",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One message row, read out of its session."""

    key: str
    what: Showing
    subject: str
    facts: Mapping[str, Any]
    channel: str
    person: str | None
    under: str | None
    wanted: int
    sent: int
    sending: bool
    sent_channel: str | None
    ts: str | None


class _Unsendable(Exception):
    """Slack refuses this message for good, for the reason given."""


class _FileNotReady(_Unsendable):
    """Slack has not looked at a file yet that the message shows."""


class Pace:
    """At most `per_second` in the long run for each channel, with bursts."""

    def __init__(self, *, per_second: float = PER_SECOND, burst: float = BURST) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens: defaultdict[str, tuple[float, float]] = defaultdict(lambda: (burst, time.monotonic()))

    async def take(self, channel: str) -> None:
        """Wait until one more may go to `channel`."""
        while True:
            tokens, at = self._tokens[channel]
            now = time.monotonic()
            tokens = min(self._burst, tokens + (now - at) * self._per_second)
            if tokens >= 1:
                self._tokens[channel] = (tokens - 1, now)
                return
            self._tokens[channel] = (tokens, now)
            await asyncio.sleep((1 - tokens) / self._per_second)


#: Hears of a message that Slack refuses for good: what it shows, of what, and Slack's code.
Refused = Callable[[Showing, str, str], Awaitable[None]]


class SlackMessages:
    """Delivers message rows."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        rendering: Rendering,
        refused: Refused,
        *,
        per_second: float = PER_SECOND,
    ) -> None:
        self._refused = refused
        self._client = client
        self._database = database
        self._rendering = rendering
        self._pace = Pace(per_second=per_second, burst=max(BURST, per_second))
        self._addresses: dict[tuple[str, str], str] = {}

    async def post(self, arguments: Mapping[str, str], *, steps: Steps) -> None:
        """Bring one message up to date in Slack; the workflow behind every message."""
        await steps.step("post", lambda: self._deliver(arguments["key"]), into=str)

    async def _deliver(self, key: str) -> str:
        row = await self._row(key)
        if row is None or row.sent >= row.wanted:
            return "up to date"
        if self._client.token is None:
            return "waiting for a Slack token"
        try:
            return await self._send(row)
        except _Unsendable as error:
            log.error("message_unsendable", key=key, channel=row.channel, why=str(error))
            await self._refused(row.what, row.subject, str(error))
            await self._update(key, problem=str(error), sent=row.wanted)
            return f"given up: {error}"

    async def _send(self, row: _Row) -> str:
        thread = await self._thread_of(row)
        content = await self._render(row)
        if isinstance(content, HomeView):
            await self._publish(row, content)
        elif isinstance(content, File):
            await self._upload(row, Files(files=(content,), comment=content.comment), thread)
        elif isinstance(content, Files):
            await self._upload(row, content, thread)
        elif row.person is not None:
            await self._whisper(row, content)
        elif row.ts is None or row.sent_channel is None:
            await self._post_first(row, content, thread)
        else:
            await self._edit(row, content, row.sent_channel, row.ts)
        return "sent"

    async def _render(self, row: _Row) -> Message | File | Files | HomeView:
        facts = row.facts
        if row.what is Showing.PAGE:
            # It stands in a channel of its own, so it leads to where everything about it is.
            facts = {**facts, "board": await self._address(f"{Showing.BOARD}:{incident_in(row.subject)}")}
        return await self._rendering.render(row.what, row.subject, facts, person=row.person)

    async def _address(self, key: str) -> str | None:
        """Return the address of a message of ours, sending it first if need be; None where it has none."""
        known = await self._row(key)
        if known is not None and known.ts is None and known.sent < known.wanted:
            await self._deliver(key)
            known = await self._row(key)
        if known is None or known.ts is None or known.sent_channel is None:
            return None
        place = (known.sent_channel, known.ts)
        if place not in self._addresses:
            try:
                answer = await self._call(
                    self._client.chat_getPermalink, place[0], {"message_ts": place[1]}, pace=False
                )
            except _Unsendable as error:
                log.warning("address_not_known", key=key, why=str(error))
                return None
            self._addresses[place] = str(answer["permalink"])
        return self._addresses[place]

    async def _thread_of(self, row: _Row) -> tuple[str, str] | None:
        """Return channel and ts of the message this one belongs under, sending that one first if need be."""
        if row.under is None:
            return None
        parent = await self._row(row.under)
        if parent is not None and parent.ts is None and parent.sent < parent.wanted:
            await self._deliver(row.under)
            parent = await self._row(row.under)
        if parent is None or parent.ts is None or parent.sent_channel is None:
            return None
        return parent.sent_channel, parent.ts

    async def _post_first(self, row: _Row, content: Message, thread: tuple[str, str] | None) -> None:
        channel = thread[0] if thread else row.channel
        arguments: dict[str, Any] = _content(content) | {
            "metadata": {"event_type": METADATA_EVENT, "event_payload": {"key": row.key}},
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if thread:
            arguments["thread_ts"] = thread[1]
        found = await self._find_own(row, channel, thread) if row.sending else None
        if found is None:
            await self._update(row.key, sending=True)
            found = await self._post_or_fall_back(row, channel, arguments, thread)
        if not await self._claim(row, *found):
            # We slept through our lease right here, and somebody else has posted it since.
            await self._call(self._client.chat_delete, found[0], {"ts": found[1]})

    async def _post_or_fall_back(
        self, row: _Row, channel: str, arguments: dict[str, Any], thread: tuple[str, str] | None
    ) -> tuple[str, str]:
        async def look() -> Mapping[str, Any] | None:
            found = await self._find_own(row, channel, thread)
            return {"channel": found[0], "ts": found[1]} if found else None

        try:
            answer = await self._call(self._client.chat_postMessage, channel, arguments, already=look)
        except _Unsendable as error:
            if str(error) not in NOT_HERE:
                raise
            owner = await self._rendering.owner(row.what, row.subject, why=str(error))
            if owner is None:
                raise
            log.warning("message_redirected", key=row.key, channel=channel, why=str(error))
            arguments = {k: v for k, v in arguments.items() if k != "thread_ts"}
            found = await self._find_own(row, owner, None) if row.sending else None
            if found is not None:
                return found
            anew = await self._render(row)
            arguments |= _content(anew) if isinstance(anew, Message) else {}
            answer = await self._call(self._client.chat_postMessage, owner, arguments)
        return (answer["channel"], answer["ts"])

    async def _edit(self, row: _Row, content: Message, channel: str, ts: str) -> None:
        await self._call(self._client.chat_update, channel, _content(content) | {"ts": ts})
        if not await self._mark_sent(row):
            # Overtaken while we slept: what we just wrote may be older than what stood there.
            await self._update(row.key, wanted=MessageRow.wanted + 1)
            await self._deliver(row.key)

    async def _whisper(self, row: _Row, content: Message) -> None:
        """Send a line only this person sees: here if we may, else as a direct message."""
        deadline = time.monotonic() + FILE_READY_WITHIN_SECONDS
        while True:
            try:
                await self._whisper_once(row, _content(content))
                break
            except _FileNotReady:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(FILE_PAUSE_SECONDS)
        await self._update(row.key, sent=row.wanted)

    async def _whisper_once(self, row: _Row, arguments: dict[str, Any]) -> None:
        try:
            await self._call(
                self._client.chat_postEphemeral, row.channel, arguments | {"user": row.person}, pace=False
            )
        except _Unsendable as error:
            if str(error) not in NOT_HERE or row.person is None:
                raise
            await self._call(self._client.chat_postMessage, row.person, arguments, pace=False)

    async def _publish(self, row: _Row, home: HomeView) -> None:
        """Set somebody's Home; whatever was there goes, so doing it twice is doing it once."""
        arguments = {"user_id": row.subject, "view": home.view}
        await self._call(self._client.views_publish, None, arguments, pace=False)
        await self._mark_sent(row)

    async def _upload(self, row: _Row, files: Files, thread: tuple[str, str] | None) -> None:
        """Post one message with all of `files` in its thread."""
        if thread is None:
            raise _Unsendable("the message this file belongs to was never posted")
        if not (row.sending and await self._uploaded(files, thread)):
            await self._update(row.key, sending=True)
            arguments = {
                "file_uploads": [_upload_of(file) for file in files.files],
                "thread_ts": thread[1],
                "initial_comment": files.comment,
            }
            await self._call(
                self._client.files_upload_v2,
                thread[0],
                arguments,
                already=lambda: self._uploaded(files, thread),
                seconds=UPLOAD_SECONDS,
            )
        await self._update(row.key, sent=row.wanted, sending=False)

    async def _uploaded(self, files: Files, thread: tuple[str, str]) -> Mapping[str, Any] | None:
        """Return the message in the thread that holds the first of `files`: they come all at once, or not."""
        wanted = files.files[0].name
        for message in await self._history(thread[0], thread):
            if any(f.get("name") == wanted for f in message.get("files") or ()):
                return message
        return None

    async def _find_own(
        self, row: _Row, channel: str, thread: tuple[str, str] | None
    ) -> tuple[str, str] | None:
        """Look for our own message by its key; None when it is not there or cannot be looked for."""
        known = await self._channel_id(channel)
        for message in await self._history(known, thread):
            metadata = message.get("metadata") or {}
            if metadata.get("event_payload", {}).get("key") == row.key:
                return (known, message["ts"])
        return None

    async def _history(self, channel: str, thread: tuple[str, str] | None) -> list[dict[str, Any]]:
        """Return the newest messages of a channel, or a whole thread: Slack gives that oldest first."""
        common: dict[str, Any] = {"include_all_metadata": True, "limit": LOOK_BACK}
        method = self._client.conversations_replies if thread else self._client.conversations_history
        if thread:
            common["ts"] = thread[1]
        found: list[dict[str, Any]] = []
        while True:
            try:
                answer = await self._call(method, channel, common, pace=False)
            except _Unsendable as error:
                # Better one message twice than none: a duplicate is seen, a missing one is not.
                log.warning("own_message_not_looked_for", channel=channel, why=str(error))
                return found
            found += answer.get("messages") or ()
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not (thread and cursor):
                return found
            common["cursor"] = cursor

    async def _channel_id(self, channel: str) -> str:
        """Return the id of a ``#name``: as an earlier answer told it, or as Slack lists it."""
        if not channel.startswith("#"):
            return channel
        told = await self._database.read(lambda engine: _told_id(engine, channel))
        return told or await self._listed_id(channel) or channel

    async def _listed_id(self, channel: str) -> str | None:
        cursor = ""
        while True:
            asked = {"types": "public_channel", "exclude_archived": True, "limit": 200, "cursor": cursor}
            try:
                answer = await self._call(self._client.conversations_list, None, asked, pace=False)
            except _Unsendable as error:
                log.warning("channel_not_looked_for", channel=channel, why=str(error))
                return None
            for one in answer.get("channels") or ():
                if one.get("name") == channel.removeprefix("#"):
                    return str(one["id"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    async def _call(
        self,
        method: Callable[..., Awaitable[Any]],
        channel: str | None,
        arguments: dict[str, Any],
        *,
        already: Callable[[], Awaitable[Mapping[str, Any] | None]] | None = None,
        pace: bool = True,
        seconds: float = CALL_SECONDS,
    ) -> Mapping[str, Any]:
        """Call until Slack takes it; `already` looks whether a try without an answer was taken after all."""
        pause, where = FIRST_PAUSE_SECONDS, {"channel": channel} if channel else {}
        while True:
            if pace and channel:
                await self._pace.take(channel)
            try:
                async with asyncio.timeout(seconds):
                    answer: Mapping[str, Any] = await method(**where, **arguments)
                    return answer
            except SlackApiError as error:
                wait, unknown = _wait_after(error, pause)
                log.warning("slack_failed", channel=channel, why=str(error)[:300], wait_seconds=wait)
            except NO_ANSWER as error:
                log.warning("slack_unreachable", channel=channel, why=repr(error)[:300])
                wait, unknown = pause, True
            await asyncio.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            found = await already() if already and unknown else None
            if found is not None:
                return found

    async def _row(self, key: str) -> _Row | None:
        return await self._database.read(lambda engine: _read(engine, key))

    async def _claim(self, row: _Row, channel: str, ts: str) -> bool:
        """Keep where the first post went; False when the message stands somewhere else already."""
        free = or_(MessageRow.ts.is_(None), MessageRow.ts == ts)
        newest = case((MessageRow.sent < row.wanted, row.wanted), else_=MessageRow.sent)
        return await self._update(row.key, free, ts=ts, sent_channel=channel, sent=newest, sending=False)

    async def _mark_sent(self, row: _Row) -> bool:
        """Keep how far Slack knows; False when somebody else has told it as much already."""
        return await self._update(row.key, MessageRow.sent < row.wanted, sent=row.wanted)

    async def _update(self, key: str, *conditions: ColumnElement[bool], **values: Any) -> bool:
        """Change a row where `conditions` hold; True when they did."""
        change = update(MessageRow).where(MessageRow.key == key, *conditions).values(**values)

        def write(engine: Engine) -> bool:
            with engine.begin() as connection:
                return bool(connection.execute(change).rowcount)

        return await self._database.write(write)


def _wait_after(error: SlackApiError, pause: float) -> tuple[float, bool]:
    """Return how long to wait before another try, and whether this one may have taken effect.

    Raises:
        _Unsendable: Slack refuses, and will refuse again.
    """
    limited = retry_after_seconds(error)
    if limited is not None:
        return min(limited, LONGEST_RETRY_AFTER_SECONDS), False
    if may_pass(error):
        return pause, True
    if file_not_ready(error):
        raise _FileNotReady(str(code_of(error))) from error
    raise _Unsendable(str(code_of(error))) from error


def _upload_of(file: File) -> dict[str, Any]:
    described = {"filename": file.name, "title": file.title, "content": file.content}
    return described | ({"alt_txt": file.alt} if file.alt else {})


def _content(content: Message) -> dict[str, Any]:
    return {"text": content.text, "blocks": content.blocks}


def _told_id(engine: Engine, channel: str) -> str | None:
    told = select(MessageRow.sent_channel).where(
        MessageRow.channel == channel, MessageRow.sent_channel.is_not(None)
    )
    with engine.connect() as connection:
        return connection.scalars(told.limit(1)).one_or_none()


def _read(engine: Engine, key: str) -> _Row | None:
    with Session(engine) as session:
        row = session.scalars(select(MessageRow).where(MessageRow.key == key)).one_or_none()
        if row is None:
            return None
        return _Row(
            key=row.key, what=Showing(row.what), subject=row.subject, facts=row.facts, channel=row.channel,
            person=row.person, under=row.under, wanted=row.wanted, sent=row.sent, sending=row.sending,
            sent_channel=row.sent_channel, ts=row.ts,
        )  # fmt: skip
