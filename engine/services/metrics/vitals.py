"""Vital signs of this process: lag of its loop, Redis's answers, memory, CPU and open files."""

import asyncio
import contextlib
import resource
import time
from pathlib import Path

from engine.errors import EngineError
from engine.process import spare_memory
from engine.store import Store
from engine.telemetry import metrics

LOOK_SECONDS = 0.25
REDIS_LOOKS = 4
"""Looks from one PING to the next."""
PROCESS_LOOKS = 8
FILES_LOOKS = 40
"""Listing ten thousand open files takes milliseconds."""
FILES = Path("/proc/self/fd")
FAMILIES = frozenset(
    {
        "headrace_loop_lag_seconds",
        "headrace_process_cpu_seconds",
        "headrace_process_memory_bytes",
        "headrace_process_open_files",
        "headrace_redis_round_trip_seconds",
    }
)
"""Names of these metrics in snapshots. They change while a process does nothing."""


class Vitals:
    """Measures this process, which is a gateway, a worker or an archiver."""

    def __init__(self, part: str, store: Store) -> None:
        metrics.name_part(part)
        self._store = store
        self._lag = metrics.LOOP_LAG.labels(part)
        self._round_trip = metrics.REDIS_ROUND_TRIP.labels(part)
        self._memory = metrics.PROCESS_MEMORY.labels(part)
        self._files = metrics.PROCESS_FILES.labels(part)
        self._cpu = metrics.PROCESS_CPU.labels(part)
        self._cpu_seconds = 0.0
        self._ping: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Measure until cancelled."""
        looks = 0
        try:
            while True:
                if looks % REDIS_LOOKS == 0 and (self._ping is None or self._ping.done()):
                    self._ping = asyncio.create_task(self._time_redis(), name="ping")
                if looks % PROCESS_LOOKS == 0:
                    self._read_process()
                if looks % FILES_LOOKS == 0:
                    await asyncio.to_thread(self._count_files)
                looks += 1
                due = time.monotonic() + LOOK_SECONDS
                await asyncio.sleep(LOOK_SECONDS)
                self._lag.observe(max(0.0, time.monotonic() - due))
        finally:
            if self._ping is not None:
                self._ping.cancel()
                await asyncio.gather(self._ping, return_exceptions=True)

    async def _time_redis(self) -> None:
        began = time.perf_counter()
        with contextlib.suppress(EngineError):
            await self._store.ping()
            self._round_trip.observe(time.perf_counter() - began)

    def _read_process(self) -> None:
        self._memory.set(spare_memory.resident_bytes())
        seconds = _cpu_seconds()
        self._cpu.inc(max(0.0, seconds - self._cpu_seconds))
        self._cpu_seconds = seconds

    def _count_files(self) -> None:
        with contextlib.suppress(OSError):  # a system without /proc
            self._files.set(sum(1 for _ in FILES.iterdir()))


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
