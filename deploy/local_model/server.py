"""Server of the local model: llama.cpp's own, which speaks OpenAI's protocol."""

import importlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from deploy.local_model.installed import RUNTIME
from deploy.net.http_client import Unreachable, call

HOST = "127.0.0.1"
NAME = "local-text"
"""Name of the model in the shipped manifest, whatever the file."""
SLOTS = 2
SLOT_TOKENS = 4_096
"""Most tokens of prompt and answer of one call."""
MAX_THREADS = 8
ERRORS_ONLY = 1
POLL_SECONDS = 0.05


def run(path: Path, port: int, drain_seconds: float) -> int:
    """Serve until SIGTERM, then until the calls under way have ended or the drain time is over."""
    stopping = threading.Event()
    try:
        server = open_server(path, port)
    except RuntimeError as error:
        print(f"{path} cannot be loaded: {error}", flush=True)
        return 1
    # Installed only now: while the file is loaded, a signal ends the process at once.
    signal.signal(signal.SIGTERM, lambda number, frame: _set_stopping(stopping, number, frame))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print(f"{path.name} answers at {server.listening_address} as {NAME}", flush=True)
    stopping.wait()
    drain(server.listening_address, drain_seconds)
    sys.stdout.flush()
    os._exit(0)  # the server's own threads would go on


def open_server(path: Path, port: int) -> Any:
    """Load a model and listen for calls. Raises RuntimeError."""
    runtime = importlib.import_module(RUNTIME)
    params = runtime.CommonParams()
    params.model.path = str(path)
    params.model_alias = {NAME}
    params.hostnames = [HOST]
    params.port = port
    params.reuse_port = True  # the supervisor holds the port, so that no other process takes it
    params.cors_origins = f"http://{HOST}:{port}"
    params.ui = False
    params.offline = True
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * SLOT_TOKENS
    params.cache_ram_mib = 0
    params.verbosity = ERRORS_ONLY
    for cpu in (params.cpuparams, params.cpuparams_batch):
        # Threads wait for each other by spinning: one that shares its core delays all of them.
        cpu.n_threads = max(1, min(MAX_THREADS, (os.cpu_count() or 1) - 1))
        cpu.poll = 0
    return runtime.Server(params)


def drain(url: str, seconds: float) -> None:
    """Wait until no call is under way."""
    deadline = time.monotonic() + seconds
    while _is_busy(url) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _is_busy(url: str) -> bool:
    try:
        _, slots = call("GET", f"{url}/slots", timeout=2)
    except Unreachable:
        return False
    listed = slots if isinstance(slots, list) else []
    return any(slot.get("is_processing") for slot in listed if isinstance(slot, dict))


def _set_stopping(stopping: threading.Event, _number: int, _frame: FrameType | None) -> None:
    stopping.set()
