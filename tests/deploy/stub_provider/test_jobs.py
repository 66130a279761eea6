import struct
from typing import Any

import pytest
from starlette.testclient import TestClient

from deploy.stub_provider.jobs import JobStatus, StubJob
from deploy.stub_provider.script import CallScript
from tests.support.eventually import eventually

HOURS = {"x-stub": "job=3600000"}
AT_ONCE = {"x-stub": "job=0"}


def submit(stub: TestClient, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    payload = {"model": "acme/painter", "input": {"prompt": "cat"}, **body}
    answer = stub.post("/v1/predictions", json=payload, headers=headers)
    assert answer.status_code == 201
    reply: dict[str, Any] = answer.json()
    return reply


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        (0.5, JobStatus.STARTING),
        (1, JobStatus.PROCESSING),
        (9.9, JobStatus.PROCESSING),
        (10, JobStatus.SUCCEEDED),
    ],
)
def test_a_jobs_status_follows_from_the_clock(seconds: float, status: JobStatus) -> None:
    job = StubJob(id="a", model="m", input={}, script=CallScript(job=10_000), created_at=1000)

    assert job.status(1000 + seconds) is status
    assert job.progress(1000 + seconds) == pytest.approx(seconds / 10)


async def test_a_job_runs_and_then_has_its_pictures(stub: TestClient) -> None:
    body = {"input": {"prompt": "cat", "num_outputs": 2, "aspect_ratio": "16:9"}}

    job = submit(stub, {"x-stub": "job=80"}, **body)

    assert (job["status"], job["output"], job["completed_at"]) == ("starting", None, None)
    assert job["model"] == "acme/painter"

    async def poll() -> Any:
        return stub.get(job["urls"]["get"]).json()

    ended = await eventually(poll, lambda observed: observed["status"] == "succeeded")
    assert ended["progress"] == 1.0
    assert ended["metrics"]["predict_time"] == 0.08
    files = [stub.get(url) for url in ended["output"]]
    assert [file.headers["content-type"] for file in files] == ["image/png"] * 2
    assert struct.unpack(">II", files[0].content[16:24]) == (512, 288)
    assert files[0].content != files[1].content


def test_a_job_shows_its_progress_while_it_runs(stub: TestClient) -> None:
    job = submit(stub, HOURS)

    observed = stub.get(job["urls"]["get"]).json()

    assert (observed["status"], observed["error"]) == ("starting", None)
    assert 0 < float(observed["progress"]) + 0.001 < 0.1


@pytest.mark.parametrize(
    ("model", "script", "start"),
    [
        ("acme/kling-video", "job=0", b"\0\0\0\x20ftypisom"),
        ("acme/music", "job=0", b"RIFF"),
        ("acme/painter", "job=0 output=video", b"\0\0\0\x20ftypisom"),
    ],
)
def test_what_a_job_makes_follows_from_its_model_and_its_script(
    stub: TestClient, model: str, script: str, start: bytes
) -> None:
    job = submit(stub, {"x-stub": script}, model=model)

    made = stub.get(job["output"]).content

    assert made.startswith(start)


def test_a_job_of_text_echoes_its_prompt(stub: TestClient) -> None:
    assert submit(stub, AT_ONCE, model="acme/text")["output"] == "(stub) cat"


def test_a_scripted_job_fails(stub: TestClient) -> None:
    job = submit(stub, {"x-stub": "job=0 end=failed"})

    assert (job["status"], job["output"]) == ("failed", None)
    assert job["error"] == "(stub) The job failed, as asked."


def test_the_same_idempotency_key_is_the_same_job(stub: TestClient) -> None:
    first = submit(stub, {**HOURS, "idempotency-key": "one"})
    again = submit(stub, {**HOURS, "idempotency-key": "one"})
    other = submit(stub, {**HOURS, "idempotency-key": "two"})

    assert first["id"] == again["id"] != other["id"]
    report = stub.get("/stub/calls").json()
    assert report["jobs"] == {"created": 2, "replayed": 1, "cancelled": 0}
    assert [call["idempotencyKey"] for call in report["recent"]] == ["one", "one", "two"]


def test_a_job_is_cancelled_once(stub: TestClient) -> None:
    job = submit(stub, HOURS)

    stub.post(job["urls"]["cancel"])
    again = stub.post(job["urls"]["cancel"]).json()

    assert (again["status"], again["output"]) == ("canceled", None)
    assert again["completed_at"] is not None
    assert stub.get("/stub/calls").json()["jobs"]["cancelled"] == 1


def test_a_job_that_has_ended_is_not_cancelled(stub: TestClient) -> None:
    job = submit(stub, AT_ONCE)

    assert stub.post(job["urls"]["cancel"]).json()["status"] == "succeeded"


def test_polls_fail_as_often_as_the_submit_asked(stub: TestClient) -> None:
    job = submit(stub, {"x-stub": "job=0 poll=503 times=2"})

    polls = [stub.get(job["urls"]["get"]) for _ in range(3)]

    assert [poll.status_code for poll in polls] == [503, 503, 200]
    assert polls[0].json()["title"] == "Service Unavailable"


def test_an_unknown_job_is_refused_in_replicates_form(stub: TestClient) -> None:
    answer = stub.get("/v1/predictions/nobody")

    assert answer.json() == {
        "title": "Not Found",
        "detail": "(stub) There is no such job.",
        "status": 404,
    }


@pytest.mark.parametrize("path", ["/jobs", "/v1/models/acme/painter/predictions"])
def test_jobs_are_submitted_under_other_paths_too(stub: TestClient, path: str) -> None:
    answer = stub.post(path, json={"input": {"prompt": "cat"}}, headers=HOURS)

    assert answer.status_code == 201
    assert stub.get(f"/jobs/{answer.json()['id']}").json()["status"] == "starting"


def test_a_job_without_input_is_refused(stub: TestClient) -> None:
    assert stub.post("/v1/predictions", json={"model": "m"}).status_code == 422


def test_an_output_that_is_none_is_refused(stub: TestClient) -> None:
    answer = stub.post("/jobs", json={"input": {}}, headers={"x-stub": "output=smell"})

    assert answer.status_code == 400


def test_the_queue_of_fal_runs_the_same_jobs(stub: TestClient) -> None:
    queued = stub.post("/fal/acme/kling/v2", json={"prompt": "cat", "duration": "3"}, headers=HOURS)
    waiting = stub.get(queued.json()["status_url"])
    early = stub.get(queued.json()["response_url"])
    done = stub.post("/fal/acme/kling/v2", json={"prompt": "cat", "duration": "3"}, headers=AT_ONCE)
    status = stub.get(done.json()["status_url"])
    made = stub.get(done.json()["response_url"]).json()

    assert queued.json()["status"] == "IN_QUEUE"
    assert (waiting.status_code, waiting.json()["status"]) == (202, "IN_QUEUE")
    assert (early.status_code, early.json()) == (400, {"detail": "Request is still in progress"})
    assert (status.status_code, status.json()["status"]) == (200, "COMPLETED")
    assert made["video"]["content_type"] == "video/mp4"
    assert made["video"]["url"].endswith("-3000.mp4")
    assert stub.get(made["video"]["url"]).status_code == 200


def test_a_request_in_the_queue_of_fal_is_cancelled_once(stub: TestClient) -> None:
    queued = stub.post("/fal/acme/painter", json={"prompt": "cat"}, headers=HOURS).json()

    first = stub.put(queued["cancel_url"])
    again = stub.put(queued["cancel_url"])

    assert (first.status_code, first.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
    assert (again.status_code, again.json()) == (400, {"status": "ALREADY_COMPLETED"})


@pytest.mark.parametrize(
    "name", ["nothing", "0123456789abcdef-10x10.wav", "0123456789abcdef-9.png"]
)
def test_a_file_of_another_name_is_not_there(stub: TestClient, name: str) -> None:
    assert stub.get(f"/files/{name}").status_code == 404
