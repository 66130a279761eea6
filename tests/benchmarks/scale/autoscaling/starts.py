"""Time from the start of a worker process to its first run, and from SIGTERM to its end."""

import asyncio
import contextlib
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.net.http_client import call
from engine.store.redis import process_keys
from tests.benchmarks.processes import free_port, read_cpu_seconds
from tests.benchmarks.scale.autoscaling.burst import Installation, target_command
from tests.benchmarks.scale.autoscaling.callers import RUN_SECONDS, Callers, Phase, graph
from tests.benchmarks.scale.fleet import Fleet, wait_until
from tests.support.factories import greeting

ROUNDS = 3
HELD = 200
"""Executions in the hands of a worker that is drained."""
PAUSE_SECONDS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Seconds from the start of a process."""

    listed: float
    """Until the worker has a lease."""
    answered: float
    """Until a caller that waits has the answer of its first run."""
    cpu: float
    """CPU time until then."""
    drained: float
    """From SIGTERM to the end, while the worker has nothing in hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """End of a worker with executions in hand, which another worker is there for."""

    held: int
    seconds: float
    failed: int
    repeated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """Starts and drains of single workers."""

    warm: Start
    """With the bytecode of earlier starts; of several the one that was least disturbed."""
    without_bytecode: Start
    drain: Drain


async def measure_starts(folder: Path) -> Starts:
    """Measure on a Redis and a gateway of their own."""
    port = free_port()
    with Fleet(folder) as fleet:
        fleet.start(*target_command(port))
        fleet.start_gateway()
        made = Installation(fleet, "starts", greeting())
        warm = [await _start(fleet, made) for _ in range(ROUNDS)]
        bare = await _start(fleet, made, PYTHONPYCACHEPREFIX=str(folder / "none"))
        called = Installation(fleet, "drains", graph(f"http://127.0.0.1:{port}"))
        return Starts(
            warm=min(warm, key=lambda each: each.answered),
            without_bytecode=bare,
            drain=await _drain(fleet, called),
        )


async def _start(fleet: Fleet, made: Installation, **environ: str) -> Start:
    waiting = asyncio.create_task(asyncio.to_thread(_run, fleet, made))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    process = fleet.begin_worker(**environ)
    while not fleet.client.zcard(process_keys.workers()):
        await asyncio.sleep(PAUSE_SECONDS)
    listed = time.monotonic() - began
    await waiting
    answered, cpu = time.monotonic() - began, read_cpu_seconds(process.pid)
    return Start(listed=listed, answered=answered, cpu=cpu, drained=await _end(process))


def _run(fleet: Fleet, made: Installation) -> None:
    url = f"http://127.0.0.1:{fleet.gateway_port}{made.path}"
    status, answer = call("POST", url, key=made.key, body={"inputs": {"who": "Ada"}})
    if (status, answer["result"]) != (200, {"text": "Hello Ada"}):
        raise RuntimeError(f"a run ended with {status}: {answer}")


async def _end(process: "subprocess.Popen[bytes]") -> float:
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    if await asyncio.to_thread(process.wait):
        raise RuntimeError(f"a drained worker ended with {process.returncode}")
    return time.monotonic() - began


async def _drain(fleet: Fleet, made: Installation) -> Drain:
    """End a worker in whose hands executions are, with another one beside it."""
    first = fleet.begin_worker()
    wait_until(lambda: fleet.client.zcard(process_keys.workers()) == 1, "a worker")
    callers = Callers(made.endpoint)
    await callers.come([Phase(RUN_SECONDS / 2, 2 * HELD / RUN_SECONDS)])
    second = fleet.begin_worker()
    with contextlib.suppress(asyncio.CancelledError):
        more = asyncio.create_task(callers.come([Phase(60, HELD / RUN_SECONDS)]))
        await asyncio.to_thread(
            wait_until, lambda: fleet.client.zcard(process_keys.workers()) == 2, "two workers"
        )
        seconds = await _end(first)
        more.cancel()
    await callers.end()
    await _end(second)
    return Drain(
        held=HELD,
        seconds=seconds,
        failed=sum(not each.is_right for each in callers.calls),
        repeated=await made.count_repeated(),
    )
