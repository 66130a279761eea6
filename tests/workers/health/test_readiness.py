"""Readiness of a worker, from its start to the end of its drain, as probes see it."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.settings import SettingError, Settings, load
from engine.store import Store
from tests.conftest import RedisServer, free_port
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.factories import Runner, http_fan
from tests.support.http.scripted_server import Target
from tests.support.workers.worker_process import WorkerProcess, worker_processes
from workers.health import readiness
from workers.health.readiness import Phase, WorkerHealth, serve_health

NO_PROCESS: tuple[int, Any] = (0, None)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def foreign_server() -> Iterator[RedisServer]:
    """A Redis that is not running yet, and that will hold no installation."""
    server = RedisServer(is_marked=False)
    yield server
    server.stop()


async def ask(port: int, path: str = "/readyz") -> tuple[int, Any]:
    """Return the status and the body of a probe's answer; `NO_PROCESS` without one."""
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        try:
            answer = await client.get(f"http://127.0.0.1:{port}{path}")
        except httpx2.TransportError:
            return NO_PROCESS
        return answer.status_code, answer.json()


async def answers(port: int, *expected: Any) -> Any:
    """Wait for an answer of this status, and with these words in its reason if there are any."""
    status, *words = expected

    def is_expected(seen: tuple[int, Any]) -> bool:
        return seen[0] == status and all(word in seen[1]["reason"] for word in words)

    return (await eventually(lambda: ask(port), is_expected))[1]


async def test_a_worker_is_ready_while_it_takes_hints(redis_url: str, port: int) -> None:
    async with worker_processes(redis_url, 1, HEADRACE_HEALTH_PORT=str(port)):
        assert await answers(port, 200) == {"ready": True}
        assert await ask(port, "/healthz") == (200, {"status": "ok"})


async def test_the_port_has_the_metrics_of_this_worker_alone(
    redis_url: str, port: int, store: Store
) -> None:
    async def read() -> str:
        async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            return (await client.get(f"http://127.0.0.1:{port}/metrics")).text

    async with worker_processes(redis_url, 1, HEADRACE_HEALTH_PORT=str(port)):
        await answers(port, 200)
        await store.snapshots.put("another", [["foreign", "gauge", "T.", [["foreign", {}, 1]]]])
        page = await eventually(
            read, lambda page: 'round_trip_seconds_count{part="worker"}' in page
        )

    assert 'headrace_process_memory_bytes{part="worker"} ' in page
    assert re.search(r"^headrace_worker_slots [1-9]", page, re.MULTILINE)
    assert re.search(r"^headrace_pool_size [1-9]", page, re.MULTILINE)
    assert "headrace_pool_busy 0.0" in page
    assert "foreign" not in page
    assert "headrace_redis_up" not in page


async def test_a_worker_answers_before_its_store_does(
    foreign_server: RedisServer, port: int
) -> None:
    async with worker_processes(foreign_server.url, 1, HEADRACE_HEALTH_PORT=str(port)) as [process]:
        await answers(port, 503, "store")
        assert await ask(port, "/healthz") == (200, {"status": "ok"})

        foreign_server.start()
        await answers(port, 503, "holds no Headrace installation", "headrace init")

        assert await process.end(signal.SIGTERM) == 0


async def test_a_worker_whose_store_goes_away_is_not_ready(
    own_server: RedisServer, port: int
) -> None:
    async with worker_processes(own_server.url, 1, HEADRACE_HEALTH_PORT=str(port)):
        await answers(port, 200)

        own_server.kill()
        body = await answers(port, 503)

        assert body["ready"] is False
        assert await ask(port, "/healthz") == (200, {"status": "ok"})


async def test_a_worker_answers_until_the_end_of_its_drain(
    redis_url: str, port: int, runner: Runner, target: Target
) -> None:
    await runner.begin(await runner.save(http_fan(f"{target.url}/slow/2", 1)))
    async with worker_processes(redis_url, 1, HEADRACE_HEALTH_PORT=str(port)) as [process]:
        await eventually(lambda: _count(target))

        ending = asyncio.create_task(process.end(signal.SIGTERM))
        await answers(port, 503, "draining")
        while not ending.done():
            assert await ask(port) in ((503, {"ready": False, "reason": "draining"}), NO_PROCESS)
            await asyncio.sleep(0.05)

        assert await ending == 0


async def _count(target: Target) -> int:
    return target.slow


async def test_a_port_in_use_is_an_error_that_names_the_setting(redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-P", "-m", "deploy", "worker"],
            env=WorkerProcess(redis_url, HEADRACE_HEALTH_PORT=str(number)).environ,
            capture_output=True,
            text=True,
        )

    assert done.returncode == 1
    assert f"HEADRACE_HEALTH_PORT: port {number} on 127.0.0.1 cannot be listened on" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_host_of_no_address_here_is_an_error_too(settings: Settings, store: Store) -> None:
    elsewhere = replace(settings, health_host="192.0.2.1", health_port=free_port())

    with pytest.raises(SettingError, match=r"on 192\.0\.2\.1 cannot be listened on"):
        async with serve_health(elsewhere, store):
            pytest.fail("it listens")


async def test_without_a_port_nothing_listens(settings: Settings, store: Store) -> None:
    assert load({}).health_port == 0

    async with serve_health(settings, store) as health:
        assert health.phase is Phase.STARTING
        assert await health.reason() == "starting"


async def test_a_store_that_hangs_is_not_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang() -> None:
        await asyncio.sleep(PATIENCE_SECONDS)

    monkeypatch.setattr(readiness, "STORE_SECONDS", 0.05)
    monkeypatch.setattr(type(store), "ping", lambda _: hang())
    health = WorkerHealth(store)
    health.phase = Phase.TAKING

    assert await health.reason() == "The store has not answered within 0.05 s"


def test_a_worker_without_a_health_port_imports_no_web_framework() -> None:
    program = (
        "import sys, workers.main; print('starlette' in sys.modules, 'uvicorn' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.split() == ["False", "False"], done.stderr
