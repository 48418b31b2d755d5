"""Statistics for whoever asks: figures with a picture, and all of it as a file of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.ids import ChannelId, PersonId
from bot.domain.looking_back import REPORT, WANTED, Report, Wanted, look_back, read_written, written
from bot.usecases.accept import accept
from bot.usecases.ports import (
    Clock,
    NotDrawn,
    Pictures,
    Said,
    Showing,
    Steps,
    Store,
    Transaction,
    Workflow,
)
from bot.usecases.tell_who_asked import tell_who_asked


@dataclass(frozen=True, kw_only=True)
class ReportingStats:
    """What reporting statistics may touch."""

    store: Store
    pictures: Pictures


async def accept_stats(
    key: str, wanted: Wanted, person: PersonId, channel: ChannelId, *, store: Store, clock: Clock
) -> None:
    """Write the question down, once per `key`; a workflow reads, draws and answers."""
    about = {"wanted": WANTED.dump_json(wanted).decode(), "person": person, "channel": channel, "key": key}
    await accept(key, Workflow.STATS, key, store=store, clock=clock, **about)


async def report_stats(arguments: Mapping[str, str], *, steps: Steps, use: ReportingStats) -> None:
    """Look back and tell the person who asked, with a picture where one can be drawn."""
    # A picture that is drawn twice, after a crash, leaves a file that nobody sees.
    facts = await steps.step("look back", lambda: _look_back(arguments, use), into=dict[str, Any])
    await steps.step(
        "tell",
        lambda: use.store.change(lambda tx: tell_who_asked(tx, arguments, Said.STATS, facts)),
        into=str,
    )


async def _look_back(arguments: Mapping[str, str], use: ReportingStats) -> dict[str, Any]:
    wanted = WANTED.validate_json(arguments["wanted"])
    report = await use.store.look(lambda tx: read_report(tx, wanted))
    # What each incident took is for the file: the message has no room for it.
    facts: dict[str, Any] = {"report": REPORT.dump_python(replace(report, incidents=()), mode="json")}
    if not report.all.incidents and not (report.canaries and report.canaries.seen):
        return facts
    try:
        return facts | {"file": await use.pictures.upload_stats(report, person=PersonId(arguments["person"]))}
    except NotDrawn as error:
        return facts | {"why": str(error)[:500]}


def read_report(tx: Transaction, wanted: Wanted) -> Report:
    """Look back on `wanted` as it is stored now."""
    return look_back(tx.past(since=wanted.since, until=wanted.until), wanted)


# The file. A line that only one person sees takes none, so it goes to them directly.


async def send_stats_file(key: str, wanted: Wanted, person: PersonId, *, store: Store, clock: Clock) -> None:
    """Send the figures as a file, once per `key`, in a thread of the person's own conversation with us."""
    now, subject = clock(), file_subject(wanted, person)

    def send(tx: Transaction) -> None:
        if not tx.first_time(key, at=now):
            return
        channel = ChannelId(person)
        tx.show(Showing.STATS, subject, channel=channel)
        tx.show(Showing.STATS_FILE, subject, channel=channel, under=f"{Showing.STATS}:{subject}")

    await store.change(send)


def file_subject(wanted: Wanted, person: PersonId) -> str:
    """Return the subject of the file: who reads it, and what it looks back on; at most 180 characters."""
    return f"{person}|{written(wanted)}"


def read_subject(subject: str) -> tuple[PersonId, Wanted]:
    """Return what `file_subject` wrote."""
    person, _, wanted = subject.partition("|")
    return PersonId(person), read_written(wanted)
