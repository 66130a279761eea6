"""Images by OpenAI's protocol: from a prompt alone, or from other images too."""

from typing import Any

from engine.models.dialects.openai import OpenAISection
from engine.models.pricing import Usage
from workers.outbound.forms import Form, FormFile
from workers.providers.answers.errors import bad_response
from workers.providers.answers.usage import TOKENS, count_usage
from workers.providers.base import CallContext, ModelAnswer, StoredMedia
from workers.providers.dialects.chat_request import ChatRequest
from workers.providers.media import keep_base64, keep_url, load_media, one_or_all, resize_sending
from workers.providers.provider_client import MAX_MEDIA_BYTES, ProviderClient


async def draw(
    section: OpenAISection,
    chat_request: ChatRequest,
    client: ProviderClient,
    call: CallContext,
    max_usage: Usage,
) -> ModelAnswer:
    """Call `/images/generations`, or `/images/edits` with images. Raises NodeFailed."""
    body: Any = {"model": section.model, "prompt": chat_request.prompt, **chat_request.more}
    path = "/images/generations"
    if chat_request.images or chat_request.mask:
        path, body = "/images/edits", Form(fields=body, files=await _load_files(chat_request, call))
    reply = await client.fetch_json("POST", path, body, key=call.key, max_bytes=MAX_MEDIA_BYTES)
    listed = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(listed, list) or not listed:
        raise bad_response("has no images")
    content_type = f"image/{reply.get('output_format') or 'png'}"
    stored = [await _keep_image(each, content_type, call) for each in listed]
    usage = count_usage(reply, TOKENS, max_usage, images=len(stored))
    return ModelAnswer(value=one_or_all(stored), usage=usage)


async def _load_files(chat_request: ChatRequest, call: CallContext) -> list[FormFile]:
    """Load the images, and the mask where there is one."""
    names = [*["image[]"] * len(chat_request.images), *["mask"] * len(chat_request.mask)]
    loaded = await load_media([*chat_request.images, *chat_request.mask], "image", call)
    resize_sending(loaded, call)
    return [
        FormFile(name=name, content_type=each.content_type, data=each.data)
        for name, each in zip(names, loaded, strict=True)
    ]


async def _keep_image(image: Any, content_type: str, call: CallContext) -> StoredMedia:
    item = image if isinstance(image, dict) else {}
    if item.get("b64_json"):
        return await keep_base64(item["b64_json"], content_type, call)
    return await keep_url(item.get("url"), call)
