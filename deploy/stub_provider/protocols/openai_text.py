"""OpenAI's text protocol: chat completions, embeddings and the list of models.

From the API reference (platform.openai.com/docs/api-reference): chat/create, chat/streaming,
embeddings/create, models; and the guides "Structured outputs" and "File inputs" (PDFs alone).
"""

import base64
import hashlib
import math
import struct
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from operator import add
from typing import Any

from deploy.stub_provider.contents.documents import StubDocument
from deploy.stub_provider.contents.prompt_values import feature_words
from deploy.stub_provider.contents.schemas import make_value
from deploy.stub_provider.contents.texts import count_tokens, cut_to, echo, pieces
from deploy.stub_provider.contents.tool_plans import (
    PlannedCall,
    ToolChat,
    plan_calls,
    tell_results,
)
from deploy.stub_provider.dialects import OPENAI
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
from deploy.stub_provider.protocols.openai_tools import (
    call_deltas,
    read_chat,
    read_tools,
    written_calls,
)
from engine.media.documents.types import PDF

MODELS = ("stub-text", "stub-image", "stub-speech", "stub-embedding", "stub-slow-1000ms")
IMAGE_TOKENS = 85
USUAL_DIMENSIONS = 1536
SYSTEM_ROLES = ("system", "developer")
STREAM_ERROR = StubRefused(500, "(stub) An error, as asked.")
DONE = b"data: [DONE]\n\n"


def complete(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /v1/chat/completions."""
    request.text("model")
    prompt, system, texts, images, page_tokens = _read_messages(request.body.get("messages"))
    chat = read_chat(request.body, prompt, system, read_tools(request.body))
    planned = plan_calls(chat, request.script) if chat.tools else []
    calls = written_calls(planned, request.script.odd, request.model)
    text = _announce(planned) if calls else _text_for(request.body, chat, images)
    most = request.body.get("max_completion_tokens", request.body.get("max_tokens"))
    text, is_cut = cut_to(text, most if isinstance(most, int) else None)
    made = text + (to_json(calls).decode() if calls else "")
    spent = count_tokens(texts) + IMAGE_TOKENS * images + page_tokens
    usage = _usage(spent, count_tokens(made))
    finish = "tool_calls" if calls else "stop"
    finish = "length" if is_cut or (calls and request.script.odd == "cut") else finish
    head = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "created": int(time.time()),
        "model": request.model,
    }
    if request.body.get("stream"):
        deltas = [{"content": piece} for piece in pieces(text)]
        deltas += call_deltas(calls, is_gemini=request.model.startswith("gemini"))
        events = _events(head, deltas, finish, usage if _wants_usage(request.body) else None)
        answer = answer_stream((*events, DONE), _event(OPENAI.error(STREAM_ERROR, "")))
    else:
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        message |= {"tool_calls": calls} if calls else {}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        whole = {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
        answer = answer_json(whole)
    return with_usage(answer, usage["prompt_tokens"], usage["completion_tokens"])


def embed(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /v1/embeddings."""
    request.text("model")
    given = request.body.get("input")
    texts = given if isinstance(given, list) else [given]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise StubRefused(400, "(stub) 'input' must be a text or a list of texts.", param="input")
    dimensions = request.whole("dimensions", USUAL_DIMENSIONS, most=4096)
    as_text = request.body.get("encoding_format") == "base64"
    vectors = [vector_of(str(text), dimensions) for text in texts]
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(each) if as_text else each}
        for index, each in enumerate(vectors)
    ]
    tokens = sum(count_tokens(str(text)) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    whole = {"object": "list", "data": data, "model": request.model, "usage": usage}
    return with_usage(answer_json(whole), tokens, 0)


def vector_of(text: str, dimensions: int) -> list[float]:
    """Return a unit vector, the sum of those of its words: texts that share words are near."""
    numbers = [0] * dimensions
    for word in feature_words(text) or [text]:
        raw = hashlib.shake_256(word.encode()).digest(2 * dimensions)
        numbers = [*map(add, numbers, struct.unpack(f"<{dimensions}h", raw))]
    length = math.sqrt(sum(number * number for number in numbers)) or 1.0
    return [round(number / length, 8) for number in numbers]


def list_models(request: StubRequest, stub: Stub) -> StubAnswer:
    """GET /v1/models: some names; other names are answered too."""
    return answer_json({"object": "list", "data": [_model(name) for name in MODELS]})


def show_model(request: StubRequest, stub: Stub) -> StubAnswer:
    """GET /v1/models/{model}."""
    return answer_json(_model(request.path["model"]))


def _model(name: str) -> Mapping[str, Any]:
    return {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "headrace-stub"}


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _read_messages(messages: Any) -> tuple[str, str, str, int, int]:
    """Return the last text of the user, the system's, all texts, and counts.

    These are the number of images, and the tokens of pages.
    """
    if not isinstance(messages, list) or not messages:
        raise StubRefused(400, "(stub) 'messages' must be a list of messages.", param="messages")
    prompt, system, texts, images, page_tokens = "", "", [], 0, 0
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise StubRefused(400, "(stub) A message needs a 'role'.", param="messages")
        text, seen, tokens = _read_content(message.get("content"))
        texts.append(text)
        images += seen
        page_tokens += tokens
        prompt = text if message["role"] == "user" else prompt
        system = text if message["role"] in SYSTEM_ROLES else system
    return prompt, system, "\n".join(texts), images, page_tokens


def _read_content(content: Any) -> tuple[str, int, int]:
    if content is None or isinstance(content, str):
        return content or "", 0, 0
    if not isinstance(content, list):
        raise StubRefused(400, "(stub) 'content' must be a text or parts.", param="messages")
    texts, images, page_tokens = [], 0, 0
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "image_url":
            _check_image(part.get("image_url"))
            images += 1
        elif kind == "file":
            document = _read_file(part.get("file"))
            texts.append(document.text)
            page_tokens += document.page_tokens
        else:
            raise StubRefused(
                400, f"(stub) Parts of type {kind!r} are not known.", param="messages"
            )
    return "\n".join(texts), images, page_tokens


def _check_image(image: Any) -> None:
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:image/")):
        raise StubRefused(400, "(stub) 'image_url.url' must be a URL.", param="messages")
    if url.startswith("data:"):
        head, _, data = url.partition(",")
        if not head.endswith(";base64") or not is_base64(data):
            raise StubRefused(400, "(stub) That data URL holds no base64.", param="messages")


def _read_file(file: Any) -> StubDocument:
    given = file if isinstance(file, dict) else {}
    head, _, data = str(given.get("file_data", "")).partition(",")
    if not given.get("filename") or head != f"data:{PDF};base64":
        reason = "(stub) 'file' needs a 'filename', and a PDF in 'file_data' as a data URL."
        raise StubRefused(400, reason, param="messages")
    return StubDocument(data, "messages")


def _announce(planned: Sequence[PlannedCall]) -> str:
    return f"(stub) I call {', '.join(each.name for each in planned)}."


def _text_for(body: Mapping[str, Any], chat: ToolChat, images: int) -> str:
    prompt, system = chat.prompt, chat.system
    text = tell_results(chat) if chat.past else echo(prompt, images, system)
    wanted = body.get("response_format") or {}
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "json_object":
        return to_json({"stub": True, "text": text}).decode()
    if kind == "json_schema":
        named = wanted.get("json_schema")
        if not isinstance(named, dict) or "schema" not in named:
            raise StubRefused(
                400, "(stub) 'json_schema.schema' is missing.", param="response_format"
            )
        return to_json(make_value(named["schema"], text, prompt, system)).decode()
    return text


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _wants_usage(body: Mapping[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def _events(
    head: Mapping[str, Any],
    deltas: Sequence[Mapping[str, Any]],
    finish: str,
    usage: Mapping[str, int] | None,
) -> Iterator[bytes]:
    # With usage requested, every chunk has the field, and it is null in all but the last.
    base = {**head, "object": "chat.completion.chunk"} | ({} if usage is None else {"usage": None})

    def chunk(delta: Mapping[str, Any], reason: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _event({**base, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""}, None)
    for delta in deltas:
        yield chunk(delta, None)
    yield chunk({}, finish)
    if usage is not None:
        yield _event({**base, "choices": [], "usage": usage})


def _event(value: Any) -> bytes:
    return b"data: " + to_json(value) + b"\n\n"
