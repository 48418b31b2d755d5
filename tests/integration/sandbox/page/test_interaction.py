"""Clicks, choices, commands and messages reach the server once, and failures are told where they happened."""

from playwright.async_api import expect

from tests.integration.sandbox.page.conftest import OpenPage, showing
from tests.integration.sandbox.page.samples import (
    BOARD,
    CHANNEL,
    CHOICES,
    MOMENT,
    MORE_BLOCKS,
    bot_message,
    person_message,
    section,
)
from tests.integration.sandbox.page.server import PageServer

TS = f"{MOMENT + 60}.000100"
SENT = {"user": "U0GITCO", "channel": CHANNEL, "ts": TS}

#: Note in `window.linked` which message is marked: the mark goes after two seconds, looked at or not.
NOTE_LINKED = """
() => {
  window.linked = [];
  new MutationObserver((changes, observer) => {
    linked.push(...[...document.querySelectorAll(".linked")].map(({ dataset }) => dataset.ts));
    if (linked.length) observer.disconnect();
  }).observe(document.body, { attributeFilter: ["class"], subtree: true });
}
"""


async def test_a_click_is_sent_with_its_message_block_and_action(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()

    await page.click("[data-action-id=details]")

    await server.until_posted()
    assert server.posted == [("action", {**SENT, "block_id": "decide", "action_id": "details"})]


async def test_a_confirm_dialog_stands_before_a_dangerous_click(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()

    await page.click("[data-action-id=rollback]")

    dialog = page.get_by_role("dialog", name="Roll back ion-api?")
    await expect(dialog.locator("code")).to_have_text("ion-api-00041-kim")
    await expect(dialog.get_by_role("button", name="Roll back")).to_have_class("button danger")
    assert server.posted == []
    await dialog.get_by_role("button", name="Roll back").click()
    await server.until_posted()
    assert server.sent("action") == [{**SENT, "block_id": "decide", "action_id": "rollback"}]


async def test_declining_or_escaping_a_confirm_dialog_sends_nothing(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()
    rollback = page.locator("[data-action-id=rollback]")

    await rollback.click()
    await page.get_by_role("button", name="Keep the canary").click()
    await rollback.click()
    await page.keyboard.press("Escape")

    await expect(page.get_by_test_id("confirm-dialog")).to_have_count(0)
    await expect(rollback).to_be_focused()
    assert server.posted == []


async def test_a_button_waits_disabled_for_the_answer_and_keeps_the_focus(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()
    button = page.locator("[data-action-id=details]")
    server.may_answer.clear()

    await button.focus()
    await page.keyboard.press("Enter")

    await expect(button).to_be_disabled()
    server.may_answer.set()
    await expect(button).to_be_enabled()
    await expect(button).to_be_focused()
    assert len(server.posted) == 1


async def test_a_button_redrawn_while_its_click_is_under_way_stays_disabled(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()
    button = page.locator("[data-action-id=details]")
    server.may_answer.clear()

    await button.click()
    showing(server, bot_message(1, *BOARD, edited={"ts": "2"}))
    await page.locator(".edited").wait_for()

    await expect(button).to_be_disabled()
    server.may_answer.set()
    await expect(button).to_be_enabled()


async def test_a_refused_click_says_why_under_its_message(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *BOARD))
    server.answers["action"] = {"ok": False, "error": "operation_timeout", "errors": None}
    page = await open_page()

    await page.click("[data-action-id=details]")

    await expect(page.locator(f'[data-ts="{TS}"] .failure')).to_contain_text("operation_timeout")


async def test_choices_are_sent_as_plain_values(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *BOARD), bot_message(2, *CHOICES))
    page = await open_page()

    await page.select_option("[data-action-id=severity]", "critical")
    await server.until_posted(1)
    await page.get_by_label("Run the rollback").check()
    await server.until_posted(2)
    await page.get_by_label("Not normal").check()
    await server.until_posted(3)
    await page.fill("input[type=date]", "2025-10-23")
    await page.locator("input[type=date]").blur()
    await server.until_posted(4)

    selected = [(body["action_id"], body["selected"]) for body in server.sent("action")]
    assert selected == [
        ("severity", "critical"),
        ("steps", ["rollback"]),
        ("verdict", "bad"),
        ("day", "2025-10-23"),
    ]


async def test_a_choice_that_was_refused_is_put_back(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *BOARD))
    server.answers["action"] = {"ok": False, "error": "dispatch_failed", "errors": None}
    page = await open_page()

    await page.select_option("[data-action-id=severity]", "critical")

    await expect(page.locator(".failure")).to_contain_text("dispatch_failed")
    await expect(page.locator("[data-action-id=severity]")).to_have_value("high")


async def test_an_overflow_menu_is_used_with_the_keyboard(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()

    await page.locator("[data-action-id=more]").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Show logs 📄")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")

    await server.until_posted()
    assert server.posted == [
        ("action", {**SENT, "block_id": "flags", "action_id": "more", "selected": "probe"})
    ]
    await expect(page.get_by_role("menu")).to_have_count(0)


async def test_escape_closes_an_overflow_menu(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()
    await page.click("[data-action-id=more]")

    await page.keyboard.press("Escape")

    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(page.locator("[data-action-id=more]")).to_be_focused()


async def test_a_slash_command_is_completed_hinted_and_sent(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()
    box = page.locator("#composer")

    await box.press_sequentially("/")
    await expect(page.locator("#composer-commands [role=option]")).to_have_count(3)
    await box.press("ArrowDown")
    await expect(page.locator("#composer-commands [aria-selected=true]")).to_contain_text("/canary")
    await box.press("Tab")
    await expect(box).to_have_value("/canary ")
    await expect(page.get_by_test_id("composer-hint").first).to_contain_text("status|metrics|logs")
    await box.press_sequentially("status canary")
    await box.press("Enter")

    await server.until_posted()
    command = {"user": "U0GITCO", "channel": CHANNEL, "text": "/canary status canary"}
    assert server.posted == [("slash", command)]
    await expect(box).to_have_value("")


async def test_enter_completes_half_a_command_and_sends_a_whole_one(
    server: PageServer, open_page: OpenPage
) -> None:
    page = await open_page()
    box = page.locator("#composer")

    await box.press_sequentially("/roll")
    await box.press("Enter")
    await expect(box).to_have_value("/rollback ")
    assert server.posted == []
    await box.fill("/rollback")
    await box.press("Enter")

    await server.until_posted()
    assert server.sent("slash")[0]["text"] == "/rollback"


async def test_a_failed_command_keeps_the_text_and_says_why(server: PageServer, open_page: OpenPage) -> None:
    server.answers["slash"] = {"ok": False, "error": "operation_timeout", "errors": None}
    page = await open_page()

    await page.fill("#composer", "/rollback canary")
    await page.press("#composer", "Enter")

    error = page.get_by_test_id("composer-error").first
    await expect(error).to_have_text("⚠ /rollback failed with the error “operation_timeout”")
    await expect(page.locator("#composer")).to_have_value("/rollback canary")


async def test_a_message_is_sent_with_enter_and_broken_with_shift_enter(
    server: PageServer, open_page: OpenPage
) -> None:
    page = await open_page()

    await page.locator("#composer").press_sequentially("the service")
    await page.press("#composer", "Shift+Enter")
    await page.locator("#composer").press_sequentially("is <normal>")
    await page.press("#composer", "Enter")

    await server.until_posted()
    text = "the service\nis <normal>"
    assert server.posted == [("message", {"user": "U0GITCO", "channel": CHANNEL, "text": text})]


async def test_a_reply_goes_into_its_thread_and_escape_returns(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *BOARD), person_message(2, "U0SENA", "looking", thread_ts=TS))
    page = await open_page()
    opener = page.get_by_test_id("replies")
    await expect(opener).to_contain_text("1 reply")
    await expect(page.locator("#messages article")).to_have_count(1)

    await opener.click()
    await expect(page.locator("#thread-messages article")).to_have_count(2)
    await page.fill("#thread-composer", "me too")
    await page.press("#thread-composer", "Enter")
    await server.until_posted()
    await page.keyboard.press("Escape")

    reply = {"user": "U0GITCO", "channel": CHANNEL, "text": "me too", "thread_ts": TS}
    assert server.posted == [("message", reply)]
    await expect(page.get_by_test_id("thread")).to_be_hidden()
    await expect(opener).to_be_focused()


async def test_a_slash_command_is_refused_in_a_thread(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page(f"#user=U0GITCO&thread={TS}")

    await page.fill("#thread-composer", "/rollback canary")
    await page.press("#thread-composer", "Enter")

    await expect(page.get_by_test_id("thread")).to_contain_text("/rollback is not supported in threads")
    assert server.posted == []


async def test_a_global_shortcut_stands_beside_the_message_box(
    server: PageServer, open_page: OpenPage
) -> None:
    page = await open_page()

    await page.get_by_role("button", name="Shortcuts").click()
    item = page.get_by_role("menuitem", name="Declare an incident")
    await expect(item).to_contain_text("Start an incident from anywhere")
    await item.click()

    await server.until_posted()
    assert server.posted == [("shortcut", {"user": "U0GITCO", "callback_id": "declare"})]


async def test_a_shortcut_that_failed_says_why(server: PageServer, open_page: OpenPage) -> None:
    server.answers["shortcut"] = {"ok": False, "error": "operation_timeout", "errors": None}
    showing(server, person_message(1, "U0SENA", "slow"))
    page = await open_page()

    await page.get_by_role("button", name="Shortcuts").click()
    await page.get_by_role("menuitem", name="Declare an incident").click()
    await expect(page.get_by_test_id("composer-error").first).to_contain_text("operation_timeout")
    await page.get_by_test_id("message-menu").click()
    await page.get_by_role("menuitem", name="Add to the timeline").click()

    await expect(page.locator(f'[data-ts="{TS}"] .failure')).to_contain_text("operation_timeout")


async def test_a_message_has_a_menu_of_shortcuts(server: PageServer, open_page: OpenPage) -> None:
    showing(
        server,
        person_message(1, "U0SENA", "slow"),
        bot_message(2, *CHOICES, ephemeral_for="U0GITCO"),
        person_message(3, "USLACKBOT", "This message was deleted.", subtype="tombstone"),
    )
    page = await open_page()

    await expect(page.get_by_test_id("message-menu")).to_have_count(1)
    await page.get_by_test_id("message-menu").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Add to the timeline")).to_be_focused()
    await page.keyboard.press("Enter")

    await server.until_posted()
    assert server.posted == [("shortcut", {**SENT, "callback_id": "add_to_timeline"})]


async def test_an_app_without_shortcuts_has_no_buttons_for_them(
    server: PageServer, open_page: OpenPage
) -> None:
    server.state["shortcuts"] = []
    showing(server, person_message(1, "U0SENA", "slow"))

    page = await open_page()

    await expect(page.get_by_test_id("react")).to_have_count(1)
    await expect(page.get_by_test_id("message-menu")).to_have_count(0)
    await expect(page.get_by_test_id("shortcuts").first).to_be_hidden()


async def test_a_reaction_is_added_and_taken_away_by_a_click(server: PageServer, open_page: OpenPage) -> None:
    mine = {"name": "eyes", "count": 2, "users": ["U0SENA", "U0GITCO"]}
    others = {"name": "memo", "count": 1, "users": ["U0SENA"]}
    showing(server, person_message(1, "U0SENA", "slow", reactions=[mine, others]))
    page = await open_page()

    await page.get_by_test_id("react").click()
    await page.get_by_role("menuitem", name="pushpin").click()
    await server.until_posted(1)
    await expect(page.locator("[data-reaction=eyes]")).to_have_attribute("aria-pressed", "true")
    await page.click("[data-reaction=eyes]")
    await server.until_posted(2)
    await expect(page.locator("[data-reaction=memo]")).to_have_attribute("title", ":memo: Sena")
    await page.click("[data-reaction=memo]")
    await server.until_posted(3)

    assert server.sent("reaction") == [
        {**SENT, "name": "pushpin", "on": True},
        {**SENT, "name": "eyes", "on": False},
        {**SENT, "name": "memo", "on": True},
    ]


async def test_a_file_is_shared_with_what_is_typed(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()
    await page.fill("#composer", "the graph")

    await page.locator("#channel-composer input[type=file]").set_input_files(
        {"name": "graph.txt", "mimeType": "text/plain", "buffer": "안녕".encode()}
    )

    await server.until_posted()
    file = {"name": "graph.txt", "content": "7JWI64WV"}
    assert server.posted == [("file", {"user": "U0GITCO", "channel": CHANNEL, "text": "the graph", **file})]
    await expect(page.locator("#composer")).to_have_value("")


async def test_a_link_to_a_message_opens_it_here(server: PageServer, open_page: OpenPage) -> None:
    link = f"{server.url}archives/C0BACKEND/p{TS.replace('.', '')}"
    server.state["messages"] = {
        CHANNEL: [person_message(2, "U0SENA", f"see <{link}|the start>")],
        "C0BACKEND": [person_message(1, "U0LUBIT", "it began here")],
    }
    page = await open_page()
    await page.evaluate(NOTE_LINKED)

    await page.get_by_role("link", name="the start").click()

    await expect(page.locator("#channel-name")).to_have_text("#backend")
    assert await page.evaluate("window.linked") == [TS]


async def test_every_visit_to_a_tab_of_the_app_is_announced_once(
    server: PageServer, open_page: OpenPage
) -> None:
    page = await open_page()

    await page.click("[data-channel=home]")
    await expect(page.locator("#messages")).to_contain_text("The app has not put anything here yet.")
    server.changed()
    await page.click("[data-channel=D0BACKOUT]")
    await server.until_posted(2)
    await page.click("[data-channel=home]")

    await server.until_posted(3)
    assert [body["tab"] for body in server.sent("home")] == ["home", "messages", "home"]


async def test_the_home_of_the_app_can_be_opened_and_used(server: PageServer, open_page: OpenPage) -> None:
    long = [*BOARD, *(section(f"line {number}") for number in range(60))]
    server.state["views"] = {"U0GITCO": [{"id": "V0HOME", "type": "home", "hash": "1.a", "blocks": long}]}
    page = await open_page()

    await page.click("[data-channel=home]")
    await expect(page.locator("[data-view-id=V0HOME] h3")).to_be_in_viewport()
    await page.click("[data-view-id=V0HOME] [data-action-id=details]")

    await server.until_posted()
    body = {"user": "U0GITCO", "view_id": "V0HOME", "block_id": "decide", "action_id": "details"}
    await server.until_posted(2)
    assert server.posted == [("home", {"user": "U0GITCO", "tab": "home"}), ("action", body)]


async def test_people_channels_and_emoji_are_completed(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()
    box = page.locator("#composer")

    await box.press_sequentially("ask @lu")
    await expect(page.locator("#composer-commands [role=option]")).to_have_count(1)
    await box.press("Enter")
    await box.press_sequentially("in #back")
    await box.press("Tab")
    await box.press_sequentially(":rot")
    await page.locator("#composer-commands [data-command=rotating_light]").click()

    await expect(box).to_have_value("ask @lubit in #backend :rotating_light: ")
    await box.press("Enter")
    await server.until_posted()
    assert server.sent("message")[0]["text"] == "ask @lubit in #backend :rotating_light:"


async def test_what_is_no_command_of_the_app_is_refused_as_slack_does(
    server: PageServer, open_page: OpenPage
) -> None:
    page = await open_page()
    box, error = page.locator("#composer"), page.get_by_test_id("composer-error").first

    await box.fill("/status away")
    await box.press("Enter")
    await expect(error).to_contain_text("/status is one of Slack's own commands")
    await box.fill("/rolback canary")
    await box.press("Enter")
    await expect(error).to_contain_text("/rolback is not a valid command.")
    assert server.posted == []
    await box.fill(" /rolback canary")
    await box.press("Enter")

    await server.until_posted()
    assert server.sent("message")[0]["text"] == "/rolback canary"


async def test_what_was_typed_stays_where_it_was_typed(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()
    box = page.locator("#composer")
    await box.fill("for #operations alone")

    await page.click("[data-channel=C0BACKEND]")
    await expect(box).to_have_value("")
    await page.click("[data-channel=C0OPERATIONS]")
    await expect(box).to_have_value("for #operations alone")
    await page.select_option("#acting-user", "U0LUBIT")

    await expect(box).to_have_value("")


async def test_a_menu_stays_open_while_its_message_is_edited(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()
    await page.click("[data-action-id=more]")

    showing(server, bot_message(1, *BOARD, edited={"ts": "2"}))
    await page.locator(".edited").wait_for()
    await expect(page.get_by_role("menuitem", name="Show logs 📄")).to_be_focused()
    await page.keyboard.press("p")
    await page.keyboard.press("Enter")

    await server.until_posted()
    assert server.sent("action")[0]["selected"] == "probe"
    await expect(page.locator("[data-action-id=more]")).to_be_focused()


async def test_an_open_select_stays_open_while_its_message_is_edited(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()
    select = page.locator("[data-action-id=severity]")
    await select.click()

    showing(server, bot_message(1, *BOARD, edited={"ts": "2"}), bot_message(2, section("more")))
    await expect(page.get_by_text("more", exact=True)).to_be_visible()
    assert await select.evaluate("node => node.matches(':open')")
    await page.keyboard.press("Escape")

    await expect(page.locator(".edited")).to_be_visible()
    await expect(select).to_be_focused()


async def test_a_picture_is_shown_large(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *MORE_BLOCKS))
    page = await open_page()
    small = page.get_by_role("button", name="Enlarge: P95 over time")

    await small.focus()
    await page.keyboard.press("Enter")
    large = page.get_by_test_id("lightbox").get_by_role("img", name="P95 over time")
    await expect(large).to_be_in_viewport()
    await page.keyboard.press("Escape")

    await expect(page.get_by_test_id("lightbox")).to_have_count(0)
    await expect(small).to_be_focused()


async def test_the_app_has_tabs_and_a_message_tab_one_may_only_read(
    server: PageServer, open_page: OpenPage
) -> None:
    server.state["tabs"]["read_only"] = True
    page = await open_page()
    await expect(page.locator("#app-tabs")).to_be_hidden()

    await page.click("[data-channel=home]")
    await page.locator("#app-tabs").get_by_role("button", name="Messages").click()

    await expect(page.locator("#channel-name")).to_have_text("Backout")
    await expect(page.get_by_test_id("composer-closed").first).to_have_text(
        "Sending messages to this app has been turned off."
    )
    await expect(page.locator("#composer")).to_be_hidden()
    await expect(page.locator("#messages")).to_be_focused()
