"""Values that an expectation names, to show beside its failure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

MOST_CHARACTERS = 2_000
"""Characters of a value, as a text or as JSON, above which it is cut."""
STRING = r"""[rRbB]{0,2}(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
STEP = rf"""\s*\.\s*[A-Za-z_][A-Za-z0-9_]*(?!\s*\()|\s*\[\s*(?:{STRING}|\d+)\s*\]"""
TOKEN = re.compile(rf"""(?P<text>{STRING})|(?<![\w.])(?P<name>[a-z]+)\b(?P<steps>(?:{STEP})*)""")
PART = re.compile(rf"""\.\s*(?P<member>\w+)|\[\s*(?:(?P<key>{STRING})|(?P<index>\d+))\s*\]""")
MISSING = object()


def seen_values(expression: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the names in an expression, by the path as it stands there.

    The path `nodes.text.outputs` has the value there, and a path that leads nowhere that of its
    longest part which leads somewhere. Long values are cut.
    """
    found: dict[str, Any] = {}
    for name, steps in _paths(expression):
        if name in values:
            shown, value = _follow(name, steps, values[name])
            if shown not in found:
                found[shown] = cut(value)
    return found


def cut(value: Any) -> Any:
    """Return the value, or the beginning of it as a text where it is long."""
    if isinstance(value, str):
        return value if len(value) <= MOST_CHARACTERS else f"{value[:MOST_CHARACTERS]}…"
    text = ""
    for piece in _written(value):
        text += piece
        if len(text) > MOST_CHARACTERS:
            return f"{text[:MOST_CHARACTERS]}…"
    return value


def _written(value: Any) -> Iterator[str]:
    """Yield the JSON of a value in pieces, so that nobody writes all of a large one."""
    if isinstance(value, Mapping):
        mark = "{"
        for name, member in value.items():
            yield f"{mark}{_word(name)}:"
            yield from _written(member)
            mark = ","
        yield "}" if value else "{}"
    elif isinstance(value, list):
        mark = "["
        for item in value:
            yield mark
            yield from _written(item)
            mark = ","
        yield "]" if value else "[]"
    else:
        yield _word(value)


def _word(value: Any) -> str:
    """Return the JSON of a value without members; of a long text the beginning, quoted."""
    short = value[: MOST_CHARACTERS + 1] if isinstance(value, str) else value
    return msgspec.json.encode(short).decode()


def _paths(expression: str) -> Iterator[tuple[str, Sequence[re.Match[str]]]]:
    """Yield each name outside of texts, with the steps that follow it."""
    for token in TOKEN.finditer(expression):
        if token["name"]:
            yield token["name"], list(PART.finditer(token["steps"]))


def _follow(shown: str, steps: Sequence[re.Match[str]], value: Any) -> tuple[str, Any]:
    """Return the path as far as it leads, and the value there."""
    for step in steps:
        inner = _member(value, step)
        if inner is MISSING:
            break
        shown, value = shown + step[0], inner
    return shown, value


def _member(value: Any, step: re.Match[str]) -> Any:
    if step["index"] is not None:
        index = int(step["index"])
        is_there = isinstance(value, list) and index < len(value)
        return value[index] if is_there else MISSING
    name = step["member"] or _unquoted(step["key"])
    return value.get(name, MISSING) if isinstance(value, Mapping) else MISSING


def _unquoted(text: str) -> str:
    """Return the text of a plain string; one with escapes is the name of nothing."""
    return text[1:-1]
