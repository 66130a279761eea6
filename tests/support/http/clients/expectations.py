"""Expectations of scenarios, checked against what a client printed and what the proxy has seen."""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.support.http.clients.fault_proxy import Seen

MISSING = object()
SLACK_SECONDS = 0.02
"""The caller's clock begins to count earlier than the proxy's."""


def problems(
    scenario: Mapping[str, Any], saved: Mapping[str, Any], seen: Sequence[Seen]
) -> list[str]:
    """Return a sentence for each expectation that does not hold."""
    return [*_values(scenario.get("expect", {}), saved), *_requests(scenario, seen)]


def find(path: str, saved: Any) -> Any:
    """Return the value at a path; `*` collects those of all members of a list."""
    first, _, rest = path.partition(".")
    if first == "*":
        if not isinstance(saved, list):
            return MISSING
        found = [find(rest, each) if rest else each for each in saved]
        return [each for each in found if each is not MISSING]
    try:
        value = saved[int(first)] if isinstance(saved, list) else saved[first]
    except (LookupError, TypeError, ValueError):
        return MISSING
    return find(rest, value) if rest else value


def _values(expected: Mapping[str, Any], saved: Mapping[str, Any]) -> Iterator[str]:
    for path, wanted in expected.items():
        value = find(path, saved)
        if not _holds(value, wanted, saved):
            shown = "missing" if value is MISSING else repr(value)
            yield f"{path} is {shown}, not {wanted!r}"


def _holds(value: Any, wanted: Any, saved: Mapping[str, Any]) -> bool:
    if not isinstance(wanted, dict) or not all(name.startswith("$") for name in wanted):
        return bool(value == wanted)
    [(kind, argument)] = wanted.items()
    if kind == "$falsy":
        return (value is MISSING or not value) is argument
    if kind == "$exists":
        return (value is not MISSING and value is not None) is argument
    return value is not MISSING and KINDS[kind](value, argument, saved)


def _contains(value: Any, argument: Any, saved: Mapping[str, Any]) -> bool:
    is_path = isinstance(argument, str) and argument.startswith("$")
    return (find(argument[1:], saved) if is_path else argument) in value


def _distinct(value: Any, argument: Any, saved: Mapping[str, Any]) -> bool:
    is_count = not isinstance(argument, bool)
    return len(set(value)) == len(value) and (not is_count or len(value) == argument)


def _refuses(value: Any, argument: Any, saved: Mapping[str, Any]) -> bool:
    """Return whether an outcome of MCP is an error that has words, of protocol or tool."""
    is_error = "error" in value or value["value"].get("isError") is True
    words = argument if isinstance(argument, list) else [argument]
    return is_error and all(word in json.dumps(value) for word in words)


def _rises(value: Any, argument: Any, saved: Mapping[str, Any]) -> bool:
    return all(before < after for before, after in itertools.pairwise(value))


KINDS: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], bool]] = {
    "$starts": lambda value, argument, saved: str(value).startswith(argument),
    "$least": lambda value, argument, saved: bool(_size(value) >= argument),
    "$most": lambda value, argument, saved: bool(_size(value) <= argument),
    "$length": lambda value, argument, saved: len(value) == argument,
    "$same": lambda value, argument, saved: bool(value == find(argument, saved)),
    "$contains": _contains,
    "$lacks": lambda value, argument, saved: argument not in value,
    "$mentions": lambda value, argument, saved: argument in json.dumps(value),
    "$refuses": _refuses,
    "$rises": _rises,
    "$distinct": _distinct,
}


def _size(value: Any) -> Any:
    return len(value) if isinstance(value, list) else value


def _requests(scenario: Mapping[str, Any], seen: Sequence[Seen]) -> Iterator[str]:
    for wanted in scenario.get("requests", []):
        name = f"{wanted['method']} {wanted['path']}"
        found = [
            each
            for each in seen
            if each.method == wanted["method"] and re.fullmatch(wanted["path"], each.path)
        ]
        for problem in _of_requests(wanted, found):
            yield f"{name}: {problem}, of {[(each.status, dict(each.query)) for each in found]}"


def _of_requests(wanted: Mapping[str, Any], found: Sequence[Seen]) -> Iterator[str]:
    if "count" in wanted and len(found) != wanted["count"]:
        yield f"{len(found)} requests, not {wanted['count']}"
    if len(found) < wanted.get("least", 0):
        yield f"{len(found)} requests, fewer than {wanted['least']}"
    if "same" in wanted:
        values = {each.headers.get(wanted["same"]) for each in found}
        if len(values) != 1 or None in values:
            yield f"'{wanted['same']}' is not the same in all: {values}"
    if "header" in wanted and (not found or wanted["header"] not in found[-1].headers):
        yield f"no '{wanted['header']}' in the last"
    if refused := [each.status for each in found if each.status in wanted.get("never", ())]:
        yield f"answered with {refused}"
    pauses = [later.at - before.at for before, later in zip(found, found[1:], strict=False)]
    if "apart" in wanted and any(pause < wanted["apart"] - SLACK_SECONDS for pause in pauses):
        yield f"only {pauses} seconds between"
