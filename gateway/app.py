"""The application: composition of its middleware and routes."""

import contextlib
from collections.abc import AsyncIterator

from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from engine.errors import NotFound
from engine.settings import Settings
from engine.telemetry.traces.tracing import active
from gateway.approvals.service import BODY_LIMIT as ANSWER_LIMIT
from gateway.auth.cors import CrossOrigin, parse_origins
from gateway.hooks.intake import BODY_LIMIT as EVENT_LIMIT
from gateway.http.middleware import BodyLimits, Errors, RequestIds, RequestMetrics
from gateway.http.router import LightRouter
from gateway.http.uploads import upload_limit
from gateway.mcp import route as mcp
from gateway.mcp.oauth import route as oauth
from gateway.mcp.oauth.forms import BODY_LIMIT as OAUTH_LIMIT
from gateway.routes.accounts import (
    account_events,
    accounts,
    api_keys,
    grant_requests,
    identity,
    secrets,
    sessions,
)
from gateway.routes.approvals import approvals, links
from gateway.routes.assets import assets
from gateway.routes.batches import batches, items, starts
from gateway.routes.batches import retries as batch_retries
from gateway.routes.executions import bulk_cancel, execution_values, executions
from gateway.routes.models import model_checks, models
from gateway.routes.operations import audit, health, installation, installation_series
from gateway.routes.pages import docs, pages
from gateway.routes.releases import aliases
from gateway.routes.replays import replays
from gateway.routes.replays import starts as replay_starts
from gateway.routes.runs import draft_runs, retries, runs
from gateway.routes.tools import server_tools
from gateway.routes.triggers import events, occurrences, previews, triggers
from gateway.routes.triggers import hooks as hook_triggers
from gateway.routes.triggers import runs as trigger_runs
from gateway.routes.usage import ledger, usage, usage_series
from gateway.routes.webhooks import deliveries, webhooks
from gateway.routes.workflow_tests import runs as test_runs
from gateway.routes.workflow_tests import workflow_tests
from gateway.routes.workflows import (
    descriptions,
    drafts,
    expressions,
    node_types,
    versions,
    workflow_checks,
    workflows,
)
from gateway.runs.batch_body import BODY_LIMIT
from gateway.services import Services, State
from gateway.telemetry.access_log import AccessLog
from gateway.telemetry.request_spans import RequestSpans

_ACCOUNTS = (
    *identity.routes,
    *account_events.routes,
    *api_keys.routes,
    *grant_requests.routes,
)
_WORKFLOWS = (
    *workflows.routes,
    *versions.routes,
    *aliases.routes,
    *drafts.routes,
    *draft_runs.routes,
    *replay_starts.routes,
    *replays.routes,
    *test_runs.routes,
    *workflow_tests.routes,
    *descriptions.routes,
)
_ADMINISTRATION = (
    *accounts.routes,
    *audit.routes,
    *installation.routes,
    *installation_series.routes,
)


def routes(settings: Settings) -> list[BaseRoute]:
    """Return all routes, the busiest first; metrics with a port of their own are left out."""
    metrics = [] if settings.metrics_port else health.metrics_routes
    return [
        *runs.routes,
        *bulk_cancel.routes,
        *executions.routes,
        *execution_values.routes,
        *retries.routes,
        *approvals.routes,
        *events.routes,
        *mcp.routes,
        *oauth.routes,
        *starts.routes,
        *batches.routes,
        *items.routes,
        *batch_retries.routes,
        *previews.routes,
        *triggers.routes,
        *hook_triggers.routes,
        *occurrences.routes,
        *trigger_runs.routes,
        *workflow_checks.routes,
        *expressions.routes,
        *server_tools.routes,
        *_WORKFLOWS,
        *model_checks.routes,
        *models.routes,
        *node_types.routes,
        *assets.routes,
        *usage.routes,
        *usage_series.routes,
        *ledger.routes,
        *_ACCOUNTS,
        *deliveries.routes,
        *webhooks.routes,
        *secrets.routes,
        *_ADMINISTRATION,
        *links.routes,
        *pages.routes,
        *sessions.routes,
        *health.routes,
        *docs.routes,
        *metrics,
    ]


def create_app(services: Services) -> ASGIApp:
    """Return the application of the API."""
    wrapped, tracing = _wrap(routes(services.settings), services), active()
    app: ASGIApp = RequestMetrics(wrapped if tracing is None else RequestSpans(wrapped, tracing))
    if services.access_log is not None:
        app = AccessLog(app, services.access_log, services.peers)
    return app


def create_metrics_app(services: Services) -> ASGIApp:
    """Return the application of the metrics alone, for a port of their own."""
    return _wrap(health.metrics_routes, services)


def _wrap(served: list[BaseRoute], services: Services) -> ASGIApp:
    lifespan = _lifespan(services)
    app: ASGIApp = LightRouter(
        served, redirect_slashes=False, default=_not_found, lifespan=lifespan
    )
    settings = services.settings
    app = BodyLimits(
        app,
        max_bytes=settings.max_body_bytes,
        others={assets.PATH: upload_limit(settings.max_asset_bytes)},
        patterns={
            starts.PATH: BODY_LIMIT,
            events.PATH: EVENT_LIMIT,
            links.PATH: ANSWER_LIMIT,
            oauth.PATHS: OAUTH_LIMIT,
        },
    )
    app = Errors(app, services.failed_calls.record_failure)
    if origins := parse_origins(settings.cors_origins):
        app = CrossOrigin(app, origins, services.own_origins)
    return RequestIds(app)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotFound("There is nothing at this path")


def _lifespan(services: Services) -> Lifespan[Router]:
    @contextlib.asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[State]:
        yield State(services=services)

    return lifespan
