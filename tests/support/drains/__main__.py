"""`python -m tests.support.drains`: drain a worker with many executions, and print the figures."""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from tests.support.drains.drain import Drained, Trial, drain
from tests.support.drains.front import find_caddy
from tests.support.drains.restarts import restart_gateway

CALLERS = 24


def main() -> None:
    """Measure, and print one line for each part."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.drains", description=__doc__)
    parser.add_argument("--executions", type=int, default=1_000)
    parser.add_argument("--drain", type=float, default=30.0, help="HEADRACE_DRAIN_SECONDS")
    parser.add_argument("--short", type=float, default=25.0, help="delay that ends in the drain")
    parser.add_argument("--long", type=float, default=60.0, help="delay that outlives it")
    parser.add_argument("--restarts", type=int, default=20, help="restarts of a gateway")
    asked = parser.parse_args()
    trial = Trial(
        executions=asked.executions,
        drain_seconds=asked.drain,
        short_seconds=asked.short,
        long_seconds=asked.long,
    )
    with tempfile.TemporaryDirectory(prefix="hr-drain-") as folder:
        print(describe(trial, asyncio.run(drain(Path(folder), trial))), flush=True)
    if asked.restarts and find_caddy():
        with tempfile.TemporaryDirectory(prefix="hr-restarts-") as folder:
            done = asyncio.run(restart_gateway(Path(folder), asked.restarts, CALLERS))
        calls = sum(done.answers.counts.values())
        print(
            f"{len(done.seconds)} restarts of one gateway of two behind Caddy: {calls} calls, "
            f"{len(done.answers.failures)} failed; {_spread(done.seconds)} from SIGTERM to exit; "
            f"slowest quick call {done.answers.longest:.1f} s; answers {dict(done.answers.counts)}"
        )
    print(f"load average {os.getloadavg()[0]:.1f}")


def describe(trial: Trial, done: Drained) -> str:
    """Return the figures of a drain as a sentence."""
    return (
        f"Drain of a worker with {done.held} waiting executions "
        f"(HEADRACE_DRAIN_SECONDS {trial.drain_seconds:g}): exit {done.code} after "
        f"{done.seconds:.1f} s; attempts used up {done.attempts_used}; executions with another end "
        f"{len(done.wrong)}; answers {dict(done.answers)}; provider called again for "
        f"{done.repeated}, with one idempotency key for {done.repeated_with_one_key}, at most "
        f"{done.most_calls} calls each; last run ended {done.last_end:.1f} s after SIGTERM"
    )


def _spread(times: list[float]) -> str:
    return f"{min(times):.1f} to {max(times):.1f} s"


if __name__ == "__main__":
    main()
