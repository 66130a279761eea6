"""Router that leaves no frame of its own in memory while a request waits, and its routes."""

import re
from collections.abc import Awaitable

from starlette.routing import Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send


class LightRouter(Router):
    """Passes a request on to the first matching route; leaves all else to Starlette's router."""

    def __call__(  # type: ignore[override]
        self, scope: Scope, receive: Receive, send: Send
    ) -> Awaitable[None]:
        """Return the awaitable of the matching route's application."""
        if scope["type"] == "http":
            for route in self.routes:
                match, child_scope = route.matches(scope)
                if match is Match.FULL and isinstance(route, Route):
                    scope["router"], scope["route"] = self, route
                    scope.update(child_scope)
                    return route.app(scope, receive, send)
        return super().__call__(scope, receive, send)


class NodeRoute(Route):
    """Route whose last parameter is a node's id, which may contain slashes."""

    def __init__(self, path: str, endpoint: ASGIApp) -> None:
        super().__init__(path, endpoint)
        self.path_regex = re.compile(self.path_regex.pattern.replace("[^/]+)$", ".+)$"))
