"""``backout rollback`` and ``backout status``: the use-cases of Slack, in a terminal, with Slack down too."""

import asyncio
import getpass
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.prompt import Confirm
from sqlalchemy import Engine, func, select

from bot.adapters.database.tables import MessageRow
from bot.adapters.durable import AlreadyWorking
from bot.adapters.incident_reading import timeline_content
from bot.bootstrap import House, utc_now, working
from bot.domain.by_hand import gcloud_line
from bot.domain.ids import ChannelId, IncidentNumber, PersonId, RollbackId, TargetName, incident_label
from bot.domain.people import COMMAND_LINE
from bot.domain.redaction import redact
from bot.domain.rollback import ENDED, Rollback, RollbackState
from bot.domain.snapshot import Snapshot
from bot.slack.commands import Answer, parse_rollback, parse_target, read_number, which_one
from bot.slack.text import PLAIN, Words
from bot.slack.views.plain_text import as_plain_text, unmarked
from bot.slack.views.readiness import readiness_text
from bot.slack.views.redacted import replaced_line
from bot.slack.views.rollback_message import rollback_message
from bot.slack.views.status import status_message
from bot.usecases.ask_for_rollback import AskForRollback, ask_for_rollback
from bot.usecases.check_readiness import check_readiness
from bot.usecases.decide_rollback import Choice, Decision, accept_decision
from bot.usecases.ports import NotDrawn, NotKept, StoreDown
from bot.usecases.read_evidence_sources import SOURCE_SECONDS
from bot.usecases.report_status import read_status
from bot.usecases.rollback_progress import JUDGED

#: For evidence after a rollback: each source may take its time, and is read by then or given up.
EVIDENCE_WITHIN_SECONDS = 2 * SOURCE_SECONDS + 5
#: How often the rows are looked at while something is waited for, seconds.
FOLLOW_EVERY_SECONDS = 0.3
#: How long our own worker may go on sending messages once the rollback has ended, seconds.
SEND_WITHIN_SECONDS = 10.0

#: Exit codes; only a proven rollback, or nothing to do, is a success.
EXIT_CODES = {
    RollbackState.VERIFIED: 0,
    RollbackState.NOTHING_TO_DO: 0,
    RollbackState.CANCELLED: 1,
    RollbackState.FAILED: 1,
    RollbackState.EXPIRED: 1,
    RollbackState.REFUSED: 1,
    RollbackState.NOT_VERIFIED: 3,
}
USAGE, UNKNOWN, NOT_RECORDED = 2, 4, 5

console = Console(highlight=False, markup=False, emoji=False)


def words_of(house: House) -> Words:
    """Return the channels' language, for a terminal."""
    return Words(locale=house.settings.locale, style=PLAIN, zone=house.playbooks.current().time_zone)


def put(text: str) -> None:
    """Print a text of ours, as wide as it is."""
    console.print(unmarked(text), soft_wrap=True)


async def show_status(house: House, target: str) -> int:
    """Print how `target` stands."""
    words, playbook = words_of(house), house.playbooks.current()
    wanted = parse_target("status", target, targets=playbook.targets, words=words)
    if isinstance(wanted, Answer):
        put(wanted.text)
        return USAGE
    try:
        status = await read_status(wanted, use=house.reporting())
    except StoreDown as error:
        return without_database(house, wanted, str(error))
    put(as_plain_text(status_message(status, playbook, words)))
    return 1 if status.problem else 0


async def show_readiness(house: House, target: str) -> int:
    """Print every point of readiness; 0 only when all of them are ready."""
    words = words_of(house)
    wanted = parse_target("ready", target, targets=house.playbooks.current().targets, words=words)
    if isinstance(wanted, Answer):
        put(wanted.text)
        return USAGE
    try:
        found = await check_readiness(wanted, use=house.checking())
        names = await house.store.look(lambda tx: tx.names())
    except StoreDown as error:
        return without_database(house, wanted, str(error))
    put(readiness_text(found, replace(words, names={str(id): name for id, name in names.items()})))
    return 0 if found.ready else 1


async def export_timeline(house: House, written: str, form: str) -> int:
    """Print an incident's timeline as `form` (``json`` or ``csv``), byte for byte."""
    words, number = words_of(house), read_number(written)
    if number is None:
        put(which_one("export", words))
        return USAGE
    try:
        content = await house.store.look(lambda tx: timeline_content(tx, number, form, words))
    except NotKept:
        put(words.say("There is no {label}.", label=incident_label(number)))
        return USAGE
    sys.stdout.write(content)
    return 0


async def show_record(house: House, written: str, form: str, *, out: Path | None) -> int:
    """Print an incident's failure record as `form`, or write it to `out`, byte for byte."""
    words, number = words_of(house), read_number(written)
    if number is None:
        put(which_one("record", words))
        return USAGE
    try:
        content = await _record_content(house, number, form)
    except NotKept:
        put(words.say("There is no {label}.", label=incident_label(number)))
        return USAGE
    except NotDrawn as error:
        put(words.say("It could not be printed: {why}", why=str(error)))
        return EXIT_CODES[RollbackState.FAILED]
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return 0
    try:
        await asyncio.to_thread(out.write_bytes, content)
    except OSError as error:
        put(words.say("{file} cannot be written: {why}", file=str(out), why=error.strerror or str(error)))
        return USAGE
    return 0


async def _record_content(house: House, number: IncidentNumber, form: str) -> bytes:
    """Return the record as it stands now. Raises `NotKept`, `NotDrawn`."""
    record = await house.records.record(number)
    if form == "json":
        return house.records.json(record).encode()
    if form == "md":
        text, problem = house.records.markdown(record)
        return _with_problem(text.encode(), problem)
    picture, no_picture = await house.records.picture(record)
    if form == "html":
        text, problem = house.records.html(record, picture)
        return _with_problem(text.encode(), problem or no_picture)
    content, problem = await house.records.pdf(record, picture, edition=record.incident.edition)
    if not content:
        raise NotDrawn(problem or "?")
    return _with_problem(content, no_picture)


def _with_problem(content: bytes, problem: str | None) -> bytes:
    """Return `content`; what is missing in it is said where it cannot get into a file."""
    if problem is not None:
        print(problem, file=sys.stderr)
    return content


async def roll_back(house: House, target: str, *, reason: str, force: bool) -> int:
    """Ask, show, confirm, follow to the end."""
    words, playbook = words_of(house), house.playbooks.current()
    clean = redact(reason)
    typed = f"{target} {'force ' if force else ''}{clean.text}"
    command = parse_rollback(typed, targets=playbook.targets, words=words)
    if isinstance(command, Answer):
        put(command.text)
        return USAGE
    if clean.count:
        put(replaced_line(clean.count, words))
    asked = AskForRollback(
        key=f"cli:{uuid.uuid4()}",
        target=TargetName(command.target),
        person=PersonId(f"{COMMAND_LINE}{getpass.getuser()}"),
        acting_team=None,
        channel=ChannelId(playbook.channels.incidents),
        reason=clean.text,
        forced=force,
    )
    try:
        id, _ = await ask_for_rollback(asked, store=house.store, clock=utc_now, playbook=playbook)
    except StoreDown as error:
        return without_database(house, command.target, str(error))
    assert id is not None
    try:
        async with _somebody_works(house) as ours:
            code = await _ask_and_follow(house, id, words)
            if ours:
                await _evidence_kept(house, id)
            await _slack_told(house, words)
    except StoreDown as error:
        return _database_lost(house, command.target, str(error))
    return code


def _database_lost(house: House, target: TargetName, why: str) -> int:
    words = words_of(house)
    put(
        words.say(
            "The database was lost on the way ({why}). What was recorded goes on as soon as it is back; "
            "*whether traffic has moved is not known here.*",
            why=why,
        )
    )
    _say_by_hand(house, target)
    return UNKNOWN


def without_database(house: House, target: TargetName, why: str) -> int:
    """Say that nothing was recorded, and how to roll back by hand; return the exit code for it."""
    words = words_of(house)
    put(
        words.say(
            "The database cannot be reached ({why}). *Nothing was recorded and nothing was done.*", why=why
        )
    )
    _say_by_hand(house, target)
    return NOT_RECORDED


def _say_by_hand(house: House, target: TargetName) -> None:
    known = house.playbooks.current().targets[target]
    project = known.project or house.settings.google_cloud_project
    put(words_of(house).say("By hand: {line}", line=gcloud_line(known, project=project, stable=None)))


@asynccontextmanager
async def _somebody_works(house: House) -> AsyncIterator[bool]:
    """With no worker running this process becomes it, until its own work is done; True when it did."""
    if await house.durable.workers_alive():
        yield False
        return
    try:
        async with working(house):
            yield True
    except AlreadyWorking:
        # A worker came up in the same second; it does the work and we follow.
        yield False


async def _ask_and_follow(house: House, id: RollbackId, words: Words) -> int:
    rollback = await _until_prepared(house, id)
    while rollback.state is RollbackState.ASKED:
        message = rollback_message(rollback, house.playbooks.current(), words, now=utc_now())
        put(as_plain_text(message))
        if rollback.plan is None:
            put(words.say("Name the stable revision in the playbook (stable_revision), then ask again."))
            await _decide(house, id, Choice.CANCEL)
            return EXIT_CODES[RollbackState.CANCELLED]
        go = await asyncio.to_thread(Confirm.ask, words.plain("Roll back?"), default=False)
        await _decide(house, id, Choice.ROLL_BACK if go else Choice.CANCEL)
        rollback = await _until_decided(house, id, asked_twice=rollback.twice)
    return await _follow(house, id, words)


async def _decide(house: House, id: RollbackId, choice: Choice) -> None:
    decision = Decision(
        rollback=id,
        choice=choice,
        person=PersonId(f"{COMMAND_LINE}{getpass.getuser()}"),
        acting_team=None,
        channel=ChannelId(house.playbooks.current().channels.incidents),
    )
    await accept_decision(f"cli:{uuid.uuid4()}", decision, store=house.store, clock=utc_now)


async def _read(house: House, id: RollbackId) -> Rollback:
    return await house.store.look(lambda tx: tx.rollback(id))


async def _until_prepared(house: House, id: RollbackId) -> Rollback:
    while True:
        rollback = await _read(house, id)
        if rollback.state is not RollbackState.ASKED or rollback.plan or rollback.candidates:
            return rollback
        await asyncio.sleep(FOLLOW_EVERY_SECONDS)


async def _until_decided(house: House, id: RollbackId, *, asked_twice: bool) -> Rollback:
    while True:
        rollback = await _read(house, id)
        if rollback.state is not RollbackState.ASKED or rollback.twice != asked_twice:
            return rollback
        await asyncio.sleep(FOLLOW_EVERY_SECONDS)


async def _follow(house: House, id: RollbackId, words: Words) -> int:
    """Print each new state until the end, then the proof."""
    shown: RollbackState | None = None
    while True:
        rollback = await _read(house, id)
        if rollback.state is not shown:
            shown = rollback.state
            _tell(house, rollback, words)
        if rollback.state in ENDED:
            return EXIT_CODES[rollback.state]
        await asyncio.sleep(FOLLOW_EVERY_SECONDS)


def _tell(house: House, rollback: Rollback, words: Words) -> None:
    if rollback.state is RollbackState.NOTHING_TO_DO and rollback.plan is None:
        put(words.say("Nothing to roll back on {target}. Nothing was changed.", target=rollback.target))
        return
    if rollback.state is RollbackState.FAILED and rollback.plan is None:
        why = rollback.problem or "?"
        put(words.say("Could not look at {target}: {why}", target=rollback.target, why=why))
        _say_by_hand(house, rollback.target)
        return
    put(as_plain_text(rollback_message(rollback, house.playbooks.current(), words, now=utc_now())))


async def _evidence_kept(house: House, id: RollbackId) -> None:
    """Wait until the evidence is taken: nobody else is there to take it, and tomorrow it says less."""
    rollback = await _read(house, id)
    if rollback.incident is None:
        return
    moments = 2 if rollback.state in JUDGED else 1
    for _ in range(round(EVIDENCE_WITHIN_SECONDS / FOLLOW_EVERY_SECONDS)):
        taken = await house.store.look(lambda tx: tx.find(Snapshot, incident=rollback.incident, rollback=id))
        if len(taken) >= moments:
            return
        await asyncio.sleep(FOLLOW_EVERY_SECONDS)


async def _slack_told(house: House, words: Words) -> None:
    """Wait a moment for the messages to go out; say so when Slack has not been told."""
    tries = round(SEND_WITHIN_SECONDS / FOLLOW_EVERY_SECONDS) if house.posts else 0
    waiting = await _unsent(house)
    for _ in range(tries):
        if not waiting:
            return
        await asyncio.sleep(FOLLOW_EVERY_SECONDS)
        waiting = await _unsent(house)
    if waiting:
        put(
            words.say(
                "Slack has not been told yet: {count} messages wait and go out as soon as a worker reaches "
                "Slack. Tell people yourself.",
                count=waiting,
            )
        )


async def _unsent(house: House) -> int:
    def count(engine: Engine) -> int:
        unsent = select(func.count()).select_from(MessageRow).where(MessageRow.sent < MessageRow.wanted)
        with engine.connect() as connection:
            return connection.scalar(unsent) or 0

    return await house.database.read(count)
