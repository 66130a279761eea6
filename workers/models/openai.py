"""OpenAI's protocol, which many others speak: chats, images and speech."""

from collections.abc import Mapping
from typing import Any, cast

from engine.models.manifest import Model
from engine.models.paths import Path
from engine.models.pricing import Usage
from engine.models.sections.openai import Api, OpenAI
from engine.nodes.base import NodeFailed
from workers.models.base import Answer, CallContext, Dialect
from workers.models.failing import REJECTED, bad_response, cut
from workers.models.line import MAX_MEDIA_BYTES, Line
from workers.models.media import keep_base64, keep_url, one_or_all
from workers.models.question import Question, fill
from workers.models.used import count

CONTENT = Path.parse("choices[0].message.content")
PARTS = Path.parse("choices[0].message.content[].text")
REFUSAL = Path.parse("choices[0].message.refusal")
SCHEMA_NAME = "answer"
USAGE = {
    "input_tokens": (Path.parse("usage.prompt_tokens"), Path.parse("usage.input_tokens")),
    "output_tokens": (Path.parse("usage.completion_tokens"), Path.parse("usage.output_tokens")),
}


class OpenAIDialect(Dialect):
    """Calls models whose manifests have `[openai]`."""

    call = OpenAI

    async def answer(self, model: Model, values: Mapping[str, Any], call: CallContext) -> Answer:
        section = cast(OpenAI, model.call)
        line, question = Line(section.endpoint, call), fill(section, values)
        most = model.most(values)
        match section.api:
            case Api.CHAT:
                return await _chat(section, question, line, call, most)
            case Api.IMAGES:
                return await _images(section, question, line, call, most)
            case Api.SPEECH:
                return await _speech(section, question, line, call, most)


async def _chat(
    section: OpenAI, question: Question, line: Line, call: CallContext, most: Usage
) -> Answer:
    body = {"model": section.model, "messages": _messages(question), **question.more}
    if question.schema is not None:
        named = {"name": SCHEMA_NAME, "schema": question.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    reply = await line.ask("POST", "/chat/completions", body, key=call.key)
    return Answer(value=line.hide(_read_text(reply, line)), usage=count(reply, USAGE, most))


async def _images(
    section: OpenAI, question: Question, line: Line, call: CallContext, most: Usage
) -> Answer:
    body = {"model": section.model, "prompt": question.prompt, **question.more}
    reply = await line.ask(
        "POST", "/images/generations", body, key=call.key, max_bytes=MAX_MEDIA_BYTES
    )
    listed = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(listed, list) or not listed:
        raise bad_response("has no images")
    content_type = f"image/{reply.get('output_format') or 'png'}"
    urls = [await _keep_image(each, content_type, call) for each in listed]
    usage = count(reply, USAGE, most, images=len(urls))
    return Answer(value=one_or_all(urls), usage=usage)


async def _speech(
    section: OpenAI, question: Question, line: Line, call: CallContext, most: Usage
) -> Answer:
    body = {"model": section.model, "input": question.prompt, **question.more}
    answer = await line.fetch(
        "POST", "/audio/speech", body, key=call.key, max_bytes=MAX_MEDIA_BYTES
    )
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip()
    if not answer.body or not content_type.startswith(("audio/", "application/octet-stream")):
        raise bad_response("is no sound")
    return Answer(value=await call.keep(answer.body, content_type), usage=most)


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


async def _keep_image(image: Any, content_type: str, call: CallContext) -> str:
    given = image if isinstance(image, dict) else {}
    if given.get("b64_json"):
        return await keep_base64(given["b64_json"], content_type, call)
    return await keep_url(given.get("url"), call)
