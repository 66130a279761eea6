"""Redis busy with a script, or without our scripts: callers get 503 or an answer; all goes on."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest
import redis

from tests.conftest import RedisServer
from tests.support.eventually import eventually
from tests.support.factories import greeting
from tests.support.replies.installation import Actor, Installation, installation

LOOP = "local n = tonumber(ARGV[1]) for i = 1, n do n = n + i % 2 end return n"
CALIBRATION = 2_000_000
BUSY_SECONDS = 3.0
BUSY_AFTER_MS = 100
FLUSH_SECONDS = 0.05
RUNS = 100


@pytest.fixture
async def stack(
    own_server: RedisServer, tmp_path: Path, workers_share_a_zygote: None
) -> AsyncIterator[Installation]:
    async with installation(own_server.url, tmp_path) as started:
        yield started


def keep_busy(url: str) -> None:
    """Let a script run for some seconds, which nobody kills."""
    with redis.Redis.from_url(url, socket_timeout=60) as client:
        client.config_set("busy-reply-threshold", BUSY_AFTER_MS)
        began = time.perf_counter()
        client.eval(LOOP, 0, CALIBRATION)
        rounds = int(CALIBRATION * BUSY_SECONDS / (time.perf_counter() - began))
        client.eval(LOOP, 0, rounds)


@contextlib.asynccontextmanager
async def repeating(action: Callable[[], object], pause: float) -> AsyncIterator[None]:
    """Repeat an action while the context lasts."""

    async def repeat() -> None:
        while True:
            await asyncio.to_thread(action)
            await asyncio.sleep(pause)

    task = asyncio.create_task(repeat())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def run_once(actor: Actor, slug: str) -> httpx2.Response:
    """Run a workflow without asking again."""
    headers = dict(actor.client.headers)
    async with httpx2.AsyncClient(base_url=actor.installation.url, headers=headers) as client:
        body = {"inputs": {"who": "Ada"}}
        return await client.post(f"/api/workflows/{slug}/run", json=body, timeout=60)


@pytest.mark.F23
@pytest.mark.slow
async def test_callers_of_a_busy_redis_get_503_and_afterwards_all_goes_on(
    stack: Installation, own_server: RedisServer
) -> None:
    async with stack.actor() as actor:
        slug = await actor.save(greeting().body())
        waiting = await actor.start(slug, {"who": "Ada"})
        busy = asyncio.create_task(asyncio.to_thread(keep_busy, own_server.url))
        answers: list[httpx2.Response] = []
        while not busy.done():
            answers.append(await run_once(actor, slug))
            await asyncio.sleep(0.05)
        await busy

        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) == {200, 503}
        refused = [answer for answer in answers if answer.status_code == 503]
        assert {answer.json()["code"] for answer in refused} == {"UNAVAILABLE"}
        assert all("retry-after" in answer.headers for answer in refused)
        assert (await actor.end(waiting))["status"] == "completed"

        async def answered() -> int:
            return (await run_once(actor, slug)).status_code

        await eventually(answered, lambda status: status == 200)


@pytest.mark.F24
@pytest.mark.slow
async def test_no_caller_sees_that_redis_forgets_all_scripts_again_and_again(
    stack: Installation, own_server: RedisServer, record_property: Callable[[str, object], None]
) -> None:
    library = redis.Redis.from_url(own_server.url)
    async with stack.actor() as actor:
        slug = await actor.save(greeting().body())

        async with repeating(library.script_flush, FLUSH_SECONDS):
            answers = [await run_once(actor, slug) for _ in range(RUNS)]
            ids = [await actor.start(slug, {"who": "Eve"}) for _ in range(RUNS)]
            ends = [await actor.end(each) for each in ids]

    library.close()
    assert {answer.status_code for answer in answers} == {200}
    assert {end["status"] for end in ends} == {"completed"}
    record_property("executions", 2 * RUNS)
