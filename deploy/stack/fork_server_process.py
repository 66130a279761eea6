"""The zygote that gateways and workers of a stack are forked from.

`headrace up` forks it at its start. A part that is forked from it starts in a tenth of the time.
"""

import importlib
import json
import os
import signal
import socket
import sys
import time
from typing import Any

from engine.process import spare_memory, zygote
from engine.process.forked import show_command

PRELOAD = ("gateway.server", "workers.main", "workers.history.main", "networkx")
NAME = ("headrace", "fork", "server")
READY = b"ready"
"""First message of the server, once it has imported all."""
ADOPTION_SECONDS = 5.0
PAUSE_SECONDS = 0.001


def serve(control: socket.socket, parent: int) -> int:
    """Fork on request until the socket ends. In a part, run its command; returns its exit code."""
    os.setsid()  # Ctrl-C is for `headrace up`
    zygote.ignore_signals()
    _read_nothing()
    zygote.preload(PRELOAD)
    spare_memory.trim()
    show_command(*NAME)
    try:
        control.send(READY)
    except OSError:
        return 0  # the supervisor has ended
    request = zygote.fork_on_request(control, are_adopted=True)
    if request is None:
        return 0
    part = json.loads(request.data)
    _begin(control, parent, request.descriptor, part["deathSignal"])
    return _run(part)


def _read_nothing() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _begin(control: socket.socket, parent: int, output: int, death_signal: int) -> None:
    """Become a part that the supervisor knows; exit if there is none any more."""
    os.setsid()
    deadline = time.monotonic() + ADOPTION_SECONDS
    while os.getppid() != parent and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    zygote.end_with_parent(death_signal)
    if os.getppid() != parent:
        os._exit(1)
    for number in zygote.SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)
    with control:
        control.send(str(os.getpid()).encode())


def _run(part: dict[str, Any]) -> int:
    command = part["command"]
    os.environ.update(part["environ"])
    show_command(*command)
    sys.argv = command[command.index("deploy") :]
    importlib.import_module("deploy.cli").main()
    return 0
