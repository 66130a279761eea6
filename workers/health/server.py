"""HTTP server of a worker's probes, and of its own metrics."""

import asyncio
import socket

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.net.http_server import StoppableServer, make_config
from engine.services.metrics.page import CONTENT_TYPE, process_page
from workers.health.readiness import WorkerHealth

STOP_SECONDS = 1
"""Longest time for answers under way at the end of the process."""


async def serve_probes(health: WorkerHealth, bound: socket.socket, stopping: asyncio.Event) -> None:
    """Answer `/healthz`, `/readyz` and `/metrics` on a bound socket until `stopping` is set."""
    config = make_config(_make_app(health), timeout_graceful_shutdown=STOP_SECONDS)
    await StoppableServer(config, stopping).serve(sockets=[bound])


def _make_app(health: WorkerHealth) -> Starlette:
    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        reason = await health.reason()
        if reason:
            return JSONResponse({"ready": False, "reason": reason}, status_code=503)
        return JSONResponse({"ready": True})

    async def metrics(_: Request) -> Response:
        return Response(process_page(), headers={"content-type": CONTENT_TYPE})

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )
