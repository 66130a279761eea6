"""`python -m tests.benchmarks`: Headrace beside a bare floor and stock Dramatiq, in one session."""

import argparse
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.benchmarks import report
from tests.benchmarks.curves import __main__ as curves
from tests.benchmarks.processes import benchmarks_folder
from tests.benchmarks.systems import CLUSTER, SYSTEMS, Surroundings, System, running, running_target
from tests.benchmarks.workloads import FULL, QUICK, WORKLOADS, Effort, Workload


def main() -> int:
    """Measure, write the results, print the bars."""
    if "--curves" in sys.argv:
        sys.argv.remove("--curves")
        return curves.main()
    arguments = parse(sys.argv[1:])
    effort = QUICK if arguments.quick else FULL
    workloads = [w for w in WORKLOADS if not arguments.only or w.id in arguments.only]
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as scratch,
        running_target(Path(scratch)) as target,
    ):
        around = Surroundings(folder=Path(scratch), target=target, wait_ms=effort.wait_ms)
        session = Session(around, effort, arguments.systems)
        try:
            session.measure(workloads)
        except BaseException:
            session.print_logs()
            raise
    folder = arguments.output or default_folder(arguments)
    report.write(folder, session.samples, session.memory, effort)
    print(f"results in {folder}")
    print("\n".join(report.summary(report.find_medians(session.samples))))
    return 0


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=[w.id for w in WORKLOADS])
    parser.add_argument("--quick", action="store_true", help="a smoke run, no figures to trust")
    parser.add_argument("--systems", nargs="+", choices=[*SYSTEMS, CLUSTER], default=list(SYSTEMS))
    parser.add_argument("--curves", action="store_true", help="the curves instead: see its --help")
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    return parser.parse_args(words)


def default_folder(arguments: argparse.Namespace) -> Path:
    """Only a whole bench goes to the documentation."""
    is_whole = not (arguments.quick or arguments.only) and set(arguments.systems) == set(SYSTEMS)
    return benchmarks_folder(is_kept=is_whole)


class Session:
    """One go: the systems in turn, repetition by repetition, workload by workload."""

    def __init__(self, around: Surroundings, effort: Effort, systems: list[str]) -> None:
        self.samples: report.Samples = {name: {} for name in systems}
        self.memory: dict[str, dict[str, float]] = {}
        self._around = around
        self._effort = effort

    def measure(self, workloads: list[Workload]) -> None:
        for workers in sorted({self._workers(workload) for workload in workloads}, reverse=True):
            with running(list(self.samples), self._around, workers) as systems:
                for workload in workloads:
                    if self._workers(workload) == workers:
                        self._measure_in_turn(workload, systems)
                self.memory |= {s.name: s.processes.memory() for s in systems}

    def _workers(self, workload: Workload) -> int:
        """A smoke run starts everything only once."""
        return 1 if self._effort is QUICK else workload.workers

    def _measure_in_turn(self, workload: Workload, systems: list[System]) -> None:
        for repetition in range(self._effort.repetitions):
            for system in systems:
                numbers = uvloop.run(workload.measure(system, self._around, self._effort))
                for name, number in numbers.items():
                    self.samples[system.name].setdefault(name, []).append(number)
                shown = ", ".join(f"{name} {number:.3f}" for name, number in numbers.items())
                print(f"{workload.id} {repetition + 1} {system.name}: {shown}", flush=True)

    def print_logs(self) -> None:
        """Print the last output of each process."""
        for path in sorted(self._around.folder.glob("*.log")):
            print(f"--- {path.name}\n{path.read_text(errors='replace')[-4000:]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
