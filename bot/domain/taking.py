"""Files of evidence as they were taken: together, at one moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.exhibit import KEPT_FOREVER, Exhibit, Moment


@dataclass(frozen=True, kw_only=True)
class Taking:
    """The files of one `bot.domain.snapshot.Snapshot`, by kind; `at` is when they were read (aware, UTC).

    `moment` is None for what people wrote and read, such as an edition of the record.
    """

    snapshot: str
    moment: Moment | None
    at: datetime
    exhibits: tuple[Exhibit, ...]

    @property
    def there(self) -> tuple[Exhibit, ...]:
        """The files that could be read and kept."""
        return tuple(exhibit for exhibit in self.exhibits if exhibit.problem is None)

    @property
    def missing(self) -> tuple[Exhibit, ...]:
        """Those that could not, each with its problem."""
        return tuple(exhibit for exhibit in self.exhibits if exhibit.problem is not None)


def takings(exhibits: Iterable[Exhibit]) -> tuple[Taking, ...]:
    """Return files by when they were taken, oldest first, each taking's in the guide's order."""
    found: dict[str, list[Exhibit]] = {}
    for exhibit in exhibits:
        found.setdefault(exhibit.snapshot, []).append(exhibit)
    made = (_taking(snapshot, those) for snapshot, those in found.items())
    return tuple(sorted(made, key=lambda taking: (taking.at, taking.snapshot)))


def evidence_only(taken: Iterable[Taking]) -> tuple[Taking, ...]:
    """Return what machines said, without records and post-mortems."""
    return tuple(taking for taking in taken if taking.moment is not None)


_ORDER = {
    kind: place
    for place, kind in enumerate(
        ("error_logs", "slow_requests", "metrics_snapshot", "canary_config", "traffic", "probe")
    )
}


def _taking(snapshot: str, exhibits: list[Exhibit]) -> Taking:
    by_people = all(exhibit.kind in KEPT_FOREVER for exhibit in exhibits)
    ordered = sorted(exhibits, key=lambda one: (_ORDER.get(one.kind, len(_ORDER)), one.name))
    return Taking(
        snapshot=snapshot,
        moment=None if by_people else _moment(snapshot),
        at=min(exhibit.created_at for exhibit in exhibits),
        exhibits=tuple(ordered),
    )


def _moment(snapshot: str) -> Moment | None:
    """Return the moment that a snapshot's id names: ``12:decision-k3v9…``."""
    word = snapshot.partition(":")[2].partition("-")[0]
    return next((moment for moment in Moment if moment.value == word), None)
