"""The parts that OpenAPI documents are put together of."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.description.errors import ERROR_EXAMPLES, ERROR_HEADERS, STATUSES
from gateway.description.examples import EXAMPLES
from gateway.description.links import links_of
from gateway.description.schema import INTEGER, TEXT, Schema, ref
from gateway.events import MEDIA_TYPE

JSON = "application/json"
MEDIA_TYPES = {
    "Page": "text/html",
    "Metrics": "text/plain",
    "AssetForm": "multipart/form-data",
    "Media": "*/*",
    "Event": MEDIA_TYPE,
}
"""Of shapes that are not JSON."""
NOTHING = ""
"""Stands for the shape of an answer that has no body."""
ALL_EXAMPLES: dict[str, list[Any]] = {**EXAMPLES, **ERROR_EXAMPLES}


def _header(schema: Schema, words: str) -> dict[str, Any]:
    return {"schema": schema, "description": words}


REQUEST_ID = {"X-Request-Id": _header(TEXT, "The request's id, the caller's own or a new one.")}
HEADERS: dict[str, dict[str, Any]] = {
    "Workflow": {"ETag": _header(TEXT, "The version, in quotes.")},
}
"""Headers of answers, by their shapes."""
LIMIT_HEADERS = {
    "X-RateLimit-Limit": _header(INTEGER, "Calls that the tier allows in a window."),
    "X-RateLimit-Remaining": _header(INTEGER, "Calls that are left of it."),
    "X-RateLimit-Reset": _header(INTEGER, "The second, since 1970, at which the window ends."),
    "RateLimit": _header(TEXT, "The same in the fields of the IETF."),
    "RateLimit-Policy": _header(TEXT, "The window and its limit in the fields of the IETF."),
    "Idempotent-Replayed": _header(TEXT, "`true` on an answer that was given before."),
}
"""On each answer of a limited route, once the account is known to be limited."""


def parameter(name: str, place: str, schema: Schema) -> dict[str, Any]:
    """A parameter; what the schema says for people is said of the parameter."""
    bare = {key: each for key, each in schema.items() if key not in {"description", "examples"}}
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": schema.get("description", ""),
        "schema": bare,
        **({"example": schema["examples"][0]} if "examples" in schema else {}),
    }


def content_of(name: str, also: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A body of the shape with this name, and of others under other media types."""
    if name == NOTHING:
        return {}
    return {
        media_type: {"schema": ref(shape), "examples": example_refs([shape])}
        for media_type, shape in {MEDIA_TYPES.get(name, JSON): name, **(also or {})}.items()
    }


def answer(name: str, also: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An answer that is no error."""
    links = links_of(name)
    return {
        "description": "As asked",
        "headers": {**REQUEST_ID, **HEADERS.get(name, {})},
        "content": content_of(name, also),
        **({"links": links} if links else {}),
    }


def refusals(codes: Iterable[str]) -> dict[str, Any]:
    """Answers by status, with these codes."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(STATUSES[code], []).append(code)
    return {str(status): _refusal(by_status[status]) for status in sorted(by_status)}


def _refusal(codes: list[str]) -> dict[str, Any]:
    shapes = [ref(code) for code in codes]
    schema: Schema = shapes[0] if len(shapes) == 1 else {"oneOf": shapes}
    headers = {name: each for code in codes for name, each in ERROR_HEADERS[code].items()}
    return {
        "description": ", ".join(codes),
        "headers": {**REQUEST_ID, **headers},
        "content": {JSON: {"schema": schema, "examples": example_refs(codes)}},
    }


def examples_of(shapes: Iterable[str]) -> dict[str, Any]:
    """The examples of these shapes, as components."""
    return {name: {"value": value} for name, value in _named(shapes)}


def example_refs(shapes: Iterable[str]) -> dict[str, Any]:
    """The same where they are used."""
    return {name: {"$ref": f"#/components/examples/{name}"} for name, _ in _named(shapes)}


def _named(shapes: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for shape in shapes:
        for number, value in enumerate(ALL_EXAMPLES.get(shape, []), start=1):
            yield (shape if number == 1 else f"{shape}-{number}"), value
