"""An archiver's process that waits for its settings: it shares the memory of its worker."""

import importlib
import os
import sys
from dataclasses import dataclass

from engine.process.forked import can_watch, show_command

MAIN = "workers.history.main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """A forked process that reads the settings from a pipe, and ends with it."""

    pid: int
    lifeline: int
    """Descriptor of the pipe's writing end."""

    @classmethod
    def fork(cls) -> "Standby | None":
        """Fork it; None: this system cannot watch it. Call before the first thread starts."""
        if not can_watch():
            return None
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(writing)
            os.dup2(reading, 0)
            os.close(reading)
            show_command("headrace", "archiver")
            importlib.import_module(MAIN).main()
            sys.exit(0)
        os.close(reading)
        return cls(pid=pid, lifeline=writing)
