"""Parts that OpenAPI documents are composed of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.http.types import JSON, Schema, Shape
from gateway.openapi.components import examples_of, name_of
from gateway.openapi.errors import ERROR_EXAMPLES, ERROR_HEADERS, STATUSES
from gateway.openapi.schema import INTEGER, TEXT, either, ref


def _header(schema: Schema, words: str) -> dict[str, Any]:
    return {"schema": schema, "description": words}


REQUEST_ID = {"X-Request-Id": _header(TEXT, "The request's id, the caller's own or a new one.")}
LIMIT_HEADERS = {
    "X-RateLimit-Limit": _header(INTEGER, "Calls that the tier allows in a window."),
    "X-RateLimit-Remaining": _header(INTEGER, "Calls that are left of it."),
    "X-RateLimit-Reset": _header(INTEGER, "The second, since 1970, at which the window ends."),
    "RateLimit": _header(TEXT, "The same in the fields of the IETF."),
    "RateLimit-Policy": _header(TEXT, "The window and its limit in the fields of the IETF."),
    "Idempotent-Replayed": _header(TEXT, "`true` on an answer that was given before."),
}
"""Headers of each answer of a limited route, once the account is known to be limited."""


def parameter(name: str, place: str, schema: Schema) -> dict[str, Any]:
    """Return a parameter; the schema's description and example move to the parameter."""
    bare = {key: each for key, each in schema.items() if key not in {"description", "examples"}}
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": schema.get("description", ""),
        "schema": bare,
        **({"example": schema["examples"][0]} if "examples" in schema else {}),
    }


def content_of(shapes: Iterable[Shape]) -> dict[str, Any]:
    """Return a body of one of these shapes, by media type."""
    by_type: dict[str, list[Shape]] = {}
    for shape in shapes:
        by_type.setdefault(shape.media_type, []).append(shape)
    return {
        media_type: {
            "schema": either([ref(name_of(shape)) for shape in found]),
            "examples": {
                name: each
                for shape in found
                for name, each in example_refs(name_of(shape), examples_of(shape)).items()
            },
        }
        for media_type, found in by_type.items()
    }


def answer(shapes: Sequence[Shape]) -> dict[str, Any]:
    """Return an answer that is no error."""
    headers = {name: says for shape in shapes for name, says in shape.headers.items()}
    links = {name: _link(name, of) for shape in shapes for name, of in shape.links.items()}
    return {
        "description": "As asked",
        "headers": {**REQUEST_ID, **{name: _header(TEXT, headers[name]) for name in headers}},
        "content": content_of(shapes),
        **({"links": links} if links else {}),
    }


def _link(operation: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    found = {name: f"$response.body#/{member}" for name, member in parameters.items()}
    return {"operationId": operation, "parameters": found}


def refusals(codes: Iterable[str]) -> dict[str, Any]:
    """Return the error answers with these codes, by status."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(STATUSES[code], []).append(code)
    return {str(status): _refusal(by_status[status]) for status in sorted(by_status)}


def _refusal(codes: list[str]) -> dict[str, Any]:
    schema = either([ref(code) for code in codes])
    examples = {
        name: each
        for code in codes
        for name, each in example_refs(code, ERROR_EXAMPLES[code]).items()
    }
    headers = {name: each for code in codes for name, each in ERROR_HEADERS[code].items()}
    return {
        "description": ", ".join(codes),
        "headers": {**REQUEST_ID, **headers},
        "content": {JSON: {"schema": schema, "examples": examples}},
    }


def example_components(name: str, values: Iterable[Any]) -> dict[str, Any]:
    """Return the examples of a shape as components."""
    return {each: {"value": value} for each, value in _named(name, values)}


def example_refs(name: str, values: Iterable[Any]) -> dict[str, Any]:
    """Return references to the examples of a shape."""
    return {each: {"$ref": f"#/components/examples/{each}"} for each, _ in _named(name, values)}


def _named(name: str, values: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for number, value in enumerate(values, start=1):
        yield (name if number == 1 else f"{name}-{number}"), value
