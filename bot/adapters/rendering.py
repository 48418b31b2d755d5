"""From "show this" to what is shown: reads the stored facts and hands them to a view."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.adapters.drill_rendering import belongs_to_drill, scoreboard_rendering, with_mark
from bot.adapters.evidence_rendering import READINGS, reading_rendering
from bot.adapters.exhibit_rendering import got, taking_of
from bot.adapters.incident_reading import (
    NAMES_ANOTHER,
    open_follow_ups,
    place_of_record,
    read_board,
    timeline_content,
)
from bot.adapters.message_files import File, Files
from bot.adapters.picture_rendering import IncidentPictures
from bot.adapters.post_mortem_rendering import (
    calendar_of,
    document_of,
    meeting_message,
    with_meeting_buttons,
    with_place,
)
from bot.adapters.record_rendering import HTML_TEMPLATE, MARKDOWN_TEMPLATE, RecordRendering
from bot.adapters.slack_canvases import canvas_address
from bot.adapters.task_rendering import ABOUT_ONE, TASKS, follow_ups_page, task_message, with_buttons
from bot.adapters.watch_rendering import WATCHES, watch_rendering
from bot.domain.announcement import Announcement
from bot.domain.diagnosis import Safety
from bot.domain.ids import ChangeId, IncidentNumber, PersonId, RollbackId, incident_label
from bot.domain.people import AUTOMATICS, RefusedWhy
from bot.domain.record import Record
from bot.domain.rollback import Rollback
from bot.domain.timeline import Entry, incident_chain
from bot.slack.text import Markup, Words, locale_of
from bot.slack.views.announcement import announcement_message, approval_card, update_due_message
from bot.slack.views.automatics_views import automatics_message, back_test_message
from bot.slack.views.board import board
from bot.slack.views.change_message import change_message
from bot.slack.views.checklist_card import checklist_card
from bot.slack.views.closing import closed_message
from bot.slack.views.diagnosis_card import diagnosis_card
from bot.slack.views.exhibits import evidence_comment, evidence_message, file_title
from bot.slack.views.finding import finding_message
from bot.slack.views.home import closed_home, home_view
from bot.slack.views.incident_notices import INCIDENT_NOTICES
from bot.slack.views.notices import notice_message
from bot.slack.views.picture import picture_message
from bot.slack.views.readiness import readiness_message
from bot.slack.views.record import record_message
from bot.slack.views.rollback_message import Message, rollback_message
from bot.slack.views.stats import stats_file_message, stats_message, stats_title
from bot.slack.views.stats_file import stats_csv, stats_file_name
from bot.slack.views.status import status_message
from bot.slack.views.timeline import log_message
from bot.usecases.authorize import authorize
from bot.usecases.before_rollback import safety_of
from bot.usecases.check_readiness import READINESS
from bot.usecases.editions import playbook_of
from bot.usecases.escalate_page import redirect_page
from bot.usecases.find_out import FINDING
from bot.usecases.journal import board_key
from bot.usecases.ports import (
    Clock,
    Messages,
    People,
    PeopleUnknown,
    Playbooks,
    Said,
    Showing,
    Store,
    Transaction,
    Vault,
)
from bot.usecases.read_circumstances import circumstances_of
from bot.usecases.report_stats import read_report, read_subject
from bot.usecases.report_status import STATUS
from bot.usecases.show_home import read_home
from bot.usecases.show_post_mortem import meeting_of


@dataclass(frozen=True, kw_only=True)
class HomeView:
    """An App Home, published to one person."""

    view: dict[str, Any]


#: Statistics in somebody's own conversation with us; the subject begins with their id.
STATS = frozenset({Showing.STATS, Showing.STATS_FILE})
#: What is shown of a text for people; the subject begins with its id.
TELLING = frozenset({Showing.APPROVAL, Showing.ANNOUNCEMENT, Showing.UPDATE_DUE})


class Rendering:
    """Renders any message. Channels read `locale`; one person reads their own language.

    `project` is the Google Cloud project of targets that name none, for links. `records` renders failure
    records; without it they have neither picture nor PDF. `pictures` draws those of incidents.
    `vault` holds files of evidence. `team` is a directory with templates of the team's own.
    """

    def __init__(
        self,
        store: Store,
        playbooks: Playbooks,
        people: People,
        messages: Messages,
        clock: Clock,
        *,
        locale: str,
        project: str = "",
        records: RecordRendering | None = None,
        pictures: IncidentPictures | None = None,
        vault: Vault | None = None,
        team: Path | None = None,
    ) -> None:
        self._store = store
        self._playbooks = playbooks
        self._people = people
        self._messages = messages
        self._clock = clock
        self._words = Words(locale=locale)
        self._records = records or RecordRendering(store, playbooks, locale=locale)
        self._project = project
        self._pictures = pictures
        self._vault = vault
        self._team = team

    async def render(
        self, what: Showing, subject: str, facts: Mapping[str, Any], *, person: str | None
    ) -> Message | File | Files | HomeView:
        """Return what `what` of `subject` looks like now; what belongs to a drill says so."""
        shown, now = await self._rendered(what, subject, facts, person=person), self._clock()
        if isinstance(shown, HomeView):
            return shown
        drill = await self._store.look(lambda tx: belongs_to_drill(tx, what, subject, facts, now=now))
        return with_mark(shown, await self._words_for(what, subject, person)) if drill else shown

    async def _words_for(self, what: Showing, subject: str, person: str | None) -> Words:
        """Return the reader's words: a person's own, or for people outside the team the text's own."""
        if what is Showing.ANNOUNCEMENT:
            id = subject.partition(":")[0]
            told = await self._store.look(lambda tx: tx.kept(Announcement, id))
            return replace(self._words, locale=told.locale)
        return replace(self._words, locale=await self._locale_of(person))

    async def _rendered(
        self, what: Showing, subject: str, facts: Mapping[str, Any], *, person: str | None
    ) -> Message | File | Files | HomeView:
        if what is Showing.NOTICE:
            return await self._notice(facts, person)
        if what is Showing.ROLLBACK:
            return await self._rollback(RollbackId(subject))
        if what is Showing.CHANGE:
            return await self._change(ChangeId(subject))
        if what in TASKS:
            current, words = self._playbooks.current(), self._words
            return await self._store.look(
                lambda tx: task_message(tx, what, subject, facts, current=current, words=words)
            )
        if what in WATCHES:
            book, said, now = self._playbooks.current(), self._words, self._clock()
            return await self._store.look(
                lambda tx: watch_rendering(tx, what, subject, current=book, words=said, now=now)
            )
        if what in READINGS:
            book, said, project = self._playbooks.current(), self._words, self._project
            return await self._store.look(
                lambda tx: reading_rendering(tx, what, subject, current=book, words=said, project=project)
            )
        if what is Showing.POST_MORTEM:
            book, said, team = self._playbooks.current(), self._words, self._team
            return await self._store.look(
                lambda tx: meeting_message(tx, subject, current=book, words=said, team=team)
            )
        if what is Showing.INCIDENT_PICTURE:
            return await self._incident_picture(subject)
        if what is Showing.EXHIBITS:
            return await self._exhibits(subject)
        if what is Showing.LOG:
            return await self._log(subject)
        if what is Showing.HOME:
            return await self._home(PersonId(subject))
        if what is Showing.SCOREBOARD:
            book, said = self._playbooks.current(), self._words
            return await self._store.look(
                lambda tx: scoreboard_rendering(tx, subject, current=book, words=said)
            )
        if what in TELLING:
            return await self._telling(what, subject)
        if what in STATS:
            return await self._stats(what, subject)
        number = IncidentNumber(int(subject.partition(":")[0]))
        if what is Showing.BOARD:
            return await self._board(number)
        if what is Showing.DIAGNOSIS:
            return await self._diagnosis(number)
        if what is Showing.FINDING:
            return await self._finding(number, int(subject.partition(":")[2]))
        if what is Showing.CHECKLIST:
            return await self._checklist(number, place=int(subject.partition(":")[2] or 1))
        if what is Showing.CLOSED:
            return await self._closed(number)
        if what is Showing.POST_MORTEM_FILE:
            return await self._meeting_file(number, subject.partition(":")[2])
        if what is Showing.TIMELINE_FILE:
            return await self._timeline_file(number, subject.partition(":")[2])
        if what is Showing.RECORD:
            return await self._record(number)
        return await self._record_files(number, int(subject.partition(":")[2]))

    async def owner(self, what: Showing, subject: str, *, why: str = "") -> str | None:
        """Return who or which channel gets a message whose channel does not take it, in Slack's word `why`.

        That a page stands elsewhere is written down, because somebody may look for it in vain.
        """
        if what is Showing.PAGE:
            now, current = self._clock(), self._playbooks.current()
            return await self._store.change(lambda tx: redirect_page(tx, subject, current, why=why, at=now))
        if what is Showing.ROLLBACK:
            asked_by = (await self._store.look(lambda tx: tx.rollback(RollbackId(subject)))).asked_by
        elif what is Showing.CHANGE:
            asked_by = (await self._store.look(lambda tx: tx.change(ChangeId(subject)))).asked_by
        else:
            return None
        return None if asked_by == AUTOMATICS or asked_by.startswith("cli:") else asked_by

    async def _rollback(self, id: RollbackId) -> Message:
        current = self._playbooks.current()

        def read(tx: Transaction) -> tuple[Rollback, Safety | None]:
            rollback = tx.rollback(id)
            return rollback, safety_of(tx, rollback.target, current)

        rollback, safety = await self._store.look(read)
        return rollback_message(rollback, current, self._words, now=self._clock(), safety=safety)

    async def _change(self, id: ChangeId) -> Message:
        change = await self._store.look(lambda tx: tx.change(id))
        return change_message(change, self._playbooks.current(), self._words, now=self._clock())

    async def _home(self, person: PersonId) -> HomeView:
        """Render somebody's Home, in their language; a stranger to the workspace sees nothing of ours."""
        words, now = replace(self._words, locale=await self._locale_of(person)), self._clock()
        playbook = self._playbooks.current()
        no = await authorize(person, None, acting_team=None, playbook=playbook, people=self._people)
        if no is not None and no.why is not RefusedWhy.SLACK_CANNOT_SAY:
            return HomeView(view=closed_home(words))
        home = await self._store.look(lambda tx: read_home(tx, person, self._playbooks, now=now))
        try:
            url: str | None = await self._people.home_url()
        except PeopleUnknown:
            url = None
        return HomeView(view=home_view(home, playbook, words, now=now, slack_url=url))

    async def _telling(self, what: Showing, subject: str) -> Message:
        id = subject.partition(":")[0]

        def read(tx: Transaction) -> Message:
            announcement = tx.kept(Announcement, id)
            incident = tx.incident(announcement.incident)
            playbook = playbook_of(tx, incident, self._playbooks.current())
            plan = playbook.notices.get(announcement.notice)
            if what is Showing.APPROVAL:
                return approval_card(announcement, plan, self._words)
            if what is Showing.UPDATE_DUE:
                return update_due_message(announcement, incident, plan, self._words, now=self._clock())
            # People outside the team read it: in the text's own language.
            return announcement_message(announcement, replace(self._words, locale=announcement.locale))

        return await self._store.look(read)

    async def _stats(self, what: Showing, subject: str) -> Message | File:
        """Render somebody's statistics, in their language."""
        person, wanted = read_subject(subject)
        words, playbook = (
            replace(self._words, locale=await self._locale_of(person)),
            self._playbooks.current(),
        )
        if what is Showing.STATS:
            return stats_file_message(wanted, playbook, words)
        content = await self._store.look(lambda tx: stats_csv(read_report(tx, wanted)))
        title = stats_title(wanted, playbook, words)
        return File(name=stats_file_name(wanted), title=title, content=content)

    async def _board(self, number: IncidentNumber) -> Message:
        known = await self._store.look(lambda tx: read_board(tx, number, self._playbooks.current()))
        links = {card: await self._messages.link(*place) for card, place in known.cards.items()}
        return board(
            known.incident,
            known.rollbacks,
            self._words,
            now=self._clock(),
            playbook=known.playbook,
            pages=known.pages,
            changes=known.changes,
            links=links,
            meeting=known.meeting,
            evidence=known.evidence,
        )

    async def _closed(self, number: IncidentNumber) -> Message:
        record = await self.record(number)
        count, place, meeting = await self._store.look(
            lambda tx: (open_follow_ups(tx, number), place_of_record(tx, number), meeting_of(tx, number))
        )
        link = await self._messages.link(*place) if place else ""
        return closed_message(record, self._words, follow_ups=count, link=link, offer_meeting=meeting is None)

    async def _timeline_file(self, number: IncidentNumber, name: str) -> File:
        length, _, form = name.partition(".")
        words = replace(self._words, zone=self._playbooks.current().time_zone)
        content = await self._store.look(lambda tx: timeline_content(tx, number, form, words))
        label, say = incident_label(number), self._words.plain
        return File(
            name=f"{label}-timeline-{length}.{form}",
            title=say("Timeline of {label}, {lines} lines", label=label, lines=length),
            content=content,
            comment=say("The timeline as {form}, with its hashes.", form=form.upper()),
        )

    async def _exhibits(self, snapshot: str) -> Files | Message:
        """Render the files of one taking of evidence, or what is known of them where none can be got."""
        assert self._vault is not None, "no evidence is kept here"
        taking = await taking_of(snapshot, self._store)
        there, absent = await got(taking.there, self._vault)
        if not there:
            return evidence_message(taking, absent, self._words)
        files = (
            File(name=exhibit.name, title=file_title(exhibit, self._words), content=content)
            for exhibit, content in there
        )
        return Files(files=tuple(files), comment=evidence_comment(taking, absent, self._words))

    async def _incident_picture(self, subject: str) -> File | Message:
        assert self._pictures is not None, "nobody draws here"
        return await self._pictures.render(subject)

    async def _meeting_file(self, number: IncidentNumber, name: str) -> File:
        edition, _, ending = name.rpartition(".")
        playbook, words = self._playbooks.current(), self._words
        if ending == "ics":
            return await self._store.look(
                lambda tx: calendar_of(tx, number, int(edition), current=playbook, words=words)
            )
        record = await self.record(number)
        return await self._store.look(
            lambda tx: document_of(tx, record, edition, current=playbook, words=words, team=self._team)
        )

    async def _board_link(self, number: IncidentNumber) -> str:
        """Return the address of an incident's board, empty before it stands."""
        place = await self._store.look(lambda tx: tx.standing(board_key(number)))
        return await self._messages.link(*place) if place else ""

    async def _diagnosis(self, number: IncidentNumber) -> Message:
        def read(tx: Transaction) -> Message:
            incident, current = tx.incident(number), self._playbooks.current()
            playbook = playbook_of(tx, incident, current)
            beside = circumstances_of(tx, incident, playbook, current, now=self._clock())
            return diagnosis_card(incident, playbook, self._words, beside=beside)

        return await self._store.look(read)

    async def _finding(self, number: IncidentNumber, sequence: int) -> Message:
        def read(tx: Transaction) -> Message:
            playbook = playbook_of(tx, tx.incident(number), self._playbooks.current())
            entry = tx.timeline(incident_chain(number))[sequence - 1]
            found = FINDING.validate_python(entry.facts["finding"])
            return finding_message(found, playbook, self._words)

        return await self._store.look(read)

    async def _checklist(self, number: IncidentNumber, *, place: int) -> Message:
        def read(tx: Transaction) -> Message:
            incident = tx.incident(number)
            playbook = playbook_of(tx, incident, self._playbooks.current())
            plans = [rollback.plan for rollback in tx.rollbacks_of(number) if rollback.plan]
            canary = plans[-1].canary if plans else None
            return checklist_card(
                incident,
                playbook,
                self._words,
                now=self._clock(),
                place=place,
                canary=canary,
                project=self._project,
            )

        return await self._store.look(read)

    async def _log(self, subject: str) -> Message:
        number, _, span = subject.partition(":")
        first, last = (int(part) for part in span.split("-"))
        entries = await self._store.look(lambda tx: tx.timeline(incident_chain(IncidentNumber(int(number)))))
        shown = [e for e in entries if first <= e.sequence <= last]
        return log_message([await self._with_board(entry) for entry in shown], self._words)

    async def _with_board(self, entry: Entry) -> Entry:
        """Return an entry that names another incident with the address of that one's board."""
        other = entry.facts.get(NAMES_ANOTHER.get(entry.event, ""))
        if other is None:
            return entry
        return replace(entry, facts={**entry.facts, "board": await self._board_link(IncidentNumber(other))})

    async def _notice(self, facts: Mapping[str, Any], person: str | None) -> Message:
        words = replace(self._words, locale=await self._locale_of(person))
        if facts["what"] == Said.STATUS:
            status = STATUS.validate_python(facts["status"])
            return status_message(status, self._playbooks.current(), words)
        if facts["what"] == Said.CANARY_FINDING:
            found = FINDING.validate_python(facts["finding"])
            return finding_message(found, self._playbooks.current(), words)
        if facts["what"] == Said.PICTURE:
            return picture_message(facts, words)
        if facts["what"] == Said.STATS:
            return stats_message(facts, self._playbooks.current(), words)
        if facts["what"] == Said.BACK_TEST:
            return back_test_message(facts, self._playbooks.current(), words, now=self._clock())
        if facts["what"] == Said.AUTOMATICS:
            return automatics_message(facts, self._playbooks.current(), words, now=self._clock())
        if facts["what"] == Said.FOLLOW_UPS:
            number, current = IncidentNumber(facts["incident"]), self._playbooks.current()
            return await self._store.look(
                lambda tx: follow_ups_page(tx, number, facts["page"], current=current, words=words)
            )
        if facts["what"] == Said.READINESS:
            return readiness_message(READINESS.validate_python(facts["readiness"]), words)
        if facts["what"] in INCIDENT_NOTICES and "incident" in facts:
            facts = {**facts, "board": await self._board_link(IncidentNumber(facts["incident"]))}
        if facts["what"] in (Said.MEETING_SET, Said.MEETING_DUE):
            unplaced = facts
            facts = await self._store.look(lambda tx: with_place(tx, unplaced))
        told = notice_message(facts, words, now=self._clock())
        if facts["what"] == Said.MEETING_DUE:
            return await self._store.look(lambda tx: with_meeting_buttons(tx, told, facts, words))
        if facts["what"] in ABOUT_ONE:
            return await self._store.look(lambda tx: with_buttons(tx, told, facts, words))
        return told

    async def _locale_of(self, person: str | None) -> str:
        if person is None:
            return self._words.locale
        try:
            return locale_of((await self._people.person(PersonId(person))).locale)
        except PeopleUnknown:
            return self._words.locale

    async def record(self, number: IncidentNumber) -> Record:
        """Return an incident's failure record. Raises `NotKept` when there is no such incident."""
        return await self._records.record(number)

    async def _record(self, number: IncidentNumber) -> Message:
        record = await self._records.record(number)
        canvas = record.incident.canvas
        address = await canvas_address(self._people, canvas) if canvas else ""
        return record_message(record, self._words, canvas=address)

    async def _record_files(self, number: IncidentNumber, edition: int) -> Files:
        posted = await self._records.posted(number, edition)
        label, say = incident_label(number), self._words.plain
        title = say("Failure record of {label}, edition {edition}", label=label, edition=edition)
        comment = [self._words.say("{title}, to read and to hand on.", title=title)]
        comment += [_without(name, why, self._words) for name, why in posted.problems]
        files = [File(name=file.name, title=title, content=file.content) for file in posted.files]
        return Files(files=tuple(files), comment="\n".join(comment))


def _without(name: str, why: str, words: Words) -> Markup:
    """Say what of a record is missing, or was made otherwise than the team wanted."""
    if name in (MARKDOWN_TEMPLATE, HTML_TEMPLATE):
        return words.say("The team's own template cannot be filled in, so Backout's was used: {why}", why=why)
    return words.say("{name} could not be made: {why}", name=name, why=why)
