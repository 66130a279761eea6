"""Submits with an unknown outcome: the job is not begun twice unless the manifest says so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from tests.support.http.providers import (
    MODEL_KEYS,
    Kept,
    calling,
    provided,
)
from tests.support.http.raw_server import Dropping, serving_apart
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.models.slow_submits import (
    BEGUN,
    DONE,
    KNOWN,
    NOTHING,
    STARTED,
    Counts,
    Slow,
    serving_slow,
    video,
)
from tests.support.workers.job_workers import AGAIN, CANCEL, IDEMPOTENT, JOB, poll_quickly
from workers.outbound.client import Egress
from workers.providers import jobs
from workers.providers.base import ModelCall
from workers.providers.model_caller import ModelCaller


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    poll_quickly(monkeypatch)


@pytest.fixture
async def provider(checkpoints: RecordedCheckpoints) -> AsyncIterator[Slow]:
    async with serving_slow(checkpoints) as provider:
        yield provider


async def call(models: ModelCaller, checkpoints: RecordedCheckpoints, found: Model) -> Any:
    return (await models.call(found, {"prompt": "a cat"}, ModelCall(checkpoints=checkpoints))).value


async def fail(models: ModelCaller, checkpoints: RecordedCheckpoints, found: Model) -> NodeFailed:
    with pytest.raises(NodeFailed) as raised:
        await call(models, checkpoints, found)
    return raised.value


@pytest.fixture
def counts() -> Counts:
    return Counts()


# -- records --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "more", "found"),
    [("", "", BEGUN), ("", AGAIN, BEGUN), (IDEMPOTENT, "", None)],
    ids=["plain", "resubmit", "key"],
)
async def test_a_submit_is_on_record_before_it_is_made_where_no_key_protects_it(
    models: ModelCaller,
    provider: Slow,
    checkpoints: RecordedCheckpoints,
    header: str,
    more: str,
    found: Any,
) -> None:
    provider.opened.set()

    await call(models, checkpoints, video(more, header=header))

    assert provider.on_record == [found]
    assert checkpoints.jobs[0] == KNOWN


@pytest.mark.parametrize("status", [400, 404, 429, 503, 504])
async def test_a_submit_that_was_refused_has_begun_nothing(
    models: ModelCaller, provider: Slow, checkpoints: RecordedCheckpoints, status: int
) -> None:
    provider.opened.set()
    provider.answers = [web.Response(status=status), STARTED, DONE]
    await fail(models, checkpoints, video())

    assert checkpoints.jobs[0] == NOTHING
    assert await call(models, checkpoints, video()) == "https://cdn.example/1.mp4"


async def test_a_provider_that_was_not_reached_has_begun_nothing(
    egress: Egress, checkpoints: RecordedCheckpoints
) -> None:
    models = calling(egress, {"PROVIDER_URL": "http://127.0.0.1:9", **MODEL_KEYS}, Kept())

    failure = await fail(models, checkpoints, video())

    assert (failure.code, failure.retryable) == ("PROVIDER_UNAVAILABLE", True)
    assert checkpoints.jobs[0] == NOTHING


# -- unknown outcomes -----------------------------------------------------------------------------


async def test_a_job_that_may_have_begun_fails_the_node_before_anybody_is_asked(
    models: ModelCaller, provider: Slow, checkpoints: RecordedCheckpoints, counts: Counts
) -> None:
    checkpoints.jobs[0] = BEGUN

    failure = await fail(models, checkpoints, video())

    assert (failure.code, failure.retryable) == ("PROVIDER_UNKNOWN", False)
    assert "may have begun the job" in failure.message
    assert (provider.asked, checkpoints.saved) == ([], [])
    assert counts.since() == (0, 1)


async def test_a_manifest_may_have_it_submitted_again(
    models: ModelCaller, provider: Slow, checkpoints: RecordedCheckpoints, counts: Counts
) -> None:
    checkpoints.jobs[0] = BEGUN
    provider.opened.set()

    assert await call(models, checkpoints, video(AGAIN)) == "https://cdn.example/1.mp4"
    assert provider.submits == 1
    assert counts.since() == (1, 0)


async def test_a_provider_that_takes_a_key_is_asked_again_with_the_same_one(
    models: ModelCaller, provider: Slow, checkpoints: RecordedCheckpoints, counts: Counts
) -> None:
    provider.opened.set()

    await call(models, checkpoints, video(header=IDEMPOTENT))
    checkpoints.jobs.clear()
    provider.answers = [STARTED, DONE]
    await call(models, checkpoints, video(header=IDEMPOTENT))

    keys = [each.headers["Idempotency-Key"] for each in provider.asked if each.method == "POST"]
    assert keys == ["x-0", "x-0"]
    assert counts.since() == (0, 0)


async def test_a_submit_whose_answer_was_lost_is_not_repeated_by_a_retry(
    egress: Egress, checkpoints: RecordedCheckpoints, counts: Counts
) -> None:
    found = provided("http", JOB.replace('"/jobs"', '"/drop"'), category="video")
    with serving_apart(Dropping()) as dropping:
        models = calling(egress, {"PROVIDER_URL": dropping.url, **MODEL_KEYS}, Kept())
        first = await fail(models, checkpoints, found)
        second = await fail(models, checkpoints, found)

    assert (first.code, first.retryable) == ("PROVIDER_UNAVAILABLE", True)
    assert second.code == "PROVIDER_UNKNOWN"
    assert dropping.lines == ["POST /drop"]
    assert counts.since() == (0, 1)


async def test_a_submit_that_took_too_long_is_not_repeated_by_a_retry(
    models: ModelCaller,
    provider: Slow,
    checkpoints: RecordedCheckpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "SUBMIT_SECONDS", 0.05)

    first = await fail(models, checkpoints, video())
    second = await fail(models, checkpoints, video())

    assert (first.code, first.retryable) == ("PROVIDER_TIMEOUT", True)
    assert second.code == "PROVIDER_UNKNOWN"
    assert provider.submits <= 1  # none when it took as long to connect


# -- stopped in the middle of a submit ------------------------------------------------------------


async def stop_in_submit(
    models: ModelCaller, provider: Slow, checkpoints: RecordedCheckpoints, found: Model
) -> None:
    """Stop a call whose submit is under way, and let the provider answer a moment later."""
    running = asyncio.create_task(call(models, checkpoints, found))
    await provider.submitted.acquire()
    running.cancel()
    asyncio.get_running_loop().call_later(0.05, provider.opened.set)
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_worker_that_drains_waits_for_the_id_and_puts_it_on_record(
    models: ModelCaller,
    provider: Slow,
    checkpoints: RecordedCheckpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "CANCEL_SECONDS", 30)
    await stop_in_submit(models, provider, checkpoints, video())

    assert checkpoints.jobs[0] == KNOWN
    assert await call(models, checkpoints, video()) == "https://cdn.example/1.mp4"
    assert provider.submits == 1


async def test_a_worker_that_drains_does_not_wait_for_ever(
    models: ModelCaller,
    provider: Slow,
    checkpoints: RecordedCheckpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "CANCEL_SECONDS", 0.01)

    await stop_in_submit(models, provider, checkpoints, video())

    assert checkpoints.jobs[0] == BEGUN
    assert (await fail(models, checkpoints, video())).code == "PROVIDER_UNKNOWN"


async def test_a_job_that_cannot_be_put_on_record_any_more_is_cancelled(
    models: ModelCaller,
    provider: Slow,
    checkpoints: RecordedCheckpoints,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def save(item: int, record: Any) -> None:
        if "id" in record:
            raise NodeFailed("worker_lost", "The node went to another worker", retryable=True)

    monkeypatch.setattr(checkpoints, "save_job", save)
    provider.opened.set()

    failure = await fail(models, checkpoints, video(CANCEL))

    assert failure.code == "worker_lost"
    assert [each.path for each in provider.asked] == ["/jobs", "/jobs/j-1/cancel"]
