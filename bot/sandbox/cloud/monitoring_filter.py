"""Monitoring's filters: exactly one metric type, and labels that are really compared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from bot.sandbox.cloud.filter_language import All, Comparison, Either, Node, Not, Words, parse
from bot.sandbox.cloud.metric_types import METRIC_TYPES, RESOURCE_LABELS, RESOURCE_TYPE, MetricType
from bot.sandbox.cloud.rejection import Rejection, invalid, not_found
from bot.sandbox.names import PROJECT

_NO_COMBINATION = (
    "The supplied filter does not specify a valid combination of metric and monitored resource descriptors. "
    "The query will not return any time series."
)

_SERVICE = "resource.labels.service_name"


@dataclass(frozen=True)
class MetricFilter:
    """A checked filter: the metric it names, and which series it lets through."""

    metric: MetricType
    tree: Node

    @property
    def service(self) -> str:
        """The only service whose series can pass, empty when there may be several."""
        parts = self.tree.items if isinstance(self.tree, All) else (self.tree,)
        return next((part.value for part in parts if _is_service(part)), "")

    def passes(self, labels: Mapping[str, str]) -> bool:
        """Return whether a series with `labels` is wanted."""
        return _passes(self.tree, labels)


def parse_metric_filter(text: str) -> MetricFilter:
    """Return the filter.

    Raises:
        Rejection: INVALID_ARGUMENT for anything that is not a filter on one metric of Cloud Run's
            revisions, NOT_FOUND for a metric that does not exist.
    """
    tree = parse(text)
    if tree is None:
        raise invalid('Field filter had an invalid value of "": The filter must not be empty.')
    leaves = list(_leaves(tree))
    metric = _metric(leaves)
    for leaf in leaves:
        _check(leaf, metric)
    return MetricFilter(metric, tree)


def label_key(path: str) -> str:
    """Return `path` as series labels are keyed: ``resource.label.x`` and ``resource.labels.x`` are one."""
    return re.sub(r'^(resource|metric)\.label\."?', r"\1.labels.", path).replace('"', "")


def known_labels(metric: MetricType) -> set[str]:
    """Return every label key that series of `metric` have."""
    return {f"resource.labels.{name}" for name in RESOURCE_LABELS} | {
        f"metric.labels.{name}" for name in metric.labels
    }


def _is_service(node: Node) -> TypeGuard[Comparison]:
    plain = isinstance(node, Comparison) and node.operator == "=" and not node.function
    return plain and isinstance(node, Comparison) and label_key(node.path) == _SERVICE


def _leaves(node: Node) -> list[Comparison]:
    if isinstance(node, Comparison):
        return [node]
    if isinstance(node, Words):
        raise invalid(f"Field filter had an invalid value: '{node.text}' is not a comparison.")
    if isinstance(node, Not):
        return _leaves(node.item)
    return [leaf for item in node.items for leaf in _leaves(item)]


def _metric(leaves: list[Comparison]) -> MetricType:
    named = {leaf.value for leaf in leaves if leaf.path == "metric.type"}
    exact = all(leaf.operator == "=" and not leaf.function for leaf in leaves if leaf.path == "metric.type")
    if len(named) != 1 or not exact:
        raise invalid("Field filter had an invalid value: Exactly one metric type must be given, with '='.")
    name = named.pop()
    if name not in METRIC_TYPES:
        raise not_found(
            f'Cannot find metric(s) that match type = "{name}". If a metric was created recently, it could '
            "take up to 10 minutes to become available. Please try again soon."
        )
    return METRIC_TYPES[name]


def _check(leaf: Comparison, metric: MetricType) -> None:
    if leaf.operator not in ("=", "!=", ":"):
        raise invalid(f"Field filter had an invalid value: Operator '{leaf.operator}' needs a number.")
    if leaf.function and leaf.function not in _FUNCTIONS:
        raise invalid(f"Field filter had an invalid value: Unknown function '{leaf.function}'.")
    if leaf.function.startswith("monitoring.regex"):
        _check_pattern(leaf.value)
    if leaf.path in ("metric.type", "project"):
        return
    if leaf.path == "resource.type":
        if (leaf.operator, leaf.value) != ("=", RESOURCE_TYPE):
            raise invalid(_NO_COMBINATION)
    elif label_key(leaf.path) not in known_labels(metric):
        raise _unknown(leaf.path)


def _unknown(path: str) -> Rejection:
    if re.match(r"^(resource|metric)\.labels?\.", path):
        return invalid(_NO_COMBINATION)
    return invalid(f"Field filter had an invalid value: Could not parse: '{path}' is not a field.")


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise invalid(f"Field filter had an invalid value: {error}") from error


def _starts_with(have: str, want: str) -> bool:
    return have.startswith(want)


def _ends_with(have: str, want: str) -> bool:
    return have.endswith(want)


def _has_substring(have: str, want: str) -> bool:
    return want in have


def _full_match(have: str, want: str) -> bool:
    return re.fullmatch(want, have) is not None


_FUNCTIONS = {
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "has_substring": _has_substring,
    "monitoring.regex.full_match": _full_match,
}


def _passes(node: Node, labels: Mapping[str, str]) -> bool:
    if isinstance(node, Comparison):
        return _compare(node, labels)
    if isinstance(node, Not):
        return not _passes(node.item, labels)
    if isinstance(node, All):
        return all(_passes(item, labels) for item in node.items)
    return isinstance(node, Either) and any(_passes(item, labels) for item in node.items)


def _compare(leaf: Comparison, labels: Mapping[str, str]) -> bool:
    if leaf.path in ("metric.type", "resource.type"):
        return True
    have = PROJECT if leaf.path == "project" else labels.get(label_key(leaf.path), "")
    if leaf.function:
        hit = _FUNCTIONS[leaf.function](have, leaf.value)
    elif leaf.operator == ":":
        hit = leaf.value in have
    else:
        hit = have == leaf.value
    return hit != (leaf.operator == "!=")
