"""One emulated Cloud Run service: what was asked for, what is, and the slow way from one to the other."""

import asyncio
import random
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import grpc

from bot.sandbox.cloud.behaviour import Behaviour, Fault
from bot.sandbox.cloud.container import Container
from bot.sandbox.cloud.ingress import Ingress, Line
from bot.sandbox.cloud.operations import Operations
from bot.sandbox.cloud.rejection import Rejection
from bot.sandbox.cloud.resources import (
    FAILED,
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

#: google.rpc.Code
FAILED_PRECONDITION = 9
INTERNAL = 13

#: Makes a container from service, revision and template.
MakeContainer = Callable[[str, str, Any], Container]


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
    ) -> None:
        self.message = message
        self.name: str = message.name.rpartition("/")[2]
        self.ingress = ingress
        self.containers = containers
        self.revisions: dict[str, Any] = {}
        self._templates: dict[str, Any] = {}
        self._behaviour = behaviour
        self._operations = operations
        self._make_container = make_container
        self._host = host
        self._rng = rng
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
        self._show(RECONCILING, now, message="")
        self.message.reconciling = True
        operation = self._operations.begin(self.message)
        self._pending.append(operation)
        if creates is not None:
            await self.add_revision(creates, self.message.template, at=now, by=by)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._reconcile())
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
        problem = self._routing_problem()
        if problem is None:
            self._observe()
            problem = self._newest_problem()
        self.message.reconciling = False
        self.message.observed_generation = self.message.generation
        self._show(FAILED if problem else SUCCEEDED, now, message=problem[1] if problem else "")
        self._end_operations(problem)

    def reset(self, message: Any, *, keep: frozenset[str]) -> None:
        """Take `message` as the whole resource; drop every fault and every revision not in `keep`."""
        self.stop_reconciling()
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
        while self.message.observed_generation < self.message.generation:
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

    def _routing_problem(self) -> tuple[int, str] | None:
        """Return the google.rpc.Code and sentence of what keeps the wanted traffic from being served."""
        for name in sorted({line.revision for line in self.message.traffic if line.type_ != TO_LATEST}):
            if name not in self.revisions:
                return INTERNAL, (
                    f"Revision '{name}' does not exist or is deleted. "
                    "Update all traffic to route to currently available revisions."
                )
            if not is_ready(self.revisions[name]):
                return _not_ready(name)
        return None

    def _newest_problem(self) -> tuple[int, str] | None:
        """Return what is wrong with the newest revision; it spoils the service's condition only."""
        newest = self.newest()
        return None if is_ready(self.revisions[newest]) else _not_ready(newest)

    def _observe(self) -> None:
        del self.message.traffic_statuses[:]
        for line in self.message.traffic:
            status = StatusMessage(
                type_=line.type_, revision=line.revision, percent=line.percent, tag=line.tag
            )
            status.uri = self.ingress.tag_uris.get(line.tag, "")
            self.message.traffic_statuses.append(status)
        self.ingress.route(self.lines())

    def _show(self, state: int, at: datetime, *, message: str) -> None:
        self.message.terminal_condition.CopyFrom(condition("Ready", state, at=at, message=message))
        del self.message.conditions[:]
        for kind in ("RoutesReady", "ConfigurationsReady"):
            self.message.conditions.append(condition(kind, state, at=at, message=message))

    def _end_operations(self, problem: tuple[int, str] | None) -> None:
        for operation in self._pending:
            if problem is None:
                self._operations.succeed(operation, self.message)
            else:
                self._operations.fail(operation, self.message, code=problem[0], message=problem[1])
        self._pending.clear()


def _not_ready(revision: str) -> tuple[int, str]:
    return FAILED_PRECONDITION, f"Revision '{revision}' is not ready and cannot serve traffic."
