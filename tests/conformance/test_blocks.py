"""What one reads in our blocks: on the sandbox's page, and in the renderer of others, slack-blocks-to-jsx.

It checks the page's own renderer instead of replacing it; bot/sandbox/slack/page/blocks.js says why.
"""

import json
import re
from typing import Any

from playwright.async_api import Page

from bot.sandbox import names
from bot.slack.text import LOCALES, Words
from tests.browser import browser_page
from tests.conformance.node import answer_of
from tests.integration.sandbox.page.samples import (
    BOARD,
    MORE_BLOCKS,
    RICH,
    bot_message,
    cloud,
    section,
    workspace,
)
from tests.integration.sandbox.page.server import PageServer, serving
from tests.unit.slack.views.everything import messages

Json = dict[str, Any]

#: What one presses or chooses is a control of each renderer's own: a closed list shows one of its words.
SHOWN_ONLY = {"header", "section", "context", "divider", "markdown", "rich_text", "table", "alert"}
#: As many as the page shows at once without taking long.
AT_ONCE = 40

#: Return what one reads in every block of the channel, in order; see conformance/blocks.mjs.
READ = """
() => [...document.querySelectorAll("#messages .message-content > .body > .block")].map((block) => {
  const copy = block.cloneNode(true);
  for (const part of copy.querySelectorAll(".accessory, .utc-offset")) part.remove();
  for (const item of copy.querySelectorAll("ol > li")) {
    item.prepend(`${[...item.parentElement.children].indexOf(item) + item.parentElement.start}.`);
  }
  for (const emoji of copy.querySelectorAll(".emoji")) emoji.textContent = emoji.title;
  for (const time of copy.querySelectorAll("time")) {
    time.textContent = `(moment ${Date.parse(time.dateTime) / 1000})`;
  }
  return copy.textContent;
})
"""


def our_blocks() -> list[Json]:
    """Return every block that the bot sends in messages, and some it does not; each only once."""
    sent = [
        block
        for locale in LOCALES
        for _, message in messages("errors after the deployment", "ion-api-00042-lee", Words(locale=locale))
        for block in message.blocks
    ]
    known = [*BOARD, *RICH, *MORE_BLOCKS, *MARKUP]
    blocks = {json.dumps(block): block for block in [*sent, *known] if block["type"] in SHOWN_ONLY}
    return [comparable(block) for block in blocks.values()]


def comparable(block: Json) -> Json:
    """Return the block without what is compared nowhere.

    A button beside a section is a control. `verbatim` only stops Slack from making links of plain addresses
    and names, but the other renderer then shows all markup as it is written.
    """
    text: str = json.dumps({key: part for key, part in block.items() if key != "accessory"})
    return json.loads(text.replace(', "verbatim": true', ""))  # type: ignore[no-any-return]


def as_read(text: str) -> str:
    """Return what is compared: no white space, no emoji (each side has its own list of them), no bullets."""
    without_emoji = re.sub(r":[a-z0-9_+-]+:", "", text)
    return re.sub(r"[\s•☐☑\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]", "", without_emoji)


async def read_on_the_page(page: Page, server: PageServer, blocks: list[Json], number: int) -> list[str]:
    """Return what one reads in each of `blocks` on our page, in messages with a number from `number` on."""
    sent = [bot_message(number + n, block) for n, block in enumerate(blocks)]
    server.state["messages"] = {"C0OPERATIONS": sent}
    server.changed()
    await page.wait_for_function(
        "([ts, count]) => document.querySelector(`#messages [data-ts='${ts}']`)"
        " && document.querySelectorAll('#messages article').length === count",
        arg=[sent[-1]["ts"], len(sent)],
    )
    return await page.evaluate(READ)  # type: ignore[no-any-return]


async def test_one_reads_the_same_as_in_the_renderer_of_others() -> None:
    blocks = our_blocks()
    people = [{"id": person.id, "name": person.real_name} for person in names.PEOPLE]
    channels = [{"id": channel.id, "name": channel.name} for channel in names.CHANNELS]
    question = {"users": people, "channels": channels, "user_groups": [], "blocks": blocks}

    theirs = await answer_of("blocks.mjs", question)
    ours: list[str] = []
    async with serving(PageServer(workspace(), cloud())) as server, browser_page() as page:
        await page.goto(f"{server.url}#user=U0GITCO")
        for start in range(0, len(blocks), AT_ONCE):
            ours += await read_on_the_page(page, server, blocks[start : start + AT_ONCE], start)

    assert len(blocks) > 100
    pairs = zip(blocks, map(as_read, ours), map(as_read, theirs), strict=True)
    assert [pair for pair in pairs if pair[1] != pair[2]] == []


#: Slack's markup, a line a block. Without an asterisk that is meant as one: theirs writes it twice.
MARKUP = [
    section(line)
    for line in (
        "*bold* _italic_ ~strike~ `code _plain_` snake_case_name",
        "> quoted *line*",
        "```\npre _formatted_ &lt;b&gt;\n```",
        "<https://example.org/a?b=1&amp;c=2|the link> <!here> <@U0SENA> <#C0MONITORING>",
        "&amp;lt; 10:30:45",
    )
]
