"""The services as the sandbox begins: a split of revisions, and two services behind a router."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.cloud.resources import (
    DEPLOYER,
    ServiceMessage,
    etag,
    new_template,
    revision_path,
    service_path,
    stamp,
    to_latest,
    to_revision,
)
from bot.sandbox.names import (
    API_CANARY,
    API_SERVICE,
    API_STABLE,
    CHAT_CANARY_SERVICE,
    CHAT_ROUTER,
    CHAT_SERVICE,
    CHAT_VARIABLE,
)

STABLE_AGE = timedelta(days=30)
CANARY_AGE = timedelta(minutes=10)
CANARY_TAG = "canary"


@dataclass(frozen=True, kw_only=True)
class FirstRevision:
    """A revision that exists from the start."""

    name: str
    image: str
    age: timedelta
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FirstService:
    """A service as the sandbox begins; `traffic` are traffic lines, `revisions` oldest first.

    `role` is ``revisions``, ``stable``, ``canary`` or ``router``; `users` is True where load arrives,
    and `share` the part of that load that reaches the service, 0 to 1.
    """

    name: str
    topology: str
    role: str
    revisions: tuple[FirstRevision, ...]
    traffic: tuple[Any, ...]
    users: bool = False
    share: float = 1.0

    @property
    def can_fail(self) -> bool:
        """True where the page offers to switch faults: what a canary deployment just changed."""
        return self.role in ("revisions", "canary")


def first_services() -> tuple[FirstService, ...]:
    """Return the sandbox's services."""
    stable = FirstRevision(name=API_STABLE, image="ion-api:41", age=STABLE_AGE)
    canary = FirstRevision(name=API_CANARY, image="ion-api:42", age=CANARY_AGE)
    api = FirstService(
        name=API_SERVICE,
        topology="revisions",
        role="revisions",
        revisions=(stable, canary),
        traffic=(to_revision(API_STABLE, 90), to_revision(API_CANARY, 10, CANARY_TAG)),
        users=True,
    )
    return api, *_chat()


def _chat() -> tuple[FirstService, ...]:
    old = FirstRevision(name=f"{CHAT_SERVICE}-00017-pol", image="ion-chat:17", age=STABLE_AGE)
    new = FirstRevision(name=f"{CHAT_CANARY_SERVICE}-00003-tam", image="ion-chat:18", age=CANARY_AGE)
    router = FirstRevision(
        name=f"{CHAT_ROUTER}-00009-dia",
        image="ion-chat-router:9",
        age=CANARY_AGE,
        environment={CHAT_VARIABLE: "10", "PHASE4_ENABLED": "true"},
    )
    return (
        _behind_router(CHAT_SERVICE, "stable", old, share=0.9),
        _behind_router(CHAT_CANARY_SERVICE, "canary", new, share=0.1),
        _behind_router(CHAT_ROUTER, "router", router, share=1.0),
    )


def _behind_router(name: str, role: str, revision: FirstRevision, *, share: float) -> FirstService:
    return FirstService(
        name=name,
        topology="services",
        role=role,
        revisions=(revision,),
        traffic=(to_latest(100),),
        users=role == "router",
        share=share,
    )


def first_message(first: FirstService, *, uri: str, now: datetime) -> Any:
    """Return the resource of `first`, wanting its traffic but not yet observed to serve it."""
    newest = first.revisions[-1]
    message = ServiceMessage(
        name=service_path(first.name),
        uid=etag("uid", first.name).strip('"'),
        generation=len(first.revisions) + 1,
        creator=DEPLOYER,
        last_modifier=DEPLOYER,
        create_time=stamp(now - STABLE_AGE),
        update_time=stamp(now - newest.age),
        uri=uri,
        urls=[uri],
        latest_created_revision=revision_path(first.name, newest.name),
        etag=etag(first.name, now),
        labels={"app": first.name},
    )
    message.traffic.extend(first.traffic)
    message.template.CopyFrom(new_template(newest.image, newest.environment))
    message.template.revision = newest.name
    return message
