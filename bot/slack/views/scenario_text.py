"""The scenarios as they read on paper: symptom, diagnosis, actions, options, recovery, follow-ups."""

from collections.abc import Iterator, Sequence

from bot.domain.guide import (
    Action,
    Answer,
    ClockStep,
    Does,
    FollowUpPlan,
    Option,
    Risk,
    SafetyQuestion,
    Scenario,
    Span,
)
from bot.domain.playbook import Playbook
from bot.slack.text import Words
from bot.slack.views.incident_words import failure_name, severity_name
from bot.slack.views.pages import Heading, Mark, Paragraph, Piece, Row, Rows, Table, listed
from bot.slack.views.playbook_words import log_query, noted, span_text


def scenarios_text(playbook: Playbook, words: Words) -> Iterator[Piece]:
    """Yield every scenario, whole."""
    if playbook.scenarios:
        yield Heading(2, words.plain("Deployment-failure scenarios"))
    for scenario in playbook.scenarios:
        yield from _scenario(scenario, playbook, words)


def _scenario(scenario: Scenario, playbook: Playbook, words: Words) -> Iterator[Piece]:
    locale = words.locale
    name = scenario.name.in_(locale)
    yield Heading(3, words.plain("Scenario {count}: {name}", count=scenario.number, name=name))
    yield listed(_symptoms(scenario, words))
    if scenario.warning:
        yield Paragraph(scenario.warning.in_(locale), strong=True)
    if scenario.questions:
        yield Heading(4, words.plain("Diagnosis"))
        yield from _questions(scenario, words)
    if scenario.before_rollback:
        yield Heading(4, words.plain("Before rolling back"))
        yield _safety(scenario.before_rollback, words)
    yield Heading(4, words.plain("Immediate actions"))
    yield from _actions(scenario.actions, playbook, words)
    if scenario.clock:
        yield Rows(Mark.POINT, [_clock_row(step, playbook, words) for step in scenario.clock])
    if scenario.options:
        yield Heading(4, words.plain("Options"))
        yield from _options(scenario.options, words)
    yield Paragraph(_recovery(scenario.recovery, words))
    if scenario.follow_ups:
        yield Heading(4, words.plain("Follow-ups"))
        yield listed((_follow_up(plan, playbook, words) for plan in scenario.follow_ups), Mark.BOX)


def _symptoms(scenario: Scenario, words: Words) -> list[str]:
    seen = words.plain("{minutes:g} minutes after the deployment", minutes=scenario.seen_after_minutes)
    if scenario.example_at:
        seen = f"[{scenario.example_at}] {seen}"
    causes = " / ".join(cause.in_(words.locale) for cause in scenario.causes)
    failure = failure_name(scenario.failure_type, words)
    return [
        words.plain("Symptom: {seen} – {symptom}", seen=seen, symptom=scenario.symptom.in_(words.locale)),
        words.plain("Cause: {causes}", causes=causes),
        words.plain("Failure type: {failure}", failure=failure),
        words.plain("Severity: {severity}", severity=severity_name(scenario.severity, words)),
    ]


def _questions(scenario: Scenario, words: Words) -> Iterator[Piece]:
    titles = {action.key: action.title.in_(words.locale) for action in scenario.actions}
    titles |= {option.key: option.title.in_(words.locale) for option in scenario.options}
    numbers = {question.key: f"Q{n}" for n, question in enumerate(scenario.questions, 1)}
    for question in scenario.questions:
        yield Paragraph(f"{numbers[question.key]}: {question.ask.in_(words.locale)}")
        yield listed(_answer(answer, titles, numbers, words) for answer in question.answers)


def _answer(answer: Answer, titles: dict[str, str], numbers: dict[str, str], words: Words) -> str:
    leads = [titles[key] for key in answer.suggests] + ([numbers[answer.next]] if answer.next else [])
    said = f"{answer.say.in_(words.locale)} → {answer.means.in_(words.locale)}"
    return f"{said} ({', '.join(leads)})" if leads else said


def _safety(question: SafetyQuestion, words: Words) -> Rows:
    not_yet = words.plain("do not roll back yet")
    below = [
        noted(
            f"{answer.say.in_(words.locale)} → {answer.means.in_(words.locale)}",
            [not_yet if answer.holds_back else None],
        )
        for answer in question.answers
    ]
    return Rows(Mark.POINT, [Row(question.ask.in_(words.locale), below)])


def _actions(actions: Sequence[Action], playbook: Playbook, words: Words) -> Iterator[Piece]:
    """Yield the numbered actions, under the headings of their stages."""
    rows: list[Row] = []
    for action in actions:
        if action.stage:
            if rows:
                yield Rows(Mark.NUMBER, rows)
            rows = []
            yield Paragraph(action.stage.in_(words.locale))
        rows.append(_action_row(action, playbook, words))
    if rows:
        yield Rows(Mark.NUMBER, rows)


def _action_row(action: Action, playbook: Playbook, words: Words) -> Row:
    text = action.title.in_(words.locale)
    if action.note:
        text += f" ({action.note.in_(words.locale)})"
    notes = [words.plain("automatic")] if action.automatic else []
    if action.within_seconds:
        notes.append(words.plain("< {seconds:g} s", seconds=action.within_seconds))
    below = [detail.in_(words.locale) for detail in action.details]
    below += _parameters(action, playbook, words)
    return Row(noted(text, [*notes, _button(action.does, words)]), below, action.number)


def _parameters(action: Action, playbook: Playbook, words: Words) -> list[str]:
    if action.does is Does.LOGS:
        return log_query(action.filter, action.limit, words)
    if action.does is Does.PROBE:
        say = words.plain
        return [
            say("{count} requests a side, {pause} ms apart", count=action.requests, pause=action.pause_ms)
        ]
    if action.does is Does.TELL and action.notice:
        return [playbook.notices[action.notice].title.in_(words.locale)]
    if action.does is Does.LINK and action.link:
        return [playbook.links[action.link].title.in_(words.locale)]
    return []


def _button(does: Does, words: Words) -> str | None:
    """Return what the button does, None where people do it by hand."""
    return {
        Does.ROLL_BACK: "/rollback",
        Does.ROLL_BACK_FORCE: "/rollback … force",
        Does.STATUS: "/canary status",
        Does.METRICS: "/canary metrics",
        Does.LOGS: "/canary logs",
        Does.DESCRIBE: words.plain("button: describe the service"),
        Does.PROBE: "/canary probe",
        Does.HEALTH: words.plain("button: ask legacy's health"),
        Does.REDUCE_TRAFFIC: words.plain("button: reduce the canary's traffic"),
        Does.ADD_RESOURCES: words.plain("button: add resources"),
        Does.TELL: words.plain("button: write the notice"),
        Does.LINK: words.plain("button: open the page"),
    }.get(does)


def _clock_row(step: ClockStep, playbook: Playbook, words: Words) -> Row:
    minutes, seconds = divmod(round(step.at_minutes * 60), 60)
    notes = [_button(step.does, words)]
    if step.notice:
        notes.append(playbook.notices[step.notice].title.in_(words.locale))
    if step.needed_to_close:
        notes.append(words.plain("needed before the incident can be closed"))
    text = noted(f"{minutes:02d}:{seconds:02d} - {step.title.in_(words.locale)}", notes)
    return Row(text, [sub.title.in_(words.locale) for sub in step.steps])


def _options(options: Sequence[Option], words: Words) -> Iterator[Piece]:
    letters = {option.key: chr(ord("A") + n) for n, option in enumerate(options)}
    rows = [
        [
            noted(
                f"Option {letters[option.key]}: {option.title.in_(words.locale)}",
                [_button(option.does, words)],
            ),
            words.plain("{minutes:g} min", minutes=option.minutes) + ("+" if option.or_more else ""),
            _risk(option.risk, words),
            option.result.in_(words.locale),
        ]
        for option in options
    ]
    head = [words.plain("Action"), words.plain("Time"), words.plain("Risk"), words.plain("Result")]
    yield Table(head, rows)
    for option in options:
        if option.recommended:
            chosen = f"Option {letters[option.key]} ({option.title.in_(words.locale)})"
            yield Paragraph(words.plain("Recommended: {option}", option=chosen), strong=True)


def _risk(risk: Risk, words: Words) -> str:
    return {
        Risk.LOW: words.plain("low"),
        Risk.MEDIUM: words.plain("medium"),
        Risk.HIGH: words.plain("high"),
    }[risk]


def _recovery(span: Span, words: Words) -> str:
    said = words.plain(
        "Expected time of recovery: {span}", span=span_text(span.from_minutes, span.to_minutes, words)
    )
    return f"{said} ({span.note.in_(words.locale)})" if span.note else said


def _follow_up(plan: FollowUpPlan, playbook: Playbook, words: Words) -> str:
    notes = [words.plain("due in {days:g} d", days=plan.due_days)]
    notes += [playbook.contacts[plan.owner].role.in_(words.locale)] if plan.owner else []
    notes += [words.plain("no deployment until it is done")] if plan.postpones_deployment else []
    return noted(plan.title.in_(words.locale), notes)
