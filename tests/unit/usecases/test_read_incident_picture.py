"""What is read for a picture in an incident's thread, and the message that shows it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.adapters.message_files import File
from bot.adapters.picture_rendering import IncidentPictures
from bot.domain.alarm import AlarmKind
from bot.domain.alert import Alert
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.incident_picture import PictureMoment
from bot.domain.observation import Minute, MinutesRead
from bot.domain.picture import MarkKind, Picture, StatsPicture
from bot.domain.playbook import Target
from bot.domain.readings import Metric
from bot.domain.rollback import RollbackState
from bot.slack.views.rollback_message import Message
from bot.usecases import read_incident_picture as module
from bot.usecases.ports import Charts, NoLetters, NotDrawn, NotKept, Showing, Transaction
from bot.usecases.read_incident_picture import (
    ReadingPictures,
    picture_subject,
    read_incident_picture,
    show_detection,
    show_memory,
    show_verdict,
)
from tests.alerts import an_alert
from tests.fakes import FakeMetrics
from tests.unit.slack.views.watch_views import a_point, a_watch
from tests.unit.usecases.world import World
from tests.values import CANARY, NOON, STABLE, a_plan, a_rollback, an_incident, seconds

DETECTION = "1:detection:canary-3-1"
MEMORY = "1:memory:canary-3-1"
VERDICT = "1:verdict:f00d"


class ScriptedCharts(Charts):
    """Draws nothing but keeps what it was to draw; `korean` says whether it has the letters."""

    def __init__(self) -> None:
        self.korean, self.well = True, True
        self.drawn: list[Picture] = []

    async def draw(self, picture: Picture | StatsPicture) -> bytes:
        """See `Charts.draw`."""
        assert isinstance(picture, Picture)
        if not self.well:
            raise NotDrawn("no colours left")
        if not self.korean and not picture.metrics[0].isascii():
            raise NoLetters(picture.metrics[0])
        self.drawn.append(picture)
        return b"\x89PNG"


class SlowMetrics(FakeMetrics):
    """Never answers in time."""

    async def minutes(self, target: Target, *, since: datetime, until: datetime) -> MinutesRead:
        """See `Metrics.minutes`."""
        raise TimeoutError


class Seen(World):
    """A watched canary whose errors were detected at noon, and rolled back; two minutes have gone by."""

    def __init__(self) -> None:
        super().__init__()
        self.charts = ScriptedCharts()
        self.clock.now = NOON + timedelta(minutes=2)

    async def happened(self, alert: Alert | None = None, *, points: bool = True) -> None:
        """Keep what happened, with the watch's minutes."""
        watch = a_watch(points=tuple(a_point(60 - n) for n in range(62)) if points else ())

        def keep(tx: Transaction) -> None:
            incident = tx.add_incident(an_incident(opened_at=NOON, deployed_at=NOON - timedelta(minutes=20)))
            tx.keep(watch)
            tx.keep(replace(alert or an_alert(), incident=incident.number))
            tx.add_rollback(
                a_rollback(
                    RollbackState.VERIFIED,
                    incident=incident.number,
                    plan=a_plan(),
                    requested_at=NOON + seconds(15),
                    ended_at=NOON + seconds(50),
                )
            )

        await self.store.change(keep)

    @property
    def reading(self) -> ReadingPictures:
        """What reading may touch."""
        return ReadingPictures(
            store=self.store, playbooks=self.playbooks, metrics=self.metrics, clock=self.clock
        )

    async def rendered(self, subject: str, *, locale: str = "en") -> File | Message:
        """Return the message of a picture."""
        return await IncidentPictures(self.reading, self.charts, locale=locale).render(subject)


async def test_a_detection_shows_what_the_watch_saw_without_asking_google() -> None:
    world = Seen()
    world.metrics.problem = "nobody asks"
    await world.happened()

    shown = await read_incident_picture(DETECTION, world.reading)

    assert (shown.scene.canary, shown.scene.stable, shown.problem) == (CANARY, STABLE, None)
    assert (shown.scene.points[0].at, shown.scene.points[-1].at) == (
        NOON - timedelta(minutes=30),
        NOON + timedelta(minutes=1),
    )
    kinds = [kind for _, kind in shown.scene.marks]
    assert kinds == [MarkKind.DEPLOYED, MarkKind.DETECTED, MarkKind.DECIDED, MarkKind.VERIFIED]


async def test_a_picture_that_is_sent_hours_later_shows_the_same_time() -> None:
    world = Seen()
    await world.happened()
    ends = []

    for subject in (DETECTION, VERDICT):
        for later in (0, 180):
            world.clock.now = NOON + timedelta(minutes=3 + later)
            ends.append((await read_incident_picture(subject, world.reading)).scene.until)

    assert ends == [NOON + seconds(120)] * 2 + [NOON + seconds(170)] * 2


async def test_what_the_watch_has_not_seen_is_monitorings() -> None:
    world = Seen()
    at = NOON - timedelta(minutes=25)
    world.metrics.recorded = (Minute(name=STABLE, since=at - seconds(60), until=at, requests=100, errors=1),)
    await world.happened(points=False)

    shown = await read_incident_picture(VERDICT, world.reading)

    assert [(point.at, point.stable.error_rate) for point in shown.scene.points] == [(at, 1.0)]


async def test_minutes_of_another_canary_are_not_this_ones() -> None:
    world = Seen()
    await world.happened()
    await world.store.change(lambda tx: tx.keep(a_watch(canary="ion-api-00043-new")))

    shown = await read_incident_picture(VERDICT, world.reading)

    assert shown.scene.points == ()


async def test_a_monitoring_that_does_not_answer_holds_no_picture_up() -> None:
    world = Seen()
    world.metrics = SlowMetrics()
    await world.happened(points=False)

    shown = await read_incident_picture(VERDICT, world.reading)

    assert shown.problem == f"Cloud Monitoring did not answer within {module.MONITORING_SECONDS:g} s"


async def test_memory_alone_is_drawn_for_an_alarm_about_it() -> None:
    world = Seen()
    await world.happened()

    drawn = await world.rendered(MEMORY)

    assert isinstance(drawn, File)
    assert (drawn.name, world.charts.drawn[0].only) == ("INC-1-memory-canary-3-1.png", Metric.MEMORY)


async def test_a_picture_is_a_file_whose_name_says_what_it_is() -> None:
    world = Seen()
    await world.happened()

    drawn = [await world.rendered(subject) for subject in (DETECTION, VERDICT)]

    assert [d.name for d in drawn if isinstance(d, File)] == [
        "INC-1-detection-canary-3-1.png",
        "INC-1-verdict-f00d.png",
    ]
    assert [mark.text for mark in world.charts.drawn[1].marks] == [
        "deployed",
        "detected",
        "rollback decided",
        "verified",
    ]
    assert world.charts.drawn[0].title == "INC-1 · canary"
    assert world.charts.drawn[0].zone == world.playbooks.current().time_zone


async def test_it_speaks_the_channels_language_where_there_are_letters_for_it() -> None:
    world = Seen()
    await world.happened()

    await world.rendered(DETECTION, locale="ko")
    world.charts.korean = False
    await world.rendered(DETECTION, locale="ko")

    assert [picture.metrics[0].isascii() for picture in world.charts.drawn] == [False, True]


async def test_what_cannot_be_drawn_is_said_with_the_newest_figures() -> None:
    world = Seen()
    world.charts.well = False
    await world.happened()

    told = await world.rendered(DETECTION)

    assert isinstance(told, Message)
    assert "There is no picture here: no colours left" in told.text
    assert "canary: error rate 0.10 %, P95 80 ms, memory 40 %, CPU 30 %" in told.text
    assert "stable: error rate" in told.text


@pytest.mark.parametrize(
    ("problem", "said"), [(None, "no minute holds any number"), ("permission: no", "permission: no")]
)
async def test_without_any_number_that_is_said(problem: str | None, said: str) -> None:
    world = Seen()
    world.metrics.problem = problem
    await world.happened(points=False)

    told = await world.rendered(VERDICT)

    assert isinstance(told, Message)
    assert said in told.text
    assert world.charts.drawn == []


async def test_a_picture_of_what_is_not_kept_is_none() -> None:
    with pytest.raises(NotKept):
        await Seen().rendered(DETECTION)


async def test_pictures_stand_in_the_thread_below_the_board() -> None:
    world = Seen()
    one, channel = IncidentNumber(1), ChannelId("C0")
    memory = an_alert(kind=AlarmKind.MEMORY_EXPLOSION, id="canary-3-2")

    def show(tx: Transaction) -> None:
        show_detection(tx, an_alert(), one, channel=channel)
        show_detection(tx, memory, one, channel=channel)
        show_memory(tx, an_alert(), one, channel=channel)
        show_verdict(tx, a_rollback(), one, channel=channel)

    await world.store.change(show)

    messages = world.store.kept.messages.values()
    assert {(m.what, m.under) for m in messages} == {(Showing.INCIDENT_PICTURE, "board:1")}
    assert [m.subject for m in messages] == [
        DETECTION,
        "1:detection:canary-3-2",
        "1:memory:canary-3-2",
        MEMORY,
        VERDICT,
    ]
    assert picture_subject(one, PictureMoment.VERDICT, "f00d") == VERDICT
