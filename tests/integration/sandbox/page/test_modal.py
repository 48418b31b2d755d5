"""Modals: what was filled in is sent, complaints stand beside their inputs, nothing typed gets lost."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.integration.sandbox.page.conftest import OpenPage
from tests.integration.sandbox.page.samples import PICKERS, asking, button, modal, plain
from tests.integration.sandbox.page.server import Json, PageServer


def shows(server: PageServer, *views: Json) -> None:
    """Let Gitco have exactly these modals open."""
    server.state["views"] = {"U0GITCO": list(views)}
    server.changed()


def dialog(page: Page, view_id: str = "V0FIRST") -> Locator:
    return page.locator(f'dialog[data-view-id="{view_id}"]')


async def test_a_modal_shows_its_inputs_with_labels_hints_and_initial_values(
    server: PageServer, open_page: OpenPage
) -> None:
    shows(server, modal())

    page = await open_page()

    view = page.get_by_role("dialog", name="Declare an incident")
    await expect(view.get_by_label("Reason")).to_be_focused()
    await expect(view.get_by_label("Reason")).to_have_attribute("placeholder", "What happened?")
    await expect(view.get_by_text("One line is enough.")).to_be_visible()
    await expect(view.get_by_label("Effect on users (optional)")).to_have_value("Checkout fails")
    await expect(view.get_by_label("Severity")).to_have_value("high")
    await expect(view.get_by_role("group", name="Was data lost?").get_by_label("No")).to_be_checked()
    await expect(view.get_by_role("group", name="Tell").get_by_label("Users")).to_be_checked()
    await expect(view.get_by_role("button", name="Declare")).to_be_visible()
    await expect(view.get_by_role("button", name="Not now")).to_be_visible()


async def test_submitting_sends_plain_values_by_action_id(server: PageServer, open_page: OpenPage) -> None:
    shows(server, modal())
    page = await open_page()
    view = dialog(page)

    await view.get_by_label("Reason").fill("error rate 5 %")
    await view.get_by_label("Severity").select_option("critical")
    await view.get_by_label("Yes").check()
    await view.get_by_label("Managers").check()
    await view.get_by_label("Users affected").fill("120")
    await view.get_by_role("button", name="Declare").click()

    await expect(view.get_by_role("button", name="Declare")).to_be_enabled()
    values = {
        "reason": "error rate 5 %",
        "effect": "Checkout fails",
        "severity": "critical",
        "loss": "yes",
        "tell": ["users", "managers"],
        "users": "120",
    }
    assert server.posted == [("submit", {"user": "U0GITCO", "view_id": "V0FIRST", "values": values})]


async def test_what_the_client_can_see_is_wrong_is_not_sent(server: PageServer, open_page: OpenPage) -> None:
    shows(server, modal())
    page = await open_page()
    view = dialog(page)

    await view.get_by_role("button", name="Declare").click()
    await expect(view.locator("[data-error-for=reason_block]")).to_have_text(
        "Please complete this required field."
    )
    await view.get_by_label("Reason").fill("bad")
    await view.get_by_label("Users affected").fill("1.5")
    await view.get_by_label("Reason").press("Enter")

    await expect(view.locator("[data-error-for=reason_block]")).to_have_text("Use at least 5 characters.")
    await expect(view.locator("[data-error-for=users_block]")).to_have_text("Enter a number.")
    await expect(view.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    assert server.posted == []


async def test_the_servers_complaints_stand_under_their_inputs(
    server: PageServer, open_page: OpenPage
) -> None:
    shows(server, modal())
    server.answers["submit"] = {
        "ok": False,
        "error": None,
        "errors": {"severity_block": "Sena decides that."},
    }
    page = await open_page()
    view = dialog(page)

    await view.get_by_label("Reason").fill("error rate 5 %")
    await view.get_by_role("button", name="Declare").click()

    await expect(view.locator("[data-error-for=severity_block]")).to_have_text("Sena decides that.")
    await expect(view.get_by_label("Severity")).to_be_focused()
    await expect(view.get_by_label("Reason")).to_have_value("error rate 5 %")


async def test_a_submission_without_an_answer_is_reported(server: PageServer, open_page: OpenPage) -> None:
    shows(server, modal())
    server.answers["submit"] = {"ok": False, "error": "operation_timeout", "errors": None}
    page = await open_page()

    await dialog(page).get_by_label("Reason").fill("error rate 5 %")
    await dialog(page).get_by_role("button", name="Declare").click()

    await expect(page.get_by_test_id("modal-failure")).to_contain_text("operation_timeout")


async def test_cancel_and_escape_ask_the_server_to_close(server: PageServer, open_page: OpenPage) -> None:
    shows(server, modal())
    page = await open_page()

    await dialog(page).get_by_role("button", name="Not now").click()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")

    await server.until_posted(3)
    await expect(dialog(page)).to_be_visible()
    assert server.posted == [("close", {"user": "U0GITCO", "view_id": "V0FIRST"})] * 3


async def test_the_x_closes_the_views_below_as_well(server: PageServer, open_page: OpenPage) -> None:
    shows(server, modal(), modal("V0SECOND", title=plain("Details")))
    page = await open_page()

    await dialog(page, "V0SECOND").get_by_role("button", name="Close", exact=True).click()

    await server.until_posted()
    assert server.sent("close") == [{"user": "U0GITCO", "view_id": "V0SECOND", "clear": True}]


async def test_addresses_are_checked_before_they_are_sent(server: PageServer, open_page: OpenPage) -> None:
    asked = asking(
        {"type": "email_text_input", "action_id": "mail"}, {"type": "url_text_input", "action_id": "runbook"}
    )
    shows(server, modal(blocks=asked))
    page = await open_page()

    await dialog(page).get_by_label("mail").fill("sena at example")
    await dialog(page).get_by_label("runbook").fill("example.org")
    await dialog(page).get_by_role("button", name="Declare").click()

    await expect(page.locator("[data-error-for=mail_block]")).to_have_text("Enter an e-mail address.")
    await expect(page.locator("[data-error-for=runbook_block]")).to_contain_text("Enter a web address")
    assert server.posted == []


async def test_a_modal_goes_away_when_the_server_says_so(server: PageServer, open_page: OpenPage) -> None:
    shows(server, modal())
    page = await open_page()
    await dialog(page).wait_for()

    shows(server)

    await expect(page.locator("dialog")).to_have_count(0)


async def test_an_update_keeps_what_was_typed_and_the_focus(server: PageServer, open_page: OpenPage) -> None:
    shows(server, modal())
    page = await open_page()
    await dialog(page).get_by_label("Reason").fill("half a sen")

    shows(server, modal(hash="2.bbb", title=plain("Declare now")))

    view = page.get_by_role("dialog", name="Declare now")
    await expect(view.get_by_label("Reason")).to_have_value("half a sen")
    await expect(view.get_by_label("Reason")).to_be_focused()


async def test_the_top_of_the_stack_is_shown_and_the_view_below_keeps_its_text(
    server: PageServer, open_page: OpenPage
) -> None:
    shows(server, modal())
    page = await open_page()
    await dialog(page).get_by_label("Reason").fill("kept below")

    shows(server, modal(), modal("V0SECOND", title=plain("Details")))
    await expect(page.locator("dialog")).to_have_count(1)
    await expect(dialog(page, "V0SECOND").get_by_label("Reason")).to_have_value("")
    shows(server, modal())

    await expect(dialog(page).get_by_label("Reason")).to_have_value("kept below")


async def test_every_kind_of_picker_is_filled_in(server: PageServer, open_page: OpenPage) -> None:
    shows(server, modal(blocks=asking(*PICKERS)))
    page = await open_page()
    view = dialog(page)

    await expect(view.get_by_label("owner")).to_have_value("U0LUBIT")
    # 14:05 UTC is 10:05 in New York, where Gitco is.
    await expect(view.get_by_label("since")).to_have_value("2025-10-22T10:05")
    await view.get_by_label("owner").select_option(label="Gitco")
    await view.get_by_label("channel").select_option(label="#backend")
    await view.get_by_label("conversation").select_option(label="#status")
    await view.get_by_label("scenario").select_option("loss")
    await view.get_by_role("group", name="seen").get_by_label("Slow").check()
    await view.get_by_role("group", name="seen").get_by_label("Gone").check()
    await view.get_by_role("group", name="told").get_by_label("Lubit").check()
    await view.get_by_label("day").fill("2025-10-23")
    await view.get_by_label("time", exact=True).fill("09:30")
    await view.get_by_label("since").fill("2025-10-22T11:00")
    await view.get_by_label("note").fill("two\nlines")
    await view.get_by_role("button", name="Declare").click()

    await expect(view.get_by_role("button", name="Declare")).to_be_enabled()
    values = {
        "owner": "U0GITCO",
        "channel": "C0BACKEND",
        "conversation": "C0STATUS",
        "scenario": "loss",
        "seen": ["a", "c"],
        "told": ["U0SENA", "U0LUBIT"],
        "day": "2025-10-23",
        "time": "09:30",
        "since": 1_761_145_200,
        "note": "two\nlines",
    }
    assert server.posted == [("submit", {"user": "U0GITCO", "view_id": "V0FIRST", "values": values})]


async def test_a_menu_that_takes_two_refuses_three(server: PageServer, open_page: OpenPage) -> None:
    shows(server, modal(blocks=asking(PICKERS[4])))
    page = await open_page()

    for name in ("Slow", "Errors", "Gone"):
        await dialog(page).get_by_label(name).check()
    await dialog(page).get_by_role("button", name="Declare").click()

    await expect(page.locator("[data-error-for=seen_block]")).to_have_text("Choose at most 2.")
    assert server.posted == []


@pytest.mark.parametrize(
    ("moment", "wall"),
    [
        (1_761_141_900, "2025-10-22T10:05"),
        (1_762_057_800, "2025-11-02T00:30"),
        # Half an hour later New York's clocks go back; half past one comes twice, and the first one counts.
        (1_762_061_400, "2025-11-02T01:30"),
        (1_762_068_600, "2025-11-02T02:30"),
    ],
)
async def test_a_moment_keeps_its_value_over_a_change_of_clocks(
    server: PageServer, open_page: OpenPage, moment: int, wall: str
) -> None:
    shows(server, modal(blocks=asking({**PICKERS[8], "initial_date_time": moment})))
    page = await open_page()
    view = dialog(page)

    await expect(view.get_by_label("since")).to_have_value(wall)
    await view.get_by_role("button", name="Declare").click()

    await expect(view.get_by_role("button", name="Declare")).to_be_enabled()
    assert server.sent("submit")[0]["values"] == {"since": moment}


async def test_an_input_that_dispatches_tells_the_app_and_brings_what_else_was_typed(
    server: PageServer, open_page: OpenPage
) -> None:
    reason, scenario = asking(
        {"type": "plain_text_input", "action_id": "reason"},
        PICKERS[3],
    )
    shows(server, modal(blocks=[reason, {**scenario, "dispatch_action": True}]))
    page = await open_page()
    view = dialog(page)

    await view.get_by_label("reason").fill("half a sen")
    await view.get_by_label("scenario").select_option("down")

    await expect(view.get_by_label("scenario")).to_be_enabled()
    body = {"user": "U0GITCO", "view_id": "V0FIRST", "block_id": "scenario_block", "action_id": "scenario"}
    typed = {"reason_block": {"reason": "half a sen"}}
    assert server.posted == [("action", {**body, "selected": "down", "values": typed})]


async def until_told(server: PageServer, text: str) -> None:
    """Wait until the page has told the app that `text` was typed."""
    await server.until(lambda: [body["selected"] for body in server.sent("action")][-1:] == [text])


async def test_enter_in_a_dispatching_text_tells_the_app_and_does_not_submit(
    server: PageServer, open_page: OpenPage
) -> None:
    (asked,) = asking({"type": "plain_text_input", "action_id": "find"})
    shows(server, modal(blocks=[{**asked, "dispatch_action": True}]))
    page = await open_page()

    await dialog(page).get_by_label("find").fill("ion")
    assert server.posted == []
    await dialog(page).get_by_label("find").press("Enter")
    await until_told(server, "ion")

    body = {"user": "U0GITCO", "view_id": "V0FIRST", "block_id": "find_block", "action_id": "find"}
    assert server.posted == [("action", {**body, "selected": "ion"})]
    await expect(dialog(page).get_by_label("find")).to_have_value("ion")


async def test_a_dispatching_text_may_tell_the_app_while_one_types(
    server: PageServer, open_page: OpenPage
) -> None:
    when = {"trigger_actions_on": ["on_character_entered"]}
    (asked,) = asking({"type": "plain_text_input", "action_id": "find", "dispatch_action_config": when})
    shows(server, modal(blocks=[{**asked, "dispatch_action": True}]))
    page = await open_page()
    field = dialog(page).get_by_label("find")
    server.may_answer.clear()

    await field.press_sequentially("ion")
    await expect(field).to_have_attribute("data-pending", "")
    await field.press_sequentially("-api")
    server.may_answer.set()

    await until_told(server, "ion-api")
    await expect(field).to_be_focused()


async def test_inputs_with_one_name_are_sent_by_block(server: PageServer, open_page: OpenPage) -> None:
    (asked,) = asking({"type": "plain_text_input", "action_id": "why"})
    blocks = [{**asked, "block_id": "1"}, {**asked, "block_id": "2", "label": plain("and this")}]
    shows(server, modal(blocks=blocks))
    page = await open_page()
    view = dialog(page)

    await view.get_by_label("why").fill("one")
    await view.get_by_label("and this").fill("two")
    await view.get_by_role("button", name="Declare").click()

    await expect(view.get_by_role("button", name="Declare")).to_be_enabled()
    assert server.sent("submit")[0]["values"] == {"1": {"why": "one"}, "2": {"why": "two"}}


async def test_a_button_in_a_modal_acts_on_its_view(server: PageServer, open_page: OpenPage) -> None:
    actions = {"type": "actions", "block_id": "tools", "elements": [button("look", "Look again")]}
    shows(server, modal(blocks=[actions]))
    page = await open_page()

    await dialog(page).get_by_role("button", name="Look again").click()

    await expect(dialog(page).get_by_role("button", name="Look again")).to_be_enabled()
    body = {"user": "U0GITCO", "view_id": "V0FIRST", "block_id": "tools", "action_id": "look"}
    assert server.posted == [("action", body)]
