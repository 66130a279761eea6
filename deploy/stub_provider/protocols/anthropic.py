"""Anthropic's protocol: messages, whole and streamed.

From docs.claude.com/en/api/messages, …/docs/build-with-claude/streaming (the event types),
…/vision, …/pdf-support, …/structured-outputs and …/docs/agents-and-tools/tool-use (a tool that
must be used).
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deploy.stub_provider.contents.documents import StubDocument
from deploy.stub_provider.contents.schemas import make_value
from deploy.stub_provider.contents.texts import count_tokens, cut_to, echo, pieces
from deploy.stub_provider.contents.tool_plans import ToolChat, plan_calls, tell_results
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
from deploy.stub_provider.protocols.anthropic_tools import (
    has_results,
    read_chat,
    read_tools,
    written_blocks,
)
from engine.media.documents.types import PDF

IMAGE_TOKENS = 100
STREAM_ERROR = StubRefused(529, "(stub) Overloaded, as asked.")
OTHER_BLOCKS = ("tool_use", "tool_result", "thinking", "redacted_thinking")
IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def message(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /v1/messages."""
    body = request.body
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise StubRefused(400, f"{name}: Field required", param=name)
    most = request.whole("max_tokens", 0, most=1_000_000)
    system, system_images, _ = _read_content(body.get("system", ""), "system")
    prompt, texts, images, page_tokens = _read_messages(body["messages"])
    forced = _forced_tool(body)
    chat = read_chat(body["messages"], prompt, system, read_tools(body))
    planned = plan_calls(chat, request.script) if chat.tools else []
    if planned:
        text = f"(stub) I call {', '.join(each.name for each in planned)}."
        blocks, is_cut = written_blocks(planned, text, request.script.odd), False
    else:
        block, is_cut = _block(body, chat, forced, images + system_images, most)
        blocks = [block]
    counted = {
        "input_tokens": count_tokens(f"{system}{texts}") + IMAGE_TOKENS * images + page_tokens,
        "output_tokens": sum(count_tokens(_written(each)) for each in blocks),
    }
    usual = "tool_use" if blocks[-1]["type"] == "tool_use" else "end_turn"
    is_cut = is_cut or (bool(planned) and request.script.odd == "cut")
    ending = {"stop_reason": "max_tokens" if is_cut else usual, "stop_sequence": None}
    head = {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
    }
    if body.get("stream"):
        events = tuple(_events(head, blocks, ending, counted))
        answer = answer_stream(events, _event(ANTHROPIC.error(STREAM_ERROR, head["id"])))
    else:
        answer = answer_json({**head, "content": blocks, **ending, "usage": counted})
    return with_usage(answer, *counted.values())


def _block(
    body: Mapping[str, Any],
    chat: ToolChat,
    tool: Mapping[str, Any] | None,
    images: int,
    most: int,
) -> tuple[dict[str, Any], bool]:
    prompt, system = chat.prompt, chat.system
    text = tell_results(chat) if chat.past else echo(prompt, images, system)
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


def _read_messages(messages: Any) -> tuple[str, str, int, int]:
    if not isinstance(messages, list) or not messages:
        raise StubRefused(400, "messages: at least one message is required", param="messages")
    prompt, texts, images, page_tokens = "", [], 0, 0
    for number, each in enumerate(messages):
        role = each.get("role") if isinstance(each, dict) else None
        if role not in ("user", "assistant"):
            raise StubRefused(400, f"messages.{number}.role: Input should be 'user' or 'assistant'")
        text, seen, tokens = _read_content(each.get("content"), f"messages.{number}")
        texts.append(text)
        images += seen
        page_tokens += tokens
        prompt = text if role == "user" and not has_results(each) else prompt
    return prompt, "\n".join(texts), images, page_tokens


def _read_content(content: Any, where: str) -> tuple[str, int, int]:
    """Return the text, with that of documents, the number of images and the tokens of pages."""
    if isinstance(content, str):
        return content, 0, 0
    if not isinstance(content, list):
        raise StubRefused(400, f"{where}.content: Field required", param=where)
    texts, images, page_tokens = [], 0, 0
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image":
            _check_source(part.get("source"), where)
            images += 1
        elif kind == "document":
            document = _read_document(part.get("source"), where)
            texts.append(document.text)
            page_tokens += document.page_tokens
        elif kind not in OTHER_BLOCKS:
            raise StubRefused(400, f"{where}.content: no blocks of type {kind!r} are known")
    return "\n".join(texts), images, page_tokens


def _read_document(source: Any, where: str) -> StubDocument:
    given = source if isinstance(source, dict) else {}
    if (given.get("type"), given.get("media_type")) != ("base64", PDF):
        raise StubRefused(400, f"{where}.content.document.source: a type or a media type is wrong")
    return StubDocument(given.get("data"), where)


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
    blocks: Sequence[Mapping[str, Any]],
    ending: Mapping[str, Any],
    counted: Mapping[str, int],
) -> Iterator[bytes]:
    usage = {"input_tokens": counted["input_tokens"], "output_tokens": 1}
    opening: dict[str, Any] = {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    yield _event({"type": "message_start", "message": {**head, **opening}})
    for index, block in enumerate(blocks):
        empty, deltas = _opened(block)
        yield _event({"type": "content_block_start", "index": index, "content_block": empty})
        if not index:
            yield _event({"type": "ping"})
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    output = {"output_tokens": counted["output_tokens"]}
    yield _event({"type": "message_delta", "delta": ending, "usage": output})
    yield _event({"type": "message_stop"})


def _opened(block: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Return a block as a stream begins it, and its deltas."""
    match block["type"]:
        case "text":
            texts = pieces(block["text"])
            return {**block, "text": ""}, [{"type": "text_delta", "text": each} for each in texts]
        case "thinking":
            texts = pieces(block["thinking"])
            deltas = [{"type": "thinking_delta", "thinking": each} for each in texts]
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [*deltas, signed]
    parts = [block["input"]] if isinstance(block["input"], str) else pieces(_written(block))
    return {**block, "input": {}}, [
        {"type": "input_json_delta", "partial_json": each} for each in parts
    ]


def _written(block: Mapping[str, Any]) -> str:
    return block.get("text") or block.get("thinking") or to_json(block.get("input")).decode()


def _event(value: Mapping[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: ".encode() + to_json(value) + b"\n\n"
