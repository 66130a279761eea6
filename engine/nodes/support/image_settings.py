"""The settings of image nodes, read member by member with every fault."""

import math
import re
from collections.abc import Mapping, Sequence, Set
from enum import StrEnum
from typing import Any, TypeVar

from engine.errors.nodes import SettingsError
from engine.media.formats import MAX_PIXELS
from engine.nodes.support.image_edits import MAX_SIDE, ImageFormat, SaveOptions
from engine.nodes.support.templates import read_template
from engine.values.templates import Template

COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
RATIO = re.compile(r"(\d{1,5}(?:\.\d{1,3})?):(\d{1,5}(?:\.\d{1,3})?)")
MAX_RATIO = 1_000

Choice = TypeVar("Choice", bound=StrEnum)


class SettingsReader:
    """Reads members of `data`; null is as if they were not there."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.reasons: list[str] = []

    def finish(self) -> None:
        """Raise SettingsError if anything was wrong."""
        if self.reasons:
            raise SettingsError(*self.reasons)

    def has(self, name: str) -> bool:
        """Whether the member is there."""
        return self._data.get(name) is not None

    def has_all(self, *names: str) -> bool:
        """Whether all of these are there; says so where only some are."""
        found = [self.has(name) for name in names]
        if any(found) and not all(found):
            self.reasons.append(f"{' and '.join(names)} go together")
        return all(found)

    def template(self, name: str, taken: Set[str]) -> Template:
        """A template whose placeholders are sockets beside those that are taken."""
        text = "" if self._data.get(name) is None else self._data[name]
        return read_template(name, text, self.reasons, taken)

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A whole number, None where there is none."""
        value = self._data.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.reasons.append(f"{name} must be a whole number from {least} to {most}")
            return None
        return value

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """A number."""
        value = self._data.get(name)
        if value is None:
            return default
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not least <= value <= most:
            self.reasons.append(f"{name} must be a number from {least:g} to {most:g}")
            return default
        return float(value)

    def choice(self, name: str, choices: Sequence[Choice]) -> Choice | None:
        """One of these, None where there is none."""
        value = self._data.get(name)
        if value is None:
            return None
        found = next((each for each in choices if each.value == value), None)
        if found is None:
            self.reasons.append(f"{name} must be one of {', '.join(choices)}")
        return found

    def color(self, name: str, default: str) -> str:
        """A colour in hexadecimal."""
        value = self._data.get(name)
        if value is None:
            return default
        if not isinstance(value, str) or not COLOR.fullmatch(value):
            self.reasons.append(f"{name} must be a color like #f80, #ff8800 or #ff880080")
            return default
        return value

    def ratio(self, name: str) -> tuple[float, float] | None:
        """Width and height of a shape, None where there is none."""
        value = self._data.get(name)
        if value is None:
            return None
        match = RATIO.fullmatch(value) if isinstance(value, str) else None
        across, down = (float(match[1]), float(match[2])) if match else (0.0, 0.0)
        if not across or not down or not 1 / MAX_RATIO <= across / down <= MAX_RATIO:
            self.reasons.append(f"{name} must be two numbers like 16:9")
            return None
        return across, down

    def side(self, name: str) -> int | None:
        """A width or a height in pixels."""
        return self.whole(name, 1, MAX_SIDE)

    def offset(self, name: str) -> int | None:
        """A distance in pixels."""
        return self.whole(name, 0, MAX_SIDE)

    def check_area(self, width: int | None, height: int | None) -> None:
        """Say so if that is too much together."""
        if width and height and width * height > MAX_PIXELS:
            self.reasons.append(f"width and height make over {MAX_PIXELS} pixels")

    def saving(self, *, has_background: bool = True) -> SaveOptions:
        """How the image is to be written."""
        usual = SaveOptions()
        return SaveOptions(
            format=self.choice("format", tuple(ImageFormat)),
            quality=self.whole("quality", 1, 100),
            background=self.color("background", usual.background)
            if has_background
            else usual.background,
        )
