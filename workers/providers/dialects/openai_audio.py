"""Speech and transcripts by OpenAI's protocol."""

from collections.abc import Mapping
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.models.calls.body_templates import texts_in
from engine.models.dialects.openai import OpenAISection
from engine.models.pricing import Usage
from engine.models.transcripts import SEGMENTS, TEXT, make_transcript, read_segments
from workers.outbound.forms import Form, FormFile
from workers.providers.answers.errors import bad_response
from workers.providers.answers.usage import TOKENS, count_usage, heard_seconds, seconds_of
from workers.providers.base import CallContext, ModelAnswer
from workers.providers.dialects.chat_request import ChatRequest
from workers.providers.media import load_media, resize_sending
from workers.providers.provider_client import MAX_MEDIA_BYTES, ProviderClient

USUAL_FORMAT = {"response_format": "json"}
"""Format that all providers have; a manifest asks for `verbose_json` where there is one."""


async def speak(
    section: OpenAISection,
    chat_request: ChatRequest,
    client: ProviderClient,
    call: CallContext,
    max_usage: Usage,
) -> ModelAnswer:
    """Call `/audio/speech`. Raises NodeFailed."""
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


async def transcribe(
    section: OpenAISection,
    values: Mapping[str, Any],
    chat_request: ChatRequest,
    client: ProviderClient,
    call: CallContext,
    max_usage: Usage,
) -> ModelAnswer:
    """Call `/audio/transcriptions` with one sound or video. Raises NodeFailed."""
    file = await _load_sound(section, values, call)
    prompt = {"prompt": chat_request.prompt} if chat_request.prompt else {}
    fields = {"model": section.model, **USUAL_FORMAT, **prompt, **chat_request.more}
    form = Form(fields=fields, files=[file])
    reply = await client.fetch_json("POST", "/audio/transcriptions", form, key=call.key)
    usage = count_usage(reply, TOKENS, max_usage)
    value = _read_reply(reply, client)
    return ModelAnswer(value=value, usage=usage, heard_seconds=heard_seconds(reply))


async def _load_sound(
    section: OpenAISection, values: Mapping[str, Any], call: CallContext
) -> FormFile:
    urls = [*texts_in(section.audio.fill(values))]
    if len(urls) != 1:
        found = f"not {len(urls)}" if urls else "and there is none"
        raise NodeFailed("invalid_value", f"A transcript is made of one sound or video, {found}")
    loaded = await load_media(urls, "audio", call)
    resize_sending(loaded, call)
    return FormFile(name="file", content_type=loaded[0].content_type, data=loaded[0].data)


def _read_reply(reply: Any, client: ProviderClient) -> dict[str, Any]:
    given = reply if isinstance(reply, dict) else {}
    text = given.get(TEXT)
    if not isinstance(text, str):
        raise bad_response("has no text")
    segments = read_segments(given.get(SEGMENTS))
    redacted = [each | {TEXT: client.redact(each[TEXT])} for each in segments]
    return make_transcript(client.redact(text).strip(), redacted)
