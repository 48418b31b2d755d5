"""The services as the sandbox begins: a split of revisions, and two services behind a router."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.cloud.resources import (
    BACKEND_ENGINEER,
    DEPLOYER,
    INGRESS_ALL,
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
    """A revision that exists from the start, deployed by `by`."""

    name: str
    image: str
    age: timedelta
    by: str = DEPLOYER
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    concurrency: int = 80

    def template(self) -> Any:
        """Return the template it is made from, without a name."""
        return new_template(
            self.image,
            self.environment,
            secrets=self.secrets,
            labels=self.labels,
            concurrency=self.concurrency,
        )


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
    stable = _old(API_STABLE, "ion-api:41", commit="3f9a1c2")
    canary = _new(API_CANARY, "ion-api:42", commit="b71e0d4")
    api = FirstService(
        name=API_SERVICE,
        topology="revisions",
        role="revisions",
        revisions=(stable, canary),
        traffic=(to_revision(API_STABLE, 90), to_revision(API_CANARY, 10, CANARY_TAG)),
        users=True,
    )
    return api, *_chat()


#: What both sides have set: two secrets that nobody should have written there, planted to be found.
_COMMON = {
    "LOG_LEVEL": "info",
    "DATABASE_URL": "postgres://ion:planted-not-a-secret@10.20.0.5:5432/ion",
    "REDIS_PASSWORD": "another-planted-non-secret",
}


def _old(name: str, image: str, *, commit: str) -> FirstRevision:
    return FirstRevision(
        name=name,
        image=image,
        age=STABLE_AGE,
        environment={**_COMMON, "RECOMMENDER": "v1", "SESSION_TTL": "1800"},
        secrets={"LLM_API_KEY": ("ion-llm-key", "4")},
        labels={"commit": commit},
    )


def _new(name: str, image: str, *, commit: str) -> FirstRevision:
    """The canary: another recommender, sessions that end sooner, twice as much to do for each instance."""
    return FirstRevision(
        name=name,
        image=image,
        age=CANARY_AGE,
        by=BACKEND_ENGINEER,
        environment={**_COMMON, "RECOMMENDER": "v2", "SESSION_TTL": "300", "MULTI_TURN": "on"},
        secrets={"LLM_API_KEY": ("ion-llm-key", "5")},
        labels={"commit": commit},
        concurrency=160,
    )


def _chat() -> tuple[FirstService, ...]:
    old = _old(f"{CHAT_SERVICE}-00017-pol", "ion-chat:17", commit="90cd2ab")
    new = _new(f"{CHAT_CANARY_SERVICE}-00003-tam", "ion-chat:18", commit="5ae77f0")
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
        last_modifier=newest.by,
        create_time=stamp(now - STABLE_AGE),
        update_time=stamp(now - newest.age),
        uri=uri,
        urls=[uri],
        latest_created_revision=revision_path(first.name, newest.name),
        etag=etag(first.name, now),
        labels={"app": first.name},
        ingress=INGRESS_ALL,
    )
    message.traffic.extend(first.traffic)
    message.template.CopyFrom(newest.template())
    message.template.revision = newest.name
    return message
