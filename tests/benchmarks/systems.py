"""The three systems under test, each with a Redis of its own from the same binary and flags."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.stack.redis_server import open_server
from tests.benchmarks.client import Endpoint
from tests.benchmarks.graphs import documents
from tests.benchmarks.processes import (
    REPOSITORY,
    START_SECONDS,
    Processes,
    clean_environment,
    free_port,
    wait_for_port,
)
from tests.support.redis.cluster import RedisCluster

HEADRACE, FLOOR, STOCK = "Headrace", "floor", "Dramatiq"
SYSTEMS = (HEADRACE, FLOOR, STOCK)
CLUSTER = "Headrace-cluster"
"""Headrace on a cluster of three primaries, which is measured when it is named."""
PRIMARIES = 3
UVICORN = (
    "-m",
    "uvicorn",
    "--loop",
    "uvloop",
    "--http",
    "httptools",
    "--no-access-log",
    "--log-level",
    "warning",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Surroundings of all systems: a folder, the local HTTP server, the waiting time of `w5`."""

    folder: Path
    target: str
    wait_ms: int


@dataclass
class System:
    """A running system: where each workload is called, and its processes."""

    name: str
    processes: Processes
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    has_seen_crowd: bool = False
    has_failed: bool = False
    data_dir: Path = Path()
    """Headrace's data folder; with its account, port and key, none of the others has one."""
    account_id: str = ""
    port: int = 0
    key: str = ""
    on_stop: Callable[[], None] = lambda: None
    """Stops servers that are no processes of the system."""


@contextlib.contextmanager
def started(
    name: str, around: Surroundings, workers: int, gateways: int = 1, **environment: str
) -> Iterator[System]:
    """A system that is up for a while; the rest is Headrace's numbers of processes and settings."""
    system = System(name, Processes(around.folder / f"{name}-{gateways}-{workers}.log"))
    try:
        if name == HEADRACE:
            _start_headrace(system, around, workers, gateways, environment)
        elif name == CLUSTER:
            cluster = RedisCluster(PRIMARIES, 0, is_marked=False)
            system.on_stop = cluster.stop
            cluster.start()
            environment |= {"HEADRACE_REDIS_URL": cluster.address()}
            _start_headrace(system, around, workers, gateways, environment)
        else:
            _start_reference(system, around, workers)
        yield system
    finally:
        system.processes.stop()
        system.on_stop()


@contextlib.contextmanager
def running(names: list[str], around: Surroundings, workers: int) -> Iterator[list[System]]:
    """Systems that are up for a while."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(started(name, around, workers)) for name in names]


@contextlib.contextmanager
def running_target(folder: Path) -> Iterator[str]:
    """The local HTTP server that workloads call."""
    processes = Processes(folder / "target.log")
    port = free_port()
    process = processes.start_python("-m", "tests.benchmarks.target", str(port))
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        processes.stop()


def _start_reference(system: System, around: Surroundings, workers: int) -> None:
    module = "floor" if system.name == FLOOR else "stock"
    environment = {
        "BENCH_REDIS_URL": _start_redis(system, around.folder / f"{module}-{workers}"),
        "BENCH_TARGET": around.target,
        "BENCH_WAIT_MS": str(around.wait_ms),
    }
    port = free_port()
    start_python = system.processes.start_python
    app = (
        *UVICORN,
        "--log-level",
        "warning",
        "--port",
        str(port),
        f"tests.benchmarks.references.{module}:app",
    )
    endpoint = start_python(*app, **environment)
    if system.name == FLOOR:
        start_python("-m", "tests.benchmarks.references.floor", **environment)
    else:
        arguments = ("-m", "dramatiq", "tests.benchmarks.references.stock", "-p", "2", "-t", "8")
        start_python(*arguments, **environment)
    wait_for_port(port, endpoint)
    for workload in documents(around.target, around.wait_ms):
        system.endpoints[workload] = Endpoint(host="127.0.0.1", port=port, path=f"/run/{workload}")


def _start_redis(system: System, folder: Path) -> str:
    """With the flags of the Redis that `headrace up` starts."""
    server = open_server(folder)
    server.folder.mkdir(parents=True)
    system.processes.start(*server.command())
    _wait_for(lambda: server.socket.exists())
    return server.url


def _start_headrace(
    system: System,
    around: Surroundings,
    workers: int,
    gateways: int,
    environment: Mapping[str, str],
) -> None:
    port = free_port()
    data_dir = around.folder / f"headrace-{gateways}-{workers}-{port}"
    command = ("up", "--data-dir", str(data_dir), "--port", str(port), "--workers", str(workers))
    up = system.processes.start_python(
        *("-P", "-m", "deploy", *command, "--gateways", str(gateways), "--no-demo"),
        **{"HEADRACE_ALLOW_PRIVATE_URLS": "1", **environment},
    )
    wait_for_port(port, up)
    _wait_for(lambda: is_ready(port))
    code = {name: environment[name] for name in ("PYTHONPATH",) if name in environment}
    words = ("account", "create", "--email", "b@example.com", *TIER)
    account = _administer(data_dir, code, *words)
    created = _administer(data_dir, code, "key", "create", "--account", account["id"], *PRESET)
    system.data_dir, system.account_id = data_dir, account["id"]
    system.port, system.key = port, created["key"]
    for workload, document in documents(around.target, around.wait_ms).items():
        system.endpoints[workload] = save(system, document)


def save(system: System, document: Any) -> Endpoint:
    """Save a workflow in Headrace and return the endpoint of its runs."""
    saved = _post(system.port, "/api/workflows", document, system.key)
    return Endpoint(
        host="127.0.0.1",
        port=system.port,
        path=f"/api/workflows/{saved['slug']}/run",
        headers=(f"x-api-key: {system.key}",),
    )


TIER = ("--tier", "enterprise")
PRESET = ("--preset", "Full deploy")


def _administer(data_dir: Path, code: Mapping[str, str], *arguments: str) -> Any:
    words = (*arguments, "--json", "--data-dir", str(data_dir))
    command = [sys.executable, "-P", "-m", "deploy", *words]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=clean_environment() | code, capture_output=True, check=True
    )
    return json.loads(done.stdout)


def _post(port: int, path: str, body: Any, key: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "x-api-key": key},
    )
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"POST {path}: {error.code} {error.read().decode()}") from None


def is_ready(port: int) -> bool:
    """Whether a gateway there is ready for runs."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _wait_for(condition: Any) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("a system under test did not become ready")
        time.sleep(0.02)
