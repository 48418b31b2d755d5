"""Every RPC passes here, over gRPC or REST: recorded, counted, delayed, refused on request, then done."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc

from bot.sandbox.cloud.quotas import Quotas
from bot.sandbox.cloud.rejection import Rejection

Hook = Callable[[str, str], Awaitable[None]]
Effect = Callable[[Any], Awaitable[Any]]


@dataclass(kw_only=True)
class RpcCall:
    """One RPC. `outcome` is empty while it runs, then ``OK`` or the name of a gRPC status code."""

    method: str
    request: Any
    at: datetime
    outcome: str = ""


@dataclass(kw_only=True)
class _Failure:
    method: str
    code: grpc.StatusCode
    detail: str
    times: int
    after_effect: bool


@dataclass(frozen=True, kw_only=True)
class _Rpc:
    effect: Effect
    request_type: Any


class Gate:
    """The one way in. `hook` is awaited with (method, "before"|"after") around each unary effect."""

    def __init__(self, quotas: Quotas) -> None:
        self.calls: list[RpcCall] = []
        self.hook: Hook | None = None
        self._quotas = quotas
        self._rpcs: dict[str, _Rpc] = {}
        self._failures: list[_Failure] = []
        self._delays: dict[str, float] = {}
        self._delay_of_all = 0.0

    def clear(self) -> None:
        """Forget the calls and every failure and delay that was asked for."""
        self.calls.clear()
        self._failures.clear()
        self._delays.clear()
        self._delay_of_all = 0.0
        self._quotas.clear()

    def fail(
        self, method: str, code: grpc.StatusCode, *, detail: str, times: int, after_effect: bool
    ) -> None:
        """Answer the next `times` calls of `method` with `code`, before or after their effect; 0 ends it."""
        if times == 0:
            self._failures = [failure for failure in self._failures if failure.method != method]
            return
        self._failures.append(
            _Failure(method=method, code=code, detail=detail, times=times, after_effect=after_effect)
        )

    def slow(self, method: str, seconds: float) -> None:
        """Let every call of `method` wait before it takes effect; 0 ends that."""
        self._delays[method] = seconds

    def slow_all(self, seconds: float) -> None:
        """Let every call of every method wait so much longer, a tail's beginning as well; 0 ends that."""
        self._delay_of_all = seconds

    def unary(self, method: str, effect: Effect, request_type: Any) -> Any:
        """Return the gRPC handler of a unary RPC that answers with a raw protocol message."""
        self._rpcs[method] = _Rpc(effect=effect, request_type=request_type)

        async def handle(request: Any, context: Any) -> Any:
            try:
                return await self.answer(method, request)
            except Rejection as rejection:
                await context.abort(rejection.code, rejection.detail, rejection.trailing_metadata())

        return grpc.unary_unary_rpc_method_handler(
            handle, request_deserializer=reader(request_type), response_serializer=write
        )

    def request_type(self, method: str) -> Any:
        """Return the message type that `method` takes, wrapped or raw."""
        return self._rpcs[method].request_type

    async def answer(self, method: str, request: Any) -> Any:
        """Return the answer to one call, however it came.

        Raises:
            Rejection: with UNKNOWN where a hook of a test broke off.
        """
        call = self.begin(method, request)
        try:
            answer = await self._through(method, request)
        except Rejection as rejection:
            call.outcome = rejection.code.name
            raise
        except asyncio.CancelledError:
            call.outcome = "CANCELLED"
            raise
        except Exception as broken:
            call.outcome = "UNKNOWN"
            raise Rejection(grpc.StatusCode.UNKNOWN, f"Unexpected {type(broken)}: {broken}") from broken
        call.outcome = "OK"
        return answer

    def begin(self, method: str, request: Any) -> RpcCall:
        """Record a call that has just come in."""
        call = RpcCall(method=method, request=request, at=datetime.now(UTC))
        self.calls.append(call)
        return call

    async def before(self, method: str) -> None:
        """Wait and refuse as asked, ahead of the effect.

        Raises:
            Rejection: a failure was asked for, or the quota is spent.
        """
        self._quotas.spend(method)
        await asyncio.sleep(self._delays.get(method, 0) + self._delay_of_all)
        self._maybe_fail(method, after_effect=False)

    async def _through(self, method: str, request: Any) -> Any:
        await self.before(method)
        await self._tell(method, "before")
        answer = await self._rpcs[method].effect(request)
        await self._tell(method, "after")
        self._maybe_fail(method, after_effect=True)
        return answer

    async def _tell(self, method: str, when: str) -> None:
        if self.hook is not None:
            await self.hook(method, when)

    def _maybe_fail(self, method: str, *, after_effect: bool) -> None:
        for failure in self._failures:
            if failure.method == method and failure.after_effect == after_effect and failure.times > 0:
                failure.times -= 1
                raise Rejection(failure.code, failure.detail)


def reader(message_type: Any) -> Any:
    """Return the deserializer of a wrapped or a raw message type."""
    return message_type.deserialize if hasattr(message_type, "deserialize") else message_type.FromString


def write(message: Any) -> bytes:
    """Serialize a raw protocol message."""
    return bytes(message.SerializeToString())
