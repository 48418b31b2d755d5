"""The HTTP side: Slack's requests behind the gate, and whether we are well."""

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.routing import Route

from bot.adapters.slack_identity import OwnIdentity
from bot.bootstrap import House, utc_now
from bot.health import health_routes
from bot.slack.bolt_endpoint import BoltEndpoint
from bot.slack.gate import Gate
from bot.slack.listeners import (
    alert,
    assess,
    board_menu,
    canary,
    canary_looks,
    change,
    checklist,
    close,
    command,
    declare,
    diagnosis,
    evidence,
    follow_up,
    home,
    incident,
    looking_back,
    note,
    page,
    post_mortem,
    readiness,
    record,
    review,
    rollback,
    show,
    tell,
    watch,
)
from bot.slack.listeners.table import Table
from bot.slack.text import Words, locale_of

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def bolt_app(house: House, own: OwnIdentity) -> AsyncApp:
    """Return Bolt with our table behind it; who we are is answered from memory."""

    async def authorize(**_: Any) -> AuthorizeResult:
        identity = own.identity
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team_id if identity else None,
            bot_user_id=own.bot_user_id,
            bot_id=own.bot_id,
            bot_token=house.slack.token,
        )

    app = AsyncApp(
        # Without a name Bolt looks for one on the stack, and reads every source file on it to do so.
        name="backout",
        client=house.slack,
        authorize=authorize,
        # The gate has verified it, over the raw bytes.
        request_verification_enabled=False,
        process_before_response=True,
        logger=_bolt_log(),
    )
    listen(house, slack_url=lambda: own.url).attach(app)
    return app


def _bolt_log() -> logging.Logger:
    """Bolt warns at every start that our client outranks the token it found in the environment by itself."""
    bolt = logging.getLogger("bolt")
    bolt.setLevel(logging.ERROR)
    return bolt


def listen(house: House, *, slack_url: Callable[[], str]) -> Table:
    """Return the table with everything the bot listens to; `slack_url` gives our workspace's address."""

    async def words_for(person: str) -> Words:
        known = await house.people.last_locale(person)
        return Words(locale=locale_of(known) if known else house.settings.locale)

    table = Table(words_for=words_for)
    rollback.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    change.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    canary.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    watch.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    alert.register(table, store=house.store, clock=utc_now)
    canary_looks.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    page.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    follow_up.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    post_mortem.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    checklist.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    review.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    incident.register(table, store=house.store)
    looking_back.register(
        table,
        store=house.store,
        playbooks=house.playbooks,
        clock=utc_now,
        zone_of=house.people.last_zone,
        slack_url=slack_url,
    )
    declare.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    command.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    assess.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    board_menu.register(table, store=house.store, playbooks=house.playbooks)
    note.register(
        table,
        store=house.store,
        playbooks=house.playbooks,
        clock=utc_now,
        zone_of=house.people.last_zone,
    )
    show.register(table, store=house.store, clock=utc_now)
    record.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    evidence.register(table, store=house.store, clock=utc_now)
    close.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    home.register(table, store=house.store, clock=utc_now)
    readiness.register(table, store=house.store, playbooks=house.playbooks, clock=utc_now)
    tell.register(
        table,
        store=house.store,
        playbooks=house.playbooks,
        texts=house.notices,
        clock=utc_now,
        locale=house.settings.locale,
    )
    diagnosis.register(
        table,
        store=house.store,
        playbooks=house.playbooks,
        clock=utc_now,
        channel_locale=house.settings.locale,
    )
    return table


def web_app(house: House, own: OwnIdentity, *, lifespan: Lifespan) -> Starlette:
    """Return the ASGI app."""
    routes = health_routes(house)
    secret = house.settings.slack_signing_secret
    if secret is not None:
        gate = Gate(
            BoltEndpoint(bolt_app(house, own)),
            signing_secret=secret.get_secret_value(),
            clock=lambda: utc_now().timestamp(),
            identity=lambda: own.identity,
        )
        routes.append(Route("/slack/events", gate))
    return Starlette(routes=routes, lifespan=lifespan)
