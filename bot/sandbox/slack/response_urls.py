"""`response_url`s: answering a command or a click later, without a token."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.web_api.arguments import ApiError
from bot.sandbox.slack.web_api.content import NO_FALLBACK, checked_blocks
from bot.sandbox.slack.workspace import Json, Post, Workspace

#: Source: docs.slack.dev, "Handling user interaction".
USES = 5
LIFETIME_SECONDS = 30 * 60


@dataclass
class _Address:
    """Where one response_url leads. `original` is the message that was clicked; commands have none."""

    user: str
    channel: str
    original: str | None
    made_at: float
    uses: int = 0


@dataclass
class ResponseUrls:
    """The response_urls handed out so far."""

    workspace: Workspace
    _known: dict[str, _Address] = field(default_factory=dict)

    def make(self, user: str, channel: str, *, original: str | None = None) -> str:
        """Return the path of a new one; the caller puts the server's address before it."""
        key = secrets.token_urlsafe(18)
        self._known[key] = _Address(user, channel, original, self.workspace.clock())
        return f"{'actions' if original else 'commands'}/{key}"

    def clear(self) -> None:
        """Forget all of them."""
        self._known.clear()

    def use(self, key: str, body: Any) -> None:
        """Do what the app asks for.

        Raises:
            ApiError: with Slack's code, when the address is used up or the body is wrong.
        """
        address = self._known.get(key)
        if address is None or self.workspace.clock() - address.made_at > LIFETIME_SECONDS:
            raise ApiError("expired_url")
        if address.uses >= USES:
            raise ApiError("used_url")
        address.uses += 1
        if not isinstance(body, dict):
            raise ApiError("invalid_payload")
        self._respond(address, body)

    def _respond(self, address: _Address, body: Json) -> None:
        original = self._original(address)
        if body.get("delete_original") is True:
            if original is not None:
                self.workspace.remove(original)
            return
        if body.get("replace_original") is True and original is not None:
            self._replace(original, body)
            return
        post_answer(self.workspace, address.user, address.channel, body)

    def _original(self, address: _Address) -> Post | None:
        if address.original is None:
            return None
        return self.workspace.find(address.channel, address.original, viewer=address.user)

    def _replace(self, post: Post, body: Json) -> None:
        text, blocks = answer_content(body)
        kept = {key: value for key, value in post.body.items() if key not in {"blocks", "attachments"}}
        post.body = {**kept, "text": text, **({} if blocks is None else {"blocks": blocks})}
        if blocks is None and post.ephemeral_for is None:
            post.body["edited"] = {"user": post.body["user"], "ts": self.workspace.next_ts()}
        self.workspace.touch()


def answer_content(body: Json) -> tuple[str, list[Json] | None]:
    """Return text and blocks of an answer.

    Raises:
        ApiError: ``no_text`` or ``invalid_blocks``.
    """
    given = body.get("blocks")
    blocks = checked_blocks(given) if isinstance(given, list) and given else None
    text = body.get("text")
    if not text and blocks is None and not body.get("attachments"):
        raise ApiError("no_text")
    return str(text) if text else NO_FALLBACK, blocks


def post_answer(workspace: Workspace, user: str, channel: str, body: Json) -> Post:
    """Post an answer: for the person alone, or for the channel where it says so."""
    text, blocks = answer_content(body)
    public = body.get("response_type") == "in_channel"
    thread_ts = body.get("thread_ts") if public else None
    message = workspace.bot_body(text, blocks, thread_ts=thread_ts, attachments=body.get("attachments"))
    return workspace.add(Post(channel=channel, body=message, ephemeral_for=None if public else user))
