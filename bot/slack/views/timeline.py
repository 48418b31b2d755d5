"""Timeline entries as sentences, the same in a thread, in a record and in a terminal."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.people import RefusedWhy
from bot.domain.readings import Metric, Side
from bot.domain.rollback import Evidence, Proof, RollbackState, Verdict
from bot.domain.timeline import Entry, Event
from bot.slack.text import N_, Markup, Words
from bot.slack.views.evidence import measured, note_words, proof_name, verdict_name
from bot.slack.views.faults import attempt
from bot.slack.views.incident_words import outcome_name
from bot.slack.views.numbers import metric_name, quantity, side_name, source_name
from bot.slack.views.parts import SECTION_LIMIT, Block, fit, section
from bot.slack.views.rollback_message import Message

Facts = Mapping[str, Any]


def log_message(entries: Iterable[Entry], words: Words) -> Message:
    """Render a few entries for the incident's thread."""
    lines = [entry_line(entry, words) for entry in entries]
    blocks: list[Block] = [section(part) for part in _pages(lines)]
    return Message(text=fit("\n".join(lines), SECTION_LIMIT), blocks=blocks)


def _pages(lines: list[Markup], *, limit: int = 2900) -> list[str]:
    pages, page = [], ""
    for line in lines:
        if page and len(page) + len(line) > limit:
            pages.append(page)
            page = ""
        page += f"{line}\n"
    return [*pages, page] if page else pages


def entry_line(entry: Entry, words: Words) -> Markup:
    """Return time and sentence of one entry."""
    return words.say("{at} · {what}", at=words.clock(entry.at), what=sentence(entry, words))


def sentence(entry: Entry, words: Words) -> Markup:
    """Return what an entry tells."""
    return _SENTENCES[entry.event](entry, words)


def _who(entry: Entry, words: Words) -> Markup:
    return words.say("Backout") if entry.actor == "backout" else words.person(entry.actor)


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
    evidence = Evidence(
        proof=Proof(facts["proof"]),
        verdict=Verdict(facts["verdict"]),
        source=facts["source"],
        value=facts["value"],
        limit=facts["limit"],
        sample=facts["sample"],
        until=datetime.fromisoformat(facts["until"]),
    )
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


def _says(text: str) -> Callable[[Entry, Words], Markup]:
    return lambda entry, words: words.say(text, who=_who(entry, words))


_SENTENCES: Mapping[Event, Callable[[Entry, Words], Markup]] = {
    Event.INCIDENT_OPENED: _says(N_("Incident opened by {who}")),
    Event.INCIDENT_JOINED: _says(N_("{who} joined this incident with another rollback")),
    Event.INCIDENT_CLOSED: _says(N_("Incident closed by {who}")),
    Event.ROLLBACK_ASKED: _asked,
    Event.ROLLBACK_DECIDED: _decided,
    Event.ROLLBACK_CANCELLED: _says(N_("Cancelled by {who}")),
    Event.ROLLBACK_EXPIRED: _says(N_("The question expired unanswered")),
    Event.ROLLBACK_REFUSED: _refused,
    Event.RECORD_REFUSED: _refused,
    Event.CLOSE_REFUSED: _refused,
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
    Event.RECORD_COMPLETED: _says(N_("Failure record completed by {who}")),
}
