"""The picture that follows the metrics."""

from bot.domain.ids import ChannelId, PersonId
from bot.domain.last_hour import LastHour
from bot.domain.looking_back import Report
from bot.domain.observation import Minute
from bot.domain.playbook import Thresholds
from bot.usecases.ports import NotDrawn, Pictures, Said
from bot.usecases.send_picture import Picturing, send_picture
from tests.fakes import FakeSteps, KeptMessage
from tests.unit.slack.views.watch_views import a_point, a_watch
from tests.unit.usecases.world import GONE, World
from tests.values import CANARY, CANARY_TARGET, NOON, SENA, STABLE, seconds

CHANNEL = ChannelId("C0OPERATIONS")


class FakePictures(Pictures):
    """Keeps the hours it was to draw; without `well` nothing can be drawn."""

    def __init__(self) -> None:
        self.well = True
        self.hours: list[LastHour] = []

    async def upload(self, hour: LastHour, thresholds: Thresholds, *, person: PersonId) -> str:
        """See `Pictures.upload`."""
        if not self.well:
            raise NotDrawn("no colours left")
        self.hours.append(hour)
        return "F0PICTURE"

    async def upload_stats(self, report: Report, *, person: PersonId) -> str:
        """See `Pictures.upload_stats`."""
        raise NotDrawn("not asked for here")


class Drawn(World):
    """The workflow with pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures = FakePictures()

    async def told(self) -> KeptMessage:
        """Run the workflow and return the notice."""
        use = Picturing(
            store=self.store,
            playbooks=self.playbooks,
            cloud=self.cloud,
            metrics=self.metrics,
            pictures=self.pictures,
            clock=self.clock,
        )
        arguments = {"key": "k", "target": CANARY_TARGET, "person": SENA, "channel": CHANNEL}
        await send_picture(arguments, steps=FakeSteps(), use=use)
        return self.store.kept.messages["notice:picture:k"]


def a_minute(name: str) -> Minute:
    return Minute(name=name, since=NOON - seconds(60), until=NOON, requests=100, errors=1)


async def test_the_watchs_hour_is_drawn_without_asking_google() -> None:
    world = Drawn()
    world.cloud.next_looks.append(GONE)
    await world.store.change(lambda tx: tx.keep(a_watch()))

    notice = await world.told()

    assert notice.facts == {"what": Said.PICTURE, "target": CANARY_TARGET, "file": "F0PICTURE"}
    assert (notice.person, notice.channel) == (SENA, CHANNEL)
    assert len(world.pictures.hours[0].points) == 60
    assert len(world.cloud.next_looks) == 1


async def test_what_happened_before_the_watch_is_monitorings() -> None:
    world = Drawn()
    world.metrics.recorded = (a_minute(CANARY), a_minute(STABLE))
    await world.store.change(lambda tx: tx.keep(a_watch(points=(a_point(1),))))

    await world.told()

    (hour,) = world.pictures.hours
    assert [point.canary.error_rate for point in hour.points] == [0.1, 1.0]


async def test_without_a_watch_monitorings_hour_is_drawn() -> None:
    world = Drawn()
    world.metrics.recorded = (a_minute(CANARY), a_minute(STABLE))

    notice = await world.told()

    (hour,) = world.pictures.hours
    assert (hour.canary, hour.stable) == (CANARY, STABLE)
    assert [(p.canary.error_rate, p.stable.error_rate) for p in hour.points] == [(1.0, 1.0)]
    assert notice.facts["file"] == "F0PICTURE"


async def test_an_hour_without_numbers_is_not_drawn() -> None:
    notice = await Drawn().told()

    assert notice.facts == {"what": Said.PICTURE, "target": CANARY_TARGET}


async def test_why_there_is_no_picture_is_told() -> None:
    undrawn, silent, gone = Drawn(), Drawn(), Drawn()
    undrawn.metrics.recorded = (a_minute(CANARY),)
    undrawn.pictures.well = False
    silent.metrics.problem = "permission: no"
    gone.cloud.next_looks.append(GONE)

    whys = [(await world.told()).facts["why"] for world in (undrawn, silent, gone)]

    assert whys == ["no colours left", "permission: no", "read service ion-api: unreachable: no route"]
