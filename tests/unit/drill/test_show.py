"""``backout drill``: what can be drilled, and what is refused before anything is started."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.adapters.database.engine import Database, database_url
from bot.adapters.database.store import SqlStore
from bot.adapters.playbook_file import DEFAULT, read_playbook
from bot.cli import app
from bot.domain.drill import Milestone, scoreboard
from bot.drill.past import PastDrills
from bot.drill.refused import NotForDrills, NotSafe
from bot.drill.show import is_done
from bot.drill.way_in import alone_on_the_way_in, others_connected
from bot.settings import Settings
from tests.drills import FAST, a_drill
from tests.values import an_incident


def backout(*words: str) -> Result:
    return CliRunner().invoke(app, ["drill", *words])


def test_without_a_scenario_they_are_listed_in_both_languages() -> None:
    ran = backout()

    assert ran.exit_code == 0
    assert [line.split()[:2] for line in ran.output.splitlines()] == [
        ["1", "error_rate"],
        ["2", "response_time"],
        ["3", "memory"],
        ["4", "data_loss"],
        ["5", "service_down"],
    ]
    assert "Memory explosion · 메모리 폭발" in ran.output


@pytest.mark.parametrize(
    "words",
    [("6",), ("earthquake",), ("3", "--target", "router"), ("3", "--headless", "--channel", "C0DRILLS")],
)
def test_what_cannot_be_drilled_is_a_mistake_in_the_command(words: tuple[str, ...]) -> None:
    assert backout(*words).exit_code == 2


def test_a_drill_was_done_when_it_was_verified_and_nothing_asked_for_is_missing() -> None:
    guide = read_playbook(DEFAULT)
    late = {**FAST, Milestone.RECORD_COMPLETE: 3000}
    unverified: dict[Milestone, float] = {
        key: took for key, took in FAST.items() if key is not Milestone.VERIFIED
    }

    assert is_done(scoreboard(a_drill(reached=FAST), (), guide))
    assert is_done(scoreboard(a_drill(reached=late), (), guide))
    assert not is_done(scoreboard(a_drill(reached=unverified), (), guide))
    assert not is_done(scoreboard(a_drill(scenario="data_loss", reached=FAST), (), guide))


async def test_in_a_real_slack_nobody_drills_where_requests_come_over_http() -> None:
    settings = Settings.model_validate({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "0" * 32})

    with pytest.raises(NotSafe, match="SLACK_APP_TOKEN"):
        await alone_on_the_way_in(settings)


def test_slack_says_how_many_others_are_connected_or_nothing_is_known_of_them() -> None:
    assert others_connected({"type": "hello", "num_connections": 1}) == 0
    assert others_connected({"type": "hello", "num_connections": 3}) == 2
    with pytest.raises(NotSafe, match="too_many_websockets"):
        others_connected({"type": "disconnect", "reason": "too_many_websockets"})


async def test_drills_are_kept_for_the_next_one_but_not_among_real_incidents_unasked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/drills.db"
    drill = a_drill(reached=FAST, incident=12)
    assert await PastDrills(url).all() == ()
    assert not (tmp_path / "drills.db").exists(), "looking alone has made a file"

    await PastDrills(url).add(drill)
    (kept,) = await PastDrills(url).all()
    database = Database(database_url(url))
    await SqlStore(database, lambda *_: None).change(lambda tx: tx.add_incident(an_incident()))
    database.close()

    assert (kept.id, kept.reached, kept.incident) == (drill.id, drill.reached, None)
    with pytest.raises(NotForDrills, match="incidents of a bot"):
        await PastDrills(url).all()
