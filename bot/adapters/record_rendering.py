"""The failure record as files: Markdown, HTML, PDF and JSON, made from the database and from nothing else."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter

from bot.adapters.charts import drawn
from bot.adapters.templates import TEMPLATES, filled_in, is_the_teams
from bot.domain.alert import Alert
from bot.domain.document import Document
from bot.domain.exhibit import Exhibit
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.record import Record, edition_id, make_record
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import incident_chain
from bot.slack.text import HTML, MARKDOWN, PLAIN, Markup, Style, Words
from bot.slack.views.drill_marks import drill_line, drill_word, marked
from bot.slack.views.record_document import record_document
from bot.slack.views.record_picture import record_picture
from bot.slack.views.record_values import record_values
from bot.usecases.editions import playbook_of
from bot.usecases.ports import (
    BadTemplate,
    Charts,
    NotDrawn,
    NotKept,
    Playbooks,
    Printer,
    RecordFile,
    Records,
    RenderedRecord,
    Store,
    Transaction,
    Vault,
    VaultDown,
)

log = structlog.get_logger()

#: The ways a record is written, in the order they are posted.
FORMS = ("md", "html", "pdf")
MARKDOWN_TEMPLATE, HTML_TEMPLATE, STYLE_SHEET = (
    "failure_record.md",
    "failure_record.html",
    "failure_record.css",
)
#: Slack takes a canvas of 1 MiB, and Korean takes twice its bytes on the way; what is longer is in the files.
LONGEST_CANVAS_BYTES = 500_000
_RECORD = TypeAdapter(Record)
#: Raised whenever the JSON changes in a way that its readers notice.
JSON_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Posted:
    """What is posted of an edition: its files, and what is missing or was made otherwise, and why."""

    files: tuple[RecordFile, ...]
    problems: tuple[tuple[str, str], ...]


class RecordRendering(Records):
    """`Records`, and each form of a record by itself.

    Args:
        charts, printer: None where nobody draws: the record is made without picture and PDF then.
        vault: where editions are filed; None: each is rendered anew.
        locale: the channel's language.
        team: a directory with the team's own templates.
    """

    def __init__(
        self,
        store: Store,
        playbooks: Playbooks,
        *,
        charts: Charts | None = None,
        printer: Printer | None = None,
        vault: Vault | None = None,
        locale: str,
        team: Path | None = None,
    ) -> None:
        self._store = store
        self._playbooks = playbooks
        self._charts = charts
        self._printer = printer
        self._vault = vault
        self._locale = locale
        self._team = team

    async def record(self, number: IncidentNumber) -> Record:
        """Return an incident's failure record. Raises `NotKept` when there is no such incident."""
        return await self._store.look(lambda tx: self._read(tx, number))

    def _read(self, tx: Transaction, number: IncidentNumber) -> Record:
        incident = tx.incident(number)
        return make_record(
            incident,
            tx.rollbacks_of(number),
            tx.timeline(incident_chain(number)),
            playbook=playbook_of(tx, incident, self._playbooks.current()),
            names=tx.names(),
            alerts=tx.find(Alert, incident=number),
            snapshots=tx.find(Snapshot, incident=number),
            exhibits=tx.find(Exhibit, incident=number),
        )

    async def render(self, number: IncidentNumber, edition: int) -> RenderedRecord:
        """See `Records.render`. What cannot be made is named, and the rest is there all the same."""
        record = await self.record(number)
        label = incident_label(number)
        picture, no_picture = await self.picture(record)
        markdown, bad_markdown = self.markdown(record)
        page, bad_page = self.html(record, picture)
        pdf, no_pdf = await self.pdf(record, picture, edition=edition)
        name = f"{label}-record-{edition}"
        files = [
            RecordFile(name=f"{name}.md", content=markdown.encode()),
            RecordFile(name=f"{name}.html", content=page.encode()),
            RecordFile(name=f"{name}.pdf", content=pdf, problem=no_pdf),
        ]
        problems = (
            (f"{name}.png", no_picture),
            (MARKDOWN_TEMPLATE, bad_markdown),
            (HTML_TEMPLATE, bad_page),
        )
        files += [RecordFile(name=what, problem=why) for what, why in problems if why is not None]
        return RenderedRecord(head=record.head, files=tuple(files))

    async def canvas(self, number: IncidentNumber) -> tuple[str, str]:
        """See `Records.canvas`."""
        record = await self.record(number)
        title = self._words(record, PLAIN).plain(
            "Failure record of {label}", label=incident_label(record.incident.number)
        )
        if record.incident.drill:
            title = marked(title, self._words(record, PLAIN))
        markdown, _ = self.markdown(record)
        return title, fitting(markdown, LONGEST_CANVAS_BYTES)

    async def posted(self, number: IncidentNumber, edition: int) -> Posted:
        """Return an edition's files as they were filed; what cannot be got from there is rendered anew."""
        id = edition_id(number, edition)
        exhibits = await self._store.look(lambda tx: tx.find(Exhibit, snapshot=id))
        wanted = [exhibit for exhibit in exhibits if exhibit.problem is None]
        problems = [(one.name, one.problem) for one in exhibits if one.problem is not None]
        files = [await self._filed(exhibit) for exhibit in wanted]
        found = [file for file in files if file is not None]
        if not found or len(found) < len(files):
            anew = await self.render(number, edition)
            found = [file for file in anew.files if file.problem is None]
            problems += [(file.name, file.problem) for file in anew.files if file.problem is not None]
        found.sort(key=lambda file: FORMS.index(file.name.rpartition(".")[2]))
        return Posted(files=tuple(found), problems=tuple(dict(problems).items()))

    async def _filed(self, exhibit: Exhibit) -> RecordFile | None:
        if self._vault is None:
            return None
        try:
            return RecordFile(name=exhibit.name, content=await self._vault.get(exhibit.place))
        except (NotKept, VaultDown) as error:
            log.warning("filed_record_unreadable", place=exhibit.place, why=str(error)[:300])
            return None

    def _words(self, record: Record, style: Style) -> Words:
        names = {str(person): name for person, name in record.names.items()}
        return Words(locale=self._locale, style=style, zone=record.time_zone, names=names)

    def markdown(self, record: Record) -> tuple[str, str | None]:
        """Return the record as Markdown, and what is wrong with the team's template, if anything is."""
        words = self._words(record, MARKDOWN)
        text, bad = self._filled(MARKDOWN_TEMPLATE, record_values(record, words))
        if record.incident.drill and drill_word(words) not in text.partition("\n\n")[0]:
            # A template of the team's own may leave out the heading, which says so.
            text = f"> {drill_line(words)}\n\n{text}"
        return text, bad

    def html(self, record: Record, picture: bytes | None) -> tuple[str, str | None]:
        """Return the record as one HTML page with `picture` (PNG) in it, and what is wrong as above."""
        words = self._words(record, HTML)
        return self._filled(HTML_TEMPLATE, page_values(record, words, picture))

    def _filled(self, template: str, values: Mapping[str, Any]) -> tuple[str, str | None]:
        if not is_the_teams(template, self._locale, self._team):
            return filled_in(template, self._locale, values), None
        try:
            return filled_in(template, self._locale, values, team=self._team), None
        except BadTemplate as bad:
            log.error("template_broken", template=template, why=str(bad))
            return filled_in(template, self._locale, values), str(bad)

    async def pdf(self, record: Record, picture: bytes | None, *, edition: int) -> tuple[bytes, str | None]:
        """Return the record as PDF, or nothing and why there is none."""
        if self._printer is None:
            return b"", "nobody prints here"
        try:
            return await self._printer.pdf(self.document(record, picture, edition=edition)), None
        except NotDrawn as error:
            return b"", str(error)

    def document(self, record: Record, picture: bytes | None, *, edition: int) -> Document:
        """Return what the PDF holds."""
        words = self._words(record, PLAIN)
        label = incident_label(record.incident.number)
        name = words.plain("Failure record of {label}, edition {edition}", label=label, edition=edition)
        return record_document(record, words, picture=picture, name=name)

    async def picture(self, record: Record) -> tuple[bytes | None, str | None]:
        """Return canary and stable around the deployment as PNG, or why it cannot be drawn."""
        if not record.points or self._charts is None:
            return None, None
        words = self._words(record, PLAIN)
        try:
            return await drawn(self._charts, lambda w: record_picture(record, w), words), None
        except NotDrawn as error:
            return None, str(error)

    def json(self, record: Record) -> str:
        """Return everything the record is made of as JSON, for other programs. Times are UTC."""
        known = {"schema": JSON_SCHEMA, "record": _RECORD.dump_python(record, mode="json")}
        return json.dumps(known, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def page_values(record: Record, words: Words, picture: bytes | None) -> dict[str, Any]:
    """Return what the HTML template is filled with; `words` are in the style `bot.slack.text.HTML`."""
    shown = f"data:image/png;base64,{base64.b64encode(picture).decode()}" if picture else ""
    return record_values(record, words) | {
        "language": words.locale,
        "style": Markup((TEMPLATES / STYLE_SHEET).read_text("utf-8")),
        "picture": Markup(shown),
        "picture_alt": words.say("Canary and stable around the deployment"),
    }


def fitting(markdown: str, limit: int) -> str:
    """Return as many whole lines as fit into `limit` bytes."""
    if len(markdown.encode()) <= limit:
        return markdown
    lines, used = [], 0
    for line in markdown.splitlines(keepends=True):
        used += len(line.encode())
        if used > limit - len("…\n".encode()):
            break
        lines.append(line)
    return "".join(lines) + "…\n"
