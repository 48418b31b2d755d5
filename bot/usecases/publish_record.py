"""Publishing one edition of the failure record: its files are made once, kept for good, posted, and copied
into a canvas where Slack lets us.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.exhibit import Exhibit, ExhibitKind, Moment, sha256_of
from bot.domain.ids import ChannelId, IncidentNumber
from bot.domain.record import edition_id
from bot.domain.rollback import ENDED
from bot.domain.seal import seals
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import BACKOUT, Event, incident_chain
from bot.usecases.journal import board_key
from bot.usecases.ports import (
    Canvases,
    Clock,
    Playbooks,
    RecordFile,
    Records,
    RenderedRecord,
    Showing,
    Steps,
    Store,
    Transaction,
    Vault,
    VaultDown,
)
from bot.usecases.verify_record import HEAD

#: How often the evidence taken at the verdict is looked for before the record is made without it. Its
#: sources have deadlines of their own; the guide gives the record ten minutes.
LOOKS, LOOK_EVERY_SECONDS = 15, 2.0
#: Evidence of a verdict older than that is not waited for any more.
EVIDENCE_WITHIN = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """What publishing a record may touch."""

    store: Store
    playbooks: Playbooks
    records: Records
    vault: Vault
    canvases: Canvases
    clock: Clock


async def publish_record(arguments: Mapping[str, str], *, steps: Steps, use: Publishing) -> None:
    """Make and post one edition. Once made its files never change: a later edition has files of its own."""
    number, edition = IncidentNumber(int(arguments["incident"])), int(arguments["edition"])
    for look in range(LOOKS):
        if not await steps.step(f"wait {look}", lambda: _evidence_is_awaited(number, use), into=bool):
            break
        await steps.sleep(LOOK_EVERY_SECONDS)
    await steps.step("file", lambda: _file(number, edition, use), into=str)
    await steps.step("canvas", lambda: _canvas(number, edition, use), into=str)


async def _evidence_is_awaited(number: IncidentNumber, use: Publishing) -> bool:
    """True while the evidence of a verdict that was just given may still come."""
    now = use.clock()

    def look(tx: Transaction) -> bool:
        newest = tx.rollbacks_of(number)[-1:]
        if not newest or newest[0].state not in ENDED or newest[0].ended_at is None:
            return False
        if newest[0].requested_at is None or now - newest[0].ended_at > EVIDENCE_WITHIN:
            return False
        taken = tx.find(Snapshot, incident=number)
        return not any(s.rollback == newest[0].id and s.moment is Moment.VERIFICATION for s in taken)

    return await use.store.look(look)


async def _file(number: IncidentNumber, edition: int, use: Publishing) -> str:
    """Render, keep and show the files; what was kept before a crash is shown as it is."""
    id = edition_id(number, edition)
    if await use.store.look(lambda tx: bool(tx.find(Exhibit, snapshot=id))):
        return "filed before"
    rendered = await use.records.render(number, edition)
    exhibits = [await _kept(number, edition, file, rendered, use) for file in rendered.files]

    def keep(tx: Transaction) -> str:
        tx.incident(number)
        if tx.find(Exhibit, snapshot=id):
            return "filed before"
        for exhibit in exhibits:
            tx.keep(exhibit)
        facts = {"edition": edition, "seals": seals({f"exhibit:{one.id}": one for one in exhibits})}
        # Beside the thread, not in it: its message with the files says it there.
        tx.write_down(
            incident_chain(number),
            Event.RECORD_FILED,
            key=f"filed:{edition}",
            at=use.clock(),
            actor=BACKOUT,
            **facts,
        )
        channel = ChannelId(use.playbooks.current().channels.incidents)
        # Anew, with what the evidence says meanwhile.
        tx.show(Showing.RECORD, str(number), channel=channel)
        under = f"{Showing.RECORD}:{number}"
        tx.show(Showing.RECORD_FILE, f"{number}:{edition}", channel=channel, under=under)
        return "filed"

    return await use.store.change(keep)


async def _kept(
    number: IncidentNumber, edition: int, file: RecordFile, rendered: RenderedRecord, use: Publishing
) -> Exhibit:
    exhibit = Exhibit(
        id=f"{edition_id(number, edition)}:{file.name}",
        incident=number,
        snapshot=edition_id(number, edition),
        kind=ExhibitKind.RECORD,
        name=file.name,
        created_at=use.clock(),
        source=f"{HEAD}{rendered.head}",
        problem=file.problem,
    )
    if file.problem is not None:
        return exhibit
    whole = replace(exhibit, size=len(file.content), sha256=sha256_of(file.content))
    try:
        await use.vault.put(whole.place, file.content)
    except VaultDown as error:
        return replace(exhibit, problem=str(error))
    return whole


async def _canvas(number: IncidentNumber, edition: int, use: Publishing) -> str:
    """Write the newest edition into the incident's canvas; an older one would undo a newer one there."""
    incident, place = await use.store.look(lambda tx: (tx.incident(number), tx.standing(board_key(number))))
    if incident.edition != edition or place is None:
        return "not written"
    title, markdown = await use.records.canvas(number)
    canvas = await use.canvases.put(title, markdown, channel=place[0], canvas=incident.canvas)
    if not canvas or canvas == incident.canvas:
        return "written" if canvas else "no canvas"

    def keep(tx: Transaction) -> str:
        tx.save_incident(replace(tx.incident(number), canvas=canvas))
        tx.show(Showing.RECORD, str(number), channel=place[0])
        return "created"

    return await use.store.change(keep)
