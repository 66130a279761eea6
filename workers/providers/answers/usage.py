"""Usage of a call: as reported, else measured from the answer, else the most it may be."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from engine.models.calls.answer_paths import Path
from engine.models.pricing import Usage
from workers.providers.base import StoredMedia

MAX_COUNT = 10**9
LENGTH = Path.parse("duration")
"""Length of a sound in a transcript of OpenAI's protocol."""
USAGE = Path.parse("usage")
BY_LENGTH = "duration"
"""Type of a usage that is by the length of the sound."""
TOKENS = {
    "input_tokens": (Path.parse("usage.prompt_tokens"), Path.parse("usage.input_tokens")),
    "output_tokens": (Path.parse("usage.completion_tokens"), Path.parse("usage.output_tokens")),
}
"""Paths of token counts in OpenAI's protocol."""


def count_usage(
    reply: Any,
    paths_by_name: Mapping[str, Sequence[Path]],
    most: Usage,
    *,
    images: int | None = None,
    seconds: Decimal | None = None,
) -> Usage:
    """Return the usage; `paths_by_name` are the paths of its members in the reply.

    `images` and `seconds` are measured from the answer, None: unknown.
    """
    found: dict[str, Any] = {}
    for name, paths in paths_by_name.items():
        reported = next(
            (n for path in paths if (n := _number(path.first(reply))) is not None), None
        )
        if reported is not None:
            found[name] = reported if name == "seconds" else math.ceil(reported)
    if images is not None:
        found.setdefault("images", images)
    if seconds is not None:
        found.setdefault("seconds", seconds)
    return replace(most, **found)


def seconds_of(stored: Sequence[StoredMedia]) -> Decimal | None:
    """Return the total length of media, None unless each was measured."""
    measured = [each.seconds for each in stored]
    known = [seconds for seconds in measured if seconds]
    return sum(known, Decimal(0)) if known and len(known) == len(measured) else None


def heard_seconds(reply: Any) -> Decimal | None:
    """Return the length of a transcript's sound as a provider tells it; None: it does not."""
    found, usage = _number(LENGTH.first(reply)), USAGE.first(reply)
    if found is None and isinstance(usage, dict) and usage.get("type") == BY_LENGTH:
        return _number(usage.get("seconds"))
    return found


def _number(value: Any) -> Decimal | None:
    if isinstance(value, str):
        value = _parse(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Decimal(repr(value)) if 0 <= value <= MAX_COUNT else None


def _parse(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
