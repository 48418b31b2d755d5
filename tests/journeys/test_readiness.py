"""Is the team ready? The guide's ten points, checked for real where a machine can, in Slack and a shell."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from bot.domain.confirmation import Confirmation
from tests.journeys.stored import stored
from tests.journeys.world import PLAYBOOK, Bot, World, backout, running_bot, texts, until

#: A contact for every slot, a backup of this very second, and a team of two.
COMPLETE = f"""
schema: 1
version: ready-1
based_on: phase4-canary
roles:
  lead: {{users: [U0SENA], groups: [S0DEVOPS], may: [roll_back]}}
contacts:
  manager:
    role: {{en: Manager, ko: 매니저}}
    name: Mina
    user: U0MANAGER
    channel: "#operations"
    phone: "+82 2 1234 5678"
    within_minutes: 5
backups:
  command: [{sys.executable}, -c, "import datetime; print(datetime.datetime.now(datetime.timezone.utc))"]
verification: {{probe_pause_ms: 10}}
targets:
  canary: {{topology: revisions, project: ion-sandbox, region: us-central1, service: ion-api}}
"""


async def readiness(world: World, user: str, target: str = "") -> str:
    """Ask in Slack and return what the asker, and nobody else, sees."""
    before = len(world.slack.messages("C0OPERATIONS", user=user))
    await world.slack.slash(user, "C0OPERATIONS", f"/canary ready {target}")

    def answer() -> str | None:
        messages = world.slack.messages("C0OPERATIONS", user=user)[before:]
        return next((texts(m) for m in messages if "header" in str(m.get("blocks"))), None)

    return await until(answer, what="the answer")


def points(world: World, user: str) -> dict[str, Any]:
    """Return the newest answer with points to confirm: other lines for this person may stand below it."""
    seen = world.slack.messages("C0OPERATIONS", user=user)
    return next(message for message in reversed(seen) if "accessory" in str(message))


def point(said: str, title: str) -> str:
    """Return what is said about one point."""
    lines = said.splitlines()
    start = next(n for n, line in enumerate(lines) if title in line)
    end = next((n for n in range(start + 1, len(lines)) if not lines[n].startswith("•")), len(lines))
    return "\n".join(lines[start:end])


async def test_every_point_is_answered_with_evidence_or_with_what_is_missing(
    standing_bot: Bot, world: World
) -> None:
    said = await readiness(world, "U0LUBIT")

    works = point(said, "The rollback (once")
    assert "ready" in works
    assert "(dry run, nothing changed)" in works
    assert "5 of 5 requests" in works
    assert "ion-api-00042-lee" in works
    assert "may read and update" in point(said, "GCP permissions")
    assert "Cloud Logging was read just now" in point(said, "Access to Cloud Logging")
    contacts = point(said, "Emergency contacts")
    assert "not ready" in contacts
    assert "*Manager*: [TBD]" in contacts
    assert "`contacts.manager`" in contacts
    assert "Filled in with samples" in point(said, "Communication templates")
    assert "#status" in point(said, "User-notice templates")
    assert "to be confirmed" in point(said, "Backups exist")
    assert "<@U0GITCO>" in point(said, "The team has read this guide")
    assert world.cloud.updates == []


async def test_what_is_missing_is_never_green(standing_bot: Bot, world: World) -> None:
    world.cloud.behaviour.granted_permissions = frozenset({"run.services.get"})
    try:
        said = await readiness(world, "U0LUBIT")
    finally:
        world.cloud.reset()

    assert "`run.services.update`" in point(said, "GCP permissions")
    assert "not ready" in point(said, "GCP permissions")
    assert "not ready" in point(said, "The rollback (once")


async def test_a_point_is_confirmed_by_a_person_for_a_while(standing_bot: Bot, world: World) -> None:
    assert "Nobody has confirmed it yet." in point(await readiness(world, "U0GITCO"), "post-mortem room")
    message = points(world, "U0GITCO")
    section = next(b for b in message["blocks"] if "post-mortem room" in texts({"blocks": [b]}))

    await world.slack.click(
        "U0GITCO", "C0OPERATIONS", message["ts"], "readiness.confirm", block_id=section["block_id"]
    )

    await until(lambda: stored(standing_bot.database_url, Confirmation, point="post_mortem_room"), what="it")
    assert "Confirmed by <@U0GITCO>" in point(await readiness(world, "U0LUBIT"), "post-mortem room")


async def test_who_has_read_the_guide_is_listed(standing_bot: Bot, world: World) -> None:
    await readiness(world, "U0SENA")
    message = points(world, "U0SENA")
    section = next(b for b in message["blocks"] if b.get("accessory", {}).get("value") == "guide_read")
    await world.slack.click(
        "U0SENA", "C0OPERATIONS", message["ts"], "readiness.confirm", block_id=section["block_id"]
    )
    await until(lambda: stored(standing_bot.database_url, Confirmation, point="guide_read"), what="it")

    said = point(await readiness(world, "U0LUBIT"), "The team has read this guide")

    assert "Have read it: <@U0SENA>" in said
    assert "Have not said so yet" in said
    assert "to be confirmed" in said


async def test_guests_and_outsiders_learn_nothing(standing_bot: Bot, world: World) -> None:
    await world.slack.slash("U0GUEST", "C0CRITICAL", "/canary ready")

    def refused() -> bool:
        seen = world.slack.messages("C0CRITICAL", user="U0GUEST")
        return any("Nothing was done" in texts(m) for m in seen)

    await until(refused, what="the refusal")


@pytest_asyncio.fixture(loop_scope="session")
async def complete(world: World, tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot whose playbook leaves nothing out."""
    playbook = tmp_path / "playbook.yaml"
    playbook.write_text(COMPLETE, encoding="utf-8")
    async with running_bot(world, f"sqlite:///{tmp_path / 'backout.db'}", playbook=playbook) as bot:
        yield bot


async def test_the_shell_says_the_same_and_exits_0_only_when_every_point_is_ready(
    complete: Bot, world: World
) -> None:
    ran = await backout(complete.environment(), "ready")
    assert ran.code == 1, ran.said + ran.complained
    assert "Backups exist and can be reached: ● ready" in ran.said

    await readiness(world, "U0SENA")
    message = points(world, "U0SENA")
    for block in message["blocks"]:
        if "accessory" in block:
            value = block["accessory"]["value"]
            for user in ("U0SENA", "U0LUBIT", "U0MANAGER") if value == "guide_read" else ("U0SENA",):
                await confirm(complete, world, user, value)

    ran = await backout(complete.environment(), "ready")
    assert ran.code == 0, ran.said + ran.complained
    assert "points are ready." in ran.said


async def confirm(bot: Bot, world: World, user: str, value: str) -> None:
    """Let somebody ask and confirm one point."""
    await readiness(world, user)
    message = points(world, user)
    section = next(b for b in message["blocks"] if b.get("accessory", {}).get("value") == value)
    await world.slack.click(
        user, "C0OPERATIONS", message["ts"], "readiness.confirm", block_id=section["block_id"]
    )
    await until(lambda: stored(bot.database_url, Confirmation, point=value, by=user), what=value)


async def test_a_wrong_target_is_named_in_the_shell(tmp_path: Path, world: World) -> None:
    bot = Bot(world=world, database_url=f"sqlite:///{tmp_path / 'backout.db'}", playbook=PLAYBOOK)

    ran = await backout(bot.environment(), "ready", "canry")

    assert ran.code == 2
    assert "canary" in ran.said
