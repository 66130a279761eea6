"""Chat requests: their parts, filled in from the values of one call, or from a chat with tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.models.calls.body_templates import texts_in
from engine.models.calls.chat import Chat, ChatMessage, ToolCall, ToolSpec
from engine.models.dialects.anthropic import AnthropicSection
from engine.models.dialects.openai import OpenAISection
from engine.values.templates import to_text

SYSTEM = "system"
"""Field of models with the instructions."""
OBJECT = {"type": "object", "properties": {}}
"""Members that providers require of the schema of arguments."""
ANNOTATIONS = frozenset({"$schema", "$id"})
"""Members of a schema that some providers refuse, and that say nothing about arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """Parts of a chat request."""

    prompt: str
    system: str
    images: tuple[str, ...]
    files: tuple[str, ...]
    """PDFs as data URLs."""
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
        files=tuple(texts_in(section.files.fill(values))),
        mask=tuple(texts_in(section.mask.fill(values)))[:1]
        if isinstance(section, OpenAISection)
        else (),
        schema=schema if isinstance(schema, dict) and schema else None,
        more=section.body.fill(values) or {},
    )


def fill_system(
    section: OpenAISection | AnthropicSection, values: Mapping[str, Any], chat: Chat
) -> str:
    """Return the instructions of a chat, within those of the manifest. Raises NodeFailed."""
    own = _text(section.system.fill({**values, SYSTEM: chat.system}))
    if SYSTEM in section.system.names or not chat.system:
        return own
    return f"{own}\n\n{chat.system}" if own else chat.system


def parameters_of(tool: ToolSpec) -> dict[str, Any]:
    """Return the JSON Schema of a tool's arguments in the form that providers take."""
    given = {name: each for name, each in tool.parameters.items() if name not in ANNOTATIONS}
    return {**OBJECT, **given}


def extra_of(message: ChatMessage, model: str) -> Sequence[Mapping[str, Any]]:
    """Return the parts that go back to the model; other models get none of them."""
    return message.extra if message.model == model else ()


def extra_of_call(call: ToolCall, message: ChatMessage, model: str) -> Mapping[str, Any]:
    """Return the members that go back to the model with a call."""
    return call.extra if message.model == model else {}


def _text(value: Any) -> str:
    return "" if value == [] else to_text(value)
