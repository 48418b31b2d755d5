"""A team's playbook in a drill: its people and its minutes, and nothing of it beyond one channel."""

from pathlib import Path

import pytest

from bot.adapters.playbook_file import read_playbook
from bot.domain.playbook import Playbook
from bot.drill.rehearsal import for_drill, write_playbook
from bot.sandbox.run import PLAYBOOK

ROOM = "C0DRILLS1"
TEAM = """
schema: 1
version: ours-7
based_on: phase4-canary
roles:
  lead: {users: [U024BE7LH], may: [roll_back, tell_users]}
channels: {incidents: "#alarm", watch: "#deployments"}
contacts:
  lead:
    {role: {en: Lead, ko: 리더}, name: Ana, user: U024BE7LH, channel: "#lead", within_minutes: 1, then: boss}
  boss: {role: {en: Boss, ko: 대표}, name: Bo, phone: "+82 2 1234 5678", within_minutes: 5}
backups: {command: [./newest-backup.sh], not_older_than_hours: 26}
targets:
  shop: {topology: revisions, project: real-project, region: us-central1, service: real-shop}
"""


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Playbook:
    """The team's playbook as the bot of a drill reads it."""
    folder: Path = tmp_path_factory.mktemp("playbooks")
    (folder / "team.yaml").write_text(TEAM, encoding="utf-8")
    team, simulated = read_playbook(folder / "team.yaml"), read_playbook(PLAYBOOK)
    write_playbook(for_drill(team, simulated=simulated, channel=ROOM), folder / "drill.yaml")
    return read_playbook(folder / "drill.yaml")


def test_nothing_of_the_teams_can_be_rolled_back_or_asked(rehearsed: Playbook) -> None:
    assert {target.service for target in rehearsed.targets.values()} == {"ion-api", "ion-chat"}
    assert {target.project for target in rehearsed.targets.values()} == {"ion-sandbox"}
    assert rehearsed.backups is None


def test_everything_is_said_in_one_channel(rehearsed: Playbook) -> None:
    notices = {channel for plan in rehearsed.notices.values() for channel in plan.channels}

    assert (rehearsed.channels.incidents, rehearsed.channels.watch) == (ROOM, ROOM)
    assert notices == {ROOM}
    assert {contact.channel for contact in rehearsed.contacts.values()} == {ROOM}


def test_there_is_no_number_to_telephone_and_nobody_is_passed_over(rehearsed: Playbook) -> None:
    assert [contact.phone for contact in rehearsed.contacts.values()] == [None, None]
    assert all(contact.reachable for contact in rehearsed.contacts.values())


def test_people_roles_and_minutes_are_the_teams_own(rehearsed: Playbook) -> None:
    assert list(rehearsed.contacts) == ["lead", "boss"]
    assert rehearsed.contacts["lead"].then == "boss"
    assert rehearsed.roles["lead"].users == ("U024BE7LH",)
    assert len(rehearsed.scenarios) == 5
    assert rehearsed.version == "drill: ours-7"
