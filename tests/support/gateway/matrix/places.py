"""Places of ids in requests: the path, the query and the body of each call, from the OpenAPI types.

`unknown_places` names what the matrix has no kind for, so that a new parameter cannot pass unseen.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.nodes.catalogue import list_node_types
from engine.settings import Settings
from gateway.app import routes
from gateway.openapi.document import PARAMETER, make_document
from tests.support.gateway.matrix.calls import CALLS, Call
from tests.support.gateway.matrix.kinds import (
    MEMBERS,
    NAMING_ENDS,
    NAMING_WIDGETS,
    NO_OBJECTS,
    OPEN_MEMBERS,
    PATHS,
    PLAIN_MEMBERS,
    PLAIN_QUERIES,
    QUERIES,
    SETTINGS,
    SHARED_PATHS,
)
from tests.support.gateway.matrix.requests import BODIES, COMPANIONS
from tests.support.gateway.matrix.requests import QUERIES as USUAL_QUERIES

PLACEHOLDER = re.compile(r"{(\w+)}")
NUMBERED = frozenset({"against", "version"})
"""Parameters and members that hold the number of a version; some take the name of an alias too."""
Ids = Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One call with ids left open, by where they stand: `query` and `body` hold placeholders."""

    call: Call
    query: Mapping[str, str]
    body: Any

    def filled(self, *, path: Ids, query: Ids, body: Ids) -> dict[str, Any]:
        """Return the arguments of a request with these ids."""
        return {
            "method": self.call.method,
            "url": self.call.path.format(**self._renamed(path)),
            "params": _fill(self.query, query),
            **_body(self.call, _fill(self.body, body)),
        }

    def _renamed(self, ids: Ids) -> Ids:
        """Return the ids of the path: the members of a schedule are for a trigger that is one."""
        is_schedule = isinstance(self.body, dict) and self.body.get("kind") == "schedule"
        return {**ids, "trigger_id": ids["schedule_id"]} if is_schedule else ids


@dataclass(frozen=True)
class Place:
    """One place of a request that names an object."""

    request: Request
    where: str
    """`path`, `query` or `body`."""
    kind: str

    def __str__(self) -> str:
        return f"{self.request.call} {self.where} {self.kind}"

    def arguments(self, own: Ids, named: Ids) -> dict[str, Any]:
        """Return the request with an id of `named` at this place, and `own` ids elsewhere."""
        mixed = {**own, self.kind: named[self.kind]}
        return self.request.filled(
            **{each: mixed if each == self.where else own for each in ("path", "query", "body")}
        )


def places() -> list[Place]:
    """Return all places of all calls."""
    return [place for request in requests() for place in _places_of(request)]


def requests() -> Iterator[Request]:
    """Yield the requests of the matrix: of each call its bodies, and each query that has an id."""
    for call in CALLS:
        usual = USUAL_QUERIES.get(str(call), {})
        for body in BODIES.get(str(call), [{}]):
            yield Request(call, usual, body)
        for name, schema in _query_members(call):
            if kind := _kind_of_query(name, schema):
                body = BODIES.get(str(call), [{}])[0]
                companions = COMPANIONS.get(name, {})
                yield Request(call, {**usual, **companions, name: f"{{{kind}}}"}, body)


def unknown_places() -> list[str]:
    """Return the parameters and members that the matrix has no kind for, or no request."""
    return [f"{call}: {place}" for call in CALLS for place in _unknown_of(call)]


def unknown_settings() -> list[str]:
    """Return the settings of nodes that may name an object, without a kind or without a request."""
    tried = {
        f"{each['type']} {'.'.join(path)}"
        for body in BODIES["POST /api/workflows/check"]
        for each in body["nodes"]
        for path, text in _leaves(each["data"])
        if PLACEHOLDER.fullmatch(text)
    }
    found = {
        f"{entry.type} {path}"
        for entry in list_node_types()
        for path, schema in _walk(entry.settings, (), frozenset())
        if path.endswith(NAMING_ENDS) or schema.get("x-widget") in NAMING_WIDGETS
    }
    return sorted((found - NO_OBJECTS) ^ SETTINGS.keys() | SETTINGS.keys() - tried)


def _unknown_of(call: Call) -> Iterator[str]:
    for name in PARAMETER.findall(call.path):
        if name not in PATHS.keys() | SHARED_PATHS.keys():
            yield f"path parameter {name}"
    for name, schema in _query_members(call):
        if _kind_of_query(name, schema) is None and name not in PLAIN_QUERIES | NUMBERED:
            yield f"query parameter {name}"
    for member in _unknown_members(call):
        yield f"body member {member}"


def _unknown_members(call: Call) -> Iterator[str]:
    held = {
        (path, kind)
        for body in BODIES.get(str(call), [])
        for path, text in _leaves(body)
        for kind in PLACEHOLDER.findall(text)
    }
    for member, schema in _members(call):
        for kind in _kinds_of_member(member, schema):
            if not any(kind == other and _is_at(member, path) for path, other in held):
                yield f"{member} (no request of the matrix has a {kind} there)"
        if member not in PLAIN_MEMBERS | NUMBERED and not _kinds_of_member(member, schema):
            yield member


def _kinds_of_member(member: str, schema: Mapping[str, Any]) -> tuple[str, ...]:
    if member in NUMBERED:
        return ("alias_name",) if _takes_names(schema) else ()
    if member == "from":
        return () if schema.get("format") == "date-time" else ("execution_id",)
    if member in MEMBERS:
        return (MEMBERS[member],)
    return OPEN_MEMBERS.get(member, ())


def _kind_of_query(name: str, schema: Mapping[str, Any]) -> str | None:
    if name in NUMBERED:
        return "alias_name" if _takes_names(schema) else None
    return QUERIES.get(name)


def _takes_names(schema: Mapping[str, Any]) -> bool:
    """Return whether a version may be named by an alias."""
    return "string" in schema["type"]


def _places_of(request: Request) -> Iterator[Place]:
    for name in PARAMETER.findall(request.call.path):
        if name in PATHS and request.body == BODIES.get(str(request.call), [{}])[0]:
            yield Place(request, "path", PATHS[name])
    for where, tree in (("query", request.query), ("body", request.body)):
        kinds = {kind for _, text in _leaves(tree) for kind in PLACEHOLDER.findall(text)}
        for kind in sorted(kinds & set(PATHS.values()) | kinds & {"request_id", "trace_id", "tag"}):
            yield Place(request, where, kind)


@cache
def _document() -> dict[str, Any]:
    return make_document(routes(Settings()), "1")


def _operation(call: Call) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _document()["paths"].get(call.path, {}).get(call.method.lower(), {})
    return found


def _query_members(call: Call) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for each in _operation(call).get("parameters", ()):
        if each["in"] == "query":
            yield each["name"], each["schema"]


def _members(call: Call) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield path and schema of each member of the body that has no members of its own."""
    content = _operation(call).get("requestBody", {}).get("content", {})
    for described in content.values():
        yield from _walk(described["schema"], (), frozenset())


def _walk(
    schema: Mapping[str, Any], path: tuple[str, ...], seen: frozenset[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name not in seen:
            found = _document()["components"]["schemas"][name]
            yield from _walk(found, path, seen | {name})
        return
    inner = [each for word in ("oneOf", "anyOf", "allOf") for each in schema.get(word, ())]
    for each in inner:
        yield from _walk(each, path, seen)
    for name, each in schema.get("properties", {}).items():
        yield from _walk(each, (*path, name), seen)
    if "items" in schema:
        yield from _walk(schema["items"], (*path, "[]"), seen)
    if schema.get("additionalProperties"):
        yield from _walk({}, (*path, "*"), seen)
    if not inner and not {"properties", "items", "additionalProperties"} & schema.keys():
        yield ".".join(path), schema


def _is_at(member: str, path: tuple[str, ...]) -> bool:
    """Return whether a path of a body lies at a member, or below it where that is open."""
    names = member.split(".")
    if names[-1] == "*":
        return len(path) >= len(names) and list(path[: len(names) - 1]) == names[:-1]
    return list(path) == names


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(tree, Mapping):
        for name, each in tree.items():
            yield from _leaves(each, (*path, name))
    elif isinstance(tree, list):
        for each in tree:
            yield from _leaves(each, (*path, "[]"))
    elif isinstance(tree, str):
        yield path, tree


def _fill(tree: Any, ids: Ids) -> Any:
    if isinstance(tree, Mapping):
        return {name: _fill(each, ids) for name, each in tree.items()}
    if isinstance(tree, list):
        return [_fill(each, ids) for each in tree]
    if isinstance(tree, str):
        return PLACEHOLDER.sub(lambda found: ids.get(found[1], found[0]), tree)
    return tree


def _body(call: Call, body: Any) -> dict[str, Any]:
    return {} if call.method == "GET" else {"json": body}
