"""Shares of a document that a reader has found: words, their order, and cells of tables."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WORD = re.compile(r"\w+")
LINK = re.compile(r"\]\([^)\s]*\)")
"""The URL of a link in Markdown, which is no word of the text."""
MAX_ORDERED = 3_000
"""Words of which the order is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares from 0 to 1; None: there is nothing to find."""

    recall: float | None
    """Of the words of the document, those that were found."""
    precision: float | None
    """Of the words that were found, those of the document."""
    order: float | None
    """Of the words of the document, those in a common order."""
    cells: float | None
    """Of the cells of its tables, those at their place with their value."""


def measure(
    text: str, tables: Sequence[Any], found_text: str, found_tables: Sequence[Any]
) -> Shares:
    """Compare a document's contents with those that were found."""
    truth, found = words_of(text), words_of(LINK.sub("]", found_text))
    common = (Counter(truth) & Counter(found)).total()
    return Shares(
        recall=common / len(truth) if truth else None,
        precision=common / len(found) if truth and found else None,
        order=_order(truth[:MAX_ORDERED], found[:MAX_ORDERED]) if truth else None,
        cells=_cells(tables, found_tables) if tables else None,
    )


def words_of(text: str) -> list[str]:
    """Return words without case; each letter of scripts without spaces is one."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return [part for word in WORD.findall(plain) for part in _parts(word)]


def _parts(word: str) -> list[str]:
    return list(word) if any("\u3040" <= letter <= "\u9fff" for letter in word) else [word]


def _order(truth: Sequence[str], found: Sequence[str]) -> float:
    """Return the share of the longest common subsequence, whose rows are the bits of a number."""
    places: dict[str, int] = {}
    for place, word in enumerate(truth):
        places[word] = places.get(word, 0) | 1 << place
    everywhere = (1 << len(truth)) - 1
    left = everywhere
    for word in found:
        here = left & places.get(word, 0)
        left = ((left + here) | (left - here)) & everywhere
    return (everywhere ^ left).bit_count() / len(truth)


def _cells(tables: Sequence[Any], found: Sequence[Any]) -> float:
    """Return the share of right cells, each table compared with the one that fits it best."""
    left, right, total = list(found), 0, 0
    for table in tables:
        total += sum(map(len, table))
        scores = [(_equal(table, other), -number) for number, other in enumerate(left)]
        if scores:
            best, number = max(scores)
            right += best
            del left[-number]
    return right / total if total else 0.0


def _equal(table: Any, other: Any) -> int:
    return sum(
        _plain(cell) == _plain(same)
        for row, others in zip(table, other, strict=False)
        for cell, same in zip(row, others, strict=False)
    )


def _plain(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else (type(value), value)
