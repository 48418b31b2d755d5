"""Why the gate turns a request away, and with which status."""

from enum import Enum
from http import HTTPStatus


class Refusal(Enum):
    """A reason: the HTTP status, and the few words that the caller gets to read."""

    WRONG_PATH = HTTPStatus.NOT_FOUND, "nothing here"
    WRONG_METHOD = HTTPStatus.METHOD_NOT_ALLOWED, "POST only"
    QUERY_STRING = HTTPStatus.BAD_REQUEST, "unexpected query string"
    DUPLICATE_HEADER = HTTPStatus.BAD_REQUEST, "duplicate header"
    UNEXPECTED_HEADER = HTTPStatus.BAD_REQUEST, "unexpected header"
    CONTENT_TYPE = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported content type"
    CONTENT_ENCODING = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported content encoding"
    CONTENT_LENGTH = HTTPStatus.BAD_REQUEST, "wrong content length"
    UNSIGNED = HTTPStatus.UNAUTHORIZED, "not signed"
    TIMESTAMP = HTTPStatus.UNAUTHORIZED, "malformed timestamp"
    STALE = HTTPStatus.UNAUTHORIZED, "timestamp too far from now"
    SIGNATURE = HTTPStatus.UNAUTHORIZED, "wrong signature"
    TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large"
    TOO_SLOW = HTTPStatus.REQUEST_TIMEOUT, "too slow"
    MALFORMED = HTTPStatus.BAD_REQUEST, "malformed body"
    WRONG_APP = HTTPStatus.FORBIDDEN, "for another app"
    WRONG_TEAM = HTTPStatus.FORBIDDEN, "for another team"

    def __init__(self, status: HTTPStatus, words: str) -> None:
        self.status = status
        self.words = words


class Refused(Exception):
    """This request goes no further. `facts` are numbers for the log, never text from the request."""

    def __init__(self, refusal: Refusal, **facts: int) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal
        self.facts = facts
