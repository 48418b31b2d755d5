"""``/incident list`` and ``/incident stats``: looking for incidents, and looking back on them."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.domain.incident_search import BadSearch, Known, parse_search, parse_span
from bot.domain.looking_back import read_written
from bot.slack.commands import first_word, typed
from bot.slack.ids import ActionId
from bot.slack.listeners.requests import Payload
from bot.slack.listeners.table import Request, Table
from bot.slack.views.incident_list import bad_search_text, incident_list_message, nothing_found, read_value
from bot.slack.views.parts import section
from bot.slack.views.rollback_message import Message
from bot.slack.views.stats import stats_title
from bot.usecases.list_incidents import known_by, list_incidents
from bot.usecases.ports import Clock, Playbooks, Store
from bot.usecases.report_stats import accept_stats, send_stats_file

#: Returns somebody's time zone (an IANA name) as Slack last told it, None when it never did.
ZoneOf = Callable[[str], Awaitable[str | None]]
#: Returns our workspace's address, empty while Slack has not told.
SlackUrl = Callable[[], str]


def register(
    table: Table, *, store: Store, playbooks: Playbooks, clock: Clock, zone_of: ZoneOf, slack_url: SlackUrl
) -> None:
    """Add them to the table."""
    answers = _LookingBack(
        store=store, playbooks=playbooks, clock=clock, zone_of=zone_of, slack_url=slack_url
    )
    table.plain_incident_verbs["list"] = answers.list
    table.plain_incident_verbs["stats"] = answers.stats
    table.presses[ActionId.LIST_PAGE] = answers.turn
    table.presses[ActionId.STATS_FILE] = answers.file


class _LookingBack:
    """What is answered to whoever looks back."""

    def __init__(
        self, *, store: Store, playbooks: Playbooks, clock: Clock, zone_of: ZoneOf, slack_url: SlackUrl
    ) -> None:
        self._store = store
        self._playbooks = playbooks
        self._clock = clock
        self._zone_of = zone_of
        self._slack_url = slack_url

    async def list(self, request: Request, rest: str) -> str | Message:
        return await self._page(request, search_text(request.body), page=1)

    async def turn(self, request: Request, action: Mapping[str, Any]) -> Message:
        page, text = read_value(action["value"])
        answer = await self._page(request, text, page=page)
        return answer if isinstance(answer, Message) else Message(text=answer, blocks=[section(answer)])

    async def stats(self, request: Request, rest: str) -> str:
        words, playbook = request.words, self._playbooks.current()
        # Months are the team's, wherever the reader is: everybody sees the same figures.
        known = known_by(playbook, now=self._clock())
        try:
            wanted = parse_span(search_text(request.body), known)
        except BadSearch as bad:
            return bad_search_text(bad, known, words, command="/incident stats")
        sender = request.sender
        await accept_stats(
            request.key, wanted, sender.person, sender.channel, store=self._store, clock=self._clock
        )
        return words.say("{title} …", title=stats_title(wanted, playbook, words))

    async def file(self, request: Request, action: Mapping[str, Any]) -> None:
        wanted = read_written(action["value"])
        await send_stats_file(
            request.key, wanted, request.sender.person, store=self._store, clock=self._clock
        )

    async def _page(self, request: Request, text: str, *, page: int) -> str | Message:
        words, playbook = request.words, self._playbooks.current()
        known = await self._known(request)
        try:
            search = parse_search(text, known)
            listing = await self._store.look(lambda tx: list_incidents(tx, search, playbook, page=page))
        except BadSearch as bad:
            return bad_search_text(bad, known, words, command="/incident list")
        if not listing.total:
            return nothing_found(words, typed=text)
        return incident_list_message(listing, words, now=known.now, typed=text, slack_url=self._slack_url())

    async def _known(self, request: Request) -> Known:
        """Return the words of a search; a day begins where the reader lives."""
        person = request.sender.person
        zone = await self._zone_of(person)
        return known_by(self._playbooks.current(), now=self._clock(), me=person, zone=zone)


_MENTION = re.compile(r"(?:\S+:)?<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")


def search_text(body: Payload) -> str:
    """Return what follows the verb, with people by their ids: a name alone can be several people's."""
    text = _MENTION.sub(lambda found: f"by:{found[1]}", body.get("text", ""))
    return first_word(typed(text))[1]
