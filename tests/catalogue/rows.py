"""Rows of the catalogue, and the files of their tests."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
TESTS = FOLDER.parent
MARKED = re.compile(r"\bpytest\.mark\.([FA]\d{2,3}[a-z]?)\b")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A fault or an attack, and the behaviour that must follow."""

    id: str
    tried: str
    holds: str
    group: str = ""
    absent: str = ""
    """Reason why there is nothing to test."""


@cache
def rows() -> dict[str, Row]:
    """Return all rows by id, faults first."""
    found = {}
    for name in ("faults", "attacks"):
        text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
        for row_id, members in tomllib.loads(text).items():
            found[row_id] = Row(id=row_id, **members)
    return found


@cache
def files() -> dict[str, list[Path]]:
    """Return the files that mark each id, sorted."""
    found: dict[str, set[Path]] = {}
    for path in TESTS.rglob("test_*.py"):
        for row_id in MARKED.findall(path.read_text(encoding="utf-8")):
            found.setdefault(row_id, set()).add(path)
    return {row_id: sorted(paths) for row_id, paths in found.items()}


def named(names: list[str], letter: str) -> Iterator[str]:
    """Yield the ids that names stand for: F35 for F35a too; without names, all of a letter.

    Raises ValueError for an unknown one.
    """
    for name in names or [letter]:
        found = [each for each in rows() if each == name or each.rstrip("abcdefghijklm") == name]
        if name == letter:
            found = [each for each in rows() if each.startswith(letter)]
        if not found:
            raise ValueError(f"{name} is no row of the catalogue; rows: {', '.join(rows())}")
        yield from found
