"""Long-running operations: one for each accepted update."""

import asyncio
import uuid
from typing import Any

from google.longrunning import operations_pb2

from bot.sandbox.cloud.resources import LOCATION


class Operations:
    """Every operation since the last reset, by full name."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        self._ended: dict[str, asyncio.Event] = {}

    def clear(self) -> None:
        """Forget every operation."""
        self._known.clear()
        self._ended.clear()

    def begin(self, service: Any) -> Any:
        """Return a new, unfinished operation on `service` (its message then, as metadata)."""
        operation = operations_pb2.Operation(name=f"{LOCATION}/operations/{uuid.uuid4()}")
        operation.metadata.Pack(service)
        self._known[operation.name] = operation
        self._ended[operation.name] = asyncio.Event()
        return operation

    def succeed(self, operation: Any, service: Any) -> None:
        """End `operation` with `service` as it is now."""
        operation.response.Pack(service)
        self._end(operation, service)

    def fail(self, operation: Any, service: Any, *, code: int, message: str) -> None:
        """End `operation` with an error; `code` is a google.rpc.Code."""
        operation.error.code = code
        operation.error.message = message
        self._end(operation, service)

    def find(self, name: str) -> Any | None:
        """Return the operation of that name."""
        return self._known.get(name)

    async def wait(self, name: str, *, timeout_seconds: float) -> None:
        """Return when the operation has ended or the time is up."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._ended[name].wait()
        except TimeoutError:
            return

    def _end(self, operation: Any, service: Any) -> None:
        operation.done = True
        operation.metadata.Pack(service)
        ended = self._ended.get(operation.name)
        if ended is not None:
            ended.set()
