"""Log records as protocol messages."""

from typing import Any

from google.cloud.audit import audit_log_pb2
from google.cloud.logging_v2.types import LogEntry

from bot.sandbox.cloud.audit import SERVICE, ChangeAsked
from bot.sandbox.cloud.log_store import LogRecord
from bot.sandbox.cloud.metric_types import RESOURCE_TYPE
from bot.sandbox.names import PROJECT, REGION

EntryMessage: Any = LogEntry.pb()


def entry(record: LogRecord) -> Any:
    """Return `record` as a LogEntry."""
    message = EntryMessage(
        log_name=record.log_name, severity=record.severity, insert_id=record.insert_id, trace=record.trace
    )
    message.timestamp.FromNanoseconds(_nanoseconds(record.timestamp))
    message.receive_timestamp.FromNanoseconds(_nanoseconds(record.received))
    message.resource.type = RESOURCE_TYPE
    message.resource.labels.update(
        project_id=PROJECT,
        location=REGION,
        service_name=record.service,
        revision_name=record.revision,
        configuration_name=record.service,
    )
    if record.text is not None:
        message.text_payload = record.text
    if record.json is not None:
        message.json_payload.update(record.json)
    if record.request is not None:
        _request(message.http_request, record)
    if record.change is not None:
        message.proto_payload.Pack(_audit(record.change))
        message.operation.id = record.change.operation
        message.operation.producer = SERVICE if record.change.operation else ""
        message.operation.first = bool(record.change.operation)
    return message


def _audit(change: ChangeAsked) -> Any:
    message = audit_log_pb2.AuditLog(
        service_name=SERVICE, method_name=change.method, resource_name=change.resource
    )
    message.authentication_info.principal_email = change.principal
    message.status.code = change.code
    message.status.message = change.message
    return message


def _request(message: Any, record: LogRecord) -> None:
    seen = record.request
    assert seen is not None
    message.request_method = seen.method
    message.request_url = seen.url
    message.status = seen.status
    message.user_agent = seen.user_agent
    message.remote_ip = seen.client
    message.protocol = "HTTP/1.1"
    message.latency.FromNanoseconds(_nanoseconds(seen.latency_ms / 1000))


def _nanoseconds(seconds: float) -> int:
    """Return whole microseconds in nanoseconds: a float second holds no more."""
    return round(seconds * 1e6) * 1000
