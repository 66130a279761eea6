"""Settings shared by image nodes."""

import re
from collections.abc import Mapping
from typing import Any

from engine.nodes.support.image_edits import MAX_SIDE, ImageFormat, SaveOptions
from engine.nodes.support.settings import Faults, Setting, choice, pattern, whole

COLOR = r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})"
RATIO = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?):([0-9]{1,5}(?:\.[0-9]{1,3})?)")
RATIO_WORDS = "must be two numbers like 16:9"
MAX_RATIO = 1_000


def color(name: str, about: str, default: str) -> Setting:
    """Return a setting for a color in hexadecimal."""
    words = "must be a color like #f80, #ff8800 or #ff880080"
    return pattern(name, about, COLOR, words, widget="color", default=default, fallback=default)


def side(name: str, about: str) -> Setting:
    """Return a setting for a width or a height in pixels."""
    return whole(name, about, 1, MAX_SIDE)


def offset(name: str, about: str) -> Setting:
    """Return a setting for a distance in pixels."""
    return whole(name, about, 0, MAX_SIDE)


def ratio(name: str, about: str) -> Setting:
    """Return a setting for an aspect ratio."""

    def parse(raw: object, path: str, faults: Faults) -> tuple[float, float] | None:
        match = RATIO.fullmatch(raw) if isinstance(raw, str) else None
        if match is None:
            faults.add(path, RATIO_WORDS)
            return None
        across, down = float(match[1]), float(match[2])
        if not across or not down or not 1 / MAX_RATIO <= across / down <= MAX_RATIO:
            faults.add_rule(f"{path} {RATIO_WORDS}", path)
            return None
        return across, down

    value = {"type": "string", "pattern": f"^(?:{RATIO.pattern})$"}
    return Setting(name=name, about=about, widget="text", value=value, parse=parse)


FORMAT_WORDS = f"must be one of {', '.join(ImageFormat)}"
FORMAT = choice(
    "format", "Format of the new image; without it, that of the old one.", tuple(ImageFormat)
)
QUALITY = whole("quality", "Quality of a format that loses details.", 1, 100)
BACKGROUND = color(
    "background", "Color behind an image that loses its transparency.", SaveOptions().background
)
SAVING = (FORMAT, QUALITY, BACKGROUND)


def read_saving(given: Mapping[str, Any]) -> SaveOptions:
    """Return the options for saving an image."""
    usual = SaveOptions()
    return SaveOptions(
        format=given["format"],
        quality=given["quality"],
        background=given.get("background") or usual.background,
    )
