"""Reliability report: `python -m tests.catalogue.report [folder of runs …]` writes it.

It merges the runs of build/proofs into docs/reliability-report.json, which keeps the last run of
each row, and writes docs/reliability-report.md from that and the catalogue.
"""

import datetime
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.catalogue import figures, runs
from tests.catalogue.markdown import table
from tests.catalogue.promises import promises
from tests.catalogue.records import Kept, Record, latest_planted, load, merged, save
from tests.catalogue.repository import PRODUCT, ROOT, UNKNOWN, changed_since
from tests.catalogue.rows import TESTS, Row, files, rows

PAGE = ROOT / "docs" / "reliability-report.md"
KEPT = PAGE.with_suffix(".json")
HEAD = """# Reliability report

This page is made by `make report` from the last run of each row of the catalogue of
[faults](reference/faults.md) and [attacks](reference/attacks.md); `make chaos`, `make attacks` and
`make soak` run them, each or all of them (`make chaos ID=F18`). A row is *held* if all of its tests
passed at a commit since which neither the product nor these tests have changed; *stale* if they
passed before such a change. [What we promise](guarantees.md) leads to the rows of each promise.
"""
KINDS = {"F": "Faults", "A": "Attacks"}
STATES = ("held", "stale", "skipped", "failed", "not run", "without a test", "nothing to test")
GREEN = ("held", "nothing to test")


@dataclass(frozen=True, kw_only=True)
class State:
    """A row as the report tells it."""

    row: Row
    record: Record | None
    word: str
    why: str = ""


def state(row: Row, record: Record | None) -> State:
    """Return what is known of a row."""
    if row.absent:
        return State(row=row, record=None, word="nothing to test", why=row.absent)
    if row.id not in files():
        return State(row=row, record=None, word="without a test", why="none is written yet")
    if record is None:
        return State(row=row, record=None, word="not run", why="its tests have not run")
    if record.outcome != "held":
        return State(row=row, record=record, word=record.outcome, why=record.why)
    why = _change(row, record)
    return State(row=row, record=record, word="stale" if why else "held", why=why)


def _change(row: Row, record: Record) -> str:
    """Return what has changed since the run, "" for nothing."""
    if record.commit == UNKNOWN:
        return "the commit of its run is unknown"
    if record.commit.endswith("+"):
        return f"it ran on files that differ from commit {record.commit[:-1]}"
    tests = [path.relative_to(TESTS.parent).as_posix() for path in files()[row.id]]
    for words, paths in (("of its tests", tests), ("of the product", PRODUCT)):
        changed = changed_since(record.commit, *paths)
        if changed is None:
            return f"commit {record.commit} is unknown here"
        if changed:
            files_changed = "1 file" if len(changed) == 1 else f"{len(changed)} files"
            return f"held at {record.commit}; since then {files_changed} {words} changed"
    return ""


def render(kept: Kept) -> str:
    """Return the page."""
    states = [state(row, kept.rows.get(row.id)) for row in rows().values()]
    parts = [HEAD, *_summary(states), *_promises(states), *figures.render(kept.rows)]
    parts += _planted(kept.planted)
    if not_green := [each for each in states if each.word not in GREEN]:
        parts += ["\n## Rows that are not green\n\n"]
        lines = [(each.row.id, each.row.tried, each.word, each.why) for each in not_green]
        parts.append(table(("", "tried", "", "why"), lines))
    for letter, title in KINDS.items():
        parts += [f"\n## {title}\n\n", _all_rows(states, letter)]
    return "".join(parts)


def _summary(states: list[State]) -> Iterator[str]:
    def count(letter: str, word: str) -> str:
        return str(sum(each.row.id[0] == letter and each.word == word for each in states))

    lines = [(word, *(count(letter, word) for letter in KINDS)) for word in STATES]
    total = [str(sum(each.row.id[0] == letter for each in states)) for letter in KINDS]
    yield "\n" + table(("rows", *KINDS.values()), [*lines, ("**all**", *total)])
    found = [each.record for each in states if each.record]
    if found:
        last = max(found, key=lambda record: record.ended)
        yield f"\nLast run: {last.ended} UTC, commit {last.commit}, {last.machine}.\n"
        others = sorted({record.machine for record in found} - {last.machine})
        yield from (f"Other rows ran on: {machine}.\n" for machine in others)


def _promises(states: list[State]) -> Iterator[str]:
    words = {each.row.id: each.word for each in states}
    lines = []
    for title, ids in promises().items():
        not_green = [each for each in ids if words.get(each) not in GREEN]
        held = f"{len(ids) - len(not_green)} of {len(ids)}"
        lines.append((f"[{title}](guarantees.md#{_anchor(title)})", held, ", ".join(not_green)))
    yield "\n## Promises\n\n"
    yield table(("promise", "rows that are green", "others"), lines)


def _planted(planted: dict[str, Any]) -> Iterator[str]:
    if not planted:
        return
    faults = planted["faults"]
    missed = [each["name"] for each in faults if not each["caughtBy"]]
    date = f"{datetime.datetime.fromtimestamp(planted['at'], datetime.UTC):%Y-%m-%d %H:%M}"
    yield "\n## Planted faults\n\n"
    yield "`make planted` puts each into a copy of the code, and runs the tests of its rows.\n\n"
    yield table(
        ("planted", "caught", "commit", "date (UTC)"),
        [(str(len(faults)), str(len(faults) - len(missed)), planted["commit"][:10], date)],
    )
    yield from (f"\nNot caught: {name}.\n" for name in missed)


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _all_rows(states: list[State], letter: str) -> str:
    lines = []
    for each in states:
        if each.row.id[0] != letter:
            continue
        record = each.record
        told = (
            (str(record.tests), f"{record.seconds:.1f}", record.commit, record.ended)
            if record
            else ("", "", "", "")
        )
        lines.append((each.row.id, each.row.tried, each.word, *told))
    return table(("", "tried", "", "tests", "seconds", "commit", "date (UTC)"), lines)


def main(*folders: str) -> None:
    """Write the report with the runs of these folders."""
    paths = [Path(each) for each in folders or (runs.PROOFS,)]
    before = load(KEPT)
    records = {k: v for k, v in merged(before.rows, runs.read(paths)).items() if k in rows()}
    kept = Kept(rows=records, planted=latest_planted(before, paths))
    save(KEPT, kept)
    PAGE.write_text(render(kept), encoding="utf-8")
    words = [state(row, records.get(row.id)).word for row in rows().values()]
    print(*(f"{word}: {words.count(word)}" for word in STATES if word in words), sep=", ")


if __name__ == "__main__":
    main(*sys.argv[1:])
