"""Anthropic's protocol: messages, whole and streamed.

From docs.claude.com/en/api/messages, …/docs/build-with-claude/streaming (the event types),
…/vision, …/structured-outputs and …/docs/agents-and-tools/tool-use (a tool that must be used).
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.stub_provider.contents.schemas import make_value
from deploy.stub_provider.contents.texts import count_tokens, cut_to, echo, pieces
from deploy.stub_provider.dialects import ANTHROPIC
from deploy.stub_provider.endpoint import Stub
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.exchange import (
    StubAnswer,
    StubRequest,
    answer_json,
    answer_stream,
    is_base64,
    to_json,
    with_usage,
)

IMAGE_TOKENS = 100
STREAM_ERROR = StubRefused(529, "(stub) Overloaded, as asked.")
OTHER_BLOCKS = ("tool_use", "tool_result", "thinking")
IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def message(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /v1/messages."""
    body = request.body
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise StubRefused(400, f"{name}: Field required", param=name)
    most = request.whole("max_tokens", 0, most=1_000_000)
    system, system_images = _read_content(body.get("system", ""), "system")
    prompt, texts, images = _read_messages(body["messages"])
    block, is_cut = _block(body, prompt, system, images + system_images, most)
    counted = {
        "input_tokens": count_tokens(f"{system}{texts}") + IMAGE_TOKENS * images,
        "output_tokens": count_tokens(block.get("text") or to_json(block.get("input")).decode()),
    }
    usual = "tool_use" if block["type"] == "tool_use" else "end_turn"
    ending = {"stop_reason": "max_tokens" if is_cut else usual, "stop_sequence": None}
    head = {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
    }
    if body.get("stream"):
        events = tuple(_events(head, block, ending, counted))
        answer = answer_stream(events, _event(ANTHROPIC.error(STREAM_ERROR, head["id"])))
    else:
        answer = answer_json({**head, "content": [block], **ending, "usage": counted})
    return with_usage(answer, *counted.values())


def _block(
    body: Mapping[str, Any], prompt: str, system: str, images: int, most: int
) -> tuple[dict[str, Any], bool]:
    text = echo(prompt, images, system)
    tool = _forced_tool(body)
    if tool is not None:
        made = make_value(tool.get("input_schema", {}), text, prompt, system)
        used = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex}", "name": tool["name"]}
        return {**used, "input": made}, False
    schema = _schema_of(body)
    if schema is not None:
        text = to_json(make_value(schema, text, prompt, system)).decode()
    text, is_cut = cut_to(text, most)
    return {"type": "text", "text": text}, is_cut


def _forced_tool(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    given, choice = body.get("tools"), body.get("tool_choice")
    tools = [tool for tool in _listed(given) if isinstance(tool, dict) and "name" in tool]
    choice = choice if isinstance(choice, dict) else {}
    if choice.get("type") == "any" and tools:
        return tools[0]
    if choice.get("type") != "tool":
        return None
    chosen = next((tool for tool in tools if tool["name"] == choice.get("name")), None)
    if chosen is None:
        raise StubRefused(400, "tool_choice: that tool is not among 'tools'", param="tool_choice")
    return chosen


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _schema_of(body: Mapping[str, Any]) -> Any:
    config = body.get("output_config")
    wanted = config.get("format") if isinstance(config, dict) else body.get("output_format")
    if isinstance(wanted, dict) and wanted.get("type") == "json_schema":
        return wanted.get("schema")
    return None


def _read_messages(messages: Any) -> tuple[str, str, int]:
    if not isinstance(messages, list) or not messages:
        raise StubRefused(400, "messages: at least one message is required", param="messages")
    prompt, texts, images = "", [], 0
    for number, each in enumerate(messages):
        role = each.get("role") if isinstance(each, dict) else None
        if role not in ("user", "assistant"):
            raise StubRefused(400, f"messages.{number}.role: Input should be 'user' or 'assistant'")
        text, seen = _read_content(each.get("content"), f"messages.{number}")
        texts.append(text)
        images += seen
        prompt = text if role == "user" else prompt
    return prompt, "\n".join(texts), images


def _read_content(content: Any, where: str) -> tuple[str, int]:
    if isinstance(content, str):
        return content, 0
    if not isinstance(content, list):
        raise StubRefused(400, f"{where}.content: Field required", param=where)
    texts, images = [], 0
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image":
            _check_source(part.get("source"), where)
            images += 1
        elif kind not in OTHER_BLOCKS:
            raise StubRefused(400, f"{where}.content: no blocks of type {kind!r} are known")
    return "\n".join(texts), images


def _check_source(source: Any, where: str) -> None:
    kind = source.get("type") if isinstance(source, dict) else None
    if kind == "url" and str(source.get("url", "")).startswith(("https://", "http://")):
        return
    if kind == "base64" and str(source.get("media_type")) in IMAGE_TYPES:
        if is_base64(source.get("data")):
            return
        raise StubRefused(400, f"{where}.content.image.source.base64: invalid base64 data")
    raise StubRefused(400, f"{where}.content.image.source: a type, a media type or a URL is wrong")


def _events(
    head: Mapping[str, Any],
    block: Mapping[str, Any],
    ending: Mapping[str, Any],
    counted: Mapping[str, int],
) -> Iterator[bytes]:
    is_text = block["type"] == "text"
    empty = {**block, "text": ""} if is_text else {**block, "input": {}}
    usage = {"input_tokens": counted["input_tokens"], "output_tokens": 1}
    opening: dict[str, Any] = {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    yield _event({"type": "message_start", "message": {**head, **opening}})
    yield _event({"type": "content_block_start", "index": 0, "content_block": empty})
    yield _event({"type": "ping"})
    for piece in pieces(block["text"] if is_text else to_json(block["input"]).decode()):
        delta = {"type": "text_delta", "text": piece}
        if not is_text:
            delta = {"type": "input_json_delta", "partial_json": piece}
        yield _event({"type": "content_block_delta", "index": 0, "delta": delta})
    yield _event({"type": "content_block_stop", "index": 0})
    output = {"output_tokens": counted["output_tokens"]}
    yield _event({"type": "message_delta", "delta": ending, "usage": output})
    yield _event({"type": "message_stop"})


def _event(value: Mapping[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: ".encode() + to_json(value) + b"\n\n"
