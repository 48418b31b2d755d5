"""The review after a failure: what to look at in code, tests and infrastructure, and what differs there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.checklist import Mark, StepState
from bot.domain.configuration import Difference
from bot.domain.guide import Shows
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Incident
from bot.domain.page_links import address
from bot.domain.playbook import Playbook
from bot.domain.review import Reviewed, about, review_of
from bot.domain.steps import seen_mark
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Markup, Words, clean
from bot.slack.views.modals import LONGEST_WHY, long_text, modal
from bot.slack.views.parts import (
    SECTION_LIMIT,
    Block,
    actions,
    button,
    context,
    fit,
    header,
    option,
    overflow,
    section,
)
from bot.slack.views.rollback_message import Message

#: Points with a row of buttons of their own take two blocks; beyond so many they get a menu instead.
#: Slack takes 50 blocks a message.
MOST_WITH_BUTTONS, MOST_POINTS, MOST_BLOCKS = 18, 40, 49
#: What of the differences stands on the card, characters; the file holds all of them.
LONGEST_DIFFERENCES, LONGEST_NAME, LONGEST_VALUE = 1_800, 60, 80
#: Of a note on the card, characters; the timeline has it whole.
LONGEST_NOTE_SHOWN = 200
#: Pages that help with the review, by their names in the playbook.
_LINKS = ("console", "logs", "profiler")


class ReviewChoice(StrEnum):
    """What a control of a point says; *found* asks what first."""

    NOTHING = "nothing"
    FOUND = "found"
    OPEN = "open"


#: What a choice makes of the point.
STATES = {
    ReviewChoice.NOTHING: StepState.DONE,
    ReviewChoice.FOUND: StepState.NOT_OK,
    ReviewChoice.OPEN: StepState.TODO,
}


@dataclass(frozen=True, kw_only=True)
class ReviewPress:
    """What a control carries: which point, and which mark was shown beside it."""

    choice: ReviewChoice
    incident: IncidentNumber
    point: str
    seen: str

    def value(self) -> str:
        """Return it as a control's value."""
        return f"{self.choice}:{self.incident}:{self.point}:{self.seen}"


def read_review_press(value: str) -> ReviewPress:
    """Return what `ReviewPress.value` wrote."""
    choice, number, point, seen = value.split(":")
    return ReviewPress(
        choice=ReviewChoice(choice), incident=IncidentNumber(int(number)), point=point, seen=seen
    )


@dataclass(frozen=True, kw_only=True)
class Configured:
    """How canary and stable are configured, as last read at `at` (aware, UTC); both None: not read yet.

    `differences` is None where it could not be read, and `problem` says why; empty: there was no canary.
    """

    at: datetime | None = None
    differences: tuple[Difference, ...] | None = None
    problem: str = ""
    canary: str | None = None


def review_card(
    incident: Incident,
    playbook: Playbook,
    words: Words,
    *,
    configured: Configured,
    project: str = "",
) -> Message:
    """Render the card; `project` is the Google Cloud project of targets that name none, for the links."""
    points = review_of(incident, playbook)
    title = words.plain("{label} · looking for the cause: the review", label=incident_label(incident.number))
    blocks = [header(title), context(_summary(points, words))]
    card = _Card(incident, configured, words, with_buttons=len(points) <= MOST_WITH_BUTTONS)
    part = None
    for point in points[:MOST_POINTS]:
        if point.part.key != part:
            part = point.part.key
            blocks.append(section(words.bold(point.part.title.in_(words.locale))))
        blocks += card.point(point)
    foot = [*_rest(points, words), *_links(incident, playbook, configured, words, project)]
    blocks = blocks[: MOST_BLOCKS - 1] + ([context(*foot)] if foot else [])
    return Message(text=fit(f"{words.safe(title)}\n{_summary(points, words)}", SECTION_LIMIT), blocks=blocks)


def _summary(points: Sequence[Reviewed], words: Words) -> Markup:
    if not points:
        return words.say("This incident's playbook has no points for a review.")
    told = words.say(
        "{settled} of {all} points looked at",
        settled=sum(point.state is not StepState.TODO for point in points),
        all=len(points),
    )
    found = sum(point.state is StepState.NOT_OK for point in points)
    if found:
        told = words.say("{told}, something found at {found}", told=told, found=found)
    return words.say("{told}. What is found is offered as the record's cause.", told=told)


def _rest(points: Sequence[Reviewed], words: Words) -> list[Markup]:
    left = len(points) - MOST_POINTS
    return [words.say("{left} more points are in the playbook.", left=left)] if left > 0 else []


def _links(
    incident: Incident, playbook: Playbook, configured: Configured, words: Words, project: str
) -> list[Markup]:
    target = playbook.target(incident.target)
    links = [playbook.links[name] for name in _LINKS if name in playbook.links]
    if target is None or not links:
        return []
    shown = Markup(
        " · ".join(
            words.link(
                link.title.in_(words.locale),
                address(link, target, canary=configured.canary, project=project),
            )
            for link in links
        )
    )
    return [words.say("Look at: {link}", link=shown)]


class _Card:
    """Renders the points of one card."""

    def __init__(
        self, incident: Incident, configured: Configured, words: Words, *, with_buttons: bool
    ) -> None:
        self._incident = incident
        self._configured = configured
        self._words = words
        self._with_buttons = with_buttons

    def point(self, point: Reviewed) -> list[Block]:
        """Return a point with its controls; those of an open one stand in a row of their own."""
        shown = section(self._text(point))
        id = {"block_id": f"review:{point.key}"}
        if self._with_buttons and point.state is StepState.TODO:
            return [shown, actions(*self._buttons(point)) | id]
        choices = [choice for choice, state in STATES.items() if state is not point.state]
        menu = overflow(
            action=f"{ActionId.REVIEW_POINT}#{point.key}",
            options=[option(choice_name(c, self._words), self._value(point, c)) for c in choices],
        )
        return [shown | id | {"accessory": menu}]

    def _buttons(self, point: Reviewed) -> list[Block]:
        return [
            button(
                choice_name(choice, self._words),
                action=f"{ActionId.REVIEW_POINT}#{point.key}.{choice}",
                value=self._value(point, choice),
            )
            for choice in (ReviewChoice.NOTHING, ReviewChoice.FOUND)
        ]

    def _value(self, point: Reviewed, choice: ReviewChoice) -> str:
        return ReviewPress(
            choice=choice, incident=self._incident.number, point=point.key, seen=seen_mark(point.mark)
        ).value()

    def _text(self, point: Reviewed) -> Markup:
        words = self._words
        lines = [words.say("{mark} {title}", mark=_MARKS[point.state], title=point.point.in_(words.locale))]
        if point.mark is not None and point.state is not StepState.TODO:
            lines.append(review_mark_line(point.mark, words))
        if point.point.shows is not None:
            lines += self._differences(point.point.shows)
        return Markup("\n".join(lines))

    def _differences(self, shows: Shows) -> list[Markup]:
        words, known = self._words, self._configured
        if known.differences is None:
            if known.at is None:
                return [words.say("Not read yet.")]
            why = clean(" ".join(known.problem.split()), limit=300)
            if not why:
                return [words.say("There was no canary to compare with stable.")]
            return [words.say(":x: Not read, because: {why}", why=why)]
        assert known.at is not None
        found = about(shows, known.differences)
        if not found:
            return [words.say("No difference between stable and canary ({at}).", at=words.clock(known.at))]
        lines: list[Markup] = []
        for difference in found:
            line = difference_words(difference, words)
            if sum(map(len, lines)) + len(line) > LONGEST_DIFFERENCES:
                break
            lines.append(line)
        left = len(found) - len(lines)
        if left:
            lines.append(words.say("… and {left} more, in the configuration's file.", left=left))
        return lines


_MARKS = {
    StepState.TODO: Markup(":white_large_square:"),
    StepState.DONE: Markup(":white_check_mark:"),
    StepState.NOT_OK: Markup(":mag:"),
    StepState.SKIPPED: Markup(":fast_forward:"),
}


def review_mark_line(mark: Mark, words: Words) -> Markup:
    """Return who has looked at a point, when, and what they found."""
    who, at = words.person(mark.by), words.clock(mark.at)
    if mark.state is StepState.NOT_OK:
        note = clean(mark.why, limit=LONGEST_NOTE_SHOWN)
        return words.say("{who} found, {at}: {note}", who=who, at=at, note=note)
    return words.say("{who} found nothing, {at}", who=who, at=at)


def difference_words(difference: Difference, words: Words) -> Markup:
    """Return one thing that canary and stable have set differently."""
    return words.say(
        "• {name}: stable {stable} → canary {canary}",
        name=words.code(clean(difference.name, limit=LONGEST_NAME)),
        stable=_value(difference.stable, words),
        canary=_value(difference.canary, words),
    )


def _value(value: str | None, words: Words) -> Markup:
    if value is None:
        return words.say("not set")
    shown = clean(" ".join(value.split()), limit=LONGEST_VALUE)
    return words.code(shown) if shown else words.say("empty")


def choice_name(choice: ReviewChoice, words: Words) -> str:
    """Return what a control says."""
    return {
        ReviewChoice.NOTHING: words.plain("Nothing here"),
        ReviewChoice.FOUND: words.plain("Found something …"),
        ReviewChoice.OPEN: words.plain("Open again"),
    }[choice]


def found_modal(press: ReviewPress, point: Reviewed, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask what was found. `channel` is where it was opened."""
    note = point.mark.why if point.mark is not None and point.state is StepState.NOT_OK else ""
    return modal(
        callback=CallbackId.REVIEW,
        title=words.plain("What was found?"),
        blocks=[
            section(words.bold(point.point.in_(words.locale))),
            long_text(
                ActionId.REVIEW_NOTE,
                words.plain("What was found?"),
                initial=note,
                hint=words.plain("It stands in the timeline, and is offered as the record's cause."),
                limit=LONGEST_WHY,
            ),
        ],
        memory=remember(channel, press.value()),
        words=words,
        submit=words.plain("Save"),
    )
