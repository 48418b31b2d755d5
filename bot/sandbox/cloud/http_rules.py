"""How each RPC is written as an HTTP request: Google's ``google.api.http`` rules of the RPCs we answer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

_VARIABLE = re.compile(r"\{([a-z_.]+)=([^}]+)\}")


@dataclass(frozen=True, kw_only=True)
class HttpRule:
    """One form of one RPC. `body` names the field that the body fills, ``*`` the whole request."""

    rpc: str
    verb: str
    path: str
    body: str = ""

    @cached_property
    def _pattern(self) -> tuple[re.Pattern[str], tuple[str, ...]]:
        pattern, fields, end = "", [], 0
        for variable in _VARIABLE.finditer(self.path):
            fields.append(variable[1])
            pattern += re.escape(self.path[end : variable.start()]) + f"({_segments(variable[2])})"
            end = variable.end()
        return re.compile(pattern + re.escape(self.path[end:])), tuple(fields)

    def match(self, verb: str, path: str) -> Mapping[str, str] | None:
        """Return the fields that `path` holds, by their place in the request; None for another RPC's path."""
        pattern, fields = self._pattern
        found = pattern.fullmatch(path) if verb == self.verb else None
        return dict(zip(fields, map(unquote, found.groups()), strict=True)) if found else None


def _segments(template: str) -> str:
    """Return the pattern of a variable: ``*`` is one segment of a path, ``**`` any number."""
    return "/".join({"*": "[^/:]+", "**": ".+"}.get(one, re.escape(one)) for one in template.split("/"))


_RUN = "/v2/{%s=projects/*/locations/*%s}"
_SERVICE, _OPERATION = "/services/*", "/operations/*"


def _run_rules() -> Iterator[HttpRule]:
    service, revision = _RUN % ("name", _SERVICE), _RUN % ("name", _SERVICE + "/revisions/*")
    yield HttpRule(rpc="GetService", verb="GET", path=service)
    yield HttpRule(rpc="ListServices", verb="GET", path=_RUN % ("parent", "") + "/services")
    yield HttpRule(rpc="UpdateService", verb="PATCH", path=_RUN % ("service.name", _SERVICE), body="service")
    yield HttpRule(rpc="DeleteService", verb="DELETE", path=service)
    yield HttpRule(
        rpc="TestIamPermissions",
        verb="POST",
        path=_RUN % ("resource", _SERVICE) + ":testIamPermissions",
        body="*",
    )
    yield HttpRule(rpc="GetRevision", verb="GET", path=revision)
    yield HttpRule(rpc="ListRevisions", verb="GET", path=_RUN % ("parent", _SERVICE) + "/revisions")
    yield HttpRule(rpc="GetOperation", verb="GET", path=_RUN % ("name", _OPERATION))
    yield HttpRule(rpc="WaitOperation", verb="POST", path=_RUN % ("name", _OPERATION) + ":wait", body="*")


RULES = (
    *_run_rules(),
    HttpRule(rpc="ListLogEntries", verb="POST", path="/v2/entries:list", body="*"),
    HttpRule(rpc="ListTimeSeries", verb="GET", path="/v3/{name=projects/*}/timeSeries"),
    HttpRule(rpc="GetMetricDescriptor", verb="GET", path="/v3/{name=projects/*/metricDescriptors/**}"),
)
