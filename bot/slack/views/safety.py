"""The question that comes before a rollback: as part of a card, and as a modal."""

from typing import Any

from bot.domain.diagnosis import Safety
from bot.domain.ids import ChannelId, IncidentNumber, incident_label
from bot.slack.ids import ActionId, CallbackId
from bot.slack.text import Words
from bot.slack.views.paragraphs import paragraphs
from bot.slack.views.parts import Block, actions, button, confirm, option, plain, question, section, select

#: The modal's one input.
SAFETY_BLOCK = "safety"


def answer_value(number: IncidentNumber, question: str, answer: str, was: str = "", beside: str = "") -> str:
    """Return what a button for an answer carries: which answer, and which one it was made to replace.

    `beside` is the id of a rollback whose card shows the question too.
    """
    return f"{number}:{question}:{answer}:{was}:{beside}"


def safety_blocks(safety: Safety, words: Words, *, controls: bool, rollback: str = "") -> list[Block]:
    """Render the question with a button for each answer, or how it was answered.

    Args:
        controls: False where nobody can act any more.
        rollback: id of the rollback whose card this is part of, to be shown anew.
    """
    ask = words.say(
        ":raised_hand: *Before a rollback:* {ask}", ask=words.bold(safety.question.ask.in_(words.locale))
    )
    known = safety.cleared
    if known is None:
        row = actions(
            *(
                button(
                    answer.say.in_(words.locale),
                    action=f"{ActionId.ANSWER}#{answer.key}",
                    value=answer_value(safety.incident, safety.question.key, answer.key, beside=rollback),
                )
                for answer in safety.question.answers
            )
        )
        return [section(part) for part in paragraphs([ask])] + ([row] if controls else [])
    line = words.say(
        "{mark} {said} ({who}, {at}): {means}",
        mark=":no_entry_sign:" if known.answer.holds_back else ":white_check_mark:",
        said=words.bold(known.answer.say.in_(words.locale)),
        who=words.person(known.given.by),
        at=words.clock(known.given.at),
        means=known.answer.means.in_(words.locale),
    )
    blocks = [section(part) for part in paragraphs([ask, line])]
    if controls:
        blocks[-1] |= {"accessory": _revise(safety, words, rollback)}
    return blocks


def _revise(safety: Safety, words: Words, rollback: str) -> Block:
    was = safety.cleared.answer.key if safety.cleared else ""
    others = [answer for answer in safety.question.answers if answer.key != was]
    return select(
        action=f"{ActionId.REVISE}#{safety.question.key}",
        placeholder=words.plain("Revise"),
        options=[
            option(
                answer.say.in_(words.locale),
                answer_value(safety.incident, safety.question.key, answer.key, was, rollback),
            )
            for answer in others
        ],
    )


def all_the_same(safety: Safety, words: Words, *, action: str, value: str) -> Block:
    """Return the button that rolls back although an answer speaks against it."""
    means = safety.cleared.answer.means.in_(words.locale) if safety.cleared else ""
    sure = confirm(
        title=words.plain("Roll back all the same?"),
        text=words.safe(means),
        yes=words.plain("Roll back"),
        no=words.plain("Not yet"),
        danger=True,
    )
    label = words.plain("Roll back all the same")
    return button(label, action=action, value=value, style="danger", confirm=sure)


def safety_modal(safety: Safety, words: Words, *, forced: bool, channel: ChannelId) -> dict[str, Any]:
    """Render the question as a modal that a press of *Roll back* opens; `channel` is where that was."""
    lines = [
        words.say(
            "{answer}: {means}", answer=words.bold(a.say.in_(words.locale)), means=a.means.in_(words.locale)
        )
        for a in safety.question.answers
    ]
    choices = select(
        action=ActionId.SAFETY_ANSWER,
        placeholder=words.plain("Choose"),
        options=[option(a.say.in_(words.locale), a.key) for a in safety.question.answers],
    )
    ask, how = safety.question.ask.in_(words.locale), "force" if forced else "roll_back"
    go = words.plain("Answer and roll back") if forced else words.plain("Answer and go on")
    return {
        "type": "modal",
        "callback_id": CallbackId.BEFORE_ROLLBACK,
        "private_metadata": f"{safety.incident}:{safety.question.key}:{how}:{channel}",
        "title": plain(words.plain("Before a rollback"), limit=24),
        "submit": plain(go, limit=24),
        "close": plain(words.plain("Cancel"), limit=24),
        "blocks": [
            section(words.bold(incident_label(safety.incident))),
            question(label=ask, element=choices, block=SAFETY_BLOCK, optional=False),
            *(section(part) for part in paragraphs(lines)),
        ],
    }
