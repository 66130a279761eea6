"""Start of one gateway and one worker by command, as on one of many machines."""

import time
from collections.abc import Callable

from redis import Redis

from deploy.stack.location import DATABASE_URL, MEDIA_URL, REDIS_URL, media_url
from deploy.stack.redis_server import open_server
from deploy.stack.secret_key import VARIABLE, find_or_make_key
from engine.history.database.location import sqlite_url
from engine.store.redis import process_keys
from tests.benchmarks.processes import Processes, free_port, read_cpu_seconds
from tests.benchmarks.systems import START_SECONDS, System, is_ready

PAUSE_SECONDS = 0.005


def measure_lone_starts(system: System) -> dict[str, float]:
    """Return the CPU seconds of a gateway and of a worker until each is ready."""
    data_dir, port = system.data_dir, free_port()
    redis: Redis[bytes] = Redis.from_url(open_server(data_dir).url)
    workers = redis.zcard(process_keys.workers())
    environ = {
        REDIS_URL: open_server(data_dir).url,
        VARIABLE: find_or_make_key(data_dir),
        MEDIA_URL: media_url(data_dir, {}),
        DATABASE_URL: sqlite_url(data_dir),
        "HEADRACE_PORT": str(port),
    }
    log = data_dir.parent / "lone.log"
    return {
        "start.gateway_cpu_s": _start("gateway", environ, Processes(log), lambda: is_ready(port)),
        "start.worker_cpu_s": _start(
            "worker", environ, Processes(log), lambda: redis.zcard(process_keys.workers()) > workers
        ),
    }


def _start(
    kind: str, environ: dict[str, str], processes: Processes, has_begun: Callable[[], bool]
) -> float:
    process = processes.start_python("-P", "-m", "deploy", kind, **environ)
    deadline = time.monotonic() + START_SECONDS
    try:
        while not has_begun():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"a {kind} did not become ready")
            time.sleep(PAUSE_SECONDS)
        return read_cpu_seconds(process.pid)
    finally:
        processes.stop()
