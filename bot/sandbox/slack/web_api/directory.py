"""auth.*, api.*, users.*, usergroups.*: who is who."""

from bot.sandbox import names
from bot.sandbox.slack.blocks import Surface, validate
from bot.sandbox.slack.people import PEOPLE, user_object
from bot.sandbox.slack.web_api.arguments import ApiError, Json, invalid_arguments
from bot.sandbox.slack.web_api.paging import page
from bot.sandbox.slack.web_api.registry import Invocation, method

EVERYBODY = (*PEOPLE, names.BOT_USER_ID)


@method("auth.test")
def auth_test(call: Invocation) -> Json:
    """Say who the token belongs to."""
    return {
        "url": f"{call.base_url}/",
        "team": names.TEAM_NAME,
        "user": call.workspace.bot.name,
        "team_id": names.TEAM_ID,
        "user_id": names.BOT_USER_ID,
        "bot_id": names.BOT_ID,
        "is_enterprise_install": False,
    }


@method("api.test", tokenless=True)
def api_test(call: Invocation) -> Json:
    """Echo the arguments, or fail with the error asked for."""
    given = dict(call.arguments.given)
    error = call.arguments.text("error")
    if error is not None:
        raise ApiError(error, args=given)
    return {"args": given} if given else {}


@method("apps.connections.open", "connections:write", app_level=True)
def connections_open(call: Invocation) -> Json:
    """Return an address for one socket of Socket Mode."""
    return {"url": call.new_address()}


@method("users.info", "users:read")
def users_info(call: Invocation) -> Json:
    """Describe one person."""
    user = call.arguments.required("user")
    if user not in EVERYBODY:
        raise ApiError("user_not_found")
    locale = call.arguments.flag("include_locale")
    return {"user": user_object(user, call.workspace.bot, include_locale=locale)}


@method("bots.info", "users:read")
def bots_info(call: Invocation) -> Json:
    """Describe the bot: the one call that tells a token which app it belongs to."""
    if call.arguments.required("bot") != names.BOT_ID:
        raise ApiError("bot_not_found")
    return {
        "bot": {
            "id": names.BOT_ID,
            "deleted": False,
            "name": call.workspace.bot.name,
            "updated": int(call.workspace.clock()),
            "app_id": names.APP_ID,
            "user_id": names.BOT_USER_ID,
            "icons": {},
        }
    }


@method("users.list", "users:read")
def users_list(call: Invocation) -> Json:
    """Describe everybody."""
    part, cursor = page(EVERYBODY, call.arguments, default=1000)
    locale = call.arguments.flag("include_locale")
    found = [user_object(user, call.workspace.bot, include_locale=locale) for user in part]
    now = int(call.workspace.clock())
    return {"members": found, "cache_ts": now, "response_metadata": {"next_cursor": cursor}}


@method("usergroups.list", "usergroups:read")
def usergroups_list(call: Invocation) -> Json:
    """List the user groups, with their members on request."""
    with_users = call.arguments.flag("include_users")
    groups = [_group(call, *row, with_users=with_users) for row in names.USER_GROUPS]
    return {"usergroups": groups}


@method("usergroups.users.list", "usergroups:read")
def usergroups_users_list(call: Invocation) -> Json:
    """List the members of one user group."""
    wanted = call.arguments.required("usergroup")
    for group, _, users in names.USER_GROUPS:
        if group == wanted:
            return {"users": list(users)}
    raise ApiError("no_such_subteam")


@method("blocks.validate", tokenless=True)
def blocks_validate(call: Invocation) -> Json:
    """Check blocks, a message or a view, and list what is wrong."""
    given = [name for name in ("blocks", "message", "view") if call.arguments.has(name)]
    if len(given) != 1:
        raise invalid_arguments("must provide exactly one of `blocks`, `view`, or `message`")
    payload = call.arguments.json(given[0], "invalid_json")
    problems = validate(payload, _surface(given[0], payload))
    if problems:
        raise ApiError(f"invalid_{given[0]}", errors=problems)
    return {}


def _surface(name: str, payload: object) -> Surface:
    if name != "view":
        return "message"
    return "home" if isinstance(payload, dict) and payload.get("type") == "home" else "modal"


def _group(call: Invocation, group: str, handle: str, users: tuple[str, ...], *, with_users: bool) -> Json:
    described: Json = {
        "id": group,
        "team_id": names.TEAM_ID,
        "is_usergroup": True,
        "is_subteam": True,
        "name": handle,
        "description": "",
        "handle": handle,
        "is_external": False,
        "date_create": call.workspace.created,
        "date_update": call.workspace.created,
        "date_delete": 0,
        "created_by": names.DEFAULT_ACTOR,
        "updated_by": names.DEFAULT_ACTOR,
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
        "user_count": len(users),
    }
    return {**described, "users": list(users)} if with_users else described
