"""OpenAI's images, made and edited.

From the API reference (platform.openai.com/docs/api-reference): images/create, images/createEdit.
"""

import base64
import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.stub_provider.contents import pictures
from deploy.stub_provider.contents.files import make_file, picture_name, seed_of
from deploy.stub_provider.contents.texts import count_tokens
from deploy.stub_provider.endpoint import Stub
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.exchange import StubAnswer, StubRequest, answer_json, with_usage
from deploy.stub_provider.script import without_marks

MAX_IMAGES = 10
MAX_GIVEN = 16
IMAGE_TOKENS = 300
FILES = re.compile(rb"\x89PNG|\xff\xd8\xff|RIFF.{4}WEBP", re.DOTALL)
"""First bytes of files that may be edited."""
USUAL_SIZE = 1024


def make_images(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /v1/images/generations."""
    return _images(request, ())


def edit_images(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /v1/images/edits, a form: its files determine the picture, which shows their number."""
    images = _files(request, "image", MAX_GIVEN)
    if not images:
        raise StubRefused(400, "(stub) 'image' is missing.", param="image")
    sources = [hashlib.sha256(each).digest() for each in (*images, *_files(request, "mask", 1))]
    return _images(request, sources, len(images))


def _files(request: StubRequest, name: str, most: int) -> list[bytes]:
    files = request.body.get(name, [])
    if not isinstance(files, list) or not all(isinstance(each, bytes) for each in files):
        raise StubRefused(400, f"(stub) '{name}' must be sent as files.", param=name)
    if len(files) > most:
        raise StubRefused(400, f"(stub) '{name}' is {most} files at most.", param=name)
    if not all(FILES.match(each) for each in files):
        raise StubRefused(400, f"(stub) '{name}' is no PNG, JPEG or WebP.", param=name)
    return files


def _images(request: StubRequest, sources: Sequence[bytes], given: int = 0) -> StubAnswer:
    prompt = request.text("prompt")
    count = request.whole("n", 1, most=MAX_IMAGES)
    width, height = size_of(request.body.get("size"))
    kind = request.choice("output_format", "png", pictures.FORMATS)
    seeds = [
        seed_of(request.model, without_marks(prompt), request.body.get("seed"), *sources, number)
        for number in range(count)
    ]
    names = [picture_name(seed, width, height, kind, given) for seed in seeds]
    as_url = request.body.get("response_format") == "url"
    data = [
        {"url": f"{request.base_url}/files/{name}"}
        if as_url
        else _inline(name, request.script.bytes)
        for name in names
    ]
    read = {"text_tokens": count_tokens(prompt), "image_tokens": IMAGE_TOKENS * given}
    spent = {"input_tokens": sum(read.values()), "output_tokens": 1000 * count}
    usage = {**spent, "total_tokens": sum(spent.values()), "input_tokens_details": read}
    about = {"created": int(time.time()), "output_format": kind, "size": f"{width}x{height}"}
    return with_usage(answer_json({**about, "data": data, "usage": usage}), *spent.values())


def _inline(name: str, size: int) -> Mapping[str, Any]:
    data = make_file(name).data
    if name.endswith(".png"):
        data = pictures.padded(data, size)
    return {"b64_json": base64.b64encode(data).decode()}


def size_of(size: Any) -> tuple[int, int]:
    """Return the size in "WIDTHxHEIGHT", no side over 1024. Raises StubRefused."""
    if size is None or size == "auto":
        return USUAL_SIZE, USUAL_SIZE
    sides = re.fullmatch(r"(\d{1,4})[x*](\d{1,4})", size) if isinstance(size, str) else None
    if sides is None or "0" in (sides[1], sides[2]):
        raise StubRefused(400, "(stub) 'size' must be WIDTHxHEIGHT or auto.", param="size")
    return pictures.fit(int(sides[1]), int(sides[2]))
