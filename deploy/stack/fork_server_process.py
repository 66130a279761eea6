"""The process that gateways and workers of a stack are forked from.

`headrace up` forks it at its start. It imports once what they need: a part that is forked from it
shares that memory with the others, and starts in a tenth of the time. It has no threads and no
connections.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
from typing import Any

from engine.process import spare_memory
from engine.process.forked import show_command

PRELOAD = ("gateway.server", "workers.main", "workers.history.main", "networkx")
NAME = ("headrace", "fork", "server")
PR_SET_PDEATHSIG = 1
READY = b"ready"
"""First message of the server, once it has imported all."""
MOST_BYTES = 65_536
ADOPTION_SECONDS = 5.0
PAUSE_SECONDS = 0.001
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def serve(control: socket.socket, parent: int) -> int:
    """Fork on request until the socket ends. In a part, run its command; returns its exit code."""
    os.setsid()  # Ctrl-C is for `headrace up`
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _read_nothing()
    _import_all()
    show_command(*NAME)
    try:
        control.send(READY)
    except OSError:
        return 0  # the supervisor has ended
    request = _fork_on_request(control, parent)
    return 0 if request is None else _run(request)


def _read_nothing() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _import_all() -> None:
    """Import what parts need, and keep the collector from writing to it in any of them."""
    gc.disable()
    for module in PRELOAD:
        importlib.import_module(module)
    gc.collect()
    spare_memory.trim()
    gc.freeze()
    gc.enable()


def _fork_on_request(control: socket.socket, parent: int) -> dict[str, Any] | None:
    """Return the request in each part, and None in the server at its end."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, MOST_BYTES, 1)
        if not message:
            return None
        pid = os.fork()
        if pid == 0:
            if os.fork():
                os._exit(0)  # the supervisor adopts the part, and hears of its end
            return _begin(control, parent, descriptors[0], json.loads(message))
        os.close(descriptors[0])
        os.waitpid(pid, 0)


def _begin(
    control: socket.socket, parent: int, output: int, request: dict[str, Any]
) -> dict[str, Any]:
    """Become a part that the supervisor knows; exit if there is none any more."""
    os.setsid()
    deadline = time.monotonic() + ADOPTION_SECONDS
    while os.getppid() != parent and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, request["deathSignal"])
    if os.getppid() != parent:
        os._exit(1)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)
    with control:
        control.send(str(os.getpid()).encode())
    return request


def _run(request: dict[str, Any]) -> int:
    command = request["command"]
    os.environ.update(request["environ"])
    show_command(*command)
    sys.argv = command[command.index("deploy") :]
    importlib.import_module("deploy.cli").main()
    return 0
