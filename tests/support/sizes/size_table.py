"""`python -m tests.support.sizes.size_table`: sizes of installations to begin with, as a table.

Computed by the model of scale from the figures in `docs/benchmarks/scale.json`.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.settings import Settings
from tests.benchmarks.scale.model import BUSY, Measured, Model, Needs
from tests.benchmarks.scale.usage import Use

FIGURES = Path(__file__).parents[3] / "docs" / "benchmarks" / "scale.json"
RUN_SECONDS = 30
"""Time of a run: three calls of models in line, of ten seconds each."""
WAITING_BYTES = 28_900
"""Memory of a waiting run in gateways and workers: W5 in `docs/benchmarks/results.md`."""
SLOTS = Settings().worker_slots
ARCHIVED_BYTES = 4_110
"""Room of an ended run in PostgreSQL with indexes: 20,000 of `greeting-letter` took 82.2 MB."""
HOT_MINUTES = (60, 10)
"""The default of `HEADRACE_HOT_MINUTES`, and a shorter time."""
MEAN_SHARE = 0.1
"""Rate over a month as a share of the rate at peak hours."""
DAYS = 30
REDIS_SHARE = 0.5
"""Share of Redis' `maxmemory` that ended runs are planned to take."""
LEAST_GIGABYTES = 0.5
GIGA = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Size of an installation, by the runs in a second that it takes at peak hours."""

    name: str
    rate: float
    spare: int
    """Processes of each kind that may be lost."""


SIZES = (
    Size(name="one host", rate=5, spare=0),
    Size(name="small", rate=20, spare=1),
    Size(name="medium", rate=200, spare=1),
    Size(name="large", rate=1_000, spare=1),
)


def read_model(path: Path = FIGURES) -> Model:
    """Return the model of the newest measurements."""
    return Model(msgspec.convert(json.loads(path.read_text()), Measured, strict=False))


def rows(model: Model) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each size."""
    use: Use = model.measured.models.use
    for size in SIZES:
        needs = model.needs(size.rate, use)
        under_way = size.rate * RUN_SECONDS
        workers = max(needs.workers, math.ceil(under_way / (SLOTS * BUSY)))
        yield (
            size.name,
            f"{size.rate:,}",
            f"{under_way:,.0f}",
            f"{needs.gateways + size.spare}",
            f"{workers + size.spare}",
            f"{needs.primaries}",
            *(f"{redis_gigabytes(needs, minutes):.1f}" for minutes in HOT_MINUTES),
            f"{under_way * WAITING_BYTES / GIGA:.2f}",
            f"{size.rate * MEAN_SHARE * 86_400 * DAYS * ARCHIVED_BYTES / GIGA:,.0f}",
        )


def redis_gigabytes(needs: Needs, hot_minutes: int) -> float:
    """Return the `maxmemory` of all primaries together."""
    return max(needs.memory_per_hot_minute * hot_minutes / REDIS_SHARE / GIGA, LEAST_GIGABYTES)


def table(model: Model) -> str:
    """Return the lines of the table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows(model))


if __name__ == "__main__":
    print(table(read_model()))
