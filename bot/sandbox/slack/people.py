"""The people and the bot of the sandbox, as Slack's `user` objects and as the page shows them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox import names

PEOPLE: Mapping[str, names.Person] = {person.id: person for person in names.PEOPLE}
#: Where guests and people of another workspace are members; everybody else is everywhere.
OPEN_TO_ALL = frozenset({"C0PARTNER", "C0CRITICAL"})


@dataclass(frozen=True, kw_only=True)
class BotUser:
    """How the manifest names the bot."""

    name: str
    display_name: str

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> "BotUser":
        """Read the names from a parsed manifest, with the product's name where it is silent."""
        display_name = manifest.get("display_information", {}).get("name", "Backout")
        name = manifest.get("features", {}).get("bot_user", {}).get("display_name", display_name)
        return cls(name=str(name).lower(), display_name=str(display_name))


def is_member(user: str, channel: str) -> bool:
    """Say whether this person was in the channel from the start."""
    person = PEOPLE[user]
    return channel in OPEN_TO_ALL or not (person.guest or person.outsider)


def user_object(user: str, bot: BotUser, *, include_locale: bool) -> dict[str, Any]:
    """Return what ``users.info`` says of this person or of the bot."""
    if user == names.BOT_USER_ID:
        return _bot_object(bot)
    person = PEOPLE[user]
    answer = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": False,
        "color": avatar_color(person.id).lstrip("#"),
        "real_name": person.real_name,
        "tz": person.tz,
        "tz_label": person.tz,
        "tz_offset": person.tz_offset,
        "profile": _profile(person.real_name, person.name, person.team_id),
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.guest,
        "is_ultra_restricted": False,
        "is_bot": False,
        "is_app_user": False,
        "updated": 0,
        "is_email_confirmed": True,
        "who_can_share_contact_card": "EVERYONE",
    }
    if person.outsider:
        # False, because the bot shares a channel with her; True is for people it shares none with.
        answer["is_stranger"] = False
    return {**answer, "locale": person.locale} if include_locale else answer


def _bot_object(bot: BotUser) -> dict[str, Any]:
    return {
        "id": names.BOT_USER_ID,
        "team_id": names.TEAM_ID,
        "name": bot.name,
        "deleted": False,
        "color": avatar_color(names.BOT_USER_ID).lstrip("#"),
        "real_name": bot.display_name,
        "tz": "America/Los_Angeles",
        "tz_label": "Pacific Standard Time",
        "tz_offset": -28800,
        "profile": {
            **_profile(bot.display_name, bot.name, names.TEAM_ID),
            "api_app_id": names.APP_ID,
            "bot_id": names.BOT_ID,
            "always_active": False,
        },
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": True,
        "is_app_user": False,
        "updated": 0,
    }


def _profile(real_name: str, name: str, team: str) -> dict[str, Any]:
    return {
        "title": "",
        "phone": "",
        "real_name": real_name,
        "real_name_normalized": real_name,
        "display_name": name,
        "display_name_normalized": name,
        "status_text": "",
        "status_emoji": "",
        "status_expiration": 0,
        "team": team,
    }


def avatar_color(user: str) -> str:
    """Return a steady colour, ``#rrggbb``, dark enough for white letters."""
    digest = hashlib.sha256(user.encode()).digest()
    return "#" + "".join(f"{60 + byte % 100:02x}" for byte in digest[:3])


def page_people(bot: BotUser) -> list[dict[str, Any]]:
    """Return everybody for the page, the bot last."""
    people: list[dict[str, Any]] = [
        {
            "id": person.id,
            "name": person.name,
            "real_name": person.real_name,
            "locale": person.locale,
            "tz": person.tz,
            "role": person.role,
            "guest": person.guest,
            "outsider": person.outsider,
            "is_bot": False,
            "avatar_color": avatar_color(person.id),
        }
        for person in names.PEOPLE
    ]
    robot = {"id": names.BOT_USER_ID, "name": bot.name, "real_name": bot.display_name}
    looks = {"locale": "en-US", "tz": "UTC", "role": "", "guest": False, "outsider": False, "is_bot": True}
    return [*people, {**robot, **looks, "avatar_color": avatar_color(names.BOT_USER_ID)}]
