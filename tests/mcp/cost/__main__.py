"""`python -m tests.mcp.cost`: lists of tools, and W1 over MCP beside W1 over HTTP.

Writes `mcp.md` and `mcp.json`.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks.client import Load
from tests.benchmarks.processes import REPOSITORY, benchmarks_folder, read_command, read_memory
from tests.benchmarks.references.programs import expected
from tests.benchmarks.report import machine_line
from tests.benchmarks.systems import HEADRACE, Surroundings, System, save, started
from tests.benchmarks.workloads import CALLERS, load
from tests.mcp.cost.calls import ListLoad, ToolLoad, time_client
from tests.support.gateway.documents import greeting
from tests.support.gateway.mcp_clients import LEGACY, MODERN

TOOLS = 100
ROUNDS = 7
TEMPLATE = Path(__file__).with_name("page.md")
Figures = dict[str, float]


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.mcp.cost")
    parser.add_argument("--quick", action="store_true", help="a smoke run, no figures to trust")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    rounds, seconds = (1, 0.2) if arguments.quick else (arguments.rounds, 2.0)
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        around = Surroundings(folder=Path(scratch), target="http://127.0.0.1:9", wait_ms=1)
        with started(HEADRACE, around, 2) as system:
            found = asyncio.run(measure(system, rounds, seconds))
    folder = arguments.output or benchmarks_folder(is_kept=not arguments.quick)
    write(folder, found, (before, os.getloadavg()[0]), rounds, seconds)
    print(f"results in {folder}")
    return 0


async def measure(system: System, rounds: int, seconds: float) -> Figures:
    """Return all figures: medians of the rounds, in which the ways are measured in turn."""
    endpoint = system.endpoints["w1"]
    tool = endpoint.path.split("/")[3]
    memory = gateway_megabytes(system)
    w1 = load(system, "w1")
    begun = time.perf_counter()
    first = ToolLoad(endpoint, tool, partial(expected, "w1"))
    await first.in_line(0, at_least=1)
    figures = {"first_s": time.perf_counter() - begun}
    figures["memory_mb"] = gateway_megabytes(system) - memory
    others = len(system.endpoints)
    for number in range(TOOLS - others):
        save(system, greeting(f"Tool {number:03}"))
    samples: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, value in (await measure_round(system, tool, w1, seconds)).items():
            samples.setdefault(name, []).append(value)
    return figures | {name: statistics.median(values) for name, values in samples.items()}


async def measure_round(system: System, tool: str, w1: Load, seconds: float) -> Figures:
    endpoint, found = system.endpoints["w1"], Figures()
    calls, lists = ToolLoad(endpoint, tool, partial(expected, "w1")), ListLoad(endpoint, TOOLS)
    for name, each in (("http", w1), ("mcp", calls)):
        await each.in_line(0.2)
        found[f"{name}.p50_ms"] = median_ms(await each.in_line(seconds))
        runs, cpu = each.count, system.processes.cpu_seconds()
        found[f"{name}.per_second"] = await each.together(CALLERS, seconds)
        cpu = system.processes.cpu_seconds() - cpu
        found[f"{name}.cpu_ms"] = cpu * 1000 / (each.count - runs)
    found["list.p50_ms"] = median_ms(await lists.in_line(seconds))
    found["list.per_second"] = await lists.together(CALLERS, seconds)
    for name, mode in (("client", MODERN), ("client_before", LEGACY)):
        found[f"{name}.p50_ms"] = median_ms(await time_client(system, tool, mode, seconds))
    return found


def median_ms(times: Sequence[float]) -> float:
    """Return the median in milliseconds."""
    return statistics.median(times) * 1000


def gateway_megabytes(system: System) -> float:
    """Return the memory of the gateway."""
    pids = [pid for pid in system.processes.pids() if "gateway" in read_command(pid)]
    return max((read_memory(pid)["pss"] for pid in pids), default=0.0)


def write(
    folder: Path, found: Figures, loads: tuple[float, float], rounds: int, seconds: float
) -> None:
    """Write mcp.md and mcp.json."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["git", "rev-parse", "--short=8", "HEAD"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    facts = {"commit": done.stdout.strip(), "load": loads, "rounds": rounds, "figures": found}
    (folder / "mcp.json").write_text(json.dumps(facts, indent=2) + "\n")
    (folder / "mcp.md").write_text(page(found, done.stdout.strip(), loads, rounds, seconds))


def page(
    found: Figures, commit: str, loads: tuple[float, float], rounds: int, seconds: float
) -> str:
    """Return the page."""
    shown = {name.replace(".", "_"): f"{value:,.2f}" for name, value in found.items()}
    return TEMPLATE.read_text(encoding="utf-8").format(
        machine=machine_line().rstrip("."),
        commit=commit,
        before=loads[0],
        after=loads[1],
        rounds=rounds,
        seconds=seconds,
        tools=TOOLS,
        callers=CALLERS,
        ratio=f"{found['mcp.p50_ms'] / found['http.p50_ms']:.2f}",
        cpu_ratio=f"{found['mcp.cpu_ms'] / found['http.cpu_ms']:.2f}",
        **shown,
    )


if __name__ == "__main__":
    sys.exit(main())
