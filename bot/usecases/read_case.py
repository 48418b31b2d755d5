"""Everything that is stored of one incident, by the names its seals go by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.alert import Alert, AlertState
from bot.domain.announcement import Announcement
from bot.domain.change import ENDED_CHANGE
from bot.domain.exhibit import Exhibit
from bot.domain.follow_up import FollowUp
from bot.domain.ids import IncidentNumber
from bot.domain.incident import Incident
from bot.domain.paging import Page
from bot.domain.post_mortem import PostMortem
from bot.domain.rollback import ENDED
from bot.domain.seal import seals
from bot.domain.snapshot import Snapshot
from bot.domain.timeline import Entry, incident_chain
from bot.usecases.ports import K, Transaction

#: An alert that was answered for good; one that was only stopped may still be answered.
_ENDED_ALERT = frozenset({AlertState.ROLLED_BACK, AlertState.NOT_THE_CANARY, AlertState.OVER})


@dataclass(frozen=True, kw_only=True)
class Case:
    """One incident, whole. `values` go by names such as ``rollback:k3v9…``.

    `settled` names those that nothing changes any more, `moving` those that still change without a line in
    this timeline: they are sealed once they have ended. `length` and `head` are what the timeline's head
    says apart from its lines.
    """

    incident: Incident
    values: Mapping[str, Any]
    settled: frozenset[str]
    moving: frozenset[str]
    entries: tuple[Entry, ...]
    exhibits: tuple[Exhibit, ...]
    length: int
    head: str

    def seals(self) -> dict[str, str]:
        """Return the seal of everything that can be sealed now, by name."""
        return seals({name: value for name, value in self.values.items() if name not in self.moving})


def case_of(tx: Transaction, number: IncidentNumber) -> Case:
    """Return what is stored of an incident. Raises `NotKept` when there is none."""
    incident, chain = tx.incident(number), incident_chain(number)
    rollbacks, changes = tx.rollbacks_of(number), tx.changes_of(number)
    exhibits, snapshots = tx.find(Exhibit, incident=number), tx.find(Snapshot, incident=number)
    alerts = tx.find(Alert, incident=number)
    settled = {
        **{f"rollback:{one.id}": one for one in rollbacks if one.state in ENDED},
        **{f"change:{one.id}": one for one in changes if one.state in ENDED_CHANGE},
        **_named(tuple(one for one in alerts if one.state in _ENDED_ALERT)),
        **_named(exhibits),
        **_named(snapshots),
    }
    values: dict[str, Any] = {
        "incident": incident,
        **{f"rollback:{one.id}": one for one in rollbacks},
        **{f"change:{one.id}": one for one in changes},
    }
    values |= _named(alerts)
    moving = frozenset(values) - frozenset(settled) - {"incident"}
    values |= _named(tx.find(Announcement, incident=number))
    values |= _named(tx.find(FollowUp, incident=number)) | _named(tx.find(Page, incident=number))
    values |= _named(tx.find(PostMortem, incident=number))
    length, head = tx.chain_head(chain)
    return Case(
        incident=incident,
        values=values | settled,
        settled=frozenset(settled),
        moving=moving,
        entries=tx.timeline(chain),
        exhibits=exhibits,
        length=length,
        head=head,
    )


def _named(values: tuple[K, ...]) -> dict[str, Any]:
    return {f"{_KINDS[type(one)]}:{one.id}": one for one in values}


_KINDS: Mapping[type, str] = {
    Alert: "alert",
    Announcement: "announcement",
    Exhibit: "exhibit",
    FollowUp: "follow_up",
    Page: "page",
    PostMortem: "post_mortem",
    Snapshot: "snapshot",
}


def seals_of(tx: Transaction, number: IncidentNumber) -> dict[str, str]:
    """Return the seals of what is stored of an incident now, to be written into its timeline."""
    return case_of(tx, number).seals()
