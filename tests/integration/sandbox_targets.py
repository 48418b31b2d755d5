"""The sandbox's two targets as a playbook names them, and where each side's numbers are."""

from bot.domain.ids import RevisionName, ServiceName
from bot.domain.traffic import SideAddress, Sides
from bot.sandbox.names import (
    API_CANARY,
    API_SERVICE,
    API_STABLE,
    CHAT_CANARY_SERVICE,
    CHAT_ROUTER,
    CHAT_SERVICE,
)
from tests.unit.adapters.targets import revisions_target, services_target

API = revisions_target(service=API_SERVICE, project="")
API_SIDES = Sides(
    stable=SideAddress(service=ServiceName(API_SERVICE), revision=RevisionName(API_STABLE)),
    canary=SideAddress(service=ServiceName(API_SERVICE), revision=RevisionName(API_CANARY)),
)
CHAT = services_target(service=CHAT_SERVICE, canary=CHAT_CANARY_SERVICE, router=CHAT_ROUTER, project="")
CHAT_SIDES = Sides(
    stable=SideAddress(service=ServiceName(CHAT_SERVICE)),
    canary=SideAddress(service=ServiceName(CHAT_CANARY_SERVICE)),
)
