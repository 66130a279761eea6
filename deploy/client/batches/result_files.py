"""Files of a batch's results: JSON lines, or CSV."""

import csv
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from deploy.client.api import Answer
from deploy.client.batches.item_files import CSV, ENDINGS, JSON_LINES
from deploy.problems import CommandFailed

COLUMNS = ("index", "status", "executionId", "result", "errorCode", "error", "creditsCost")

WriteRow = Callable[[Answer], None]


def check_output(file: Path) -> None:
    """Raise CommandFailed unless results can be written to a file of this name."""
    ending = file.suffix.lower()
    if ending != CSV and ending not in JSON_LINES:
        raise CommandFailed(f"The results must go to a file that ends with {ENDINGS}, not {file}.")
    if not file.absolute().parent.is_dir():
        raise CommandFailed(f"There is no folder {file.absolute().parent} for the results.")


async def write_results(file: Path, pages: AsyncIterator[Sequence[Answer]]) -> int:
    """Write the items of all pages, one page in memory at a time; return their number.

    The file is replaced once all are written.
    """
    count, unfinished = 0, file.with_name(f"{file.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as lines:
            write = _writer(lines, is_csv=file.suffix.lower() == CSV)
            async for rows in pages:
                for row in rows:
                    write(row)
                count += len(rows)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _writer(lines: TextIO, *, is_csv: bool) -> WriteRow:
    if not is_csv:
        return lambda row: print(json.dumps(row, ensure_ascii=False), file=lines)
    table = csv.writer(lines)
    table.writerow(COLUMNS)
    return lambda row: table.writerow([_cell(value) for value in _cells(row)])


def _cells(row: Answer) -> Sequence[Any]:
    error = row["error"] or {}
    told = {**row, "errorCode": error.get("code"), "error": error.get("message")}
    return [told[name] for name in COLUMNS]


def _cell(value: Any) -> str:
    """Return a text as it is, nothing for null, and JSON for any other value."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
