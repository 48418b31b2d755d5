"""Messages are drawn from their blocks as Slack draws them, and nothing in them runs."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.integration.sandbox.page.conftest import OpenPage, showing
from tests.integration.sandbox.page.samples import (
    BOARD,
    CHOICES,
    MARKUP,
    MOMENT,
    MORE_BLOCKS,
    RICH,
    bot_message,
    modal,
    mrkdwn,
    option,
    person_message,
    plain,
    section,
)
from tests.integration.sandbox.page.server import PageServer

#: Every way in that a careless page would leave open.
PAYLOADS = (
    "<img src=x onerror=window.hacked=1>",
    "<script>window.hacked=1</script>",
    "<svg/onload=window.hacked=1>",
    "&lt;img src=x onerror=window.hacked=1&gt;",
    "<javascript:window.hacked=1|click me>",
    "<data:text/html,<script>1</script>|click me>",
    "*<b onmouseover=window.hacked=1>bold</b>*",
    "`<iframe src=javascript:window.hacked=1>`",
    "<!date^1^{date}^javascript:window.hacked=1|x>",
    '<@"><img src=x onerror=window.hacked=1>',
    "'\"><img src=x onerror=window.hacked=1>",
    "__proto__",
)

#: What somebody writes, and the HTML it becomes.
MARKUP_LINES = (
    ("*bold*, then", "<strong>bold</strong>, then"),
    ("_*both*_", "<em><strong>both</strong></em>"),
    ("a*b*c", "a*b*c"),
    ("* not bold *", "* not bold *"),
    ("**", "**"),
    ("*open", "*open"),
    ("(*in brackets*)", "(<strong>in brackets</strong>)"),
    ("`*code*`", "<code>*code*</code>"),
    ("*with `*` code*", "<strong>with <code>*</code> code</strong>"),
    ("*<@U0SENA>* did", '<strong><span class="mention" data-user="U0SENA">@Sena</span></strong> did'),
    ("&amp;amp; &lt;b&gt; &copy;", "&amp;amp; &lt;b&gt; &amp;copy;"),
    ("10:30:45 :x:", '10:30:45 <span class="emoji" title=":x:">❌</span>'),
    ("<@U0NOBODY|nobody>", '<span class="mention" data-user="U0NOBODY">@nobody</span>'),
    ("<#C0SECRET>", '<span class="mention">#C0SECRET</span>'),
)


def row(page: Page, number: int = 1) -> Locator:
    return page.locator(f'#messages [data-ts="{MOMENT + 60 * number}.000100"]')


async def test_a_board_of_header_sections_fields_context_and_actions_is_drawn(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *BOARD))

    page = await open_page()

    board = row(page)
    await expect(board.locator(".author")).to_have_text("Backout")
    await expect(board.locator(".app-badge")).to_have_text("APP")
    await expect(board.locator("h3")).to_have_text("🚨 ion-api: error rate jumps")
    await expect(board.locator(".section-text strong").first).to_have_text("Error rate")
    await expect(board.locator(".section-text").first).to_contain_text("🔴 5.4 % (> 1.0 %)")
    await expect(board.locator(".section-field")).to_have_count(4)
    await expect(board.locator(".block-context img")).to_have_attribute("alt", "Backout")
    await expect(board.locator("hr")).to_have_count(1)
    await expect(board.locator("[data-action-id=rollback]")).to_have_class("button danger")
    await expect(board.locator("[data-action-id=watch]")).to_have_class("button primary")
    await expect(board.locator("select[data-action-id=severity]")).to_have_value("high")
    await expect(board.locator("[data-action-id=more]")).to_have_attribute("data-block-id", "flags")


async def test_rich_text_is_drawn(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *RICH))

    page = await open_page()

    text = row(page).locator(".rich-text")
    await expect(text.locator(".rich-section").first).to_have_text(
        "Timeline of @Sena in #critical-incidents 🚨 a & b <c> runbook"
    )
    await expect(text.locator("strong")).to_have_text("Timeline")
    await expect(text.locator("ol > li")).to_have_text(["Decide", "Roll back"])
    await expect(text.locator("li s")).to_have_text("Decide")
    await expect(text.locator("li code")).to_have_text("Roll back")
    await expect(text.locator("blockquote")).to_have_text("the service is normal")
    await expect(text.locator("pre")).to_have_text("gcloud run services update-traffic ion-api")
    await expect(text.locator("a")).to_have_attribute("href", "https://example.org/runbook")


async def test_alerts_pictures_tables_and_markdown_are_drawn(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *MORE_BLOCKS))

    page = await open_page()

    message = row(page)
    await expect(message.get_by_role("note", name="Error")).to_contain_text("Not verified: stable answers")
    await expect(message.locator("figcaption")).to_have_text("P95")
    await expect(message.locator("figure img")).to_have_attribute("alt", "P95 over time")
    await expect(message.locator(".block-table th")).to_have_text(["Metric", "Value"])
    await expect(message.locator(".block-table td")).to_have_text(["P95", "312 ms"])
    await expect(message.locator(".block-table td").nth(1)).to_have_class("align-right")
    markdown = message.locator(".markdown")
    await expect(markdown.locator("h3")).to_have_text("Deployment failure record")
    await expect(markdown.locator("p").first).to_have_text("Occurred: 2025-10-22 14:05 UTC")
    await expect(markdown.locator("li")).to_have_text(["☑ rolled back", "☐ post-mortem"])
    await expect(markdown.locator("td")).to_have_text(["errors", "+5.4 %"])
    await expect(markdown.locator("pre")).to_have_text("log line <b>")
    await expect(markdown.locator("a")).to_have_attribute("href", "https://example.org/guide")


async def test_headings_films_and_attachments_are_drawn(server: PageServer, open_page: OpenPage) -> None:
    film = {
        "type": "video",
        "title": plain("How to roll back"),
        "title_url": "https://example.org/film",
        "video_url": "https://example.org/film.mp4",
        "thumbnail_url": "https://example.org/film.png",
        "alt_text": "A film",
    }
    coloured = {
        "color": "danger",
        "title": "5xx",
        "text": "*12* errors",
        "fields": [{"title": "a", "value": "b"}],
    }
    with_blocks = {"color": "36a64f", "blocks": [section("_inside_")]}
    heading = {"type": "header", "level": 2, "text": plain("Below")}
    showing(server, bot_message(1, heading, film, attachments=[coloured, with_blocks]))

    page = await open_page()

    message = row(page)
    await expect(message.locator("h4")).to_have_text("Below")
    await expect(message.get_by_role("link", name="How to roll back")).to_have_attribute(
        "href", "https://example.org/film"
    )
    await expect(message.locator(".attachment").first).to_contain_text("5xx12 errorsab")
    await expect(message.locator(".attachment").first).to_have_css("border-left-color", "rgb(163, 2, 0)")
    await expect(message.locator(".attachment").nth(1).locator("em")).to_have_text("inside")


async def test_a_picture_from_elsewhere_is_a_link_and_is_not_fetched(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *MORE_BLOCKS))

    page = await open_page()

    await expect(row(page).locator(".picture-elsewhere a")).to_have_text("A chart elsewhere")
    fetched = await page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [address for address in fetched if not address.startswith(server.url)] == []


async def test_an_unknown_block_is_a_visible_box(server: PageServer, open_page: OpenPage) -> None:
    unknown_element = {"type": "actions", "elements": [{"type": "crystal_ball", "action_id": "see"}]}
    showing(server, bot_message(1, {"type": "hologram"}, unknown_element))

    page = await open_page()

    boxes = row(page).get_by_test_id("unsupported")
    await expect(boxes).to_have_text(["Unsupported block: hologram", "Unsupported block: crystal_ball"])


async def test_markup_is_drawn_with_slacks_rules(server: PageServer, open_page: OpenPage) -> None:
    showing(server, person_message(1, "U0LUBIT", MARKUP))

    page = await open_page()

    body = row(page).locator(".body")
    lines = body.locator(".line")
    await expect(lines.first).to_have_text(
        "bold italic strike code *plain* snake_case_name 5 * 3 * 2 *굵게*는"
    )
    await expect(body.locator("em")).to_have_text("italic")
    await expect(body.locator("s")).to_have_text("strike")
    await expect(body.locator("code")).to_have_text("code *plain*")
    await expect(body.locator("blockquote")).to_have_text("quoted line")
    await expect(body.locator(".bullet")).to_have_text(["• first", "• second"])
    await expect(body.locator("pre")).to_have_text("pre *formatted* <b>")
    await expect(body.locator("a")).to_have_attribute("href", "https://example.org/a?b=1&c=2")
    await expect(body.locator(".mention.me")).to_have_text("@here")
    await expect(body.locator(".mention.group")).to_have_text("@devops")
    await expect(lines.last).to_contain_text("✅ :no_such_emoji: &lt; &quot; click (javascript:alert(1))")


async def test_a_bare_address_becomes_a_link_unless_the_text_is_verbatim(
    server: PageServer, open_page: OpenPage
) -> None:
    text = mrkdwn("*see* https://example.org/a and <https://example.org/b>")
    blocks = [{"type": "section", "text": {**text, "verbatim": verbatim}} for verbatim in (False, True)]
    showing(server, bot_message(1, *blocks))

    page = await open_page()

    linked = [await row(page).locator(".block").nth(index).locator("a").count() for index in (0, 1)]
    assert linked == [2, 1]


async def test_each_line_of_markup(server: PageServer, open_page: OpenPage) -> None:
    messages = [person_message(number, "U0LUBIT", markup) for number, (markup, _) in enumerate(MARKUP_LINES)]
    showing(server, *messages)

    page = await open_page()

    lines = await page.locator("#messages .line").evaluate_all("nodes => nodes.map((node) => node.innerHTML)")
    assert lines == [drawn for _, drawn in MARKUP_LINES]


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("U0GITCO", "2025-10-22 10:05:03 AM UTC-4"),
        ("U0SENA", "2025-10-22 오후 11:05:03 UTC+9"),
        ("U0OUTSIDE", "2025-10-22 15:05:03 UTC+1"),
    ],
)
async def test_a_moment_is_shown_in_the_acting_persons_zone_with_its_offset(
    server: PageServer, open_page: OpenPage, user: str, shown: str
) -> None:
    showing(server, bot_message(1, *BOARD))

    page = await open_page(f"#user={user}")

    moment = row(page).locator(".section-text time")
    assert " ".join((await moment.inner_text()).split()) == shown
    await expect(moment).to_have_attribute("datetime", "2025-10-22T14:05:03.000Z")


async def test_markup_from_outside_stays_text(server: PageServer, open_page: OpenPage) -> None:
    showing(server, *(message for payload in PAYLOADS for message in hostile_messages(payload)))

    # The pictures' addresses are the payloads: this server has no such pictures.
    page = await open_page(expected_errors=("404 (Not Found)",))

    await expect(page.locator("#messages .block-header")).to_have_text([*map(as_plain_text, PAYLOADS)])
    await assert_nothing_ran(page)


async def test_markup_from_outside_stays_text_in_a_modal(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()

    for number, payload in enumerate(PAYLOADS):
        server.state["views"] = {"U0GITCO": [hostile_modal(f"V{number}", payload)]}
        server.changed()
        await expect(page.locator(f'dialog[data-view-id="V{number}"] h2')).to_have_text(
            as_plain_text(payload)
        )
        await assert_nothing_ran(page)


async def test_choices_in_a_message_are_drawn(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *CHOICES))

    page = await open_page()

    await expect(row(page).get_by_role("checkbox")).to_have_count(2)
    await expect(row(page).get_by_role("radio")).to_have_count(2)
    await expect(row(page).locator("input[type=date]")).to_have_value("2025-10-22")


async def test_edited_messages_and_reactions_are_marked(server: PageServer, open_page: OpenPage) -> None:
    reactions = [{"name": "eyes", "count": 2}, {"name": "mystery", "count": 1}]
    showing(server, bot_message(1, section("now"), edited={"ts": "1"}, reactions=reactions))

    page = await open_page()

    await expect(row(page).locator(".edited")).to_have_text("(edited)")
    await expect(row(page).locator(".reaction")).to_have_text(["👀 2", ":mystery: 1"])


async def test_a_file_has_a_link_and_shows_its_first_lines(server: PageServer, open_page: OpenPage) -> None:
    about = {
        "id": "F1",
        "name": "record.md",
        "title": "Failure record",
        "mimetype": "text/markdown",
        "size": 21,
    }
    shared = {"url": "/files/record.md", "channel": "C0OPERATIONS", "thread_ts": None, "user": "U0BACKOUT"}
    server.files["record.md"] = "# Record <b>of</b> it"
    server.state["files"] = [{**about, **shared, "ts": f"{MOMENT + 60}.000100"}]
    showing(server, bot_message(1, section("Here."), files=[{"id": "F1", "url_private": "elsewhere"}]))

    page = await open_page()

    await expect(row(page).get_by_role("link", name="Failure record")).to_have_attribute(
        "href", "/files/record.md"
    )
    await expect(row(page).get_by_role("region", name="Preview: Failure record")).to_have_text(
        "# Record <b>of</b> it"
    )


async def assert_nothing_ran(page: Page) -> None:
    """No payload became code, an element of its own, or a link that is not one."""
    foreign = "script:not([src^='/static/']), iframe, [onerror], [onload], [onmouseover]"
    assert await page.evaluate("window.hacked") is None
    assert await page.locator(foreign).count() == 0
    schemes = await page.locator("a").evaluate_all("links => links.map((link) => link.protocol)")
    assert set(schemes) <= {"http:", "https:", "mailto:"}


def as_plain_text(text: str) -> str:
    """Undo Slack's escapes, as a `plain_text` object is shown."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def hostile_messages(payload: str) -> list[dict[str, Any]]:
    """Return messages that carry `payload` wherever a text can stand."""
    menu = {"type": "overflow", "action_id": "m", "options": [option("a", payload), option("b", payload)]}
    leaf: dict[str, Any] = {"type": "text", "text": payload}
    links = [leaf, {"type": "link", "url": payload, "text": payload}, {"type": "emoji", "name": payload}]
    blocks = [
        {"type": "header", "text": plain(payload)},
        section(payload, fields=[mrkdwn(payload)], accessory=menu),
        {
            "type": "context",
            "elements": [mrkdwn(payload), {"type": "image", "image_url": payload, "alt_text": payload}],
        },
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": links}]},
        {
            "type": "markdown",
            "text": f"{payload}\n\n# {payload}\n\n[{payload}](javascript:window.hacked=1)\n\n- {payload}",
        },
        {"type": "table", "rows": [[{"type": "raw_text", "text": payload}]]},
        {"type": "alert", "level": payload, "text": mrkdwn(payload)},
        {"type": payload},
    ]
    number = 2 * PAYLOADS.index(payload)
    message = bot_message(number, *blocks, username=payload, reactions=[{"name": payload, "count": 1}])
    return [message, person_message(number + 1, payload, payload)]


def hostile_modal(view_id: str, payload: str) -> dict[str, Any]:
    """Return the sample modal with `payload` for its words."""
    view = modal(view_id, title=plain(payload), submit=plain(payload), close=plain(payload))
    for block in view["blocks"][1:]:
        block["label"] = block["hint"] = plain(payload)
    return view
