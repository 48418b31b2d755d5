"""Severity and scenario: by command in a line, or in a modal."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from bot.domain.acts import Verb
from bot.domain.ids import IncidentNumber, incident_label
from bot.domain.incident import Incident, Severity
from bot.domain.playbook import Playbook
from bot.slack.commands import first_word
from bot.slack.ids import ActionId, CallbackId
from bot.slack.listeners.acts import act_of
from bot.slack.listeners.fields import from_modal
from bot.slack.listeners.table import Request, Table
from bot.slack.text import LOCALES, Words, clean
from bot.slack.views.assess_modals import scenario_modal, severity_modal
from bot.slack.views.incident_words import severity_name
from bot.slack.views.modals import LONGEST_WHY
from bot.usecases.act import accept_act
from bot.usecases.editions import playbook_of
from bot.usecases.ports import Clock, Playbooks, Store


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add them to the table."""
    answers = _Assessing(store=store, playbooks=playbooks, clock=clock)
    table.incident_verbs["severity"] = answers.severity
    table.incident_verbs["scenario"] = answers.scenario
    table.submissions[CallbackId.SEVERITY] = answers.set_severity
    table.submissions[CallbackId.SCENARIO] = answers.set_scenario


class _Assessing:
    """What is answered to whoever says how bad it is, or what."""

    def __init__(self, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
        self._store = store
        self._playbooks = playbooks
        self._clock = clock

    async def severity(self, request: Request, incident: Incident, rest: str) -> str | dict[str, Any]:
        first, why = first_word(rest)
        level = read_severity(first)
        if not first:
            return severity_modal(incident, request.words, channel=request.sender.channel)
        if level is None:
            return _unknown(first, "severity", [s.value for s in Severity], request.words)
        if not why:
            return _no_reason(f"/incident severity {incident.number} {level.value}", request.words)
        await self._assess(request, Verb.SEVERITY, incident.number, severity=level.value, why=why)
        return _changing(incident.number, request.words)

    async def scenario(self, request: Request, incident: Incident, rest: str) -> str | dict[str, Any]:
        playbook = await self._playbook_of(incident)
        first, why = first_word(rest)
        if not first:
            return scenario_modal(incident, playbook, request.words, channel=request.sender.channel)
        key = read_scenario(first, playbook)
        if key is None:
            return _unknown(first, "scenario", [s.key for s in playbook.scenarios], request.words)
        if not why:
            return _no_reason(f"/incident scenario {incident.number} {key}", request.words)
        await self._assess(request, Verb.SCENARIO, incident.number, scenario=key, why=why)
        return _changing(incident.number, request.words)

    async def _playbook_of(self, incident: Incident) -> Playbook:
        return await self._store.look(lambda tx: playbook_of(tx, incident, self._playbooks.current()))

    async def _assess(self, request: Request, verb: Verb, number: IncidentNumber, **words: str) -> None:
        cleaned = words | {"why": clean(words["why"], limit=LONGEST_WHY)}
        await accept_act(act_of(request, verb, number, **cleaned), store=self._store, clock=self._clock)

    async def set_severity(self, request: Request) -> Mapping[str, Any] | None:
        there, (number,), fields = from_modal(request)
        why = fields.text(ActionId.WHY, limit=LONGEST_WHY)
        if not why:
            return {ActionId.WHY: request.words.plain("Write a reason; it stands in the timeline.")}
        level = fields.chosen(ActionId.SET_SEVERITY) or ""
        await self._assess(there, Verb.SEVERITY, IncidentNumber(int(number)), severity=level, why=why)
        return None

    async def set_scenario(self, request: Request) -> Mapping[str, Any] | None:
        there, (number,), fields = from_modal(request)
        why = fields.text(ActionId.WHY, limit=LONGEST_WHY)
        if not why:
            return {ActionId.WHY: request.words.plain("Write a reason; it stands in the timeline.")}
        key = fields.chosen(ActionId.SET_SCENARIO) or ""
        await self._assess(there, Verb.SCENARIO, IncidentNumber(int(number)), scenario=key, why=why)
        return None


def read_severity(word: str) -> Severity | None:
    """Return the severity a word means, in either language."""
    named = {severity_name(s, Words(locale=locale)).lower(): s for s in Severity for locale in LOCALES}
    return named.get(word.lower()) or next((s for s in Severity if s.value == word.lower()), None)


def read_scenario(word: str, playbook: Playbook) -> str | None:
    """Return the key of the scenario a word means: its key, or its number in the guide."""
    meant = (s.key for s in playbook.scenarios if word.lower() in (s.key, str(s.number)))
    return next(meant, None)


def _unknown(word: str, verb: str, known: list[str], words: Words) -> str:
    near = get_close_matches(word.lower(), known, n=1, cutoff=0.3) or known[:1]
    return words.say(
        ":x: I don't know {word}. Did you mean {nearest}? There are: {known}.",
        word=words.code(clean(word, limit=60)),
        nearest=words.code(f"/incident {verb} {near[0] if near else ''}".strip()),
        known=", ".join(known) or "–",
    )


def _no_reason(command: str, words: Words) -> str:
    why = words.plain("users cannot pay")
    return words.say(
        ":x: Write why after it, such as {example}; the reason stands in the timeline. Nothing was changed.",
        example=words.code(f"{command} {why}"),
    )


def _changing(number: IncidentNumber, words: Words) -> str:
    return words.say("Changing {label} …", label=words.bold(incident_label(number)))
