"""sunoapi.org: a task that makes two songs and is polled.

From its own pages, docs.sunoapi.org/suno-api/generate-music and …/get-music-generation-details.
"""

from typing import Any

from deploy.stub_provider.contents.files import seed_of, timed_name
from deploy.stub_provider.endpoint import Stub
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.exchange import StubAnswer, StubRequest, answer_json
from deploy.stub_provider.jobs import JobStatus, StubJob
from deploy.stub_provider.protocols.job_protocols import FAILURE, polled_job, submitted_job
from deploy.stub_provider.script import without_marks

SONGS = 2
SECONDS = 8.0
MAX_PROMPT = 500
WORDS = {
    JobStatus.STARTING: "PENDING",
    JobStatus.PROCESSING: "TEXT_SUCCESS",
    JobStatus.SUCCEEDED: "SUCCESS",
    JobStatus.FAILED: "GENERATE_AUDIO_FAILED",
    JobStatus.CANCELED: "GENERATE_AUDIO_FAILED",
}


def generate(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /api/v1/generate."""
    model, prompt = request.text("model"), request.text("prompt")
    request.text("callBackUrl")
    for name in ("customMode", "instrumental"):
        if not isinstance(request.body.get(name), bool):
            raise StubRefused(400, f"(stub) '{name}' must be true or false.", param=name)
    if len(prompt) > MAX_PROMPT and not request.body["customMode"]:
        raise StubRefused(413, f"(stub) 'prompt' has over {MAX_PROMPT} characters.", param="prompt")
    job = submitted_job(request, stub, f"suno-{model}", request.body)
    return _answer({"taskId": job.id})


def show_record(request: StubRequest, stub: Stub) -> StubAnswer:
    """GET /api/v1/generate/record-info?taskId=…"""
    job = polled_job(request, stub, request.query.get("taskId", ""))
    status = job.status(stub.jobs.clock())
    songs = _songs(job, request.base_url) if status is JobStatus.SUCCEEDED else []
    failed = WORDS[status] == "GENERATE_AUDIO_FAILED"
    return _answer(
        {
            "taskId": job.id,
            "status": WORDS[status],
            "type": "GENERATE",
            "response": {"taskId": job.id, "sunoData": songs},
            "errorCode": 500 if failed else None,
            "errorMessage": FAILURE if failed else None,
        }
    )


def _songs(job: StubJob, base_url: str) -> list[dict[str, Any]]:
    prompt = without_marks(str(job.input["prompt"]))
    names = [
        timed_name(seed_of(job.model, prompt, number), SECONDS, "wav") for number in range(SONGS)
    ]
    return [
        {
            "id": name.partition("-")[0],
            "audioUrl": f"{base_url}/files/{name}",
            "title": "(stub)",
            "modelName": job.model,
            "duration": SECONDS,
        }
        for name in names
    ]


def _answer(data: dict[str, Any]) -> StubAnswer:
    return answer_json({"code": 200, "msg": "success", "data": data})
