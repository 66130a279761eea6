"""`python -m tests.benchmarks.history.attack`: slow reads of some accounts beside those of another.

Four accounts read without a pause, each with six reads at a time: every pair of filters over two
million executions, counts of them, and one `X-Request-Id` that hundreds of thousands of executions
have. Prints the slowest reads, those that the database or the archive ended, and the times of
another account's pages alone and beside them.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations, cycle
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from engine.executions.filter import ExecutionFilter
from engine.executions.statuses import ExecutionStatus
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.migrate import migrate
from engine.history.reading.archive import RUN_SECONDS, HistoryArchive
from engine.history.reading.execution_queries import count_rows
from engine.history.reading.execution_reads import read_page
from tests.benchmarks.history import data
from tests.benchmarks.history.databases import loaded, running_database
from tests.support.history.archived import none_installed

WHOLE = 2_000_000
REPEATED = 400_000
"""Executions with one `X-Request-Id`."""
OTHER_COUNT = 5_000
OTHER, REPEATER = "acc_other", "acc_repeater"
REQUEST_ID = "the-same-for-all"
ATTACKERS = 4
AT_ONCE = 6
REPEATED_READ = "repeated request"
PAGES = 300
COUNTED = 10_000

FILTERS: dict[str, dict[str, Any]] = {
    "status": {"statuses": [ExecutionStatus.FAILED]},
    "statuses": {"statuses": [ExecutionStatus.FAILED, ExecutionStatus.CANCELLED]},
    "workflow": {"workflow_slug": data.WORKFLOWS[0]},
    "rare workflow": {"workflow_slug": data.RARE_WORKFLOW},
    "version": {"version": 2},
    "source": {"source": "api-slim"},
    "key": {"key_id": data.KEYS[0]},
    "rare key": {"key_id": data.RARE_KEY},
    "no key": {"key_id": "-"},
    "model": {"model_id": data.MODELS[0]},
    "rare model": {"model_id": data.RARE_MODEL},
    "no model": {"model_id": "-"},
    "code": {"error_code": data.CODES[0]},
    "rare code": {"error_code": data.RARE_CODE},
    "from": {"created_from": data.START + data.DAYS * data.DAY // 2},
    "to": {"created_to": data.START + data.DAY},
    "id": {"id_start": "a"},
    "long id": {"id_start": "abc"},
    "request": {"http_request_id": "none"},
}

Query = Callable[[Connection], object]


def queries() -> dict[str, Query]:
    """Return the reads of an attack by name."""
    found: dict[str, Query] = {}
    for (first, one), (second, two) in combinations(FILTERS.items(), 2):
        if not one.keys() & two.keys():
            _add(found, f"{first} + {second}", data.ACCOUNT, ExecutionFilter(**one, **two))
    repeated = ExecutionFilter(http_request_id=REQUEST_ID)
    _add(found, REPEATED_READ, REPEATER, repeated)
    _add(found, "repeated request + no key", REPEATER, replace(repeated, key_id="-"))
    return found


def _add(found: dict[str, Query], name: str, account_id: str, wanted: ExecutionFilter) -> None:
    found[name] = lambda of: read_page(of, account_id, wanted, None, limit=50)
    found[f"count of {name}"] = lambda of: count_rows(of, account_id, wanted, None, at_most=COUNTED)


def main() -> int:
    """Load, attack and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--executions", type=int, default=WHOLE)
    parser.add_argument("--repeated", type=int, default=REPEATED)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-history-") as name:
        Path(name).chmod(0o755)  # PostgreSQL may run as a user of its own
        with running_database(arguments.database, Path(name)) as url:
            _load_others(Database(url), arguments.repeated)
            with loaded(arguments.database, Path(name), arguments.executions):
                print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
                asyncio.run(_attack(url))
                print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
    return 0


def _load_others(database: Database, repeated: int) -> None:
    migrate(database)
    data.load(database, OTHER_COUNT, account_id=OTHER, seed=1)
    data.load(database, repeated, account_id=REPEATER, seed=2, http_request_id=REQUEST_ID)
    database.close()


async def _attack(url: str) -> None:
    archive = HistoryArchive(lambda: Database(url, read_seconds=RUN_SECONDS), none_installed)
    print("another account's pages, ms:")
    await _pages(archive, "alone")
    parts, count = list(queries()), ATTACKERS * AT_ONCE
    slowest: dict[str, float] = {}
    ends: Counter[str] = Counter()
    is_over = asyncio.Event()
    attacks = [
        asyncio.create_task(
            _read_all(archive, place % ATTACKERS, parts[place::count], slowest, ends, is_over)
        )
        for place in range(count)
    ]
    await asyncio.sleep(1)
    await _pages(archive, "beside the attack")
    is_over.set()
    await asyncio.gather(*attacks)
    await archive.close()
    print("ends of the attackers' reads:", dict(ends))
    for name, seconds in sorted(slowest.items(), key=lambda each: -each[1])[:12]:
        print(f"{seconds * 1000:8.0f} ms  {name}")


async def _read_all(
    archive: HistoryArchive,
    account: int,
    names: Sequence[str],
    slowest: dict[str, float],
    ends: Counter[str],
    is_over: asyncio.Event,
) -> None:
    """Do some reads, with the repeated request in between, once and again until it is over."""
    found = queries()
    for number, name in enumerate(cycle([each for own in names for each in (own, REPEATED_READ)])):
        if number >= 2 * len(names) and is_over.is_set():
            return
        began = time.monotonic()
        try:
            await archive.read(f"attacker {account}", found[name])
            ends["answered"] += 1
        except HistoryUnavailable as error:
            ends[error.reason] += 1
            await asyncio.sleep(0.05)
        slowest[name] = max(slowest.get(name, 0.0), time.monotonic() - began)


async def _pages(archive: HistoryArchive, when: str) -> None:
    """Read pages of another account, one after the other."""
    wanted = ExecutionFilter(statuses=[ExecutionStatus.COMPLETED])
    times, refused = [], 0
    for _ in range(PAGES):
        began = time.monotonic()
        try:
            await archive.page(OTHER, wanted, None, limit=50)
        except HistoryUnavailable:
            refused += 1
        times.append((time.monotonic() - began) * 1000)
        await asyncio.sleep(0.01)
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"  {when}: p50 {statistics.median(times):.1f}, p95 {p95:.1f}, most {max(times):.1f}, "
        f"refused {refused} of {PAGES}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
