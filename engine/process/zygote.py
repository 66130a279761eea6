"""Zygotes: processes that import modules once, and fork on request; the forks share that memory.

A pool of child processes has one, and a stack has one for its gateways and workers. A zygote has
no threads, and no connection but the socket of its requests, with whose end it ends.
"""

import contextlib
import ctypes
import gc
import importlib
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

MOST_BYTES = 65_536
PR_SET_PDEATHSIG = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ForkRequest(NamedTuple):
    """Request for a fork; the zygote does not read its data."""

    data: bytes
    descriptor: int
    """File descriptor that the fork gets."""


def open_control(*, keeps_messages: bool) -> tuple[socket.socket, socket.socket]:
    """Return both ends of a zygote's socket; the first one does not block.

    Without `keeps_messages`, which not all systems know, each message has one byte.
    """
    kind = socket.SOCK_SEQPACKET if keeps_messages else socket.SOCK_STREAM
    control, other = socket.socketpair(socket.AF_UNIX, kind)
    control.setblocking(False)
    return control, other


def start(
    code: str, control: socket.socket, words: Sequence[str], environ: Mapping[str, str]
) -> int:
    """Start a zygote by command, with `words` after the descriptor of its socket; returns its id.

    `code` imports its main function, and calls it with these words.
    """
    control.set_inheritable(True)
    command = [sys.executable, "-P", "-c", code, str(control.fileno()), *words]
    reads_nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    return os.posix_spawn(sys.executable, command, environ, file_actions=[reads_nothing])


def request_fork(control: socket.socket, request: ForkRequest) -> None:
    """Send a request. Raises OSError where the zygote has ended."""
    socket.send_fds(control, [request.data], [request.descriptor])


def ignore_signals() -> None:
    """Ignore signals of the terminal and signals that end processes; the parent handles them."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end_with_parent(death_signal: int) -> None:
    """Get a signal when the parent ends, where the system knows that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)


def preload(modules: Sequence[str]) -> None:
    """Import modules, of which some may be missing, and keep the collector from writing to them."""
    gc.disable()
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    gc.collect()
    gc.freeze()
    gc.enable()


def fork_on_request(control: socket.socket, *, are_adopted: bool) -> ForkRequest | None:
    """Return the request in each fork, and None in the zygote at the end of its socket.

    `are_adopted`: a subreaper becomes the parent of forks, and hears of their ends.
    """
    size = MOST_BYTES if control.type == socket.SOCK_SEQPACKET else 1
    if not are_adopted:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, size, 1)
        if not data:
            return None
        pid = os.fork()
        if pid == 0:
            if are_adopted and os.fork():
                os._exit(0)
            return ForkRequest(data, descriptors[0])
        os.close(descriptors[0])
        if are_adopted:
            os.waitpid(pid, 0)
