"""Gemini's own protocol: `generateContent` for texts and images.

From the types of Google's own library (github.com/googleapis/python-genai, google/genai/types.py
and models.py): contents, parts, inlineData, generationConfig, candidates, usageMetadata.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.stub_provider.contents import pictures
from deploy.stub_provider.contents.documents import StubDocument
from deploy.stub_provider.contents.files import make_file, picture_name, seed_of
from deploy.stub_provider.contents.texts import count_tokens, echo
from deploy.stub_provider.endpoint import Stub
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.exchange import (
    StubAnswer,
    StubRequest,
    answer_json,
    is_base64,
    with_usage,
)
from deploy.stub_provider.script import without_marks
from engine.media.documents.types import PDF

IMAGE_TOKENS = 1_120
SIDES = {"1K": 1024, "2K": 2048, "4K": 4096}


def generate_content(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /v1beta/models/{model}:generateContent."""
    parts = list(_parts(request.body.get("contents")))
    documents = [_document_of(part) for part in parts if _is_document(part)]
    said = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    prompt = "\n".join([*(each.text for each in documents), *said])
    if not prompt:
        raise StubRefused(400, "(stub) contents is not specified", param="contents")
    given = [_data_of(part) for part in parts if "inlineData" in part and not _is_document(part)]
    config = _object(request.body.get("generationConfig"))
    modalities = config.get("responseModalities")
    is_image = isinstance(modalities, list) and "IMAGE" in modalities
    page_tokens = sum(each.page_tokens for each in documents)
    spent = count_tokens(prompt) + IMAGE_TOKENS * len(given) + page_tokens
    if is_image:
        seed = seed_of(request.model, without_marks(prompt), *given)
        name = picture_name(seed, *_size(_object(config.get("imageConfig"))), "png", len(given))
        data = make_file(name).base64
        part: Mapping[str, Any] = {"inlineData": {"mimeType": "image/png", "data": data}}
    else:
        part = {"text": echo(prompt, len(given))}
    made = IMAGE_TOKENS if is_image else count_tokens(part["text"])
    content = {"parts": [part], "role": "model"}
    usage = {"promptTokenCount": spent, "candidatesTokenCount": made}
    whole = {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {**usage, "totalTokenCount": spent + made},
        "modelVersion": request.model,
    }
    return with_usage(answer_json(whole), spent, made)


def _parts(contents: Any) -> Iterator[Mapping[str, Any]]:
    for content in contents if isinstance(contents, list) else []:
        parts = _object(content).get("parts")
        listed = parts if isinstance(parts, list) else []
        yield from (part for part in listed if isinstance(part, dict))


def _is_document(part: Mapping[str, Any]) -> bool:
    return _object(part.get("inlineData")).get("mimeType") == PDF


def _document_of(part: Mapping[str, Any]) -> StubDocument:
    return StubDocument(_object(part["inlineData"]).get("data"), "inlineData")


def _data_of(part: Mapping[str, Any]) -> str:
    blob = _object(part["inlineData"])
    if not str(blob.get("mimeType")).startswith("image/") or not is_base64(blob.get("data")):
        raise StubRefused(400, "(stub) inlineData needs a mimeType and base64.", param="inlineData")
    return str(blob["data"])


def _size(config: Mapping[str, Any]) -> tuple[int, int]:
    longest = SIDES.get(str(config.get("imageSize", "1K")))
    ratio = re.fullmatch(r"([1-9]\d?):([1-9]\d?)", str(config.get("aspectRatio", "1:1")))
    if longest is None or ratio is None:
        raise StubRefused(400, "(stub) imageConfig has no such size or ratio.", param="imageConfig")
    wide, high = int(ratio[1]), int(ratio[2])
    return pictures.fit(longest * wide // max(wide, high), longest * high // max(wide, high))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
