"""Dialect of OpenAI's protocol, which many providers use: chats, images and speech."""

from collections.abc import Mapping
from typing import Any, cast

from engine.models.dialects.openai import OpenAIApi, OpenAISection
from engine.models.manifest import Model
from engine.models.pricing import Usage
from workers.providers.answers.errors import bad_response
from workers.providers.answers.usage import count_usage, seconds_of
from workers.providers.base import CallContext, Dialect, ModelAnswer
from workers.providers.dialects.chat_request import ChatRequest, fill
from workers.providers.dialects.openai_chat import chat
from workers.providers.dialects.openai_images import draw
from workers.providers.dialects.openai_turns import continue_chat
from workers.providers.provider_client import MAX_MEDIA_BYTES, ProviderClient


class OpenAIDialect(Dialect):
    """Calls models whose manifests have `[openai]`."""

    call = OpenAISection

    async def answer(
        self, model: Model, values: Mapping[str, Any], call: CallContext
    ) -> ModelAnswer:
        section = cast(OpenAISection, model.call)
        client, talk = ProviderClient(section.endpoint, call), call.model_call.chat
        if talk is not None:
            return await continue_chat(
                section, talk, values, client, call, model.max_chat_usage(values, talk)
            )
        chat_request, max_usage = fill(section, values), model.max_usage(values)
        match section.api:
            case OpenAIApi.CHAT:
                return await chat(section, chat_request, client, call, max_usage)
            case OpenAIApi.IMAGES:
                return await draw(section, chat_request, client, call, max_usage)
            case OpenAIApi.SPEECH:
                return await _speak(section, chat_request, client, call, max_usage)


async def _speak(
    section: OpenAISection,
    chat_request: ChatRequest,
    client: ProviderClient,
    call: CallContext,
    max_usage: Usage,
) -> ModelAnswer:
    body = {"model": section.model, "input": chat_request.prompt, **chat_request.more}
    answer = await client.fetch(
        "POST", "/audio/speech", body, key=call.key, max_bytes=MAX_MEDIA_BYTES
    )
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip()
    if not answer.body or not content_type.startswith(("audio/", "application/octet-stream")):
        raise bad_response("is no sound")
    stored = await call.keep(answer.body, content_type)
    usage = count_usage(None, {}, max_usage, seconds=seconds_of([stored]))
    return ModelAnswer(value=stored.url, usage=usage)
