"""The playbook's links, filled in for a target."""

from bot.domain.guide import Link
from bot.domain.page_links import address
from tests.values import a_services_target, a_target

LINK = Link.model_validate(
    {
        "title": {"en": "x", "ko": "x"},
        "url": "https://example.com/{project}/{region}/{service}?canary={canary}&keep={other}",
    }
)


def test_what_is_known_of_the_target_is_filled_in_and_other_braces_stay() -> None:
    found = address(LINK, a_services_target(project="ion"))

    assert found == "https://example.com/ion/us-central1/ion-chat?canary=ion-chat-canary&keep={other}"


def test_the_canarys_revision_stands_in_and_without_one_the_service() -> None:
    assert "?canary=ion-api-00042-lee&" in address(LINK, a_target(), canary="ion-api-00042-lee")
    assert "?canary=ion-api&" in address(LINK, a_target())


def test_a_target_without_a_project_takes_the_default_one() -> None:
    assert address(LINK, a_target(), project="a/b").startswith("https://example.com/a%2Fb/")
