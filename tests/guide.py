"""The guide as the sandbox ships it, and incidents in each of its scenarios."""

from functools import cache
from pathlib import Path
from typing import Any

import bot
from bot.adapters.playbook_file import read_playbook
from bot.domain.guide import Scenario
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook
from tests.values import NOON, an_incident

SCENARIOS = ("error_rate", "response_time", "memory", "data_loss", "service_down")


@cache
def the_guide() -> Playbook:
    """Return the built-in playbook, with the sandbox's people and targets."""
    return read_playbook(Path(bot.__file__).parent / "sandbox" / "playbook.yaml")


def a_scenario(key: str) -> Scenario:
    """Return one of the guide's five."""
    found = the_guide().scenario(key)
    assert found is not None
    return found


def in_scenario(key: str, **more: Any) -> Incident:
    """Return open incident 12, in that scenario since noon."""
    return an_incident(**({"scenario": key, "scenario_at": NOON, "playbook_version": "sandbox-1"} | more))
