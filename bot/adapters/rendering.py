"""From "show this" to what is shown: reads the stored facts and hands them to a view."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.adapters.templates import render_template
from bot.domain.ids import IncidentNumber, PersonId, RollbackId, incident_label
from bot.domain.record import Record, make_record
from bot.domain.timeline import incident_chain
from bot.slack.text import MARKDOWN, Words, locale_of
from bot.slack.views.board import board
from bot.slack.views.notices import notice_message
from bot.slack.views.record import record_message, record_values
from bot.slack.views.rollback_message import Message, rollback_message
from bot.slack.views.status import status_message
from bot.slack.views.timeline import log_message
from bot.usecases.ports import Clock, People, PeopleUnknown, Playbooks, Said, Showing, Store, Transaction
from bot.usecases.report_status import STATUS


@dataclass(frozen=True, kw_only=True)
class File:
    """A file to upload; `comment` says in the thread what it is."""

    name: str
    title: str
    content: str
    comment: str


class Rendering:
    """Renders any message. Channels read `locale`; one person reads their own language."""

    def __init__(
        self, store: Store, playbooks: Playbooks, people: People, clock: Clock, *, locale: str
    ) -> None:
        self._store = store
        self._playbooks = playbooks
        self._people = people
        self._clock = clock
        self._words = Words(locale=locale)

    async def render(
        self, what: Showing, subject: str, facts: Mapping[str, Any], *, person: str | None
    ) -> Message | File:
        """Return what `what` of `subject` looks like now."""
        if what is Showing.NOTICE:
            return await self._notice(facts, person)
        if what is Showing.ROLLBACK:
            return await self._rollback(RollbackId(subject))
        if what is Showing.LOG:
            return await self._log(subject)
        number = IncidentNumber(int(subject.partition(":")[0]))
        if what is Showing.BOARD:
            return await self._board(number)
        record = await self.record(number)
        if what is Showing.RECORD:
            return record_message(record, self._words)
        return self._record_file(record, subject.partition(":")[2])

    async def owner(self, what: Showing, subject: str) -> str | None:
        """Return who should get a message whose channel does not take it."""
        if what is not Showing.ROLLBACK:
            return None
        rollback = await self._store.look(lambda tx: tx.rollback(RollbackId(subject)))
        return None if rollback.asked_by.startswith("cli:") else rollback.asked_by

    async def _rollback(self, id: RollbackId) -> Message:
        rollback = await self._store.look(lambda tx: tx.rollback(id))
        return rollback_message(rollback, self._playbooks.current(), self._words, now=self._clock())

    async def _board(self, number: IncidentNumber) -> Message:
        def read(tx: Transaction) -> Message:
            return board(tx.incident(number), tx.rollbacks_of(number), self._words, now=self._clock())

        return await self._store.look(read)

    async def _log(self, subject: str) -> Message:
        number, _, span = subject.partition(":")
        first, last = (int(part) for part in span.split("-"))
        entries = await self._store.look(lambda tx: tx.timeline(incident_chain(IncidentNumber(int(number)))))
        return log_message([e for e in entries if first <= e.sequence <= last], self._words)

    async def _notice(self, facts: Mapping[str, Any], person: str | None) -> Message:
        words = replace(self._words, locale=await self._locale_of(person))
        if facts["what"] == Said.STATUS:
            status = STATUS.validate_python(facts["status"])
            return status_message(status, self._playbooks.current(), words)
        return notice_message(facts, words, now=self._clock())

    async def _locale_of(self, person: str | None) -> str:
        if person is None:
            return self._words.locale
        try:
            return locale_of((await self._people.person(PersonId(person))).locale)
        except PeopleUnknown:
            return self._words.locale

    async def record(self, number: IncidentNumber) -> Record:
        """Return an incident's failure record. Raises `NotKept` when there is no such incident."""
        playbook = self._playbooks.current()

        def read(tx: Transaction) -> Record:
            return make_record(
                tx.incident(number),
                tx.rollbacks_of(number),
                tx.timeline(incident_chain(number)),
                playbook=playbook,
                names=tx.names(),
            )

        return await self._store.look(read)

    def markdown(self, record: Record) -> str:
        """Return the record as Markdown, in the channel's language."""
        names = {str(person): name for person, name in record.names.items()}
        words = Words(locale=self._words.locale, style=MARKDOWN, zone=record.time_zone, names=names)
        return render_template("failure_record.md", words.locale, record_values(record, words))

    def _record_file(self, record: Record, edition: str) -> File:
        label, say = incident_label(record.incident.number), self._words.plain
        return File(
            name=f"{label}-record-{edition}.md",
            title=say("Failure record of {label}, edition {edition}", label=label, edition=edition),
            content=self.markdown(record),
            comment=say("The failure record as Markdown."),
        )
