"""``/incident show``: an incident's whole timeline in a modal, page by page."""

from collections.abc import Iterable, Sequence
from typing import Any

from bot.domain.ids import incident_label
from bot.domain.incident import Incident
from bot.domain.timeline import Told
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Words
from bot.slack.views.incident_text import incident_line
from bot.slack.views.modals import modal
from bot.slack.views.parts import DIVIDER, Block, actions, button, context, pieces, section
from bot.slack.views.timeline import told_line

#: A page holds so many sections at most (Slack: 100 blocks a modal), and so many characters: who reads
#: on a telephone should not scroll for ever.
SECTIONS_A_PAGE, CHARACTERS_A_PAGE = 40, 15_000


def timeline_modal(
    incident: Incident, told: Sequence[Told], words: Words, *, channel: str, page: int | None = None
) -> dict[str, Any]:
    """Render one page of the timeline; `page` counts from 1, the newest page without it."""
    pages = _pages(told, incident, words)
    shown = min(max(page or len(pages), 1), len(pages))
    blocks = [section(incident_line(incident, words)), *pages[shown - 1]]
    if len(pages) > 1:
        blocks += [DIVIDER, context(words.say("Page {page} of {pages}", page=shown, pages=len(pages)))]
        blocks.append(_turn(incident, shown, len(pages), words))
    return modal(
        callback=CallbackId.TIMELINE,
        title=words.plain("Timeline of {label}", label=incident_label(incident.number)),
        blocks=blocks,
        memory=remember(channel, str(incident.number)),
        words=words,
        submit=None,
    )


def _turn(incident: Incident, page: int, pages: int, words: Words) -> Block:
    turns = []
    if page > 1:
        value = f"{incident.number}:{page - 1}"
        turns.append(button(words.plain("← Older"), action=ActionId.TIMELINE_OLDER, value=value))
    if page < pages:
        value = f"{incident.number}:{page + 1}"
        turns.append(button(words.plain("Newer →"), action=ActionId.TIMELINE_NEWER, value=value))
    return actions(*turns)


def _pages(told: Iterable[Told], incident: Incident, words: Words) -> list[list[Block]]:
    """Deal the lines out to pages; a line that is longer than a page goes on on the next one."""
    pages: list[list[Block]] = [[]]
    room = CHARACTERS_A_PAGE
    for one in told:
        for block in _sections(one, incident, words):
            length = len(block["text"]["text"])
            if pages[-1] and (length > room or len(pages[-1]) == SECTIONS_A_PAGE):
                pages.append([])
                room = CHARACTERS_A_PAGE
            pages[-1].append(block)
            room -= length
    return pages


def _sections(told: Told, incident: Incident, words: Words) -> list[Block]:
    sections = [section(piece) for piece in pieces(told_line(told, words))]
    value = f"{incident.number}:{told.entry.sequence}"
    sections[0]["accessory"] = button(words.plain("Correct…"), action=ActionId.CORRECT_LINE, value=value)
    return sections
