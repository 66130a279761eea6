"""Files of a batch's results: JSON lines, or CSV."""

import csv
import json
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

from deploy.client.api import Answer
from deploy.client.batches.item_files import CSV, ENDINGS, JSON_LINES
from deploy.output.problems import CommandFailed

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings of texts that spreadsheets take for formulas; some take the wide signs of Japanese."""


def check_output(file: Path) -> None:
    """Raise CommandFailed unless results can be written to a file of this name."""
    ending = file.suffix.lower()
    if ending != CSV and ending not in JSON_LINES:
        raise CommandFailed(f"The results must go to a file that ends with {ENDINGS}, not {file}.")
    if not file.absolute().parent.is_dir():
        raise CommandFailed(f"There is no folder {file.absolute().parent} for the results.")


async def write_results(file: Path, pages: AsyncIterator[Sequence[Answer]]) -> int:
    """Write the items of all pages, one page in memory at a time; return their number.

    The file is replaced once all are written. A table has a column for each member of the results,
    or one column where some results are no objects.
    """
    lines, table = (file.with_name(f"{file.name}.{part}") for part in ("lines", "table"))
    try:
        columns, count = _Columns(), 0
        with lines.open("w", encoding="utf-8") as writing:
            async for rows in pages:
                for row in rows:
                    print(json.dumps(row, ensure_ascii=False), file=writing)
                    columns.add(row["result"])
                count += len(rows)
        if file.suffix.lower() == CSV:
            _write_table(table, _read_lines(lines), columns)
            table.replace(file)
        else:
            lines.replace(file)
    finally:
        lines.unlink(missing_ok=True)
        table.unlink(missing_ok=True)
    return count


class _Columns:
    """Columns of results: their members, or one for all."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._is_split = True

    def add(self, result: Any) -> None:
        """Take a result into account; that of an item without one changes nothing."""
        if isinstance(result, dict):
            self._names.update(dict.fromkeys(result))
        elif result is not None:
            self._is_split = False

    @property
    def header(self) -> list[str]:
        """Names of the columns."""
        names = [f"result.{name}" for name in self._names]
        return names if self._is_split and names else ["result"]

    def cells(self, result: Any) -> list[Any]:
        """Return the values of a result, one for each column."""
        if self.header == ["result"]:
            return [result]
        return [(result or {}).get(name) for name in self._names]


def _read_lines(file: Path) -> Iterator[Answer]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _write_table(file: Path, rows: Iterator[Answer], columns: _Columns) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines)
        head = ("index", "status", "executionId")
        table.writerow([*head, *columns.header, "errorCode", "errorMessage", "creditsCost"])
        for row in rows:
            error = row["error"] or {}
            values = [*(row[name] for name in head), *columns.cells(row["result"])]
            values += [error.get("code"), error.get("message"), row["creditsCost"]]
            table.writerow([_cell(value) for value in values])


def _cell(value: Any) -> str:
    """Return a text as it is, nothing for null, and JSON for any other value.

    A text that a spreadsheet would compute has an apostrophe before it.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}" if value.startswith(FORMULA) and not _is_number(value) else value


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
