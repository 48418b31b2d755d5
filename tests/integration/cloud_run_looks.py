"""How tests see what a write to Cloud Run comes to."""

import asyncio
from collections.abc import Callable

from bot.adapters.cloud_run import CloudRun
from bot.domain.playbook import Target
from bot.domain.traffic import TargetState
from tests.integration.patience import PATIENCE_SECONDS


async def until(cloud: CloudRun, target: Target, reached: Callable[[TargetState], bool]) -> TargetState:
    """Look again and again, and return the first state of a target that has `reached` what is meant."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            state = await cloud.look(target)
            if reached(state):
                return state
            await asyncio.sleep(0.02)
