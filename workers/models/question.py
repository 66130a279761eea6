"""What is asked of a chat: its parts, filled in from the values of one call."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.expressions import to_text
from engine.models.sections.anthropic import Anthropic
from engine.models.sections.openai import OpenAI


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A prompt, what to be, what to look at, and what the answer must look like."""

    prompt: str
    system: str
    images: tuple[str, ...]
    mask: tuple[str, ...]
    """None or one."""
    schema: Mapping[str, Any] | None
    more: Mapping[str, Any]
    """Further members of the request."""


def fill(section: OpenAI | Anthropic, values: Mapping[str, Any]) -> Question:
    """Put the values in. Raises NodeFailed."""
    schema = section.schema.fill(values)
    return Question(
        prompt=_text(section.prompt.fill(values)),
        system=_text(section.system.fill(values)),
        images=tuple(_flat(section.images.fill(values))),
        mask=tuple(_flat(section.mask.fill(values)))[:1] if isinstance(section, OpenAI) else (),
        schema=schema if isinstance(schema, dict) and schema else None,
        more=section.body.fill(values) or {},
    )


def _text(value: Any) -> str:
    return "" if value == [] else to_text(value)


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _flat(each)
    elif isinstance(value, str) and value:
        yield value
