"""Templates of request bodies: JSON with `{{ field }}` in its texts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import SettingsError
from engine.values.templates import Placeholder, Template

MAX_DEPTH = 20


class _Missing:
    """Marker of a missing value."""


MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Body:
    """JSON value with templates in place of texts.

    A text that is a single placeholder becomes the value itself. If that value is missing, the
    member is omitted. A list item is omitted if anything in it is missing; a list, or an object
    elsewhere, if nothing of it remains.
    """

    value: Any

    @classmethod
    def parse(cls, value: Any) -> "Body":
        """Parse a value. Raises SettingsError, whose reasons begin with a path."""
        reasons: list[str] = []
        parsed = _parse(value, "", reasons, MAX_DEPTH)
        if reasons:
            raise SettingsError(*reasons)
        return cls(parsed)

    @property
    def names(self) -> frozenset[str]:
        """Names of the fields used."""
        return frozenset(_names(self.value))

    def fill(self, values: Mapping[str, Any]) -> Any:
        """Return the value filled with the fields' values, or None. Raises NodeFailed."""
        filled = _fill(self.value, values, is_item=False)
        return None if filled is MISSING else filled


def texts_in(value: Any) -> Iterator[str]:
    """Yield the non-empty texts of a filled body, also from nested lists."""
    if isinstance(value, list):
        for each in value:
            yield from texts_in(each)
    elif isinstance(value, str) and value:
        yield value


def _parse(value: Any, path: str, reasons: list[str], depth: int) -> Any:
    if depth == 0:
        reasons.append(f"{path} is nested too deeply")
    elif isinstance(value, str):
        try:
            return Template.parse(value)
        except SettingsError as error:
            reasons.extend(f"{path}: {reason}" for reason in error.reasons)
    elif isinstance(value, dict):
        return {
            key: _parse(each, f"{path}.{key}", reasons, depth - 1) for key, each in value.items()
        }
    elif isinstance(value, list):
        return [
            _parse(each, f"{path}[{position}]", reasons, depth - 1)
            for position, each in enumerate(value)
        ]
    elif not isinstance(value, bool | int | float):
        reasons.append(f"{path} must be a text, a number, true or false, a table or a list")
    return value


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Template):
        yield from value.names
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _names(each)


def _fill(value: Any, values: Mapping[str, Any], *, is_item: bool) -> Any:
    if isinstance(value, Template):
        return _fill_text(value, values)
    if isinstance(value, list):
        return _fill_list(value, values)
    if isinstance(value, dict):
        return _fill_object(value, values, is_item)
    return value


def _fill_text(template: Template, values: Mapping[str, Any]) -> Any:
    (*parts,) = template.parts
    if len(parts) == 1 and isinstance(parts[0], Placeholder):
        value = parts[0].read(values)
        return MISSING if value is None else value
    return template.render(values)


def _fill_list(items: list[Any], values: Mapping[str, Any]) -> Any:
    filled = [_fill(each, values, is_item=True) for each in items]
    present = [each for each in filled if each is not MISSING]
    return present if present or not items else MISSING


def _fill_object(members: Mapping[str, Any], values: Mapping[str, Any], is_item: bool) -> Any:
    filled = {key: _fill(each, values, is_item=is_item) for key, each in members.items()}
    present = {key: each for key, each in filled.items() if each is not MISSING}
    is_gone = len(present) < len(members) and (is_item or not present)
    return MISSING if is_gone else present
