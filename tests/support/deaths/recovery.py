"""Kills on the way of a run, and the time until it goes on elsewhere."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.deaths.scene import Run, Scene

LIMIT_SECONDS = 5.0
"""Bound of the 99th percentile: a lease of 3 s, two ticks of the sweeper, and the call."""
WORST_SECONDS = 20.0
"""Bound of a single recovery, on a machine so busy that workers seem silent, and are spared."""
WAIT_SECONDS = 30.0


@dataclass
class Recoveries:
    """Times from kills to the next call to the outside that their runs made."""

    seconds: list[float] = field(default_factory=list)

    def kill(self, scene: Scene, run: Run, pid: int, let_go: Callable[[], None]) -> None:
        """Kill a process on the way of a run, let go of what it was held at, and await recovery."""
        killed = scene.kill(pid)
        run.deaths += 1
        let_go()
        self.seconds.append(next_call(scene, run, killed) - killed)

    def percentile(self, percent: int) -> float:
        """Return the time that so many of 100 recoveries do not exceed."""
        ordered = sorted(self.seconds)
        return ordered[math.ceil(len(ordered) * percent / 100) - 1]

    def check(self, limit: float = LIMIT_SECONDS) -> None:
        """Fail unless half of the recoveries kept to a limit, and all of them to the bound."""
        assert self.percentile(50) <= limit, self.seconds
        assert max(self.seconds) <= max(limit, WORST_SECONDS), self.seconds

    def figures(self) -> dict[str, float]:
        """Return the figures by name; none without recoveries."""
        if not self.seconds:
            return {}
        return {
            "kills": len(self.seconds),
            "recovery_p50_seconds": round(statistics.median(self.seconds), 2),
            "recovery_p99_seconds": round(self.percentile(99), 2),
        }


def kill_within_call(scene: Scene, recoveries: Recoveries, run: Run, kind: str) -> None:
    """Make a run, and kill the worker while the target or the provider has its call."""
    held = scene.target.hold(f"/{kind}/{run.name}")
    scene.request(run)
    recoveries.kill(scene, run, scene.caller_at(held.await_reached()), held.release)
    scene.end(run)
    scene.restore()


def next_call(scene: Scene, run: Run, moment: float) -> float:
    """Return the time of the first call of a run after a moment."""
    deadline = moment + WAIT_SECONDS
    while time.monotonic() < deadline:
        for each in scene.target.requests:
            if each.at > moment and each.path.endswith(run.name):
                return each.at
        time.sleep(0.005)
    raise TimeoutError(f"{run.name} did not go on in {WAIT_SECONDS} s")
