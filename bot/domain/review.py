"""The review after a failure: code, tests, infrastructure, point by point, and what people found there.

Source: guide, "Cause analysis", step 2. Marks stand in `Incident.marks` under ``review.<part>.<n>``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.checklist import Mark, StepState
from bot.domain.configuration import Difference
from bot.domain.guide import Review, ReviewPoint, Shows
from bot.domain.incident import Incident
from bot.domain.playbook import Playbook

#: What of Cloud Run's settings is about the network, by the beginning of its name; the rest is what a
#: container gets and runs.
_NETWORK = ("ingress", "vpc", "network", "ports", "invoker", "session_affinity", "service_account")


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """One point as it stands. `place` counts from 1 within its part."""

    part: Review
    place: int
    point: ReviewPoint
    mark: Mark | None

    @property
    def key(self) -> str:
        """Its name in the playbook: part and place."""
        return f"{self.part.key}.{self.place}"

    @property
    def state(self) -> StepState:
        """DONE: somebody looked and found nothing; NOT_OK: they found something; TODO: nobody looked."""
        return self.mark.state if self.mark else StepState.TODO


@dataclass(frozen=True, kw_only=True)
class Found:
    """What somebody found at a point, in their own words (raw), at `at` (aware, UTC)."""

    point: ReviewPoint
    note: str
    by: str
    at: datetime


def review_key(key: str) -> str:
    """Return what a point's mark is kept under."""
    return f"review.{key}"


def review_of(incident: Incident, playbook: Playbook) -> tuple[Reviewed, ...]:
    """Return every point of the review in the playbook's order."""
    return tuple(
        Reviewed(
            part=part,
            place=place,
            point=point,
            mark=incident.marks.get(review_key(f"{part.key}.{place}")),
        )
        for part in playbook.analysis.review
        for place, point in enumerate(part.points, start=1)
    )


def reviewed(incident: Incident, playbook: Playbook, key: str) -> Reviewed | None:
    """Return the point called `key`, None when the playbook has none of that name."""
    return next((one for one in review_of(incident, playbook) if one.key == key), None)


def found_in_review(incident: Incident, playbook: Playbook) -> tuple[Found, ...]:
    """Return what people found, oldest first: what the cause in the record may begin with."""
    found = [
        Found(point=one.point, note=one.mark.why, by=one.mark.by, at=one.mark.at)
        for one in review_of(incident, playbook)
        if one.mark is not None and one.state is StepState.NOT_OK
    ]
    return tuple(sorted(found, key=lambda one: one.at))


def about(shows: Shows, differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Return those of `differences` that belong beside a point."""
    return tuple(one for one in differences if _shown_at(one) is shows)


def _shown_at(difference: Difference) -> Shows:
    if difference.about == "environment":
        return Shows.ENVIRONMENT
    # Of a container beside the one that serves, the name stands in front: ``proxy.ports``.
    name = difference.name.rpartition(".")[2]
    return Shows.NETWORK if name.startswith(_NETWORK) else Shows.RESOURCES
