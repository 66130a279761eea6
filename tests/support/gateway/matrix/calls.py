"""Calls of the API, one for each method of each route, taken from the table of routes."""

from dataclasses import dataclass, field

from starlette.routing import Route

from engine.settings import Settings
from gateway.app import routes
from gateway.auth.guard import Operation, Public
from gateway.auth.resource import Resource

IDS = {name for route in routes(Settings()) for name in vars(route).get("param_convertors", ())}
PATH = dict.fromkeys(IDS, "0") | {
    "slug": "greeting",
    "internal_name": "echo",
    "key_id": "key_0",
    "execution_id": "00000000-0000-4000-8000-000000000000",
    "asset_id": "0" * 24,
    "delivery_id": "00000000-0000-4000-8000-000000000000",
    "version": "1",
}
"""Well-formed values of all path parameters; the objects need not exist."""
UNAUTHORIZED = b'{"error":"Unauthorized"}'


@dataclass(frozen=True)
class Call:
    """One way to call one route."""

    method: str
    path: str
    requirement: str
    is_guarded: bool
    operation: Operation | None = field(default=None, repr=False, hash=False, compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_for_sessions(self) -> bool:
        """Whether keys are refused, whatever they hold."""
        return self.requirement.startswith("session")

    @property
    def capabilities(self) -> list[frozenset[str]]:
        """Capabilities that a key must hold: of each set, any one."""
        if self.is_for_sessions or self.requirement in ("public", "key", "any key or session"):
            return []
        return [frozenset(each.split(" or ")) for each in self.requirement.split(" and ")]


def calls() -> list[Call]:
    """Return all calls, in the order of the routes."""
    found = []
    for route in routes(Settings()):
        assert isinstance(route, Route)
        assert isinstance(route.endpoint, Resource)
        for method, endpoint in route.endpoint.endpoints.items():
            guarded = not isinstance(endpoint, Public)
            requirement, operation = endpoint.requirement, endpoint.operation
            found.append(Call(method, route.path, requirement, guarded, operation))
    return found


CALLS = calls()
GUARDED = [call for call in CALLS if call.is_guarded]
GUARDED_PATHS = sorted({call.path for call in GUARDED})
