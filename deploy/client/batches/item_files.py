"""Files of a batch's items: CSV with a column for each field, or JSON lines."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from deploy.client.inputs import MEDIA_TYPES, parse_value
from deploy.output.problems import CommandFailed

CSV, JSON_LINES = ".csv", (".jsonl", ".ndjson")
MAX_ITEMS = 1_000
MAX_NAMED = 10
"""Most faults of a file that are named."""
MAX_CELL = 16_777_216
"""Most characters of one cell; the API takes no more in all."""
ENDINGS = f"'{CSV}' or '{JSON_LINES[0]}'"

Types = Mapping[str, str]
Item = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFile:
    """Items of a file, each with the place of its row."""

    file: Path
    items: Sequence[Item]
    """Each has `inputs`, in which a Path stands for a file to upload, and maybe `tags`."""
    rows: Sequence[int]
    """By item, the row of a table whose header is row 1, or the line of JSON lines."""

    def place(self, index: int, field: str = "") -> str:
        """Return the words for an item of the file, or for one field of it."""
        return _place(self.file, self.rows[index], field)


def read_items(file: Path, types: Types | None) -> ItemFile:
    """Return the items of a file, by its ending.

    `types` has the type of each field; without them every value of a CSV file is a text. Raises
    CommandFailed, with the row and the column of each fault.
    """
    ending = file.suffix.lower()
    if ending != CSV and ending not in JSON_LINES:
        raise CommandFailed(f"The items must be in a file that ends with {ENDINGS}, not {file}.")
    try:
        with file.open(encoding="utf-8-sig", newline="" if ending == CSV else None) as lines:
            reading = _Reading(file, types)
            found = list(reading.csv(lines) if ending == CSV else reading.json_lines(lines))
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{file} is not UTF-8.") from error
    except csv.Error as error:
        raise CommandFailed(f"{file} is not CSV: {error}.") from error
    reading.check()
    if not 1 <= len(found) <= MAX_ITEMS:
        raise CommandFailed(f"A batch has 1 to {MAX_ITEMS:,} items; {file} has {len(found):,}.")
    return ItemFile(file=file, items=[item for _, item in found], rows=[row for row, _ in found])


def _place(file: Path, row: int, field: str) -> str:
    noun = "row" if file.suffix.lower() == CSV else "line"
    column = f", column '{field}'" if field and noun == "row" else ""
    return f"{file}, {noun} {row}{column or (f', field {field!r}' if field else '')}"


class _Reading:
    """One pass over a file, which collects its faults."""

    def __init__(self, file: Path, types: Types | None) -> None:
        self._file = file
        self._types = types
        self._faults: list[str] = []

    def check(self) -> None:
        """Raise CommandFailed for the faults that were found."""
        count = len(self._faults)
        if count:
            more = [f"{count - MAX_NAMED} more faults"] if count > MAX_NAMED else []
            raise CommandFailed("\n".join(self._faults[:MAX_NAMED] + more))

    def csv(self, lines: TextIO) -> Iterator[tuple[int, Item]]:
        """Yield row and item for each row that has any value."""
        csv.field_size_limit(MAX_CELL)
        rows = csv.reader(lines, strict=True)
        columns = next(rows, [])
        self._check_columns(columns)
        if self._faults:
            return
        for row, cells in enumerate(rows, 2):
            if any(cells):
                yield row, {"inputs": dict(self._inputs(row, columns, cells))}

    def _check_columns(self, columns: Sequence[str]) -> None:
        if not any(columns):
            self._fault(1, "", "names no columns: the first row has the names of fields")
            return
        for column in columns:
            if self._types is not None and column not in self._types:
                known = ", ".join(f"'{name}'" for name in self._types) or "none"
                self._fault(1, column, f"is no field of the workflow, which has {known}")
        for column in sorted({each for each in columns if columns.count(each) > 1}):
            self._fault(1, column, "is there more than once")

    def _inputs(
        self, row: int, columns: Sequence[str], cells: Sequence[str]
    ) -> Iterator[tuple[str, Any]]:
        """Yield the inputs of a row; an empty cell leaves its field out."""
        if len(cells) > len(columns):
            self._fault(row, "", f"has {len(cells)} cells, and there are {len(columns)} columns")
        for column, cell in zip(columns, cells, strict=False):
            if not cell:
                continue
            try:
                yield column, self._value(column, cell)
            except ValueError as error:
                self._fault(row, column, str(error))

    def _value(self, column: str, cell: str) -> Any:
        kind = (self._types or {}).get(column)
        if kind in MEDIA_TYPES and cell.startswith("@"):
            return self._upload(Path(cell[1:]).expanduser())
        return parse_value(cell, kind)

    def _upload(self, named: Path) -> Path:
        """Return a file, whose name is relative to the folder of the file of items."""
        found = self._file.parent / named
        if not found.is_file():
            raise ValueError(f"names no file: {found}")
        return found

    def json_lines(self, lines: TextIO) -> Iterator[tuple[int, Item]]:
        """Yield line and item for each line that is not blank."""
        for row, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield row, self._item(parse_value(line, "json"))
            except ValueError as error:
                self._fault(row, "", str(error))

    def _item(self, value: Any) -> Item:
        """Return a line as an item: it has the inputs alone, or `inputs` and maybe `tags`."""
        if not isinstance(value, dict):
            raise ValueError("must be a JSON object")
        is_item = "inputs" in value and "inputs" not in (self._types or {})
        if not is_item:
            return {"inputs": value}
        unknown = value.keys() - {"inputs", "tags"}
        if unknown:
            raise ValueError(f"has '{min(unknown)}', and an item takes inputs and tags")
        if not isinstance(value["inputs"], dict):
            raise ValueError("has inputs that are no object")
        return value

    def _fault(self, row: int, field: str, reason: str) -> None:
        self._faults.append(f"{_place(self._file, row, field)}: {reason}")
