"""Cloud Run's request log in Cloud Logging: the client, the filters, and what one entry says.

What the log is read for, in one window or as it comes in, is in `cloud_logging` and `log_stream`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.adapters.google import quoted
from bot.adapters.probe import AGENT
from bot.domain.readings import Side
from bot.domain.traffic import SideAddress

if TYPE_CHECKING:
    from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient

#: Returns the client of one project's log; may raise what Google's libraries raise.
Connect = Callable[[], Awaitable["LoggingServiceV2AsyncClient"]]

#: Google rejects more.
PAGE_SIZE = 1000
#: For one call: pages are few (see `log_reads`), and the event loop has other work.
MOST_ENTRIES = 5000
#: For one page.
PAGE_SECONDS = 10.0


def logging_client() -> "type[LoggingServiceV2AsyncClient]":
    """Import the client; for `GoogleConnection.client`."""
    # Not `logging.Client`: that one slips ``timestamp>="now-24h"`` into filters, and cannot be
    # pointed at a plaintext address.
    from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2AsyncClient

    return LoggingServiceV2AsyncClient


def list_request(project: str, written: str, *, page_size: int, newest_first: bool = True) -> Any:
    """Return a request for the entries that the filter `written` lets through."""
    from google.cloud.logging_v2.types import ListLogEntriesRequest

    return ListLogEntriesRequest(
        resource_names=[f"projects/{project}"],
        filter=written,
        order_by="timestamp desc" if newest_first else "timestamp asc",
        page_size=min(page_size, PAGE_SIZE),
    )


def request_log_filter(
    project: str, region: str, addresses: Mapping[Side, SideAddress], *, since: datetime, until: datetime
) -> str:
    """Return the filter for the request log of `addresses`, ``since`` <= t < ``until``.

    They may be of two services. Where both are told apart by their revisions, only those are let through.
    """
    services = list(dict.fromkeys(address.service for address in addresses.values()))
    revisions = [address.revision for address in addresses.values()]
    conditions = [
        *_request_log(project),
        f"resource.labels.location={quoted(region)}",
        _either("resource.labels.service_name", services),
        _NOT_OUR_PROBES,
    ]
    # One side may be its service as a whole; then no revision is left out.
    if all(revisions):
        conditions.append(_either("resource.labels.revision_name", [r for r in revisions if r]))
    return " AND ".join([*conditions, within(since, until)])


def services_filter(project: str, services: Iterable[tuple[str, str]]) -> str:
    """Return the filter for the request log of several services, each as (region, name), at any time."""
    names: dict[str, list[str]] = {}
    for region, name in sorted(services):
        names.setdefault(region, []).append(name)
    places = " OR ".join(
        f"(resource.labels.location={quoted(region)} AND {_either('resource.labels.service_name', mine)})"
        for region, mine in names.items()
    )
    return " AND ".join([*_request_log(project), f"({places})", _NOT_OUR_PROBES])


def within(since: datetime, until: datetime) -> str:
    """Return the condition ``since`` <= t < ``until``."""
    return f"timestamp>={quoted(_rfc3339(since))} AND timestamp<{quoted(_rfc3339(until))}"


def _request_log(project: str) -> list[str]:
    return [
        f"logName={quoted(f'projects/{project}/logs/run.googleapis.com%2Frequests')}",
        'resource.type="cloud_run_revision"',
    ]


#: What nobody else asked for must not stand for what users see. By NOT, because a comparison with a
#: missing field is false, and not every user names an agent.
_NOT_OUR_PROBES = f"NOT httpRequest.userAgent:{quoted(AGENT)}"


def _either(field: str, values: Sequence[str]) -> str:
    conditions = [f"{field}={quoted(value)}" for value in values]
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(slots=True, kw_only=True)
class Answered:
    """One request as the log tells it. Times are seconds since the epoch; 0 where the entry has none.

    `latency_ms` is None where it is not written, and negative where Google wrote nonsense. Not frozen,
    because that makes it three times as slow to make, and there is one for every request of the users.
    """

    service: str
    revision: str
    region: str
    at: float
    received: float
    status: int
    latency_ms: float | None
    insert_id: str


def answered(entry: Any) -> Answered | None:
    """Read a log entry (a bare protobuf message: wrappers cost the event loop much more).

    None when it is not about a request.
    """
    if not entry.HasField("http_request"):
        return None
    labels, answer = entry.resource.labels, entry.http_request
    return Answered(
        service=labels.get("service_name", ""),
        revision=labels.get("revision_name", ""),
        region=labels.get("location", ""),
        at=_seconds(entry.timestamp),
        received=_seconds(entry.receive_timestamp),
        status=answer.status,
        latency_ms=latency_ms(answer),
        insert_id=entry.insert_id,
    )


def requests_in(entries: Any) -> list[Answered]:
    """Read those of `entries` that are about requests."""
    return [seen for entry in entries if (seen := answered(entry)) is not None]


def latency_ms(answer: Any) -> float | None:
    """Return the latency of an entry's ``http_request`` in milliseconds, None where it is not written."""
    return answer.latency.ToMicroseconds() / 1000 if answer.HasField("latency") else None


def is_error(status: int) -> bool:
    """True for class 5xx; 4xx is the caller's mistake."""
    return 500 <= status <= 599


def belongs(labels: Mapping[str, str], address: SideAddress) -> bool:
    """True when an entry with these resource labels is of the side at `address`."""
    if labels.get("service_name") != address.service:
        return False
    return address.revision is None or labels.get("revision_name") == address.revision


def _seconds(moment: Any) -> float:
    return float(moment.seconds + moment.nanos / 1e9)
