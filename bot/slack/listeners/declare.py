"""Declaring an incident: by command, from Slack's shortcut menu, or from a message."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from bot.domain.ids import PersonId, TargetName
from bot.domain.incident import Severity
from bot.domain.playbook import Playbook
from bot.slack.commands import DEFAULT_TARGET
from bot.slack.ids import ActionId, CallbackId, ShortcutId
from bot.slack.listeners.fields import from_modal
from bot.slack.listeners.table import Request, Table
from bot.slack.modal_memory import recall
from bot.slack.text import Words, clean
from bot.slack.views.declare_modal import NOT_KNOWN, Draft, declare_modal, usual_severity
from bot.slack.views.modals import LONGEST_INPUT
from bot.slack.written import message_of, permalink
from bot.usecases.declare_incident import Declaration, accept_declaration
from bot.usecases.ports import Clock, Playbooks, Store

#: Clocks differ a little: a beginning this far ahead is now.
SLACK_IN_CLOCKS = timedelta(minutes=2)


def register(table: Table, *, store: Store, playbooks: Playbooks, clock: Clock) -> None:
    """Add it to the table."""

    async def new(request: Request, rest: str) -> str | dict[str, Any]:
        playbook = playbooks.current()
        target = rest.lower() or usual_target(playbook)
        if target not in playbook.targets:
            return _unknown_target(rest, playbook, request.words)
        draft = Draft(channel=request.sender.channel, target=target)
        return declare_modal(draft, playbook, request.words)

    async def from_menu(request: Request) -> dict[str, Any]:
        playbook = playbooks.current()
        draft = Draft(channel=request.sender.channel, target=usual_target(playbook))
        return declare_modal(draft, playbook, request.words)

    async def from_home(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        return await from_menu(request)

    async def from_message(request: Request) -> dict[str, Any]:
        playbook = playbooks.current()
        names = await store.look(lambda tx: tx.names())
        return declare_modal(drafted_from(request, playbook, names), playbook, request.words)

    async def scenario_chosen(request: Request, action: Mapping[str, Any]) -> dict[str, Any]:
        chosen = (action.get("selected_option") or {}).get("value", NOT_KNOWN)
        draft = _drafted_in(request.body["view"]).with_scenario(chosen)
        return declare_modal(draft, playbooks.current(), request.words)

    async def declare(request: Request) -> dict[str, str] | None:
        declaration, errors = read_declaration(request, playbooks.current(), now=clock())
        if declaration is None:
            return errors
        await accept_declaration(declaration, store=store, clock=clock)
        return None

    table.plain_incident_verbs["new"] = new
    table.shortcuts[ShortcutId.DECLARE] = from_menu
    table.shortcuts[ShortcutId.DECLARE_FROM_MESSAGE] = from_message
    table.presses[ActionId.DECLARE] = from_home
    table.presses[ActionId.NEW_SCENARIO] = scenario_chosen
    table.submissions[CallbackId.DECLARE] = declare


def usual_target(playbook: Playbook) -> str:
    """Return the target a declaration is about unless somebody says otherwise."""
    return DEFAULT_TARGET if DEFAULT_TARGET in playbook.targets else next(iter(playbook.targets))


def _unknown_target(first: str, playbook: Playbook, words: Words) -> str:
    near = get_close_matches(first.lower(), playbook.targets, n=1, cutoff=0.4) or list(playbook.targets)
    return words.say(
        ":x: There is no target {first}. Try {fixed}.",
        first=words.code(clean(first, limit=60)),
        fixed=words.code(f"/incident new {near[0]}"),
    )


def drafted_from(request: Request, playbook: Playbook, names: Mapping[PersonId, str]) -> Draft:
    """Return a draft with a message's text, author and permalink in it."""
    written = message_of(request.body)
    author = names.get(PersonId(written.author), written.author)
    link = permalink(request.body)
    head = request.words.plain("{author} wrote ({link}):", author=author, link=link)
    room = LONGEST_INPUT - len(head) - 1
    return Draft(
        channel=request.sender.channel,
        target=usual_target(playbook),
        quoted=f"{head}\n{clean(written.text, limit=room)}",
        began_at=written.at,
        source_channel=written.channel,
        source_ts=written.ts,
    )


def _drafted_in(view: Mapping[str, Any]) -> Draft:
    """Return the draft of an open modal, without what is in its inputs: those keep it themselves."""
    channel, (target, source_channel, source_ts, began) = recall(view)
    return Draft(
        channel=channel,
        target=target,
        source_channel=source_channel,
        source_ts=source_ts,
        began_at=datetime.fromisoformat(began) if began else None,
    )


def read_declaration(
    request: Request, playbook: Playbook, *, now: datetime
) -> tuple[Declaration | None, dict[str, str]]:
    """Read a submitted modal; errors by block id say what to write instead."""
    there, (target, source_channel, source_ts, _), fields = from_modal(request)
    words, errors = request.words, {}
    target = fields.chosen(ActionId.NEW_TARGET) or target
    if target not in playbook.targets:
        known = ", ".join(playbook.targets)
        errors[_first_block(request)] = words.plain("There is no such target any more: {known}.", known=known)
    seen = fields.text(ActionId.NEW_SEEN, limit=LONGEST_INPUT)
    if not seen:
        errors[ActionId.NEW_SEEN] = words.plain("Write what you see; a few words will do.")
    began_at = fields.moment(ActionId.NEW_BEGAN)
    if began_at is not None and began_at > now + SLACK_IN_CLOCKS:
        errors[ActionId.NEW_BEGAN] = words.plain("That is in the future. Choose a time that has passed.")
    if errors:
        return None, errors
    scenario = fields.chosen(ActionId.NEW_SCENARIO) or NOT_KNOWN
    usual = usual_severity(playbook, scenario)
    severity = Severity(fields.chosen(ActionId.NEW_SEVERITY) or usual)
    return Declaration(
        key=request.key,
        target=TargetName(target),
        severity=severity,
        person=request.sender.person,
        acting_team=request.sender.team,
        channel=there.sender.channel,
        scenario=None if scenario == NOT_KNOWN else scenario,
        severity_chosen=severity is not usual,
        seen=seen,
        began_at=began_at.astimezone(UTC) if began_at else None,
        source_channel=source_channel,
        source_ts=source_ts,
    ), {}


def _first_block(request: Request) -> str:
    return str(request.body["view"]["blocks"][0]["block_id"])
