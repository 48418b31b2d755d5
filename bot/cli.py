"""The command line: the same use-cases as in Slack, and the server's own commands."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

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

#: Exit codes. Those of ``backout rollback`` are in `bot.terminal`.
FAILED, USAGE = 1, 2


class Locale(StrEnum):
    """Languages the bot speaks."""

    EN = "en"
    KO = "ko"


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
    from bot.sandbox.run import run_sandbox

    raise typer.Exit(run_sandbox(port=port, locale=locale.value))


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


@incident_app.command("export")
def export_incident(
    number: Annotated[str, typer.Argument(help="The incident: 12 or INC-12.")],
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.JSON,
) -> None:
    """Print an incident's timeline with its hashes."""
    from bot.terminal import export_timeline

    raise typer.Exit(_with_house(lambda house: export_timeline(house, number, form.value)))


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
def check_playbook(file: Annotated[Path, typer.Argument(help="The playbook.")]) -> None:
    """Say what is wrong with a playbook, with file, line and what to write instead."""
    from bot.adapters.playbook_file import BadPlaybook, check_playbook

    try:
        checked = check_playbook(file)
    except BadPlaybook as bad:
        for fault in bad.faults:
            typer.echo(fault)
        raise typer.Exit(FAILED) from bad
    for line in checked.summary(file.name):
        typer.echo(line)


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
