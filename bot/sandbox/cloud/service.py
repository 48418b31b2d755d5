"""One emulated Cloud Run service: what was asked for, what is, and the slow way from one to the other."""

import asyncio
import random
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc

from bot.sandbox.cloud.behaviour import Behaviour, Fault
from bot.sandbox.cloud.container import Container
from bot.sandbox.cloud.ingress import Ingress, Line
from bot.sandbox.cloud.operations import Operations
from bot.sandbox.cloud.problems import (
    CONFIGURATIONS,
    READY,
    ROUTES,
    Problem,
    no_such_revision,
    not_ready,
)
from bot.sandbox.cloud.rejection import Rejection
from bot.sandbox.cloud.resources import (
    RECONCILING,
    SUCCEEDED,
    TO_LATEST,
    ServiceMessage,
    StatusMessage,
    TemplateMessage,
    condition,
    etag,
    is_ready,
    new_revision,
    revision_path,
    settle_revision,
    stamp,
    with_activity,
)
from bot.sandbox.cloud.update_rules import check_etag, check_template, check_traffic, merged

#: How long what was deleted can still be listed; Google's number is not published for services.
KEPT_DELETED = timedelta(days=30)

#: Makes a container from service, revision and template.
MakeContainer = Callable[[str, str, Any], Container]
#: Hears of every accepted change: (service, who made it).
OnChange = Callable[[str, str], None]


class Service:
    """A service, its revisions, their containers and its ingress.

    `message` is the whole resource. Its specification changes the moment an update is accepted; its
    observed half follows `Behaviour.settle_seconds` later.
    """

    def __init__(
        self,
        message: Any,
        *,
        behaviour: Behaviour,
        operations: Operations,
        ingress: Ingress,
        containers: dict[str, Container],
        make_container: MakeContainer,
        host: str,
        rng: random.Random,
        on_change: OnChange,
    ) -> None:
        self.message = message
        self.name: str = message.name.rpartition("/")[2]
        self.ingress = ingress
        self.containers = containers
        self.revisions: dict[str, Any] = {}
        self.deleted = False
        #: The generation that was settled last, for better or worse; the newest revision if it failed then.
        self._settled, self._given_up = 0, ""
        self._templates: dict[str, Any] = {}
        self._behaviour = behaviour
        self._operations = operations
        self._make_container = make_container
        self._host = host
        self._rng = rng
        self._on_change = on_change
        self._pending: list[Any] = []
        self._task: asyncio.Task[None] | None = None

    def read(self) -> Any:
        """Return a copy of the resource as GetService shows it."""
        shown = ServiceMessage()
        shown.CopyFrom(self.message)
        return shown

    def read_revisions(self) -> list[Any]:
        """Return the revisions as ListRevisions shows them, newest first."""
        serving = {line.revision for line in self.lines() if line.percent > 0 or line.tag}
        newest_first = sorted(
            self.revisions.items(), key=lambda item: item[1].create_time.ToNanoseconds(), reverse=True
        )
        return [
            with_activity(revision, active=name in serving, at=revision.update_time.ToDatetime(tzinfo=UTC))
            for name, revision in newest_first
        ]

    def lines(self) -> tuple[Line, ...]:
        """Return the observed traffic with LATEST resolved."""
        latest = self.message.latest_ready_revision.rpartition("/")[2]
        return tuple(
            Line(
                revision=latest if status.type_ == TO_LATEST else status.revision,
                percent=status.percent,
                tag=status.tag,
            )
            for status in self.message.traffic_statuses
        )

    def newest(self) -> str:
        """Return the name of the newest revision."""
        return str(self.message.latest_created_revision.rpartition("/")[2])

    def propose(self, sent: Any, mask: Any) -> tuple[Any, str | None]:
        """Return the resource an update would make, and the name of the revision it would create.

        Changes nothing, so it answers `validate_only` too.

        Raises:
            Rejection: as Google would.
        """
        if self._behaviour.enforce_etag:
            check_etag(self.message, sent)
        candidate, touched = merged(self.message, sent, mask)
        if "traffic" in touched:
            check_traffic(self.name, candidate)
        if "template" not in touched:
            return candidate, None
        check_template(self.name, candidate)
        return candidate, self._revision_to_create(candidate.template)

    async def accept(self, candidate: Any, creates: str | None, *, by: str) -> Any:
        """Make `candidate` the specification, begin to settle, and return the unfinished operation."""
        now = datetime.now(UTC)
        self.message.CopyFrom(candidate)
        if creates is not None:
            self.message.template.revision = creates
            self.message.latest_created_revision = revision_path(self.name, creates)
        self.message.generation += 1
        self.message.last_modifier = by
        self.message.update_time.CopyFrom(stamp(now))
        self.message.etag = etag(self.name, self.message.generation, now)
        self._show_reconciling(now)
        self.message.reconciling = True
        operation = self._operations.begin(self.message)
        self._pending.append(operation)
        if creates is not None:
            await self.add_revision(creates, self.message.template, at=now, by=by)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._reconcile())
        self._on_change(self.name, by)
        return operation

    def delete(self, *, by: str) -> Any:
        """Take the service away with its addresses, and return the operation, which has ended."""
        now = datetime.now(UTC)
        self.stop_reconciling()
        self.deleted = True
        self.message.last_modifier = by
        self.message.delete_time.CopyFrom(stamp(now))
        self.message.expire_time.CopyFrom(stamp(now + KEPT_DELETED))
        self.message.reconciling = False
        del self.message.traffic_statuses[:]
        self.ingress.route(())
        self.ingress.gone = True
        operation = self._operations.begin(self.message)
        self._operations.succeed(operation, self.message)
        return operation

    async def add_revision(self, name: str, template: Any, *, at: datetime, by: str) -> None:
        """Create the revision and start its container; it is not Ready yet."""
        kept = TemplateMessage()
        kept.CopyFrom(template)
        kept.revision = name
        self._templates[name] = kept
        self.revisions[name] = new_revision(self.name, name, kept, at=at, creator=by)
        container = self._make_container(self.name, name, kept)
        container.faults |= self._faults_of(kept.containers[0].image)
        self.containers[name] = container
        await container.start(self._host)

    def _faults_of(self, image: str) -> set[Fault]:
        """Return what is wrong with the code of `image`: a new revision of it is as ill as the last one."""
        alike = (
            container
            for name, container in reversed(self.containers.items())
            if self._templates[name].containers[0].image == image
        )
        newest = next(alike, None)
        return newest.faults - {Fault.DOWN} if newest else set()

    async def settle(self) -> None:
        """Make what is observed equal to what is wanted, and end the waiting operations."""
        await self.ingress.open_tags(line.tag for line in self.message.traffic if line.tag)
        self.settle_now()

    def settle_now(self) -> None:
        """Settle; the addresses of the wanted tags are open already."""
        now = datetime.now(UTC)
        self._promote_newest()
        routing, newest = self._routing_problem(), self._newest_problem()
        if routing is None:
            self._observe()
        self.message.reconciling = False
        self._settled = self.message.generation
        if not (self._behaviour.failures_keep_generation and (routing or self._gives_up(newest))):
            self.message.observed_generation = self.message.generation
        self._given_up = self.newest() if newest else ""
        self._show_settled(routing, newest, now)
        self._end_operations(routing or newest)

    def _gives_up(self, newest: Problem | None) -> bool:
        """Return whether the newest revision failed just now, and not in an earlier generation."""
        return newest is not None and self._given_up != self.newest()

    def reset(self, message: Any, *, keep: frozenset[str]) -> None:
        """Take `message` as the whole resource; drop every fault and every revision not in `keep`."""
        self.stop_reconciling()
        self.deleted = self.ingress.gone = False
        self._settled, self._given_up = 0, ""
        self.message.CopyFrom(message)
        for name in self.revisions.keys() - keep:
            self.containers.pop(name).close()
            del self.revisions[name], self._templates[name]
        for container in self.containers.values():
            container.faults.clear()

    def stop_reconciling(self) -> None:
        """Leave everything as it is now."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._pending.clear()

    def new_name(self) -> str:
        """Return a name for the next revision, as Cloud Run makes them up."""
        numbers = [int(name.rsplit("-", 2)[-2]) for name in self.revisions if name[-9:-4].isdigit()]
        letters = "".join(self._rng.choices(string.ascii_lowercase, k=3))
        return f"{self.name}-{max(numbers, default=0) + 1:05d}-{letters}"

    def _revision_to_create(self, template: Any) -> str | None:
        if not template.revision:
            return self.new_name()
        existing = self._templates.get(template.revision)
        if existing is None:
            return str(template.revision)
        if existing != template:
            raise Rejection(
                grpc.StatusCode.ALREADY_EXISTS,
                f"Revision named '{template.revision}' with different configuration already exists.",
            )
        return None

    async def _reconcile(self) -> None:
        while self._settled < self.message.generation:
            goal = self.message.generation
            await self._start_revisions()
            await asyncio.sleep(max(self._behaviour.settle_seconds, 0.01))
            if self.message.generation == goal and not self._behaviour.never_settle:
                await self.settle()

    async def _start_revisions(self) -> None:
        starting = [revision for revision in self.revisions.values() if revision.reconciling]
        if not starting:
            return
        await asyncio.sleep(self._behaviour.start_seconds)
        problem = "The user-provided container failed to start and listen on the port."
        for revision in starting:
            if self._behaviour.new_revisions_fail:
                self.containers[revision.name.rpartition("/")[2]].fail_to_start()
            settle_revision(
                revision, at=datetime.now(UTC), problem=problem if self._behaviour.new_revisions_fail else ""
            )

    def _promote_newest(self) -> None:
        if is_ready(self.revisions[self.newest()]):
            self.message.latest_ready_revision = self.message.latest_created_revision

    def _routing_problem(self) -> Problem | None:
        """Return what keeps the wanted traffic from being served."""
        for name in sorted({line.revision for line in self.message.traffic if line.type_ != TO_LATEST}):
            if name not in self.revisions:
                return no_such_revision(name)
            if not is_ready(self.revisions[name]):
                return not_ready(name)
        return None

    def _newest_problem(self) -> Problem | None:
        """Return what is wrong with the newest revision; it spoils the service's condition only."""
        newest = self.newest()
        return None if is_ready(self.revisions[newest]) else not_ready(newest)

    def _observe(self) -> None:
        del self.message.traffic_statuses[:]
        for line in self.message.traffic:
            status = StatusMessage(
                type_=line.type_, revision=line.revision, percent=line.percent, tag=line.tag
            )
            status.uri = self.ingress.tag_uris.get(line.tag, "")
            self.message.traffic_statuses.append(status)
        self.ingress.route(self.lines())
        self._cool_down()

    def _cool_down(self) -> None:
        """Let revisions without traffic lose their instances, minimum or not."""
        serving = {line.revision for line in self.lines() if line.percent > 0}
        for name in self.containers.keys() - serving:
            self.containers[name].starting.cool_down()

    def _show_reconciling(self, at: datetime) -> None:
        self._show(at, **dict.fromkeys((READY, ROUTES, CONFIGURATIONS), RECONCILING))

    def _show_settled(self, routing: Problem | None, newest: Problem | None, at: datetime) -> None:
        found = {READY: routing or newest, ROUTES: routing, CONFIGURATIONS: newest}
        self._show(at, **{kind: problem or SUCCEEDED for kind, problem in found.items()})

    def _show(self, at: datetime, **found: "int | Problem") -> None:
        """Show every condition of `found`, a state or a problem by type, as Google does: Ready apart."""
        shown = {
            kind: condition(kind, one, at=at) if isinstance(one, int) else one.condition(kind, at)
            for kind, one in found.items()
        }
        self.message.terminal_condition.CopyFrom(shown.pop(READY))
        del self.message.conditions[:]
        self.message.conditions.extend(shown.values())

    def _end_operations(self, problem: Problem | None) -> None:
        for operation in self._pending:
            if problem is None:
                self._operations.succeed(operation, self.message)
            else:
                self._operations.fail(operation, self.message, code=problem.code, message=problem.message)
        self._pending.clear()
