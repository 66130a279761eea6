"""Submit and poll, in the formats of two providers over the same jobs.

Replicate: replicate.com/docs/reference/http (predictions.create, .get, .cancel); `POST /jobs` is
the same under a neutral path, and `progress` is the stub's own. fal: docs.fal.ai, "Queue" (submit,
status, response, cancel).
"""

from datetime import UTC, datetime
from typing import Any

from deploy.stub_provider.contents.files import CONTENT_TYPES
from deploy.stub_provider.contents.outputs import Output, OutputKind, check_kind, output_of
from deploy.stub_provider.endpoint import Stub
from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.exchange import StubAnswer, StubRequest, answer_json
from deploy.stub_provider.jobs import ENDED, JobStatus, StubJob

FAILURE = "(stub) The job failed, as asked."


def submit(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /jobs, /v1/predictions and /v1/models/{owner}/{name}/predictions."""
    values = request.body.get("input")
    if not isinstance(values, dict):
        raise StubRefused(422, "(stub) 'input' must be an object.", param="input")
    model = request.model or "/".join(
        request.path.get(name, "") for name in ("owner", "name")
    ).strip("/")
    job = submitted_job(request, stub, model, values)
    return answer_json(prediction(job, request.base_url, stub.jobs.clock()), status=201)


def show(request: StubRequest, stub: Stub) -> StubAnswer:
    """GET of a job."""
    job = polled_job(request, stub)
    return answer_json(prediction(job, request.base_url, stub.jobs.clock()))


def cancel(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST …/cancel; a job that has ended stays as it is."""
    cancel_job(request, stub)
    return answer_json(prediction(find_job(request, stub), request.base_url, stub.jobs.clock()))


def queue(request: StubRequest, stub: Stub) -> StubAnswer:
    """POST /fal/{model}."""
    job = submitted_job(request, stub, request.path["model"], request.body)
    return answer_json(
        {**_queue_urls(job, request.base_url), "status": "IN_QUEUE", "queue_position": 0}
    )


def queue_status(request: StubRequest, stub: Stub) -> StubAnswer:
    """GET /fal/{model}/requests/{id}/status."""
    job = polled_job(request, stub)
    now = stub.jobs.clock()
    words = {JobStatus.STARTING: "IN_QUEUE", JobStatus.PROCESSING: "IN_PROGRESS"}
    word = words.get(job.status(now), "COMPLETED")
    seen: dict[str, Any] = {**_queue_urls(job, request.base_url), "status": word}
    if word == "IN_QUEUE":
        seen["queue_position"] = 0
    elif word == "IN_PROGRESS":
        seen["logs"] = [{"message": f"{job.progress(now):.0%}", "level": "INFO"}]
    elif job.status(now) is JobStatus.FAILED:
        seen["error"] = FAILURE
    return answer_json(seen, status=200 if word == "COMPLETED" else 202)


def queue_response(request: StubRequest, stub: Stub) -> StubAnswer:
    """GET /fal/{model}/requests/{id}: the output."""
    job = find_job(request, stub)
    match job.status(stub.jobs.clock()):
        case JobStatus.SUCCEEDED:
            return answer_json(_made(output_of(job), request.base_url))
        case JobStatus.FAILED:
            raise StubRefused(500, FAILURE)
        case JobStatus.CANCELED:
            raise StubRefused(499, "(stub) The request was cancelled.")
    raise StubRefused(400, "Request is still in progress")


def queue_cancel(request: StubRequest, stub: Stub) -> StubAnswer:
    """PUT /fal/{model}/requests/{id}/cancel."""
    if cancel_job(request, stub):
        return answer_json({"status": "CANCELLATION_REQUESTED"}, status=202)
    return answer_json({"status": "ALREADY_COMPLETED"}, status=400)


def prediction(job: StubJob, base_url: str, now: float) -> dict[str, Any]:
    """Return a job in Replicate's format."""
    status = job.status(now)
    done = status in ENDED
    ended_at = job.canceled_at or job.ends_at
    at = f"{base_url}/v1/predictions/{job.id}"
    return {
        "id": job.id,
        "model": job.model,
        "version": job.model,
        "input": job.input,
        "status": status,
        "progress": round(job.progress(now), 3),
        "logs": f"{job.progress(now):.0%}| (stub)\n",
        "output": _listed(output_of(job), base_url) if status is JobStatus.SUCCEEDED else None,
        "error": FAILURE if status is JobStatus.FAILED else None,
        "created_at": _iso(job.created_at),
        "started_at": None if status is JobStatus.STARTING else _iso(job.created_at),
        "completed_at": _iso(ended_at) if done else None,
        "metrics": {"predict_time": round(ended_at - job.created_at, 3)} if done else {},
        "urls": {"get": at, "cancel": f"{at}/cancel"},
    }


def submitted_job(request: StubRequest, stub: Stub, model: str, values: Any) -> StubJob:
    """Return a new job, or the existing one of the idempotency key. Raises StubRefused."""
    check_kind(request.script.output)
    key = request.headers.get("idempotency-key")
    job, is_new = stub.jobs.submit(model, values, request.script, key)
    stub.calls.job("created" if is_new else "replayed")
    return job


def find_job(request: StubRequest, stub: Stub, job_id: str = "") -> StubJob:
    """Return the job of the path, or of another id. Raises StubRefused."""
    job = stub.jobs.find(job_id or request.path.get("id", ""))
    if job is None:
        raise StubRefused(404, "(stub) There is no such job.")
    return job


def polled_job(request: StubRequest, stub: Stub, job_id: str = "") -> StubJob:
    """Return the job for a poll, which a script may let fail. Raises StubRefused."""
    job = find_job(request, stub, job_id)
    job.polls += 1
    script = job.script
    if script.poll and (not script.times or job.polls <= script.times):
        raise StubRefused(script.poll, f"(stub) Status {script.poll} to a poll, as asked.")
    return job


def cancel_job(request: StubRequest, stub: Stub) -> bool:
    """Cancel the job of the path; return False when it had ended before. Raises StubRefused."""
    is_cancelled = stub.jobs.cancel(find_job(request, stub))
    if is_cancelled:
        stub.calls.job("cancelled")
    return is_cancelled


def _listed(output: Output, base_url: str) -> Any:
    urls = [f"{base_url}/files/{name}" for name in output.names]
    if output.kind is OutputKind.TEXT:
        return output.text
    return urls if output.kind is OutputKind.IMAGE else urls[0]


def _made(output: Output, base_url: str) -> dict[str, Any]:
    files = [
        {
            "url": f"{base_url}/files/{name}",
            "content_type": CONTENT_TYPES[name.rpartition(".")[2]],
            "file_name": name,
        }
        for name in output.names
    ]
    match output.kind:
        case OutputKind.TEXT:
            return {"output": output.text}
        case OutputKind.IMAGE:
            return {"images": files}
    return {output.kind.value: files[0]}


def _queue_urls(job: StubJob, base_url: str) -> dict[str, Any]:
    at = f"{base_url}/fal/{job.model}/requests/{job.id}"
    return {
        "request_id": job.id,
        "response_url": at,
        "status_url": f"{at}/status",
        "cancel_url": f"{at}/cancel",
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
