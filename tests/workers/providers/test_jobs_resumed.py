"""A job at a provider is begun once: the next attempt, by any worker, polls it."""

from collections.abc import Iterator

import pytest
from aiohttp import web

from engine.executions.statuses import ExecutionStatus
from engine.models.registry import use_models
from engine.process.pool import Pool
from engine.store import Store
from engine.store.executions.advance import Step
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.http.providers import Provider, provided
from tests.support.manifests import PROMPT
from tests.support.models.provider_walker import PRICE, ProviderWalker, asking
from tests.support.workers.paying_account import PRO
from workers.outbound.client import Egress
from workers.providers import jobs
from workers.walk.resume.checkpoints import ExecutionCheckpoints

JOB = """
path = "/jobs"
body = { prompt = "{{ prompt }}" }
result = "output"

[http.job]
id = "id"
path = "/jobs/{{ job }}"
status = "status"
done = ["succeeded"]
failed = ["failed"]
cancel_path = "/jobs/{{ job }}/cancel"
"""
RUNNING = {"status": "processing"}
DONE = {"status": "succeeded", "output": "Hello"}
RETRY = {"attempts": 2, "backoff": 0}


@pytest.fixture
def provider_walker(
    runner: Runner, egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ProviderWalker]:
    monkeypatch.setattr(jobs, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(jobs, "MAX_PAUSE_SECONDS", 0.02)
    with use_models([provided("http", JOB, fields=PROMPT)]):
        yield ProviderWalker(runner=runner, egress=egress, pool=Pool(slots=1))


def submits(provider: Provider) -> int:
    return sum(each.method == "POST" for each in provider.asked)


async def polled(provider: Provider, path: str) -> None:
    """Wait until a job was polled, which is then on record."""

    async def is_polled() -> bool:
        return any((each.method, each.path) == ("GET", path) for each in provider.asked)

    await eventually(is_polled)


async def test_a_worker_that_takes_over_asks_after_the_job_of_the_one_that_died(
    provider_walker: ProviderWalker, provider: Provider
) -> None:
    provider.at = {"/jobs": [{"id": "j-1"}], "/jobs/j-1": [RUNNING]}
    first, execution_id = await provider_walker.begin(asking(provider.url))
    await polled(provider, "/jobs/j-1")
    reference = keyspace.reference(provider_walker.runner.account.id, execution_id)

    await provider_walker.runner.store.walks.give_back(reference, "worker-1", is_lost=True)
    second = provider_walker.walker("worker-2")
    second.take_hint(reference)
    provider.at["/jobs/j-1"] = [DONE]
    execution = await provider_walker.runner.end(execution_id)
    for walker in (first, second):
        await walker.drain(1)

    assert submits(provider) == 1, "the provider was given the job a second time"
    assert execution.result == {"text": "Hello"}
    assert execution.nodes[0].attempts == 2
    assert await provider_walker.paid() == PRICE


async def test_a_walker_that_shares_an_execution_finds_the_jobs_that_another_has_begun(
    provider_walker: ProviderWalker, store: Store
) -> None:
    """The worker that ends an execution cancels jobs that no attempt resumes."""
    slug = await provider_walker.runner.save(asking("http://127.0.0.1:9"))
    execution_id = await provider_walker.runner.begin(slug, terms=PRO)
    reference = keyspace.reference(provider_walker.runner.account.id, execution_id)
    _, plan = await store.workflows.plan(slug)
    mine = await store.walks.claim(reference, "worker-1")
    assert mine is not None and plan is not None
    await store.walks.advance(mine.lease, 1, Step(shares_work=True))
    theirs = await store.walks.claim(reference, "worker-2")
    assert theirs is not None
    record = {"model": "own", "id": "j-1", "round": 0}

    await store.walks.advance(theirs.lease, 1, Step(claimed=[0]))
    await store.checkpoints.save_job(theirs.lease, 0, 0, pack(record), must_cancel=True)

    execution_checkpoints = ExecutionCheckpoints(store.checkpoints, store.offloaded, mine, plan)
    assert await execution_checkpoints.find_unfinished_jobs([0], must_read=True) == [record]
    assert await execution_checkpoints.find_unfinished_jobs([], must_read=True) == []


async def test_an_attempt_after_one_that_failed_asks_after_the_jobs_that_still_run(
    provider_walker: ProviderWalker, provider: Provider
) -> None:
    """One item of a list fails; the other's job goes on at its provider during the retry."""
    provider.at = {
        "/long/jobs": [{"id": "j-1"}],
        "/long/jobs/j-1": [RUNNING],
        "/flaky/jobs": [web.Response(status=503), {"id": "j-2"}],
        "/flaky/jobs/j-2": [RUNNING, DONE],
    }
    urls = [{"value": f"At {provider.url}/{path}"} for path in ("long", "flaky")]
    graph = Graph().node("l", "list", items=urls).node("out", "responseOutput")
    graph.node("m", "customModel", model="own", retry=RETRY)
    walker, execution_id = await provider_walker.begin(
        graph.wire("l.items-out > m.prompt-in", "m.text-out > out.result-in")
    )

    await polled(provider, "/flaky/jobs/j-2")
    provider.at["/long/jobs/j-1"] = [DONE]
    execution = await provider_walker.runner.end(execution_id)
    await walker.drain(1)

    posts = [each.path for each in provider.asked if each.method == "POST"]
    assert posts.count("/long/jobs") == 1, "the job that still ran was begun a second time"
    assert posts.count("/flaky/jobs") == 2
    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.nodes[1].attempts == 2
    assert await provider_walker.paid() == 2 * PRICE
