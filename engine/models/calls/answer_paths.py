"""Paths into a provider's answer, such as `data[].url` or `error.message`."""

import re
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import SettingsError

PATH = re.compile(r"(?:[\w-]{1,128}|\[\d{0,9}\])(?:\.[\w-]{1,128}|\[\d{0,9}\])*")
STEP = re.compile(r"([\w-]+)|\[(\d*)\]")


@dataclass(frozen=True, slots=True)
class Path:
    """Path to values; a step is a member, an index, or None for every item of a list."""

    steps: tuple[str | int | None, ...]

    @classmethod
    def parse(cls, text: str) -> "Path":
        """Parse `name.name[0].name[].name`. Raises SettingsError."""
        if not PATH.fullmatch(text):
            raise SettingsError(" must be a path like 'data[0].url' or 'data[].url'")
        return cls(tuple(_step(*match.groups()) for match in STEP.finditer(text)))

    def find(self, value: Any) -> list[Any]:
        """Return all values at the path, without nulls."""
        values = [value]
        for step in self.steps:
            values = [each for value in values for each in _enter(value, step) if each is not None]
        return values

    def first(self, value: Any) -> Any:
        """Return the first value at the path, or None."""
        values = self.find(value)
        return values[0] if values else None


def _step(name: str | None, position: str | None) -> str | int | None:
    if name is not None:
        return name
    return int(position) if position else None


def _enter(value: Any, step: str | int | None) -> list[Any]:
    if isinstance(step, str):
        return [value.get(step)] if isinstance(value, dict) else []
    if not isinstance(value, list):
        return []
    return value if step is None else value[step : step + 1]
