"""Disks that take no more bytes of a process, by its limit on the size of files."""

import contextlib
import resource
from collections.abc import Iterator

NO_LIMIT = resource.RLIM_INFINITY


@contextlib.contextmanager
def full_disk(pid: int, size: int) -> Iterator[None]:
    """Let no file of a process grow beyond this size while the context lasts.

    The process must ignore SIGXFSZ, as each one of Python does, and get an error of the write.
    """
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, NO_LIMIT))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (NO_LIMIT, NO_LIMIT))
