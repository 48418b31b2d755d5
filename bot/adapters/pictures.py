"""Pictures for one person: in their words and zone, drawn elsewhere, and kept in Slack as a file of ours."""

import asyncio

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.charts import drawn
from bot.adapters.slack_errors import NO_ANSWER, code_of, may_pass, retry_after_seconds
from bot.domain.ids import PersonId
from bot.domain.last_hour import LastHour
from bot.domain.looking_back import Report
from bot.domain.playbook import Thresholds
from bot.slack.text import Words, locale_of
from bot.slack.views.picture import picture_of
from bot.slack.views.stats import stats_picture, stats_title
from bot.usecases.ports import Charts, NotDrawn, People, PeopleUnknown, Pictures, Playbooks

log = structlog.get_logger()

#: A picture is worth a few tries; whoever waits for it has its numbers in words already.
TRIES, PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 4, 1.0, 30.0
UPLOAD_SECONDS = 30.0


class SlackPictures(Pictures):
    """Draws with `charts` and uploads without a channel: nobody sees the file before a message shows it."""

    def __init__(
        self, charts: Charts, client: AsyncWebClient, people: People, playbooks: Playbooks, *, locale: str
    ) -> None:
        self._charts = charts
        self._client = client
        self._people = people
        self._playbooks = playbooks
        self._locale = locale

    async def upload(self, hour: LastHour, thresholds: Thresholds, *, person: PersonId) -> str:
        """See `Pictures.upload`."""
        if self._client.token is None:
            raise NotDrawn("there is no Slack token")
        words = await self._words(person)
        content = await drawn(self._charts, lambda w: picture_of(hour, thresholds, w), words)
        name = f"{hour.target}-{hour.until:%Y%m%dT%H%M%SZ}.png"
        return await self._kept(name, words.plain("{target}: the last hour", target=hour.target), content)

    async def upload_stats(self, report: Report, *, person: PersonId) -> str:
        """See `Pictures.upload_stats`."""
        if self._client.token is None:
            raise NotDrawn("there is no Slack token")
        words, playbook = await self._words(person), self._playbooks.current()
        content = await drawn(self._charts, lambda w: stats_picture(report, playbook, w), words)
        name = f"incident-statistics-{report.wanted.until:%Y%m%dT%H%M%SZ}.png"
        return await self._kept(name, stats_title(report.wanted, playbook, words), content)

    async def _words(self, person: PersonId) -> Words:
        try:
            reader = await self._people.person(person)
        except PeopleUnknown:
            return Words(locale=self._locale, zone=self._playbooks.current().time_zone)
        zone = reader.time_zone or self._playbooks.current().time_zone
        return Words(locale=locale_of(reader.locale), zone=zone)

    async def _kept(self, name: str, title: str, content: bytes) -> str:
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                async with asyncio.timeout(UPLOAD_SECONDS):
                    answer = await self._client.files_upload_v2(filename=name, title=title, content=content)
                return str(answer["files"][0]["id"])
            except SlackApiError as error:
                pause = retry_after_seconds(error)
                if last or (pause is None and not may_pass(error)):
                    raise NotDrawn(f"Slack did not take the file: {code_of(error)}") from error
            except NO_ANSWER as error:
                pause = None
                if last:
                    raise NotDrawn("Slack could not be reached") from error
            log.warning("picture_not_uploaded_yet", name=name)
            await asyncio.sleep(min(PAUSE_SECONDS if pause is None else pause, LONGEST_PAUSE_SECONDS))
        raise AssertionError("the last try returns or raises")
