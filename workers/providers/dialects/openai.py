"""Dialect of OpenAI's protocol, which many providers use: chats, images and sounds."""

from collections.abc import Mapping
from typing import Any, cast

from engine.models.dialects.openai import OpenAIApi, OpenAISection
from engine.models.manifest import Model
from workers.providers.base import CallContext, Dialect, ModelAnswer
from workers.providers.dialects.chat_request import fill
from workers.providers.dialects.openai_audio import speak, transcribe
from workers.providers.dialects.openai_chat import chat
from workers.providers.dialects.openai_images import draw
from workers.providers.dialects.openai_turns import continue_chat
from workers.providers.provider_client import ProviderClient


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
                return await speak(section, chat_request, client, call, max_usage)
            case OpenAIApi.TRANSCRIPTION:
                return await transcribe(section, values, chat_request, client, call, max_usage)
