"""Jobs at providers: submitted once, polled, resumed, and cancelled when abandoned."""

import asyncio
import time
from typing import Any

import httpx
import pytest
from aiohttp import web

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.providers import Provider, provided
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.workers.job_workers import poll_quickly
from workers.providers import jobs
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller

JOB = """
path = "/jobs"
body = { input = { prompt = "{{ prompt }}" } }
result = "output"
error = "error"
idempotency_header = "Idempotency-Key"

[http.job]
id = "id"
path = "/jobs/{{ job }}"
status = "status"
done = ["succeeded"]
failed = ["failed", "canceled"]
progress = "progress"
cancel_path = "/jobs/{{ job }}/cancel"
"""
STARTED = {"id": "j-1", "status": "starting"}
RUNNING = {"id": "j-1", "status": "processing", "progress": 0.4}
DONE = {"id": "j-1", "status": "succeeded", "output": "https://cdn.example/1.mp4"}
FAILED = {"id": "j-1", "status": "failed", "error": "Out of memory"}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    poll_quickly(monkeypatch)
    monkeypatch.setattr(jobs, "MAX_RETRY_AFTER_SECONDS", 0.3)


def video(more: str = JOB) -> Model:
    return provided("http", more, category="video")


async def run(
    models: ModelCaller, checkpoints: RecordedCheckpoints, found: Model | None = None, item: int = 0
) -> Any:
    model_call = ModelCall(checkpoints=checkpoints, item=item)
    return (await models.call(found or video(), {"prompt": "a cat"}, model_call)).value


async def fail(
    models: ModelCaller, checkpoints: RecordedCheckpoints, found: Model | None = None
) -> NodeFailed:
    with pytest.raises(NodeFailed) as raised:
        await run(models, checkpoints, found)
    return raised.value


def asked(provider: Provider) -> list[str]:
    return [f"{each.method} {each.path}" for each in provider.asked]


# -- the usual way --------------------------------------------------------------------------------


async def test_a_job_is_submitted_put_on_record_and_asked_after(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    provider.answers = [STARTED, RUNNING, DONE]

    assert await run(models, checkpoints, item=3) == "https://cdn.example/1.mp4"

    assert asked(provider) == ["POST /jobs", "GET /jobs/j-1", "GET /jobs/j-1"]
    assert provider.asked[0].body == {"input": {"prompt": "a cat"}}
    assert provider.asked[0].headers["Idempotency-Key"] == "x-3"
    assert checkpoints.saved == [(3, {"model": "own", "id": "j-1", "round": 0})]


def test_the_pauses_grow_from_half_a_second_to_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    pauses = [jobs.FIRST_PAUSE_SECONDS]
    while len(pauses) < 17:
        pauses.append(jobs.next_pause(pauses[-1]))

    assert pauses[:3] == [0.5, 0.625, 0.78125]
    assert pauses[-4] < 10 and pauses[-3:] == [10, 10, 10]
    assert jobs.next_pause(0.5, 20) == 20
    assert jobs.next_pause(0.5, 10_000) == 60


async def test_progress_is_published(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    answers = [RUNNING | {"progress": value} for value in (0.25, 50, 200, "half", None, True)]
    provider.answers = [STARTED, *answers, DONE]
    shares: list[float] = []

    await models.call(
        video(), {"prompt": "x"}, ModelCall(checkpoints=checkpoints, publish_progress=shares.append)
    )

    assert shares == [0.25, 0.5, 1.0]


async def test_the_result_may_be_fetched_by_itself(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    more = JOB.replace('result = "output"', 'result = "video.url"') + 'result_path = "/r/{{ job }}"'
    provider.answers = [STARTED, DONE, {"video": {"url": "https://cdn.example/2.mp4"}}]

    assert await run(models, checkpoints, video(more)) == "https://cdn.example/2.mp4"
    assert asked(provider)[-1] == "GET /r/j-1"


async def test_an_id_is_no_way_to_another_place(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    provider.answers = [STARTED | {"id": "../../admin?x=1"}, DONE]

    await run(models, checkpoints)

    assert asked(provider)[-1] == "GET /jobs/..%2F..%2Fadmin%3Fx=1"


@pytest.mark.parametrize("reply", [{}, {"id": ""}, {"id": "x" * 501}, {"id": True}, {"id": []}])
async def test_a_submit_without_an_id_is_a_bad_answer(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints, reply: Any
) -> None:
    provider.answers = [reply]

    assert (await fail(models, checkpoints)).code == "PROVIDER_BAD_RESPONSE"
    assert checkpoints.saved == []


# -- taken up again -------------------------------------------------------------------------------


async def test_a_job_on_record_is_asked_after_and_not_submitted_again(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    checkpoints.jobs[0] = {"model": "own", "id": "j-1", "round": 0}
    provider.answers = [DONE]

    assert await run(models, checkpoints) == "https://cdn.example/1.mp4"
    assert asked(provider) == ["GET /jobs/j-1"]


async def test_the_record_of_another_model_is_not_this_ones(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    checkpoints.jobs[0] = {"model": "other", "id": "j-9", "round": 0}
    provider.answers = [STARTED, DONE]

    await run(models, checkpoints)

    assert asked(provider) == ["POST /jobs", "GET /jobs/j-1"]


async def test_questions_that_fail_are_asked_again(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    broken = web.Response(status=503)
    slow_down = web.Response(status=429, headers={"Retry-After": "20"})
    provider.answers = [STARTED, broken, slow_down, broken, DONE]

    began = time.monotonic()
    assert await run(models, checkpoints) == "https://cdn.example/1.mp4"
    assert time.monotonic() - began >= 0.3


async def test_a_submit_that_was_not_put_on_record_is_the_same_job_when_it_is_made_again(
    stubbed: ModelCaller,
    stub_url: str,
    checkpoints: RecordedCheckpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def die(item: int, record: Any) -> None:
        raise NodeFailed("worker_lost", "It died here", retryable=True)

    async def count() -> tuple[int, int]:
        async with httpx.AsyncClient() as client:
            jobs = (await client.get(f"{stub_url}/stub/calls")).json()["jobs"]
            return jobs["created"], jobs["replayed"]

    created, replayed = await count()
    found = provided("http", JOB, category="image")
    with monkeypatch.context() as dying:
        dying.setattr(checkpoints, "save_job", die)
        failure = await fail(stubbed, checkpoints, found)

    await run(stubbed, checkpoints, found)

    assert failure.code == "worker_lost"
    assert await count() == (created + 1, replayed + 1)


# -- failed rounds --------------------------------------------------------------------------------


async def test_a_failed_job_fails_the_attempt_and_the_next_begins_another(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    provider.answers = [STARTED, FAILED]
    failure = await fail(models, checkpoints)
    provider.answers = [STARTED | {"id": "j-2"}, DONE]

    await run(models, checkpoints)

    assert (failure.code, failure.message) == ("PROVIDER_REJECTED", "Out of memory")
    keys = [each.headers["Idempotency-Key"] for each in provider.asked if each.method == "POST"]
    assert keys == ["x-0", "x-0-1"]
    assert checkpoints.jobs[0] == {"model": "own", "id": "j-2", "round": 1}


async def test_a_result_that_cannot_be_fetched_now_is_fetched_by_the_next_attempt(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    more = JOB.replace('result = "output"', 'result = "url"') + 'result_path = "/r/{{ job }}"'
    provider.answers = [STARTED, DONE, web.Response(status=503)]
    failure = await fail(models, checkpoints, video(more))
    provider.answers = [DONE, {"url": "https://cdn.example/3.mp4"}]

    assert await run(models, checkpoints, video(more)) == "https://cdn.example/3.mp4"

    assert failure.retryable
    assert [each for each in asked(provider) if each.startswith("POST")] == ["POST /jobs"]


async def test_a_job_that_is_done_with_an_error_has_failed(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    more = JOB + '\nerror = "error"'
    provider.answers = [STARTED, DONE | {"error": "Not that"}]

    failure = await fail(models, checkpoints, video(more))

    assert (failure.code, failure.message) == ("PROVIDER_REJECTED", "Not that")


async def test_a_job_that_takes_too_long_is_cancelled(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    provider.answers = [STARTED, RUNNING]
    more = JOB.replace('path = "/jobs"\n', 'path = "/jobs"\ntimeout_seconds = 0.2\n')

    failure = await fail(models, checkpoints, video(more))

    assert (failure.code, failure.retryable) == ("PROVIDER_TIMEOUT", True)
    assert asked(provider)[-1] == "POST /jobs/j-1/cancel"
    assert checkpoints.jobs[0] == {"model": "own", "round": 1}


async def test_a_job_whose_node_has_no_time_left_is_cancelled(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    provider.answers = [STARTED, RUNNING]
    loop = asyncio.get_running_loop()
    model_call = ModelCall(checkpoints=checkpoints, deadline=loop.time() + PATIENCE_SECONDS)
    call = asyncio.create_task(models.call(video(), {"prompt": "x"}, model_call))
    while len(provider.asked) < 2:
        await asyncio.sleep(0.01)

    object.__setattr__(model_call, "deadline", loop.time())  # its time is up now
    call.cancel()
    with pytest.raises(NodeFailed) as raised:
        await call

    assert (raised.value.code, raised.value.retryable) == ("PROVIDER_TIMEOUT", True)
    assert asked(provider)[-1] == "POST /jobs/j-1/cancel"


@pytest.mark.parametrize("is_given_up", [True, False])
async def test_a_job_is_cancelled_when_no_attempt_resumes_it(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints, is_given_up: bool
) -> None:
    provider.answers = [STARTED, RUNNING]
    call = asyncio.create_task(run(models, checkpoints))
    while len(provider.asked) < 2:
        await asyncio.sleep(0.01)

    checkpoints.is_given_up = is_given_up
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    cancels = [each for each in asked(provider) if each.endswith("/cancel")]
    assert cancels == ["POST /jobs/j-1/cancel"] * is_given_up
    assert ("id" in checkpoints.jobs[0]) is not is_given_up


async def test_a_cancel_that_is_refused_is_no_failure_of_its_own(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    provider.answers = [STARTED, RUNNING]
    call = asyncio.create_task(run(models, checkpoints))
    while len(provider.asked) < 2:
        await asyncio.sleep(0.01)
    provider.answers = [web.Response(status=500)]

    checkpoints.is_given_up = True
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call


# -- answers that cannot be used ------------------------------------------------------------------

GONE = web.Response(status=404, text="{}")
GARBLED = web.Response(text="<html>")
BUSY = web.Response(status=503)


@pytest.mark.parametrize(
    ("answers", "code", "message"),
    [
        ([GONE] * 3, "PROVIDER_REJECTED", "The provider answered 404"),
        ([GARBLED] * 3, "PROVIDER_BAD_RESPONSE", "The provider's answer is not JSON"),
        ([GONE, GARBLED, BUSY, GONE], "PROVIDER_REJECTED", "The provider answered 404"),
        ([web.Response(status=401)], "PROVIDER_REJECTED", "The provider answered 401"),
    ],
    ids=["404", "unreadable", "busy between", "401"],
)
async def test_a_job_that_cannot_be_asked_after_fails_and_is_cancelled(
    models: ModelCaller,
    provider: Provider,
    checkpoints: RecordedCheckpoints,
    answers: list[web.Response],
    code: str,
    message: str,
) -> None:
    provider.answers = [STARTED, RUNNING, *answers, RUNNING]

    failure = await fail(models, checkpoints)

    assert (failure.code, failure.message, failure.retryable) == (code, message, False)
    polls = ["GET /jobs/j-1"] * (1 + len(answers))
    assert asked(provider) == ["POST /jobs", *polls, "POST /jobs/j-1/cancel"]
    assert checkpoints.jobs[0] == {"model": "own", "round": 1}


@pytest.mark.parametrize("bad", [GONE, GARBLED], ids=["404", "unreadable"])
async def test_a_good_answer_lets_two_bad_ones_in_a_row_come_again(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints, bad: web.Response
) -> None:
    provider.answers = [STARTED, bad, bad, RUNNING, bad, BUSY, bad, RUNNING, bad, bad, DONE]

    assert await run(models, checkpoints) == "https://cdn.example/1.mp4"
    assert not [each for each in asked(provider) if each.endswith("/cancel")]


async def test_a_result_that_is_late_is_fetched_and_one_that_never_comes_fails(
    models: ModelCaller, provider: Provider, checkpoints: RecordedCheckpoints
) -> None:
    more = JOB.replace('result = "output"', 'result = "url"') + 'result_path = "/r/{{ job }}"'
    provider.answers = [STARTED, DONE, GONE, GARBLED, {"url": "https://cdn.example/3.mp4"}]
    first = await run(models, checkpoints, video(more))
    provider.asked.clear()
    provider.answers = [DONE, GONE]
    failure = await fail(models, checkpoints, video(more))

    assert first == "https://cdn.example/3.mp4"
    assert failure.code == "PROVIDER_REJECTED"
    assert asked(provider) == ["GET /jobs/j-1", *["GET /r/j-1"] * 3]
    assert checkpoints.jobs[0] == {"model": "own", "round": 1}


# -- the stub -------------------------------------------------------------------------------------


async def test_a_job_at_the_stub_gives_a_picture(
    stubbed: ModelCaller, checkpoints: RecordedCheckpoints
) -> None:
    value = await run(stubbed, checkpoints, provided("http", JOB, category="image"))

    assert "/files/" in value
