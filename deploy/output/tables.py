"""Output of commands: one JSON value for programs, a plain table for people."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
CURSOR_MOVERS = {
    code: "\N{REPLACEMENT CHARACTER}"
    for code in (*range(32), *range(127, 160))
    if chr(code) != "\n"
}


def show(value: Row | Sequence[Row], *, as_json: bool, columns: Sequence[str]) -> None:
    """Print one row or many; the table has the given columns, JSON has every member."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False, default=_plain))
        return
    rows = [value] if isinstance(value, Mapping) else value
    print(table(rows, columns))


def table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Return columns under their headings, with the width that they need."""
    lines = [[_heading(column) for column in columns]]
    lines += [[_in_line(_cell(row.get(column))) for column in columns] for row in rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def printable(text: str) -> str:
    """Return the text without characters that would move a terminal's cursor."""
    return text.translate(CURSOR_MOVERS)


def short_json(value: Any, most: int, start: int = 0) -> str:
    """Return a value as JSON, from a character on, cut to so many characters."""
    text = json.dumps(value, ensure_ascii=False)
    text = f"…{text[start:]}" if start else text
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _in_line(text: str) -> str:
    return printable(text).replace("\n", "\N{REPLACEMENT CHARACTER}")


def _plain(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _heading(column: str) -> str:
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in column)
    return words.upper()


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(str(item) for item in value)
        case dict():
            return json.dumps(value, ensure_ascii=False, default=_plain)
        case _:
            return str(value)
