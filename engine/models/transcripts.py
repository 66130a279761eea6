"""Transcripts: the answer of a model that makes a text of a sound."""

import math
from collections.abc import Iterator
from typing import Any, TypeGuard

TEXT, SEGMENTS = "text", "segments"
"""Members of a transcript, and of the result of a run of such a model."""
START, END = "start", "end"
"""Members of a segment beside its text, in seconds."""
PLACES = 3


def make_transcript(text: str, segments: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return a transcript as a plain value."""
    return {TEXT: text, SEGMENTS: segments or []}


def as_transcript(answer: Any) -> Any:
    """Return an answer that is a text alone as a transcript, any other as it is."""
    return make_transcript(answer) if isinstance(answer, str) else answer


def text_of(answer: Any) -> str:
    """Return the text of an answer, which is a text or a transcript."""
    return str(answer[TEXT]) if isinstance(answer, dict) else str(answer)


def read_segments(listed: Any) -> list[dict[str, Any]]:
    """Return the segments in a provider's list; those without times or a text are left out."""
    return [*_segments(listed)] if isinstance(listed, list) else []


def _segments(listed: list[Any]) -> Iterator[dict[str, Any]]:
    for each in listed:
        given = each if isinstance(each, dict) else {}
        start, end, text = given.get(START), given.get(END), given.get(TEXT)
        if _is_time(start) and _is_time(end) and start <= end and isinstance(text, str):
            yield {START: round(start, PLACES), END: round(end, PLACES), TEXT: text.strip()}


def _is_time(value: Any) -> TypeGuard[float]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value >= 0
