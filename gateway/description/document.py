"""The OpenAPI document, built from the route table."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from starlette.routing import BaseRoute, Route

from engine import errors
from engine.capabilities import IMPLICIT
from engine.errors import EngineError
from gateway.auth import READING
from gateway.browsers import COOKIE
from gateway.description.errors import EVERYWHERE, EXAMPLES, SCHEMAS, STATUSES, name_of
from gateway.description.operations import OPERATIONS, Operation
from gateway.description.schema import INTEGER, TEXT, Schema, ref
from gateway.description.shapes import COMPONENTS
from gateway.endpoints import Endpoint, Guarded, Public, Resource, SessionOnly

PARAMETER = re.compile(r"{(\w+)}")
LIMIT_HEADERS = {
    name: {"schema": schema}
    for name, schema in (
        ("X-RateLimit-Limit", INTEGER),
        ("X-RateLimit-Remaining", INTEGER),
        ("X-RateLimit-Reset", INTEGER),
        ("RateLimit", TEXT),
        ("RateLimit-Policy", TEXT),
    )
}
"""On each answer of a limited route, once the account is known to be limited."""


def make_document(routes: Iterable[BaseRoute], version: str) -> dict[str, Any]:
    """The document for these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for path, method, endpoint in _endpoints(routes):
        name = endpoint.handler.__name__
        if name in OPERATIONS:
            described = _describe(path, method, endpoint, OPERATIONS[name])
            paths.setdefault(path, {})[method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headrace", "version": version},
        "paths": paths,
        "components": {
            "schemas": {**COMPONENTS, **SCHEMAS},
            "examples": {
                example: {"value": body}
                for name in SCHEMAS
                for example, body in _named_examples(name)
            },
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _endpoints(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str, Endpoint]]:
    for route in routes:
        if isinstance(route, Route) and isinstance(route.endpoint, Resource):
            for method, endpoint in route.endpoint.endpoints.items():
                yield route.path, method, endpoint


def _describe(path: str, method: str, endpoint: Endpoint, operation: Operation) -> dict[str, Any]:
    codes = _codes(path, method, endpoint, operation)
    described: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "summary": (endpoint.handler.__doc__ or "").split("\n")[0],
        "parameters": [*_parameters(path, operation)],
        "responses": _responses(endpoint, operation, codes),
    }
    if operation.body is not None:
        content = {"application/json": {"schema": ref(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    if not isinstance(endpoint, Public):
        described["security"] = _security(endpoint)
        described["description"] = f"Needs: {endpoint.demand}"
    return described


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    schemes = ("session",) if isinstance(endpoint, SessionOnly) else ("key", "session")
    return [{scheme: []} for scheme in schemes]


def _parameters(path: str, operation: Operation) -> Iterator[dict[str, Any]]:
    for name in PARAMETER.findall(path):
        yield {"name": name, "in": "path", "required": True, "schema": TEXT}
    for name, schema in operation.query:
        yield {"name": name, "in": "query", "schema": schema}
    for name in operation.headers:
        yield {"name": name, "in": "header", "schema": TEXT}


def _codes(path: str, method: str, endpoint: Endpoint, operation: Operation) -> list[str]:
    """Every code that the operation can answer with."""
    found = [name_of(error) for error in _demanded(method, endpoint)]
    if "{" in path:
        found.append(name_of(errors.NotFound))
    if "{slug}" in path:
        found.append(name_of(errors.InvalidSlug))
    found += [name_of(error) for error in operation.errors]
    return sorted({*found, *EVERYWHERE})


def _demanded(method: str, endpoint: Endpoint) -> Iterator[type[EngineError]]:
    """The errors that follow from what an endpoint demands of its caller."""
    if isinstance(endpoint, Public):
        return
    yield from (errors.Unauthorized, errors.ApiKeyAccessDenied, errors.Unavailable)
    if method not in READING:
        yield errors.CsrfFailed
    if isinstance(endpoint, SessionOnly):
        yield errors.SessionRequired
        return
    if endpoint.capability is not None and endpoint.capability not in IMPLICIT:
        yield from (errors.CapabilityDenied, errors.CapabilityAboveCeiling)
        if endpoint.capability.endswith(":run"):
            yield errors.AccountNotApproved
    if endpoint.bucket is not None:
        yield errors.RateLimitExceeded


def _responses(endpoint: Endpoint, operation: Operation, codes: list[str]) -> dict[str, Any]:
    responses: dict[str, Any] = {
        str(status): {
            "description": "As asked",
            "content": {"application/json": {"schema": ref(name)}},
        }
        for status, name in operation.answers.items()
    }
    for status in sorted({STATUSES[code] for code in codes}):
        responses[str(status)] = _refusal([code for code in codes if STATUSES[code] == status])
    if isinstance(endpoint, Guarded) and endpoint.bucket is not None:
        for response in responses.values():
            response["headers"] = LIMIT_HEADERS
    return responses


def _refusal(codes: list[str]) -> dict[str, Any]:
    """The answer with one of these codes."""
    shapes = [ref(code) for code in codes]
    schema: Schema = shapes[0] if len(shapes) == 1 else {"oneOf": shapes}
    examples = {
        name: {"$ref": f"#/components/examples/{name}"}
        for code in codes
        for name, _ in _named_examples(code)
    }
    content = {"application/json": {"schema": schema, "examples": examples}}
    return {"description": ", ".join(codes), "content": content}


def _named_examples(code: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, body in enumerate(EXAMPLES[code], start=1):
        yield (code if number == 1 else f"{code}-{number}"), body
