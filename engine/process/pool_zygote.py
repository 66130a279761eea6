"""The zygote that the children of a pool are forked from."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence

from engine.process import zygote

EXTENSIONS = ("strings", "math", "encoders", "optional", "bindings")
PRELOAD = (
    "engine.values.cel",
    "cel_expr_python.cel",
    *(f"cel_expr_python.ext.ext_{name}" for name in EXTENSIONS),
    "engine.values.json_schemas",
)
"""Modules that the zygote imports before it forks, so that a child starts in milliseconds; a pool
for other work names more."""
START = "import sys; from engine.process.pool_child import main; main(sys.argv[1:])"
PASSED = frozenset({"PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"})
PASSED_PREFIXES = ("LC_", "DYLD_", "PYTHON", "OMP_", "OPENBLAS_", "MKL_", "ORT_")
"""Locales, the interpreter, and thread counts of numeric libraries."""


class PoolZygote:
    """The zygote of a pool."""

    def __init__(self, memory_bytes: int, preload: Sequence[str]) -> None:
        self.has_forked = False
        """Whether it has imported all and forked a child."""
        self._watching: asyncio.AbstractEventLoop | None = None
        self._control, child_end = zygote.open_control(keeps_messages=False)
        with child_end:
            environ = child_environ(os.environ)
            self._pid = zygote.start(START, child_end, [str(memory_bytes), *preload], environ)

    def watch(self, on_end: Callable[[], None]) -> None:
        """Call `on_end` when the process has ended; it sends nothing but that."""
        self._watching = asyncio.get_running_loop()
        self._watching.add_reader(self._control, on_end)

    def fork(self, channel: socket.socket) -> None:
        """Ask for a child with this channel. Raises OSError where the process has ended."""
        zygote.request_fork(self._control, zygote.ForkRequest(b"f", channel.fileno()))

    def close(self) -> None:
        """End the process and the children that it forked, and reap it."""
        if self._watching is not None:
            self._watching.remove_reader(self._control)
        self._control.close()
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a pool process: interpreter variables without secrets.

    Names are passed by a list, since manifests may give their keys any name.
    """
    passed = {
        name: value
        for name, value in environ.items()
        if name in PASSED or name.startswith(PASSED_PREFIXES)
    }
    return {**passed, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
