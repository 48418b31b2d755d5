"""``backout record``: whether an incident is as it was written, and all of it as one archive."""

import sys
from pathlib import Path

from bot.adapters.archive import archive
from bot.adapters.templates import render_template
from bot.bootstrap import House, utc_now
from bot.domain.exhibit import Exhibit
from bot.domain.ids import IncidentNumber, incident_label
from bot.slack.commands import read_number, which_one
from bot.slack.text import MARKDOWN, Words
from bot.slack.views.integrity_text import integrity_text
from bot.terminal import USAGE, put, words_of
from bot.usecases.archive_incident import files_of
from bot.usecases.ports import NotKept
from bot.usecases.read_case import Case, case_of
from bot.usecases.retire_evidence import expired, retire_now
from bot.usecases.verify_record import verify_record

#: Exit codes besides 0 and `USAGE`.
NOT_WHOLE = 1


async def verify(house: House, written: str, heads: list[str]) -> int:
    """Check one incident, or all of them; 0 only when nothing is wrong."""
    words = words_of(house)
    if written == "all" and heads:
        put(words.say("A head belongs to one incident: name it, such as INC-12."))
        return USAGE
    if written == "all":
        incidents = await house.store.look(lambda tx: tx.incidents(limit=sys.maxsize))
        numbers = [incident.number for incident in incidents]
    else:
        number = read_number(written)
        if number is None:
            put(which_one("record verify", words))
            return USAGE
        numbers = [number]
    codes = [await _verify_one(house, number, heads, words) for number in numbers]
    return max(codes, default=0)


async def _verify_one(house: House, number: IncidentNumber, heads: list[str], words: Words) -> int:
    try:
        checked = await verify_record(number, store=house.store, vault=house.vault, heads=heads)
    except NotKept:
        put(words.say("There is no {label}.", label=incident_label(number)))
        return USAGE
    for line in integrity_text(checked, number, words):
        put(line)
    return 0 if checked.whole else NOT_WHOLE


async def write_archive(house: House, written: str, out: Path | None) -> int:
    """Write everything that is stored of one incident into a ZIP."""
    words, number = words_of(house), read_number(written)
    if number is None:
        put(which_one("record archive", words))
        return USAGE
    label = incident_label(number)
    try:
        case = await house.store.look(lambda tx: case_of(tx, number))
        files = await files_of(number, store=house.store, vault=house.vault)
    except NotKept:
        put(words.say("There is no {label}.", label=label))
        return USAGE
    file = out or Path(f"{label}.zip")
    try:
        file.write_bytes(archive(files, folder=label, read_me=_read_me(house, case)))
    except OSError as error:
        put(words.say("{file} cannot be written: {why}", file=str(file), why=error.strerror or str(error)))
        return USAGE
    put(words.say("Written: {file}, {count} files.", file=str(file), count=len(files)))
    return 0


def _read_me(house: House, case: Case) -> str:
    words = Words(locale=house.settings.locale, style=MARKDOWN, zone=house.playbooks.current().time_zone)
    values = {
        "label": incident_label(case.incident.number),
        "target": words.safe(case.incident.target),
        "opened": words.moment(case.incident.opened_at),
        "made": words.moment(utc_now()),
        "head": case.head,
    }
    return render_template("archive.md", words.locale, values)


async def retire(house: House, *, dry_run: bool) -> int:
    """Take away the files of evidence whose time is over, or only say which those are."""
    words = words_of(house)
    gone = await expired(house.retiring()) if dry_run else await retire_now(house.retiring())
    for exhibit in gone:
        put(_line(exhibit, words))
    days = house.settings.evidence_days
    if dry_run:
        put(words.say("{count} files are older than {days} days.", count=len(gone), days=days))
    else:
        put(words.say("{count} files taken away: older than {days} days.", count=len(gone), days=days))
    return 0


def _line(exhibit: Exhibit, words: Words) -> str:
    return words.say(
        "{label} {name}, {at}",
        label=incident_label(exhibit.incident),
        name=exhibit.name,
        at=words.moment(exhibit.created_at),
    )
