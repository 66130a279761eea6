"""`python -m tests.benchmarks.releases`: what aliases and canaries cost, and how they behave.

Writes `releases.md` and `releases.json`.
"""

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import REPOSITORY, benchmarks_folder
from tests.benchmarks.releases.figures import (
    MEASURES,
    PERCENT,
    PLAIN,
    Figures,
    make_ways,
    measure_roll_backs,
    measure_shares,
    measure_ways,
)
from tests.benchmarks.report import machine_line
from tests.benchmarks.systems import HEADRACE, Surroundings, started
from tests.benchmarks.workloads import CALLERS
from tests.support.acceptance.versions.releases import check_out

ROUNDS, SECONDS, RUNS, ROLL_BACKS = 30, 0.8, 10_000, 50
BASE = "4801d887"
"""Last commit without aliases."""
TARGET = "http://127.0.0.1:9"
TEMPLATE = Path(__file__).with_name("page.md")


def main() -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.releases")
    parser.add_argument("--quick", action="store_true", help="a smoke run, no figures to trust")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--base", default=BASE, metavar="COMMIT")
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    rounds = 1 if arguments.quick else arguments.rounds
    seconds = 0.2 if arguments.quick else SECONDS
    before, found, meanings = os.getloadavg()[0], Figures(), dict[str, str]()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        measured = measure(folder, arguments.base, rounds, seconds, found, is_quick=arguments.quick)
        meanings |= asyncio.run(measured)
    output = arguments.output or benchmarks_folder(is_kept=not arguments.quick)
    words = ["git", "rev-parse", "--short=8", "HEAD"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    facts = {
        "commit": done.stdout.strip(),
        "base": arguments.base[:8],
        "load": (before, os.getloadavg()[0]),
        "rounds": rounds,
        "seconds": seconds,
        "meanings": meanings,
    }
    write(output, facts, found)
    print(f"results in {output}")
    return 0


async def measure(
    folder: Path, base: str, rounds: int, seconds: float, found: Figures, *, is_quick: bool
) -> dict[str, str]:
    """Take all figures; return the meaning of each way."""
    code = check_out(folder / "code", base)
    here, there, third = (folder / name for name in ("here", "there", "third"))
    for each in (here, there, third):
        each.mkdir()
    with (
        started(HEADRACE, Surroundings(folder=here, target=TARGET, wait_ms=1), 2) as system,
        started(
            HEADRACE,
            Surroundings(folder=there, target=TARGET, wait_ms=1),
            2,
            **code.environment,
        ) as former,
    ):
        ways = await make_ways(system, former, TARGET)
        await measure_ways(ways, rounds, seconds, found)
        found.shares = await measure_shares(system, TARGET, 200 if is_quick else RUNS)
    found.back_ms = await measure_roll_backs(third, 2 if is_quick else ROLL_BACKS)
    return {each.name: each.meaning for each in ways}


def write(folder: Path, facts: dict[str, Any], found: Figures) -> None:
    """Write releases.md and releases.json."""
    folder.mkdir(parents=True, exist_ok=True)
    record = facts | {"figures": asdict(found)}
    (folder / "releases.json").write_text(json.dumps(record, indent=2) + "\n")
    (folder / "releases.md").write_text(page(facts, found))


def page(facts: dict[str, Any], found: Figures) -> str:
    """Return the page. Raises ValueError without all figures."""
    shares, back = found.shares, sorted(found.back_ms)
    if shares is None or not back:
        raise ValueError("not all figures were taken")
    expected = PERCENT / 100
    spread = 1.96 * math.sqrt(expected * (1 - expected) / shares.runs)
    before, after = facts["load"]
    return TEMPLATE.read_text(encoding="utf-8").format(
        machine=machine_line().rstrip("."),
        commit=facts["commit"],
        base=facts["base"],
        before=before,
        after=after,
        rounds=facts["rounds"],
        seconds=facts["seconds"],
        callers=CALLERS,
        ways="\n".join(_rows(facts["meanings"], found)),
        runs=shares.runs,
        canary=shares.canary,
        beside=shares.beside,
        share=100 * shares.canary / shares.runs,
        low=100 * (expected - spread),
        high=100 * (expected + spread),
        rolled_back=len(back),
        back_p50=statistics.median(back),
        back_p95=back[math.ceil(0.95 * len(back)) - 1],
        back_most=back[-1],
    )


def _rows(meanings: dict[str, str], found: Figures) -> Iterator[str]:
    for name, meaning in meanings.items():
        samples, cells = found.samples[name], []
        for measure_name, digits in zip(MEASURES[:3], (3, 0, 3), strict=True):
            values, plain = samples[measure_name], found.samples[PLAIN][measure_name]
            cells.append(f"{statistics.median(values):,.{digits}f}")
            cells.append(_ratio(values, plain))
        cells += [f"{statistics.median(samples[each]):.2f}" for each in MEASURES[3:]]
        yield f"| {name}: {meaning} | {' | '.join(cells)} |"


def _ratio(values: Sequence[float], plain: Sequence[float]) -> str:
    ratios = sorted(value / base for value, base in zip(values, plain, strict=True))
    if len(ratios) < 2:
        return f"{ratios[0]:.2f}"
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    sys.exit(main())
