"""Inputs as they are typed at a terminal become the JSON that the fields ask for."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from deploy.problems import CommandFailed

NUMBER_TYPES = frozenset({"number", "slider"})
TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0"})


def parse_inputs(words: Iterable[str], types: Mapping[str, str]) -> dict[str, Any]:
    """`name=value` by the type of the field called `name`, `name:=value` as the JSON it is."""
    return dict(_parse(word, types) for word in words)


def _parse(word: str, types: Mapping[str, str]) -> tuple[str, Any]:
    name, sign, text = word.partition("=")
    if not sign or not name.strip(":"):
        raise CommandFailed(f"'{word}' is no input: write NAME=VALUE or NAME:=JSON.")
    if name.endswith(":"):
        return name[:-1], _json(name[:-1], text)
    return name, _value(name, text, types.get(name))


def _value(name: str, text: str, kind: str | None) -> Any:
    if kind in NUMBER_TYPES:
        return _number(name, text)
    if kind == "toggle":
        return _boolean(name, text)
    return _json(name, text) if kind == "json" else text


def _number(name: str, text: str) -> int | float:
    for parse in (int, float):
        try:
            return parse(text)
        except ValueError:
            continue
    raise CommandFailed(f"The input '{name}' must be a number, not '{text}'.")


def _boolean(name: str, text: str) -> bool:
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise CommandFailed(f"The input '{name}' is a toggle: say yes or no, not '{text}'.")


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandFailed(f"The input '{name}' is not JSON: {error}.") from error
