"""Figures of the report: sums over all tests, and those of each test."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.catalogue.markdown import table
from tests.catalogue.records import Figures, Record, number

SUMS = {
    "faults": "faults injected",
    "kills": "processes killed",
    "executions": "executions",
    "bodies": "hostile bodies sent",
    "queries": "hostile queries sent",
    "rounds": "rounds of races",
    "lost": "executions lost",
    "lost_by_replica_lag_at_failovers": "executions that replicas had not received at a failover",
    "doubled": "results or charges doubled",
}
"""Figures that are summed over all tests, and their names in the report."""
KINDS_OF_FAULTS = ("kills", "torn_files", "slot_moves", "cuts")
"""Faults of a test that tells these alone, and not `faults`."""
RECOVERY = "recovery_"
SIGNIFICANT = 3


@dataclass(frozen=True, kw_only=True)
class Told:
    """Figures of a test, and the rows that it proves."""

    figures: Figures
    rows: list[str] = field(default_factory=list)


def render(records: dict[str, Record]) -> Iterator[str]:
    """Yield the sections of figures; none if no test told any."""
    found = _by_test(records)
    if not found:
        return
    yield "\n## Sums\n\nOver the tests that tell these figures, each test once.\n\n"
    yield table(("", "sum"), list(_sums(found)))
    recovered = {name: each for name, each in found.items() if _recovery(each)}
    if recovered:
        yield "\n## Recovery\n\n"
        lines = [_line(name, each, _recovery(each)) for name, each in recovered.items()]
        yield table(("rows", "test", "figures", "commit", "date (UTC)"), lines)
    yield "\n## Figures of each test\n\nThey are those of the largest run that held.\n\n"
    lines = [_line(name, each, _others(each)) for name, each in found.items() if _others(each)]
    yield table(("rows", "test", "figures", "commit", "date (UTC)"), lines)


def _by_test(records: dict[str, Record]) -> dict[str, Told]:
    """Return the figures by test; a test of several rows has those of its last run."""
    found: dict[str, Told] = {}
    for row_id, record in records.items():
        for name, figures in record.figures.items():
            before = found.get(name)
            rows = [*(before.rows if before else []), row_id]
            newer = before is None or before.figures.ended <= figures.ended
            kept = figures if before is None or newer else before.figures
            found[name] = Told(figures=kept, rows=rows)
    return found


def _sums(found: dict[str, Told]) -> Iterator[tuple[str, str]]:
    for name, words in SUMS.items():
        values = [_figure(each.figures.values, name) for each in found.values()]
        told = [value for value in values if value is not None]
        yield words, _written(str(sum(told))) if told else "not told"


def _figure(values: dict[str, str], name: str) -> float | None:
    if name == "faults" and name not in values:
        parts = [number(values[kind]) or 0 for kind in KINDS_OF_FAULTS if kind in values]
        return sum(parts) if parts else None
    return number(values.get(name, ""))


def _recovery(told: Told) -> dict[str, str]:
    return {k: v for k, v in told.figures.values.items() if k.startswith(RECOVERY)}


def _others(told: Told) -> dict[str, str]:
    return {k: v for k, v in told.figures.values.items() if not k.startswith(RECOVERY)}


def _line(name: str, told: Told, figures: dict[str, str]) -> tuple[str, ...]:
    words = ", ".join(f"{k.replace('_', ' ')} {_written(v)}" for k, v in figures.items())
    test = name.rpartition(".")[2]
    return " ".join(told.rows), f"`{test}`", words, told.figures.commit, told.figures.ended


def _written(value: str) -> str:
    """Return a figure to read: whole numbers in groups of three digits, others short."""
    found = number(value)
    if found is None:
        return value
    return f"{found:,.0f}" if found.is_integer() else f"{found:,.{SIGNIFICANT}g}"
