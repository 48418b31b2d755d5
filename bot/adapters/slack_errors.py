"""How a call to Slack can go wrong, sorted by what may be done next."""

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError

#: No answer came: nobody knows whether the call took effect.
NO_ANSWER = (aiohttp.ClientError, SlackRequestError, OSError, TimeoutError, ValueError)
#: Codes of Slack's own failures. The documentation of ``fatal_error`` and ``internal_error`` says that
#: some of the call may have been carried out.
_OWN_FAILURES = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})


def code_of(error: SlackApiError) -> str | None:
    """Return Slack's error code; None when the answer was not one of Slack's, such as a proxy's page."""
    code = error.response.get("error") if hasattr(error.response, "get") else None
    return code if isinstance(code, str) else None


def status_of(error: SlackApiError) -> int:
    """Return the HTTP status. An answer that is no JSON comes as the HTTP library's own response."""
    response = error.response
    return int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)


def retry_after_seconds(error: SlackApiError) -> float | None:
    """Return how long Slack wants to be left alone; None unless it limits us. Nothing was done then."""
    if status_of(error) != 429 and code_of(error) != "ratelimited":
        return None
    try:
        return max(float(error.response.headers.get("Retry-After", "1")), 0.0)
    except (AttributeError, ValueError):
        return 1.0


def file_not_ready(error: SlackApiError) -> bool:
    """True when a block shows a file that Slack has taken but not looked at yet: an upload ends before that.

    Source: the answer ``invalid slack file [json-pointer:/blocks/0/slack_file]`` in slackapi/python-slack-sdk
    issue 1658, and the maintainers' words on the order of things in slackapi/slack-github-action issue 413.
    """
    lines = error.response.get("errors") if hasattr(error.response, "get") else None
    named = isinstance(lines, list) and any("/slack_file" in str(line) for line in lines)
    return code_of(error) == "invalid_blocks" and named


def may_pass(error: SlackApiError) -> bool:
    """True when Slack failed rather than refused: the call may have taken effect, and may work next time."""
    code = code_of(error)
    return status_of(error) >= 500 or code is None or code in _OWN_FAILURES
