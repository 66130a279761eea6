"""Dialect of Anthropic's Messages API."""

from collections.abc import Mapping
from typing import Any, cast

from engine.errors.nodes import NodeFailed
from engine.models.calls.answer_paths import Path
from engine.models.dialects.anthropic import AnthropicSection
from engine.models.manifest import Model
from workers.providers.answers.errors import REJECTED, bad_response, cut_short
from workers.providers.answers.streaming import EventJoiner, StreamedText
from workers.providers.answers.usage import count_usage
from workers.providers.base import CallContext, Dialect, ModelAnswer
from workers.providers.dialects.chat_request import ChatRequest, fill
from workers.providers.media import split_data_url
from workers.providers.provider_client import MAX_BYTES, ProviderClient

PATH = "/v1/messages"
VERSION = ("anthropic-version", "2023-06-01")
MAX_TOKENS = 4_096
"""The API requires a limit; a manifest's body may set another one."""
CONTENT = Path.parse("content[]")
STOPPED = Path.parse("delta.stop_reason")
STOP_REASON = Path.parse("stop_reason")
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
        body = _body(section, fill(section, values))
        if section.stream and call.wants_text:
            reply = await client.stream(PATH, body, {"stream": True}, _Events(), key=call.key)
        else:
            reply = await client.fetch_json("POST", PATH, body, key=call.key)
        usage = count_usage(reply, USAGE, model.max_usage(values))
        return ModelAnswer(value=client.redact(_read_text(reply)), usage=usage)


def _body(section: AnthropicSection, chat_request: ChatRequest) -> dict[str, Any]:
    images = [{"type": "image", "source": _source(url)} for url in chat_request.images]
    content = [*images, {"type": "text", "text": chat_request.prompt}]
    body: dict[str, Any] = {
        "model": section.model,
        "max_tokens": MAX_TOKENS,
        "messages": [{"role": "user", "content": content}],
    }
    if chat_request.system:
        body["system"] = chat_request.system
    if chat_request.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": chat_request.schema}}
    return body | dict(chat_request.more)


class _Events(EventJoiner):
    """Joins the events of a streamed message; unknown types are ignored."""

    def __init__(self) -> None:
        self.is_complete = False
        self.is_over = False
        self._text = StreamedText(MAX_BYTES)
        self._stop_reason: Any = None
        self._usage: dict[str, Any] = {}

    def join_event(self, event: Mapping[str, Any]) -> str:
        match event:
            case {"type": "message_start", "message": {"usage": dict(usage)}}:
                self._usage |= usage
            case {
                "type": "content_block_start",
                "content_block": {"type": "text", "text": str(text)},
            }:
                return self._add(text)
            case {
                "type": "content_block_delta",
                "delta": {"type": "text_delta", "text": str(text)},
            }:
                return self._add(text)
            case {"type": "message_delta"}:
                self._take_ending(event)
            case {"type": "message_stop"}:
                self.is_over = True
        return ""

    def reply(self) -> Any:
        text = self._text.value
        content = [] if text is None else [{"type": "text", "text": text}]
        return {"content": content, "stop_reason": self._stop_reason, "usage": self._usage}

    def _add(self, text: str) -> str:
        self._text.add(text)
        return text

    def _take_ending(self, event: Mapping[str, Any]) -> None:
        usage, reason = event.get("usage"), STOPPED.first(event)
        if isinstance(usage, dict):
            self._usage |= {name: number for name, number in usage.items() if number is not None}
        if reason:
            self._stop_reason, self.is_complete = reason, True


def _source(url: str) -> dict[str, str]:
    data_url = split_data_url(url)
    if data_url is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": data_url[0], "data": data_url[1]}


def _read_text(reply: Any) -> str:
    if STOP_REASON.first(reply) == "refusal":
        raise NodeFailed(REJECTED, "The model refused to answer")
    blocks = [each for each in CONTENT.find(reply) if isinstance(each, dict)]
    texts = [each.get("text") for each in blocks if each.get("type") == "text"]
    if not any(texts) and STOP_REASON.first(reply) == "max_tokens":
        raise cut_short()
    if not texts or not all(isinstance(text, str) for text in texts):
        raise bad_response("has no text")
    return "".join(cast(list[str], texts))
