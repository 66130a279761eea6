"""Workers killed while providers work for them: no second job unless allowed, and one charge."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.executions.events import EventId, EventName, ExecutionEvent, read_events
from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.models.registry import use_folder
from engine.services.metrics.page import sum_page
from engine.settings import Settings
from engine.store import Store
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.http.providers import ENDPOINT, stub_provider
from tests.support.manifests import manifest
from tests.support.metrics.samples import parse_samples
from tests.support.workers.job_workers import (
    AGAIN,
    IDEMPOTENT,
    JOB,
    JobWorker,
    holder_of,
    job_workers,
)

KILLS = 30
WORKERS = 2
KILLED_STREAMS = 10
LEASE_SECONDS = "1"
ALLOWANCE = 100_000
TERMS = replace(load().terms(Tier.PRO, Role.USER), allowance=ALLOWANCE)
PRICE = 13
"""Credits for one call at 0.010 USD with the markup of a Pro account."""


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    with stub_provider("output=video") as url:
        yield url


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    for name, more, last in (("once", IDEMPOTENT, ""), ("plain", "", ""), ("again", "", AGAIN)):
        call = f"[http]{ENDPOINT}{more}{JOB}{last}"
        (tmp_path / f"{name}.toml").write_text(manifest(name, category="video", call=call))
    chat = f"[openai]{ENDPOINT.replace('PROVIDER_URL', 'CHAT_URL')}model = 'any'\n"
    (tmp_path / "chat.toml").write_text(manifest("chat", call=chat))
    yield replace(settings, models_dir=str(tmp_path))
    use_folder("")


@pytest.fixture
async def workers(
    settings: Settings, store: Store, provider_url: str
) -> AsyncIterator[list[JobWorker]]:
    more = {
        "HEADRACE_LEASE_SECONDS": LEASE_SECONDS,
        "HEADRACE_DRAIN_SECONDS": "0.1",
        "CHAT_URL": f"{provider_url}/v1",
    }
    async with job_workers(settings, store, provider_url, WORKERS, **more) as processes:
        yield processes


async def jobs(url: str) -> dict[str, int]:
    """Return the number of jobs that the provider has begun, and of replayed submissions."""
    async with httpx.AsyncClient() as client:
        found: dict[str, Any] = (await client.get(f"{url}/stub/calls")).json()
        return dict(found["jobs"])


async def kill_holder(store: Store, workers: list[JobWorker]) -> bool:
    """Kill the worker that holds the execution, and restart it; return whether one did."""
    holder = await holder_of(store, workers)
    if holder is not None:
        await holder.end(signal.SIGKILL)
        await holder.start()
    return holder is not None


def video(name: str) -> Graph:
    """Return a node that makes a video with this model."""
    graph = Graph("topic").node("m", "customModel", model=name).node("out", "responseOutput")
    return graph.wire("in.topic > m.prompt-in", "m.video-out > out.result-in")


def is_unknown(execution: Execution) -> bool:
    """Return whether it failed because its job was unknown."""
    return execution.error is not None and execution.error["nodeCode"] == "PROVIDER_UNKNOWN"


@pytest.mark.F68
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "most"), [("once", 1), ("plain", 1), ("again", 2)])
async def test_killed_workers_cost_no_job_that_the_manifest_does_not_allow_and_one_charge(
    name: str, most: int, runner: Runner, workers: list[JobWorker], provider_url: str
) -> None:
    chance, store = random.Random(name), runner.store
    slug = await runner.save(video(name))
    begun, killed, unknown = [], 0, 0

    for number in range(KILLS):
        before = await jobs(provider_url)
        topic = {"topic": f"{number} [[stub job=1200]]"}
        execution_id = await runner.begin(slug, topic, terms=TERMS)
        if number % 2:  # as soon as the provider has the job: about when it is put on record
            await eventually(lambda known=before: _more(provider_url, known), pause=0.001)
        else:
            await asyncio.sleep(chance.uniform(0.0, 1.0))
        killed += await kill_holder(store, workers)
        execution = await runner.end(execution_id, 60)

        if is_unknown(execution):
            unknown += 1
        else:
            assert execution.status is ExecutionStatus.COMPLETED, execution.error
            assert "/files/" in execution.result["videos"][0]
        begun.append((await jobs(provider_url))["created"] - before["created"])
    paid = ALLOWANCE - (await store.wallets.get(runner.account.id, TERMS)).balance

    print(f"{name}: {killed} killed in {KILLS} runs, {unknown} unknown, jobs begun: {begun}")
    assert killed > KILLS / 2
    assert max(begun) <= most
    assert unknown == 0 or name == "plain"
    assert paid == (KILLS - unknown) * PRICE
    assert await store.wallets.check(runner.account.id) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("number", "answer_ms"),
    [(signal.SIGKILL, 700), (signal.SIGTERM, 700), (signal.SIGTERM, 6_000)],
    ids=["killed", "stopped", "stopped before a late answer"],
)
@pytest.mark.parametrize("name", ["plain", "again"])
@pytest.mark.F83
async def test_a_worker_that_goes_between_submit_and_record(
    name: str,
    number: signal.Signals,
    answer_ms: int,
    runner: Runner,
    workers: list[JobWorker],
    provider_url: str,
) -> None:
    before, counted = await jobs(provider_url), await outcomes(runner.store)
    topic = {"topic": f"[[stub job=300 delay={answer_ms}]]"}
    execution_id = await runner.begin(await runner.save(video(name)), topic, terms=TERMS)
    await eventually(lambda: _more(provider_url, before), pause=0.01)

    holder = await eventually(lambda: holder_of(runner.store, workers))
    assert holder is not None
    await holder.end(number)
    execution = await runner.end(execution_id, 60)
    begun = (await jobs(provider_url))["created"] - before["created"]

    is_lost = number is signal.SIGKILL or answer_ms > 2_000
    assert is_unknown(execution) == (is_lost and name == "plain"), execution.error
    assert begun == (2 if is_lost and name == "again" else 1)
    expected = {"plain": "failed", "again": "resubmitted"}[name]
    found = await eventually(
        lambda: outcomes(runner.store), lambda found: found != counted or not is_lost
    )
    assert found - counted == Counter({expected: 1} if is_lost else {})
    paid = ALLOWANCE - (await runner.store.wallets.get(runner.account.id, TERMS)).balance
    assert paid == (0 if is_unknown(execution) else PRICE)


async def outcomes(store: Store) -> Counter[str]:
    """Return the outcomes of unknown jobs, by the metrics of all workers."""
    found: Counter[str] = Counter()
    for sample in parse_samples((await sum_page(store, "")).decode()):
        if sample.name == "headrace_provider_jobs_unknown_total":
            found[sample.labels["outcome"]] += int(sample.value)
    return found


async def _more(url: str, known: dict[str, int]) -> bool:
    return (await jobs(url))["created"] > known["created"]


async def reported(runner: Runner, execution_id: str) -> list[tuple[EventId, ExecutionEvent]]:
    """Return all events of an execution so far."""
    found: list[tuple[EventId, ExecutionEvent]] = []
    first = 1
    while True:
        reading = await runner.store.events.read(runner.account.id, execution_id, first)
        found += [each for entry in reading.entries for each in read_events(entry)]
        if not reading.entries:
            return found
        first = reading.entries[-1].number + 1


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_text_whose_worker_was_killed_begins_anew_for_who_watches(
    runner: Runner, workers: list[JobWorker]
) -> None:
    graph = Graph("topic").node("m", "customModel", model="chat").node("out", "responseOutput")
    slug = await runner.save(graph.wire("in.topic > m.prompt-in", "m.text-out > out.result-in"))
    words = " ".join(f"word{number}" for number in range(20))

    for number in range(KILLED_STREAMS):
        topic = {"topic": f"{number} [[stub pace=40]] {words}"}
        execution_id = await runner.begin(slug, topic, terms=TERMS, watcher="hr:notifier:nobody")

        async def tokens(execution_id: str = execution_id) -> int:
            events = await reported(runner, execution_id)
            return sum(event.name is EventName.NODE_TEXT for _, event in events)

        await eventually(tokens, lambda count: count > 2)
        assert await kill_holder(runner.store, workers)
        execution = await runner.end(execution_id, 60)
        events = await reported(runner, execution_id)

        of_model = [event for _, event in events if event.index == 1]
        begun = [event.attempt for event in of_model if event.name is EventName.NODE_STARTED]
        texts = [event for event in of_model if event.name is EventName.NODE_TEXT]
        last = [event for event in texts if event.attempt == begun[-1]]
        assert begun == [1, 2]
        assert [event_id for event_id, _ in events] == sorted(event_id for event_id, _ in events)
        assert [event.attempt for event in texts] == sorted(event.attempt for event in texts)
        assert last[0].offset == 0
        assert execution.result == {"text": "".join(event.text for event in last)}
        assert events[-1][1].name is EventName.EXECUTION_FINISHED
