"""The guide's five scenarios, line by line, clicking what a person would click."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bot.sandbox.cloud import Fault
from tests.journeys.incidents import board_of, declare, logged, opened, told
from tests.journeys.world import Bot, World, running_bot, texts, until

CRITICAL = "C0CRITICAL"
SENA, LUBIT, GITCO, LEMUN = "U0SENA", "U0LUBIT", "U0GITCO", "U0LEMUN"


@pytest_asyncio.fixture(loop_scope="session")
async def bot(world: World, database_url: str) -> AsyncIterator[Bot]:
    """A bot with nothing behind it."""
    async with running_bot(world, database_url) as running:
        yield running


#: Each runs on one database: the scenarios take long, and races have tests of their own.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def controls(message: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return everything that can be pressed, by its action id."""
    found = {}
    for block in message.get("blocks") or []:
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if "action_id" in element:
                found[str(element["action_id"])] = element
    return found


class Card:
    """The scenario's card of INC-1, as people see it and press it."""

    def __init__(self, world: World) -> None:
        self.world = world

    def message(self) -> dict[str, Any] | None:
        """Return it as it stands now."""
        for message in self.world.slack.messages(CRITICAL):
            key = ((message.get("metadata") or {}).get("event_payload") or {}).get("key")
            if key == "diagnosis:1":
                return dict(message)
        return None

    async def shows(self, *having: str) -> str:
        """Wait until all of this stands on it, and return what it says."""
        for wanted in having:

            def look(wanted: str = wanted) -> str | None:
                text = texts(self.message() or {})
                return text if wanted in text else None

            await until(look, what=f"{wanted!r} on the card:\n{texts(self.message() or {})}")
        return texts(self.message() or {})

    async def press(self, user: str, action: str, selected: str | None = None) -> None:
        """Press a button, or choose in a menu, as soon as it is there."""

        def look() -> dict[str, Any] | None:
            message = self.message()
            return message if message and action in controls(message) else None

        message = await until(look, what=f"{action} on the card:\n{sorted(controls(self.message() or {}))}")
        await self.world.slack.click(user, CRITICAL, message["ts"], action, selected=selected)

    async def finding(self, title: str, *having: str) -> str:
        """Wait for what a look found, under the board, and return it."""
        board = await board_of(self.world, 1)

        def look() -> str | None:
            for message in self.world.slack.messages(CRITICAL, thread_ts=board["ts"])[::-1]:
                key = str(((message.get("metadata") or {}).get("event_payload") or {}).get("key"))
                if key.startswith("finding:") and title in texts(message):
                    return texts(message)
            return None

        text = await until(look, what=f"a finding {title!r}")
        for wanted in having:
            assert wanted in text, text
        return text


async def in_scenario(world: World, scenario: str, target: str = "canary") -> Card:
    """Declare an incident in a scenario and return its card."""
    await declare(world, LEMUN, "Something is wrong", scenario=scenario, target=target)
    card = Card(world)
    await card.shows("Expected recovery")
    return card


async def rolled_back(world: World) -> str:
    """Wait for the proof, and return what the rollback's message says."""

    def look() -> str | None:
        for message in world.slack.messages(CRITICAL):
            key = str(((message.get("metadata") or {}).get("event_payload") or {}).get("key"))
            if key.startswith("rollback:") and "is rolled back and verified" in texts(message):
                return texts(message)
        return None

    return await until(look, what="the verdict")


@ON_SQLITE
async def test_1_the_error_rate_jumps_right_after_the_deployment(bot: Bot, world: World) -> None:
    await world.make_the_canary_fail()
    card = await in_scenario(world, "error_rate")
    await card.shows(
        "Error rate: 0 % → 5 % (jump!)",
        "A bug in the new code; API incompatibility",
        "Typically seen 5 minutes after the deployment (the guide's example: 14:05)",
        "Step 1: automatic detection",
        ":robot_face: 1. *Automatic detection and rollback* (automatic)",
        "Three times in a row triggers an automatic rollback",
        "Step 2: by hand, should the automatic rollback fail",
        "Do it at once (&lt; 30 seconds)",
        "Expected recovery: 2–3 minutes, counted from the rollback.",
        "Analyse the error logs (Cloud Logging)",
        "Postpone the next deployment",
    )

    # What the monitoring sees: above 1 %, once.
    await card.press(GITCO, "diagnosis.look#action:detect")
    seen = await card.finding(
        "Automatic detection and rollback", "Error rate, canary", "requests, request log"
    )
    assert re.search(r"red · Error rate, canary: \*\d+\.\d\d %\*", seen), seen
    await card.shows("Error rate &gt; 1 % (once) → *Caution*: *Watch more closely*")

    # By hand: the ordinary rollback with its question, in which the same rule stands.
    await card.press(SENA, "diagnosis.roll_back#action:roll_back")
    question = await world.seen(CRITICAL, having="rollback.go")
    assert "Reason: Error rate jumps right after the deployment" in texts(question)
    assert "Error rate &gt; 1 % (once) → *Caution*" in texts(question)
    await world.slack.click(SENA, CRITICAL, question["ts"], "rollback.go")
    await rolled_back(world)
    await card.shows(":white_check_mark: Recovered after ")

    await card.press(LUBIT, "diagnosis.look#action:status")
    await card.finding("Check the status", "100 % → `ion-api-00041-kim`", "Open incident: *INC-1*")


@ON_POSTGRESQL
async def test_2_the_response_time_jumps(bot: Bot, world: World) -> None:
    world.cloud.set_fault("ion-api", Fault.SLOW, True)
    card = await in_scenario(world, "response_time")
    await card.shows(
        "P95 response time: 150 ms → 800 ms (jump!)",
        "Performance of the recommendation engine; A database bottleneck",
        ":question: *Q1* *Are all endpoints slow?*",
        "Add performance tests (worst case per new feature)",
        "Review the time-outs of external APIs",
    )

    # The questions, one at a time; the first answer is revised.
    await card.press(LEMUN, "diagnosis.answer#yes")
    await card.shows("Infrastructure (memory/CPU/network)", ":question: *Q2* *Are memory and CPU normal?*")
    await card.press(GITCO, "diagnosis.revise#all_endpoints", selected="1:all_endpoints:no:yes:")
    await card.shows("One feature (recommendation engine)")
    await card.press(LEMUN, "diagnosis.answer#no")
    await card.shows(
        ":dart: Diagnosis: One feature (recommendation engine); Autoscaling, or add resources",
        "The answers suggest: *Probe that endpoint; Add resources*",
    )
    board = await board_of(world, 1)
    await logged(world, board, having="<@U0GITCO> changed the answer to “Are all endpoints slow?”: now *No*")

    # The immediate actions in order.
    await card.press(LEMUN, "diagnosis.look#action:metrics")
    await card.finding(
        "Look at the current metrics", "P95 response time, canary", "Memory, canary", "CPU, stable"
    )
    await card.press(LEMUN, "diagnosis.look#action:slow_requests")
    await card.finding(
        "Find slow requests in Cloud Logging", "WARNING `slow request: /api/", "latency_ms=", "ion-api-00042",
        "gcloud logging read '(resource.type=cloud_run_revision AND jsonPayload.latency_ms &gt; 500)",
        "--limit=10",
    )  # fmt: skip
    await card.shows(
        "Response time of each API endpoint",
        "Performance of database queries",
        "Time of calls to external APIs",
    )
    await card.press(GITCO, "diagnosis.step#action.find_where")
    await card.shows("done by <@U0GITCO>")
    await card.press(LEMUN, "diagnosis.look#action:probe_endpoint")
    await card.finding(
        "Probe that endpoint", "*canary*: 20 of 20 answered well (100 %)", "of 20 answered well", "P95",
        "The canary's P95 is ", "100 ms apart, 30 s time-out each",
    )  # fmt: skip

    # The table A to D, and D with its kind warning.
    await card.shows(
        "*A: Roll back* :star: recommended\nTime: 2 min · Risk: low · Result: Normal at once",
        "*B: Reduce the canary's traffic*\nTime: 1 min · Risk: low · Result: Partly better",
        "Time: 5 min · Risk: medium · Result: May get better",
        "*D: Debug, then hotfix*\nTime: 30 min or more · Risk: high · Result: Dangerous",
    )
    await card.press(GITCO, "diagnosis.option#option:hotfix")
    await told(world, GITCO, ":warning:", channel=CRITICAL)
    await logged(world, board, having="<@U0GITCO> chose D: *Debug, then hotfix*")
    await card.press(SENA, "change.reduce_traffic")
    await opened(world, SENA)
    await card.press(LUBIT, "change.add_resources")
    await opened(world, LUBIT)

    # A: roll back.
    await card.press(SENA, "diagnosis.roll_back#option:roll_back")
    question = await world.seen(CRITICAL, having="Reason: Response time jumps")
    await until(
        lambda: (
            "rollback.go" in controls(world.message(CRITICAL, having="Reason: Response time jumps") or {})
        ),
        what="the rollback's button",
    )
    await world.slack.click(SENA, CRITICAL, question["ts"], "rollback.go")
    again = await world.seen(CRITICAL, having="Reason: Response time jumps")
    if "looks healthy" in texts(again):
        # These machines are slow, so the journeys' playbook calls 800 ms healthy: asked once more.
        await until(
            lambda: "Yes, roll back" in str(world.message(CRITICAL, having="rollback.go") or ""),
            what="asked again",
        )
        await world.slack.click(SENA, CRITICAL, question["ts"], "rollback.go")
    await rolled_back(world)


@ON_SQLITE
async def test_3_memory_explodes(bot: Bot, world: World) -> None:
    card = await in_scenario(world, "memory")
    await card.shows(
        ":rotating_light: *This is a very serious problem.*",
        "Memory: 60 % → 95 % → 99 % (still rising)",
        "A memory leak; Accumulating session data",
        "Memory explosion → *Crisis*: *Roll back at once*",
        "A memory explosion threatens an outage",
        "Download a memory profile from GCP Cloud Profiler",
        "Expected recovery: 2–5 minutes",
        "Review the session store (Redis capacity)",
        "Extend load tests (at least 24 hours)",
    )
    await card.press(LEMUN, "diagnosis.answer#yes")
    await card.shows("The application leaks memory", "*Q2* *Since when has memory been growing?*")
    await card.press(LEMUN, "diagnosis.answer#after_deployment")
    await card.shows("Almost certainly the new code", "The answers suggest: *Emergency rollback (Force)*")
    dump = controls(card.message() or {})["link.open#action:memory_dump"]
    assert dump["url"].startswith("https://console.cloud.google.com/profiler/")

    # Whoever may not roll back may answer and look, and is refused here.
    await card.press(LEMUN, "diagnosis.roll_back#action:emergency_rollback")
    await told(world, LEMUN, ":no_entry:", channel=CRITICAL)
    assert world.cloud.updates == []

    await card.press(LUBIT, "diagnosis.roll_back#action:emergency_rollback")
    verdict = await rolled_back(world)
    assert "Forced: health was not asked about" in verdict
    assert "Memory explosion" in verdict
    assert len(world.cloud.updates) == 1
    await card.press(LEMUN, "diagnosis.look#action:status")
    await card.finding("Check the status", "100 % → `ion-api-00041-kim`")


@ON_POSTGRESQL
async def test_4_data_is_lost(bot: Bot, world: World) -> None:
    card = await in_scenario(world, "data_loss")
    board = await board_of(world, 1)
    await card.shows(
        ":rotating_light: *This is a CRITICAL situation, never to be ignored!*",
        'A user reports: "My conversation history is gone"',
        "A bug in a database migration; Faulty session deletion",
        "Data loss → *Crisis*: *Roll back at once, and recover*",
        "`00:00` *Roll back at once (Force)*",
        "`01:00` *Start data recovery*",
        "`02:00` *Tell users*",
        "`04:00` *Confirm complete recovery*",
        "Expected recovery: 2–4 hours (Depends on the size of the backup)",
    )

    # 00:00, but first: does a migration make the old code unsafe?
    await card.press(SENA, "diagnosis.roll_back#clock:roll_back")
    modal = await opened(world, SENA, title="Before a rollback")
    assert "database migration" in str(modal["blocks"])
    await world.slack.submit(SENA, modal["id"], {"diagnosis.safety": "not_known"})
    await told(world, SENA, ":raised_hand:", channel=CRITICAL)
    await logged(world, board, having="make the old code unsafe?”: *Not known*")
    assert world.cloud.updates == []
    await card.shows("Ask the backend engineer now")
    await card.press(GITCO, "diagnosis.revise#migration", selected="1:migration:yes:not_known:")
    await card.shows("The old code could damage the data further")
    button = controls(card.message() or {})["diagnosis.roll_back#clock:roll_back"]
    assert (button["text"]["text"], button["confirm"]["style"]) == ("Roll back all the same", "danger")
    await card.press(SENA, "diagnosis.roll_back#clock:roll_back")
    await rolled_back(world)
    await card.shows(":white_check_mark: `00:00` *Roll back at once (Force)*")

    # 01:00 and 02:00, each with its sub-steps.
    for step in ("restore.restore_backup", "restore.review_transactions"):
        await card.press(GITCO, f"diagnosis.step#clock.{step}")
    await card.shows(":white_check_mark: `01:00` *Start data recovery*")
    await card.press(SENA, "tell.open")
    await opened(world, SENA)
    for step in ("tell_users.announce", "tell_users.say_when", "tell_users.plan_compensation"):
        await card.press(SENA, f"diagnosis.step#clock.{step}")
    await card.shows(":white_check_mark: `02:00` *Tell users*")

    # 04:00: the incident stays open until integrity is confirmed, also when that is taken back.
    await card.press(GITCO, "diagnosis.step#clock.confirm.verify_integrity")
    await card.press(GITCO, "diagnosis.step#clock.confirm.check_users")
    await card.shows(":white_check_mark: `04:00` *Confirm complete recovery*", "Recovered after")
    await card.press(LEMUN, "diagnosis.step#clock.confirm.check_users")
    await card.shows("taken back by <@U0LEMUN>", "The incident cannot be closed before this is done.")
    refusal = await asked_to_close(world)
    assert "영향받은 사용자 개별 확인" in str(refusal["blocks"]), "Sena reads Korean"
    assert "submit" not in refusal or refusal["submit"] is None
    await card.press(GITCO, "diagnosis.step#clock.confirm.check_users")
    await card.shows(":white_check_mark: `04:00` *Confirm complete recovery*")
    modal = await asked_to_close(world)
    await world.slack.submit(SENA, modal["id"], {})
    await board_of(world, 1, having="Closed")
    await until(lambda: controls(card.message() or {}) == {} or None, what="a card without controls")


async def asked_to_close(world: World) -> dict[str, Any]:
    """Press *Close the incident* on its board and return the modal that opens."""
    board = await board_of(world, 1)
    before = {view["id"] for view in world.slack.views(SENA)}
    await world.slack.click(SENA, CRITICAL, board["ts"], "incident.close")

    def look() -> dict[str, Any] | None:
        return next((view for view in world.slack.views(SENA) if view["id"] not in before), None)

    return await until(look, what="the closing modal")


@ON_SQLITE
async def test_5_the_canary_service_is_down(bot: Bot, world: World) -> None:
    world.bring_users("chat")
    world.cloud.set_fault("ion-chat-canary", Fault.DOWN, True)
    await until(lambda: 503 in {status for _, status in world.cloud.answers("ion-chat-router")})
    card = await in_scenario(world, "service_down", target="chat")
    await card.shows(
        'State: "canary service does not respond"',
        "The service crashed; An error in the deployment script; A GCP problem",
        "Service down → *Crisis*: *Roll back at once*",
        "Roll back (Force) or redeploy",
        "Is traffic redirected to legacy by itself?",
        "Expected recovery: 1–2 minutes (May recover by itself)",
    )
    await card.press(LEMUN, "diagnosis.look#action:describe")
    await card.finding(
        "Check the state of the service", "*ion-chat-canary*", "Generation", "Image: `ion-chat:18`",
        "Limits: ", "gcloud run services describe ion-chat-canary --region=us-central1",
    )  # fmt: skip
    await card.press(LEMUN, "diagnosis.look#action:logs")
    await card.finding(
        "Read its logs", "connection to the instance had an error", "503",
        'resource.labels.service_name="ion-chat-canary"', "--limit=50",
    )  # fmt: skip
    await card.press(SENA, "diagnosis.roll_back#action:roll_back")
    verdict = await rolled_back(world)
    assert "Forced" in verdict
    await card.press(LEMUN, "diagnosis.look#action:health")
    await card.finding("Check the alternative path", "/health` answered 200 in ")


@ON_POSTGRESQL
async def test_a_typed_rollback_waits_for_the_question_and_force_does_not(bot: Bot, world: World) -> None:
    card = await in_scenario(world, "data_loss")

    await world.slack.slash(SENA, "C0OPERATIONS", "/rollback canary history is gone")
    question = await world.seen("C0OPERATIONS", having="Before a rollback:")
    assert "rollback.go" not in controls(question)
    await world.slack.click(SENA, "C0OPERATIONS", question["ts"], "diagnosis.answer#yes")
    held = await world.seen("C0OPERATIONS", having="rollback.all_the_same")
    assert held["ts"] == question["ts"]
    assert world.cloud.updates == []
    await card.shows("The old code could damage the data further")

    await world.slack.slash(LUBIT, "C0OPERATIONS", "/rollback canary force it must go")
    await until(lambda: world.cloud.updates, what="the forced rollback")


@ON_SQLITE
async def test_force_goes_at_once_and_puts_the_question_on_the_card_and_in_the_thread(
    bot: Bot, world: World
) -> None:
    card = await in_scenario(world, "data_loss")
    board = await board_of(world, 1)

    await world.slack.slash(SENA, "C0OPERATIONS", "/rollback canary force history is gone")
    await until(lambda: world.cloud.updates, what="the forced rollback")

    log = await logged(world, board, having="The rollback was forced, so it did not wait for this question.")
    assert "Does a database migration of this deployment make the old code unsafe?" in log
    await card.press(GITCO, "diagnosis.answer#no")
    await card.shows("The old code works with the data as it is now.")


@ON_SQLITE
async def test_a_scenario_is_chosen_on_the_card_where_none_was(bot: Bot, world: World) -> None:
    await world.slack.slash(SENA, "C0OPERATIONS", "/rollback canary force errors")
    card = Card(world)
    text = await card.shows("Which of these is it?")

    assert [id for id in controls(card.message() or {}) if id.startswith("diagnosis.scenario#")] == [
        f"diagnosis.scenario#{key}"
        for key in ("error_rate", "response_time", "memory", "data_loss", "service_down")
    ]
    assert "5. *The canary service is completely down*" in text
    await card.press(LEMUN, "diagnosis.scenario#memory")
    await card.shows("INC-1 · Memory explosion", "*Q1* *Does memory grow on every instance?*")


@ON_SQLITE
async def test_two_who_answer_at_once_both_count_and_the_second_is_told(bot: Bot, world: World) -> None:
    card = await in_scenario(world, "memory")
    message = card.message()
    assert message is not None

    await asyncio.gather(
        world.slack.click(SENA, CRITICAL, message["ts"], "diagnosis.answer#yes"),
        world.slack.click(GITCO, CRITICAL, message["ts"], "diagnosis.answer#no"),
    )
    await card.shows("*Q2* *Since when has memory been growing?*")

    def told_one() -> str | None:
        told = [u for u in (SENA, GITCO) if world.message(CRITICAL, having=":information_source:", user=u)]
        assert len(told) < 2
        return told[0] if told else None

    slower = await until(told_one, what="the slower one told")
    text = await card.shows("Q2")
    assert ("The application leaks memory" in text) is (slower == GITCO)
