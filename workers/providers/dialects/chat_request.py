"""Chat requests: the parts of a prompt, filled in from the values of one call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.models.calls.body_templates import texts_in
from engine.models.dialects.anthropic import AnthropicSection
from engine.models.dialects.openai import OpenAISection
from engine.values.templates import to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """Parts of a chat request."""

    prompt: str
    system: str
    images: tuple[str, ...]
    mask: tuple[str, ...]
    """At most one."""
    schema: Mapping[str, Any] | None
    more: Mapping[str, Any]
    """Further members of the request body."""


def fill(section: OpenAISection | AnthropicSection, values: Mapping[str, Any]) -> ChatRequest:
    """Fill in the values. Raises NodeFailed."""
    schema = section.schema.fill(values)
    return ChatRequest(
        prompt=_text(section.prompt.fill(values)),
        system=_text(section.system.fill(values)),
        images=tuple(texts_in(section.images.fill(values))),
        mask=tuple(texts_in(section.mask.fill(values)))[:1]
        if isinstance(section, OpenAISection)
        else (),
        schema=schema if isinstance(schema, dict) and schema else None,
        more=section.body.fill(values) or {},
    )


def _text(value: Any) -> str:
    return "" if value == [] else to_text(value)
