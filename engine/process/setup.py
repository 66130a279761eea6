"""Settings that every process makes for itself: open files, garbage collection, threads."""

import gc
import resource
import sys

from engine.process import spare_memory

MAX_FILES = 65_536
YOUNG_OBJECTS = 50_000
"""Thousands of waiting executions are not garbage: with the interpreter's own threshold, looking
through them took two fifths of the time of a crowd of 5,000."""

SWITCH_SECONDS = 0.0005
"""How long a thread works on when the event loop wants its turn, several times for each request:
with the interpreter's own 5 ms, a large body in a thread made the runs of others take 30 ms."""


def set_up() -> None:
    """Call once, when everything is imported and nothing has begun."""
    _raise_file_limit()
    spare_memory.limit_arenas()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)
    sys.setswitchinterval(SWITCH_SECONDS)


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
