"""Liveness, readiness and metrics of the process."""

import asyncio
import contextlib
from typing import Annotated

from msgspec import UNSET, UnsetType
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine.errors import StorageFailed, Unavailable
from engine.services.media import MediaService
from engine.services.metrics.page import CONTENT_TYPE, process_page, sum_page
from gateway.auth.endpoints import operation, public
from gateway.auth.resource import Resource
from gateway.http.responses import json_response
from gateway.http.types import Content, View, doc
from gateway.services import GatewayRequest

FREE_SPACE_SECONDS = 1.0
"""Longest wait for a folder of media; its metric is then left out."""


class Status(View):
    """Liveness of the process."""

    status: str


class ReadinessView(View):
    """Readiness of the process."""

    status: str
    degraded: Annotated[
        list[str] | UnsetType,
        doc(
            "Why this serves, but not as it should; `memory`: the store is nearly full, "
            "`hints`: work waits that no worker takes."
        ),
    ] = UNSET


Status.examples = (Status("ok"),)
ReadinessView.examples = (ReadinessView("ready"), ReadinessView("ready", degraded=["hints"]))
METRICS = Content(
    component="Metrics",
    kind=str,
    media_type="text/plain",
    examples=("# TYPE headrace_redis_up gauge\nheadrace_redis_up 1.0\n",),
)


@operation(answers={200: Status})
@public
async def healthz(request: GatewayRequest) -> Response:
    """The process answers."""
    return json_response(Status("ok"))


@operation(answers={200: ReadinessView}, errors=(Unavailable,))
@public
async def readyz(request: GatewayRequest) -> Response:
    """The store answers and the process is not about to stop. Raises Unavailable.

    `degraded` names the conditions under which it serves, but not as it should.
    """
    services = request.services
    if services.departure.is_begun:
        raise Unavailable("This process is about to stop")
    await services.store.ping()
    degraded = services.readiness.degraded()
    return json_response(ReadinessView("ready", degraded=degraded or UNSET))


@operation(answers={200: METRICS})
@public
async def metrics(request: GatewayRequest) -> Response:
    """The metrics of all processes in Prometheus' text format."""
    services = request.services
    content = await sum_page(
        services.store, services.process, await _media_free_bytes(services.media_service)
    )
    return Response(content, headers={"content-type": CONTENT_TYPE})


@operation(answers={200: METRICS})
@public
async def process_metrics(request: GatewayRequest) -> Response:
    """The metrics of this process alone, in the same format; their sum is at `/metrics`."""
    return Response(process_page(), headers={"content-type": CONTENT_TYPE})


async def _media_free_bytes(media_service: MediaService) -> int | None:
    with contextlib.suppress(StorageFailed, TimeoutError):
        async with asyncio.timeout(FREE_SPACE_SECONDS):
            return await media_service.free_bytes()
    return None


routes: list[BaseRoute] = [
    Route("/healthz", Resource(GET=healthz)),
    Route("/readyz", Resource(GET=readyz)),
]
metrics_routes: list[BaseRoute] = [
    Route("/metrics", Resource(GET=metrics)),
    Route("/metrics/process", Resource(GET=process_metrics)),
]
