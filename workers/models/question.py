"""What is asked of a chat: its parts, filled in from the values of one call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.expressions import to_text
from engine.models.bodies import texts_in
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
        images=tuple(texts_in(section.images.fill(values))),
        mask=tuple(texts_in(section.mask.fill(values)))[:1] if isinstance(section, OpenAI) else (),
        schema=schema if isinstance(schema, dict) and schema else None,
        more=section.body.fill(values) or {},
    )


def _text(value: Any) -> str:
    return "" if value == [] else to_text(value)
