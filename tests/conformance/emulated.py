"""`emulate`, the third-party Slack, as a stage: its Web API does the remembering, this does what people do.

It has no commands, clicks, modals' answers or Home events; those are sent from here, signed by Slack's own
Python client, with the keys that Slack documents. What the bot then calls is answered by `emulate`.
"""

import contextlib
import json
import secrets
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

from bot.sandbox import names
from bot.sandbox.run import free_port, read_manifest
from tests.conformance.node import Script, running_script
from tests.conformance.stage import Json, Seen

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
DOMAIN = "backout-sandbox"
#: Nobody listens there: `emulate` has no response_url.
NO_RESPONSE_URL = "http://127.0.0.1:9/none"


def cast() -> Json:
    """Return the sandbox's people, channels and bot, with exactly the manifest's scopes."""
    manifest = read_manifest()
    people = [{"id": one.id, "name": one.name, "real_name": one.real_name} for one in names.PEOPLE]
    everybody = [one.id for one in names.PEOPLE]
    app = {"app_id": names.APP_ID, "bot_id": names.BOT_ID, "user_id": names.BOT_USER_ID}
    bot = {**app, "scopes": manifest["oauth_config"]["scopes"]["bot"], "token": names.BOT_TOKEN}
    persons = [
        {"token": _token(user), "user_id": user, "scopes": ["chat:write", "reactions:write"]}
        for user in everybody
    ]
    return {
        "team": {"id": names.TEAM_ID, "name": names.TEAM_NAME, "domain": DOMAIN},
        "people": people,
        "bot": {**app, "name": "backout", "real_name": "Backout"},
        "channels": [
            {
                "id": one.id,
                "name": one.name,
                "topic": one.topic,
                "members": [*everybody, *([names.BOT_USER_ID] if one.id in names.BOT_CHANNELS else [])],
            }
            for one in names.CHANNELS
        ],
        "tokens": [bot, *persons],
    }


def _token(user: str) -> str:
    return f"xoxp-{user}"


class EmulatedStage:
    """`emulate`, and people in it."""

    def __init__(self, base_url: str, http: httpx.AsyncClient) -> None:
        self.base_url = base_url
        self.api_url = f"{base_url}/api/"
        self.events_url = ""
        self._http = http
        self._signer = SignatureVerifier(names.SIGNING_SECRET)
        #: What the bot answered at once to a command: Slack shows that to the person, `emulate` cannot.
        self._answers: list[Json] = []
        #: Modals that people have closed; `emulate` keeps every view for ever.
        self._closed: set[str] = set()

    # What people do -----------------------------------------------------------------------------

    async def slash(self, user: str, channel: str, text: str) -> None:
        """See `Stage.slash`."""
        command, _, rest = text.partition(" ")
        fields = {
            "token": "not-relied-on",
            "team_id": names.TEAM_ID,
            "team_domain": DOMAIN,
            "channel_id": channel,
            "channel_name": _channel_name(channel),
            "user_id": user,
            "user_name": _name(user),
            "command": command,
            "text": rest,
            "api_app_id": names.APP_ID,
            "is_enterprise_install": "false",
            "response_url": NO_RESPONSE_URL,
            "trigger_id": await self._trigger(user),
        }
        answer = await self._send(urlencode(fields), FORM)
        if answer:
            said = answer if isinstance(answer, dict) else {"text": answer}
            self._answers.append({**said, "channel": channel, "for": user, "ts": f"{time.time():.6f}"})

    async def say(self, user: str, channel: str, text: str) -> str:
        """See `Stage.say`."""
        # As Slack's own app does with what people type.
        escaped = escape(text, quote=False)
        answer = await self._call(_token(user), "chat.postMessage", channel=channel, text=escaped)
        return str(answer["ts"])

    async def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """See `Stage.react`; the event is sent from here, because `emulate` leaves the app's id out."""
        await self._call(_token(user), "reactions.add", channel=channel, timestamp=ts, name=name)
        event = {
            "type": "reaction_added",
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": channel, "ts": ts},
            "item_user": (await self._message(channel, ts))["user"],
            "event_ts": f"{time.time():.6f}",
        }
        await self._event(event)

    async def click(self, user: str, channel: str, ts: str, action_id: str) -> None:
        """See `Stage.click`."""
        message = await self._message(channel, ts)
        block, element = _element(message["blocks"], action_id)
        payload = {
            **_interaction("block_actions", user),
            "container": {
                "type": "message",
                "message_ts": ts,
                "channel_id": channel,
                "is_ephemeral": False,
            },
            "trigger_id": await self._trigger(user),
            "channel": {"id": channel, "name": _channel_name(channel)},
            "message": message,
            "state": {"values": {}},
            "response_url": NO_RESPONSE_URL,
            "actions": [{**element, "block_id": block["block_id"], "action_ts": f"{time.time():.6f}"}],
        }
        await self._interact(payload)

    async def click_view(self, user: str, view_id: str, action_id: str, *, beside: str) -> None:
        """See `Stage.click_view`."""
        view = await self._view(view_id)
        fitting = [block for block in view["blocks"] if beside in str(block.get("text"))]
        block, element = _element(fitting, action_id)
        payload = {
            **_interaction("block_actions", user),
            "container": {"type": "view", "view_id": view_id},
            # A view can be put on top of this one with it.
            "trigger_id": await self._trigger(user, view_id=view_id),
            "view": {**view, "app_installed_team_id": names.TEAM_ID},
            "actions": [{**element, "block_id": block["block_id"], "action_ts": f"{time.time():.6f}"}],
        }
        await self._interact(payload)

    async def submit(self, user: str, view_id: str, values: Mapping[str, str]) -> Json:
        """See `Stage.submit`; the answer's ``errors`` and ``update`` are looked at by the story alone."""
        view = await self._view(view_id)
        view["state"] = {"values": dict(_state(view["blocks"], values))}
        payload = {
            **_interaction("view_submission", user),
            "trigger_id": await self._trigger(user),
            "view": {**view, "app_installed_team_id": names.TEAM_ID},
            "response_urls": [],
        }
        answer = await self._interact(payload)
        if not answer:
            self._closed.add(view_id)
        return dict(answer or {})

    async def press_message_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> None:
        """See `Stage.press_message_shortcut`."""
        payload = _interaction("message_action", user)
        # Slack's shortcuts do not name the app.
        del payload["api_app_id"]
        payload |= {
            "callback_id": callback_id,
            "action_ts": f"{time.time():.6f}",
            "trigger_id": await self._trigger(user),
            "response_url": NO_RESPONSE_URL,
            "channel": {"id": channel, "name": _channel_name(channel)},
            "message_ts": ts,
            "message": await self._message(channel, ts),
        }
        await self._interact(payload)

    async def open_home(self, user: str) -> None:
        """See `Stage.open_home`."""
        event = {"type": "app_home_opened", "user": user, "channel": f"D{user[1:]}", "tab": "home"}
        await self._event({**event, "event_ts": f"{time.time():.6f}"})

    # What there is ------------------------------------------------------------------------------

    async def seen(self) -> Seen:
        """See `Stage.seen`."""
        tables = (await self._http.get(f"{self.base_url}/conformance/state")).json()
        views = [_view(row) for row in tables["views"]]
        contents = {row["file_id"]: row.get("content_base64", "") for row in tables["files"]}
        modals = [view for view in views if view["type"] == "modal" and view["id"] not in self._closed]
        return Seen(
            messages=[_message(row) for row in tables["messages"]],
            whispers=[
                *({**_message(row), "for": row["target_user"]} for row in tables["ephemeralMessages"]),
                *self._answers,
            ],
            views=modals,
            homes={view["user"]: view for view in views if view["type"] == "home"},
            files=[_file(row, b64decode(contents[row["file_id"]])) for row in tables["files"]],
            pins=[(row["channel_id"], row["message_ts"]) for row in tables["pins"]],
        )

    async def _view(self, view_id: str) -> Json:
        return next(view for view in (await self.seen()).views if view["id"] == view_id)

    async def _message(self, channel: str, ts: str) -> Json:
        messages = (await self.seen()).messages
        return next(one for one in messages if (one["channel"], one["ts"]) == (channel, ts))

    # Speaking -----------------------------------------------------------------------------------

    async def _trigger(self, user: str, **within: str) -> str:
        answer = await self._call(names.BOT_TOKEN, "views.generateTriggerId", user_id=user, **within)
        return str(answer["trigger_id"])

    async def _call(self, token: str, method: str, **arguments: str) -> Json:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self._http.post(self.api_url + method, data=arguments, headers=headers)
        body: Json = answer.json()
        assert body["ok"], (method, body)
        return body

    async def _interact(self, payload: Json) -> Any:
        return await self._send(urlencode({"payload": json.dumps(payload)}), FORM)

    async def _event(self, event: Json) -> None:
        there = {"team_id": names.TEAM_ID, "user_id": names.BOT_USER_ID, "is_bot": True}
        envelope = {
            "token": "not-relied-on",
            "team_id": names.TEAM_ID,
            "api_app_id": names.APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(time.time()),
            "authorizations": [{**there, "enterprise_id": None, "is_enterprise_install": False}],
            "is_ext_shared_channel": False,
        }
        await self._send(json.dumps(envelope), JSON)

    async def _send(self, body: str, content_type: str) -> Any:
        timestamp = str(int(time.time()))
        signature = self._signer.generate_signature(timestamp=timestamp, body=body)
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": str(signature),
        }
        answer = await self._http.post(self.events_url, content=body, headers=headers)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        try:
            return answer.json()
        except ValueError:
            return answer.text


@contextlib.asynccontextmanager
async def running_emulate() -> AsyncIterator[EmulatedStage]:
    """Run `emulate` with the sandbox's cast in it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with (
        running_script("emulator.mjs") as script,
        httpx.AsyncClient(trust_env=False, timeout=60) as http,
    ):
        await _begun(script, port, url)
        yield EmulatedStage(url, http)


async def _begun(script: Script, port: int, url: str) -> None:
    script.say({**cast(), "port": port, "url": url})
    assert await script.hear() == {"ready": True}


def _interaction(kind: str, user: str) -> Json:
    name = _name(user)
    return {
        "type": kind,
        "user": {"id": user, "username": name, "name": name, "team_id": names.TEAM_ID},
        "team": {"id": names.TEAM_ID, "domain": DOMAIN},
        "api_app_id": names.APP_ID,
        "token": "not-relied-on",
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _name(user: str) -> str:
    return next(one.name for one in names.PEOPLE if one.id == user)


def _channel_name(channel: str) -> str:
    return next(one.name for one in names.CHANNELS if one.id == channel)


def _element(blocks: list[Json], action_id: str) -> tuple[Json, Json]:
    for block in blocks:
        for element in [*(block.get("elements") or ()), block.get("accessory") or {}]:
            if element.get("action_id") == action_id:
                return {"block_id": "", **block}, element
    raise LookupError(f"nothing here has the action_id {action_id}")


def _state(blocks: list[Json], values: Mapping[str, str]) -> Iterator[tuple[str, Json]]:
    """Yield block id and state of every input, with what people put in and what it held before."""
    for block in blocks:
        element = block.get("element")
        if element is None:
            continue
        given = values.get(element["action_id"])
        yield block["block_id"], {element["action_id"]: {"type": element["type"], **_entry(element, given)}}


def _entry(element: Json, given: str | None) -> Json:
    match element["type"]:
        case "static_select" | "radio_buttons":
            fits = [option for option in element["options"] if option["value"] == given]
            return {"selected_option": fits[0] if fits else element.get("initial_option")}
        case "datetimepicker":
            return {"selected_date_time": element.get("initial_date_time")}
        case "plain_text_input":
            return {"value": given if given is not None else element.get("initial_value")}
    raise LookupError(f"nobody here can fill in a {element['type']}")


def _message(row: Json) -> Json:
    kept = {"ts", "user", "text", "blocks", "thread_ts", "metadata", "files", "subtype"}
    return {"channel": row["channel_id"], **{key: value for key, value in row.items() if key in kept}}


def _view(row: Json) -> Json:
    return {**row, "id": row["view_id"], "user": row["user_id"]}


def _file(row: Json, content: bytes) -> Json:
    shares = {**row["shares"].get("public", {}), **row["shares"].get("private", {})}
    (channel, (share, *_)), *_ = shares.items()
    found = {key: row[key] for key in ("name", "title", "mimetype")}
    return {**found, "content": content, "channel": channel, "thread_ts": share.get("thread_ts")}
