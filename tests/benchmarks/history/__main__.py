"""`python -m tests.benchmarks.history`: lists and figures over many executions of one account.

Loads them into SQLite and PostgreSQL, calls a gateway over HTTP, and writes a table of the
milliseconds of its answers. The bar is a p95 of 50 ms with two million executions.
"""

import argparse
import json
import math
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.history.databases import loaded
from tests.benchmarks.history.gateway import Caller, serving
from tests.benchmarks.history.requests import requests, target
from tests.benchmarks.processes import REPOSITORY

BAR_MS = 50.0
KINDS = ("sqlite", "postgresql")
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
WHOLE = 2_000_000


class Times(NamedTuple):
    """Milliseconds of answers to one kind of request, and the median number of their rows."""

    p50: float
    p95: float
    rows: int


def main() -> int:
    """Load, measure and write; 1 when a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=KINDS, action="append")
    parser.add_argument("--executions", type=int, default=WHOLE)
    parser.add_argument("--repeat", type=int, default=60)
    parser.add_argument("--only", default="", help="requests with this in their name")
    parser.add_argument("--folder", type=Path, help="keeps the databases for the next time")
    arguments = parser.parse_args()
    results: dict[str, dict[str, Times]] = {}
    with _folder(arguments.folder) as folder:
        for kind in arguments.database or KINDS:
            began = time.monotonic()
            with loaded(kind, folder, arguments.executions) as (url, is_new):
                if is_new:
                    print(f"{kind}: loaded in {time.monotonic() - began:.0f} s", flush=True)
                with serving(url, folder) as caller:
                    found = measure(caller, arguments.repeat, arguments.only)
                    results[kind] = dict(_shown(kind, found))
    is_whole = not arguments.only and arguments.executions == WHOLE and len(results) == len(KINDS)
    if is_whole:
        path = REPOSITORY / "docs" / "benchmarks" / "history.md"
        path.write_text(page(results, arguments.repeat))
    slow = [each for times in results.values() for each in times.values() if each.p95 > BAR_MS]
    return 1 if slow else 0


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="bench-history-") as name:
            Path(name).chmod(0o755)  # PostgreSQL may run as a user of its own
            yield Path(name)
        return
    kept.mkdir(mode=0o755, parents=True, exist_ok=True)
    yield kept


def measure(caller: Caller, repeat: int, only: str) -> Iterator[tuple[str, Times]]:
    """Yield name and times of each kind of request."""
    for name, path, make in requests():
        if only not in name:
            continue
        dice = random.Random(7)
        caller.get(target(path, make(dice)))
        answers = [caller.get(target(path, make(dice))) for _ in range(repeat)]
        times = sorted(spent for spent, _ in answers)
        rows = [len(json.loads(body)["rows"]) for _, body in answers]
        high = times[math.ceil(0.95 * len(times)) - 1]
        yield name, Times(statistics.median(times), high, int(statistics.median(rows)))


def _shown(kind: str, found: Iterator[tuple[str, Times]]) -> Iterator[tuple[str, Times]]:
    for name, times in found:
        mark = "" if times.p95 <= BAR_MS else "  over the bar"
        print(
            f"{kind:<11} {name:<32} p50 {times.p50:7.1f}  p95 {times.p95:7.1f} ms"
            f"  {times.rows:6} rows{mark}",
            flush=True,
        )
        yield name, times


def page(results: Mapping[str, Mapping[str, Times]], repeat: int) -> str:
    """Return the page of the results."""
    head = [
        "# Benchmark of the history",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}.",
        "Pages of lists, totals and figures over 2,000,000 archived executions of one account in a",
        "month: milliseconds of a gateway's answers over HTTP to one caller beside it, with",
        f"{repeat} requests of each kind, one after the other, whose values vary.",
        f"The bar is a p95 of {BAR_MS:.0f} ms. `python -m tests.benchmarks.history` repeats it.",
        f"The load average of the machine was {os.getloadavg()[0]:.1f} at the end.",
        "",
        "`rows` is the median number of rows: with several filters a page may be short.",
        "",
        f"| request | {' | '.join(f'{TITLES[kind]} p50 | p95 | rows' for kind in results)} |",
        f"|---|{'---:|---:|---:|' * len(results)}",
    ]
    names = next(iter(results.values()))
    lines = [
        f"| {name} | {' | '.join(_cells(results[kind][name]) for kind in results)} |"
        for name in names
    ]
    return "\n".join([*head, *lines, ""])


def _cells(times: Times) -> str:
    high = f"{times.p95:.1f}"
    return f"{times.p50:.1f} | {high if times.p95 <= BAR_MS else f'**{high}**'} | {times.rows}"


if __name__ == "__main__":
    sys.exit(main())
