"""The switches of the sandbox's cloud: what can be made slow, late, strict or broken."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum


class Fault(StrEnum):
    """What can be wrong with a revision. Numbers from the guide's five scenarios."""

    #: 5 % of the requests to ``/api/...`` are answered with a 500.
    ERRORS = "errors"
    #: P95 goes from 150 ms to 800 ms.
    SLOW = "slow"
    #: The container crashed: connections are cut, so its callers see a 503 from the ingress.
    DOWN = "down"
    #: Memory climbs from 60 % to 95 %, then more slowly to the limit, in every instance alike. There Cloud
    #: Run kills them, and new ones begin again.
    LEAK = "leak"
    #: Whoever it serves loses what they had written before. Answers stay 200, and its log says nothing.
    LOST = "lost"
    #: One endpoint answers as late as with `SLOW`, the others as ever.
    SLOW_ONE = "slow_one"


#: What a rollback needs, and the reads beside it.
ALL_PERMISSIONS = frozenset(
    {
        "run.services.get",
        "run.services.list",
        "run.services.update",
        "run.revisions.get",
        "run.revisions.list",
        "run.operations.get",
    }
)


@dataclass
class Behaviour:
    """How Google behaves. Change any field while the sandbox runs; it counts from then on.

    Cloud Run:
        settle_seconds: from an accepted traffic change until `traffic_statuses` and the splitter follow.
        start_seconds: from a new revision's creation until it is Ready (before traffic settles on it).
        never_settle: services stay `reconciling` for as long as this is True.
        new_revisions_fail: new revisions never become Ready; their operation ends with an error.
        enforce_etag: a stale etag is ABORTED. Real v2 reportedly ignores it, hence the default.
        forbid_operations: GetOperation and WaitOperation answer PERMISSION_DENIED.
        granted_permissions: what TestIamPermissions reports; without ``run.services.get`` or
            ``run.services.update`` those calls are refused too.
        refused_permissions: what is missing although it was granted, of any service, such as
            ``run.operations.get``, ``monitoring.timeSeries.list`` or ``iam.serviceaccounts.actAs``: the calls
            that need it are refused.
        run_reads_per_minute, run_writes_per_minute: more are RESOURCE_EXHAUSTED; 0 is no limit. A new project
            at Google has 600 and 30.
        failures_keep_generation: a generation that could not be brought to serve is never observed, as
            Google's description of ``reconciling`` has it.
        cold_start_seconds: what requests wait for at a revision that had no traffic, until an instance is up.
        baseline_error_ratio: share of ``/api/...`` requests that fail on a healthy revision, 0 to 1.
        leak_per_minute: how much of its memory limit a leaking container loses each minute, 0 to 1, until
            95 % are full; then a fifth of that.

    Cloud Monitoring:
        sample_seconds: length of one sample.
        visible_after_seconds: how late a sample is seen (Google: 120 to 240).
        metric_lags: how late single metrics are seen, seconds by metric type; the others have
            `visible_after_seconds`.
        newest_grows_seconds: for so long after it is first seen, a sample shows half of what it will.
        interpolates_gaps: ALIGN_DELTA and ALIGN_RATE make up a period without data between two with some.
        execution_errors: answers carry this error, and half of the series; empty is off.
        no_series: answer with no time series at all.
        metric_reads_per_minute: more are RESOURCE_EXHAUSTED; 0 is no limit.

    Cloud Logging:
        log_lag_seconds: from the end of a request until its entry can be read.
        log_late_ratio, log_late_seconds: share of the entries that can be read so much later, 0 to 1.
        log_reads_per_minute: more listings are RESOURCE_EXHAUSTED; 0 is no limit. Google has 60.
        audit_log: changes of services are in the log, with who made them.
        empty_log_page: the first page of every listing is empty, with a token.
        not_consumed: entries the tail says its reader was too slow for, in each response; 0 is off.
        suppressed: entries the tail says it suppressed in each response; 0 is off.
        tail_withholds: share of the entries that the tail really suppresses, and says so, 0 to 1.
        tail_repeats: the tail sends every entry twice, the second time in the next response.
        tail_late_ratio, tail_late_seconds: share of the entries that the tail sends so much later.
        tail_drops_after_seconds: the tail breaks off with UNAVAILABLE so long after it was opened; 0 is off.
        clock_ahead_seconds: how far in the future entries are stamped.
    """

    settle_seconds: float = 2.0
    start_seconds: float = 1.0
    never_settle: bool = False
    new_revisions_fail: bool = False
    enforce_etag: bool = False
    forbid_operations: bool = False
    granted_permissions: frozenset[str] = field(default=ALL_PERMISSIONS)
    refused_permissions: frozenset[str] = frozenset()
    run_reads_per_minute: int = 0
    run_writes_per_minute: int = 0
    failures_keep_generation: bool = True
    cold_start_seconds: float = 0.0
    baseline_error_ratio: float = 0.0
    leak_per_minute: float = 0.08
    sample_seconds: float = 60.0
    visible_after_seconds: float = 120.0
    metric_lags: Mapping[str, float] = field(default_factory=dict)
    newest_grows_seconds: float = 0.0
    interpolates_gaps: bool = False
    execution_errors: str = ""
    no_series: bool = False
    metric_reads_per_minute: int = 0
    log_lag_seconds: float = 1.0
    log_late_ratio: float = 0.0
    log_late_seconds: float = 0.0
    log_reads_per_minute: int = 0
    audit_log: bool = True
    empty_log_page: bool = False
    not_consumed: int = 0
    suppressed: int = 0
    tail_withholds: float = 0.0
    tail_repeats: bool = False
    tail_late_ratio: float = 0.0
    tail_late_seconds: float = 0.0
    tail_drops_after_seconds: float = 0.0
    clock_ahead_seconds: float = 0.0

    def lag_of(self, metric: str) -> float:
        """Return how late a sample of the metric type `metric` is seen, seconds."""
        return self.metric_lags.get(metric, self.visible_after_seconds)

    def copy_from(self, other: "Behaviour") -> None:
        """Take over every switch of `other`, in place: others may hold this very object."""
        for one in fields(self):
            setattr(self, one.name, getattr(other, one.name))
