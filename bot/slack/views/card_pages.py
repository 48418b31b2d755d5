"""A card of any length within Slack's 50 blocks: what does not fit is a press away, never left out."""

from collections.abc import Sequence

from bot.slack.text import Words
from bot.slack.views.parts import Block, actions, button

#: Slack takes 50; the last one leads to the other pages.
PAGE_BLOCKS = 48
#: Slack takes so many buttons in one row.
MOST_PAGES = 25


def page_of(
    blocks: Sequence[Block], words: Words, *, page: int, action: str, value: str, size: int = PAGE_BLOCKS
) -> list[Block]:
    """Return page number `page` (from 1) of `blocks`, with a button for every other one.

    A page that no longer exists is the last one there is. Beyond 25 pages (over a thousand blocks) the
    row of buttons stands still around the page that is shown.
    """
    pages = [list(blocks[n : n + size]) for n in range(0, len(blocks), size)] or [[]]
    shown = min(max(page, 1), len(pages))
    if len(pages) == 1:
        return pages[0]
    first = max(1, min(shown - MOST_PAGES // 2, len(pages) - MOST_PAGES))
    others = [n for n in range(first, len(pages) + 1) if n != shown][:MOST_PAGES]
    row = actions(
        *(
            button(
                words.plain("Page {page} of {pages}", page=n, pages=len(pages)),
                action=f"{action}#{n}",
                value=f"{value}:{n}",
            )
            for n in others
        )
    )
    return [*pages[shown - 1], row]
