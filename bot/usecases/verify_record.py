"""Checking that nobody has touched what is stored: the timeline's chain, the rows, the files."""

from collections.abc import Iterable

from bot.domain.exhibit import Exhibit, ExhibitKind
from bot.domain.ids import IncidentNumber
from bot.domain.integrity import Checked, Flaw, Found, check_chain, check_file, check_rows
from bot.usecases.ports import NotKept, Store, Vault, VaultDown
from bot.usecases.read_case import Case, case_of


async def verify_record(
    number: IncidentNumber, *, store: Store, vault: Vault, heads: Iterable[str] = ()
) -> Checked:
    """Check everything that is stored of one incident. Raises `NotKept` when there is none.

    `heads` are timeline heads that somebody has kept elsewhere, such as from a printed record: a timeline
    whose end was cut off is consistent in itself and is found by them alone. Those in the records that are
    kept as files are used as well.
    """
    case = await store.look(lambda tx: case_of(tx, number))
    files, dropped, found = await _files(case, vault)
    known = [*heads, *_heads_of_records(case.exhibits)]
    found += check_chain(case.entries, length=case.length, head=case.head, known_heads=known)
    wrong, unsealed = check_rows(case.entries, case.seals(), settled=case.settled)
    return Checked(
        lines=len(case.entries),
        rows=len(case.values),
        files=files,
        head=case.head,
        dropped=dropped,
        unsealed=tuple(unsealed),
        flaws=tuple(found + wrong),
    )


async def _files(case: Case, vault: Vault) -> tuple[int, int, list[Found]]:
    """Return how many files were read, how many are gone by rights, and what is wrong."""
    read, dropped = 0, 0
    found: list[Found] = []
    for exhibit in case.exhibits:
        if exhibit.problem is not None:
            continue
        if exhibit.dropped_at is not None:
            dropped += 1
            continue
        read += 1
        flaw = await _file(exhibit, vault)
        found += [flaw] if flaw else []
    return read, dropped, found


async def _file(exhibit: Exhibit, vault: Vault) -> Found | None:
    try:
        content = await vault.get(exhibit.place)
    except NotKept:
        return Found(flaw=Flaw.FILE_MISSING, what=exhibit.name)
    except VaultDown as error:
        return Found(flaw=Flaw.FILE_UNREADABLE, what=exhibit.name, detail=str(error))
    return check_file(exhibit, content)


#: How the source of a filed record names the timeline's head it was made at.
HEAD = "timeline head "


def _heads_of_records(exhibits: Iterable[Exhibit]) -> list[str]:
    records = (exhibit for exhibit in exhibits if exhibit.kind is ExhibitKind.RECORD)
    heads = dict.fromkeys(one.source.removeprefix(HEAD) for one in records if one.source.startswith(HEAD))
    return list(heads)
