"""Dramatiq as it comes: an endpoint that sends a message and waits for its stored result.

`uvicorn tests.benchmarks.references.stock:app`
is the endpoint, `dramatiq tests.benchmarks.references.stock` the workers.
"""

import http.client
import os
import threading
from typing import Any, cast
from urllib.parse import urlsplit

import anyio.to_thread
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.benchmarks.references.programs import run_blocking

REDIS_URL = os.environ.get("BENCH_REDIS_URL", "redis://127.0.0.1:1")
TARGET = os.environ.get("BENCH_TARGET", "")
WAIT_MS = int(os.environ.get("BENCH_WAIT_MS", "2000"))
ANSWER_MS = 60_000
THREADS = 1_000

broker = RedisBroker(url=REDIS_URL)
broker.add_middleware(Results(backend=RedisBackend(url=REDIS_URL)))
dramatiq.set_broker(broker)
local = threading.local()


@dramatiq.actor(store_results=True, max_retries=0)
def work(workload: str, name: str) -> Any:
    """Run the whole workload in one message."""
    return run_blocking(workload, name, get, TARGET, WAIT_MS)


def get(url: str) -> str:
    """GET over this thread's kept-alive connection."""
    parts = urlsplit(url)
    if not hasattr(local, "connection"):
        local.connection = http.client.HTTPConnection(parts.netloc)
    local.connection.request("GET", f"{parts.path}?{parts.query}")
    return str(local.connection.getresponse().read().decode())


def call_and_wait(workload: str, name: str) -> Any:
    return work.send(workload, name).get_result(block=True, timeout=ANSWER_MS)


async def call(request: Request) -> JSONResponse:
    """Send and wait in a thread: the client blocks."""
    body = await request.json()
    workload, name = request.path_params["workload"], body["inputs"]["name"]
    result = await anyio.to_thread.run_sync(call_and_wait, workload, name, limiter=limiter())
    return JSONResponse({"success": True, "result": result})


def limiter() -> anyio.CapacityLimiter:
    if not hasattr(app.state, "limiter"):
        app.state.limiter = anyio.CapacityLimiter(THREADS)
    return cast(anyio.CapacityLimiter, app.state.limiter)


app = Starlette(routes=[Route("/run/{workload}", call, methods=["POST"])])
