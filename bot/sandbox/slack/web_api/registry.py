"""The table of Web API methods: each file of this package adds its family."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.slack.conversations import Conversation
from bot.sandbox.slack.web_api.arguments import ApiError, Arguments, Json
from bot.sandbox.slack.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One call being answered: the workspace, the arguments, and where the server itself can be reached.

    `new_address` makes an address for one socket.
    """

    workspace: Workspace
    arguments: Arguments
    base_url: str
    new_address: Callable[[], str]

    def need(self, scope: str) -> None:
        """Refuse unless the app was granted `scope`."""
        granted = self.workspace.scopes
        if scope not in granted:
            raise ApiError("missing_scope", needed=scope, provided=",".join(granted))

    def conversation(self, name: str = "channel") -> Conversation:
        """Return the conversation named by an argument that holds its id."""
        found = self.workspace.conversation(self.arguments.required(name))
        if found is None:
            raise ApiError("channel_not_found")
        return found


Method = Callable[[Invocation], Json]


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A method and the scopes of which any one lets an app call it.

    `tokenless` ones need no token, `app_level` ones the app's own (``xapp-``) instead of the bot's.
    """

    call: Method
    scopes: tuple[str, ...] = ()
    tokenless: bool = False
    app_level: bool = False


METHODS: dict[str, Registered] = {}


def method(
    name: str, *scopes: str, tokenless: bool = False, app_level: bool = False
) -> Callable[[Method], Method]:
    """Register a function as the Web API method `name`."""

    def register(function: Method) -> Method:
        METHODS[name] = Registered(call=function, scopes=scopes, tokenless=tokenless, app_level=app_level)
        return function

    return register
