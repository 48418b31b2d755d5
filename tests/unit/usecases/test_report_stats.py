"""Statistics for whoever asks: the workflow, and the file that follows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.ids import ChannelId, IncidentNumber, PersonId, RollbackId
from bot.domain.incident import IncidentState
from bot.domain.incident_search import Search
from bot.domain.last_hour import LastHour
from bot.domain.looking_back import REPORT, WANTED, Report, Wanted
from bot.domain.playbook import Thresholds
from bot.domain.rollback import RollbackState
from bot.usecases.list_incidents import known_by, list_incidents
from bot.usecases.ports import NotDrawn, Pictures, Said, Showing, Transaction, Workflow
from bot.usecases.report_stats import (
    ReportingStats,
    accept_stats,
    file_subject,
    read_subject,
    report_stats,
    send_stats_file,
)
from tests.fakes import FakeSteps, FakeStore, HeldClock
from tests.guide import the_guide
from tests.values import NOON, SENA, a_playbook, a_rollback, an_incident

CHANNEL = ChannelId("C0OPERATIONS")
MARCH = Wanted(since=NOON - timedelta(days=1), until=NOON + timedelta(days=1), zone="Asia/Seoul")


class DrawnStats(Pictures):
    """Keeps the reports it was to draw; without `well` nothing can be drawn."""

    def __init__(self) -> None:
        self.well = True
        self.reports: list[Report] = []

    async def upload(self, hour: LastHour, thresholds: Thresholds, *, person: PersonId) -> str:
        """See `Pictures.upload`."""
        raise NotDrawn("not asked for here")

    async def upload_stats(self, report: Report, *, person: PersonId) -> str:
        """See `Pictures.upload_stats`."""
        if not self.well:
            raise NotDrawn("no colours left")
        self.reports.append(report)
        return "F0STATS"


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def pictures() -> DrawnStats:
    return DrawnStats()


async def told(store: FakeStore, pictures: DrawnStats, wanted: Wanted = MARCH) -> dict[str, object]:
    """Ask, run the workflow, and return the notice's facts."""
    await accept_stats("k", wanted, SENA, CHANNEL, store=store, clock=HeldClock())
    (arguments,) = store.started(Workflow.STATS)
    await report_stats(arguments, steps=FakeSteps(), use=ReportingStats(store=store, pictures=pictures))
    notice = store.kept.messages["notice:stats:k"]
    assert (notice.person, notice.channel) == (SENA, CHANNEL)
    return dict(notice.facts)


async def test_the_figures_come_with_a_picture(store: FakeStore, pictures: DrawnStats) -> None:
    await store.change(lambda tx: tx.add_incident(an_incident()))

    facts = await told(store, pictures)

    report = REPORT.validate_python(facts["report"])
    assert (facts["what"], facts["file"]) == (Said.STATS, "F0STATS")
    assert (report.all.incidents, report.wanted) == (1, MARCH)
    assert len(pictures.reports[0].incidents) == 1
    assert report.incidents == ()


async def test_without_a_picture_the_figures_come_alone(store: FakeStore, pictures: DrawnStats) -> None:
    await store.change(lambda tx: tx.add_incident(an_incident()))
    pictures.well = False

    facts = await told(store, pictures)

    assert facts["why"] == "no colours left"
    assert REPORT.validate_python(facts["report"]).all.incidents == 1


async def test_of_nothing_no_picture_is_drawn(store: FakeStore, pictures: DrawnStats) -> None:
    facts = await told(store, pictures)

    assert set(facts) == {"what", "report"}
    assert pictures.reports == []


async def test_asked_twice_by_one_request_it_is_answered_once(store: FakeStore) -> None:
    for _ in range(2):
        await accept_stats("k", MARCH, SENA, CHANNEL, store=store, clock=HeldClock())

    (arguments,) = store.started(Workflow.STATS)
    assert WANTED.validate_json(arguments["wanted"]) == MARCH


# The file.


async def test_the_file_goes_to_the_person_directly_in_a_thread_of_its_own(store: FakeStore) -> None:
    for _ in range(2):
        await send_stats_file("k", MARCH, SENA, store=store, clock=HeldClock())

    message, file = store.kept.messages.values()
    assert (message.what, str(message.channel), message.wanted) == (Showing.STATS, str(SENA), 1)
    assert (file.what, file.under) == (Showing.STATS_FILE, f"stats:{message.subject}")
    assert read_subject(file.subject) == (SENA, MARCH)


def test_the_longest_subject_fits_into_its_column() -> None:
    wanted = replace(MARCH, zone="America/Argentina/ComodRivadavia", scenario="s" * 40, target="t" * 40)

    subject = file_subject(wanted, SENA)

    assert len(f"{Showing.STATS_FILE}:{subject}") <= 200
    assert read_subject(subject) == (SENA, wanted)


# Lists.


async def _filled(store: FakeStore, count: int) -> None:
    def fill(tx: Transaction) -> None:
        for number in range(1, count + 1):
            state = IncidentState.OPEN if number == count else IncidentState.CLOSED
            tx.add_incident(an_incident(number=IncidentNumber(number), state=state, scenario="memory_leak"))

    await store.change(fill)


@pytest.mark.parametrize(
    ("count", "page", "shown", "pages"),
    [(10, 1, 10, 1), (11, 1, 10, 2), (11, 2, 1, 2), (11, 99, 1, 2), (11, 0, 10, 2), (0, 5, 0, 1)],
)
async def test_a_page_that_does_not_exist_is_the_last_one(
    store: FakeStore, count: int, page: int, shown: int, pages: int
) -> None:
    await _filled(store, count)

    found = await store.look(lambda tx: list_incidents(tx, Search(), a_playbook(), page=page))

    assert (len(found.listed), found.pages, found.total) == (shown, pages, count)


async def test_a_listed_incident_tells_scenario_verdict_and_where_its_board_is(
    store: FakeStore,
) -> None:
    await _filled(store, 1)
    guide = the_guide()

    def more(tx: Transaction) -> None:
        incident = tx.incident(IncidentNumber(1))
        tx.save_incident(replace(incident, scenario=guide.scenarios[0].key))
        decided = {"incident": IncidentNumber(1), "requested_at": NOON}
        tx.add_rollback(a_rollback(RollbackState.VERIFIED, **decided))
        tx.add_rollback(
            replace(a_rollback(RollbackState.CANCELLED, incident=IncidentNumber(1)), id=RollbackId("later"))
        )
        tx.show(Showing.BOARD, "1", channel=CHANNEL)

    await store.change(more)
    store.kept.messages["board:1"].ts = "1.2"

    found = await store.look(lambda tx: list_incidents(tx, Search(), guide))

    (listed,) = found.listed
    assert listed.scenario["en"] == guide.scenarios[0].name.en
    assert listed.verdict is RollbackState.VERIFIED
    assert listed.board == (CHANNEL, "1.2")


async def test_a_name_is_looked_up_before_it_is_looked_for(store: FakeStore) -> None:
    await _filled(store, 2)
    store.kept.names[SENA] = "Sena"

    found = await store.look(lambda tx: list_incidents(tx, Search(by="sena"), a_playbook()))

    assert (found.search.by, found.total) == (SENA, 2)


def test_a_search_knows_the_playbooks_words_and_the_readers_zone() -> None:
    guide = the_guide()

    assert known_by(guide, now=NOON).zone == guide.time_zone
    assert known_by(guide, now=NOON, zone="Europe/Berlin").zone == "Europe/Berlin"
    assert set(known_by(guide, now=NOON).scenarios) == {scenario.number for scenario in guide.scenarios}
