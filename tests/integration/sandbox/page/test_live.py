"""The page follows the server without a reload, and shows each person what is theirs."""

from playwright.async_api import expect

from tests.integration.sandbox.page.conftest import OpenPage, showing
from tests.integration.sandbox.page.samples import BOARD, bot_message, person_message, section
from tests.integration.sandbox.page.server import PageServer


async def test_a_new_message_appears_without_a_reload(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()
    await page.evaluate("window.sameDocument = true")
    await expect(page.locator(".empty")).to_be_visible()

    showing(server, bot_message(1, section("*Rolled back*")))

    await expect(page.locator("#messages strong")).to_have_text("Rolled back")
    assert await page.evaluate("window.sameDocument") is True


async def test_typed_text_and_focus_survive_what_others_do(server: PageServer, open_page: OpenPage) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()
    await page.locator("#composer").press_sequentially("half a sen")

    showing(server, bot_message(1, section("replaced")), bot_message(2, section("more")))

    await expect(page.locator("#messages article")).to_have_count(2)
    await expect(page.locator("#composer")).to_have_value("half a sen")
    await expect(page.locator("#composer")).to_be_focused()


async def test_a_focused_button_keeps_the_focus_when_its_message_is_edited(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()
    await page.locator("[data-action-id=watch]").focus()

    showing(server, bot_message(1, section("*Edited*"), *BOARD))

    await expect(page.locator("#messages strong").first).to_have_text("Edited")
    await expect(page.locator("[data-action-id=watch]")).to_be_focused()


async def test_a_click_counts_though_its_message_was_edited_under_the_pointer(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(server, bot_message(1, *BOARD))
    page = await open_page()
    await page.locator("[data-action-id=watch]").hover()
    await page.mouse.down()
    server.state["messages"]["C0DEVOPS"] = [person_message(2, "U0LUBIT", "news")]
    server.state["messages"]["C0OPERATIONS"] = [bot_message(1, *BOARD, section("*Edited*"))]
    server.changed()
    # From the same state, and drawn before the messages.
    await page.locator("[data-channel=C0DEVOPS] .unread-dot").wait_for()
    edited = page.get_by_text("Edited")
    assert await edited.count() == 0

    await page.mouse.up()

    await expect(edited).to_be_visible()
    await server.until_posted()
    assert [body["action_id"] for body in server.sent("action")] == ["watch"]


async def test_many_changes_at_once_are_few_reads(server: PageServer, open_page: OpenPage) -> None:
    page = await open_page()
    before = server.state_reads

    for number in range(1, 101):
        showing(server, bot_message(number, section(f"change {number}")))

    await expect(page.locator("#messages")).to_contain_text("change 100")
    assert server.state_reads - before <= 5


async def test_the_newest_message_stays_in_sight(server: PageServer, open_page: OpenPage) -> None:
    messages = [person_message(number, "U0LUBIT", f"line {number}") for number in range(1, 60)]
    showing(server, *messages)
    page = await open_page()
    await expect(page.get_by_text("line 59", exact=True)).to_be_in_viewport()

    showing(server, *messages, bot_message(61, *BOARD))

    await expect(page.locator("[data-action-id=rollback]")).to_be_in_viewport()
    await page.fill("#composer", "\n".join(["several", "lines"] * 4))
    await expect(page.locator("[data-action-id=rollback]")).to_be_in_viewport()


async def test_reading_above_is_not_disturbed(server: PageServer, open_page: OpenPage) -> None:
    messages = [person_message(number, "U0LUBIT", f"line {number}") for number in range(1, 60)]
    showing(server, *messages)
    page = await open_page()
    await page.locator("#messages").evaluate("(list) => { list.scrollTop = 0; }")
    await expect(page.get_by_text("line 1", exact=True)).to_be_in_viewport()

    showing(server, *messages, bot_message(61, section("news")))

    await expect(page.get_by_text("news")).to_be_attached()
    await expect(page.get_by_text("line 1", exact=True)).to_be_in_viewport()


async def test_the_other_persons_language_zone_and_ephemerals_come_with_the_switch(
    server: PageServer, open_page: OpenPage
) -> None:
    showing(
        server,
        bot_message(1, section("for all")),
        bot_message(2, section("for Sena alone"), ephemeral_for="U0SENA"),
        bot_message(3, section("for Gitco alone"), ephemeral_for="U0GITCO"),
    )
    page = await open_page()
    await expect(page.locator(".ephemeral")).to_contain_text("Only visible to you")
    await expect(page.locator(".ephemeral")).to_contain_text("for Gitco alone")
    await expect(page.locator("#acting-user option").first).to_have_text(
        "Sena · Korean · Deployment lead; may roll back"
    )

    await page.select_option("#acting-user", "U0SENA")

    await expect(page.locator(".ephemeral")).to_contain_text("나에게만 표시")
    await expect(page.locator(".ephemeral")).to_contain_text("for Sena alone")
    await expect(page.locator("html")).to_have_attribute("lang", "ko-KR")
    await expect(page.locator("#acting-user option:checked")).to_have_text(
        "Sena · 한국어 · 배포 책임자 · 롤백 가능"
    )
    await expect(page.locator("optgroup[label=외부인] option")).to_contain_text("Olga")
    await expect(page.locator(".byline time").first).to_have_text("오후 11:06")
    await expect(page.locator("#composer")).to_have_attribute("placeholder", "#operations에 메시지 보내기")


async def test_what_is_open_is_in_the_address(server: PageServer, open_page: OpenPage) -> None:
    server.state["messages"] = {"C0BACKEND": [person_message(1, "U0LUBIT", "in backend")]}
    page = await open_page("")
    await page.select_option("#acting-user", "U0LUBIT")
    await page.click("[data-channel=C0BACKEND]")
    await expect(page.get_by_text("in backend")).to_be_visible()

    await page.reload()

    await expect(page.get_by_text("in backend")).to_be_visible()
    await expect(page.locator("#acting-user")).to_have_value("U0LUBIT")


async def test_a_channel_that_is_not_there_for_this_person_is_left(
    server: PageServer, open_page: OpenPage
) -> None:
    server.state["channels"] = [each for each in server.state["channels"] if each["id"] == "C0PARTNER"]

    page = await open_page("#user=U0GUEST&channel=C0BACKEND")

    await expect(page.locator("#channel-name")).to_have_text("#partner")


async def test_news_elsewhere_is_a_dot_and_a_mention_is_a_count(
    server: PageServer, open_page: OpenPage
) -> None:
    page = await open_page()
    channels = server.state["messages"]
    await page.locator("[data-channel=C0DEVOPS]").focus()

    channels["C0DEVOPS"] = [person_message(1, "U0LUBIT", "news")]
    channels["C0BACKEND"] = [person_message(1, "U0LUBIT", "hello <@U0GITCO>")]
    channels["D0BACKOUT"] = [bot_message(1, section("for you"))]
    server.changed()

    await expect(page.locator("[data-channel=C0DEVOPS] [aria-label=unread]")).to_be_visible()
    await expect(page.locator("[data-channel=C0DEVOPS]")).to_be_focused()
    await expect(page.locator("[data-channel=C0BACKEND]").get_by_text("1")).to_be_visible()
    await expect(page.locator("[data-channel=D0BACKOUT]").get_by_text("1")).to_be_visible()
    await page.click("[data-channel=C0DEVOPS]")
    await expect(page.locator("[data-channel=C0DEVOPS] [aria-label=unread]")).to_have_count(0)


async def test_a_mentioned_channel_opens_with_a_click(server: PageServer, open_page: OpenPage) -> None:
    showing(server, person_message(1, "U0LUBIT", "see <#C0MONITORING>"))
    page = await open_page()

    await page.get_by_role("button", name="#monitoring").last.click()

    await expect(page.locator("#channel-name")).to_have_text("#monitoring")
    await expect(page.locator("#channel-topic")).to_have_text("Monitoring: Lemun")


async def test_a_line_says_what_is_new_since_one_looked_last(server: PageServer, open_page: OpenPage) -> None:
    old, new = person_message(1, "U0LUBIT", "old"), person_message(2, "U0LUBIT", "new")
    server.state["messages"] = {"C0BACKEND": [old]}
    page = await open_page()
    server.state["messages"] = {"C0BACKEND": [old, new]}
    server.changed()
    await page.locator("[data-channel=C0BACKEND] .unread-dot").wait_for()

    await page.click("[data-channel=C0BACKEND]")

    rows = page.locator("#messages [data-key]")
    await expect(rows).to_contain_text(["Wednesday", "old", "New", "new"])
    server.state["messages"]["C0BACKEND"].append(person_message(3, "U0LUBIT", "while one looks"))
    server.changed()
    await expect(rows).to_contain_text(["Wednesday", "old", "New", "new", "while one looks"])
    await page.click("[data-channel=C0DEVOPS]")
    await page.click("[data-channel=C0BACKEND]")
    await expect(rows).to_have_count(4)
    await expect(rows).to_contain_text(["Wednesday", "old", "new", "while one looks"])


async def test_a_new_message_is_spoken_once_and_an_edited_one_is_not(
    server: PageServer, open_page: OpenPage
) -> None:
    first = bot_message(1, section("board"), text="The board")
    showing(server, first)
    page = await open_page()
    spoken = page.locator("#announcer")

    showing(
        server,
        first,
        person_message(2, "U0GITCO", "my own"),
        person_message(3, "U0LUBIT", "*so* is <@U0SENA>"),
    )
    await expect(spoken).to_have_text("Lubit: so is @Sena")
    showing(server, {**first, "text": "The board, again"}, person_message(3, "U0LUBIT", "*so* is <@U0SENA>"))
    await expect(page.locator("#messages article")).to_have_count(2)

    await expect(spoken).to_have_text("Lubit: so is @Sena")
