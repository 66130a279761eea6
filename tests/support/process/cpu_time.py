"""CPU time of a span of a test, which does not depend on the other load of the machine."""

import contextlib
import gc
import time
from collections.abc import Iterator

import pytest


class CpuTime:
    """CPU time of a span, once the span has ended."""

    seconds: float


@contextlib.contextmanager
def cpu_time() -> Iterator[CpuTime]:
    """Measure the CPU time that this process takes in the span, with all of its threads.

    The garbage collector rests in the span. A full collection goes through the objects of all
    tests before, and takes a tenth of a second after thousands of them.
    """
    measured, was_enabled = CpuTime(), gc.isenabled()
    gc.disable()
    began = time.process_time()
    try:
        yield measured
    finally:
        measured.seconds = time.process_time() - began
        if was_enabled:
            gc.enable()


@contextlib.contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Fail if the span takes more CPU time than this, also when it ends with an error."""
    try:
        with cpu_time() as measured:
            yield
    finally:
        if measured.seconds > seconds:
            pytest.fail(f"took {measured.seconds:.3f} s of CPU time, allowed are {seconds} s")
