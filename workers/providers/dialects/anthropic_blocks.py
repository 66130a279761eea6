"""Blocks of Anthropic's messages: texts, images, documents, thoughts, and calls of tools."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine.models.calls.chat import Chat, ChatMessage, ChatRole
from workers.providers.answers.tool_calls import UNFIT, RawCall
from workers.providers.dialects.chat_request import extra_of, parameters_of
from workers.providers.media import split_data_url

THOUGHTS = frozenset({"thinking", "redacted_thinking"})
"""Types of blocks that go back to the model before its calls; without them it refuses the chat."""
NO_REASON = "The call failed"
USER, ASSISTANT = "user", "assistant"


def is_text(block: Mapping[str, Any]) -> bool:
    """Return whether a block is a text."""
    return block.get("type") == "text" and isinstance(block.get("text"), str)


def content_of(
    text: str, images: Sequence[str], documents: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the blocks of a message of a user; documents are PDFs as data URLs."""
    read = [{"type": "document", "source": _source(url)} for url in documents]
    shown = [{"type": "image", "source": _source(url)} for url in images]
    return [*read, *shown, {"type": "text", "text": text}]


def tools_of(chat: Chat) -> list[dict[str, Any]]:
    """Return the tools of a chat."""
    return [
        {"name": each.name, "description": each.description, "input_schema": parameters_of(each)}
        for each in chat.tools
    ]


def messages_of(chat: Chat, model: str) -> list[dict[str, Any]]:
    """Return the messages of a chat; those of one author after another are one."""
    messages: list[dict[str, Any]] = []
    for message in chat.messages:
        role = ASSISTANT if message.role is ChatRole.ASSISTANT else USER
        content = [*_blocks(message, model)]
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += content
        elif content:
            messages.append({"role": role, "content": content})
    return messages


def raw_calls(blocks: Sequence[Mapping[str, Any]]) -> Iterator[RawCall]:
    """Yield the calls among the blocks."""
    for each in blocks:
        if each.get("type") == "tool_use":
            yield RawCall(id=each.get("id"), name=each.get("name"), arguments=each.get("input"))


def thoughts_of(
    blocks: Sequence[Mapping[str, Any]], redact: Callable[[str], str]
) -> tuple[Mapping[str, Any], ...]:
    """Return the blocks that go back to the model; none where a secret is in them.

    They are signed, so they go back as they came or not at all.
    """
    found = tuple(each for each in blocks if each.get("type") in THOUGHTS)
    written = json.dumps(found)
    return found if redact(written) == written else ()


def _blocks(message: ChatMessage, model: str) -> Iterator[dict[str, Any]]:
    match message.role:
        case ChatRole.USER:
            yield from content_of(message.text, message.files, message.documents)
        case ChatRole.ASSISTANT:
            yield from (dict(each) for each in extra_of(message, model))
            if message.text.strip():  # a blank text is refused, though models send some
                yield {"type": "text", "text": message.text}
            for call in message.calls:
                called = {"id": _id(call.id), "name": call.name, "input": call.arguments}
                yield {"type": "tool_use", **called}
        case ChatRole.TOOL:
            yield _result(message)


def _result(message: ChatMessage) -> dict[str, Any]:
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": _id(message.call_id)}
    if message.text.strip():
        result["content"] = message.text
    if message.is_error:  # an error without a text is refused
        result = {"content": NO_REASON, **result, "is_error": True}
    return result


def _id(call_id: str) -> str:
    """Return the id of a call that perhaps another provider made, with the letters of this one."""
    return UNFIT.sub("_", call_id)


def _source(url: str) -> dict[str, str]:
    data_url = split_data_url(url)
    if data_url is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": data_url[0], "data": data_url[1]}
