"""Tables of `headrace top`: workers, node types and providers, each as rows of cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from deploy.admin.top.reading import Reading, is_failing
from deploy.admin.top.words import words_of_bytes, words_of_seconds
from deploy.output.tables import printable
from engine.services.installation_state import WorkerState
from engine.store.metrics.installation_sample import NodeTypeSample, ProviderSample

Style = Literal["", "head", "label", "good", "warn", "bad"]
Span = tuple[str, Style]
"""A piece of a line, and the way in which it is shown."""
Line = tuple[Span, ...]
NAME_WIDTH = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class TopTable:
    """A table whose first column is a name and whose others are figures."""

    heads: Sequence[str]
    rows: Sequence[tuple[Sequence[str], Style]]

    def lines(self, width: int, most_rows: int) -> list[Line]:
        """Return a head and as many rows as there is room for; the head tells of further ones."""
        shown = self.rows[:most_rows]
        more = len(self.rows) - len(shown)
        name = f"{self.heads[0]} (+{more})" if more else self.heads[0]
        widths = [max(len(cell) for cell in column) for column in zip(*self._cells(), strict=True)]
        figures = sum(each + 2 for each in widths[1:])
        first = max(len(name), min(max(NAME_WIDTH, width // 3), width - figures))
        lines: list[Line] = [((_row([name, *self.heads[1:]], [first, *widths[1:]]), "head"),)]
        return lines + [((_row(cells, [first, *widths[1:]]), style),) for cells, style in shown]

    def _cells(self) -> list[Sequence[str]]:
        return [self.heads, *(cells for cells, _ in self.rows)]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = cells
    parts = (f"  {cell.rjust(width)}" for cell, width in zip(figures, widths[1:], strict=True))
    return printable(name)[: widths[0]].ljust(widths[0]) + "".join(parts)


def workers_table(reading: Reading) -> TopTable:
    """Return the workers: dead ones first, then those with most executions."""
    workers = sorted(
        reading.state.workers, key=lambda each: (each.is_alive, -each.executions, each.id)
    )
    return TopTable(
        heads=("WORKER", "STATE", "RUNS", "MEMORY", "LIMIT", "LEASE"),
        rows=[_worker_row(each, reading.state.at) for each in workers],
    )


def _worker_row(worker: WorkerState, now: int) -> tuple[Sequence[str], Style]:
    left = (worker.lease_ends_at - now) / 1000
    cells = (
        worker.id,
        "alive" if worker.is_alive else "gone",
        f"{worker.executions:,}",
        words_of_bytes(worker.memory),
        words_of_bytes(worker.memory_limit),
        words_of_seconds(left) if worker.is_alive else "ended",
    )
    return cells, "" if worker.is_alive else "bad"


def node_types_table(reading: Reading) -> TopTable:
    """Return the node types of the last minutes, the slowest altogether first."""
    found = reading.minutes.node_types if reading.minutes else ()
    ordered = sorted(found, key=lambda each: (-each.durations.seconds, -each.failed, each.type))
    return TopTable(
        heads=("NODE TYPE, 5 min", "ENDED", "FAILED", "P50", "P95", "TOTAL"),
        rows=[_node_type_row(each) for each in ordered],
    )


def _node_type_row(row: NodeTypeSample) -> tuple[Sequence[str], Style]:
    cells = (
        row.type,
        f"{row.completed + row.failed:,}",
        f"{row.failed:,}",
        words_of_seconds(row.durations.quantile(0.5)),
        words_of_seconds(row.durations.quantile(0.95)),
        words_of_seconds(row.durations.seconds),
    )
    return cells, "warn" if row.failed else ""


def providers_table(reading: Reading) -> TopTable:
    """Return the providers of the last minutes, those with most failed calls first."""
    found = reading.minutes.providers if reading.minutes else ()
    ordered = sorted(found, key=lambda each: (-each.failed, -each.calls, each.provider))
    return TopTable(
        heads=("PROVIDER, 5 min", "CALLS", "THROTTLED", "FAILED", "P50", "P95"),
        rows=[_provider_row(each) for each in ordered],
    )


def _provider_row(row: ProviderSample) -> tuple[Sequence[str], Style]:
    throttled = row.outcomes.get("throttled", 0)
    cells = (
        row.provider,
        f"{row.calls:,}",
        f"{throttled:,}",
        f"{row.failed - throttled:,}",
        words_of_seconds(row.durations.quantile(0.5)),
        words_of_seconds(row.durations.quantile(0.95)),
    )
    return cells, "bad" if is_failing(row) else "warn" if row.failed else ""
