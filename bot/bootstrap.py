"""The composition root: the only place that reads settings and picks adapters."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.backups import NewestBackup
from bot.adapters.charts import NoCharts, ProcessCharts
from bot.adapters.cloud_logging import CloudLogging
from bot.adapters.cloud_run import CloudRun
from bot.adapters.database.engine import Database, database_url
from bot.adapters.database.migrate import is_current, migrate
from bot.adapters.database.store import SqlStore
from bot.adapters.durable import Durable, Run
from bot.adapters.log_reads import LogReads, ReadsOfProjects
from bot.adapters.log_stream import LogStream
from bot.adapters.monitoring import CloudMonitoring
from bot.adapters.notice_texts import TemplateNotices
from bot.adapters.picture_rendering import IncidentPictures
from bot.adapters.pictures import SlackPictures
from bot.adapters.playbook_file import PlaybookShelf
from bot.adapters.probe import HttpProber
from bot.adapters.record_rendering import RecordRendering
from bot.adapters.rendering import Rendering
from bot.adapters.slack_canvases import SlackCanvases
from bot.adapters.slack_channels import SlackChannels
from bot.adapters.slack_messages import SlackMessages
from bot.adapters.slack_people import SlackPeople
from bot.adapters.slack_reading import SlackReading
from bot.adapters.template_checks import template_faults
from bot.adapters.vault import make_vault
from bot.domain.ids import ChangeId, RollbackId
from bot.domain.playbook import Playbook
from bot.settings import Settings
from bot.usecases.act import carry_out_act
from bot.usecases.add_message import Adding, add_message
from bot.usecases.answer_alert import answer_alert
from bot.usecases.arm_automatics import ArmingUse, arm_automatics
from bot.usecases.ask_for_watch import AskingForWatch, answer_watch_wish
from bot.usecases.authorize import Acting
from bot.usecases.carry_out_change import Changing, carry_out_change
from bot.usecases.carry_out_rollback import CarryingOut, carry_out_rollback
from bot.usecases.check_readiness import Checking, report_readiness
from bot.usecases.collect_evidence import Collecting, collect
from bot.usecases.complete_record import complete_record
from bot.usecases.confirm_point import confirm_point
from bot.usecases.decide_change import decide_change
from bot.usecases.decide_rollback import decide_rollback
from bot.usecases.declare_incident import Declaring, declare_incident
from bot.usecases.deeds import DEEDS
from bot.usecases.escalate_page import escalate_page
from bot.usecases.find_answers import Finding, find_answers
from bot.usecases.find_out import Looking, find_out
from bot.usecases.fire_alert import fire_alert
from bot.usecases.keep_time import keep_time
from bot.usecases.look_at_canary import LookingAtCanary, look_at_canary
from bot.usecases.ports import Clock, Playbooks, Showing, Steps, Store, Vault, Workflow
from bot.usecases.prepare_change import PreparingChange, prepare_change
from bot.usecases.prepare_rollback import Preparing, prepare_rollback
from bot.usecases.publish_record import Publishing, publish_record
from bot.usecases.read_evidence_sources import Sources
from bot.usecases.read_incident_picture import ReadingPictures
from bot.usecases.remind_checklist import remind_checklist
from bot.usecases.remind_follow_up import remind_follow_up
from bot.usecases.remind_post_mortem import remind_post_mortem
from bot.usecases.remind_update import remind_update
from bot.usecases.report_breakage import report_breakage
from bot.usecases.report_refused_channel import report_refused_channel
from bot.usecases.report_stats import ReportingStats, report_stats
from bot.usecases.report_status import Reporting, report_status
from bot.usecases.retire_evidence import RETIRE_SOON, Retiring, retire_again, retire_evidence
from bot.usecases.scout import Scouting, scout, scout_again
from bot.usecases.send_picture import Picturing, send_picture
from bot.usecases.show_home import read_for_home, refresh_homes
from bot.usecases.show_incident import tick
from bot.usecases.watch_checklist import Watching, watch_checklist
from bot.usecases.watch_target import WatchingTarget, watch_target


def utc_now() -> datetime:
    """Return now, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class House:
    """Everything, wired. `posts` is False where no Slack token is set: messages then wait."""

    settings: Settings
    database: Database
    durable: Durable
    store: SqlStore
    playbooks: PlaybookShelf
    slack: AsyncWebClient
    people: SlackPeople
    reading: SlackReading
    messages: SlackMessages
    notices: TemplateNotices
    channels: SlackChannels
    backups: NewestBackup
    cloud: CloudRun
    metrics: CloudMonitoring
    requests: CloudLogging
    stream: LogStream
    prober: HttpProber
    charts: ProcessCharts | NoCharts
    pictures: SlackPictures
    vault: Vault
    records: RecordRendering
    canvases: SlackCanvases

    @property
    def posts(self) -> bool:
        """True when there is a token to speak to Slack with."""
        return self.settings.slack_bot_token is not None

    def migrate(self) -> None:
        """Bring our tables and the engine's to this release's version."""
        migrate(self.database.engine)
        self.durable.migrate()

    def is_migrated(self) -> bool:
        """True when the database is at this release's version."""
        return is_current(self.database.engine)

    async def open(self) -> None:
        """Bring a SQLite file up to date; a shared PostgreSQL is migrated by ``backout migrate`` alone."""
        if self.database.is_sqlite:
            await asyncio.to_thread(self.migrate)

    def reporting(self) -> Reporting:
        """Return what reading a status may touch."""
        return Reporting(
            store=self.store,
            playbooks=self.playbooks,
            cloud=self.cloud,
            metrics=self.metrics,
            requests=self.requests,
            clock=utc_now,
        )

    def looking(self) -> Looking:
        """Return what a look may touch."""
        return Looking(reporting=self.reporting(), logs=self.requests, prober=self.prober)

    def picturing(self) -> Picturing:
        """Return what sending a picture may touch."""
        return Picturing(
            store=self.store,
            playbooks=self.playbooks,
            cloud=self.cloud,
            metrics=self.metrics,
            pictures=self.pictures,
            clock=utc_now,
        )

    def collecting(self) -> Collecting:
        """Return what taking evidence may touch."""
        sources = Sources(
            cloud=self.cloud,
            metrics=self.metrics,
            requests=self.requests,
            logs=self.requests,
            stream=self.stream,
            prober=self.prober,
        )
        return Collecting(
            store=self.store,
            playbooks=self.playbooks,
            sources=sources,
            vault=self.vault,
            clock=utc_now,
            project=self.settings.google_cloud_project,
        )

    def retiring(self) -> Retiring:
        """Return what taking old evidence away may touch."""
        keep_for = timedelta(days=self.settings.evidence_days)
        return Retiring(store=self.store, vault=self.vault, keep_for=keep_for, clock=utc_now)

    def publishing(self) -> Publishing:
        """Return what publishing a record may touch."""
        return Publishing(
            store=self.store,
            playbooks=self.playbooks,
            records=self.records,
            vault=self.vault,
            canvases=self.canvases,
            clock=utc_now,
        )

    def template_faults(self, playbook: Playbook) -> tuple[str, ...]:
        """Return what is wrong with the team's own templates; takes a second where there are any."""
        return template_faults(playbook, self.settings.templates)

    def checking(self) -> Checking:
        """Return what checking readiness may touch."""
        return Checking(
            store=self.store,
            playbooks=self.playbooks,
            people=self.people,
            channels=self.channels,
            cloud=self.cloud,
            metrics=self.metrics,
            requests=self.requests,
            prober=self.prober,
            texts=self.notices,
            own_templates=self.template_faults,
            backups=self.backups,
            clock=utc_now,
        )

    async def close(self) -> None:
        """Close every connection."""
        outside = (self.cloud, self.metrics, self.requests, self.stream, self.charts)
        await asyncio.gather(*(one.close() for one in outside))
        self.durable.close()
        self.database.close()


def build(settings: Settings) -> House:
    """Wire the house. Raises `BadPlaybook`. Connects to nothing yet."""
    database = Database(database_url(settings.database_url))
    durable = Durable(database)
    store = SqlStore(database, durable.start)
    playbooks = PlaybookShelf(settings.playbook, templates=settings.templates)
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else None
    # Slack knows no idempotency key, so the client must never try anything twice by itself.
    slack = AsyncWebClient(token=token, base_url=settings.slack_api_url, retry_handlers=[])
    people = SlackPeople(slack, database, utc_now)
    reading = SlackReading(slack)
    project = settings.google_cloud_project
    charts = ProcessCharts() if settings.draws else NoCharts()
    vault = make_vault(settings.evidence, database=database, project=project)
    records = RecordRendering(
        store,
        playbooks,
        charts=charts,
        printer=charts,
        vault=vault,
        locale=settings.locale,
        team=settings.templates,
    )
    metrics = CloudMonitoring(settings.cloud_monitoring_endpoint, project)
    reads = ReadsOfProjects(lambda: LogReads(quota=settings.log_reads_per_minute))
    seen = ReadingPictures(store=store, playbooks=playbooks, metrics=metrics, clock=utc_now)
    rendering = Rendering(
        store,
        playbooks,
        people,
        reading,
        utc_now,
        locale=settings.locale,
        project=project,
        records=records,
        pictures=IncidentPictures(seen, charts, locale=settings.locale),
        vault=vault,
        team=settings.templates,
    )

    async def refused(what: Showing, subject: str, why: str) -> None:
        await report_refused_channel(what, subject, why, store=store, playbooks=playbooks, clock=utc_now)

    return House(
        settings=settings,
        database=database,
        durable=durable,
        store=store,
        playbooks=playbooks,
        slack=slack,
        people=people,
        reading=reading,
        messages=SlackMessages(
            slack, database, rendering, refused, per_second=settings.slack_posts_per_second
        ),
        notices=TemplateNotices(team=settings.templates),
        channels=SlackChannels(slack),
        backups=NewestBackup(),
        cloud=CloudRun(settings.cloud_run_endpoint, project),
        metrics=metrics,
        requests=CloudLogging(settings.cloud_logging_endpoint, project, reads=reads),
        stream=LogStream(settings.cloud_logging_endpoint, project, utc_now, reads=reads),
        prober=HttpProber(allow_loopback=settings.on_loopback),
        charts=charts,
        pictures=SlackPictures(charts, slack, people, playbooks, locale=settings.locale),
        vault=vault,
        records=records,
        canvases=SlackCanvases(slack),
    )


def workflows(house: House) -> dict[Workflow, Run]:
    """Return every durable workflow with what it may touch."""
    acting = Acting(store=house.store, people=house.people, playbooks=house.playbooks, clock=utc_now)
    return {
        **_rollbacks(house, acting),
        **_changes(house, acting),
        **_incidents(house, acting),
        **_looks(house, acting),
        **_watches(house, acting),
        **_alerts(house, acting),
        Workflow.COLLECT: lambda steps, a: collect(a, steps=steps, use=house.collecting()),
        Workflow.RETIRE: lambda steps, a: retire_evidence(a, steps=steps, use=house.retiring()),
        Workflow.POST: lambda steps, a: house.messages.post(a, steps=steps),
    }


def _rollbacks(house: House, acting: Acting) -> dict[Workflow, Run]:
    """Return the workflows of a rollback, from the question to the proof."""
    preparing = Preparing(
        store=house.store,
        people=house.people,
        playbooks=house.playbooks,
        cloud=house.cloud,
        metrics=house.metrics,
        requests=house.requests,
        clock=utc_now,
    )
    carrying = CarryingOut(
        store=house.store,
        playbooks=house.playbooks,
        cloud=house.cloud,
        requests=house.requests,
        prober=house.prober,
        clock=utc_now,
    )
    return {
        Workflow.PREPARE: lambda steps, a: prepare_rollback(
            RollbackId(a["rollback"]), steps=steps, use=preparing, stable=a.get("stable")
        ),
        Workflow.DECIDE: lambda steps, a: decide_rollback(a, steps=steps, use=acting),
        Workflow.ROLLBACK: lambda steps, a: carry_out_rollback(
            RollbackId(a["rollback"]), steps=steps, use=carrying
        ),
    }


def _incidents(house: House, acting: Acting) -> dict[Workflow, Run]:
    """Return the workflows of an incident: what people do in it, and what its clocks do."""
    declaring = Declaring(
        store=house.store, people=house.people, playbooks=house.playbooks, cloud=house.cloud, clock=utc_now
    )
    adding = Adding(store=house.store, messages=house.reading)
    watching = Watching(
        store=house.store,
        playbooks=house.playbooks,
        cloud=house.cloud,
        metrics=house.metrics,
        requests=house.requests.standing_back(),
        clock=utc_now,
    )
    return {
        Workflow.COMPLETE_RECORD: lambda steps, a: complete_record(a, steps=steps, use=acting),
        Workflow.PUBLISH: lambda steps, a: publish_record(a, steps=steps, use=house.publishing()),
        Workflow.DECLARE: lambda steps, a: declare_incident(a, steps=steps, use=declaring),
        Workflow.ADD_MESSAGE: lambda steps, a: add_message(a, steps=steps, use=adding),
        Workflow.ACT: lambda steps, a: carry_out_act(a, steps=steps, use=acting, deeds=DEEDS),
        Workflow.TICK: _timed(tick, house),
        Workflow.REMIND_UPDATE: _timed(remind_update, house),
        Workflow.WATCH_CHECKLIST: lambda steps, a: watch_checklist(a, steps=steps, use=watching),
        Workflow.REMIND_CHECKLIST: _timed(remind_checklist, house),
        Workflow.PAGE: _timed(escalate_page, house),
        Workflow.FOLLOW_UP: _timed(remind_follow_up, house),
        Workflow.POST_MORTEM: _timed(remind_post_mortem, house),
    }


def _looks(house: House, acting: Acting) -> dict[Workflow, Run]:
    """Return the workflows that read and tell: status, findings, pictures, Homes, readiness."""
    reporting, looking, picturing = house.reporting(), house.looking(), house.picturing()
    return {
        Workflow.STATUS: lambda steps, a: report_status(a, steps=steps, use=reporting),
        Workflow.LOOK: lambda steps, a: find_out(a, steps=steps, use=looking),
        Workflow.CANARY_LOOK: lambda steps, a: look_at_canary(
            a, steps=steps, use=LookingAtCanary(looking=looking, people=house.people)
        ),
        Workflow.PICTURE: lambda steps, a: send_picture(a, steps=steps, use=picturing),
        Workflow.STATS: lambda steps, a: report_stats(
            a, steps=steps, use=ReportingStats(store=house.store, pictures=house.pictures)
        ),
        Workflow.HOME: lambda steps, a: read_for_home(a, steps=steps, use=reporting),
        Workflow.HOMES: lambda steps, a: refresh_homes(a, steps=steps, store=house.store, clock=utc_now),
        Workflow.READINESS: lambda steps, a: report_readiness(a, steps=steps, use=house.checking()),
        Workflow.CONFIRM: lambda steps, a: confirm_point(a, steps=steps, use=acting),
    }


class _Timed(Protocol):
    """What wakes up when its time has come, and needs only what is stored."""

    def __call__(
        self,
        arguments: Mapping[str, str],
        /,
        *,
        steps: Steps,
        store: Store,
        playbooks: Playbooks,
        clock: Clock,
    ) -> Awaitable[None]: ...


def _timed(run: _Timed, house: House) -> Run:
    return lambda steps, a: run(a, steps=steps, store=house.store, playbooks=house.playbooks, clock=utc_now)


def _changes(house: House, acting: Acting) -> dict[Workflow, Run]:
    """Return the workflows of the smaller changes: less traffic, more resources."""
    preparing = PreparingChange(
        store=house.store,
        people=house.people,
        playbooks=house.playbooks,
        cloud=house.cloud,
        clock=utc_now,
    )
    changing = Changing(store=house.store, playbooks=house.playbooks, cloud=house.cloud, clock=utc_now)
    return {
        Workflow.PREPARE_CHANGE: lambda steps, a: prepare_change(
            ChangeId(a["change"]), steps=steps, use=preparing
        ),
        Workflow.DECIDE_CHANGE: lambda steps, a: decide_change(a, steps=steps, use=acting),
        Workflow.CHANGE: lambda steps, a: carry_out_change(ChangeId(a["change"]), steps=steps, use=changing),
    }


def _watches(house: House, acting: Acting) -> dict[Workflow, Run]:
    """Return the workflows that watch deployments."""
    scouting = Scouting(store=house.store, playbooks=house.playbooks, cloud=house.cloud, clock=utc_now)
    watching = WatchingTarget(
        store=house.store,
        playbooks=house.playbooks,
        cloud=house.cloud,
        stream=house.stream,
        metrics=house.metrics,
        prober=house.prober,
        clock=utc_now,
    )
    asking = AskingForWatch(acting=acting, cloud=house.cloud)
    return {
        Workflow.SCOUT: lambda steps, a: scout(a, steps=steps, use=scouting),
        Workflow.WATCH: lambda steps, a: watch_target(a, steps=steps, use=watching),
        Workflow.ASK_WATCH: lambda steps, a: answer_watch_wish(a, steps=steps, use=asking),
    }


def _alerts(house: House, acting: Acting) -> dict[Workflow, Run]:
    """Return the workflows of alerts: answers, automatic rollbacks, and the hand-over to people."""
    finding = Finding(
        store=house.store,
        playbooks=house.playbooks,
        metrics=house.metrics,
        stream=house.stream,
        clock=utc_now,
    )
    arming = ArmingUse(acting=acting, metrics=house.metrics)
    return {
        Workflow.ANSWER_ALERT: lambda steps, a: answer_alert(a, steps=steps, use=acting),
        Workflow.FIRE: _timed(fire_alert, house),
        Workflow.ARM: lambda steps, a: arm_automatics(a, steps=steps, use=arming),
        Workflow.FIND_ANSWERS: lambda steps, a: find_answers(a, steps=steps, use=finding),
    }


@asynccontextmanager
async def working(house: House) -> AsyncIterator[None]:
    """Run workflows in this process while the block runs. Raises `AlreadyWorking` on a busy SQLite file."""

    async def broken(workflow: Workflow, arguments: Mapping[str, str], reference: str) -> None:
        await report_breakage(
            workflow, arguments, reference, store=house.store, playbooks=house.playbooks, clock=utc_now
        )

    await house.durable.launch(workflows(house), broken=broken)
    if house.posts:
        await house.store.change(lambda tx: tx.resend_unsent())
    await house.store.change(lambda tx: scout_again(tx, at=utc_now()))
    await house.store.change(lambda tx: retire_again(tx, at=utc_now() + RETIRE_SOON))
    timers = asyncio.create_task(keep_time(store=house.store, clock=utc_now))
    try:
        yield
    finally:
        timers.cancel()
        await asyncio.gather(timers, return_exceptions=True)
        await house.durable.shutdown()
