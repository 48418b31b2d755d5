"""Files of evidence as people see them: how many, how big, with which hash, and what is missing."""

from datetime import timedelta
from typing import Any

from bot.domain.exhibit import ExhibitKind, Moment
from bot.domain.incident import IncidentState
from bot.domain.taking import evidence_only, takings
from bot.slack.text import Words
from bot.slack.views.board import board
from bot.slack.views.exhibits import evidence_comment, evidence_modal, file_title
from tests.unit.slack.markup import all_texts
from tests.unit.slack.views.exhibit_views import a_file, many_takings
from tests.values import NOON, a_playbook, an_incident

EN = Words(locale="en")
LOST: dict[str, Any] = {"problem": "PERMISSION_DENIED: <no> logs", "size": 0, "sha256": ""}


def test_takings_come_oldest_first_and_their_files_in_the_guides_order() -> None:
    verdict = a_file(ExhibitKind.PROBE, Moment.VERIFICATION, minutes=1)
    files = [verdict, a_file(ExhibitKind.TRAFFIC), a_file(ExhibitKind.ERROR_LOGS)]

    first, second = takings(files)

    assert (first.moment, second.moment) == (Moment.DECISION, Moment.VERIFICATION)
    assert [file.kind for file in first.exhibits] == [ExhibitKind.ERROR_LOGS, ExhibitKind.TRAFFIC]
    assert first.at == NOON


def test_an_edition_of_the_record_is_no_evidence() -> None:
    record = a_file(ExhibitKind.RECORD, snapshot="12:record:3")

    (taking,) = takings([record])

    assert taking.moment is None
    assert evidence_only([taking]) == ()


def test_the_message_says_how_much_it_is_and_what_is_missing() -> None:
    (taking,) = takings([a_file(redacted=3), a_file(ExhibitKind.TRAFFIC, **LOST)])

    comment = evidence_comment(taking, ["gone.txt"], EN)

    assert "1 files, 4.3 kB, 3 secrets and personal data replaced" in comment
    assert "Could not read traffic and revisions, because: PERMISSION_DENIED: &lt;no&gt; logs" in comment
    assert "`gone.txt` is not here" in comment
    assert "`/incident evidence 12`" in comment


def test_a_files_title_names_the_incident_and_the_hash() -> None:
    assert file_title(a_file(), EN) == "INC-12: error logs, SHA-256 0123456789ab…"


def test_the_board_lists_files_with_size_and_short_hash() -> None:
    taken = takings([a_file(), a_file(ExhibitKind.PROBE, **LOST)])

    shown = board(an_incident(), [], EN, now=NOON, playbook=a_playbook(), evidence=taken)

    (line,) = [text for text in all_texts(shown.blocks) if "Evidence at the decision" in text]
    assert "`error_logs_20260302_120000.txt` 4.3 kB `01234567`" in line
    assert "could not read answers to the probe" in line


def test_the_board_lists_the_newest_takings_only() -> None:
    files = [a_file(minutes=minutes) for minutes in range(5)]

    shown = board(an_incident(), [], EN, now=NOON, playbook=a_playbook(), evidence=takings(files))

    listed = [text for text in all_texts(shown.blocks) if "Evidence at the decision" in text]
    assert len(listed) == 3
    assert "12:04:00 UTC" in listed[-1]


def test_the_list_shows_source_hash_redactions_and_what_was_dropped() -> None:
    dropped = a_file(redacted=2, dropped_at=NOON + timedelta(days=90))

    view = evidence_modal(an_incident(), takings([dropped]), EN, channel="C0OPERATIONS")

    (described,) = [text for text in all_texts(view["blocks"]) if "SHA-256" in text]
    assert "`0123456789ab`" in described
    assert "Cloud Logging: severity&gt;=ERROR" in described
    assert "2 secrets and personal data were replaced." in described
    assert "was dropped at" in described


def test_only_of_an_open_incident_can_evidence_be_taken_now() -> None:
    closed = an_incident(state=IncidentState.CLOSED, closed_at=NOON)

    views = [evidence_modal(one, (), EN, channel="C0OPERATIONS") for one in (an_incident(), closed)]
    asked = evidence_modal(an_incident(), (), EN, channel="C0OPERATIONS", asked=True)

    assert ["evidence.take" in str(view) for view in views] == [True, False]
    assert "evidence.take" not in str(asked)
    assert "Asked for. If you may" in str(asked)


def test_a_long_list_stays_within_slacks_limit_and_says_what_it_leaves_out() -> None:
    view = evidence_modal(an_incident(), many_takings("x"), EN, channel="C0OPERATIONS")

    assert len(view["blocks"]) <= 100
    assert "older takings are in the thread" in str(view["blocks"][-1])
