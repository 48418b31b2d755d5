"""The modal in which somebody declares an incident: one step, most of it filled in."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain.incident import Severity
from bot.domain.playbook import Playbook
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Words, clean
from bot.slack.views.incident_words import severity_name
from bot.slack.views.modals import LONGEST_INPUT, choice, long_text, modal
from bot.slack.views.parts import Block, context, question

#: Chosen where nobody knows yet which of the guide's scenarios it is.
NOT_KNOWN = "not_known"
#: How bad something is of which nothing is known but that somebody was alarmed.
USUAL_SEVERITY = Severity.MEDIUM


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What is filled in so far. `channel` is where the modal was opened, texts are raw.

    `source_channel` and `source_ts` name the message it is about; `quoted` is that message with its
    author and permalink, as it was when the modal was opened. `began_at` is aware, UTC.
    """

    channel: str
    target: str
    scenario: str = NOT_KNOWN
    quoted: str = ""
    began_at: datetime | None = None
    source_channel: str = ""
    source_ts: str = ""

    def with_scenario(self, scenario: str) -> "Draft":
        """Return it with another scenario chosen."""
        return replace(self, scenario=scenario)


def usual_severity(playbook: Playbook, scenario: str | None) -> Severity:
    """Return the severity a scenario begins with."""
    known = playbook.scenario(scenario)
    return known.severity if known else USUAL_SEVERITY


def declare_modal(draft: Draft, playbook: Playbook, words: Words) -> dict[str, Any]:
    """Render the modal; what a person has typed meanwhile stays, for its blocks keep their ids."""
    blocks = [
        *_target(draft, playbook, words),
        _scenario(draft, playbook, words),
        _severity(draft, playbook, words),
        long_text(
            ActionId.NEW_SEEN,
            words.plain("What do you see?"),
            initial=clean(draft.quoted, limit=LONGEST_INPUT),
            hint=words.plain(
                "Up to {limit} characters. More, and files: write it in a message and add that to the "
                "timeline from the message's menu or with 📌.",
                limit=LONGEST_INPUT,
            ),
        ),
        _began(draft, words),
        context(words.say("Everybody here may declare an incident. Nothing is rolled back by it.")),
    ]
    return modal(
        callback=CallbackId.DECLARE,
        title=words.plain("Declare an incident"),
        blocks=blocks,
        memory=remember(
            draft.channel, draft.target, draft.source_channel, draft.source_ts, _stamp(draft.began_at)
        ),
        words=words,
        submit=words.plain("Declare"),
    )


def _stamp(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _target(draft: Draft, playbook: Playbook, words: Words) -> list[Block]:
    if len(playbook.targets) == 1:
        return []
    targets = {name: name for name in playbook.targets}
    return [
        choice(
            ActionId.NEW_TARGET, words.plain("What is failing?"), targets, initial=draft.target, words=words
        )
    ]


def _scenario(draft: Draft, playbook: Playbook, words: Words) -> Block:
    scenarios = {NOT_KNOWN: words.plain("I don't know yet")} | {
        scenario.key: f"{scenario.number}. {scenario.name.in_(words.locale)}"
        for scenario in playbook.scenarios[:99]
    }
    return choice(
        ActionId.NEW_SCENARIO,
        words.plain("Which scenario of the guide?"),
        scenarios,
        initial=draft.scenario,
        words=words,
        tells=True,
    )


def _severity(draft: Draft, playbook: Playbook, words: Words) -> Block:
    return choice(
        ActionId.NEW_SEVERITY,
        words.plain("How bad is it?"),
        {severity.value: severity_name(severity, words) for severity in Severity},
        initial=usual_severity(playbook, draft.scenario).value,
        words=words,
        block=f"{ActionId.NEW_SEVERITY}:{draft.scenario}",
    )


def _began(draft: Draft, words: Words) -> Block:
    element: Block = {"type": "datetimepicker", "action_id": ActionId.NEW_BEGAN}
    if draft.began_at is not None:
        element["initial_date_time"] = int(draft.began_at.timestamp())
    return question(
        label=words.plain("When did it begin?"),
        element=element,
        block=ActionId.NEW_BEGAN,
        hint=words.plain("Leave it empty if it began just now, or nobody knows."),
    )
