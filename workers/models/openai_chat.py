"""Chats by OpenAI's protocol."""

from typing import Any

from engine.models.paths import Path
from engine.models.pricing import Usage
from engine.models.sections.openai import OpenAI
from engine.nodes.base import NodeFailed
from workers.models.base import Answer, CallContext
from workers.models.failing import REJECTED, bad_response, cut
from workers.models.line import Line
from workers.models.question import Question
from workers.models.used import TOKENS, count

CONTENT = Path.parse("choices[0].message.content")
PARTS = Path.parse("choices[0].message.content[].text")
REFUSAL = Path.parse("choices[0].message.refusal")
SCHEMA_NAME = "answer"


async def chat(
    section: OpenAI, question: Question, line: Line, call: CallContext, most: Usage
) -> Answer:
    """One call of `/chat/completions`. Raises NodeFailed."""
    body = {"model": section.model, "messages": _messages(question), **question.more}
    if question.schema is not None:
        named = {"name": SCHEMA_NAME, "schema": question.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    reply = await line.ask("POST", "/chat/completions", body, key=call.key)
    return Answer(value=line.hide(_read_text(reply, line)), usage=count(reply, TOKENS, most))


def _messages(question: Question) -> list[dict[str, Any]]:
    system = [{"role": "system", "content": question.system}] if question.system else []
    content: Any = question.prompt
    if question.images:
        images = [{"type": "image_url", "image_url": {"url": url}} for url in question.images]
        content = [{"type": "text", "text": question.prompt}, *images]
    return [*system, {"role": "user", "content": content}]


def _read_text(reply: Any, line: Line) -> str:
    refusal = REFUSAL.first(reply)
    if isinstance(refusal, str) and refusal:
        raise NodeFailed(REJECTED, cut(line.hide(refusal)))
    content = CONTENT.first(reply)
    if isinstance(content, str):
        return content
    parts = [part for part in PARTS.find(reply) if isinstance(part, str)]
    if not parts:
        raise bad_response("has no text")
    return "".join(parts)
