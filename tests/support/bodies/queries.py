"""Hostile paths and queries of routes that read, each made from a seed and its number alone."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.routing import Route

from engine.settings import Settings
from engine.store.executions.record_fields import make_cursor
from gateway.app import routes
from gateway.auth.resource import Resource
from gateway.openapi.document import make_document

ENDLESS = ("/api/events", "/api/executions/{execution_id}/events")
"""Routes whose answers go on."""
VALUES = (
    *("", "0", "1", "-1", "00", "1e9", "1e400", "NaN", "9" * 19, "9" * 400, "0x10", "1.5", "true"),
    *("null", "[]", "{}", "*", "%", "%00", "%zz", "%ff%fe", "%ed%a0%80", "\x7f", "a\x00b", "é"),
    *("\u202e", "../..", "..%2f..", "x" * 3_000, "2026-02-30", "2026-03-01T09:30:00Z"),
    *(
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "99999-01-01T00:00:00Z",
        "P1D",
    ),
    *("running", "completed,failed", "a,b,,c", "," * 500, "' OR 1=1 --", "${jndi:a}", "{{ a }}"),
    *("eyJhIjoxfQ", "eyJhIjoxfQ==", "AAAA" * 100, "_" * 50, "-" * 50, "+", "%2B", "a b", "a=b&c"),
    *("00000000-0000-4000-8000-000000000000", "trg_0", "key_0", "run-1", "1-0", "1-1-1", "(", "["),
)
UUID = "00000000-0000-4000-8000-000000000000"
CURSORS = tuple(
    f"{before}{make_cursor(at, name)}"  # type: ignore[arg-type]  # as callers may write them
    for at in (0, 1, -1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 10**400, "1e9", "")
    for name in (UUID, "greeting", "0", "-1", "9" * 25, "", "a:b", "\x00", "{}")
    for before in ("", "0.", "9" * 15 + ".")
)
"""Cursors as lists give them, of places that no row has."""
NAMES = ("limit", "cursor", "status", "from", "to", "since", "q", "sort", "version", "timeout", "")


@dataclass(frozen=True)
class Question:
    """A route that reads, with the names of its query."""

    route: str
    needs_session: bool
    names: tuple[str, ...]
    known: Mapping[str, str] = field(default_factory=dict)
    """Ids of objects, by the names of path parameters."""
    method: str = "GET"

    def request(self, seed: int, number: int) -> tuple[str, bytes]:
        """Return the path with the query of a number, and no body."""
        rng = random.Random(f"{seed} {number}")
        ids = dict(self.known)
        for name in self.known:
            if rng.random() < 0.15:
                ids[name] = quote(rng.choice(VALUES), safe="%") or "0"
        path = self.route.format_map(ids)
        asked = NAMES if not self.names or rng.random() < 0.1 else self.names
        pairs = [
            f"{name}={quote(_value(rng, name), safe='%+&=,')}"
            for name in rng.choices(asked, k=rng.choice((0, 1, 1, 2, 3, 9)))
        ]
        return (f"{path}?{rng.choice('&&&;').join(pairs)}" if pairs else path), b""


def _value(rng: random.Random, name: str) -> str:
    of_its_kind = {"cursor": CURSORS, "limit": ("1", "2", "200")}.get(name, VALUES)
    return rng.choice(of_its_kind if rng.random() < 0.8 else VALUES)


def questions() -> list[Question]:
    """Return all routes that read and whose answers end."""
    served = routes(Settings())
    paths: Any = make_document(served, "test")["paths"]
    found = []
    for route in served:
        assert isinstance(route, Route) and isinstance(route.endpoint, Resource)
        endpoint = route.endpoint.endpoints.get("GET")
        if endpoint is None or route.path in ENDLESS:
            continue
        described = paths.get(route.path, {}).get("get", {}).get("parameters", ())
        names = tuple(each["name"] for each in described if each.get("in") == "query")
        session = endpoint.requirement.startswith("session")
        found.append(Question(route.path, session, names))
    return found
