"""Acting as a person: each thing done is one signed request, and what Slack makes of the answer."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.slack import modals, payloads, reactions
from bot.sandbox.slack.app_features import OWN_COMMANDS, Kind, Tab, commands, has_tab, shortcuts
from bot.sandbox.slack.blocks import elements_of
from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.deliveries import Courier, Delivery, nothing_sent
from bot.sandbox.slack.events import Events, Sleep
from bot.sandbox.slack.inputs import (
    STATEFUL,
    chosen_places,
    client_errors,
    filled_state,
    initial_state,
    selection,
)
from bot.sandbox.slack.mentions import escaped_mentions, message_text
from bot.sandbox.slack.people import PEOPLE
from bot.sandbox.slack.response_urls import ResponseUrls, post_answer
from bot.sandbox.slack.uploads import attach
from bot.sandbox.slack.web_api.arguments import ApiError
from bot.sandbox.slack.web_api.content import LONGEST_TEXT
from bot.sandbox.slack.web_api.views import checked_view
from bot.sandbox.slack.workspace import OpenView, Post, Workspace

Json = dict[str, Any]

#: What Slack's client shows when the answer to a submission makes no sense.
TROUBLE = "We had some trouble connecting. Try again?"


class Actors:
    """Does what people do. Asking for something that is not on their screen is a `LookupError`."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        courier: Courier,
        response_urls: ResponseUrls,
        base_url: Callable[[], str],
        sleep: Sleep,
    ) -> None:
        self._workspace = workspace
        self._courier = courier
        self._response_urls = response_urls
        self._base_url = base_url
        self._events = Events(workspace, courier, sleep)

    async def aclose(self) -> None:
        """Stop whatever still goes on in the background."""
        await self._events.aclose()

    def forget(self) -> None:
        """Deliver no event again that the app has missed so far."""
        self._events.forget()

    async def settled(self) -> None:
        """Return when no event is waiting to be delivered again."""
        await self._events.settled()

    # Commands -----------------------------------------------------------------------------------

    async def slash(self, user: str, channel: str, text: str) -> Delivery:
        """Type ``/command rest`` into a channel."""
        conversation = self._place(user, channel)
        command, _, rest = text.strip().partition(" ")
        if command in OWN_COMMANDS:
            return nothing_sent(f"{command} is Slack's own command; the sandbox does not have it")
        known = self._command(command)
        if known is None:
            return nothing_sent(f"{command} is not a valid command")
        if known.get("should_escape"):
            conversations = self._workspace.contents.conversations
            rest = escaped_mentions(rest, conversations, self._workspace.bot.name)
        fields = payloads.slash_fields(
            user=user,
            conversation=conversation,
            command=command,
            text=rest.strip(),
            response_url=self._response_url(user, channel),
            trigger_id=self._trigger(user),
        )
        delivery = await self._courier.command(fields)
        return self._answered(delivery, user, channel)

    def _command(self, name: str) -> Mapping[str, Any] | None:
        rows = commands(self._workspace.manifest)
        return next((row for row in rows if row["command"] == name), None)

    def _answered(self, delivery: Delivery, user: str, channel: str) -> Delivery:
        """Turn the body of a command's answer into a message."""
        if delivery.shown is not None or not delivery.text.strip():
            return delivery
        body = delivery.body if isinstance(delivery.body, dict) else {"text": delivery.text}
        if not body:
            return delivery
        try:
            post_answer(self._workspace, user, channel, body)
        except ApiError as refused:
            return delivery.with_shown(refused.code)
        return delivery

    # Shortcuts ----------------------------------------------------------------------------------

    async def shortcut(self, user: str, callback_id: str) -> Delivery:
        """Choose a global shortcut."""
        if user not in PEOPLE:
            raise LookupError(f"there is no {user}")
        self._offered("global", callback_id)
        payload = payloads.global_shortcut(
            user=user,
            callback_id=callback_id,
            action_ts=self._workspace.next_ts(),
            trigger_id=self._trigger(user),
        )
        return await self._courier.interaction(payload)

    async def message_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Delivery:
        """Choose a shortcut from a message's menu."""
        self._offered("message", callback_id)
        payload = payloads.message_shortcut(
            self._workspace,
            user=user,
            post=self._lasting(user, channel, ts),
            callback_id=callback_id,
            response_url=self._response_url(user, channel),
            trigger_id=self._trigger(user),
        )
        return await self._courier.interaction(payload)

    def _offered(self, kind: Kind, callback_id: str) -> None:
        offered = [row["callback_id"] for row in shortcuts(self._workspace.manifest, kind)]
        if callback_id not in offered:
            raise LookupError(f"the manifest has no {kind} shortcut {callback_id}, only {offered}")

    # Messages -----------------------------------------------------------------------------------

    async def say(self, user: str, channel: str, text: str, thread_ts: str | None) -> Delivery:
        """Write a message. Slack does not say so when the bot fails to hear of it, and neither do we."""
        if len(text) > LONGEST_TEXT:
            return nothing_sent("msg_too_long")
        post = self._write(user, channel, text, thread_ts)
        await self._events.tell(self._workspace.add(post))
        return nothing_sent()

    async def share(
        self, user: str, channel: str, files: Mapping[str, bytes], text: str, thread_ts: str | None
    ) -> Delivery:
        """Write a message that carries files: {name: content}."""
        if len(text) > LONGEST_TEXT:
            return nothing_sent("msg_too_long")
        post = self._write(user, channel, text, thread_ts)
        attach(self._workspace, post, files, base_url=self._base_url())
        await self._events.tell(self._workspace.add(post))
        return nothing_sent()

    def _write(self, user: str, channel: str, text: str, thread_ts: str | None) -> Post:
        conversation = self._place(user, channel)
        if thread_ts is not None and self._workspace.find(channel, thread_ts, viewer=user) is None:
            raise LookupError(f"no thread {thread_ts} in {channel}")
        conversations = self._workspace.contents.conversations
        written = message_text(text, conversations, self._workspace.bot.name)
        return Post(channel=conversation.id, body=self._workspace.person_body(user, written, thread_ts))

    async def react(self, user: str, channel: str, ts: str, name: str, *, on: bool) -> Delivery:
        """Put a reaction on a message, or take one's own off again; the bot hears of it if it subscribed."""
        post = self._lasting(user, channel, ts)
        if not reactions.is_emoji_name(name):
            raise LookupError(f"there is no emoji {name!r}")
        try:
            (reactions.add if on else reactions.remove)(post, user, name)
        except (reactions.AlreadyReacted, reactions.NoReaction) as settled:
            raise LookupError(f"{user} has {'' if on else 'not '}reacted with {settled}") from None
        self._workspace.touch()
        await self._events.tell_reaction("added" if on else "removed", user, post, name)
        return nothing_sent()

    # The app's tabs -----------------------------------------------------------------------------

    async def open_home(self, user: str, tab: Tab) -> Delivery:
        """Open the app and look at one of its tabs; the bot hears of it if it subscribed."""
        if not has_tab(self._workspace.manifest, tab):
            raise LookupError(f"the manifest does not enable the {tab} tab")
        await self._events.tell_home(user, self._place(user, f"D{user[1:]}"), tab)
        return nothing_sent()

    # Clicks -------------------------------------------------------------------------------------

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None,
        selected: Any,
        values: Mapping[str, Any],
    ) -> Delivery:
        """Use a button, menu or picker of a message, after filling in `values` of its inputs."""
        conversation = self._place(user, channel)
        post = self._workspace.find(conversation.id, ts, viewer=user)
        if post is None:
            raise LookupError(f"{user} sees no message {ts} in {channel}")
        block, element = _element(post.body.get("blocks", []), action_id, block_id)
        chosen = selection(element, selected)
        payload = payloads.message_action(
            self._workspace,
            user=user,
            post=post,
            action=payloads.action(element, block["block_id"], chosen, self._workspace.next_ts()),
            state=self._message_state(user, post, block, element, chosen, values),
            response_url=self._response_url(user, channel, original=ts),
            trigger_id=self._trigger(user),
        )
        return await self._courier.interaction(payload)

    def _message_state(
        self, user: str, post: Post, block: Json, element: Json, chosen: Json, values: Mapping[str, Any]
    ) -> Json:
        key = (user, post.channel, post.ts)
        picked = self._workspace.contents.picked
        blocks = post.body["blocks"]
        state = filled_state(blocks, initial_state(blocks, picked.get(key)), values)
        _remember(state, block, element, chosen)
        picked[key] = state
        return copy.deepcopy(state)

    async def click_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        *,
        block_id: str | None,
        selected: Any,
        values: Mapping[str, Any],
    ) -> Delivery:
        """Use a button, menu or picker of an open modal, or of the Home, after filling in `values`."""
        opened = self._opened(user, view_id)
        block, element = _element(opened.view["blocks"], action_id, block_id)
        chosen = selection(element, selected)
        state = filled_state(opened.view["blocks"], opened.view["state"]["values"], values)
        _remember(state, block, element, chosen)
        opened.view["state"]["values"] = state
        payload = payloads.view_action(
            user=user,
            opened=opened,
            action=payloads.action(element, block["block_id"], chosen, self._workspace.next_ts()),
            trigger_id=self._trigger(user),
        )
        return await self._courier.interaction(payload)

    # Modals -------------------------------------------------------------------------------------

    async def submit(self, user: str, view_id: str, values: Mapping[str, Any]) -> Delivery:
        """Fill in a modal and press its submit button. A form the client refuses is not sent."""
        opened = self._opened(user, view_id)
        if opened.view["submit"] is None:
            raise LookupError(f"view {view_id} has no submit button")
        blocks = opened.view["blocks"]
        state = filled_state(blocks, opened.view["state"]["values"], values)
        opened.view["state"]["values"] = state
        errors = client_errors(blocks, state)
        if errors:
            return nothing_sent(body={"response_action": "errors", "errors": errors})
        payload = payloads.view_submission(
            user=user,
            opened=opened,
            trigger_id=self._trigger(user),
            response_urls=[self._chosen_place(user, *chosen) for chosen in chosen_places(blocks, state)],
        )
        delivery = await self._courier.interaction(payload)
        return self._submitted(delivery, opened)

    def _chosen_place(self, user: str, block_id: str, action_id: str, channel: str) -> Json:
        response_url = self._response_url(user, channel)
        chosen = {"block_id": block_id, "action_id": action_id, "channel_id": channel}
        return {**chosen, "response_url": response_url}

    def _submitted(self, delivery: Delivery, opened: OpenView) -> Delivery:
        if delivery.shown is not None:
            return delivery
        body = delivery.body if isinstance(delivery.body, dict) else {}
        if not body and delivery.text.strip() not in {"", "{}"}:
            return delivery.with_shown(TROUBLE)
        try:
            self._obey(body, opened)
        except ApiError:
            return delivery.with_shown(TROUBLE)
        return delivery

    def _obey(self, body: Json, opened: OpenView) -> None:
        """Do what the answer to a submission says.

        Raises:
            ApiError: it says something Slack does not understand.
        """
        match body.get("response_action"):
            case None:
                modals.close(self._workspace, opened)
            case "clear":
                modals.clear(self._workspace, opened.user)
            case "update":
                modals.replace(self._workspace, opened, checked_view(body.get("view"), "modal"))
            case "push" if len(self._workspace.stack(opened.user)) < modals.DEEPEST_STACK:
                modals.push(self._workspace, opened.user, checked_view(body.get("view"), "modal"))
            case "errors" if _names_inputs(body.get("errors"), opened):
                pass
            case unknown:
                raise ApiError("invalid_response_action", got=unknown)

    async def close_view(self, user: str, view_id: str, *, clear: bool = False) -> Delivery:
        """Press a modal's close button, or with `clear` the X, which closes the views below as well."""
        opened = self._opened(user, view_id)
        if opened.view["type"] != "modal":
            raise LookupError("the Home cannot be closed")
        cleared = clear or bool(opened.view["clear_on_close"])
        if cleared:
            modals.clear(self._workspace, user)
        else:
            modals.close(self._workspace, opened)
        if not opened.view["notify_on_close"]:
            return nothing_sent()
        payload = payloads.view_closed(user=user, opened=opened, is_cleared=cleared)
        return await self._courier.interaction(payload)

    # Shared -------------------------------------------------------------------------------------

    def _place(self, user: str, channel: str) -> Conversation:
        found = self._workspace.conversation(channel)
        if user not in PEOPLE or found is None or user not in found.members:
            raise LookupError(f"{user} is not in {channel}")
        return found

    def _lasting(self, user: str, channel: str, ts: str) -> Post:
        """Return a message that has a menu and takes reactions: not an ephemeral or deleted one."""
        conversation = self._place(user, channel)
        post = self._workspace.find(conversation.id, ts)
        if post is None or post.ephemeral_for is not None or post.body.get("subtype") == "tombstone":
            raise LookupError(f"{user} sees no lasting message {ts} in {channel}")
        return post

    def _opened(self, user: str, view_id: str) -> OpenView:
        opened = self._workspace.open_view(view_id)
        if opened is None or opened.user != user:
            raise LookupError(f"{user} has no view {view_id} open")
        if opened.view["type"] == "modal" and self._workspace.stack(user)[-1] is not opened:
            raise LookupError(f"view {view_id} is under another one")
        return opened

    def _trigger(self, user: str) -> str:
        return self._workspace.contents.triggers.make(user, now=self._workspace.clock())

    def _response_url(self, user: str, channel: str, *, original: str | None = None) -> str:
        return f"{self._base_url()}/{self._response_urls.make(user, channel, original=original)}"


def _element(blocks: list[Json], action_id: str, block_id: str | None) -> tuple[Json, Json]:
    """Return the control that somebody pressed, with its block.

    An edit gives a new id to each block that the app did not name. Who presses a moment before it is on
    their screen means the control that took the place of the one they see, where there is just one.
    """
    every = [(block, element) for block in blocks for element in elements_of(block)]
    named = [(block, element) for block, element in every if element.get("action_id") == action_id]
    exact = [(block, element) for block, element in named if block_id in {None, block["block_id"]}]
    if not exact and len(named) != 1:
        raise LookupError(f"nothing here has the action_id {action_id}")
    block, element = (exact or named)[0]
    if block["type"] == "input" and not block.get("dispatch_action"):
        raise LookupError(f"the input {action_id} tells the app nothing before it is submitted")
    return block, element


def _remember(values: Json, block: Json, element: Json, chosen: Json) -> None:
    if element["type"] in STATEFUL:
        entry = {"type": element["type"], **chosen}
        values.setdefault(block["block_id"], {})[element["action_id"]] = entry


def _names_inputs(errors: Any, opened: OpenView) -> bool:
    inputs = {block["block_id"] for block in opened.view["blocks"] if block["type"] == "input"}
    return isinstance(errors, dict) and bool(errors) and set(errors) <= inputs
