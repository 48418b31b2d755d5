"""Timeline entries as sentences, the same in a thread, in a record and in a terminal."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from bot.domain.change import ChangeKind, ChangeState
from bot.domain.finding import Finding
from bot.domain.people import RefusedWhy
from bot.domain.readings import Metric, Side
from bot.domain.rollback import RollbackState
from bot.domain.timeline import Entry, Event, Told, happened_at
from bot.slack.text import N_, Markup, Words, clean
from bot.slack.views import drill_lines, follow_up_lines, page_lines, post_mortem_words
from bot.slack.views.change_words import change_state_name, kind_name, steps_from, why_not
from bot.slack.views.diagnosis_lines import (
    answered_line,
    finding_line,
    look_line,
    option_line,
    safety_not_asked_line,
    step_line,
)
from bot.slack.views.evidence import evidence_from, measured, note_words, proof_name, verdict_name
from bot.slack.views.evidence_lines import dropped_line as exhibit_dropped_line
from bot.slack.views.evidence_lines import reviewed_line, taken_line
from bot.slack.views.faults import attempt
from bot.slack.views.incident_sentences import INCIDENT_SENTENCES
from bot.slack.views.incident_sentences import who as _who
from bot.slack.views.incident_words import outcome_name
from bot.slack.views.numbers import metric_name, quantity, side_name, source_name
from bot.slack.views.parts import SECTION_LIMIT, Block, fit, pieces, section
from bot.slack.views.rollback_message import Message
from bot.slack.views.step_words import (
    assigned_line,
    marked_line,
    reminded_line,
    seen_line,
    undone_line,
)
from bot.slack.views.telling_words import (
    dropped_line,
    due_line,
    edited_line,
    posted_line,
    refused_line,
    written_line,
)
from bot.slack.views.watch_lines import WATCH_SENTENCES

Facts = Mapping[str, Any]
FINDING = TypeAdapter(Finding)

#: Longest texts of people's in the thread; the whole of them is in ``/incident show`` and in the files.
LONGEST_IN_LOG = 2000
#: Slack takes 50 blocks a message; the last one says where the rest is.
SECTIONS_IN_LOG = 49
#: Longest texts that are struck through: a stroke ends where Slack's section does.
LONGEST_STRUCK = 1000
#: Beyond this a back-dated line shows its date as well.
CLOCK_IS_ENOUGH = timedelta(hours=12)


def log_message(entries: Iterable[Entry], words: Words) -> Message:
    """Render a few entries for the incident's thread, long texts of people's cut where one sees it."""
    lines = [entry_line(entry, words, longest=LONGEST_IN_LOG) for entry in entries]
    parts = _pages([piece for line in lines for piece in pieces(line)])
    blocks: list[Block] = [section(part) for part in parts[:SECTIONS_IN_LOG]]
    if len(parts) > SECTIONS_IN_LOG:
        blocks.append(section(words.say("… more in {command}", command=words.code("/incident show"))))
    return Message(text=fit("\n".join(lines), SECTION_LIMIT), blocks=blocks)


def _pages(lines: list[str], *, limit: int = 2900) -> list[str]:
    pages, page = [], ""
    for line in lines:
        if page and len(page) + len(line) > limit:
            pages.append(page)
            page = ""
        page += f"{line}\n"
    return [*pages, page] if page else pages


def entry_line(entry: Entry, words: Words, *, longest: int | None = None) -> Markup:
    """Return time and sentence of one entry, a person's text cut to `longest` characters."""
    at, what = happened_at(entry), sentence(shortened(entry, longest), words)
    if at == entry.at:
        return words.say("{at} · {what}", at=words.clock(at), what=what)
    far = abs(entry.at - at) > CLOCK_IS_ENOUGH
    return words.say(
        "{at} · {what} (noted at {noted})",
        at=words.moment(at) if far else words.clock(at),
        what=what,
        noted=words.clock(entry.at),
    )


def told_line(told: Told, words: Words, *, longest: int | None = None) -> Markup:
    """Return an entry's line, struck through where it was corrected, with the corrections beside it."""
    if not told.corrections:
        return entry_line(told.entry, words, longest=longest)
    shortest = min(longest or LONGEST_STRUCK, LONGEST_STRUCK)
    struck = words.struck(entry_line(told.entry, words, longest=shortest))
    lines = [entry_line(correction, words, longest=longest) for correction in told.corrections]
    return Markup(" → ".join([struck, *lines]))


def shortened(entry: Entry, longest: int | None) -> Entry:
    """Return the entry with a person's text cut to `longest` characters; None leaves it whole."""
    if longest is None or len(str(entry.facts.get("text", ""))) <= longest:
        return entry
    return replace(entry, facts={**entry.facts, "text": clean(str(entry.facts["text"]), limit=longest)})


def sentence(entry: Entry, words: Words) -> Markup:
    """Return what an entry tells."""
    return _SENTENCES[entry.event](entry, words)


def _asked(entry: Entry, words: Words) -> Markup:
    text = words.say(
        "{who} asked for a rollback of {target}", who=_who(entry, words), target=entry.facts["target"]
    )
    if entry.facts.get("forced"):
        text = words.say("{text}, forced", text=text)
    reason = entry.facts.get("reason")
    return words.say("{text}: {reason}", text=text, reason=reason) if reason else text


def _decided(entry: Entry, words: Words) -> Markup:
    text = words.say(
        "{who} decided: {canary} ({percent} %) out of traffic, 100 % to {stable}",
        who=_who(entry, words),
        canary=words.code(entry.facts["canary"]),
        percent=entry.facts["canary_percent"],
        stable=words.code(entry.facts["stable"]),
    )
    return words.say("{text}, although it looked healthy", text=text) if entry.facts.get("healthy") else text


def _reading(entry: Entry, words: Words) -> Markup:
    metric = Metric(entry.facts["metric"])
    return words.say(
        "Read before: {metric}, {side}: {value} (sample {sample}, {source}, data until {until})",
        metric=metric_name(metric, words),
        side=side_name(Side(entry.facts["side"]), words),
        value=words.bold(quantity(metric, entry.facts["value"], words)),
        sample=entry.facts["sample"],
        source=source_name(entry.facts["source"], words),
        until=words.clock(datetime.fromisoformat(entry.facts["until"])),
    )


def _write(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    if "variable" in facts:
        change = words.code(f"{facts['variable']}={facts['value']}")
    else:
        change = words.code(f"{facts['revision']}={facts['percent']}")
    return words.say(
        "Backout writes to Cloud Run: {service} {change} (generation {generation})",
        service=words.code(facts["service"]),
        change=change,
        generation=facts["generation"],
    )


def _evidence(entry: Entry, words: Words) -> Markup:
    facts = entry.facts
    evidence = evidence_from(facts)
    text = words.say(
        "Evidence: {proof}: {verdict}: {measured} ({source}, data until {until})",
        proof=proof_name(evidence.proof, words),
        verdict=words.bold(verdict_name(evidence.verdict, words)),
        measured=measured(evidence, words),
        source=source_name(evidence.source, words),
        until=words.clock(evidence.until),
    )
    note = facts.get("note")
    return words.say("{text}, {note}", text=text, note=note_words(note, words)) if note else text


def _verdict(entry: Entry, words: Words) -> Markup:
    outcome = words.bold(outcome_name(RollbackState(entry.facts["outcome"]), words))
    took = entry.facts.get("took_seconds")
    if took is None:
        return words.say("Verdict: {outcome}", outcome=outcome)
    return words.say(
        "Verdict: {outcome}, {took} after the decision",
        outcome=outcome,
        took=words.duration(timedelta(seconds=took)),
    )


def _fault(entry: Entry, words: Words) -> Markup:
    return words.say(
        "Could not {doing}: {detail}",
        doing=attempt(entry.facts["doing"], words),
        detail=str(entry.facts["detail"])[:300],
    )


def _unknown(entry: Entry, words: Words) -> Markup:
    return words.say(
        "Outcome unknown after: {doing} ({detail}); reading the service to find out",
        doing=attempt(entry.facts["doing"], words),
        detail=str(entry.facts["detail"])[:300],
    )


def why_refused(why: RefusedWhy, words: Words) -> Markup:
    """Return why somebody may not act."""
    return {
        RefusedWhy.NO_ROLE: words.say("has no role that allows it"),
        RefusedWhy.GUEST: words.say("is a guest of this workspace"),
        RefusedWhy.OUTSIDER: words.say("belongs to another workspace"),
        RefusedWhy.BOT: words.say("is not a person"),
        RefusedWhy.DEACTIVATED: words.say("is deactivated"),
        RefusedWhy.SLACK_CANNOT_SAY: words.say("could not be checked, because Slack did not answer"),
    }[why]


def _refused(entry: Entry, words: Words) -> Markup:
    why = why_refused(RefusedWhy(entry.facts["why"]), words)
    return words.say("Refused: {who} {why}", who=_who(entry, words), why=why)


def _change_asked(entry: Entry, words: Words) -> Markup:
    return words.say(
        "{who} asked to {what}: {steps}",
        who=_who(entry, words),
        what=kind_name(ChangeKind(entry.facts["kind_of_change"]), words),
        steps=words.bold(steps_from(entry.facts, words)),
    )


def _change_decided(entry: Entry, words: Words) -> Markup:
    return words.say(
        "{who} decided to {what}, {canary}: {steps}",
        who=_who(entry, words),
        what=kind_name(ChangeKind(entry.facts["kind_of_change"]), words),
        canary=words.code(entry.facts["canary"]),
        steps=words.bold(steps_from(entry.facts, words)),
    )


def _change_write(entry: Entry, words: Words) -> Markup:
    return words.say(
        "Backout writes to Cloud Run: {service} {change} (generation {generation})",
        service=words.code(entry.facts["service"]),
        change=words.code(entry.facts["setting"]),
        generation=entry.facts["generation"],
    )


def _change_done(entry: Entry, words: Words) -> Markup:
    return words.say("Seen to serve: {steps}", steps=words.bold(steps_from(entry.facts, words)))


def _change_overtaken(entry: Entry, words: Words) -> Markup:
    return words.say(
        "Stopped ({what}): overtaken by a rollback of {who}",
        what=kind_name(ChangeKind(entry.facts["kind_of_change"]), words),
        who=words.person(entry.facts["by"]),
    )


def _change_failed(entry: Entry, words: Words) -> Markup:
    return words.say(
        "Not done ({what}): {state}. {why}",
        what=kind_name(ChangeKind(entry.facts["kind_of_change"]), words),
        state=words.bold(change_state_name(ChangeState(entry.facts["state"]), words)),
        why=why_not(entry.facts.get("problem"), words, target=entry.facts["target"]),
    )


def _told_by(tell: Callable[[Facts, Markup, Words], Markup]) -> Callable[[Entry, Words], Markup]:
    return lambda entry, words: tell(entry.facts, _who(entry, words), words)


def _finding(entry: Entry, words: Words) -> Markup:
    return finding_line(FINDING.validate_python(entry.facts["finding"]), words)


def _point_confirmed(entry: Entry, words: Words) -> Markup:
    titles = entry.facts["titles"]
    point = words.bold(titles.get(words.locale) or entry.facts["point"])
    return words.say("{who} confirmed: {point}", who=_who(entry, words), point=point)


def _says(text: str) -> Callable[[Entry, Words], Markup]:
    return lambda entry, words: words.say(text, who=_who(entry, words))


_SENTENCES: Mapping[Event, Callable[[Entry, Words], Markup]] = {
    **INCIDENT_SENTENCES,
    **WATCH_SENTENCES,
    Event.ROLLBACK_ASKED: _asked,
    Event.ROLLBACK_DECIDED: _decided,
    Event.ROLLBACK_CANCELLED: _says(N_("Cancelled by {who}")),
    Event.ROLLBACK_EXPIRED: _says(N_("The question expired unanswered")),
    Event.ROLLBACK_REFUSED: _refused,
    Event.CHANGE_ASKED: _change_asked,
    Event.CHANGE_DECIDED: _change_decided,
    Event.CHANGE_CANCELLED: _says(N_("The question about the canary was withdrawn by {who}")),
    Event.CHANGE_EXPIRED: _says(N_("The question about the canary expired unanswered")),
    Event.CHANGE_REFUSED: _refused,
    Event.CHANGE_WRITE: _change_write,
    Event.CHANGE_DONE: _change_done,
    Event.CHANGE_NOT_NEEDED: _says(N_("Nothing to change: the canary is as wanted already")),
    Event.CHANGE_OVERTAKEN: _change_overtaken,
    Event.CHANGE_FAILED: _change_failed,
    Event.QUESTION_ANSWERED: _told_by(answered_line),
    Event.SAFETY_ANSWERED: _told_by(answered_line),
    Event.SAFETY_NOT_ASKED: _told_by(safety_not_asked_line),
    Event.OPTION_CHOSEN: _told_by(option_line),
    Event.SCENARIO_STEP: _told_by(step_line),
    Event.LOOK_ASKED: _told_by(look_line),
    Event.FINDING: _finding,
    Event.POINT_CONFIRMED: _point_confirmed,
    Event.ANNOUNCEMENT_WRITTEN: _told_by(written_line),
    Event.ANNOUNCEMENT_EDITED: _told_by(edited_line),
    Event.ANNOUNCEMENT_POSTED: _told_by(posted_line),
    Event.ANNOUNCEMENT_DROPPED: _told_by(dropped_line),
    Event.ANNOUNCEMENT_REFUSED: _told_by(refused_line),
    Event.UPDATE_DUE: _told_by(due_line),
    Event.EVIDENCE_TAKEN: _told_by(taken_line),
    Event.EVIDENCE_DROPPED: _told_by(exhibit_dropped_line),
    Event.REVIEWED: _told_by(reviewed_line),
    Event.STEP_MARKED: _told_by(marked_line),
    Event.STEP_UNDONE: _told_by(undone_line),
    Event.STEP_ASSIGNED: _told_by(assigned_line),
    Event.STEP_SEEN: _told_by(seen_line),
    Event.STEP_REMINDED: _told_by(reminded_line),
    Event.PAGE_SENT: _told_by(page_lines.sent_line),
    Event.PAGE_ANSWERED: _told_by(page_lines.answered_line),
    Event.PAGE_ANSWERED_LATE: _told_by(page_lines.late_line),
    Event.PAGE_DECLINED: _told_by(page_lines.declined_line),
    Event.PAGE_UNANSWERED: _told_by(page_lines.unanswered_line),
    Event.PAGE_CALLED_OFF: _told_by(page_lines.called_off_line),
    Event.PAGE_ELSEWHERE: _told_by(page_lines.elsewhere_line),
    Event.PAGE_SLOT_EMPTY: _told_by(page_lines.slot_empty_line),
    Event.PAGE_NOBODY_LEFT: _told_by(page_lines.nobody_left_line),
    Event.FOLLOW_UPS_PLANNED: _told_by(follow_up_lines.planned_line),
    Event.FOLLOW_UPS_LEFT_OUT: _told_by(follow_up_lines.left_out_line),
    Event.FOLLOW_UP_TAKEN: _told_by(follow_up_lines.taken_line),
    Event.FOLLOW_UP_GIVEN: _told_by(follow_up_lines.given_line),
    Event.FOLLOW_UP_MOVED: _told_by(follow_up_lines.moved_line),
    Event.FOLLOW_UP_DONE: _told_by(follow_up_lines.done_line),
    Event.FOLLOW_UP_DROPPED: _told_by(follow_up_lines.dropped_line),
    Event.FOLLOW_UP_REOPENED: _told_by(follow_up_lines.reopened_line),
    Event.POST_MORTEM_SET: _told_by(post_mortem_words.set_line),
    Event.POST_MORTEM_HELD: _told_by(post_mortem_words.held_line),
    Event.POST_MORTEM_CALLED_OFF: _told_by(post_mortem_words.called_off_line),
    Event.DRILL_BEGUN: _told_by(drill_lines.begun_line),
    Event.DRILL_ENDED: _told_by(drill_lines.ended_line),
    Event.RECORD_REFUSED: _refused,
    Event.CLOSE_REFUSED: _refused,
    Event.ACT_REFUSED: _refused,
    Event.READING_BEFORE: _reading,
    Event.WRITE_SENT: _write,
    Event.WRITE_UNKNOWN: _unknown,
    Event.WRITE_NOT_NEEDED: _says(
        N_("Nothing to write: the traffic is already as wanted (last change: {who})")
    ),
    Event.OTHER_WRITER: _says(N_("{who} changed the traffic meanwhile; writing again")),
    Event.APPLIED: _says(N_("Applied: Cloud Run has taken the change")),
    Event.SETTLED: _says(N_("Settled: Cloud Run serves what was asked for")),
    Event.EVIDENCE: _evidence,
    Event.VERDICT: _verdict,
    Event.FAULT: _fault,
    Event.RECORD_POSTED: _says(N_("Failure record posted")),
    Event.RECORD_FILED: _says(N_("The files of the failure record were kept, with their hashes")),
    Event.RECORD_COMPLETED: _says(N_("Failure record completed by {who}")),
}
