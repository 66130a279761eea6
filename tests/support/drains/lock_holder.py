"""An operator's actor in C code that does not let go of the interpreter's lock."""

import ctypes
import time
from pathlib import Path

import dramatiq

from workers.runtime.messages import own_broker

dramatiq.set_broker(own_broker())


@dramatiq.actor(max_retries=0)
def hold_lock(path: str, seconds: int) -> None:
    """Stop all threads of the process, once there is a file at the path."""
    while not Path(path).exists():
        time.sleep(0.05)
    ctypes.PyDLL(None).sleep(seconds)
