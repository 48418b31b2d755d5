"""Adding a message somebody wrote in Slack to the timeline of the incident it is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from bot.domain.acts import Act, Verb
from bot.domain.ids import ChannelId, IncidentNumber, PersonId, RollbackId
from bot.usecases.act import start_act
from bot.usecases.ports import (
    Messages,
    MessageUnreadable,
    NotKept,
    Said,
    Steps,
    Store,
    Transaction,
    Workflow,
    Written,
)
from bot.usecases.tell_who_asked import tell_who_asked

_WRITTEN = TypeAdapter(Written)
#: Messages of ours whose key begins with an incident's number.
_ABOUT = re.compile(r"(?:board|diagnosis|checklist|record|log|closed):(\d+)(?:[:-].*)?")


@dataclass(frozen=True, kw_only=True)
class Adding:
    """What adding a message may touch."""

    store: Store
    messages: Messages


def accept_message(
    tx: Transaction,
    key: str,
    *,
    channel: ChannelId,
    ts: str,
    person: PersonId,
    acting_team: str | None,
    incident: IncidentNumber | None = None,
    written: Written | None = None,
    quiet: bool = False,
) -> None:
    """Let a workflow add a message.

    Args:
        tx: the transaction in which the request was remembered.
        key: the request's own.
        channel: where the message stands, with its `ts`.
        ts: the message.
        person: who adds it.
        acting_team: the workspace they acted from, as far as Slack said.
        incident: which one; None finds the one whose thread it is in, else the only open one.
        written: the message as Slack has sent it already; None reads it.
        quiet: do not tell the person that it was added.
    """
    about = {
        "channel": channel, "ts": ts, "person": person, "acting_team": acting_team or "",
        "incident": str(incident or ""), "quiet": "quiet" if quiet else "",
        "written": _WRITTEN.dump_json(written).decode() if written else "",
    }  # fmt: skip
    tx.start(Workflow.ADD_MESSAGE, key, key=key, **about)


async def add_message(arguments: Mapping[str, str], *, steps: Steps, use: Adding) -> None:
    """Read the message, find its incident, and note it there; or say kindly what is missing."""
    read = await steps.step("read", lambda: _read(arguments, use), into=dict[str, Any])
    await steps.step("place", lambda: _place(arguments, read, use), into=str)


async def _read(arguments: Mapping[str, str], use: Adding) -> dict[str, Any]:
    channel, ts = ChannelId(arguments["channel"]), arguments["ts"]
    if arguments["written"]:
        written = _WRITTEN.validate_json(arguments["written"])
        link = await use.messages.link(channel, ts)
        return {"message": _WRITTEN.dump_python(written, mode="json") | {"link": link}}
    try:
        return {"message": _WRITTEN.dump_python(await use.messages.message(channel, ts), mode="json")}
    except MessageUnreadable as error:
        return {"why": str(error)}


async def _place(arguments: Mapping[str, str], read: Mapping[str, Any], use: Adding) -> str:
    def place(tx: Transaction) -> str:
        if "message" not in read:
            return tell_who_asked(tx, arguments, Said.MESSAGE_UNREADABLE, {"why": read["why"]})
        written = _WRITTEN.validate_python(read["message"])
        number = _meant(tx, arguments, written)
        if number is None:
            open_ones = [{"incident": i.number, "target": i.target} for i in tx.open_incidents()]
            facts = {"open": open_ones, "channel": written.channel, "ts": written.ts}
            return tell_who_asked(tx, arguments, Said.WHICH_INCIDENT, facts)
        start_act(tx, _act(arguments, written, number))
        return f"noted in {number}"

    return await use.store.change(place)


def _meant(tx: Transaction, arguments: Mapping[str, str], written: Written) -> IncidentNumber | None:
    """Return the incident that was named, else the one it stands under, else the only open one."""
    if arguments["incident"]:
        return IncidentNumber(int(arguments["incident"]))
    above = _incident_at(tx, written.channel, written.thread or written.ts)
    if above is not None:
        return above
    open_ones = tx.open_incidents()
    return open_ones[0].number if len(open_ones) == 1 else None


def _incident_at(tx: Transaction, channel: ChannelId, ts: str) -> IncidentNumber | None:
    key = tx.message_at(channel, ts) or ""
    about = _ABOUT.fullmatch(key)
    if about is not None:
        return IncidentNumber(int(about[1]))
    kind, _, id = key.partition(":")
    if kind != "rollback":
        return None
    try:
        return tx.rollback(RollbackId(id)).incident
    except NotKept:
        return None


def _act(arguments: Mapping[str, str], written: Written, number: IncidentNumber) -> Act:
    return Act(
        verb=Verb.NOTE,
        incident=number,
        person=PersonId(arguments["person"]),
        acting_team=arguments["acting_team"] or None,
        channel=ChannelId(arguments["channel"]),
        key=f"{arguments['key']}:note",
        words={"message": _WRITTEN.dump_json(written).decode(), "quiet": arguments["quiet"]},
    )
