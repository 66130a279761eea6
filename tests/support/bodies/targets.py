"""Routes that take a body, from the route table, each with bodies that it accepts."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.routing import Route

from engine.settings import Settings
from gateway.app import routes
from gateway.auth.resource import Resource
from gateway.openapi.document import make_document
from tests.support.bodies.mutations import make_body

WRITES = ("POST", "PUT", "PATCH")
JSON = "application/json"
LEFT_OUT = {("POST", "/logout"): "It ends the session that the other requests need."}
MORE_BODIES: dict[str, tuple[Any, ...]] = {
    "/mcp": (
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "greeting", "arguments": {"name": "Ada"}},
        },
        {
            "jsonrpc": "2.0",
            "id": 3,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        },
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}},
    ),
    "/oauth/register": (
        {
            "redirect_uris": ["https://client.example.com/back"],
            "client_name": "A client",
            "grant_types": ["authorization_code"],
            "token_endpoint_auth_method": "none",
        },
    ),
    "/hooks/{token}": ({"name": "Ada", "size": 3},),
    "/api/models/{internal_name}/run": ({"inputs": {"prompt": "Hello"}},),
    "/api/models/{internal_name}/try": ({"inputs": {"prompt": "Hello"}},),
    "/api/workflows/{slug}/run": ({"inputs": {"name": "Ada"}, "tags": ["a"]},),
    "/api/workflows/{slug}/batch": ({"items": [{"inputs": {"name": "Ada"}}]},),
}
"""Bodies of routes that the description leaves out, and some beside its examples."""
EMPTY = b"{}"
LOCAL_SERVER = "http://127.0.0.1:9/mcp"
"""Address of nobody, for routes that call the server in the body."""


@dataclass(frozen=True)
class Target:
    """One route and method."""

    method: str
    route: str
    needs_session: bool
    has_body: bool
    """Whether its requests have a JSON body; others ignore it, or refuse its type."""
    valid: tuple[bytes, ...]
    path: str = ""
    """Path of the requests, once its parameters are known."""

    def request(self, seed: int, number: int) -> tuple[str, bytes]:
        """Return the path and the body of a number."""
        return self.path, make_body(seed, number, self.valid)

    def at(self, names: Mapping[str, str], more: Mapping[str, Mapping[str, str]]) -> "Target":
        """Fill the path's parameters in; `more` has those of single routes."""
        known = {**names, **more.get(f"{self.method} {self.route}", {})}
        return replace(self, path=self.route.format_map(known))


def targets() -> list[Target]:
    """Return all targets that the route table has."""
    served = routes(Settings())
    document = make_document(served, "test")
    found = []
    for route in served:
        assert isinstance(route, Route) and isinstance(route.endpoint, Resource)
        for method, endpoint in route.endpoint.endpoints.items():
            if method in WRITES and (method, route.path) not in LEFT_OUT:
                session = endpoint.requirement.startswith("session")
                valid = _valid_bodies(document, method, route.path)
                has_body = valid != (EMPTY,)
                found.append(Target(method, route.path, session, has_body, valid))
    return found


def _valid_bodies(document: Mapping[str, Any], method: str, path: str) -> tuple[bytes, ...]:
    operation = document["paths"].get(path, {}).get(method.lower(), {})
    described = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
    examples = [
        _resolved(document, each)["value"] for each in described.get("examples", {}).values()
    ]
    bodies = [*examples, *MORE_BODIES.get(path, ())] or [{}]
    if path == "/api/mcp/tools":
        bodies = [{**each, "url": LOCAL_SERVER} for each in bodies]
    return tuple(json.dumps(each).encode() for each in bodies)


def _resolved(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        found: Any = document
        for name in re.split("/", part["$ref"])[1:]:
            found = found[name]
        part = found
    return part
