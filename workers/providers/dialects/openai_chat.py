"""Chats by OpenAI's protocol."""

from collections.abc import Mapping
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.models.calls.answer_paths import Path
from engine.models.dialects.openai import OpenAISection
from engine.models.pricing import Usage
from workers.providers.answers.errors import REJECTED, bad_response, cut, cut_short
from workers.providers.answers.streaming import EventJoiner, StreamedText
from workers.providers.answers.usage import TOKENS, count_usage
from workers.providers.base import CallContext, ModelAnswer
from workers.providers.dialects.chat_request import ChatRequest
from workers.providers.provider_client import MAX_BYTES, ProviderClient

PATH = "/chat/completions"
FIRST = Path.parse("choices[0]")
MESSAGE = Path.parse("choices[0].message")
CONTENT = Path.parse("content")
PARTS = Path.parse("content[].text")
REFUSAL = Path.parse("choices[0].message.refusal")
FINISH_REASON = Path.parse("choices[0].finish_reason")
SCHEMA_NAME = "answer"


async def chat(
    section: OpenAISection,
    chat_request: ChatRequest,
    client: ProviderClient,
    call: CallContext,
    max_usage: Usage,
) -> ModelAnswer:
    """Call `/chat/completions` once. Raises NodeFailed."""
    body = {"model": section.model, "messages": _messages(chat_request), **chat_request.more}
    if chat_request.schema is not None:
        named = {"name": SCHEMA_NAME, "schema": chat_request.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    if section.stream and call.wants_text:
        usage = body.get("stream_options", {"include_usage": True})
        stream_members = {"stream": True, "stream_options": usage}
        reply = await client.stream(PATH, body, stream_members, _Chunks(), key=call.key)
    else:
        reply = await client.fetch_json("POST", PATH, body, key=call.key)
    return ModelAnswer(
        value=client.redact(_read_text(reply, client)), usage=count_usage(reply, TOKENS, max_usage)
    )


def _messages(chat_request: ChatRequest) -> list[dict[str, Any]]:
    system = [{"role": "system", "content": chat_request.system}] if chat_request.system else []
    content: Any = chat_request.prompt
    if chat_request.images:
        images = [{"type": "image_url", "image_url": {"url": url}} for url in chat_request.images]
        content = [{"type": "text", "text": chat_request.prompt}, *images]
    return [*system, {"role": "user", "content": content}]


class _Chunks(EventJoiner):
    """Joins the chunks of a streamed chat."""

    def __init__(self) -> None:
        self.is_complete = False
        self.is_over = False
        self._content = StreamedText(MAX_BYTES)
        self._refusal = StreamedText(MAX_BYTES)
        self._finish_reason: Any = None
        self._usage: Any = None

    def join_event(self, event: Mapping[str, Any]) -> str:
        self._usage = event.get("usage") or self._usage
        choice = FIRST.first(event)
        if not isinstance(choice, dict) or choice.get("index") not in (0, None):
            return ""
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        self.is_complete = bool(self._finish_reason)
        delta = choice.get("delta")
        refusal = delta.get("refusal") if isinstance(delta, dict) else None
        if isinstance(refusal, str):
            self._refusal.add(refusal)
        text = _text_of(delta)
        if text is None:
            return ""
        self._content.add(text)
        return text

    def reply(self) -> Any:
        message = {"content": self._content.value, "refusal": self._refusal.value}
        choice = {"message": message, "finish_reason": self._finish_reason}
        return {"choices": [choice], "usage": self._usage}


def _text_of(message: Any) -> str | None:
    """Return the text of a message, or of a part of one."""
    content = CONTENT.first(message)
    if isinstance(content, str):
        return content
    parts = [part for part in PARTS.find(message) if isinstance(part, str)]
    return "".join(parts) if parts else None


def _read_text(reply: Any, client: ProviderClient) -> str:
    refusal = REFUSAL.first(reply)
    if isinstance(refusal, str) and refusal:
        raise NodeFailed(REJECTED, cut(client.redact(refusal)))
    text = _text_of(MESSAGE.first(reply))
    if not text and FINISH_REASON.first(reply) == "length":
        raise cut_short()
    if text is None:
        raise bad_response("has no text")
    return text
