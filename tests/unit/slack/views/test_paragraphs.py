"""Lines of any length as paragraphs within Slack's limits, with nothing lost and nothing torn."""

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.text import Words, escape
from bot.slack.views.card_pages import PAGE_BLOCKS, page_of
from bot.slack.views.paragraphs import paragraphs
from bot.slack.views.parts import section

EN = Words(locale="en")


@given(st.lists(st.text("ab<>& \n", max_size=400), max_size=12))
def test_nothing_is_lost_and_no_entity_is_torn(lines: list[str]) -> None:
    escaped = [escape(line) for line in lines]

    found = paragraphs(escaped, limit=60)

    assert all(0 < len(part) <= 60 for part in found)
    assert "".join(found).replace("\n", "") == "".join(escaped).replace("\n", "")
    assert all(
        part.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").count("&") == 0 for part in found
    )


def test_short_lines_share_a_paragraph() -> None:
    assert paragraphs(["a", "b", "c"]) == ["a\nb\nc"]
    assert paragraphs([]) == []


def test_a_reference_stays_whole() -> None:
    moment = "<!date^1^{date}|then>"

    assert paragraphs([f"{'x' * 50}{moment}{'y' * 50}"], limit=60)[1].startswith(moment)


@given(st.integers(0, 2000), st.integers(1, 60))
def test_every_page_leads_to_others_and_holds_what_slack_takes(count: int, page: int) -> None:
    blocks = [section(str(n)) for n in range(count)]

    shown = page_of(blocks, EN, page=page, action="more", value="12")

    assert len(shown) <= PAGE_BLOCKS + 1
    if count > PAGE_BLOCKS:
        row = shown[-1]["elements"]
        assert 1 <= len(row) <= 25
        assert len({element["action_id"] for element in row}) == len(row)


def test_all_blocks_are_on_some_page() -> None:
    blocks = [section(str(n)) for n in range(130)]

    pages = [page_of(blocks, EN, page=n, action="more", value="12") for n in (1, 2, 3)]

    assert [block for page in pages for block in page[:-1]] == blocks
    assert page_of(blocks, EN, page=9, action="more", value="12") == pages[2]
