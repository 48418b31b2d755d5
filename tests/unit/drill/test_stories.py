"""The five stories: one for each scenario of the guide, told by people who are there."""

import pytest
from pydantic import ValidationError

from bot.adapters.playbook_file import DEFAULT, read_playbook
from bot.domain.drill import Milestone
from bot.drill.story import Line, Story, stories
from bot.sandbox.cloud import Fault
from bot.sandbox.names import CHANNELS, PEOPLE
from bot.sandbox.slack.people import is_member

#: Whom people act as: a story must not speak in their place.
PLAYERS = {"sena", "lubit"}


def lines() -> list[Line]:
    return [line for story in stories().values() for line in (*story.before, *story.lines)]


def test_every_scenario_of_the_guide_has_its_story_and_its_failure() -> None:
    guide = read_playbook(DEFAULT)

    assert {key: story.fault for key, story in stories().items()} == {
        "error_rate": Fault.ERRORS,
        "response_time": Fault.SLOW,
        "memory": Fault.LEAK,
        "data_loss": Fault.LOST,
        "service_down": Fault.DOWN,
    }
    assert set(stories()) == {scenario.key for scenario in guide.scenarios}


def test_everybody_speaks_where_they_are_members_and_nobody_for_the_players() -> None:
    ids = {person.name: person.id for person in PEOPLE}
    channels = {channel.name: channel.id for channel in CHANNELS}

    assert all(is_member(ids[line.who], channels[line.where]) for line in lines())
    assert not PLAYERS & {line.who for line in lines()}


def test_complaints_end_when_what_they_are_about_is_over() -> None:
    later = [line for story in stories().values() for line in story.lines if line.after is None]

    assert all(line.until is not None for line in later)


@pytest.mark.parametrize("story", stories().values(), ids=lambda story: story.scenario)
def test_a_story_is_told_in_order_and_reports_the_failure_within_half_a_minute(story: Story) -> None:
    times = [line.at for line in story.lines if line.after is None]
    reports = [line for line in story.lines if line.who in ("lemun", "manager") and line.after is None]

    assert times == sorted(times)
    assert min(line.at for line in reports) <= 30
    assert reports[0].until is Milestone.ROLLED_BACK


def test_a_stranger_cannot_speak() -> None:
    told = stories()["memory"].model_dump()
    told["before"][0]["who"] = "nobody"

    with pytest.raises(ValidationError, match="nobody in the sandbox is called nobody"):
        Story.model_validate(told)
