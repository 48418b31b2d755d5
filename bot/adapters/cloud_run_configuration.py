"""How one side is configured: Cloud Run's messages as settings in ``gcloud``'s words, secrets replaced."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.adapters.cloud_run_messages import bare
from bot.domain.configuration import Configuration
from bot.domain.ids import RevisionName, ServiceName
from bot.domain.redaction import Redacted, redact, redact_named

if TYPE_CHECKING:
    from google.cloud import run_v2

    Container = run_v2.Container

#: What stands for a value whose name says that it is a secret.
HIDDEN = "[secret]"
#: Words in a variable's name that say so, each also in the plural. More than redaction of texts goes by:
#: what is set in an environment is a value for certain, and one hidden too many costs least here.
_TELLING = frozenset(
    {
        "apikey", "auth", "authorization", "bearer", "cookie", "credential", "creds", "dsn", "hmac", "jwt",
        "key", "pass", "passcode", "passphrase", "passwd", "password", "pat", "pwd", "salt", "secret",
        "signature", "token",
    }
)  # fmt: skip
#: Joined to what comes before, as in ``DBPASSWORD``; short words would be found in innocent ones.
_TELLING_ENDS = ("apikey", "connectionstring", "credentials", "password", "passwd", "secret", "token")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
#: ``AUTH_ENABLED=true`` keeps nothing secret.
_SWITCH = re.compile(r"true|false|on|off|yes|no|enabled|disabled|none|null|0|1", re.IGNORECASE)
#: ``MAX_TOKENS=4096`` counts tokens and is none.
_COUNTED = frozenset({"tokens", "keys"})
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]+)?")
#: ``--db-password=…`` in a command line; where the value is an argument of its own, so is the name.
_OPTION = re.compile(r"-{1,2}([A-Za-z][\w.-]*)(?:=(.*))?", re.DOTALL)
#: Where people write what they like. Everything else are Google's own names, numbers and times, which
#: a search for secrets would only maim: a digest is as good as a card number to it.
_FREE_TEXT = frozenset({"value", "command", "args", "labels", "annotations", "description", "message"})
_NAMED_VALUES = frozenset({"labels", "annotations", "environmentVariables"})
_COMMAND_LINES = frozenset({"command", "args"})
#: Labels that Google's own tools set, on the side.
_GOOGLES = re.compile(r"googleapis\.com/|knative\.dev/|cloud\.google\.com/|^goog-")


def configuration(
    service: "run_v2.Service", revision: "run_v2.Revision | None", *, read_at: datetime
) -> Configuration:
    """Return how `revision` of `service` is configured, secrets replaced and counted.

    Without a revision (none was ever ready) it is the service's template, the next revision to be.
    """
    source = revision or service.template
    document, redacted = _document(service, revision)
    return Configuration(
        service=ServiceName(bare(service.name)),
        revision=RevisionName(bare(revision.name)) if revision else None,
        read_at=read_at,
        created_at=_utc(source.create_time) if revision else None,
        creator=(revision.creator if revision else "") or service.last_modifier or service.creator,
        environment=_environment(source.containers),
        settings=_settings(service, source),
        document=document,
        redacted=redacted,
    )


def telling(name: str) -> bool:
    """True when `name` (of a variable, an option, a header) says that its value is a secret."""
    words = [word.lower() for word in _WORD.findall(name)]
    joined = "".join(words)
    return joined.endswith(_TELLING_ENDS) or any(_singular(word) in _TELLING for word in words)


def _singular(word: str) -> str:
    return word if word in _TELLING else word.removesuffix("s")


def _is_harmless(name: str, value: str) -> bool:
    if not value or _SWITCH.fullmatch(value):
        return True
    words = {word.lower() for word in _WORD.findall(name)}
    return bool(words & _COUNTED) and _NUMBER.fullmatch(value) is not None


class _Redaction:
    """Replaces secrets and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def named(self, name: str, value: str) -> str:
        """Return the value of something called `name`."""
        if telling(name) and not _is_harmless(name, value):
            self.count += 1
            return HIDDEN
        return self._counted(redact_named(name, value))

    def text(self, value: str) -> str:
        return self._counted(redact(value))

    def _counted(self, found: Redacted) -> str:
        self.count += found.count
        return found.text

    def line(self, arguments: Iterable[str]) -> list[str]:
        """Return a command line; the value of a telling option may be the next argument."""
        kept, secret_next = [], False
        for argument in arguments:
            option = _OPTION.fullmatch(argument)
            tells = option is not None and telling(option[1])
            if secret_next and option is None:
                kept.append(self.named("secret", argument))
            elif option is not None and tells and option[2]:
                kept.append(argument[: -len(option[2])] + self.named("secret", option[2]))
            else:
                kept.append(self.text(argument))
            secret_next = tells and option is not None and option[2] is None
        return kept


def _document(service: "run_v2.Service", revision: "run_v2.Revision | None") -> tuple[dict[str, Any], int]:
    """Return both messages as plain JSON values, and how many secrets were replaced.

    The service's template is left out where there is a revision: it is the next revision to be, and
    at a canary's stable side that is the canary's.
    """
    redaction = _Redaction()
    told = _plain(service)
    if revision is None:
        return {"service": _cleaned(told, redaction)}, redaction.count
    told.pop("template", None)
    document = {"revision": _cleaned(_plain(revision), redaction), "service": _cleaned(told, redaction)}
    return document, redaction.count


def _plain(message: Any) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    found: dict[str, Any] = MessageToDict(type(message).pb(message))
    return found


def _cleaned(value: Any, redaction: _Redaction, *, key: str = "") -> Any:
    """Return `value`, which stands under `key`, without secrets."""
    if isinstance(value, str):
        return redaction.text(value) if key in _FREE_TEXT else value
    if isinstance(value, list):
        if key in _COMMAND_LINES:
            return redaction.line(value)
        return [_cleaned(one, redaction, key=key) for one in value]
    if not isinstance(value, dict):
        return value
    if key in _NAMED_VALUES:
        return {name: redaction.named(name, said) for name, said in value.items()}
    if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
        # A variable or a header.
        return {**value, "value": redaction.named(value["name"], value["value"])}
    return {name: _cleaned(one, redaction, key=name) for name, one in value.items()}


def _environment(containers: "Iterable[Container]") -> dict[str, str]:
    redaction = _Redaction()
    return {
        prefix + variable.name: _variable(variable, redaction)
        for prefix, container in _called(containers)
        for variable in container.env
    }


def _variable(variable: "run_v2.EnvVar", redaction: _Redaction) -> str:
    if "value_source" not in variable:
        return redaction.named(variable.name, variable.value)
    source = variable.value_source.secret_key_ref
    return f"secret:{bare(source.secret)}:{source.version or 'latest'}"


def _called(containers: "Iterable[Container]") -> "list[tuple[str, Container]]":
    """Return each container with the prefix of what belongs to it: none for the one that serves."""
    all_of_them = list(containers)
    serving = next((c for c in all_of_them if c.ports), all_of_them[0] if all_of_them else None)
    return [
        ("" if container is serving else f"{container.name or place}.", container)
        for place, container in enumerate(all_of_them)
    ]


def _settings(service: "run_v2.Service", source: Any) -> dict[str, str]:
    """Return what is set, by name; what is not set is left out."""
    found = {**_service_settings(service), **_revision_settings(source)}
    for prefix, container in _called(source.containers):
        found |= {prefix + name: said for name, said in _container_settings(container).items()}
    return {name: said for name, said in sorted(found.items()) if said}


def _service_settings(service: "run_v2.Service") -> dict[str, str]:
    return {
        "ingress": service.ingress.name.removeprefix("INGRESS_TRAFFIC_").lower().replace("_", "-")
        if service.ingress
        else "",
        "service_min_instances": _number(service.scaling.min_instance_count),
        "service_max_instances": _number(service.scaling.max_instance_count),
    }


def _revision_settings(source: Any) -> dict[str, str]:
    # A revision and a template have these in common.
    vpc, redaction = source.vpc_access, _Redaction()
    networks = (
        f"{bare(one.network)}/{bare(one.subnetwork)}" + (f" ({', '.join(one.tags)})" if one.tags else "")
        for one in vpc.network_interfaces
    )
    return {
        "concurrency": _number(source.max_instance_request_concurrency),
        "timeout": _duration(source.timeout),
        "min_instances": _number(source.scaling.min_instance_count),
        "max_instances": _number(source.scaling.max_instance_count),
        "service_account": source.service_account,
        "execution_environment": source.execution_environment.name.removeprefix(
            "EXECUTION_ENVIRONMENT_"
        ).lower()
        if source.execution_environment
        else "",
        "session_affinity": "true" if source.session_affinity else "",
        "encryption_key": source.encryption_key,
        "vpc_connector": bare(vpc.connector),
        "vpc_network": "; ".join(networks),
        "vpc_egress": vpc.egress.name.lower().replace("_", "-") if vpc.egress else "",
        "volumes": "; ".join(_volume(volume) for volume in source.volumes),
        "gpu": source.node_selector.accelerator,
        **{
            f"label.{name}": redaction.named(name, said)
            for name, said in source.labels.items()
            if not _GOOGLES.search(name)
        },
    }


def _container_settings(container: "Container") -> dict[str, str]:
    redaction, resources = _Redaction(), container.resources
    return {
        "image": container.image,
        **dict(resources.limits.items()),
        # Google's name for what people know as "CPU is always allocated", the other way round.
        "cpu_idle": "true" if resources.cpu_idle else "",
        "startup_cpu_boost": "true" if resources.startup_cpu_boost else "",
        "command": " ".join(redaction.line(container.command)),
        "args": " ".join(redaction.line(container.args)),
        "working_dir": container.working_dir,
        "ports": ", ".join(
            f"{port.name}:{port.container_port}" if port.name else str(port.container_port)
            for port in container.ports
        ),
        "volume_mounts": "; ".join(f"{one.name} at {one.mount_path}" for one in container.volume_mounts),
        "startup_probe": _probe(container.startup_probe, redaction),
        "liveness_probe": _probe(container.liveness_probe, redaction),
        "readiness_probe": _probe(container.readiness_probe, redaction),
        "depends_on": ", ".join(container.depends_on),
    }


def _volume(volume: "run_v2.Volume") -> str:
    said = _plain(volume)
    name = said.pop("name", "")
    return f"{name}: {_compact(said)}"


def _probe(probe: "run_v2.Probe", redaction: _Redaction) -> str:
    said = _plain(probe)
    return _compact(_cleaned(said, redaction)) if said else ""


def _compact(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, sort_keys=True)


def _number(value: int) -> str:
    return str(value) if value else ""


def _duration(value: Any) -> str:
    return f"{value.total_seconds():g}s" if value else ""


def _utc(moment: datetime | None) -> datetime | None:
    """Google's datetime is a subclass with nanoseconds; the domain gets the plain one."""
    return None if moment is None else datetime.fromtimestamp(moment.timestamp(), UTC)
