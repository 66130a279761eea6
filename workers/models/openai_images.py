"""Images by OpenAI's protocol: made of a prompt alone, or of other images too."""

from typing import Any

from engine.models.pricing import Usage
from engine.models.sections.openai import OpenAI
from workers.http.forms import File, Form
from workers.models.base import Answer, CallContext, Stored
from workers.models.failing import bad_response
from workers.models.line import MAX_MEDIA_BYTES, Line
from workers.models.media import keep_base64, keep_url, load_media, one_or_all, settle_sent
from workers.models.question import Question
from workers.models.used import TOKENS, count


async def draw(
    section: OpenAI, question: Question, line: Line, call: CallContext, most: Usage
) -> Answer:
    """One call of `/images/generations`, or of `/images/edits` with images. Raises NodeFailed."""
    body: Any = {"model": section.model, "prompt": question.prompt, **question.more}
    path = "/images/generations"
    if question.images or question.mask:
        path, body = "/images/edits", Form(fields=body, files=await _load_files(question, call))
    reply = await line.ask("POST", path, body, key=call.key, max_bytes=MAX_MEDIA_BYTES)
    listed = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(listed, list) or not listed:
        raise bad_response("has no images")
    content_type = f"image/{reply.get('output_format') or 'png'}"
    stored = [await _keep_image(each, content_type, call) for each in listed]
    usage = count(reply, TOKENS, most, images=len(stored))
    return Answer(value=one_or_all(stored), usage=usage)


async def _load_files(question: Question, call: CallContext) -> list[File]:
    """The images, and the mask where there is one."""
    names = [*["image[]"] * len(question.images), *["mask"] * len(question.mask)]
    loaded = await load_media([*question.images, *question.mask], "image", call)
    settle_sent(loaded, call)
    return [
        File(name=name, content_type=each.content_type, data=each.data)
        for name, each in zip(names, loaded, strict=True)
    ]


async def _keep_image(image: Any, content_type: str, call: CallContext) -> Stored:
    given = image if isinstance(image, dict) else {}
    if given.get("b64_json"):
        return await keep_base64(given["b64_json"], content_type, call)
    return await keep_url(given.get("url"), call)
