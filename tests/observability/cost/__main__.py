"""`python -m tests.observability.cost`: W1 with traces and logs beside W1 without; series.

Writes `telemetry.md` and `telemetry.json`. `--base` is the commit that `off` is compared with, by
default that of the release before.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.processes import (
    REPOSITORY,
    Processes,
    benchmarks_folder,
    free_port,
    wait_for_port,
)
from tests.benchmarks.systems import Surroundings, System
from tests.benchmarks.workloads import QUICK, Effort
from tests.observability.cost import report, series, turns
from tests.observability.cost.ways import ACCESS_LOG, EXECUTION_LOG, LINES, ways_in
from tests.support.acceptance.versions.releases import find_previous

ROUNDS = 24
FULL = Effort(
    **{name: getattr(QUICK, name) for name in QUICK.__slots__}
    | {"seconds": 1.5, "warm_up": 0.3, "settle_seconds": 15.0}
)
STANDS = ((1, 1), (1_000, 1), (1_000, 100))


def main() -> int:
    """Measure and write the page."""
    arguments = parse(sys.argv[1:])
    effort = QUICK if arguments.quick else FULL
    rounds = 1 if arguments.quick else arguments.rounds
    before = os.getloadavg()[0]
    base = arguments.base or find_previous()[1]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        scratch = Path(name)
        sink = Processes(scratch / "sink.log")
        try:
            port = free_port()
            python = sink.start_python("-m", "tests.observability.cost.sink", str(port))
            wait_for_port(port, python)
            collector = f"http://127.0.0.1:{port}"
            around = Surroundings(folder=scratch, target="http://127.0.0.1:9", wait_ms=1)
            ways = ways_in(scratch, collector, base)
            wanted = [way for way in ways if not arguments.ways or way.name in arguments.ways]
            with turns.running(wanted, around, effort.settle_seconds) as systems:
                found = turns.measure(systems, around, effort, rounds)
                lines = lines_of(systems, around, effort)
        finally:
            sink.stop()
        stands = STANDS[:1] if arguments.quick else STANDS
        counted = series.measure(series.scratch(scratch, around.target), stands)
    result = report.Result(
        commit=commit(),
        load=(before, os.getloadavg()[0]),
        rounds=rounds,
        seconds=effort.seconds,
        turns=found,
        lines=lines,
        stands=counted,
    )
    folder = arguments.output or benchmarks_folder(is_kept=not arguments.quick)
    report.write(folder, wanted, result)
    print(f"results in {folder}")
    return 0


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.observability.cost")
    parser.add_argument("--quick", action="store_true", help="a smoke run, no figures to trust")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--ways", nargs="+", help="only these, of which one is `off`")
    parser.add_argument("--base", metavar="COMMIT")
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    return parser.parse_args(words)


def lines_of(systems: Sequence[System], around: Surroundings, effort: Effort) -> turns.Lines | None:
    """Count lines of logs where they are written."""
    logs = ACCESS_LOG, EXECUTION_LOG
    for system in systems:
        if system.name == LINES and all((around.folder / name).exists() for name in logs):
            return turns.count_lines(system, around, effort, logs)
    return None


def commit() -> str:
    """Return the commit of this code; empty outside of a clone."""
    words = ["git", "rev-parse", "--short=8", "HEAD"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
