"""Dialect of Anthropic's Messages API."""

from collections.abc import Mapping
from typing import Any, cast

from engine.errors.nodes import NodeFailed
from engine.models.calls.answer_paths import Path
from engine.models.calls.chat import Chat, ChatTurn, to_plain
from engine.models.dialects.anthropic import AnthropicSection
from engine.models.manifest import Model
from workers.providers.answers.errors import REJECTED, bad_response, cut_short
from workers.providers.answers.tool_calls import read_calls
from workers.providers.answers.usage import count_usage
from workers.providers.base import CallContext, Dialect, ModelAnswer
from workers.providers.dialects.anthropic_blocks import (
    content_of,
    is_text,
    messages_of,
    raw_calls,
    thoughts_of,
    tools_of,
)
from workers.providers.dialects.anthropic_events import MessageEvents
from workers.providers.dialects.chat_request import ChatRequest, fill, fill_system
from workers.providers.provider_client import ProviderClient

PATH = "/v1/messages"
VERSION = ("anthropic-version", "2023-06-01")
MAX_TOKENS = 4_096
"""The API requires a limit; a manifest's body may set another one."""
CONTENT = Path.parse("content[]")
STOP_REASON = Path.parse("stop_reason")
CUT = ("max_tokens", "model_context_window_exceeded")
"""Reasons of an answer that was cut off."""
USAGE = {
    "input_tokens": (Path.parse("usage.input_tokens"),),
    "output_tokens": (Path.parse("usage.output_tokens"),),
}


class AnthropicDialect(Dialect):
    """Calls models whose manifests have `[anthropic]`."""

    call = AnthropicSection

    async def answer(
        self, model: Model, values: Mapping[str, Any], call: CallContext
    ) -> ModelAnswer:
        section = cast(AnthropicSection, model.call)
        client = ProviderClient(section.endpoint, call, headers=(VERSION,))
        talk = call.model_call.chat
        if talk is not None:
            reply = await _ask(section, _chat_body(section, values, talk, call.model), client, call)
            usage = count_usage(reply, USAGE, model.max_chat_usage(values, talk))
            turn = _read_turn(reply, talk, client, call.model)
            return ModelAnswer(value=to_plain(turn), usage=usage)
        reply = await _ask(section, _body(section, fill(section, values)), client, call)
        usage = count_usage(reply, USAGE, model.max_usage(values))
        return ModelAnswer(value=client.redact(_read_text(reply)), usage=usage)


async def _ask(
    section: AnthropicSection, body: Mapping[str, Any], client: ProviderClient, call: CallContext
) -> Any:
    """Return the reply, streamed while somebody watches the text. Raises NodeFailed."""
    if section.stream and call.wants_text:
        return await client.stream(PATH, body, {"stream": True}, MessageEvents(), key=call.key)
    return await client.fetch_json("POST", PATH, body, key=call.key)


def _body(section: AnthropicSection, chat_request: ChatRequest) -> dict[str, Any]:
    content = content_of(chat_request.prompt, chat_request.images, chat_request.files)
    messages = [{"role": "user", "content": content}]
    body = _common_body(section, messages, chat_request.system, chat_request.schema)
    return body | dict(chat_request.more)


def _chat_body(
    section: AnthropicSection, values: Mapping[str, Any], chat: Chat, model: str
) -> dict[str, Any]:
    system, messages = fill_system(section, values, chat), messages_of(chat, model)
    body = _common_body(section, messages, system, chat.schema)
    if chat.tools:
        body["tools"] = tools_of(chat)
    return body | dict(section.body.fill(values) or {})


def _common_body(
    section: AnthropicSection, messages: Any, system: str, schema: Mapping[str, Any] | None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": section.model,
        "max_tokens": MAX_TOKENS,
        "messages": messages,
    }
    if system:
        body["system"] = system
    if schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return body


def _read_text(reply: Any) -> str:
    _check_refusal(reply)
    blocks = _blocks(reply)
    texts = [each.get("text") for each in blocks if each.get("type") == "text"]
    if not any(texts) and STOP_REASON.first(reply) in CUT:
        raise cut_short()
    if not texts or not all(isinstance(text, str) for text in texts):
        raise bad_response("has no text")
    return "".join(cast(list[str], texts))


def _read_turn(reply: Any, chat: Chat, client: ProviderClient, model: str) -> ChatTurn:
    _check_refusal(reply)
    is_cut, blocks = STOP_REASON.first(reply) in CUT, _blocks(reply)
    texts = [each["text"] for each in blocks if is_text(each)]
    raw = [*raw_calls(blocks)]
    if is_cut and not raw and not any(texts):
        raise cut_short()
    if not raw and not texts:
        raise bad_response("has neither a text nor calls of tools")
    calls = read_calls(raw, chat, client.redact, is_cut=is_cut)
    return ChatTurn(
        text=client.redact("".join(texts)),
        calls=calls,
        model=model,
        extra=thoughts_of(blocks, client.redact) if calls else (),
    )


def _check_refusal(reply: Any) -> None:
    if STOP_REASON.first(reply) == "refusal":
        raise NodeFailed(REJECTED, "The model refused to answer")


def _blocks(reply: Any) -> list[dict[str, Any]]:
    return [each for each in CONTENT.find(reply) if isinstance(each, dict)]
