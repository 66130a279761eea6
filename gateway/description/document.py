"""The OpenAPI document, built from the route table."""

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from starlette.routing import BaseRoute, Route

from engine import errors
from engine.capabilities import IMPLICIT
from engine.errors import EngineError
from gateway.auth import READING
from gateway.credentials import SESSION_COOKIE
from gateway.description.bodies import BODIES
from gateway.description.errors import EVERYWHERE, SCHEMAS, name_of
from gateway.description.operations import OPERATIONS, Operation
from gateway.description.parameters import HEADERS, PATHS
from gateway.description.parts import (
    LIMIT_HEADERS,
    answer,
    content_of,
    examples_of,
    parameter,
    refusals,
)
from gateway.description.schema import Schema
from gateway.description.shapes import COMPONENTS
from gateway.endpoints import API, Endpoint, Guarded, Public, Resource, SessionOnly, needs_approval

OPENAPI = "3.1.0"
PARAMETER = re.compile(r"{(\w+)}")
SHAPES = {**BODIES, **COMPONENTS, **SCHEMAS}


def make_document(routes: Iterable[BaseRoute], version: str) -> dict[str, Any]:
    """The document for these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for path, method, endpoint in _endpoints(routes):
        if endpoint.handler.__name__ in OPERATIONS:
            paths.setdefault(path, {})[method.lower()] = describe(path, method, endpoint)
    return assemble({"title": "Headrace", "version": version}, paths, SHAPES)


def assemble(
    info: dict[str, str], paths: dict[str, Any], shapes: Mapping[str, Schema], **more: Any
) -> dict[str, Any]:
    """A document about these paths, with the shapes that it refers to and their examples."""
    return {
        "openapi": OPENAPI,
        "info": info,
        **more,
        "paths": paths,
        "components": {
            "schemas": dict(shapes),
            "examples": examples_of(shapes),
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
            },
        },
    }


def _endpoints(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str, Endpoint]]:
    for route in routes:
        if isinstance(route, Route) and isinstance(route.endpoint, Resource):
            for method, endpoint in route.endpoint.endpoints.items():
                yield route.path, method, endpoint


def describe(path: str, method: str, endpoint: Endpoint) -> dict[str, Any]:
    """One operation; its path may have no parameters left."""
    operation = OPERATIONS[endpoint.handler.__name__]
    codes = _codes(path, method, endpoint, operation)
    described: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "summary": (endpoint.handler.__doc__ or "").split("\n")[0],
        "parameters": [*_parameters(path, operation)],
        "responses": _responses(endpoint, operation, codes),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": content_of(operation.body)}
    if not isinstance(endpoint, Public):
        described["security"] = _security(endpoint)
        described["description"] = f"Needs: {endpoint.demand}"
    return described


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    schemes = ("session",) if isinstance(endpoint, SessionOnly) else ("key", "session")
    return [{scheme: []} for scheme in schemes]


def _parameters(path: str, operation: Operation) -> Iterator[dict[str, Any]]:
    for name in PARAMETER.findall(path):
        yield parameter(name, "path", PATHS[name])
    for name, schema in operation.query:
        yield parameter(name, "query", schema)
    for name in operation.headers:
        yield parameter(name, "header", HEADERS[name])


def _codes(path: str, method: str, endpoint: Endpoint, operation: Operation) -> list[str]:
    """Every code that the operation can answer with."""
    found = [name_of(error) for error in _demanded(method, endpoint)]
    if "{" in path:
        found.append(name_of(errors.NotFound))
    if "{slug}" in path:
        found.append(name_of(errors.InvalidSlug))
    if path.startswith(API):
        found.append(name_of(errors.InvalidQuery))
    found += [name_of(error) for error in operation.errors]
    return sorted({*found, *EVERYWHERE})


def _demanded(method: str, endpoint: Endpoint) -> Iterator[type[EngineError]]:
    """The errors that follow from what an endpoint demands of its caller."""
    if isinstance(endpoint, Public):
        if endpoint.is_guessed:
            yield errors.TooManyFailedCalls
        return
    yield from (
        errors.Unauthorized,
        errors.ApiKeyAccessDenied,
        errors.TooManyFailedCalls,
        errors.Unavailable,
    )
    if method not in READING:
        yield errors.CsrfFailed
    if needs_approval(endpoint, method):
        yield errors.AccountNotApproved
    if isinstance(endpoint, SessionOnly):
        yield errors.SessionRequired
        if endpoint.is_admins:
            yield errors.CapabilityDenied
        return
    if endpoint.capability is not None and endpoint.capability not in IMPLICIT:
        yield from (errors.CapabilityDenied, errors.CapabilityAboveCeiling)
    if endpoint.bucket is not None:
        yield errors.RateLimitExceeded


def _responses(endpoint: Endpoint, operation: Operation, codes: list[str]) -> dict[str, Any]:
    found = {
        str(status): answer(name, operation.also if status == HTTPStatus.OK else {})
        for status, name in operation.answers.items()
    } | refusals(codes)
    if isinstance(endpoint, Guarded) and endpoint.bucket is not None:
        for response in found.values():
            response["headers"] |= LIMIT_HEADERS
    return found
