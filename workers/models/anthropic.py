"""Anthropic's Messages."""

from collections.abc import Mapping
from typing import Any, cast

from engine.models.manifest import Model
from engine.models.paths import Path
from engine.models.sections.anthropic import Anthropic
from engine.nodes.base import NodeFailed
from workers.models.base import Answer, CallContext, Dialect
from workers.models.failing import REJECTED, bad_response
from workers.models.line import Line
from workers.models.media import split_data_url
from workers.models.question import Question, fill
from workers.models.used import count

VERSION = ("anthropic-version", "2023-06-01")
MAX_TOKENS = 4_096
"""The API wants to be told; a manifest's body says something else."""
CONTENT = Path.parse("content[]")
STOP_REASON = Path.parse("stop_reason")
USAGE = {
    "input_tokens": (Path.parse("usage.input_tokens"),),
    "output_tokens": (Path.parse("usage.output_tokens"),),
}


class AnthropicDialect(Dialect):
    """Calls models whose manifests have `[anthropic]`."""

    call = Anthropic

    async def answer(self, model: Model, values: Mapping[str, Any], call: CallContext) -> Answer:
        section = cast(Anthropic, model.call)
        line = Line(section.endpoint, call, headers=(VERSION,))
        body = _body(section, fill(section, values))
        reply = await line.ask("POST", "/v1/messages", body, key=call.key)
        usage = count(reply, USAGE, model.most(values))
        return Answer(value=line.hide(_read_text(reply)), usage=usage)


def _body(section: Anthropic, question: Question) -> dict[str, Any]:
    images = [{"type": "image", "source": _source(url)} for url in question.images]
    content = [*images, {"type": "text", "text": question.prompt}]
    body: dict[str, Any] = {
        "model": section.model,
        "max_tokens": MAX_TOKENS,
        "messages": [{"role": "user", "content": content}],
    }
    if question.system:
        body["system"] = question.system
    if question.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": question.schema}}
    return body | dict(question.more)


def _source(url: str) -> dict[str, str]:
    held = split_data_url(url)
    if held is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": held[0], "data": held[1]}


def _read_text(reply: Any) -> str:
    if STOP_REASON.first(reply) == "refusal":
        raise NodeFailed(REJECTED, "The model refused to answer")
    blocks = [each for each in CONTENT.find(reply) if isinstance(each, dict)]
    texts = [each.get("text") for each in blocks if each.get("type") == "text"]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise bad_response("has no text")
    return "".join(cast(list[str], texts))
