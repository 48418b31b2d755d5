"""A gRPC server that answers Monitoring's and Logging's lists exactly as a test says."""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.cloud import monitoring_v3
from google.cloud.logging_v2.types import (
    ListLogEntriesRequest,
    ListLogEntriesResponse,
    TailLogEntriesRequest,
    TailLogEntriesResponse,
)

#: Takes a request and returns (or awaits) an answer, or the status code to fail with.
Script = Callable[[Any], Any]
#: Takes a tail's request and yields its answers, and at last perhaps a status code to fail with.
TailScript = Callable[[Any], AsyncIterator[Any]]


class ScriptedGoogle:
    """Records every request in `requests`, its bearer token in `tokens`, and answers it by `script`.

    Tails are recorded in `tails` and answered by `tail_script`.
    """

    def __init__(self, script: Script, tail_script: TailScript | None = None) -> None:
        self.script = script
        self.tail_script = tail_script
        self.tails: list[Any] = []
        self.requests: list[Any] = []
        self.tokens: list[str | None] = []
        self.address = ""

    async def _answer(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        self.tokens.append(dict(context.invocation_metadata()).get("authorization"))
        answer = self.script(request)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, grpc.StatusCode):
            await context.abort(answer, "Google's sentence")
        return answer

    async def _tail(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        request = await anext(aiter(requests))
        self.tails.append(request)
        if self.tail_script is None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Google's sentence")
            return
        async for answer in self.tail_script(request):
            if isinstance(answer, grpc.StatusCode):
                await context.abort(answer, "Google's sentence")
            yield answer

    def handlers(self) -> tuple[Any, ...]:
        """Return the gRPC handlers of both lists."""
        return (
            _service(
                "google.monitoring.v3.MetricService",
                "ListTimeSeries",
                self._answer,
                monitoring_v3.ListTimeSeriesRequest,
                monitoring_v3.ListTimeSeriesResponse,
            ),
            grpc.method_handlers_generic_handler(
                "google.logging.v2.LoggingServiceV2",
                {
                    "ListLogEntries": grpc.unary_unary_rpc_method_handler(
                        self._answer,
                        request_deserializer=ListLogEntriesRequest.deserialize,
                        response_serializer=ListLogEntriesResponse.serialize,
                    ),
                    "TailLogEntries": grpc.stream_stream_rpc_method_handler(
                        self._tail,
                        request_deserializer=TailLogEntriesRequest.deserialize,
                        response_serializer=TailLogEntriesResponse.serialize,
                    ),
                },
            ),
        )


def _service(name: str, method: str, answer: Any, request: Any, response: Any) -> Any:
    handler = grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=request.deserialize, response_serializer=response.serialize
    )
    return grpc.method_handlers_generic_handler(name, {method: handler})


@asynccontextmanager
async def scripted_google(
    script: Script,
    *,
    tail_script: TailScript | None = None,
    tls: grpc.ServerCredentials | None = None,
) -> AsyncIterator[ScriptedGoogle]:
    """Run the server on a free port of this machine, plaintext unless `tls` is given."""
    google = ScriptedGoogle(script, tail_script)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(google.handlers())
    anywhere = "127.0.0.1:0"
    port = server.add_secure_port(anywhere, tls) if tls else server.add_insecure_port(anywhere)
    google.address = f"127.0.0.1:{port}"
    await server.start()
    try:
        yield google
    finally:
        await server.stop(grace=None)
