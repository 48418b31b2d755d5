"""The texts for people: every template in both languages, with nothing known and with everything."""

import pytest

from bot.adapters.notice_texts import TemplateNotices
from bot.adapters.templates import template_names
from bot.domain.announcement import placeholders
from bot.domain.guide import NoticePlan
from bot.domain.rollback import RollbackState
from bot.slack.text import LOCALES
from bot.usecases.ports import BadTemplate
from tests.guide import the_guide
from tests.unit.slack.views.telling_views import PLAN, notice_facts
from tests.values import SENA, a_decided_rollback, an_incident

GUIDE = the_guide()
NOTICES = TemplateNotices()


def plan(template: str) -> NoticePlan:
    """Return a notice with this template."""
    return PLAN.model_copy(update={"template": template})


@pytest.mark.parametrize("notice", sorted(GUIDE.notices))
def test_every_notice_of_the_guide_can_be_filled_in(notice: str) -> None:
    NOTICES.try_all(GUIDE.notices[notice], GUIDE)


def test_every_template_exists_in_both_languages() -> None:
    names = template_names()

    assert names["en"] == names["ko"]
    assert {p.template for p in GUIDE.notices.values()} <= names["en"]


def test_a_template_that_is_missing_says_which() -> None:
    with pytest.raises(BadTemplate, match=r"en/nowhere\.md"):
        NOTICES.written(notice_facts(plan("nowhere.md")), "en")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_data_loss_notice_asks_people_for_the_compensation(locale: str) -> None:
    loss = GUIDE.scenario("data_loss")
    facts = notice_facts(plan("data_loss.md"), scenario=loss, incident=an_incident(scenario="data_loss"))

    text = NOTICES.written(facts, locale)

    left = " ".join(placeholders(text))
    assert ("Compensation" if locale == "en" else "보상 계획") in left
    # Two to four hours from half past noon, in Seoul: 23:30 to 01:30 of the next day.
    assert ("in 2–4 hours" if locale == "en" else "2~4시간 이내") in text
    assert "2026-03-02 23:30–2026-03-03 01:30, UTC+09:00" in text
    assert GUIDE.scenario("data_loss").recovery.note.in_(locale) in text  # type: ignore[union-attr]


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_called_done_that_was_not_seen_done(locale: str) -> None:
    verified = notice_facts(plan("rolled_back.md"), rollback=a_decided_rollback(RollbackState.VERIFIED))
    running = notice_facts(plan("rolled_back.md"), rollback=a_decided_rollback(RollbackState.NOT_VERIFIED))
    none = notice_facts(plan("rolled_back.md"), rollback=None)

    said = "that is verified" if locale == "en" else "이를 검증했습니다"
    assert said in NOTICES.written(verified, locale)
    assert placeholders(NOTICES.written(verified, locale)) == ()
    for facts in (running, none):
        assert said not in NOTICES.written(facts, locale)
        assert placeholders(NOTICES.written(facts, locale))


def test_what_people_wrote_cannot_look_like_something_to_fill_in_or_reorder_the_line() -> None:
    incident = an_incident(seen="[[x]] \u202eabc\n\nnew line " + "y" * 40_000, commander=SENA)

    text = NOTICES.written(notice_facts(incident=incident), "en")

    assert placeholders(text) == ()
    assert "\u202e" not in text
    assert "[ [x] ] abc new line" in text
    assert "(+39" in text
    assert "In command: Sena" in text


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_has_gaps_or_ends_in_blank_lines(locale: str) -> None:
    for notice in GUIDE.notices.values():
        for scenario in (None, *GUIDE.scenarios):
            text = NOTICES.written(notice_facts(notice, scenario=scenario), locale)
            assert "\n\n\n" not in text
            assert text == text.strip()
            assert len(text) < 3000
