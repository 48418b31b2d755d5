"""Google's JSON and its protocol messages: requests from path, query and body, answers and errors back."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from bot.sandbox.cloud.rejection import Rejection, invalid

#: Source: google.rpc.Code, "HTTP Mapping". 499 has no name in HTTP.
HTTP_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.FAILED_PRECONDITION: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.OUT_OF_RANGE: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    grpc.StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    grpc.StatusCode.ABORTED: HTTPStatus.CONFLICT,
    grpc.StatusCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    grpc.StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    grpc.StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
}
#: Parameters of every Google API, none of them a field of the request.
#: Source: Google Cloud, "System parameters".
_SYSTEM = frozenset({"alt", "fields", "key", "prettyPrint", "quotaUser", "access_token", "oauth_token"})
_NUMERIC_ENUMS = "json;enum-encoding=int"
_BAD_JSON = "Invalid JSON payload received. "


def request_of(
    message: Any,
    *,
    body_field: str,
    body: bytes,
    path: Mapping[str, str],
    query: Iterable[tuple[str, str]],
) -> None:
    """Fill the raw protocol `message` from an HTTP request, whose path holds `path` by field.

    Raises:
        Rejection: INVALID_ARGUMENT, in Google's words where they are known.
    """
    whole = _body(body) if body_field else {}
    fields: dict[str, Any] = whole if body_field in ("", "*") else {body_field: whole}
    for name, value in query:
        if name not in _SYSTEM and not name.startswith("$"):
            _put_parameter(fields, message.DESCRIPTOR, name, value)
    for place, value in path.items():
        _put(fields, place.split("."), value)
    try:
        json_format.ParseDict(fields, message)
    except json_format.ParseError as error:
        raise invalid(f"{_BAD_JSON}{error}") from error


def answer_of(message: Any, query: Iterable[tuple[str, str]]) -> bytes:
    """Return the raw protocol `message` as Google's JSON, enums in numbers if ``$alt`` asks for them."""
    numeric = any(name in ("alt", "$alt") and value == _NUMERIC_ENUMS for name, value in query)
    return str(json_format.MessageToJson(message, use_integers_for_enums=numeric, indent=None)).encode()


def error_of(rejection: Rejection) -> tuple[int, bytes]:
    """Return the HTTP status and the JSON of a refusal."""
    status = int(HTTP_STATUS.get(rejection.code, HTTPStatus.INTERNAL_SERVER_ERROR))
    error = json_format.MessageToDict(rejection.status())
    error |= {"code": status, "message": rejection.detail, "status": rejection.code.name}
    return status, json.dumps({"error": error}).encode()


def _body(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body or b"{}")
    except ValueError as error:
        raise invalid(f"{_BAD_JSON}{error}") from error
    if not isinstance(read, dict):
        raise invalid(f"{_BAD_JSON}Root element must be a message.")
    return read


def _put_parameter(fields: dict[str, Any], message: Descriptor, name: str, value: str) -> None:
    """Put one query parameter, ``a.b`` for a field of a field, where a body would have it."""
    *parents, last = name.split(".")
    place = []
    for part in parents:
        field = _field(message, part, name)
        place.append(field.name)
        message = field.message_type
    field = _field(message, last, name)
    read: Any = value == "true" if field.type == FieldDescriptor.TYPE_BOOL else value
    _put(fields, [*place, field.name], read, repeated=field.is_repeated)


def _field(message: Descriptor | None, part: str, name: str) -> FieldDescriptor:
    """Return the field of `message` that is called `part`, as in JSON or as in the description."""
    if message is not None:
        for field in message.fields:
            if part in (field.name, field.json_name):
                return field
    raise invalid(
        f'{_BAD_JSON}Unknown name "{name}": Cannot bind query parameter. '
        f"Field '{name}' could not be found in request message."
    )


def _put(fields: dict[str, Any], place: list[str], value: Any, *, repeated: bool = False) -> None:
    *parents, last = place
    for parent in parents:
        fields = fields.setdefault(parent, {})
        if not isinstance(fields, dict):
            raise invalid(f"{_BAD_JSON}'{parent}' is given twice, once as a whole.")
    if repeated:
        fields.setdefault(last, []).append(value)
    else:
        fields[last] = value
