"""The rollback checklist and the cause analysis as they read on paper."""

from collections.abc import Iterator

from bot.domain.guide import PhasePlan, Sees, StepPlan
from bot.domain.playbook import Playbook
from bot.slack.text import Words
from bot.slack.views.pages import Heading, Mark, Paragraph, Piece, Row, Rows, listed
from bot.slack.views.playbook_words import log_query, noted, span_text


def checklist_text(playbook: Playbook, words: Words) -> Iterator[Piece]:
    """Yield the rollback checklist, phase by phase."""
    if not playbook.checklist:
        return
    yield Heading(2, words.plain("Rollback checklist"))
    yield Paragraph(words.plain("When a deployment fails, roll back in this order:"))
    for number, phase in enumerate(playbook.checklist, 1):
        yield Heading(3, _phase_name(number, phase, words))
        yield listed((_step(step, playbook, words) for step in phase.steps), Mark.BOX)


def _phase_name(number: int, phase: PhasePlan, words: Words) -> str:
    span = span_text(phase.from_minutes, phase.to_minutes, words)
    return f"Phase {number}: {phase.name.in_(words.locale)} ({span})"


def _step(step: StepPlan, playbook: Playbook, words: Words) -> str:
    notes = [words.plain("seen by Backout: {what}", what=_sees(step.sees, words))] if step.sees else []
    notes += [playbook.links[step.link].title.in_(words.locale)] if step.link else []
    notes += [playbook.contacts[step.owner].role.in_(words.locale)] if step.owner else []
    return noted(step.title.in_(words.locale), notes)


def _sees(sees: Sees, words: Words) -> str:
    return {
        Sees.ROLLBACK_DECIDED: words.plain("a rollback was decided"),
        Sees.TEAM_ALERTED: words.plain("the channel was told"),
        Sees.ROLLBACK_EXECUTED: words.plain("the rollback ran"),
        Sees.TRAFFIC_STABLE: words.plain("the traffic"),
        Sees.ERROR_RATE: words.plain("the error rate"),
        Sees.P95: words.plain("the P95"),
        Sees.LOG_ERRORS_DROPPED: words.plain("the errors in the log"),
        Sees.ALL_GREEN: words.plain("all flags"),
        Sees.RECORDED: words.plain("the timeline"),
        Sees.POST_MORTEM: words.plain("the meeting is scheduled"),
    }[sees]


def analysis_text(playbook: Playbook, words: Words) -> Iterator[Piece]:
    """Yield how the cause is looked for: evidence, code review, post-mortem."""
    analysis = playbook.analysis
    if analysis.evidence or analysis.review or analysis.post_mortem:
        yield Heading(2, words.plain("Cause analysis"))
    if analysis.evidence:
        yield Heading(3, words.plain("Step 1: collect evidence (right after the rollback)"))
        yield Rows(
            Mark.POINT,
            [
                Row(plan.title.in_(words.locale), [*log_query(plan.filter, plan.limit, words), plan.file])
                for plan in analysis.evidence
            ],
        )
    if analysis.review:
        yield Heading(3, words.plain("Step 2: code review (right after the incident)"))
        yield Rows(
            Mark.NUMBER,
            [
                Row(review.title.in_(words.locale), [point.in_(words.locale) for point in review.points])
                for review in analysis.review
            ],
        )
    if analysis.post_mortem:
        yield Heading(3, words.plain("Step 3: post-mortem meeting"))
        yield Paragraph(analysis.post_mortem.in_(words.locale))
