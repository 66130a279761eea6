"""OpenAI's protocol, which many others speak: chats, images and speech."""

from collections.abc import Mapping
from typing import Any, cast

from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.sections.openai import Api, OpenAI
from workers.models.base import Answer, CallContext, Dialect
from workers.models.failing import bad_response
from workers.models.line import MAX_MEDIA_BYTES, Line
from workers.models.openai_chat import chat
from workers.models.openai_images import draw
from workers.models.question import Question, fill
from workers.models.used import count, seconds_of


class OpenAIDialect(Dialect):
    """Calls models whose manifests have `[openai]`."""

    call = OpenAI

    async def answer(self, model: Model, values: Mapping[str, Any], call: CallContext) -> Answer:
        section = cast(OpenAI, model.call)
        line, question = Line(section.endpoint, call), fill(section, values)
        most = model.most(values)
        match section.api:
            case Api.CHAT:
                return await chat(section, question, line, call, most)
            case Api.IMAGES:
                return await draw(section, question, line, call, most)
            case Api.SPEECH:
                return await _speak(section, question, line, call, most)


async def _speak(
    section: OpenAI, question: Question, line: Line, call: CallContext, most: Usage
) -> Answer:
    body = {"model": section.model, "input": question.prompt, **question.more}
    answer = await line.fetch(
        "POST", "/audio/speech", body, key=call.key, max_bytes=MAX_MEDIA_BYTES
    )
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip()
    if not answer.body or not content_type.startswith(("audio/", "application/octet-stream")):
        raise bad_response("is no sound")
    stored = await call.keep(answer.body, content_type)
    usage = count(None, {}, most, seconds=seconds_of([stored]))
    return Answer(value=stored.url, usage=usage)
