"""Workers that are started and drained as a Deployment does, by the decisions of an autoscaler."""

import asyncio
import signal
import subprocess
import time
from dataclasses import dataclass, field

from engine.store.redis import process_keys
from tests.benchmarks.scale.autoscaling.hpa import Autoscaler
from tests.benchmarks.scale.autoscaling.prometheus import Prometheus
from tests.benchmarks.scale.fleet import Fleet

LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Decision:
    """Values of the triggers at one time, and the number of workers that they gave."""

    at: float
    values: list[float | None]
    workers: int


@dataclass(slots=True)
class ScaledWorkers:
    """Worker processes of a fleet; the youngest ends first, as in a ReplicaSet."""

    fleet: Fleet
    slots: int
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    draining: dict[subprocess.Popen[bytes], float] = field(default_factory=dict)
    drains: list[float] = field(default_factory=list)
    """Seconds from the signal to the end of each worker that was drained."""
    codes: list[int] = field(default_factory=list)

    def set_count(self, count: int) -> None:
        """Start workers or let the youngest end, without waiting."""
        while len(self.running) < count:
            self.running.append(self.fleet.begin_worker(HEADRACE_WORKER_SLOTS=str(self.slots)))
        while len(self.running) > count:
            process = self.running.pop()
            process.send_signal(signal.SIGTERM)
            self.draining[process] = time.monotonic()

    def reap(self) -> None:
        """Note the drained workers that have ended. Raises RuntimeError for another's end."""
        for process, since in list(self.draining.items()):
            if process.poll() is not None:
                del self.draining[process]
                self.drains.append(time.monotonic() - since)
                self.codes.append(process.returncode)
        if any(each.poll() is not None for each in self.running):
            raise RuntimeError("a worker ended by itself")

    def count_ready(self) -> int:
        """Return the number of workers that take work: listed, and not draining."""
        listed = self.fleet.client.zrange(process_keys.workers(), 0, -1)
        pids = {int(name.decode().rsplit("-", 2)[1]) for name in listed}
        return sum(each.pid in pids for each in self.running)


@dataclass(slots=True)
class Scaler:
    """Loop of the HorizontalPodAutoscaler, and a record of what it did."""

    workers: ScaledWorkers
    prometheus: Prometheus
    autoscaler: Autoscaler
    sync_seconds: float
    decisions: list[Decision] = field(default_factory=list)
    ready: list[tuple[float, int]] = field(default_factory=list)
    """Number of ready workers over time."""

    async def run(self) -> None:
        """Decide every `sync_seconds` until cancelled."""
        await asyncio.gather(self._decide(), self._watch())

    async def _decide(self) -> None:
        while True:
            values = await asyncio.to_thread(self._ask)
            ready = await asyncio.to_thread(self.workers.count_ready)
            now, current = time.monotonic(), len(self.workers.running)
            count = self.autoscaler.decide(now, values, current, ready)
            self.decisions.append(Decision(now, values, count))
            self.workers.set_count(count)
            shown = ", ".join("none" if value is None else f"{value:.1f}" for value in values)
            print(f"triggers {shown}; {ready} of {current} ready; {count} wanted", flush=True)
            await asyncio.sleep(self.sync_seconds)

    def _ask(self) -> list[float | None]:
        return [self.prometheus.ask(each.query) for each in self.autoscaler.triggers]

    async def _watch(self) -> None:
        while True:
            self.workers.reap()
            self.ready.append((time.monotonic(), await asyncio.to_thread(self.workers.count_ready)))
            await asyncio.sleep(LOOK_SECONDS)
