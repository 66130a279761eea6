"""BytePlus ModelArk: images by one call, videos by a task that is polled.

From the types of its own library (github.com/byteplus-sdk/byteplus-python-sdk-v2,
byteplussdkarkruntime): images.generate, content_generation.tasks.create, .get and .delete.
"""

import time
from collections.abc import Mapping
from typing import Any

from deploy.stub_provider.contents.files import make_file, picture_name, seed_of
from deploy.stub_provider.contents.outputs import output_of
from deploy.stub_provider.contents.texts import count_tokens
from deploy.stub_provider.endpoint import Stub
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.exchange import (
    StubAnswer,
    StubRequest,
    answer_json,
    count_urls,
    with_usage,
)
from deploy.stub_provider.jobs import JobStatus, StubJob
from deploy.stub_provider.protocols.job_protocols import (
    FAILURE,
    cancel_job,
    polled_job,
    submitted_job,
)
from deploy.stub_provider.protocols.openai_media import size_of
from deploy.stub_provider.script import without_marks

SIZES = {"1K": "1024x1024", "2K": "2048x2048", "3K": "3072x3072", "4K": "4096x4096"}
MAX_GIVEN = 14
FRAMES_PER_SECOND = 24
RESOLUTIONS = {"480p": 864 * 496, "720p": 1280 * 720, "1080p": 1920 * 1080}
WORDS = {
    JobStatus.STARTING: "queued",
    JobStatus.PROCESSING: "running",
    JobStatus.SUCCEEDED: "succeeded",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELED: "cancelled",
}


def make_images(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /api/v3/images/generations: one image, marked with the number of its sources."""
    request.text("model")
    prompt = request.text("prompt")
    given = count_urls(request.body.get("image"), "image")
    if given > MAX_GIVEN:
        raise StubRefused(400, f"(stub) 'image' is {MAX_GIVEN} images at most.", param="image")
    asked = request.body.get("size", "2K")
    size = size_of(SIZES.get(asked, asked) if isinstance(asked, str) else asked)
    form = request.choice("response_format", "url", {"url", "b64_json"})
    seed = seed_of(request.model, without_marks(prompt), request.body.get("image"))
    name = picture_name(
        seed, *size, request.choice("output_format", "jpeg", {"jpeg", "png"}), given
    )
    at = {"url": f"{request.base_url}/files/{name}"}
    data = at if form == "url" else {"b64_json": make_file(name).base64}
    tokens = size[0] * size[1] // 256
    usage = {"generated_images": 1, "output_tokens": tokens, "total_tokens": tokens}
    listed = [{**data, "size": f"{size[0]}x{size[1]}"}]
    whole = {"model": request.model, "created": int(time.time()), "data": listed, "usage": usage}
    return with_usage(answer_json(whole), count_tokens(prompt), tokens)


def create_task(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /api/v3/contents/generations/tasks: a video."""
    request.text("model")
    resolution = request.choice("resolution", "720p", RESOLUTIONS)
    seconds = request.whole("duration", 5, most=30)
    content = request.body.get("content")
    parts = (
        [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []
    )
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    if not texts:
        raise StubRefused(400, "(stub) 'content' needs a text.", param="content")
    frames = {
        str(part.get("role", "first_frame")): _url_of(part) for part in parts if _url_of(part)
    }
    count_urls(list(frames.values()), "content")
    values = {**frames, "prompt": texts[-1], "duration": seconds, "resolution": resolution}
    return answer_json({"id": submitted_job(request, stub, f"{request.model}-video", values).id})


def show_task(request: StubRequest, stub: Stub) -> StubAnswer:
    """GET …/tasks/{id}."""
    job = polled_job(request, stub)
    status = job.status(stub.jobs.clock())
    seen: dict[str, Any] = {
        "id": job.id,
        "model": job.model.removesuffix("-video"),
        "status": WORDS[status],
        "created_at": int(job.created_at),
        "updated_at": int(stub.jobs.clock()),
        "framespersecond": FRAMES_PER_SECOND,
        **{name: job.input[name] for name in ("duration", "resolution")},
    }
    if status is JobStatus.SUCCEEDED:
        tokens = _tokens_of(job)
        [name] = output_of(job).names
        seen["content"] = {"video_url": f"{request.base_url}/files/{name}"}
        seen["usage"] = {"completion_tokens": tokens, "total_tokens": tokens}
    elif status is JobStatus.FAILED:
        seen["error"] = {"code": "InternalServiceError", "message": FAILURE}
    return answer_json(seen)


def delete_task(request: StubRequest, stub: Stub) -> StubAnswer:
    """DELETE …/tasks/{id}: a task that has not ended is cancelled."""
    cancel_job(request, stub)
    return answer_json({})


def _tokens_of(job: StubJob) -> int:
    pixels = RESOLUTIONS[job.input["resolution"]]
    return int(pixels * FRAMES_PER_SECOND * job.input["duration"] / 1024)


def _url_of(part: Mapping[str, Any]) -> Any:
    image = part.get("image_url")
    return image.get("url") if isinstance(image, dict) else None
