"""Conversion of inputs typed at a terminal to the JSON that the fields expect."""

import contextlib
import json
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from deploy.output.problems import CommandFailed
from engine.media.formats import MediaKind

MEDIA_TYPES = frozenset(MediaKind)
NUMBER_TYPES = frozenset({"number", "slider"})
TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0"})


def parse_inputs(words: Iterable[str], types: Mapping[str, str] | None) -> dict[str, Any]:
    """Parse `name=value` by the type of the field `name`, and `name:=value` as JSON.

    `name=@FILE` is a Path when the field takes an image, a video, a sound or a document. Without
    types, which some keys may not read, every value is a text and every `@FILE` a Path.
    """
    return dict(_parse(word, types) for word in words)


async def upload_files(
    inputs: Mapping[str, Any], upload: Callable[[Path], Awaitable[str]]
) -> dict[str, Any]:
    """Return the inputs with an asset's id in place of each file."""
    sent = {}
    for name, value in inputs.items():
        sent[name] = await upload(value) if isinstance(value, Path) else value
    return sent


def _parse(word: str, types: Mapping[str, str] | None) -> tuple[str, Any]:
    name, sign, text = word.partition("=")
    if not sign or not name.strip(":"):
        raise CommandFailed(f"'{word}' is no input: write NAME=VALUE, NAME:=JSON or NAME=@FILE.")
    if name.endswith(":"):
        return name[:-1], _value(name[:-1], text, "json")
    if text.startswith("@") and (types is None or types.get(name) in MEDIA_TYPES):
        return name, _file(name, text[1:])
    return name, _value(name, text, (types or {}).get(name))


def _file(name: str, path: str) -> Path:
    file = Path(path).expanduser()
    if not file.is_file():
        raise CommandFailed(f"The input '{name}' names no file: {path}.")
    return file


def parse_value(text: str, kind: str | None) -> Any:
    """Return the value of a field of this type; without one it is a text.

    Raises ValueError with the end of a sentence about the field.
    """
    if kind in NUMBER_TYPES:
        return _number(text)
    if kind == "toggle":
        return _boolean(text)
    return _json(text) if kind == "json" else text


def _value(name: str, text: str, kind: str | None) -> Any:
    try:
        return parse_value(text, kind)
    except ValueError as error:
        raise CommandFailed(f"The input '{name}' {error}.") from error


def _number(text: str) -> int | float:
    for parse in (int, float):
        with contextlib.suppress(ValueError):
            number = parse(text)
            if math.isfinite(number):
                return number
    raise ValueError(f"must be a number, not '{text}'")


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError(f"is a toggle: say yes or no, not '{text}'")


def _json(text: str) -> Any:
    try:
        return read_json_text(text)
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from error


def read_json_text(text: str) -> Any:
    """Return the value of a JSON text. Raises ValueError."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
