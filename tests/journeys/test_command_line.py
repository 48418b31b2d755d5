"""``backout`` in a terminal: the same rollback, with the bot running or not, and with Slack down."""

import json
from pathlib import Path
from socket import socket

import pytest

from bot.sandbox.names import API_STABLE
from tests.journeys.rows import states
from tests.journeys.world import PLAYBOOK, Bot, World, backout, running_bot, texts

BY_HAND = "gcloud run services update-traffic ion-api"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An empty SQLite database."""
    return f"sqlite:///{tmp_path / 'backout.db'}"


async def test_with_the_bot_running_the_command_line_asks_and_the_bot_does_it(world: World, url: str) -> None:
    async with running_bot(world, url) as bot:
        ran = await backout(bot.environment(), "rollback", "canary", "--force", "--reason", "from a shell")
        record = await world.seen("C0CRITICAL", having="Deployment failure record")
        board = await world.seen("C0CRITICAL", having="incident.close")

    assert ran.code == 0
    assert "canary is rolled back and verified" in ran.said
    assert "Reason: from a shell" in ran.said
    assert "Traffic is 100 % stable: proven" in ran.said
    assert "(command line)" in texts(board)
    assert "INC-1" in texts(record)
    assert len(world.cloud.updates) == 1


async def test_without_the_bot_the_command_line_asks_at_its_prompt_and_does_it_itself(
    world: World, url: str
) -> None:
    bot = Bot(world=world, database_url=url)

    ran = await backout(bot.environment(), "rollback", "canary", typed="y\ny\n")
    record = await world.seen("C0CRITICAL", having="Deployment failure record")

    assert ran.code == 0
    assert "Roll back?" in ran.said
    assert "canary is rolled back and verified" in ran.said
    assert "INC-1" in texts(record)
    assert len(world.cloud.updates) == 1


async def test_a_no_at_the_prompt_changes_nothing(world: World, url: str) -> None:
    bot = Bot(world=world, database_url=url)

    ran = await backout(bot.environment(), "rollback", "canary", typed="n\n")

    assert ran.code == 1
    assert "Nothing was changed." in ran.said
    assert states(url) == ["cancelled"]
    assert world.cloud.updates == []


async def test_without_a_slack_token_it_works_says_that_slack_was_not_told_and_the_bot_tells_later(
    world: World, url: str
) -> None:
    bot = Bot(world=world, database_url=url, extra={"SLACK_BOT_TOKEN": ""})

    ran = await backout(bot.environment(), "rollback", "canary", "--force")
    told_meanwhile = world.slack.messages("C0CRITICAL")
    async with running_bot(world, url):
        record = await world.seen("C0CRITICAL", having="Deployment failure record")

    assert ran.code == 0
    assert "canary is rolled back and verified" in ran.said
    assert "Slack has not been told yet" in ran.said
    assert told_meanwhile == []
    assert "verified" in texts(record)
    assert len(world.cloud.updates) == 1


async def test_with_slack_out_of_reach_it_works_and_says_that_slack_was_not_told(
    world: World, url: str, silent_port: socket
) -> None:
    nobody = f"http://127.0.0.1:{silent_port.getsockname()[1]}/api/"
    bot = Bot(world=world, database_url=url, extra={"SLACK_API_URL": nobody})

    ran = await backout(bot.environment(), "rollback", "canary", "--force")

    assert ran.code == 0
    assert "canary is rolled back and verified" in ran.said
    assert "Slack has not been told yet" in ran.said
    assert len(world.cloud.updates) == 1


async def test_without_its_database_it_prints_the_line_by_hand_and_says_that_nothing_was_recorded(
    world: World, silent_port: socket
) -> None:
    gone = f"postgresql://nobody@127.0.0.1:{silent_port.getsockname()[1]}/gone"
    bot = Bot(world=world, database_url=gone)

    ran = await backout(bot.environment(), "rollback", "canary", "--force")

    assert ran.code == 5
    assert "The database cannot be reached" in ran.said
    assert "Nothing was recorded and nothing was done." in ran.said
    assert f"By hand: {BY_HAND}" in ran.said
    assert "Traceback" not in ran.complained
    assert world.cloud.updates == []


async def test_status_tells_how_the_canary_stands(world: World, url: str) -> None:
    bot = Bot(world=world, database_url=url)

    ran = await backout(bot.environment(), "status")

    assert ran.code == 0
    assert f"90 % → {API_STABLE} (stable)" in ran.said
    assert "No open incident." in ran.said


async def test_metrics_and_a_probe_of_both_sides_are_shown_without_the_bot(world: World, url: str) -> None:
    environment = Bot(world=world, database_url=url).environment()

    metrics = await backout(environment, "metrics")
    probed = await backout(environment, "probe", "3", "0", "--json")

    assert (metrics.code, probed.code) == (0, 0)
    assert "Error rate" in metrics.said
    assert "Read at" in metrics.said
    assert {(side["side"], side["sent"]) for side in json.loads(probed.said)["probes"]} == {
        ("canary", 3),
        ("stable", 3),
    }


async def test_a_probe_that_cannot_be_is_answered_with_what_to_write(world: World, url: str) -> None:
    ran = await backout(Bot(world=world, database_url=url).environment(), "probe", "20", "requests")

    assert ran.code == 2
    assert "/canary probe 20 100 canary" in ran.said


async def test_status_without_its_database_still_says_what_is_wrong_in_words(
    world: World, silent_port: socket
) -> None:
    gone = f"postgresql://nobody@127.0.0.1:{silent_port.getsockname()[1]}/gone"
    bot = Bot(world=world, database_url=gone)

    ran = await backout(bot.environment(), "status")

    assert ran.code != 0
    assert "database cannot be reached" in ran.said + ran.complained
    assert "Traceback" not in ran.complained


@pytest.mark.parametrize(("verb", "near"), [("rollback", "/rollback canary"), ("status", "canary")])
async def test_an_unknown_target_is_answered_with_the_nearest_one(
    world: World, url: str, verb: str, near: str
) -> None:
    bot = Bot(world=world, database_url=url)

    ran = await backout(bot.environment(), verb, "canry")

    assert ran.code == 2
    assert "There is no target canry" in ran.said
    assert near in ran.said


async def test_missing_settings_stop_the_bot_at_start_with_a_line_for_each(world: World, url: str) -> None:
    missing = {"SLACK_BOT_TOKEN": "", "SLACK_SIGNING_SECRET": " "}
    bot = Bot(world=world, database_url=url, extra=missing)

    ran = await backout(bot.environment(), "serve")

    assert ran.code == 2
    lines = ran.complained.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"]
    assert "write xoxb-" in lines[0]


async def test_wrong_settings_stop_the_bot_at_start_with_a_line_and_an_example_for_each(
    world: World, url: str
) -> None:
    wrong = {
        "SLACK_BOT_TOKEN": "xapp-1-secret",
        "SLACK_API_URL": "http://slack.example/api/",
        "DATABASE_URL": "mysql://root:hunter2@host/db",
        "CLOUD_RUN_ENDPOINT": "http://10.0.0.1:80",
        "BACKOUT_LOCALE": "fr",
        "PORT": "99999",
    }
    bot = Bot(world=world, database_url=url, extra=wrong)

    ran = await backout(bot.environment(), "serve")

    assert ran.code == 2
    lines = ran.complained.splitlines()[1:]
    assert {line.split(":")[0].strip() for line in lines} == set(wrong)
    assert all("write for example" in line for line in lines)
    assert "secret" not in ran.complained
    assert "hunter2" not in ran.complained


async def test_a_playbook_that_is_not_there_stops_the_bot_at_start(world: World, url: str) -> None:
    bot = Bot(world=world, database_url=url, playbook=Path("nowhere.yaml"))

    ran = await backout(bot.environment(), "serve")

    assert ran.code == 2
    assert "nowhere.yaml:1: the file cannot be read" in ran.complained


async def test_playbook_check_says_what_is_wrong_with_file_and_line(world: World, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    text = PLAYBOOK.read_text(encoding="utf-8").replace("topology: services", "topology: service")
    bad.write_text(text, encoding="utf-8")
    line = text[: text.index("topology: service\n")].count("\n") + 1
    environment = Bot(world=world, database_url="").environment()

    good = await backout(environment, "playbook", "check", str(PLAYBOOK))
    refused = await backout(environment, "playbook", "check", str(bad))

    assert (good.code, refused.code) == (0, 1)
    assert "version journeys-1, 2 target(s), no faults." in good.said
    assert f"bad.yaml:{line}: targets.chat.topology: write" in refused.said
