"""`python -m tests.benchmarks.scale.autoscaling`: workers that follow a burst, measured and drawn.

Writes `autoscaling.md` and `autoscaling.svg`. Needs the command `prometheus`.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.benchmarks.processes import benchmarks_folder
from tests.benchmarks.scale.autoscaling.burst import BURST, QUIET, measure_burst
from tests.benchmarks.scale.autoscaling.callers import Phase
from tests.benchmarks.scale.autoscaling.computing import (
    DEFAULT_SLOTS,
    FEW_SLOTS,
    measure_computing,
)
from tests.benchmarks.scale.autoscaling.report import find_figures, write
from tests.benchmarks.scale.autoscaling.starts import measure_starts


def main() -> None:
    """Measure, write the page, and print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scale.autoscaling", description=__doc__
    )
    parser.add_argument("--quick", action="store_true", help="a short burst, which is not kept")
    is_quick = parser.parse_args().quick
    quiet = Phase(3, QUIET.per_second) if is_quick else QUIET
    burst = Phase(15, BURST.per_second) if is_quick else BURST
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        starts = asyncio.run(measure_starts(folder / "starts"))
        record = asyncio.run(measure_burst(folder / "burst", quiet, burst))
        computed = [
            asyncio.run(measure_computing(folder / f"computing-{slots}", slots))
            for slots in (DEFAULT_SLOTS, FEW_SLOTS)
        ]
    write(benchmarks_folder(is_kept=not is_quick), record, starts, computed)
    for text, value in find_figures(record).items():
        print(f"{text}: {value}")


if __name__ == "__main__":
    main()
