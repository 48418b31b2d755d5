"""The diagnosis of an incident: its scenario, what to ask, what to do, and which option to take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.checklist import Mark
from bot.domain.circumstances import Circumstances
from bot.domain.decision import applying
from bot.domain.diagnosis import Diagnosis, Reached, diagnose
from bot.domain.flags import flags
from bot.domain.guide import Action, ClockStep, Does, Option, Question, Risk, Scenario
from bot.domain.ids import incident_label
from bot.domain.incident import Incident, IncidentState
from bot.domain.playbook import Playbook
from bot.domain.recovery import Expected, Standing, expected
from bot.domain.scenario_clock import ClockLine, action_key, clock_lines
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words
from bot.slack.views.card_pages import page_of
from bot.slack.views.diagnosis_lines import letter
from bot.slack.views.paragraphs import paragraphs
from bot.slack.views.parts import (
    DIVIDER,
    Block,
    actions,
    button,
    header,
    option,
    section,
    select,
)
from bot.slack.views.rollback_message import Message
from bot.slack.views.rules import rule_lines
from bot.slack.views.safety import answer_value, safety_blocks
from bot.slack.views.scenario_buttons import Controls, Press

#: Slack takes so many controls in one row.
ROW = 25


def diagnosis_card(
    incident: Incident,
    playbook: Playbook,
    words: Words,
    *,
    beside: Circumstances,
    page: int = 1,
) -> Message:
    """Render the scenario as far as it has come; `playbook` is the incident's own edition."""
    scenario = playbook.scenario(incident.scenario)
    label = incident_label(incident.number)
    if scenario is None:
        title = words.plain("{label} · no scenario chosen yet", label=label)
        blocks = [*_rules(incident, None, playbook, words, beside), *_scenarios(incident, playbook, words)]
    else:
        title = words.plain("{label} · {scenario}", label=label, scenario=scenario.name.in_(words.locale))
        blocks = list(_Card(incident, scenario, playbook, words, beside).blocks())
    value = str(incident.number)
    return Message(
        text=title, blocks=page_of([header(title), *blocks], words, page=page, action=_PAGE, value=value)
    )


_PAGE = ActionId.DIAGNOSIS_PAGE


def _texts(*lines: str) -> list[Block]:
    return [section(part) for part in paragraphs(line for line in lines if line)]


def _rules(
    incident: Incident, scenario: Scenario | None, playbook: Playbook, words: Words, beside: Circumstances
) -> list[Block]:
    read_at = beside.read_at or beside.now
    coloured = flags(beside.readings, playbook.thresholds, now=read_at, min_errors=playbook.watch.min_errors)
    applied = applying(
        playbook.rules, coloured, scenario=scenario, failure_type=incident.failure_type if scenario else None
    )
    return _texts(*rule_lines(applied, words, now=read_at))


def _scenarios(incident: Incident, playbook: Playbook, words: Words) -> list[Block]:
    if not playbook.scenarios:
        return _texts(words.say("The playbook has no scenarios."))
    lines = [
        words.say(
            "{number}. {name}: {symptom}",
            number=scenario.number,
            name=words.bold(scenario.name.in_(words.locale)),
            symptom=scenario.symptom.in_(words.locale),
        )
        for scenario in playbook.scenarios
    ]
    blocks = _texts(
        words.say("Which of these is it? Choosing one starts its questions and its clock."), *lines
    )
    if incident.state is IncidentState.CLOSED:
        return blocks
    buttons = [
        button(
            words.plain("{number}. {name}", number=scenario.number, name=scenario.name.in_(words.locale)),
            action=f"{ActionId.CHOOSE_SCENARIO}#{scenario.key}",
            value=f"{incident.number}:{scenario.key}",
        )
        for scenario in playbook.scenarios
    ]
    return blocks + [actions(*buttons[n : n + ROW]) for n in range(0, len(buttons), ROW)]


@dataclass(frozen=True)
class _Card:
    """One scenario of one incident, part by part, in the guide's order."""

    incident: Incident
    scenario: Scenario
    playbook: Playbook
    words: Words
    beside: Circumstances

    def blocks(self) -> Iterator[Block]:
        """Yield everything."""
        found = diagnose(self.scenario, self.incident.answers)
        yield from self._what_it_is()
        yield from _rules(self.incident, self.scenario, self.playbook, self.words, self.beside)
        if self.beside.safety is not None:
            yield from safety_blocks(self.beside.safety, self.words, controls=self._open)
        yield from self._clock()
        yield from self._questions(found)
        yield from self._actions(found)
        yield from self._options(found)
        yield from self._recovery()
        yield from self._follow_ups()

    @property
    def _open(self) -> bool:
        return self.incident.state is IncidentState.OPEN

    @property
    def _controls(self) -> Controls:
        return Controls(
            number=self.incident.number,
            playbook=self.playbook,
            words=self.words,
            target=self.beside.target,
            canary=self.beside.canary,
            safety=self.beside.safety,
        )

    def _heading(self, text: str) -> Block:
        return section(self.words.bold(text))

    def _what_it_is(self) -> list[Block]:
        words, scenario = self.words, self.scenario
        lines: list[str] = []
        if scenario.warning is not None:
            warning = words.bold(scenario.warning.in_(words.locale))
            lines.append(words.say(":rotating_light: {warning}", warning=warning))
        lines.append(words.say("Symptom: {symptom}", symptom=scenario.symptom.in_(words.locale)))
        seen = words.say(
            "Typically seen {minutes} minutes after the deployment",
            minutes=_number(scenario.seen_after_minutes),
        )
        if scenario.example_at is not None:
            seen = words.say("{seen} (the guide's example: {at})", seen=seen, at=scenario.example_at)
        lines.append(seen)
        causes = "; ".join(cause.in_(words.locale) for cause in scenario.causes)
        lines.append(words.say("Possible causes: {causes}", causes=causes))
        return _texts(*lines)

    def _questions(self, found: Diagnosis) -> Iterator[Block]:
        words = self.words
        if not self.scenario.questions:
            return
        yield DIVIDER
        for place, reached in enumerate(found.path, start=1):
            yield from self._answered(place, reached)
        if found.asked is not None:
            yield from self._asked(len(found.path) + 1, found.asked)
        if found.done:
            meanings = "; ".join(reached.answer.means.in_(words.locale) for reached in found.path)
            suggested = "; ".join(self._titles(found.suggests))
            lines = [words.say(":dart: Diagnosis: {meanings}", meanings=meanings)]
            if suggested:
                lines.append(words.say("The answers suggest: {suggested}", suggested=words.bold(suggested)))
            yield from _texts(*lines)

    def _titles(self, keys: Sequence[str]) -> list[str]:
        locale = self.words.locale
        titles = {one.key: one.title.in_(locale) for one in self.scenario.options}
        titles |= {one.key: one.title.in_(locale) for one in self.scenario.actions}
        return list(dict.fromkeys(titles[key] for key in keys if key in titles))

    def _asked(self, place: int, question: Question) -> Iterator[Block]:
        ask = question.ask.in_(self.words.locale)
        yield from _texts(
            self.words.say(":question: *Q{place}* {ask}", place=place, ask=self.words.bold(ask))
        )
        if self._open:
            yield actions(
                *(
                    button(
                        answer.say.in_(self.words.locale),
                        action=f"{ActionId.ANSWER}#{answer.key}",
                        value=answer_value(self.incident.number, question.key, answer.key),
                    )
                    for answer in question.answers
                )
            )

    def _answered(self, place: int, reached: Reached) -> list[Block]:
        words, question, was = self.words, reached.question, reached.answer
        blocks = _texts(
            words.say("*Q{place}* {ask}", place=place, ask=question.ask.in_(words.locale)),
            words.say(
                "{said} ({who}, {at}) → {means}",
                said=words.bold(was.say.in_(words.locale)),
                who=words.person(reached.given.by),
                at=words.clock(reached.given.at),
                means=was.means.in_(words.locale),
            ),
        )
        if self._open:
            others = [answer for answer in question.answers if answer.key != was.key]
            blocks[-1] |= {
                "accessory": select(
                    action=f"{ActionId.REVISE}#{question.key}",
                    placeholder=words.plain("Revise"),
                    options=[
                        option(
                            answer.say.in_(words.locale),
                            answer_value(self.incident.number, question.key, answer.key, was.key),
                        )
                        for answer in others
                    ],
                )
            }
        return blocks

    def _actions(self, found: Diagnosis) -> Iterator[Block]:
        if not self.scenario.actions:
            return
        yield DIVIDER
        yield self._heading(self.words.say("Immediate actions"))
        place = 0
        for action in self.scenario.actions:
            place += action.number is None
            if action.stage is not None:
                yield from _texts(
                    self.words.say(":small_blue_diamond: {stage}", stage=action.stage.in_(self.words.locale))
                )
            yield from self._action(action.number or str(place), action, action.key in found.suggests)

    def _action(self, number: str, action: Action, suggested: bool) -> list[Block]:
        words = self.words
        title = words.bold(action.title.in_(words.locale))
        line = words.say("{number}. {title}", number=number, title=title)
        if action.automatic:
            line = words.say(":robot_face: {line} (automatic)", line=line)
        if suggested:
            line = words.say("{line} :point_left: the answers suggest this", line=line)
        lines: list[str] = [line]
        note = words.safe(action.note.in_(words.locale)) if action.note else Markup("")
        if action.within_seconds is not None:
            note = words.say("{note} (&lt; {seconds} seconds)", note=note, seconds=action.within_seconds)
        lines.append(note)
        lines += [words.say("• {detail}", detail=detail.in_(words.locale)) for detail in action.details]
        mark = self.incident.marks.get(action_key(action.key))
        if action.does is Does.BY_HAND and mark is not None:
            lines.append(self._marked(mark))
        blocks = _texts(*lines)
        press = Press(
            does=action.does,
            where=f"action:{action.key}",
            title=action.title.in_(words.locale),
            notice=action.notice,
            link=action.link,
        )
        by_hand = action.does is Does.BY_HAND
        made = self._done(action_key(action.key), mark) if by_hand else self._controls.button(press)
        return self._with(blocks, made)

    def _with(self, blocks: list[Block], made: Block | None) -> list[Block]:
        if made is not None and self._open:
            blocks[0] |= {"accessory": made}
        return blocks

    def _marked(self, mark: Mark) -> Markup:
        who = self.words.person(mark.by)
        if mark.state == "done":
            return self.words.say(
                ":white_check_mark: done by {who}, {at}", who=who, at=self.words.clock(mark.at)
            )
        return self.words.say(
            ":leftwards_arrow_with_hook: taken back by {who}, {at}", who=who, at=self.words.clock(mark.at)
        )

    def _done(self, key: str, mark: Mark | None) -> Block:
        done, number = mark is not None and mark.state == "done", self.incident.number
        if done:
            label = self.words.plain("Undo")
            return button(label, action=f"{ActionId.CLOCK_STEP}#{key}", value=f"{number}:{key}:no")
        label = self.words.plain("Done")
        return button(label, action=f"{ActionId.CLOCK_STEP}#{key}", value=f"{number}:{key}:yes")

    def _options(self, found: Diagnosis) -> Iterator[Block]:
        if not self.scenario.options:
            return
        yield DIVIDER
        yield self._heading(self.words.say("Options"))
        for place, one in enumerate(self.scenario.options):
            yield from self._option(place, one, one.key in found.suggests)

    def _option(self, place: int, one: Option, suggested: bool) -> list[Block]:
        words = self.words
        title = one.title.in_(words.locale)
        head = words.bold(words.plain("{letter}: {title}", letter=letter(place), title=title))
        if one.recommended:
            head = words.say("{head} :star: recommended", head=head)
        if suggested:
            head = words.say("{head} :point_left: the answers suggest this", head=head)
        minutes = words.say("{minutes} min", minutes=_number(one.minutes))
        if one.or_more:
            minutes = words.say("{minutes} min or more", minutes=_number(one.minutes))
        line = words.say(
            "Time: {minutes} · Risk: {risk} · Result: {result}",
            minutes=minutes,
            risk=risk_name(one.risk, words),
            result=one.result.in_(words.locale),
        )
        press = Press(does=one.does, where=f"option:{one.key}", title=title)
        return self._with(_texts(head, line), self._controls.button(press))

    def _clock(self) -> Iterator[Block]:
        if not self.scenario.clock:
            return
        yield DIVIDER
        yield self._heading(self.words.say("On the clock, from when the scenario was chosen"))
        for line in clock_lines(self.incident, self.scenario, rolled_back=self.beside.rolled_back):
            yield from self._clock_line(line)

    def _clock_line(self, line: ClockLine) -> Iterator[Block]:
        words, step = self.words, line.step
        title = line.title.in_(words.locale)
        if line.sub is None:
            text = words.say(
                "{mark} {offset} {title}",
                mark=self._clock_mark(line),
                offset=words.code(_offset(step)),
                title=words.bold(title),
            )
        else:
            text = words.say("{mark} {title}", mark=self._clock_mark(line), title=title)
        lines: list[str] = [text]
        if line.overdue(now=self.beside.now) and line.due_at is not None:
            late = words.duration(self.beside.now - line.due_at)
            lines.append(
                words.say(":alarm_clock: due {at}, {late} late", at=words.clock(line.due_at), late=late)
            )
        elif line.due_at is not None and not line.done and line.sub is None:
            lines.append(words.say("due {at}", at=words.clock(line.due_at)))
        if line.mark is not None:
            lines.append(self._marked(line.mark))
        elif line.done and not step.steps:
            lines.append(words.say("A rollback of this incident was verified."))
        if step.needed_to_close and line.sub is None and not line.done:
            lines.append(words.say("The incident cannot be closed before this is done."))
        blocks = _texts(*lines)
        press = Press(does=step.does, where=f"clock:{step.key}", title=title, notice=step.notice)
        real = self._controls.button(press) if line.sub is None else None
        leaf = line.sub is not None or not step.steps
        done = self._done(line.key, line.mark) if leaf and (line.mark or not line.done) else None
        if real is not None and done is not None and self._open:
            yield from blocks
            yield actions(real, done)
        else:
            yield from self._with(blocks, real or done)

    def _clock_mark(self, line: ClockLine) -> str:
        if line.done:
            return ":white_check_mark:"
        return ":red_circle:" if line.overdue(now=self.beside.now) else ":white_circle:"

    def _recovery(self) -> list[Block]:
        found = expected(self.incident, self.scenario, self.beside.rollbacks, now=self.beside.now)
        return [DIVIDER, *_texts(recovery_line(found, self.incident, self.scenario, self.words))]

    def _follow_ups(self) -> list[Block]:
        words = self.words
        if not self.scenario.follow_ups:
            return []
        lines = [
            words.say("• {title}", title=plan.title.in_(words.locale)) for plan in self.scenario.follow_ups
        ]
        return _texts(words.say("*Afterwards* (follow-ups):"), *lines)


def recovery_line(found: Expected, incident: Incident, scenario: Scenario, words: Words) -> Markup:
    """Return how long recovery should take, counted down where it has begun."""
    span = scenario.recovery
    text = words.say(
        ":stopwatch: Expected recovery: {span}", span=_span(span.from_minutes, span.to_minutes, words)
    )
    if span.note is not None:
        text = words.say("{text} ({note})", text=text, note=span.note.in_(words.locale))
    if found.standing is Standing.NOT_BEGUN:
        return words.say("{text}, counted from the rollback.", text=text)
    if found.standing is Standing.RECOVERED:
        took = words.duration(found.took or timedelta())
        return words.say("{text}. :white_check_mark: Recovered after {took}.", text=text, took=took)
    if found.standing is Standing.OVER:
        return words.say(
            "{text}. :rotating_light: It should have recovered {late} ago: *escalate*, with {command}.",
            text=text,
            late=words.duration(found.late or timedelta()),
            command=words.code(f"/incident page {incident.number}"),
        )
    return words.say(
        "{text}. {left} left", text=text, left=words.bold(words.duration(found.left or timedelta()))
    )


def risk_name(risk: Risk, words: Words) -> Markup:
    """Return what a risk is called."""
    return {
        Risk.LOW: words.say("low"),
        Risk.MEDIUM: words.say("medium"),
        Risk.HIGH: words.say("high"),
    }[risk]


def _span(first: float, last: float, words: Words) -> Markup:
    if first >= 60 and first % 60 == 0 and last % 60 == 0:
        return words.say("{first}–{last} hours", first=_number(first / 60), last=_number(last / 60))
    return words.say("{first}–{last} minutes", first=_number(first), last=_number(last))


def _number(value: float) -> str:
    return f"{value:g}"


def _offset(step: ClockStep) -> str:
    seconds = round(step.at_minutes * 60)
    return f"{seconds // 60:02d}:{seconds % 60:02d}"
