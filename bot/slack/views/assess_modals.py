"""How bad an incident is, and which scenario: what to change them to, and why."""

from typing import Any

from bot.domain.ids import incident_label
from bot.domain.incident import Incident, Severity
from bot.domain.playbook import Playbook
from bot.slack.ids import ActionId, CallbackId
from bot.slack.modal_memory import remember
from bot.slack.text import Words
from bot.slack.views.incident_words import severity_name
from bot.slack.views.modals import choice, modal, why_question
from bot.slack.views.parts import section


def severity_modal(incident: Incident, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask how bad it is now, and why."""
    return modal(
        callback=CallbackId.SEVERITY,
        title=words.plain("Severity of {label}", label=incident_label(incident.number)),
        blocks=[
            choice(
                ActionId.SET_SEVERITY,
                words.plain("How bad is it?"),
                {severity.value: severity_name(severity, words) for severity in Severity},
                initial=incident.severity.value,
                words=words,
            ),
            why_question(words),
        ],
        memory=remember(channel, str(incident.number)),
        words=words,
        submit=words.plain("Change"),
    )


def scenario_modal(incident: Incident, playbook: Playbook, words: Words, *, channel: str) -> dict[str, Any]:
    """Ask which of the guide's scenarios it is, and why."""
    if not playbook.scenarios:
        return modal(
            callback=CallbackId.SCENARIO,
            title=words.plain("Scenario of {label}", label=incident_label(incident.number)),
            blocks=[section(words.say("The playbook has no scenarios."))],
            memory=remember(channel, str(incident.number)),
            words=words,
            submit=None,
        )
    return modal(
        callback=CallbackId.SCENARIO,
        title=words.plain("Scenario of {label}", label=incident_label(incident.number)),
        blocks=[
            choice(
                ActionId.SET_SCENARIO,
                words.plain("Which scenario of the guide?"),
                {s.key: f"{s.number}. {s.name.in_(words.locale)}" for s in playbook.scenarios},
                initial=incident.scenario,
                words=words,
            ),
            why_question(words),
        ],
        memory=remember(channel, str(incident.number)),
        words=words,
        submit=words.plain("Change"),
    )
