"""`python -m tests.support.failover`: kill primaries under load, and write the figures.

Writes `docs/benchmarks/failover.md`, from `failover.json` beside it, which keeps the rows that
`--only` does not measure again. Takes about twenty minutes.
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.support.failover.figures import Plan, describe_others, measure, row
from tests.support.failover.isolation import isolate
from tests.support.failover.page import render

FOLDER = Path(__file__).parents[3] / "docs" / "benchmarks"
LAG_SECONDS = 0.3
LAG_KILLS = 6


def plans(kills: int) -> list[Plan]:
    """Return all trials in the order of the table."""
    few = min(kills, LAG_KILLS)
    variants = [(kills, least, 0.0) for least in (0, 1)]
    variants += [(few, least, LAG_SECONDS) for least in (0, 1)]
    return [
        Plan(topology="single", kills=kills),
        *(
            Plan(topology=topology, kills=count, min_replicas=least, lag=lag)
            for topology in ("sentinel", "cluster")
            for count, least, lag in variants
        ),
    ]


async def run(chosen: str, kills: int) -> None:
    """Measure the trials whose name contains the chosen text, one after the other."""
    path = FOLDER / "failover.json"
    rows = json.loads(path.read_text()) if path.exists() else {}
    trials: dict[str, Callable[[Path], Awaitable[str]]] = {
        f"{plan.topology} {plan.min_replicas} {plan.lag:g}": partial(_kills_row, plan)
        for plan in plans(kills)
    }
    trials |= {f"isolated {least}": partial(_isolation_row, least) for least in (0, 1)}
    for name, trial in trials.items():
        if chosen in name:
            with tempfile.TemporaryDirectory(prefix="hr-failover-") as folder:
                rows[name] = await trial(Path(folder))
            print(rows[name], flush=True)
            rows["measured"] = _surroundings()
            path.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
            (FOLDER / "failover.md").write_text(render(rows))


async def _kills_row(plan: Plan, folder: Path) -> str:
    return row(plan, await measure(plan, folder))


async def _isolation_row(least: int, folder: Path) -> str:
    outcome = await isolate(folder, min_replicas=least)
    lost = [moment - outcome.kills[0] for moment in outcome.verdict.lost]
    cells = (
        *(least, f"{outcome.verdict.accepted:,}", len(lost), f"{max(lost, default=0):.1f}"),
        describe_others(outcome),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _surroundings() -> str:
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return f"{moment}, {machine}, load average {os.getloadavg()[1]:.0f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of a trial's name, such as 'sentinel 1'")
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    asyncio.run(run(options.only, options.kills))
