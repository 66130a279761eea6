"""Extraction of JSON and lists from texts that models write."""

import contextlib
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from engine.values.plain import fault
from engine.values.templates import to_text

DECODER = json.JSONDecoder()
FENCE = "```"
MAX_TRIES = 4
OPENING = re.compile(r"^[ \t]*(?=[\[{])", re.MULTILINE)
BEGUN = re.compile(r"\s*(?:```\w*\s*)?[\[{]\s*[\"\[{]")
"""Start of a text that is very likely JSON."""
BULLET = re.compile(r"[ \t]*(?:[-*•–]|\d{1,3}[.)])[ \t]+(\S.*)")


class NotJson(ValueError):
    """The text contains no JSON."""


def find_json(text: str) -> Any:
    """Return the JSON of a text, in whole, in a code fence or in lines. Raises NotJson."""
    for value in _values(text):
        if fault(value) is None:
            return value
    raise NotJson


def read_items(text: str) -> list[str]:
    """Return the items of a list written as JSON, with bullets or numbers, or in lines.

    Raises NotJson for truncated JSON.
    """
    try:
        value = find_json(text)
    except NotJson:
        if BEGUN.match(text):
            raise
        return _read_lines(text)
    listed = list_in(value)
    if listed is None:
        return _read_lines(text)
    return [to_text(each) for each in listed if each is not None]


def list_in(value: Any) -> list[Any] | None:
    """Return a list, or the only list in an object such as `{"items": [...]}`, or None."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    lists = [each for each in value.values() if isinstance(each, list)]
    return lists[0] if len(lists) == 1 else None


def _values(text: str) -> Iterator[Any]:
    start = text.find(FENCE)
    end = text.find(FENCE, start + len(FENCE)) if start >= 0 else -1
    fenced = text[start:end].partition("\n")[2] if end >= 0 else ""
    for whole in (text.strip().removeprefix("\ufeff"), fenced.strip()):
        with contextlib.suppress(ValueError, RecursionError):
            yield DECODER.decode(whole)
    for match in itertools.islice(OPENING.finditer(text), MAX_TRIES):
        with contextlib.suppress(ValueError, RecursionError):
            value, after = DECODER.raw_decode(text, match.end())
            if not text[after:].partition("\n")[0].strip():
                yield value


def _read_lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    bullets = [match[1].strip() for line in lines if (match := BULLET.match(line))]
    return bullets or [line for line in lines if not line.startswith(FENCE)]
