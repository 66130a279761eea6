"""`python -m tests.benchmarks.scale.schedules`: many schedules that are due in the same minute.

Starts a stack of its own with two workers. Each schedule must start exactly one run. Lateness is
counted from the due time to the acceptance of the run, and to its end. An account with one schedule
stands beside those with a hundred.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.contract.batch_caller import BatchCaller
from tests.support.factories import greeting

OF_ACCOUNT = 100
"""Most schedules of an account."""
SAVES_AT_ONCE = 4
PATIENCE_SECONDS = 90.0


class Lateness(Struct, frozen=True):
    """Seconds from a due time to the acceptance of its run, and to its end."""

    start: float
    end: float


class Owner:
    """Account with schedules that are due at one time."""

    def __init__(self, stack: RunningStack, name: str) -> None:
        self._caller = BatchCaller(stack, name)
        self._slug = self._caller.save("Greeting", greeting())
        self._ids: list[str] = []

    def schedule(self, at: datetime) -> None:
        """Make a schedule that is due at a minute of UTC, once a day."""
        body = {
            "kind": "schedule",
            "name": f"At {at:%H:%M}",
            "workflowSlug": self._slug,
            "cron": f"{at.minute} {at.hour} * * *",
            "inputs": {"who": "Ada"},
        }
        self._ids.append(self._caller.ask("POST", "/api/triggers", body)["id"])

    def read(self, at: datetime) -> list[Lateness]:
        """Return the lateness of each schedule, once its only run has ended."""
        return [self._read(each, at) for each in self._ids]

    def _read(self, trigger_id: str, at: datetime) -> Lateness:
        [row] = self._caller.ask("GET", f"/api/triggers/{trigger_id}/occurrences")["rows"]
        assert (row["status"], datetime.fromisoformat(row["at"])) == ("started", at), row
        [run] = self._caller.ask("GET", f"/api/executions?triggerId={trigger_id}")["rows"]
        assert run["executionId"] == row["executionId"]
        for _ in range(100):
            execution = self._caller.ask("GET", f"/api/executions/{row['executionId']}")
            if execution["status"] == "completed":
                ends = _since(at, execution, "completedAt")
                return Lateness(_since(at, execution, "createdAt"), ends)
            time.sleep(0.2)
        raise AssertionError(execution)


def _since(at: datetime, execution: dict[str, Any], name: str) -> float:
    return (datetime.fromisoformat(execution[name]) - at).total_seconds()


def main() -> None:
    """Measure, and print the lateness."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scale.schedules", description=__doc__
    )
    parser.add_argument("--schedules", type=int, default=1_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        options = ("--no-demo", "--workers", "2", "--gateways", "1")
        with running(Path(scratch), *options) as stack:
            measure(stack, asked.schedules)


def measure(stack: RunningStack, count: int) -> None:
    """Make the schedules, wait for their due time, and check that each has started one run."""
    sizes = [min(OF_ACCOUNT, count - first) for first in range(0, count, OF_ACCOUNT)]
    many = [Owner(stack, f"many-{number}") for number in range(len(sizes))]
    one = Owner(stack, "one")
    making = timedelta(seconds=20 + count / 20)
    minute = timedelta(minutes=1)
    at = (datetime.now(UTC) + making + minute).replace(second=0, microsecond=0)
    with ThreadPoolExecutor(SAVES_AT_ONCE) as pool:
        for owner, size in zip(many, sizes, strict=True):
            list(pool.map(owner.schedule, [at] * size))
    one.schedule(at)
    left = (at - datetime.now(UTC)).total_seconds()
    assert left > 2, "the schedules were made too late"
    print(f"{count} schedules are due at {at:%H:%M:%S} UTC, in {left:.0f} s", flush=True)
    time.sleep(left + 10)
    _show(f"{count} schedules", [each for owner in many for each in owner.read(at)])
    _show("the one of another account", one.read(at))


def _show(noun: str, found: Sequence[Lateness]) -> None:
    starts, ends = sorted(each.start for each in found), sorted(each.end for each in found)
    figures = f"{_spread(starts)} late; ended: {_spread(ends)}"
    print(f"{noun}, each started one run: {figures}", flush=True)


def _spread(times: Sequence[float]) -> str:
    p50, p99 = (times[round((len(times) - 1) * share)] for share in (0.5, 0.99))
    return f"p50 {p50:.2f} s, p99 {p99:.2f} s, most {times[-1]:.2f} s"


if __name__ == "__main__":
    main()
