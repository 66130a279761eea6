"""Large values of runs in a bucket: enabled by one setting, and kept when the worker is killed."""

import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.http.s3_server import BUCKET, S3Server
from tests.support.http.s3_server import serving as serving_s3
from tests.support.http.scripted_server import Target, serving
from tests.support.workers.pruning import prune_all
from tests.support.workers.worker_process import WorkerProcess
from workers.recovery.duties.removal import LostOutputs

pytestmark = pytest.mark.slow
URL = f"s3://{BUCKET}/of-headrace"
SIZE = 5_000_000
INPUT_SIZE = 1_000_000
TOKEN_OR_TIME = re.compile(r"-[0-9a-f]+")


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with serving_s3() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in {**server.environ, "HEADRACE_MEDIA_URL": URL}.items():
        monkeypatch.setenv(name, value)
    return replace(settings, media_url=URL)


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with serving() as target:
        yield target


def graph(target: Target) -> Graph:
    """Return a workflow with a large answer beside a slow call; both are the result."""
    made = Graph().node("h0", "httpRequest", url=f"{target.url}/large/{SIZE}", maxBytes=2 * SIZE)
    made.node("h1", "httpRequest", method="POST", url=f"{target.url}/slow/1")
    made.node("out", "responseOutput").wire("h0.response-out > h1.body-in")
    return made.wire("h0.response-out > out.result-in", "h1.response-out > out.result-in")


async def keys(settings: Settings, execution: Execution) -> list[str]:
    """Return the objects of an execution: fence and node of each output, and its inputs."""
    prefix = f"outputs/{execution.account_id}/{execution.id}/"
    names = [
        name async for some in ObjectStore.from_settings(settings).names(prefix) for name in some
    ]
    kept = (name.removeprefix(prefix).rpartition(".")[0] for name in names)
    return sorted(TOKEN_OR_TIME.sub("", name) for name in kept)


async def kill_at_call(store: Store, target: Target) -> None:
    """Kill the worker that makes the slow call."""

    async def calls() -> int:
        return target.calls["/slow/1"]

    await eventually(calls)
    [holder] = [name for name in await store.leases.workers() if await store.leases.held(name)]
    os.kill(int(holder.split("-")[-2]), signal.SIGKILL)


async def assert_record_is_small(store: Store, execution: Execution) -> None:
    record = keyspace.execution(execution.account_id, execution.id)
    assert await store.client.send("MEMORY", "USAGE", record, "SAMPLES", 0) < 10_000


async def forget_all(store: Store) -> None:
    """Let the sweeper prune ended executions."""
    left_outputs = await prune_all(store)
    await left_outputs.run()
    await LostOutputs(store).run()


@pytest.fixture
async def workers(settings: Settings, store: Store) -> AsyncIterator[None]:
    """Two worker processes, one of which may be killed, and an existing bucket."""
    await ObjectStore.from_settings(
        settings
    ).check()  # the first write of such a server may take many seconds
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            process = WorkerProcess(settings.redis_url)
            await process.start()
            stack.push_async_callback(process.end, signal.SIGKILL)
        await eventually(store.leases.workers, lambda found: len(found) == 2)
        yield


async def test_another_worker_goes_on_with_what_a_killed_one_has_kept(
    workers: None, runner: Runner, store: Store, settings: Settings, target: Target
) -> None:
    execution_id = await runner.begin(await runner.save(graph(target)))

    await kill_at_call(store, target)
    execution = await runner.end(execution_id, seconds=20)

    assert execution.status is ExecutionStatus.COMPLETED
    assert execution.result == {"values": ["x" * SIZE, {"n": 0, "kind": "slow"}]}
    assert target.calls == {f"/large/{SIZE}": 1, "/slow/1": 2}
    assert await keys(settings, execution) == ["1.0", "2.2"]
    await assert_record_is_small(store, execution)
    await forget_all(store)
    assert await keys(settings, execution) == []


async def test_another_worker_goes_on_with_the_inputs_that_a_killed_one_was_given(
    workers: None, runner: Runner, store: Store, settings: Settings, target: Target
) -> None:
    graph = Graph("text").node("h", "httpRequest", method="POST", url=f"{target.url}/slow/1")
    graph.node("out", "responseOutput").wire(
        "in.text > h.body-in", "h.response-out > out.result-in"
    )
    execution_id = await runner.begin(await runner.save(graph), {"text": "x" * INPUT_SIZE})

    await kill_at_call(store, target)
    execution = await runner.end(execution_id, seconds=20)

    assert execution.status is ExecutionStatus.COMPLETED
    assert target.calls == {"/slow/1": 2}
    assert await keys(settings, execution) == ["inputs"]
    await assert_record_is_small(store, execution)
    await forget_all(store)
    assert await keys(settings, execution) == []
