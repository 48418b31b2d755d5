"""The same incident in our Slack and in `emulate`, somebody else's, with exactly the manifest's scopes."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bot.sandbox import names
from tests.conformance.comparing import Known, compared, lines
from tests.conformance.emulated import EmulatedStage
from tests.conformance.known import KNOWN
from tests.conformance.stage import Json, Seen
from tests.conformance.story import LUBIT, Played, key_of


def test_the_same_incident_leaves_the_same_in_both(ours: Played, theirs: Played) -> None:
    comparison = compared(lines(ours), lines(theirs), KNOWN)

    assert comparison.agrees, f"\n{comparison}"


def test_what_was_compared_is_the_whole_incident(theirs: Played) -> None:
    compared_lines = {line.place for line in lines(theirs)}

    for place in (
        "message board:# in C0CRITICAL",
        "message record:# in C0CRITICAL",
        "message rollback:# in C0OPERATIONS",
        "modal incident.declare",
        "modal incident.close",
        f"home of {LUBIT}",
        f"whisper to {LUBIT} in C0CRITICAL",
        "file INC-#-record-#.md in C0CRITICAL under record:#",
        "file INC-#-timeline-#.csv in C0CRITICAL under board:#",
    ):
        assert place in compared_lines, sorted(compared_lines)


def without_the_board(seen: Seen) -> None:
    seen.messages[:] = [one for one in seen.messages if key_of(one) != "board:1"]


def with_another_word(seen: Seen) -> None:
    verdict = next(one for one in seen.messages if key_of(one).startswith("rollback:"))
    verdict["text"] = verdict["text"].replace("verified", "applied")


def with_a_button_less(seen: Seen) -> None:
    for message in seen.messages:
        for block in message.get("blocks") or ():
            if block["type"] == "actions":
                del block["elements"][0]
                return


def in_another_thread(seen: Seen) -> None:
    record = next(one for one in seen.messages if key_of(one).startswith("record:"))
    log = next(one for one in seen.messages if key_of(one).startswith("log:"))
    log["thread_ts"] = record["ts"]


def posted_twice(seen: Seen) -> None:
    seen.messages.append(seen.messages[-1])


def without_a_file(seen: Seen) -> None:
    del seen.files[0]


def with_another_home(seen: Seen) -> None:
    seen.homes[LUBIT]["blocks"].pop()


def whispered_to_somebody_else(seen: Seen) -> None:
    seen.whispers[0]["for"] = "U0SENA"


@pytest.mark.parametrize(
    "change",
    [
        without_the_board,
        with_another_word,
        with_a_button_less,
        in_another_thread,
        posted_twice,
        without_a_file,
        with_another_home,
        whispered_to_somebody_else,
    ],
)
def test_the_comparison_sees(ours: Played, theirs: Played, change: Callable[[Seen], None]) -> None:
    changed = copy.deepcopy(ours)
    change(changed.end)

    assert not compared(lines(changed), lines(theirs), KNOWN).agrees


def test_a_changed_modal_is_seen(ours: Played, theirs: Played) -> None:
    modal: Json = copy.deepcopy(ours.modals["incident.close"])
    modal["title"]["text"] = "Close it"
    changed = replace(ours, modals={**ours.modals, "incident.close": modal})

    assert not compared(lines(changed), lines(theirs), KNOWN).agrees


def test_a_known_difference_that_is_gone_is_told(ours: Played, theirs: Played) -> None:
    gone = Known(place="^message nowhere", text="", why="it was so once")

    assert compared(lines(ours), lines(theirs), (*KNOWN, gone)).unmet == [gone]


async def call(stage: EmulatedStage, method: str, **arguments: str) -> dict[str, Any]:
    """Call it as the bot."""
    headers = {"Authorization": f"Bearer {names.BOT_TOKEN}"}
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(stage.api_url + method, data=arguments, headers=headers)
    body: dict[str, Any] = answer.json()
    return body


async def test_it_refuses_what_the_manifest_has_no_scope_for(emulate: EmulatedStage) -> None:
    pinned = await call(emulate, "pins.add", channel="C0CRITICAL", timestamp="1.000001")
    posted = await call(emulate, "chat.postMessage", channel="C0CRITICAL", text="x")

    assert (pinned["error"], pinned["needed"]) == ("missing_scope", "pins:write")
    assert posted["ok"]
