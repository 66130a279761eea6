"""Chats with tools by OpenAI's protocol, and by the shapes of it that other providers have.

Gemini's signs its thoughts in calls, and may leave out ids or send several calls at one index;
others send arguments as objects, or repeat names in each piece. All are read.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.models.calls.answer_paths import Path
from engine.models.calls.chat import Chat, ChatMessage, ChatRole, ChatTurn, to_plain
from engine.models.dialects.openai import OpenAISection
from engine.models.pricing import Usage
from engine.values.templates import to_json
from workers.providers.answers.errors import REJECTED, bad_response, cut, cut_short
from workers.providers.answers.tool_calls import RawCall, read_calls
from workers.providers.answers.usage import TOKENS, count_usage
from workers.providers.base import CallContext, ModelAnswer
from workers.providers.dialects.chat_request import (
    extra_of,
    extra_of_call,
    fill_system,
    parameters_of,
)
from workers.providers.dialects.openai_chat import (
    FINISH_REASON,
    MESSAGE,
    REFUSAL,
    ask,
    content_of,
    format_member,
)
from workers.providers.dialects.openai_chunks import text_of
from workers.providers.provider_client import ProviderClient

CALLS = Path.parse("choices[0].message.tool_calls[]")
CALL_EXTRA = ("extra_content",)
"""Members of calls that go back with them: Gemini's signatures of its thoughts."""
MESSAGE_EXTRA = ("extra_content", "reasoning_content", "reasoning_details")
"""Members of messages with calls that go back with them: thoughts of Gemini, DeepSeek and others,
of which some fail without them."""
SIGNING = "gemini"
"""Word in the names of models that refuse a call without a signature."""
UNSIGNED = {"extra_content": {"google": {"thought_signature": "skip_thought_signature_validator"}}}
"""Signature that they take for calls of other models, which a fallback leaves in a chat."""


async def continue_chat(
    section: OpenAISection,
    chat: Chat,
    values: Mapping[str, Any],
    client: ProviderClient,
    call: CallContext,
    max_usage: Usage,
) -> ModelAnswer:
    """Call `/chat/completions` for one turn of a chat. Raises NodeFailed."""
    body = {
        "model": section.model,
        "messages": [*_messages(section, fill_system(section, values, chat), chat, call.model)],
        **_tools(chat),
        **(section.body.fill(values) or {}),
    }
    if chat.schema is not None:
        body |= format_member(chat.schema)
    reply = await ask(section, body, client, call)
    turn = _read_turn(reply, chat, client, call.model)
    return ModelAnswer(value=to_plain(turn), usage=count_usage(reply, TOKENS, max_usage))


def _tools(chat: Chat) -> dict[str, Any]:
    if not chat.tools:
        return {}
    functions = [
        {"name": each.name, "description": each.description, "parameters": parameters_of(each)}
        for each in chat.tools
    ]
    return {"tools": [{"type": "function", "function": each} for each in functions]}


def _messages(
    section: OpenAISection, system: str, chat: Chat, model: str
) -> Iterator[dict[str, Any]]:
    if system:
        yield {"role": "system", "content": system}
    for message in chat.messages:
        match message.role:
            case ChatRole.USER:
                content = content_of(message.text, message.files, message.documents)
                yield {"role": "user", "content": content}
            case ChatRole.ASSISTANT:
                yield _assistant_message(section, message, model)
            case ChatRole.TOOL:
                text = f"Error: {message.text}" if message.is_error else message.text
                yield {"role": "tool", "tool_call_id": message.call_id, "content": text}


def _assistant_message(section: OpenAISection, message: ChatMessage, model: str) -> dict[str, Any]:
    written: dict[str, Any] = {"role": "assistant", "content": message.text or None}
    if not message.calls:
        return written
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": to_json(call.arguments)},
            **extra_of_call(call, message, model),
        }
        for call in message.calls
    ]
    if SIGNING in section.model and not any("extra_content" in each for each in calls):
        calls[0] |= UNSIGNED
    thoughts = {name: value for part in extra_of(message, model) for name, value in part.items()}
    return {**written, **thoughts, "tool_calls": calls}


def _read_turn(reply: Any, chat: Chat, client: ProviderClient, model: str) -> ChatTurn:
    refusal = REFUSAL.first(reply)
    if isinstance(refusal, str) and refusal:
        raise NodeFailed(REJECTED, cut(client.redact(refusal)))
    message, is_cut = MESSAGE.first(reply), FINISH_REASON.first(reply) == "length"
    text, raw = text_of(message), [*_raw_calls(CALLS.find(reply), client)]
    if not raw and not text and is_cut:
        raise cut_short()
    if not raw and text is None:
        raise bad_response("has neither a text nor calls of tools")
    calls = read_calls(raw, chat, client.redact, is_cut=is_cut)
    extra = _extra(message, MESSAGE_EXTRA, client) if calls else {}
    return ChatTurn(
        text=client.redact(text or ""), calls=calls, model=model, extra=(extra,) if extra else ()
    )


def _raw_calls(found: Sequence[Any], client: ProviderClient) -> Iterator[RawCall]:
    for each in found:
        function = each.get("function") if isinstance(each, dict) else None
        if isinstance(function, dict):
            yield RawCall(
                id=each.get("id"),
                name=function.get("name"),
                arguments=function.get("arguments"),
                extra=_extra(each, CALL_EXTRA, client),
            )


def _extra(part: Any, names: Sequence[str], client: ProviderClient) -> dict[str, Any]:
    """Return the members that go back; a secret in one of them is not passed on."""
    found = {name: part[name] for name in names if isinstance(part, dict) and part.get(name)}
    return {name: each for name, each in found.items() if _is_clean(json.dumps(each), client)}


def _is_clean(text: str, client: ProviderClient) -> bool:
    return client.redact(text) == text
