"""The proof of a rollback in words: what was read, against which limit, and what it says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain.rollback import Evidence, Proof, Verdict
from bot.slack.text import Markup, Words
from bot.slack.views.numbers import age, source_name

_MARKS = {
    Verdict.PROVEN: ":white_check_mark:",
    Verdict.DISPROVEN: ":x:",
    Verdict.INCONCLUSIVE: ":grey_question:",
}


def verdict_name(verdict: Verdict, words: Words) -> Markup:
    """Return a verdict as a word."""
    return {
        Verdict.PROVEN: words.say("proven"),
        Verdict.DISPROVEN: words.say("not OK"),
        Verdict.INCONCLUSIVE: words.say("inconclusive"),
    }[verdict]


def proof_name(proof: Proof, words: Words) -> Markup:
    """Return what is to be proven."""
    return {
        Proof.TRAFFIC: words.say("Traffic is 100 % stable"),
        Proof.PROBE: words.say("Stable answers its health check"),
        Proof.ERROR_RATE: words.say("Error rate on stable"),
        Proof.P95: words.say("P95 on stable"),
        Proof.SILENCE: words.say("No request reaches the canary"),
    }[proof]


def evidence_from(facts: Mapping[str, Any]) -> Evidence:
    """Return the proof that a timeline's facts hold."""
    return Evidence(
        proof=Proof(facts["proof"]),
        verdict=Verdict(facts["verdict"]),
        source=facts["source"],
        value=facts["value"],
        limit=facts["limit"],
        sample=facts["sample"],
        until=datetime.fromisoformat(facts["until"]),
    )


def evidence_line(evidence: Evidence, words: Words, *, now: datetime | None) -> Markup:
    """Return one proof as a line; without `now` the data's time is given instead of its age."""
    told = [measured(evidence, words), source_name(evidence.source, words)]
    told.append(age(max(now - evidence.until, now - now), words) if now else words.clock(evidence.until))
    if evidence.note:
        told.append(note_words(evidence.note, words))
    return words.say(
        "{mark} {proof}: {verdict} ({told})",
        mark=Markup(_MARKS[evidence.verdict]) if words.style.slack_dates else Markup("-"),
        proof=proof_name(evidence.proof, words),
        verdict=words.bold(verdict_name(evidence.verdict, words)),
        told=Markup(", ".join(told)),
    )


def measured(evidence: Evidence, words: Words) -> Markup:
    """Return the number of a proof with its unit, limit and sample."""
    if evidence.value is None:
        return words.say("no data")
    if evidence.proof is Proof.TRAFFIC:
        return words.say("{percent:.0f} % observed", percent=evidence.value)
    if evidence.proof is Proof.PROBE:
        return words.say(
            "{good} of {sent} answered well", good=evidence.sample - int(evidence.value), sent=evidence.sample
        )
    if evidence.proof is Proof.SILENCE:
        return words.say("{count} requests since it settled", count=int(evidence.value))
    if evidence.proof is Proof.ERROR_RATE:
        return words.say(
            "{value:.2f} %, must be under {limit:g} %, {sample} requests",
            value=evidence.value,
            limit=evidence.limit or 0,
            sample=evidence.sample,
        )
    return words.say(
        "{value:.0f} ms, must be under {limit:g} ms, {sample} requests",
        value=evidence.value,
        limit=evidence.limit or 0,
        sample=evidence.sample,
    )


def note_words(note: str, words: Words) -> Markup:
    """Return a note of ours in the reader's language, and any other as it is, made harmless."""
    if note == "not settled":
        return words.say("Cloud Run has not settled")
    if note.startswith("needs "):
        return words.say("needs at least {count} requests", count=note.split()[1])
    return words.style.escape(note[:300])
