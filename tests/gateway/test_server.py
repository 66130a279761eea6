"""The gateway process: its start, its stop, its ports."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from engine.access.capabilities import Tier
from engine.settings import Settings
from engine.store import Store
from gateway.admission.departure import Departure
from gateway.http.listener import bind, serve_app
from gateway.server import serve
from tests.conftest import RedisServer, free_port
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.gateway.documents import greeting

ROOT = Path(__file__).parents[2]
CODE = (
    "import sys; from engine.settings import load; from gateway.server import run;"
    "sys.exit(run(load()))"
)
ASK = {"inputs": {"name": "Eve"}}


@dataclass
class Process:
    """A gateway process and its address."""

    popen: "subprocess.Popen[bytes]"
    url: str

    def terminate(self) -> None:
        self.popen.send_signal(signal.SIGTERM)

    async def exit_code(self) -> int:
        return await asyncio.to_thread(self.popen.wait, 40)


StartProcess = Callable[..., Process]


@pytest.fixture
def start(redis_url: str) -> Iterator[StartProcess]:
    started: list[Process] = []

    def start_one(port: int, **variables: str) -> Process:
        environ = {**os.environ, "HEADRACE_REDIS_URL": redis_url, "HEADRACE_PORT": str(port)}
        environ |= {f"HEADRACE_{name.upper()}": value for name, value in variables.items()}
        popen = subprocess.Popen([sys.executable, "-c", CODE], cwd=ROOT, env=environ)
        started.append(Process(popen, f"http://127.0.0.1:{port}"))
        return started[-1]

    yield start_one
    for process in started:
        process.popen.kill()
        process.popen.wait()


async def status_of(url: str) -> int:
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        try:
            return (await client.get(url)).status_code
        except httpx2.TransportError:
            return 0


async def is_up(process: Process, path: str = "/readyz") -> None:
    await eventually(lambda: status_of(process.url + path), lambda status: status == 200)


async def test_a_process_that_is_told_to_stop_ends_well(start: StartProcess) -> None:
    process = start(free_port())
    await is_up(process)

    process.terminate()

    assert await process.exit_code() == 0


@pytest.mark.F27
async def test_a_stopping_process_answers_those_who_wait_and_takes_no_more(
    start: StartProcess, api_key: str
) -> None:
    process = start(free_port())
    await is_up(process)
    headers = {"x-api-key": api_key}
    async with httpx2.AsyncClient(
        base_url=process.url, headers=headers, timeout=PATIENCE_SECONDS
    ) as client:
        await client.post("/api/workflows", json=greeting())
        run = asyncio.create_task(client.post("/api/workflows/greeting/run", json=ASK))

        async def rows() -> object:
            return (await client.get("/api/executions")).json()["rows"]

        await eventually(rows)
        process.terminate()
        stopped_at = time.monotonic()

        await eventually(lambda: status_of(f"{process.url}/healthz"), lambda status: status == 0)
        answer = await run
        assert answer.status_code == 202
        assert answer.json()["_async"] is True
        assert time.monotonic() - stopped_at < 40
    assert await process.exit_code() == 0


async def test_two_processes_share_a_port(start: StartProcess) -> None:
    port = free_port()
    first = start(port)
    await is_up(first)
    second = start(port)
    first.terminate()
    assert await first.exit_code() == 0

    await is_up(second)

    assert second.popen.poll() is None


async def test_metrics_have_a_port_of_their_own_when_asked_for(start: StartProcess) -> None:
    metrics_port = free_port()
    process = start(free_port(), metrics_port=str(metrics_port))
    await is_up(process)

    apart = await status_of(f"http://127.0.0.1:{metrics_port}/metrics")
    alone = await status_of(f"http://127.0.0.1:{metrics_port}/metrics/process")
    beside = await status_of(f"{process.url}/metrics")
    elsewhere = await status_of(f"http://127.0.0.1:{metrics_port}/api/whoami")

    assert (apart, alone, beside, elsewhere) == (200, 200, 404, 404)
    process.terminate()
    assert await process.exit_code() == 0


async def test_a_process_starts_and_lives_without_its_store(start: StartProcess) -> None:
    process = start(free_port(), redis_url="unix:///nowhere/at/all")
    await is_up(process, "/healthz")

    async with httpx2.AsyncClient(base_url=process.url, timeout=PATIENCE_SECONDS) as client:
        answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["code"] == "UNAVAILABLE"
    assert answer.headers["retry-after"] == "2"


async def test_a_caller_goes_on_waiting_while_the_store_is_away(start: StartProcess) -> None:
    redis = RedisServer()
    redis.start()
    try:
        process = start(free_port(), redis_url=redis.url)
        await is_up(process)
        store = Store.open(Settings(redis_url=redis.url))
        account = await store.accounts.create(email="ada@example.com", tier=Tier.PRO)
        _, key = await store.api_keys.create(account, name="n", capabilities=["workflow:*"])
        headers = {"x-api-key": key}
        async with httpx2.AsyncClient(
            base_url=process.url, headers=headers, timeout=PATIENCE_SECONDS
        ) as client:
            await client.post("/api/workflows", json=greeting())
            path = "/api/workflows/greeting/run"
            run = asyncio.create_task(client.post(path, json=ASK, params={"timeout": "3"}))
            await eventually(lambda: store.executions.list(account.id), lambda page: bool(page[0]))
            await store.close()

            redis.kill()

            refused = await client.post(path, json=ASK)
            answer = await run
        assert (refused.status_code, refused.json()["code"]) == (503, "UNAVAILABLE")
        assert refused.headers["retry-after"] == "2"
        assert answer.status_code == 202
    finally:
        redis.stop()


async def test_a_process_about_to_stop_answers_and_a_second_signal_stops_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QUIET_SECONDS", "MOST_SECONDS"):
        monkeypatch.setattr(f"gateway.admission.departure.{name}", PATIENCE_SECONDS)
    settings = replace(settings, drain_seconds=4 * PATIENCE_SECONDS)
    bound = bind("127.0.0.1", 0)
    bound.listen()
    address = bound.getsockname()
    url = f"http://127.0.0.1:{address[1]}"
    ended = asyncio.create_task(serve(settings, bound=bound))
    await eventually(lambda: status_of(f"{url}/readyz"), lambda seen: seen == 200)
    with socket.create_connection(address) as kept:
        kept.setblocking(False)
        before = await exchange(kept, b"/healthz")

        os.kill(os.getpid(), signal.SIGTERM)
        await eventually(lambda: status_of(f"{url}/readyz"), lambda seen: seen == 503)
        over_kept = await exchange(kept, b"/healthz")
        anew = await status_of(f"{url}/healthz")

        os.kill(os.getpid(), signal.SIGTERM)
        assert await ended == 0

    assert anew == 200
    assert before.startswith(b"HTTP/1.1 200 ")
    assert over_kept.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" not in before
    assert b"\r\nconnection: close\r\n" in over_kept


@pytest.mark.F27
async def test_connections_that_nobody_has_taken_yet_are_served_at_the_stop() -> None:
    bound = bind("127.0.0.1", 0)
    bound.listen()
    address = bound.getsockname()
    stopping = asyncio.Event()
    ended = asyncio.create_task(serve_app(answer, bound, Departure(stopping)))
    with socket.create_connection(address) as probe:
        probe.setblocking(False)
        await exchange(probe)
        stopping.set()
        # All in one step of the loop: the server takes none of them before it closes.
        late = [socket.create_connection(address) for _ in range(3)]
        for each in late:
            each.setblocking(False)

        answers = [await exchange(each) for each in late]

    await ended
    assert [each.split(b"\r\n")[0] for each in answers] == [b"HTTP/1.1 204 No Content"] * 3
    for each in late:
        each.close()


async def answer(scope: Scope, _: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def exchange(connection: socket.socket, target: bytes = b"/") -> bytes:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, b"GET %s HTTP/1.1\r\nhost: here\r\n\r\n" % target)
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await loop.sock_recv(connection, 65_536)
