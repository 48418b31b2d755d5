"""Adding a line to a timeline, and correcting one."""

from typing import Any

from bot.domain.ids import incident_label
from bot.domain.incident import Incident
from bot.domain.timeline import Entry
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Words
from bot.slack.views.modals import LONGEST_INPUT, long_text, modal
from bot.slack.views.parts import Block, question, section
from bot.slack.views.timeline import entry_line

#: How much of a line is shown above its correction, characters.
LONGEST_QUOTE = 1000


def note_modal(incident: Incident, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask what happened, and when."""
    when: Block = {"type": "plain_text_input", "action_id": ActionId.NOTE_WHEN, "max_length": 20}
    return modal(
        callback=CallbackId.NOTE,
        title=words.plain("Note for {label}", label=incident_label(incident.number)),
        blocks=[
            long_text(
                ActionId.NOTE_TEXT,
                words.plain("What happened?"),
                hint=words.plain(
                    "Up to {limit} characters. More, and files: write it in a message and add that to the "
                    "timeline from the message's menu or with 📌.",
                    limit=LONGEST_INPUT,
                ),
            ),
            question(
                label=words.plain("When?"),
                element=when,
                block=ActionId.NOTE_WHEN,
                hint=words.plain("Empty is now; 14:05 is today by your own clock; -10m is ten minutes ago."),
            ),
        ],
        memory=remember(channel, str(incident.number)),
        words=words,
        submit=words.plain("Add it"),
    )


def correct_modal(incident: Incident, entry: Entry, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask what is right instead of `entry`, which stays, struck through."""
    return modal(
        callback=CallbackId.CORRECT,
        title=words.plain("Correct line {line}", line=entry.sequence),
        blocks=[
            section(entry_line(entry, words, longest=LONGEST_QUOTE)),
            long_text(
                ActionId.CORRECT_TEXT,
                words.plain("What is right?"),
                hint=words.plain("The line stays, struck through, with this beside it."),
            ),
        ],
        memory=remember(channel, str(incident.number), str(entry.sequence)),
        words=words,
        submit=words.plain("Correct it"),
    )
