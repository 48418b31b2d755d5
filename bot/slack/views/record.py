"""The failure record as blocks: short enough to be read on a telephone; its files hold all of it."""

from collections.abc import Iterable, Sequence

from bot.domain.record import Record
from bot.slack.ids import ActionId
from bot.slack.text import Markup, Words, clean
from bot.slack.views.parts import Block, actions, button, context, fields, header, section
from bot.slack.views.record_values import open_steps, record_heading, record_values
from bot.slack.views.rollback_message import Message

#: How many lines of a kind are shown; the files hold all of them.
LINES_SHOWN = 6
#: How much of a person's text is shown, characters; the files hold all of it.
LONGEST_TEXT_SHOWN = 700


def record_message(record: Record, words: Words, *, canvas: str = "") -> Message:
    """Render the record for the channel; `canvas` is the address of its canvas, empty where there is none."""
    values = record_values(record, words)
    title = words.plain("[{heading}] Deployment failure record", heading=record_heading(record, words))
    people = record.incident.people
    blocks: list[Block] = [
        header(title),
        fields(
            [
                words.say("*Incident*\n{label}", label=values["label"]),
                words.say("*Occurred*\n{at}", at=values["occurred"]),
                words.say("*Failure type*\n{failure}", failure=values["failure_type"]),
                words.say("*Severity*\n{severity}", severity=values["severity"]),
                words.say("*Detected*\n{after}", after=values["detected"]),
                words.say(
                    "*Rollback took*\n{took} ({outcome})", took=values["took"], outcome=values["outcome"]
                ),
            ]
        ),
        section(_symptoms(values["symptoms"], words)),
        section(
            words.say(
                "*Effect*\nUsers affected: {users} · Data loss: {loss} · Service down: {down}",
                users=values["users"],
                loss=values["data_loss"],
                down=values["down"],
            )
        ),
        section(words.say("*Decisions*\n{lines}", lines=_lines(values["decisions"], words))),
        section(words.say("*Proof of the rollback*\n{lines}", lines=_lines(values["evidence"], words))),
        section(words.say("*Actions*\n{actions}", actions=_lines(values["actions"], words))),
        section(words.say("*Cause*\n{cause}", cause=_text(people.cause, values["cause"], words))),
        section(
            words.say(
                "*Improvements*\n{text}", text=_text(people.improvements, values["improvements"], words)
            )
        ),
        context(*_small_print(record, words, canvas=canvas)),
        _buttons(record, words),
    ]
    return Message(text=words.say("{title} {label}", title=title, label=values["label"]), blocks=blocks)


def _symptoms(symptoms: Sequence[dict[str, Markup]], words: Words) -> Markup:
    lines = _lines([symptom["line"] for symptom in symptoms], words)
    return words.say("*Symptoms* (before → at its worst → after the rollback)\n{lines}", lines=lines)


def _text(written: str, shown: Markup, words: Words) -> Markup:
    return words.safe(clean(written, limit=LONGEST_TEXT_SHOWN)) if written else shown


def _lines(lines: Sequence[Markup], words: Words) -> Markup:
    shown: Iterable[Markup] = lines
    if len(lines) > LINES_SHOWN:
        # The newest say how it ended; the first one why it began.
        left = words.say("… {count} more in the files …", count=len(lines) - LINES_SHOWN)
        shown = [lines[0], left, *lines[1 - LINES_SHOWN :]]
    text = "\n".join(f"• {line}" for line in shown)
    return Markup(text) if text else words.say("none")


def _small_print(record: Record, words: Words, *, canvas: str) -> list[str]:
    waiting = sum(1 for _ in open_steps(record))
    lines: list[str] = []
    if record.steps:
        lines.append(
            words.say(
                "Checklist: {done} of {count} steps done",
                done=len(record.steps) - waiting,
                count=len(record.steps),
            )
        )
    lines.append(words.say("Files of evidence: {count}", count=len(record.exhibits)))
    head = words.code(record.head[:16])
    lines.append(words.say("Timeline: {lines} lines, head {hash}", lines=len(record.timeline), hash=head))
    if canvas:
        lines.append(words.link(words.plain("The record as a canvas"), canvas))
    return lines


def _buttons(record: Record, words: Words) -> Block:
    number = str(record.incident.number)
    style = None if record.complete else "primary"
    return actions(
        button(
            words.plain("Complete the record"), action=ActionId.COMPLETE_RECORD, value=number, style=style
        ),
        button(words.plain("Schedule the post-mortem"), action=ActionId.SCHEDULE_POST_MORTEM, value=number),
    )
