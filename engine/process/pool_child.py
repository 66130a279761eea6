"""The processes behind the pool: a zygote, and the children that it forks."""

import contextlib
import os
import pickle
import resource
import signal
import socket
import struct
from collections.abc import Callable
from typing import Any

from engine.process import zygote

HEADER = struct.Struct("!Q")
"""Before each message: its length in bytes. A child's first message is its own process id alone."""
NICENESS = 10
"""Children compute at length; processes that answer callers take precedence."""


def main(arguments: list[str]) -> None:
    """Run the zygote: `CONTROL_FD MEMORY_BYTES MODULE…`; it ends when the control socket does."""
    control_fd, memory_bytes, *modules = arguments
    zygote.ignore_signals()
    zygote.preload(modules)
    with socket.socket(fileno=int(control_fd)) as control:
        request = zygote.fork_on_request(control, are_adopted=False)
    if request is not None:
        _live(socket.socket(fileno=request.descriptor), int(memory_bytes))


def _live(channel: socket.socket, memory_bytes: int) -> None:
    """Run a child until the channel ends; never returns."""
    try:
        _confine(memory_bytes)
        channel.sendall(HEADER.pack(os.getpid()))
        _serve(channel)
    except (OSError, EOFError, MemoryError):
        os._exit(1)
    finally:
        os._exit(0)


def _confine(memory_bytes: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    zygote.end_with_parent(signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _serve(channel: socket.socket) -> None:
    while True:
        (size,) = HEADER.unpack(_receive(channel, HEADER.size))
        answer = _answer(_receive(channel, size))
        channel.sendall(HEADER.pack(len(answer)))
        channel.sendall(answer)


def _receive(channel: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = channel.recv_into(view)
        if count == 0:
            raise EOFError
        view = view[count:]
    return data


def _answer(request: bytearray) -> bytes:
    try:
        function, arguments = pickle.loads(request)
        return pickle.dumps((True, function(*arguments)), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        raise  # the process ends: the next call would find as little memory
    except Exception as error:
        return _pack_error(error)


def _pack_error(error: Exception) -> bytes:
    """Pickle an exception so that it unpickles even when its `__init__` does not take `args`."""
    try:
        packed = pickle.dumps((False, error))
        pickle.loads(packed)
    except Exception:
        with contextlib.suppress(Exception):
            return pickle.dumps((False, _Bare(error)))
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__} (cannot be sent)")))
    return packed


class _Bare:
    """Pickles as its exception, rebuilt without calling `__init__`."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __reduce__(self) -> tuple[Callable[..., Exception], tuple[Any, ...]]:
        return _rebuild, (type(self._error), self._error.args, self._error.__dict__)


def _rebuild(kind: type[Exception], args: tuple[Any, ...], state: Any) -> Exception:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error
