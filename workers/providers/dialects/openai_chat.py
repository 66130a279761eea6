"""Chats by OpenAI's protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.models.calls.answer_paths import Path
from engine.models.dialects.openai import OpenAISection
from engine.models.pricing import Usage
from workers.providers.answers.errors import REJECTED, bad_response, cut, cut_short
from workers.providers.answers.usage import TOKENS, count_usage
from workers.providers.base import CallContext, ModelAnswer
from workers.providers.dialects.chat_request import ChatRequest
from workers.providers.dialects.openai_chunks import Chunks, text_of
from workers.providers.provider_client import ProviderClient

PATH = "/chat/completions"
MESSAGE = Path.parse("choices[0].message")
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
        body |= format_member(chat_request.schema)
    reply = await ask(section, body, client, call)
    return ModelAnswer(
        value=client.redact(_read_text(reply, client)), usage=count_usage(reply, TOKENS, max_usage)
    )


def content_of(text: str, images: Sequence[str], files: Sequence[str]) -> Any:
    """Return the content of a user's message, a text alone or parts; files are data URLs of PDFs.

    A part of a file without a name is refused.
    """
    if not images and not files:
        return text
    read = [
        {"type": "file", "file": {"filename": f"document-{number}.pdf", "file_data": url}}
        for number, url in enumerate(files, 1)
    ]
    shown = [{"type": "image_url", "image_url": {"url": url}} for url in images]
    return [*read, {"type": "text", "text": text}, *shown]


def format_member(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the member of a request that asks for JSON by a schema."""
    named = {"name": SCHEMA_NAME, "schema": schema, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


async def ask(
    section: OpenAISection, body: dict[str, Any], client: ProviderClient, call: CallContext
) -> Any:
    """Return the reply, streamed while somebody watches the text. Raises NodeFailed."""
    if not (section.stream and call.wants_text):
        return await client.fetch_json("POST", PATH, body, key=call.key)
    usage = body.get("stream_options", {"include_usage": True})
    stream_members = {"stream": True, "stream_options": usage}
    return await client.stream(PATH, body, stream_members, Chunks(), key=call.key)


def _messages(chat_request: ChatRequest) -> list[dict[str, Any]]:
    system = [{"role": "system", "content": chat_request.system}] if chat_request.system else []
    content = content_of(chat_request.prompt, chat_request.images, chat_request.files)
    return [*system, {"role": "user", "content": content}]


def _read_text(reply: Any, client: ProviderClient) -> str:
    refusal = REFUSAL.first(reply)
    if isinstance(refusal, str) and refusal:
        raise NodeFailed(REJECTED, cut(client.redact(refusal)))
    text = text_of(MESSAGE.first(reply))
    if not text and FINISH_REASON.first(reply) == "length":
        raise cut_short()
    if text is None:
        raise bad_response("has no text")
    return text
