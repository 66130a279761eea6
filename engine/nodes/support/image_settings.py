"""Reader of the settings of image nodes, which collects all faults."""

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
    """Reads members of `data`; null counts as absent."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.reasons: list[str] = []

    def finish(self) -> None:
        """Raise SettingsError if there are faults."""
        if self.reasons:
            raise SettingsError(*self.reasons)

    def has(self, name: str) -> bool:
        """Return True if the member exists."""
        return self._data.get(name) is not None

    def has_all(self, *names: str) -> bool:
        """Return True if all members exist; add a fault if only some do."""
        found = [self.has(name) for name in names]
        if any(found) and not all(found):
            self.reasons.append(f"{' and '.join(names)} go together")
        return all(found)

    def template(self, name: str, taken: Set[str]) -> Template:
        """Read a template whose placeholders must differ from the `taken` sockets."""
        text = "" if self._data.get(name) is None else self._data[name]
        return read_template(name, text, self.reasons, taken)

    def whole(self, name: str, least: int, most: int) -> int | None:
        """Read a whole number, or None."""
        value = self._data.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.reasons.append(f"{name} must be a whole number from {least} to {most}")
            return None
        return value

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """Read a number."""
        value = self._data.get(name)
        if value is None:
            return default
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not least <= value <= most:
            self.reasons.append(f"{name} must be a number from {least:g} to {most:g}")
            return default
        return float(value)

    def choice(self, name: str, choices: Sequence[Choice]) -> Choice | None:
        """Read one of the choices, or None."""
        value = self._data.get(name)
        if value is None:
            return None
        found = next((each for each in choices if each.value == value), None)
        if found is None:
            self.reasons.append(f"{name} must be one of {', '.join(choices)}")
        return found

    def color(self, name: str, default: str) -> str:
        """Read a hexadecimal color."""
        value = self._data.get(name)
        if value is None:
            return default
        if not isinstance(value, str) or not COLOR.fullmatch(value):
            self.reasons.append(f"{name} must be a color like #f80, #ff8800 or #ff880080")
            return default
        return value

    def ratio(self, name: str) -> tuple[float, float] | None:
        """Read width and height of an aspect ratio, or None."""
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
        """Read a width or height in pixels, or None."""
        return self.whole(name, 1, MAX_SIDE)

    def offset(self, name: str) -> int | None:
        """Read a distance in pixels, or None."""
        return self.whole(name, 0, MAX_SIDE)

    def check_area(self, width: int | None, height: int | None) -> None:
        """Add a fault if the area has too many pixels."""
        if width and height and width * height > MAX_PIXELS:
            self.reasons.append(f"width and height make over {MAX_PIXELS} pixels")

    def saving(self, *, has_background: bool = True) -> SaveOptions:
        """Read the options of writing the image."""
        defaults = SaveOptions()
        return SaveOptions(
            format=self.choice("format", tuple(ImageFormat)),
            quality=self.whole("quality", 1, 100),
            background=self.color("background", defaults.background)
            if has_background
            else defaults.background,
        )
