"""The application: its resources, its middleware and its routes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from engine.errors import NotFound
from engine.settings import Settings
from engine.store import Bell, Store
from gateway.middleware import BodyLimits, Errors, RequestIds
from gateway.routes import executions, health, identity, runs, workflows
from gateway.services import Services, State


def routes(settings: Settings) -> list[BaseRoute]:
    """All routes, the busiest first; metrics are elsewhere when they have a port of their own."""
    metrics = [] if settings.metrics_port else health.metrics_routes
    return [
        *runs.routes,
        *executions.routes,
        *workflows.routes,
        *identity.routes,
        *health.routes,
        *metrics,
    ]


def create_app(settings: Settings, stopping: asyncio.Event) -> ASGIApp:
    """The API. `stopping` is set when the process is told to stop."""
    return _wrap(routes(settings), settings, _lifespan(settings, stopping))


def create_metrics_app(settings: Settings, stopping: asyncio.Event) -> ASGIApp:
    """The metrics alone, for a port of their own."""
    return _wrap(health.metrics_routes, settings, _lifespan(settings, stopping))


def _wrap(listed: list[BaseRoute], settings: Settings, lifespan: Lifespan[Router]) -> ASGIApp:
    app: ASGIApp = Router(listed, redirect_slashes=False, default=_nowhere, lifespan=lifespan)
    app = BodyLimits(app, max_bytes=settings.max_body_bytes)
    app = Errors(app)
    return RequestIds(app)


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotFound("There is nothing at this path")


def _lifespan(settings: Settings, stopping: asyncio.Event) -> Lifespan[Router]:
    @contextlib.asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[State]:
        store = Store.open(settings)
        try:
            async with Bell.open(settings.redis_url) as bell:
                yield State(
                    services=Services(settings=settings, store=store, bell=bell, stopping=stopping)
                )
        finally:
            await store.close()

    return lifespan
