"""The sandbox's fixed cast: workspace, people, channels, services, secrets. None of it is real."""

from dataclasses import dataclass

TEAM_ID = "T0SANDBOX"
TEAM_NAME = "Backout sandbox"
OTHER_TEAM_ID = "T0PARTNER"
APP_ID = "A0BACKOUT"
BOT_ID = "B0BACKOUT"
BOT_USER_ID = "U0BACKOUT"
BOT_TOKEN = "xoxb-sandbox-not-a-secret"
APP_TOKEN = "xapp-sandbox-not-a-secret"
SIGNING_SECRET = "sandbox-signing-secret-not-a-secret"

PROJECT = "ion-sandbox"
REGION = "us-central1"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody to act as. `role` is what the sandbox's playbook lets them do, in words."""

    id: str
    name: str
    real_name: str
    locale: str
    tz: str
    tz_offset: int
    role: str
    team_id: str = TEAM_ID
    guest: bool = False
    outsider: bool = False


PEOPLE = (
    Person(
        id="U0SENA",
        name="sena",
        real_name="Sena",
        locale="ko-KR",
        tz="Asia/Seoul",
        tz_offset=32400,
        role="Deployment lead; may roll back",
    ),
    Person(
        id="U0GITCO",
        name="gitco",
        real_name="Gitco",
        locale="en-US",
        tz="America/New_York",
        tz_offset=-18000,
        role="Backend engineer; may not roll back",
    ),
    Person(
        id="U0LUBIT",
        name="lubit",
        real_name="Lubit",
        locale="en-US",
        tz="Europe/Berlin",
        tz_offset=3600,
        role="DevOps engineer; may roll back, through the user group @devops",
    ),
    Person(
        id="U0LEMUN",
        name="lemun",
        real_name="Lemun",
        locale="ko-KR",
        tz="Asia/Seoul",
        tz_offset=32400,
        role="Monitoring; may not roll back",
    ),
    Person(
        id="U0MANAGER",
        name="manager",
        real_name="Mina (manager)",
        locale="ko-KR",
        tz="Asia/Seoul",
        tz_offset=32400,
        role="Manager; may not roll back",
    ),
    Person(
        id="U0GUEST",
        name="guest",
        real_name="Gustav (guest)",
        locale="en-US",
        tz="Europe/Berlin",
        tz_offset=3600,
        role="Guest; may not act on production",
        guest=True,
    ),
    Person(
        id="U0OUTSIDE",
        name="olga",
        real_name="Olga (partner company)",
        locale="en-GB",
        tz="Europe/London",
        tz_offset=0,
        role="Outsider from Slack Connect; may not act on production",
        team_id=OTHER_TEAM_ID,
        outsider=True,
    ),
)
DEFAULT_ACTOR = "U0SENA"

#: User group id, handle, members.
USER_GROUPS = (("S0DEVOPS", "devops", ("U0LUBIT",)),)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A public channel; `shared` ones hold people of another workspace (Slack Connect)."""

    id: str
    name: str
    topic: str
    shared: bool = False


CHANNELS = (
    Channel(id="C0CRITICAL", name="critical-incidents", topic="Emergency channel: boards and records"),
    Channel(id="C0OPERATIONS", name="operations", topic="Deployment lead: Sena"),
    Channel(id="C0BACKEND", name="backend", topic="Backend engineer: Gitco"),
    Channel(id="C0DEVOPS", name="devops", topic="DevOps engineer: Lubit"),
    Channel(id="C0MONITORING", name="monitoring", topic="Monitoring: Lemun"),
    Channel(id="C0STATUS", name="status", topic="What users are told"),
    Channel(id="C0GENERAL", name="general", topic="The whole company"),
    Channel(id="C0PARTNER", name="partner", topic="Shared with a partner company", shared=True),
)

#: Topology `revisions`: one service, two revisions, 90/10.
API_SERVICE = "ion-api"
API_STABLE = "ion-api-00041-kim"
API_CANARY = "ion-api-00042-lee"
#: Topology `services`: two services behind a router that is told the canary's share by a variable.
CHAT_SERVICE = "ion-chat"
CHAT_CANARY_SERVICE = "ion-chat-canary"
CHAT_ROUTER = "ion-chat-router"
CHAT_VARIABLE = "CANARY_TRAFFIC_PERCENTAGE"

#: Channels the bot was invited to.
BOT_CHANNELS = frozenset({"C0CRITICAL", "C0OPERATIONS"})
