"""Taking evidence: everything at once, each source failing by itself, kept once with its hashes."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.acts import Act, Verb
from bot.domain.configuration import Configuration, Difference
from bot.domain.exhibit import Exhibit, Moment, sha256_of
from bot.domain.ids import ChannelId, IncidentNumber, PersonId
from bot.domain.incident import IncidentState
from bot.domain.log_lines import LogLine, LogLines
from bot.domain.observation import Minute, Tally
from bot.domain.plan import sides_of
from bot.domain.playbook import Playbook, Target
from bot.domain.rollback import Rollback, RollbackState
from bot.domain.seal import seal
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import Entry, Event
from bot.domain.traffic import SideAddress
from bot.usecases import read_evidence_sources
from bot.usecases.act import accept_act, carry_out_act
from bot.usecases.collect_evidence import UNREAD, Collecting, collect
from bot.usecases.deeds import DEEDS
from bot.usecases.ports import Said, Showing, Workflow
from bot.usecases.read_evidence_sources import NO_ADDRESS, NO_ANSWER, Sources, at_least_errors, side_filter
from tests.fakes import FakeLogs, FakePlaybooks, FakeProber, FakeSteps, FakeStream, FakeVault
from tests.unit.slack.views.watch_views import a_point, a_watch
from tests.unit.usecases.world import GONE, World
from tests.values import (
    CANARY,
    GITCO,
    LUBIT,
    NOON,
    SENA,
    STABLE,
    a_plan,
    a_playbook,
    a_rollback,
    a_services_plan,
    a_services_target,
    a_state,
    a_target,
    seconds,
    share,
)

ONE = IncidentNumber(1)
NAMES = [
    "error_logs_20260302_120000.txt",
    "slow_requests_20260302_120000.txt",
    "metrics_snapshot_20260302_120000.json",
    "canary_config_20260302_120000.json",
    "traffic_20260302_120000.json",
    "probe_20260302_120000.json",
]


def an_error(after: float = 0, **more: Any) -> LogLine:
    """An error line of the canary, `after` seconds before noon."""
    line = LogLine(
        at=NOON - seconds(after), severity="ERROR", message="boom", service="ion-api", revision=CANARY
    )
    return replace(line, **more)


class Hanging(FakeLogs):
    """A log that never answers, whatever the question."""

    async def entries(
        self, target: Target, written: str, *, limit: int, since: datetime, until: datetime
    ) -> LogLines:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError("nothing ends this")


class Scene:
    """A rollback that was just decided for, and what evidence is taken from."""

    def __init__(self, playbook: Playbook | None = None) -> None:
        self.world = World(a_state(share(STABLE, 90, tag="stable"), share(CANARY, 10, tag="canary")))
        self.world.playbooks = FakePlaybooks(playbook)
        self.logs = FakeLogs(an_error(1), an_error(2))
        self.stream = FakeStream()
        self.prober: FakeProber = self.world.prober
        self.vault = FakeVault()

    @property
    def use(self) -> Collecting:
        """What taking evidence may touch."""
        sources = Sources(
            cloud=self.world.cloud,
            metrics=self.world.metrics,
            requests=self.world.requests,
            logs=self.logs,
            stream=self.stream,
            prober=self.prober,
        )
        return Collecting(
            store=self.world.store,
            playbooks=self.world.playbooks,
            sources=sources,
            vault=self.vault,
            clock=self.world.clock,
            project="a-project",
        )

    async def decided(self, **more: Any) -> "Scene":
        """Decide for a rollback, which starts the taking."""
        await self.world.decided(a_rollback(plan=a_plan(), **more))
        return self

    async def takes(self, steps: FakeSteps | None = None) -> Snapshot:
        """Run the newest taking; return what is kept of it."""
        *_, arguments = self.world.store.started(Workflow.COLLECT)
        await collect(arguments, steps=steps or FakeSteps(), use=self.use)
        return self.snapshots()[-1]

    def snapshots(self) -> list[Snapshot]:
        """What is kept as values."""
        return [value for (kind, _), value in self.world.store.kept.shelf.items() if kind is Snapshot]

    def exhibits(self) -> dict[str, Exhibit]:
        """The files, by kind."""
        shelf = self.world.store.kept.shelf
        return {str(value.kind): value for (kind, _), value in shelf.items() if kind is Exhibit}

    def content(self, kind: str) -> str:
        """What a file holds."""
        return self.vault.contents[self.exhibits()[kind].place].decode()

    def document(self, kind: str) -> dict[str, Any]:
        """What a JSON file holds."""
        found: dict[str, Any] = json.loads(self.content(kind))
        return found

    def lines(self, event: Event) -> list[Entry]:
        """The timeline's lines of a kind."""
        return [entry for entry in self.world.store.kept.chains["incident:1"] if entry.event is event]


@pytest.fixture
async def scene() -> Scene:
    """A rollback that was just decided for."""
    return await Scene().decided()


def test_both_sides_of_a_plan_are_known_without_asking_anybody() -> None:
    revisions, services = sides_of(a_target(), a_plan()), sides_of(a_services_target(), a_services_plan())

    assert revisions.canary == SideAddress(service=a_plan().service, revision=CANARY)
    assert revisions.stable.revision == STABLE
    assert (services.canary, services.stable) == (
        SideAddress(service="ion-chat-canary"),  # type: ignore[arg-type]
        SideAddress(service="ion-chat"),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("severity=ERROR", "severity>=ERROR"),
        ('severity = "ERROR" AND a', "severity>=ERROR AND a"),
        ("severity>=ERROR", "severity>=ERROR"),
        ("severity=WARNING", "severity=WARNING"),
        ("severity=ERRORS", "severity=ERRORS"),
        ("my_severity=ERROR", "my_severity=ERROR"),
    ],
)
def test_a_filter_for_errors_finds_worse_ones_too(written: str, asked: str) -> None:
    assert at_least_errors(written) == asked


async def test_the_guides_files_are_kept_with_size_and_hash(scene: Scene) -> None:
    snapshot = await scene.takes()

    exhibits = scene.exhibits()
    assert [exhibit.name for exhibit in exhibits.values()] == NAMES
    for exhibit in exhibits.values():
        content = scene.vault.contents[exhibit.place]
        assert (exhibit.size, exhibit.sha256) == (len(content), sha256_of(content))
        assert (exhibit.snapshot, exhibit.incident) == (snapshot.id, 1)
    assert snapshot.id == "1:decision-f00d"
    assert (snapshot.canary, snapshot.stable, snapshot.rollback) == (CANARY, STABLE, "f00d")


async def test_the_files_are_told_under_the_board_and_sealed_in_the_timeline(scene: Scene) -> None:
    snapshot = await scene.takes()

    messages = scene.world.store.kept.messages
    for what in (Showing.EXHIBITS, Showing.FIRST_READING):
        assert messages[f"{what}:{snapshot.id}"].under == "board:1"
    assert messages["review:1"].under == "board:1"
    (line,) = scene.lines(Event.EVIDENCE_TAKEN)
    exhibits = scene.exhibits().values()
    assert line.facts["files"] == [[e.name, e.size, e.sha256] for e in exhibits]
    assert line.facts["bytes"] == sum(e.size for e in exhibits)
    sealed = {f"exhibit:{e.id}": seal(e) for e in exhibits} | {f"snapshot:{snapshot.id}": seal(snapshot)}
    assert line.facts["seals"] == sealed


async def test_taken_twice_it_is_kept_and_told_once(scene: Scene) -> None:
    await scene.takes()
    before = dict(scene.vault.contents)
    scene.logs.lines = ()

    await scene.takes()

    assert scene.vault.contents == before
    assert len(scene.lines(Event.EVIDENCE_TAKEN)) == len(scene.snapshots()) == 1


async def test_without_the_database_nothing_that_was_read_is_lost(scene: Scene) -> None:
    """The engine runs the step again once the database is back, and what was read stays as it was."""
    *_, arguments = scene.world.store.started(Workflow.COLLECT)

    class Again(FakeSteps):
        async def step(self, name: str, action: Any, *, into: Any) -> Any:
            scene.world.store.change = refuse  # type: ignore[method-assign]
            with pytest.raises(ConnectionError):
                await action()
            del scene.world.store.change
            scene.logs.lines = ()
            return await action()

    async def refuse(work: Any) -> Any:
        raise ConnectionError

    await collect(arguments, steps=Again(), use=scene.use)

    assert "2 lines, newest first" in scene.content("error_logs")


async def test_the_error_log_is_for_people_to_read(scene: Scene) -> None:
    scene.logs.lines = (
        an_error(1, message="Traceback:\n  line 2\nKeyError", detail="path=/api/chat"),
        an_error(2, message="GET /api/chat → 500", detail="12 ms"),
    )

    await scene.takes()

    head, _, body = scene.content("error_logs").partition("\n\n")
    assert head.splitlines() == [
        f"# Error logs of canary: canary {CANARY}, stable {STABLE}",
        "# INC-1, taken at the decision to roll back, 2026-03-02 12:00:00 UTC",
        "# Window: 2026-03-02 11:00:00 UTC to 2026-03-02 12:00:00 UTC (when it was deployed is not known)",
        "# Query: (resource.type=cloud_run_revision AND severity>=ERROR) AND "
        '(resource.labels.service_name="ion-api")',
        "# Holds: 2 lines, newest first; 0 secrets and personal data replaced",
    ]
    assert body.splitlines() == [
        f"2026-03-02T11:59:59.000Z ERROR    {CANARY}  Traceback:",
        "      line 2",
        "    KeyError | path=/api/chat",
        f"2026-03-02T11:59:58.000Z ERROR    {CANARY}  GET /api/chat → 500 | 12 ms",
    ]


async def test_what_the_playbook_says_is_asked() -> None:
    evidence = {
        "key": "error_logs",
        "title": {"en": "e", "ko": "e"},
        "file": "error_logs_<yyyyMMdd_HHmmss>.txt",
        "filter": "severity=ERROR AND labels.team=ours",
        "limit": 7,
    }
    scene = await Scene(a_playbook(analysis={"evidence": [evidence]})).decided()

    await scene.takes()

    (asked,) = [log for log in scene.logs.asked if "labels.team=ours" in log.filter]
    assert (asked.limit, "severity>=ERROR" in asked.filter) == (7, True)


async def test_slow_requests_are_found_by_the_guides_field_and_by_the_platforms(scene: Scene) -> None:
    await scene.takes()

    (asked,) = [log for log in scene.logs.asked if "latency" in log.filter]
    assert 'jsonPayload.latency_ms > 500) OR (resource.type="cloud_run_revision"' in asked.filter
    assert 'httpRequest.latency>"0.5s"' in asked.filter


@pytest.mark.parametrize(
    ("deployed_before", "window", "said"),
    [
        (timedelta(minutes=10), timedelta(minutes=10), "since the deployment"),
        (timedelta(hours=1), timedelta(hours=1), "since the deployment"),
        (timedelta(hours=1, seconds=1), timedelta(hours=1), "the deployment is older"),
        (timedelta(0), timedelta(hours=1), "the deployment is older"),
    ],
)
async def test_the_window_begins_with_the_deployment_an_hour_back_at_most(
    deployed_before: timedelta, window: timedelta, said: str
) -> None:
    scene = await Scene().decided(deployed_at=NOON - deployed_before)

    snapshot = await scene.takes()

    assert snapshot.reading.until - snapshot.reading.since == window
    assert {log.since for log in scene.logs.asked} == {NOON - window}
    assert said in scene.content("error_logs")


async def test_secrets_are_replaced_and_counted(scene: Scene) -> None:
    scene.logs.lines = (an_error(1, message="login of someone@example.com failed", redacted=2),)

    await scene.takes()

    exhibit = scene.exhibits()["error_logs"]
    assert "someone@example.com" not in scene.content("error_logs")
    assert exhibit.redacted == 3
    assert "3 secrets and personal data replaced" in scene.content("error_logs")
    assert scene.lines(Event.EVIDENCE_TAKEN)[0].facts["redacted"] == sum(
        e.redacted for e in scene.exhibits().values()
    )


async def test_a_log_that_cannot_be_read_is_said_and_nothing_else_is_lost(scene: Scene) -> None:
    scene.logs.problem = "PERMISSION_DENIED: no logs for you"

    snapshot = await scene.takes()

    exhibits = scene.exhibits()
    assert {kind for kind, exhibit in exhibits.items() if exhibit.problem} == {"error_logs", "slow_requests"}
    lost = exhibits["error_logs"]
    assert (lost.problem, lost.size, lost.sha256) == ("PERMISSION_DENIED: no logs for you", 0, "")
    assert scene.lines(Event.EVIDENCE_TAKEN)[0].facts["problems"] == [
        ["error_logs", "PERMISSION_DENIED: no logs for you"],
        ["slow_requests", "PERMISSION_DENIED: no logs for you"],
    ]
    named = [problem.partition(": ")[0] for problem in snapshot.reading.problems]
    assert named == ["error_lines_canary", "error_lines_stable", "container_ends", "clients"]


async def test_a_source_that_hangs_is_given_up_and_the_others_are_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_evidence_sources, "SOURCE_SECONDS", 0.01)
    scene.logs = Hanging()

    await scene.takes()

    exhibits = scene.exhibits()
    assert exhibits["error_logs"].problem == exhibits["slow_requests"].problem == NO_ANSWER
    assert all(exhibits[kind].problem is None for kind in ("metrics_snapshot", "canary_config", "probe"))


async def test_a_cloud_run_that_cannot_be_read_leaves_logs_and_metrics(scene: Scene) -> None:
    scene.world.cloud.next_looks.append(GONE)
    scene.world.cloud.configuration_fault = GONE

    snapshot = await scene.takes()

    exhibits = scene.exhibits()
    assert {k for k, e in exhibits.items() if e.problem} == {"canary_config", "traffic", "probe"}
    assert exhibits["traffic"].problem == f"{GONE.kind}: {GONE.detail}"
    assert snapshot.reading.differences is None


async def test_what_differs_between_the_sides_is_worked_out(scene: Scene) -> None:
    plain = Configuration(service=a_plan().service, revision=None, read_at=NOON, creator="dana@example.com")
    scene.world.cloud.configured = {
        CANARY: replace(plain, environment={"MODEL": "new"}, document={"etag": "x"}, redacted=1),
        STABLE: replace(plain, environment={"MODEL": "old"}),
    }

    snapshot = await scene.takes()

    model = Difference(about="environment", name="MODEL", stable="old", canary="new")
    assert snapshot.reading.differences == (model,)
    document = scene.document("canary_config")
    assert document["differences"] == [
        {"about": "environment", "name": "MODEL", "stable": "old", "canary": "new"}
    ]
    assert document["canary"]["as_google_describes_it"] == {"etag": "x"}
    assert document["canary"]["creator"] == "dana@example.com"
    assert scene.exhibits()["canary_config"].redacted == 1


async def test_the_metrics_say_over_how_much_and_how_old_they_are(scene: Scene) -> None:
    scene.world.metrics.recorded = (
        Minute(name=CANARY, since=NOON - seconds(120), until=NOON - seconds(60), requests=40, errors=2),
        Minute(name="another", since=NOON - seconds(120), until=NOON - seconds(60), requests=1),
    )

    snapshot = await scene.takes()

    document = scene.document("metrics_snapshot")
    error_rate = next(r for r in document["readings"] if r["metric"] == "error_rate")
    assert error_rate["unit"] == "%"
    assert error_rate["numerator"] is not None
    assert error_rate["denominator"] > 0
    assert error_rate["age_seconds"] >= 0
    assert [minute["name"] for minute in document["minutes"]] == [CANARY]
    assert [point.canary.error_rate for point in snapshot.points] == [5.0]


async def test_the_hour_is_the_watchs_where_it_watched_this_canary(scene: Scene) -> None:
    await scene.world.store.change(lambda tx: tx.keep(a_watch(points=(a_point(1),))))

    snapshot = await scene.takes()

    assert snapshot.points == (a_point(1),)


async def test_traffic_and_who_changed_it_last_are_in_their_file(scene: Scene) -> None:
    await scene.takes()

    document = scene.document("traffic")
    service = document["services"]["switch"]
    assert {one["revision"]: one["percent"] for one in service["traffic_observed"]} == {
        STABLE: 90,
        CANARY: 10,
    }
    assert service["last_changed_by"] == scene.world.cloud.state.switch.last_modifier
    assert [one["name"] for one in service["revisions"]] == [
        one.name for one in scene.world.cloud.state.switch.revisions
    ]
    assert document["rollback"]["out_of_traffic"] == CANARY


async def test_both_sides_are_probed_where_they_have_an_address(scene: Scene) -> None:
    shares = tuple(
        replace(one, uri=f"https://{one.tag}.example") for one in scene.world.cloud.state.switch.observed
    )
    state = scene.world.cloud.state
    scene.world.cloud.state = replace(state, switch=replace(state.switch, observed=shares))

    await scene.takes()

    assert scene.prober.urls == ["https://stable.example/health", "https://canary.example/health"]
    assert {side: one["sent"] for side, one in scene.document("probe")["sides"].items()} == {
        "stable": 5,
        "canary": 5,
    }


async def test_a_canary_without_an_address_is_not_probed_and_that_is_said(scene: Scene) -> None:
    scene.world.cloud.state = a_state()

    await scene.takes()

    document = scene.document("probe")
    assert list(document["sides"]) == ["stable"]
    assert document["not_asked"] == {"canary": NO_ADDRESS}


async def test_the_profile_of_the_memory_is_a_link() -> None:
    link = {"title": {"en": "p", "ko": "p"}, "url": "https://profiler.example/{canary}?project={project}"}
    scene = await Scene(a_playbook(links={"profiler": link})).decided()

    snapshot = await scene.takes()

    assert snapshot.profiler == f"https://profiler.example/{CANARY}?project=a-project"


async def test_a_vault_that_is_down_is_said_and_the_values_are_kept(scene: Scene) -> None:
    scene.stream.by_endpoint = {CANARY: {"GET /": Tally(requests=10, errors=1)}, STABLE: {}}
    scene.vault.down = "cannot write evidence in /full: No space left on device"

    snapshot = await scene.takes()

    for exhibit in scene.exhibits().values():
        assert (exhibit.problem, exhibit.sha256, exhibit.size) == (scene.vault.down, "", 0)
    assert snapshot.reading.requests[0] == 10


async def test_evidence_is_taken_again_at_the_verdict(scene: Scene) -> None:
    await scene.world.carry_out()

    begun = [arguments["moment"] for arguments in scene.world.store.started(Workflow.COLLECT)]
    ended = scene.world.store.rollback()
    snapshot = await scene.takes()

    assert begun == [Moment.DECISION, Moment.VERIFICATION]
    assert ended.state in (RollbackState.VERIFIED, RollbackState.NOT_VERIFIED)
    assert (snapshot.moment, snapshot.rollback) == (Moment.VERIFICATION, "f00d")
    assert snapshot.reading.until >= (ended.ended_at or NOON)


async def test_a_rollback_that_changed_nothing_is_not_looked_at_again(scene: Scene) -> None:
    scene.world.cloud.state = a_state(share(STABLE, 100))

    ended: Rollback = await scene.world.carry_out()

    assert ended.state is RollbackState.NOTHING_TO_DO
    assert len(scene.world.store.started(Workflow.COLLECT)) == 1


async def asks(scene: Scene, person: PersonId, key: str = "press:1") -> None:
    """Let somebody press *Take evidence now*."""
    act = Act(
        verb=Verb.TAKE_EVIDENCE,
        incident=ONE,
        person=person,
        acting_team=None,
        channel=ChannelId("C0CRITICAL"),
        key=key,
    )
    store = scene.world.store
    await accept_act(act, store=store, clock=scene.world.clock)
    *_, arguments = store.started(Workflow.ACT)
    await carry_out_act(arguments, steps=FakeSteps(), use=scene.world.acting, deeds=DEEDS)


async def test_somebody_who_may_complete_records_takes_evidence(scene: Scene) -> None:
    await asks(scene, GITCO)

    assert scene.world.store.notices()[-1]["what"] == Said.EVIDENCE_ASKED
    snapshot = await scene.takes()
    assert (snapshot.moment, snapshot.asked_by, snapshot.id) == (Moment.ASKED, GITCO, "1:asked-1")
    assert scene.lines(Event.EVIDENCE_TAKEN)[0].actor == GITCO


async def test_two_who_ask_within_a_minute_wait_for_the_same_files(scene: Scene) -> None:
    await asks(scene, GITCO)
    await asks(scene, SENA, "press:2")
    scene.world.clock.now += timedelta(minutes=1)
    await asks(scene, SENA, "press:3")

    assert [arguments["asked_by"] for arguments in scene.world.store.started(Workflow.COLLECT)] == [
        "",
        GITCO,
        SENA,
    ]


async def test_somebody_else_does_not(scene: Scene) -> None:
    await asks(scene, LUBIT)

    assert scene.world.store.notices()[-1]["what"] == Said.REFUSED
    assert len(scene.world.store.started(Workflow.COLLECT)) == 1


async def test_of_a_closed_incident_no_evidence_is_taken(scene: Scene) -> None:
    incident = scene.world.store.kept.incidents[ONE]
    closed = replace(incident, state=IncidentState.CLOSED, closed_at=NOON)
    await scene.world.store.change(lambda tx: tx.save_incident(closed))

    await asks(scene, GITCO)

    assert scene.world.store.notices()[-1]["what"] == Said.ALREADY_CLOSED


def test_a_sides_errors_are_asked_for_by_service_and_revision() -> None:
    own = sides_of(a_services_target(), a_services_plan())

    assert side_filter(own.stable).endswith('severity>=ERROR AND resource.labels.service_name="ion-chat"')
    assert side_filter(sides_of(a_target(), a_plan()).stable).endswith(f'revision_name="{STABLE}"')


def test_every_source_of_the_first_reading_has_a_name() -> None:
    assert len(set(UNREAD)) == len(UNREAD) == 11
