"""The OpenAPI document, built from the route table."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from msgspec import UNSET, UnsetType
from starlette.routing import BaseRoute, Route

from engine import errors
from engine.access.capabilities import IMPLICIT
from engine.errors import EngineError
from engine.ids.secret_names import NAME
from engine.ids.slugs import SLUG
from engine.ids.triggers import TRIGGER_ID as TRIGGER_PATTERN
from engine.ids.workflow_test_names import PATTERN as TEST_NAME
from engine.releases.aliases import NAME as ALIAS_NAME
from gateway.admission.credentials import SESSION_COOKIE
from gateway.auth.guard import (
    API,
    Endpoint,
    Guarded,
    Operation,
    Public,
    SessionOnly,
    needs_approval,
)
from gateway.auth.principal import READING
from gateway.auth.resource import Resource
from gateway.http.types import OBJECT, Nested, Schema, Shape, View
from gateway.openapi.components import (
    components_of,
    examples_of,
    query_schemas,
    schema_of_component,
)
from gateway.openapi.errors import (
    ERROR_EXAMPLES,
    EVERYWHERE,
    SCHEMAS,
    ProblemView,
    WrongItemView,
    name_of,
)
from gateway.openapi.examples import (
    ACCOUNT_ID,
    ASSET_ID,
    BATCH_ID,
    EXECUTION_ID,
    KEY_ID,
    TRIGGER_ID,
)
from gateway.openapi.parts import (
    LIMIT_HEADERS,
    answer,
    content_of,
    example_components,
    parameter,
    refusals,
)
from gateway.openapi.schema import ID, INTEGER, TEXT, described, matching

OPENAPI = "3.1.0"


class ServerView(Nested):
    """Address of an API."""

    url: str


class OpenApiView(View):
    """An OpenAPI document."""

    openapi: str
    info: OBJECT
    paths: OBJECT
    components: OBJECT
    servers: list[ServerView] | UnsetType = UNSET


OpenApiView.examples = (
    OpenApiView(
        openapi=OPENAPI,
        info={"title": "Greeting", "version": "3"},
        servers=[ServerView("https://headrace.example.com")],
        paths={},
        components={},
    ),
)
PARAMETER = re.compile(r"{(\w+)}")
PATHS: dict[str, Schema] = {
    "slug": described(matching(SLUG.pattern), "A workflow's slug.", "greeting"),
    "execution_id": described(ID, "The id that the run was answered with.", EXECUTION_ID),
    "node_id": described(TEXT, "The id of a node; one with `/` is escaped.", "text"),
    "batch_id": described(ID, "The id that the batch was answered with.", BATCH_ID),
    "replay_id": described(ID, "The id that the replay was answered with.", BATCH_ID),
    "asset_id": described(TEXT, "The id of an asset.", ASSET_ID),
    "internal_name": described(TEXT, "A model's internal name.", "echo"),
    "key_id": described(TEXT, "The id of an API key, not the key itself.", KEY_ID),
    "version": described(INTEGER, "The number of a workflow's version.", 3),
    "account_id": described(TEXT, "The id of an account.", ACCOUNT_ID),
    "session_id": described(TEXT, "The id of a session in the list of sessions."),
    "trigger_id": described(matching(TRIGGER_PATTERN.pattern), "The id of a trigger.", TRIGGER_ID),
    "occurrence_id": described(ID, "The id of an occurrence of a trigger.", BATCH_ID),
    "delivery_id": described(ID, "The `webhook-id` of a delivery.", EXECUTION_ID),
    "alias_name": described(matching(ALIAS_NAME.pattern), "The name of an alias.", "live"),
    "test_name": described(matching(TEST_NAME), "The name of a test.", "greets-by-name"),
    "test_run_id": described(ID, "The id that the test run was answered with.", BATCH_ID),
    "secret_name": described(matching(NAME), "The name of a secret.", "STRIPE_KEY"),
}
"""Schemas of path parameters, by their names in the route."""


def make_document(routes: Iterable[BaseRoute], version: str) -> dict[str, Any]:
    """Return the document for these routes."""
    paths: dict[str, dict[str, Any]] = {}
    shapes: list[Shape] = [ProblemView, WrongItemView]
    for path, method, endpoint in _endpoints(routes):
        operation = endpoint.operation
        if operation is not None:
            paths.setdefault(path, {})[method.lower()] = describe(path, method, endpoint)
            shapes += shapes_of(operation)
    info = {"title": "Headrace", "version": version}
    return assemble(info, paths, Components.from_shapes(shapes))


@dataclass(frozen=True, slots=True)
class Components:
    """Schemas and examples by name, those of the errors included."""

    schemas: Mapping[str, Schema]
    examples: Mapping[str, Sequence[Any]]

    @classmethod
    def from_shapes(cls, shapes: Iterable[Shape]) -> Self:
        """Return the components of the shapes and of all that they refer to."""
        found = components_of(shapes)
        schemas = {name: schema_of_component(shape) for name, shape in found.items()}
        examples = {name: examples_of(shape) for name, shape in found.items()}
        return cls({**schemas, **SCHEMAS}, {**examples, **ERROR_EXAMPLES})


def assemble(
    info: dict[str, str], paths: dict[str, Any], components: Components, **more: Any
) -> dict[str, Any]:
    """Return a document about these paths, with the components that it refers to."""
    examples = [
        example_components(name, components.examples.get(name, ())) for name in components.schemas
    ]
    return {
        "openapi": OPENAPI,
        "info": info,
        **more,
        "paths": paths,
        "components": {
            "schemas": dict(components.schemas),
            "examples": {name: value for each in examples for name, value in each.items()},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
            },
        },
    }


def shapes_of(operation: Operation) -> list[Shape]:
    """Return the shapes of the request and of all answers."""
    sent = [operation.body] if operation.body else []
    return [*sent, *(each for status in operation.answers for each in _listed(operation, status))]


def _listed(operation: Operation, status: int) -> tuple[Shape, ...]:
    answered = operation.answers[status]
    if answered is None:
        return ()
    return answered if isinstance(answered, tuple) else (answered,)


def endpoint_at(routes: Iterable[BaseRoute], path: str, method: str) -> Endpoint:
    """Return the endpoint of a route."""
    found = (each for at, by, each in _endpoints(routes) if (at, by) == (path, method))
    return next(found)


def _endpoints(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str, Endpoint]]:
    for route in routes:
        if isinstance(route, Route) and isinstance(route.endpoint, Resource):
            for method, endpoint in route.endpoint.endpoints.items():
                yield route.path, method, endpoint


def describe(path: str, method: str, endpoint: Endpoint) -> dict[str, Any]:
    """Return one operation; its path may have no parameters left."""
    operation = endpoint.operation
    if operation is None:
        raise ValueError(f"{endpoint.handler.__name__} has no description")
    codes = _codes(path, method, endpoint, operation)
    described: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "summary": (endpoint.handler.__doc__ or "").split("\n")[0],
        "parameters": [*_parameters(path, operation)],
        "responses": _responses(endpoint, operation, codes),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": content_of([operation.body])}
    if not isinstance(endpoint, Public):
        described["security"] = _security(endpoint)
        described["description"] = f"Needs: {endpoint.requirement}"
    return described


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    schemes = ("session",) if isinstance(endpoint, SessionOnly) else ("key", "session")
    return [{scheme: []} for scheme in schemes]


def _parameters(path: str, operation: Operation) -> Iterator[dict[str, Any]]:
    paths = PATHS | dict(operation.path)
    for name in PARAMETER.findall(path):
        yield parameter(name, "path", paths[name])
    if operation.query is not None:
        for name, schema in query_schemas(operation.query):
            yield parameter(name, "query", schema)
    for name, schema in operation.headers:
        yield parameter(name, "header", schema)


def _codes(path: str, method: str, endpoint: Endpoint, operation: Operation) -> list[str]:
    """Return every code that the operation can answer with."""
    found = [name_of(error) for error in _required_errors(method, endpoint)]
    if "{" in path:
        found.append(name_of(errors.NotFound))
    if "{slug}" in path:
        found.append(name_of(errors.InvalidSlug))
    if path.startswith(API):
        found.append(name_of(errors.InvalidQuery))
    found += [name_of(error) for error in operation.errors]
    return sorted({*found, *EVERYWHERE})


def _required_errors(method: str, endpoint: Endpoint) -> Iterator[type[EngineError]]:
    """Yield the errors that follow from an endpoint's access requirement."""
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
        str(status): answer(_listed(operation, status)) for status in operation.answers
    } | refusals(codes)
    if isinstance(endpoint, Guarded) and endpoint.bucket is not None:
        for response in found.values():
            response["headers"] |= LIMIT_HEADERS
    return found
