"""The floor: an endpoint, a Redis list and one worker process; no keys, no record, no recovery.

`uvicorn tests.benchmarks.references.floor:app`
is the endpoint, `python -m tests.benchmarks.references.floor` the worker.
"""

import asyncio
import json
import os
import uuid
from typing import cast

import aiohttp
import redis.asyncio
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.benchmarks.references.programs import run

REDIS_URL = os.environ.get("BENCH_REDIS_URL", "")
TARGET = os.environ.get("BENCH_TARGET", "")
WAIT_MS = int(os.environ.get("BENCH_WAIT_MS", "2000"))
JOBS = "jobs"
ANSWER_SECONDS = 60


def connect() -> redis.asyncio.Redis:
    """A connection for each caller who waits; opening thousands at once takes a while."""
    return redis.asyncio.Redis.from_url(
        REDIS_URL,
        max_connections=20_000,
        socket_timeout=None,
        socket_connect_timeout=ANSWER_SECONDS,
        protocol=3,
    )


client = connect()


async def call(request: Request) -> JSONResponse:
    """Push the job, then wait for its answer on a list of its own."""
    body = await request.json()
    name = body["inputs"]["name"]
    job_id = uuid.uuid4().hex
    await client.rpush(JOBS, json.dumps([job_id, request.path_params["workload"], name]))
    answer = await pop(f"answer:{job_id}", ANSWER_SECONDS)
    return JSONResponse({"success": True, "result": json.loads(answer)})


async def pop(key: str, seconds: int) -> bytes:
    """Wait for an element of a list."""
    _, element = cast(tuple[bytes, bytes], await client.blpop([key], timeout=seconds))
    return element


app = Starlette(routes=[Route("/run/{workload}", call, methods=["POST"])])


async def work() -> None:
    """Take jobs for ever; each runs as a task of its own."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4)
    async with aiohttp.ClientSession(connector=connector) as session:
        tasks = set()
        while True:
            task = asyncio.create_task(answer_job(session, await pop(JOBS, 0)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


async def answer_job(session: aiohttp.ClientSession, job: bytes) -> None:
    async def fetch(url: str) -> str:
        async with session.get(url) as response:
            return await response.text()

    job_id, workload, name = json.loads(job)
    result = await run(workload, name, fetch, TARGET, WAIT_MS)
    await client.rpush(f"answer:{job_id}", json.dumps(result))


if __name__ == "__main__":
    uvloop.run(work())
