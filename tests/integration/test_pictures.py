"""Pictures for one person: in their words, uploaded to Slack without being shown anywhere."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.adapters.pictures import SlackPictures
from bot.domain.ids import PersonId
from bot.domain.last_hour import hour_of_watch
from bot.domain.looking_back import Past, Wanted, look_back
from bot.domain.picture import Picture, StatsPicture
from bot.domain.playbook import Thresholds
from bot.sandbox.slack import SandboxSlack
from bot.usecases.ports import Charts, NoLetters, NotDrawn
from tests.fakes import FakePeople, FakePlaybooks
from tests.integration.sandbox.slack_workspace import OPERATIONS, client_of, running_slack
from tests.unit.slack.views.watch_views import a_watch
from tests.values import LUBIT, NOON, SENA, a_person, seconds

HOUR = hour_of_watch(a_watch(), until=NOON)
GET_ADDRESS = "files.getUploadURLExternal"


class PlainCharts(Charts):
    """Draws nothing but keeps what it was to draw; `korean` says whether it has the letters."""

    def __init__(self) -> None:
        self.korean = True
        self.drawn: list[Picture] = []
        self.stats: list[StatsPicture] = []

    async def draw(self, picture: Picture | StatsPicture) -> bytes:
        """See `Charts.draw`."""
        if isinstance(picture, StatsPicture):
            if not self.korean and not picture.median.isascii():
                raise NoLetters(picture.median)
            self.stats.append(picture)
            return b"\x89PNG of " + picture.title.encode()
        if not self.korean and not picture.metrics[0].isascii():
            raise NoLetters(picture.metrics[0])
        self.drawn.append(picture)
        return b"\x89PNG of " + picture.title.encode()


@pytest.fixture
async def slack() -> AsyncIterator[SandboxSlack]:
    async with running_slack() as slack:
        yield slack


@pytest.fixture
def charts() -> PlainCharts:
    return PlainCharts()


@pytest.fixture
def pictures(slack: SandboxSlack, charts: PlainCharts) -> SlackPictures:
    korean = replace(a_person(SENA), locale="ko-KR", time_zone="Asia/Seoul")
    english = replace(a_person(LUBIT), locale="en-GB", time_zone="Europe/Berlin")
    people = FakePeople(korean, english)
    return SlackPictures(charts, client_of(slack), people, FakePlaybooks(), locale="en")


async def upload(pictures: SlackPictures, person: str = LUBIT) -> str:
    return await pictures.upload(HOUR, Thresholds(), person=PersonId(person))


async def test_a_picture_is_kept_in_slack_and_shown_nowhere(
    slack: SandboxSlack, pictures: SlackPictures, charts: PlainCharts
) -> None:
    id = await upload(pictures)

    (file,) = slack.files()
    assert (file["id"], file["name"]) == (id, "canary-20260302T120000Z.png")
    assert file["content"] == b"\x89PNG of canary: the last hour"
    assert file["shares"] == {}
    assert slack.messages(OPERATIONS) == []
    assert charts.drawn[0].zone == "Europe/Berlin"


async def test_each_reader_has_their_own_language_and_zone(
    pictures: SlackPictures, charts: PlainCharts
) -> None:
    await upload(pictures, SENA)
    await upload(pictures, "U0NOBODY")

    assert [drawn.zone for drawn in charts.drawn] == ["Asia/Seoul", FakePlaybooks().current().time_zone]
    assert [drawn.metrics[0].isascii() for drawn in charts.drawn] == [False, True]


async def test_where_no_font_has_the_letters_it_is_drawn_in_english(
    pictures: SlackPictures, charts: PlainCharts
) -> None:
    charts.korean = False

    await upload(pictures, SENA)

    assert [(drawn.metrics[0], drawn.zone) for drawn in charts.drawn] == [("Error rate, %", "Asia/Seoul")]


async def test_when_slack_is_busy_it_is_tried_again(slack: SandboxSlack, pictures: SlackPictures) -> None:
    slack.fail_next(GET_ADDRESS, status=429, retry_after=0, times=2)

    id = await upload(pictures)

    assert [file["id"] for file in slack.files()] == [id]


async def test_what_slack_refuses_is_said(slack: SandboxSlack, pictures: SlackPictures) -> None:
    slack.fail_next(GET_ADDRESS, error="file_uploads_disabled")

    with pytest.raises(NotDrawn, match="Slack did not take the file: file_uploads_disabled"):
        await upload(pictures)


async def test_a_slack_that_stays_busy_is_given_up(slack: SandboxSlack, pictures: SlackPictures) -> None:
    slack.fail_next(GET_ADDRESS, status=429, retry_after=0, times=9)

    with pytest.raises(NotDrawn):
        await upload(pictures)


# Statistics.


async def test_statistics_are_kept_in_slack_in_the_readers_language(
    slack: SandboxSlack, pictures: SlackPictures, charts: PlainCharts
) -> None:
    report = look_back(Past(), Wanted(since=NOON, until=NOON + seconds(1)))

    id = await pictures.upload_stats(report, person=LUBIT)
    await pictures.upload_stats(report, person=SENA)

    file = slack.files()[0]
    assert (file["id"], file["name"]) == (id, "incident-statistics-20260302T120001Z.png")
    assert file["content"] == b"\x89PNG of Looking back: 2026-03-02 to 2026-03-02"
    assert file["shares"] == {}
    assert [drawn.median.isascii() for drawn in charts.stats] == [True, False]


async def test_statistics_are_drawn_in_english_where_no_font_has_the_letters(
    pictures: SlackPictures, charts: PlainCharts
) -> None:
    charts.korean = False

    await pictures.upload_stats(look_back(Past(), Wanted(since=NOON, until=NOON + seconds(1))), person=SENA)

    assert [drawn.median for drawn in charts.stats] == ["median"]
