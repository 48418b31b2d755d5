"""One Bolt listener per kind of payload, and behind it a table from id to function.

Bolt tries its listeners one by one and builds all arguments for each (40 cost 2.5 times one), and an
exception that leaves a listener right after `ack()` turns the ack into a 404. So Bolt knows a
handful of listeners, all of them here, and none of them raises.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.incident import Incident
from bot.slack.listeners.free_text import without_secrets
from bot.slack.listeners.requests import (
    Payload,
    Sender,
    command_sender,
    event_key,
    event_sender,
    interaction_sender,
    is_of_drill,
    request_key,
)
from bot.slack.text import Words
from bot.slack.views.drill_marks import marked_modal
from bot.slack.views.redacted import (
    message_with_count,
    modal_with_count,
    taken_modal,
    text_with_count,
)
from bot.slack.views.rollback_message import Message
from bot.usecases.ports import StoreDown

log = structlog.get_logger()

#: A press has to be answered within 3 s, and a message that is replaced belongs to the answer.
REPLACE_WITHIN_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as a function in the table gets it; `key` is what it is remembered by.

    `body` holds what people typed without secrets and personal data; `redacted` says how many were replaced.
    """

    sender: Sender
    key: str
    words: Words
    body: Payload
    redacted: int = 0


#: Returns the line or the message to show at once, only to the person who typed, or a modal to open.
OnCommand = Callable[[Request], Awaitable[str | Message | dict[str, Any]]]
#: Returns a modal to open (or to put in place of the one that was pressed in, where it is the same
#: one by its callback_id), a message to put in place of the one that was pressed in, or None.
OnPress = Callable[[Request, Mapping[str, Any]], Awaitable[dict[str, Any] | Message | None]]
#: Returns errors by block id, a modal to put in place of the submitted one, or None when it was accepted.
OnSubmit = Callable[[Request], Awaitable[Mapping[str, Any] | None]]
#: Answers one word of ``/incident`` (gets the incident and what follows) or of ``/canary`` (gets what
#: follows): a line for the person who typed, or a modal to open. A plain word of ``/incident`` is about
#: no incident in particular, such as ``list``.
OnIncidentVerb = Callable[[Request, Incident, str], Awaitable[str | dict[str, Any]]]
OnPlainVerb = Callable[[Request, str], Awaitable[str | Message | dict[str, Any]]]
OnCanaryVerb = Callable[[Request, str], Awaitable[str | Message | dict[str, Any]]]
#: Returns a modal to open, or None; the payload is a global or a message shortcut.
OnShortcut = Callable[[Request], Awaitable[dict[str, Any] | None]]
#: Takes an event of the Events API; nobody waits for an answer.
OnEvent = Callable[[Request, Mapping[str, Any]], Awaitable[None]]
WordsFor = Callable[[str], Awaitable[Words]]


class Table:
    """What the bot listens to. Each listeners file adds its own in its `register`."""

    def __init__(self, *, words_for: WordsFor) -> None:
        self._words_for = words_for
        self.commands: dict[str, OnCommand] = {}
        self.presses: dict[str, OnPress] = {}
        self.submissions: dict[str, OnSubmit] = {}
        self.incident_verbs: dict[str, OnIncidentVerb] = {}
        self.plain_incident_verbs: dict[str, OnPlainVerb] = {}
        self.canary_verbs: dict[str, OnCanaryVerb] = {}
        self.shortcuts: dict[str, OnShortcut] = {}
        self.events: dict[str, OnEvent] = {}

    def attach(self, app: AsyncApp) -> None:
        """Let Bolt call this table."""
        anything = re.compile(".*")
        app.command(anything)(self._command)
        app.action(anything)(self._press)
        app.view(anything)(self._submit)
        app.view_closed(anything)(_nothing_to_do)
        app.shortcut(anything)(self._shortcut)
        app.event(anything)(self._event)

    async def _request(self, kind: str, sender: Sender, body: Payload) -> Request:
        words = await self._words(sender.person)
        clean, redacted = without_secrets(body)
        return Request(sender=sender, key=request_key(kind, body), words=words, body=clean, redacted=redacted)

    async def _words(self, person: str) -> Words:
        try:
            return await self._words_for(person)
        except Exception:
            # Without the database nobody's language is known; what is wrong is said all the same.
            log.exception("language_not_known", person=person)
            return Words(locale="en")

    async def _command(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        request = await self._request("command", command_sender(body), body)
        handle = self.commands.get(body["command"])
        if handle is None:
            log.error("command_not_handled", command=body["command"])
            await ack(request.words.say(":x: This command is not known to this version of Backout."))
            return
        try:
            answer = await handle(request)
            if isinstance(answer, dict):
                view = modal_with_count(answer, request.redacted, request.words)
                await client.views_open(trigger_id=body["trigger_id"], view=view)
        except Exception as error:  # noqa: BLE001 - whoever waits is told; see _apology
            answer = _apology(error, request.words)
        if isinstance(answer, str):
            text = text_with_count(answer, request.redacted, request.words)
            await ack(text=text, response_type="ephemeral")
        elif isinstance(answer, Message):
            shown = message_with_count(answer, request.redacted, request.words)
            await ack(text=shown.text, blocks=shown.blocks, response_type="ephemeral")
        else:
            await ack()

    async def _press(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        action: dict[str, Any],
        client: AsyncWebClient,
        respond: AsyncRespond,
    ) -> None:
        request = await self._request("press", interaction_sender(body), body)
        # What follows a "#" only keeps controls of one block apart, as Slack demands.
        handle = self.presses.get(action["action_id"].partition("#")[0])
        if handle is None:
            await ack()
            return
        try:
            answer = await handle(request, action)
            if isinstance(answer, Message):
                await _replace(respond, answer)
            elif answer is not None:
                await _show_modal(client, body, _finished(answer, request))
        except Exception as error:  # noqa: BLE001 - whoever waits is told; see _apology
            await _say_directly(client, request, _apology(error, request.words))
        await ack()

    async def _submit(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        request = await self._request("submit", interaction_sender(body), body)
        handle = self.submissions.get(body["view"]["callback_id"])
        errors: Mapping[str, Any] | None = None
        try:
            errors = await handle(request) if handle else None
        except Exception as error:  # noqa: BLE001 - whoever waits is told; see _apology
            # The modal stays open, so that what was typed is not lost.
            errors = {_first_input(body["view"]): _apology(error, request.words)}
        if errors and errors.get("type") == "modal":
            await ack(response_action="update", view=_finished(dict(errors), request))
        elif errors:
            await ack(response_action="errors", errors=dict(errors))
        elif request.redacted:
            view = taken_modal(request.redacted, request.words)
            await ack(response_action="update", view=_marked_as_pressed(view, request))
        else:
            await ack()

    async def _shortcut(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        request = await self._request("shortcut", interaction_sender(body), body)
        handle = self.shortcuts.get(body["callback_id"])
        if handle is None:
            await ack()
            return
        try:
            modal = await handle(request)
            if modal is not None:
                await client.views_open(trigger_id=body["trigger_id"], view=modal)
        except Exception as error:  # noqa: BLE001 - whoever waits is told; see _apology
            await _say_directly(client, request, _apology(error, request.words))
        await ack()

    async def _event(self, ack: AsyncAck, body: dict[str, Any], event: dict[str, Any]) -> None:
        handle = self.events.get(event["type"])
        if handle is None or not event.get("user"):
            await ack()
            return
        sender = event_sender(body)
        words = await self._words(sender.person)
        # Nobody is told when this fails: it leaves the listener, Slack sees an error and sends it again.
        await handle(Request(sender=sender, key=event_key(body), words=words, body=body), event)
        await ack()


def _first_input(view: Payload) -> str:
    """Return the block id of the first input: Slack shows an error nowhere else."""
    inputs = (block["block_id"] for block in view["blocks"] if block["type"] == "input")
    return str(next(inputs, view["blocks"][0]["block_id"]))


def _finished(modal: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return a modal as it is shown: marked if it is a drill's, and saying what was replaced."""
    return modal_with_count(_marked_as_pressed(modal, request), request.redacted, request.words)


def _marked_as_pressed(modal: dict[str, Any], request: Request) -> dict[str, Any]:
    """Mark a modal that continues a drill's message or modal: the one border for all that is pressed.

    The incident is not read for it, because a `trigger_id` lives 3 s.
    """
    return marked_modal(modal, request.words) if is_of_drill(request.body) else modal


async def _show_modal(client: AsyncWebClient, body: Payload, modal: dict[str, Any]) -> None:
    """Open a modal; from within a modal, put it on top, or in the place of the one it continues."""
    pressed = body.get("view") or {}
    if pressed.get("type") != "modal":
        await client.views_open(trigger_id=body["trigger_id"], view=modal)
    elif pressed.get("callback_id") == modal["callback_id"]:
        await client.views_update(view_id=pressed["id"], view=modal)
    else:
        await client.views_push(trigger_id=body["trigger_id"], view=modal)


async def _replace(respond: AsyncRespond, message: Message) -> None:
    """Put a message in the place of the one that was pressed in, which only that person may see."""
    async with asyncio.timeout(REPLACE_WITHIN_SECONDS):
        answer = await respond(text=message.text, blocks=message.blocks, replace_original=True)
    if answer.status_code != HTTPStatus.OK:
        # Slack forgets after half an hour where a message stood that only one person saw.
        log.warning("message_not_replaced", status=answer.status_code)


async def _nothing_to_do(ack: AsyncAck) -> None:
    """Answer what we did not ask for: a 404 would make Slack try again and switch us off."""
    await ack()


def _apology(error: Exception, words: Words) -> str:
    """Say that nothing was recorded and so nothing will be done, with a reference to the log."""
    reference = secrets.token_hex(4)
    log.error("request_failed", reference=reference, exc_info=error)
    if isinstance(error, StoreDown):
        return words.say(
            ":x: The database cannot be reached, so nothing was recorded and *nothing will be done* "
            "(reference {reference}). Press again in a moment, or use {command} on the command line.",
            reference=words.code(reference),
            command=words.code("backout rollback"),
        )
    return words.say(
        ":x: The bot failed, so *nothing will be done* (reference {reference}). Please try again.",
        reference=words.code(reference),
    )


async def _say_directly(client: AsyncWebClient, request: Request, text: str) -> None:
    try:
        await client.chat_postMessage(channel=request.sender.person, text=text)
    except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError):
        # The person sees Slack's own error mark on the button; the log holds the reference.
        log.exception("apology_not_sent", person=request.sender.person)
