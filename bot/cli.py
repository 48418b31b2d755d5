"""The command line: the same use-cases as in Slack, and the server's own commands."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from bot import __version__

if TYPE_CHECKING:
    from bot.bootstrap import House

app = typer.Typer(
    name="backout",
    help="Takes a bad canary on Google Cloud Run out of traffic, and proves it.",
    no_args_is_help=True,
    suggest_commands=True,
    pretty_exceptions_enable=False,
)
playbook_app = typer.Typer(help="Check and print the team's playbook.", no_args_is_help=True)
app.add_typer(playbook_app, name="playbook")
incident_app = typer.Typer(help="Read incidents.", no_args_is_help=True)
app.add_typer(incident_app, name="incident")


class _ShowUnlessNamed(TyperGroup):
    """Takes ``record INC-12`` for ``record show INC-12``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


record_app = typer.Typer(
    cls=_ShowUnlessNamed,
    help="Read, check and take along the record of an incident: backout record INC-12.",
    no_args_is_help=True,
)
app.add_typer(record_app, name="record")
evidence_app = typer.Typer(help="Look after the files of evidence.", no_args_is_help=True)
app.add_typer(evidence_app, name="evidence")

#: Exit codes. Those of ``backout rollback`` are in `bot.terminal`.
FAILED, USAGE = 1, 2


class Locale(StrEnum):
    """Languages the bot speaks."""

    EN = "en"
    KO = "ko"


class RecordFormat(StrEnum):
    """How a failure record is written."""

    MD = "md"
    HTML = "html"
    PDF = "pdf"
    JSON = "json"


class Format(StrEnum):
    """How a timeline is written."""

    JSON = "json"
    CSV = "csv"


TargetArgument = Annotated[str, typer.Argument(help="A target of the playbook.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]


def main() -> None:
    """Run the command line."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"backout {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True)] = False,
) -> None:
    """Take a bad canary on Google Cloud Run out of traffic, and prove it."""


@app.command()
def serve() -> None:
    """Run web and worker in one process, on a migrated database."""
    _run_server(web=True, worker=True, migrate=True)


@app.command()
def web() -> None:
    """Run only what answers Slack; a worker runs elsewhere."""
    _run_server(web=True, worker=False, migrate=False)


@app.command()
def worker() -> None:
    """Run only the durable work."""
    _run_server(web=False, worker=True, migrate=False)


def _run_server(*, web: bool, worker: bool, migrate: bool) -> None:
    with _plain_errors():
        from bot.bootstrap import build
        from bot.logs import set_up_logs
        from bot.server import serve as run
        from bot.settings import read_settings

        set_up_logs()
        house = build(read_settings(needs_slack=True))
        if migrate:
            house.migrate()
        elif not house.is_migrated():
            _stop("The database is not at this version's tables: run `backout migrate` first.", [])
        for fault in house.template_faults(house.playbooks.current()):
            # Backout's own is used in its place, so this is no reason not to start.
            typer.echo(f"A template of yours cannot be used: {fault}", err=True)
        asyncio.run(run(house, web=web, worker=worker))


@app.command()
def migrate() -> None:
    """Bring the database to this version's tables."""
    with _plain_errors():
        from bot.bootstrap import build
        from bot.settings import read_settings

        build(read_settings(needs_slack=False)).migrate()
        typer.echo("The database is at this version's tables.")


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes any free one.")] = 8000,
    locale: Annotated[Locale, typer.Option(help="Language of the channels.")] = Locale.EN,
) -> None:
    """Start a Slack workspace, a Google Cloud, a canary service under load and the bot; print one address."""
    from bot.drill.past import PastDrills
    from bot.drill.show import DrillGuest
    from bot.sandbox.run import run_sandbox

    guest = DrillGuest(PastDrills(), locale=locale.value)
    raise typer.Exit(run_sandbox(port=port, locale=locale.value, guest=guest))


@app.command()
def drill(
    scenario: Annotated[
        str | None, typer.Argument(help="Number (1 to 5) or key of a scenario; without one they are listed.")
    ] = None,
    locale: Annotated[Locale, typer.Option(help="Language of the story and the channels.")] = Locale.EN,
    target: Annotated[str, typer.Option(help="What fails: canary or chat.")] = "canary",
    headless: Annotated[
        bool, typer.Option("--headless", help="Without a page: a scripted operator acts. For CI.")
    ] = False,
    channel: Annotated[
        str | None, typer.Option(help="Id (C…) of a channel of the real Slack of SLACK_BOT_TOKEN.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="Where past drills are kept; without it backout-drills.db, here.")
    ] = None,
    playbook: Annotated[
        Path | None, typer.Option(help="A playbook for the sandbox's people, in place of the sandbox's.")
    ] = None,
    speed: Annotated[float, typer.Option(help="How many times faster the story is told.", min=0.1)] = 1.0,
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes any free one.")] = 8000,
) -> None:
    """Drill one of the guide's failures on a simulated cloud. Headless: exit 0 only when all was done."""
    with _plain_errors():
        from bot.drill.show import Wished, show

        wished = Wished(
            scenario=scenario,
            locale=locale.value,
            target=target,
            headless=headless,
            channel=channel,
            database=database,
            playbook=playbook,
            speed=speed,
            port=port,
        )
        raise typer.Exit(show(wished))


@app.command()
def rollback(
    target: TargetArgument = "canary",
    reason: Annotated[str, typer.Option(help="Why, for the timeline.")] = "",
    force: Annotated[bool, typer.Option("--force", help="At once, without asking.")] = False,
) -> None:
    """Take the canary out of traffic and prove it. Exit 0 only when it is proven."""
    from bot.terminal import roll_back

    raise typer.Exit(_with_house(lambda house: roll_back(house, target, reason=reason, force=force)))


@app.command()
def status(target: TargetArgument = "canary") -> None:
    """Show who serves, the flags of canary and stable, and what is going on."""
    from bot.terminal import show_status

    raise typer.Exit(_with_house(lambda house: show_status(house, target)))


@app.command()
def metrics(target: TargetArgument = "canary", as_json: JsonOption = False) -> None:
    """Show every metric of canary and stable, the worst first, each with its last hour."""
    from bot.terminal_looks import show_metrics

    raise typer.Exit(_with_house(lambda house: show_metrics(house, target, as_json=as_json)))


@app.command()
def logs(
    what: Annotated[
        list[str] | None, typer.Argument(help="errors, slow or canary; then a target of the playbook.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the log says: errors, slow requests, or all of the canary's lines."""
    from bot.terminal_looks import show_logs

    raise typer.Exit(_with_house(lambda house: show_logs(house, what or [], as_json=as_json)))


@app.command()
def probe(
    what: Annotated[
        list[str] | None,
        typer.Argument(help="Requests to each side, pause in milliseconds, a target: 20 100 canary."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask canary and stable directly, and compare their answers and how long they take."""
    from bot.terminal_looks import show_probe

    raise typer.Exit(_with_house(lambda house: show_probe(house, what or [], as_json=as_json)))


@app.command()
def watch(target: TargetArgument = "canary") -> None:
    """Watch the canary in this terminal, as the bot does. Exit 1 when a rollback was recommended."""
    from bot.terminal_watch import watch as watch_here

    raise typer.Exit(_with_house(lambda house: watch_here(house, target)))


@app.command()
def ready(target: TargetArgument = "canary") -> None:
    """Check whether the team is ready to roll back. Exit 0 only when every point is."""
    from bot.terminal import show_readiness

    raise typer.Exit(_with_house(lambda house: show_readiness(house, target)))


@app.command()
def replay(
    file: Annotated[
        Path,
        typer.Argument(help="CSV or JSON: time, side or revision, requests, errors, latencies, memory, cpu."),
    ],
    canary: Annotated[str | None, typer.Option(help="The revision that is the canary.")] = None,
    playbook: Annotated[Path | None, typer.Option(help="Without it the one in force.")] = None,
    cumulative: Annotated[
        bool | None, typer.Option(help="Counts go on from window to window; without it that is looked for.")
    ] = None,
    lang: Annotated[Locale | None, typer.Option(help="Language; without it the channels'.")] = None,
) -> None:
    """Run a recorded series through the deciding: when each rule would have fired. Exit 2: unusable file."""
    with _plain_errors():
        from rich.console import Console

        from bot.adapters.playbook_file import read_playbook
        from bot.adapters.printed_pages import print_pages
        from bot.adapters.recorded_series import read_series
        from bot.domain.recorded import BadSeries
        from bot.domain.replay import replay as judge_all
        from bot.settings import read_settings
        from bot.slack.text import PLAIN, Words
        from bot.slack.views.replay_text import replay_text, unusable_text

        settings = read_settings(needs_slack=False)
        rules = read_playbook(playbook or settings.playbook)
        words = Words(locale=lang.value if lang else settings.locale, style=PLAIN, zone=rules.time_zone)
        try:
            recorded = read_series(file, canary=canary, cumulative=cumulative)
        except BadSeries as bad:
            typer.echo(unusable_text(bad, words), err=True)
            raise typer.Exit(USAGE) from bad
        found = judge_all(recorded.observations, rules)
        pieces = replay_text(recorded, found, rules, words, file=file.name)
        print_pages(pieces, Console(highlight=False, markup=False, emoji=False))


@app.command()
def stats(
    words: Annotated[
        list[str] | None, typer.Argument(help="last 90 days, month, 2026-10, a scenario or a target.")
    ] = None,
    month: Annotated[str, typer.Option(help="One month: 2026-10.")] = "",
    since: Annotated[str, typer.Option(help="The first day: 2026-10-01.")] = "",
    until: Annotated[str, typer.Option(help="The last day: 2026-10-31.")] = "",
    scenario: Annotated[str, typer.Option(help="Only one scenario, by its number or key.")] = "",
    target: Annotated[str, typer.Option(help="Only one target of the playbook.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, with every incident's own numbers.")] = False,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None, typer.Option(help="Write to a file: .csv, .json, or .png for a picture.")
    ] = None,
) -> None:
    """Look back: times to detect, decide, roll back, verify, resolve; false alarms; change failure rate."""
    from bot.terminal_history import AskedForStats, show_stats

    asked = AskedForStats(
        words=words or [],
        month=month,
        since=since,
        until=until,
        scenario=scenario,
        target=target,
        as_csv=as_csv,
        as_json=as_json,
        out=out,
    )
    raise typer.Exit(_with_house(lambda house: show_stats(house, asked)))


@incident_app.command("list")
def list_incidents(
    search: Annotated[
        list[str] | None,
        typer.Argument(
            help="open, closed, a target, a scenario, a severity, since:2026-10-01, until:…, by:me, drill, "
            "no-drill, or words."
        ),
    ] = None,
    page: Annotated[int, typer.Option(help="Which page, from 1.", min=1)] = 1,
    as_json: JsonOption = False,
) -> None:
    """Look for incidents, the newest first."""
    from bot.terminal_history import show_list

    raise typer.Exit(_with_house(lambda house: show_list(house, search or [], page=page, as_json=as_json)))


@incident_app.command("export")
def export_incident(
    number: Annotated[str, typer.Argument(help="The incident: 12 or INC-12.")],
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.JSON,
) -> None:
    """Print an incident's timeline with its hashes."""
    from bot.terminal import export_timeline

    raise typer.Exit(_with_house(lambda house: export_timeline(house, number, form.value)))


@record_app.command("show")
def render_record(
    number: Annotated[str, typer.Argument(help="The incident: 12 or INC-12.")],
    form: Annotated[RecordFormat, typer.Option("--format", help="How it is written.")] = RecordFormat.MD,
    out: Annotated[Path | None, typer.Option(help="Write it into this file.")] = None,
) -> None:
    """Render an incident's failure record anew from the database: the same rows make the same bytes."""
    from bot.terminal import show_record

    raise typer.Exit(_with_house(lambda house: show_record(house, number, form.value, out=out)))


@record_app.command("verify")
def verify_incident(
    number: Annotated[str, typer.Argument(help="The incident: 12 or INC-12; all of them: all.")] = "all",
    head: Annotated[
        list[str] | None, typer.Option(help="A timeline head from a printed record; it must still be there.")
    ] = None,
) -> None:
    """Check hashes, chain and files. Exit 0 only when everything is as it was written."""
    from bot.terminal_record import verify

    raise typer.Exit(_with_house(lambda house: verify(house, number, head or [])))


@record_app.command("archive")
def archive_incident(
    number: Annotated[str, typer.Argument(help="The incident: 12 or INC-12.")],
    out: Annotated[Path | None, typer.Option(help="The file; without it INC-12.zip, here.")] = None,
) -> None:
    """Write everything that is stored of an incident into one ZIP that needs no Backout to be read."""
    from bot.terminal_record import write_archive

    raise typer.Exit(_with_house(lambda house: write_archive(house, number, out)))


@evidence_app.command("retire")
def retire_evidence(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which.")] = False,
) -> None:
    """Take away files of evidence that are older than BACKOUT_EVIDENCE_DAYS. A worker does so every day."""
    from bot.terminal_record import retire

    raise typer.Exit(_with_house(lambda house: retire(house, dry_run=dry_run)))


def _with_house(work: "Callable[[House], Awaitable[int]]") -> int:
    """Run `work` on a wired house and a current database; without a database, say what to do by hand."""
    with _plain_errors():
        from bot.bootstrap import build
        from bot.logs import set_up_logs
        from bot.settings import read_settings

        set_up_logs()
        house = build(read_settings(needs_slack=False))

        async def run() -> int:
            try:
                await house.open()
                return await work(house)
            finally:
                await house.close()

        return asyncio.run(run())


@playbook_app.command("check")
def check_playbook(
    file: Annotated[Path, typer.Argument(help="The playbook.")],
    templates: Annotated[
        Path | None,
        typer.Option(envvar="BACKOUT_TEMPLATES", help="A directory with the team's own templates."),
    ] = None,
) -> None:
    """Say what is wrong with a playbook, and with the team's own templates, with file and line."""
    from bot.adapters.playbook_file import BadPlaybook, check_playbook
    from bot.adapters.template_checks import template_faults

    try:
        checked = check_playbook(file, templates=templates)
    except BadPlaybook as bad:
        for fault in bad.faults:
            typer.echo(fault)
        raise typer.Exit(FAILED) from bad
    for line in checked.summary(file.name):
        typer.echo(line)
    broken = template_faults(checked.playbook, templates)
    for fault_of_template in broken:
        typer.echo(fault_of_template)
    if broken:
        raise typer.Exit(FAILED)


@playbook_app.command("schema")
def print_schema() -> None:
    """Print the playbook's JSON Schema, for editors."""
    import json

    from bot.domain.playbook_schema import playbook_schema

    typer.echo(json.dumps(playbook_schema(), indent=2, ensure_ascii=False))


@playbook_app.command("show")
def show_playbook(
    file: Annotated[Path | None, typer.Argument(help="The playbook; without it the one in force.")] = None,
    lang: Annotated[Locale | None, typer.Option(help="Language; without it the channels'.")] = None,
) -> None:
    """Print a playbook as the guide reads: scenarios, checklist, flags, rules, contacts."""
    with _plain_errors():
        from rich.console import Console

        from bot.adapters.playbook_file import read_playbook
        from bot.adapters.printed_pages import print_pages
        from bot.settings import read_settings
        from bot.slack.text import PLAIN, Words
        from bot.slack.views.playbook_text import playbook_text

        settings = read_settings(needs_slack=False)
        playbook = read_playbook(file or settings.playbook)
        words = Words(locale=lang.value if lang else settings.locale, style=PLAIN)
        print_pages(playbook_text(playbook, words), Console(highlight=False, markup=False, emoji=False))


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn what a person can mend into plain lines and an exit code."""
    from sqlalchemy.exc import OperationalError

    from bot.adapters.database.migrate import UnknownVersion
    from bot.adapters.durable import AlreadyWorking
    from bot.adapters.playbook_file import BadPlaybook
    from bot.settings import BadSettings

    try:
        yield
    except BadSettings as bad:
        _stop("The settings cannot be used:", bad.faults)
    except BadPlaybook as bad:
        _stop("The playbook cannot be used:", [str(fault) for fault in bad.faults])
    except (UnknownVersion, AlreadyWorking) as error:
        _stop(str(error), [])
    except OperationalError as error:
        _stop("The database cannot be reached:", [str(error.orig).strip(), "check DATABASE_URL"])


def _stop(what: str, lines: list[str]) -> NoReturn:
    typer.echo(what, err=True)
    for line in lines:
        typer.echo(f"  {line}", err=True)
    raise typer.Exit(USAGE)


if __name__ == "__main__":
    main()
