"""Modals: what was filled in is sent, complaints stand beside their inputs, nothing typed gets lost."""

from playwright.async_api import Locator, Page, expect

from tests.integration.sandbox.page.conftest import OpenPage
from tests.integration.sandbox.page.samples import button, modal, plain
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

    await expect(dialog(page)).to_be_visible()
    assert {path for path, _ in server.posted} == {"close"}
    assert server.sent("close")[0] == {"user": "U0GITCO", "view_id": "V0FIRST"}


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


async def test_a_button_in_a_modal_acts_on_its_view(server: PageServer, open_page: OpenPage) -> None:
    actions = {"type": "actions", "block_id": "tools", "elements": [button("look", "Look again")]}
    shows(server, modal(blocks=[actions]))
    page = await open_page()

    await dialog(page).get_by_role("button", name="Look again").click()

    await expect(dialog(page).get_by_role("button", name="Look again")).to_be_enabled()
    body = {"user": "U0GITCO", "view_id": "V0FIRST", "block_id": "tools", "action_id": "look"}
    assert server.posted == [("action", body)]
