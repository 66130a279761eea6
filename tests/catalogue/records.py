"""Last run of each row, kept in docs/reliability-report.json from one report to the next."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.catalogue.runs import Case, Run

HOW_BAD = ("held", "skipped", "failed")
NO_COUNTS = frozenset(
    {
        "seconds",
        "milliseconds",
        "ms",
        "bytes",
        "kilobytes",
        "kb",
        "megabytes",
        "mb",
        "percent",
        "per",
        "credits",
        "balance",
        "seed",
    }
)
"""Words in names of figures that are no counts."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures of a test, from its largest run that held, or from a last one that failed."""

    values: dict[str, str]
    outcome: str
    ended: str
    commit: str

    def size(self) -> float:
        """Return the sum of the counts."""
        counts = (v for k, v in self.values.items() if not NO_COUNTS & set(k.split("_")))
        return sum(number(each) or 0 for each in counts)


@dataclass(frozen=True, kw_only=True)
class Record:
    """Last run of a row."""

    outcome: str
    why: str
    tests: int
    seconds: float
    ended: str
    commit: str
    machine: str
    figures: dict[str, Figures] = field(default_factory=dict)
    """By test."""


def number(value: str) -> float | None:
    """Return a figure as a number, None if it is words."""
    try:
        return float(value)
    except ValueError:
        return None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Records from which the report is made."""

    rows: dict[str, Record] = field(default_factory=dict)
    planted: dict[str, Any] = field(default_factory=dict)
    """Last run of `make planted` over all faults, as tests/planted has written it; empty: none."""


def load(path: Path) -> Kept:
    """Return what is kept; nothing if there is no file yet."""
    if not path.exists():
        return Kept()
    found = json.loads(path.read_text(encoding="utf-8"))
    records = {}
    for row_id, members in found["rows"].items():
        figures = {name: Figures(**each) for name, each in members.pop("figures").items()}
        records[row_id] = Record(**members, figures=figures)
    return Kept(rows=records, planted=found["planted"])


def save(path: Path, kept: Kept) -> None:
    """Write it, sorted by row."""
    rows = {row_id: asdict(kept.rows[row_id]) for row_id in sorted(kept.rows)}
    text = json.dumps({"rows": rows, "planted": kept.planted}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def latest_planted(kept: Kept, folders: Iterable[Path]) -> dict[str, Any]:
    """Return the last record of planted faults, of those in folders and the one that is kept."""
    paths = [folder / "planted.json" for folder in folders]
    found = [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]
    return max([kept.planted, *found], key=lambda each: each.get("at", 0))


def merged(records: dict[str, Record], runs: Iterable[Run]) -> dict[str, Record]:
    """Return the records with these runs, oldest first, in the places of older ones."""
    found = dict(records)
    for run in runs:
        for row_id in run.rows:
            before = found.get(row_id)
            if before is None or before.ended <= run.ended:
                found[row_id] = _record(run, row_id, before)
    return found


def _record(run: Run, row_id: str, before: Record | None) -> Record:
    cases = [case for case in run.cases if row_id in case.rows]
    worst = max(cases, key=lambda case: HOW_BAD.index(case.outcome), default=None)
    record = Record(
        outcome=worst.outcome if worst else "failed",
        why=_why(worst) if worst else "no test was collected",
        tests=len(cases),
        seconds=round(sum(case.seconds for case in cases), 1),
        ended=run.ended,
        commit=run.commit,
        machine=run.machine,
    )
    return replace(record, figures=_figures(run, cases, before.figures if before else {}))


def _why(case: Case) -> str:
    return f"{case.name.rpartition('.')[2]}: {case.why}" if case.why else ""


def _figures(run: Run, cases: list[Case], before: dict[str, Figures]) -> dict[str, Figures]:
    names = {case.name for case in cases}
    found = {name: each for name, each in before.items() if name in names}
    for case in cases:
        if not case.figures:
            continue
        new = Figures(values=case.figures, outcome=case.outcome, ended=run.ended, commit=run.commit)
        old = found.get(case.name)
        if old is None or "failed" in (old.outcome, new.outcome) or new.size() >= old.size():
            found[case.name] = new
    return found
